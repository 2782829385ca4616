//! A follower of the change log: tells, partition by partition and in the order in which it was done, what was written,
//! whichever node wrote it. Nothing is missed and nothing is told twice.

use std::future::Future;
use std::time::Duration;

use futures_util::future::try_join_all;
use rampart_core::Change;
use tokio::time::{MissedTickBehavior, interval};

use crate::{LogEntry, LogPosition, PartitionId, Store, StoreError};

/// How often a follower looks, unless told else: so late, and a read, is what it tells.
pub const FOLLOW_EVERY: Duration = Duration::from_millis(20);
/// Operations read at once of a partition.
const PAGE: u32 = 500;
/// Partitions read at once.
const PARTITIONS_AT_ONCE: usize = 16;

/// What a follower tells, and whom.
pub trait Follow {
    /// What is known of a partition is to be forgotten: all its rows follow. The log does not reach back to where the
    /// follower was, or ends before that, or it was nowhere yet.
    fn forget(&mut self, part: PartitionId);
    /// Some of the rows of a partition that was forgotten, as the changes that would write them.
    fn rows(&mut self, part: PartitionId, rows: Vec<Change>);
    /// What one operation did, after all that was told of the partition before.
    fn entry(&mut self, part: PartitionId, entry: LogEntry);
}

/// Where a follower is in the log of every partition.
pub struct Follower {
    store: Store,
    /// By partition; `None` where it is to begin with the rows.
    positions: Vec<Option<LogPosition>>,
}

impl Follower {
    /// One that begins with all rows that there are.
    pub fn of_all(store: Store) -> Self {
        let positions = store.partitions().all().map(|_| None).collect();
        Self { store, positions }
    }

    /// One that is told all that the log still tells; the rows where it does not reach back to their beginning.
    pub fn from_start(store: Store) -> Self {
        let positions = store.partitions().all().map(|_| Some(LogPosition::START)).collect();
        Self { store, positions }
    }

    /// One that is told only what is done from now on.
    pub async fn from_now(store: Store) -> Result<Self, StoreError> {
        let heads = store.reader().await?.log_heads().await?;
        let mut follower = Self::of_all(store);
        for (part, seq) in heads {
            *follower.position_mut(part)? = Some(LogPosition::end_of(seq));
        }
        Ok(follower)
    }

    /// Looks until `stop` resolves, and tells `whom`. A store that cannot be read is asked again.
    pub async fn run(&mut self, whom: &mut impl Follow, every: Duration, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = ticks.tick() => {}
            }
            // Not broken off: what was told is remembered.
            if let Err(error) = self.poll(whom).await {
                tracing::warn!(%error, "the change log cannot be followed for now");
            }
        }
    }

    /// Tells what was done since the last time, all of it; says how many operations that were.
    pub async fn poll(&mut self, whom: &mut impl Follow) -> Result<usize, StoreError> {
        let mut behind = self.partitions_behind().await?;
        let mut told = 0;
        while !behind.is_empty() {
            let mut more = Vec::new();
            for some in behind.chunks(PARTITIONS_AT_ONCE) {
                let reader = self.store.reader().await?;
                let after = some.iter().map(|(part, position, _)| reader.log_entries(*part, *position, PAGE));
                let found = try_join_all(after).await?;
                drop(reader);
                for ((part, position, head), found) in some.iter().copied().zip(found) {
                    // Of the transaction that a page ended in, more may be gone.
                    if found.floor.is_some_and(|floor| LogPosition::end_of(floor) > position) {
                        *self.position_mut(part)? = None;
                        continue;
                    }
                    let full = found.entries.len() == usize::try_from(PAGE).expect("a page is small");
                    // Transactions that changed no rows have a place in the log, and no entry.
                    let mut reached = if full { position } else { LogPosition::end_of(head) };
                    told += found.entries.len();
                    for entry in found.entries {
                        // All of its transaction is there, unless the page ended in it.
                        let seen =
                            if full { entry.position } else { LogPosition::end_of(entry.position.seq) };
                        reached = reached.max(seen);
                        whom.entry(part, entry);
                    }
                    *self.position_mut(part)? = Some(reached);
                    if full {
                        more.push((part, reached, head));
                    }
                }
            }
            behind = more;
        }
        Ok(told + self.rebuild(whom).await?)
    }

    /// The partitions with news, where the follower is in them, and the last transaction that is known of each.
    async fn partitions_behind(&mut self) -> Result<Vec<(PartitionId, LogPosition, i64)>, StoreError> {
        let heads = self.store.reader().await?.log_heads().await?;
        let mut behind = Vec::new();
        for (part, head) in heads {
            let place = usize::try_from(part.0).ok().and_then(|part| self.positions.get_mut(part));
            match place {
                // A store that was put back, or a standby that did not have all: what is known is not true any more.
                Some(known) if known.is_some_and(|position| position.seq > head) => *known = None,
                Some(Some(position)) if *position < LogPosition::end_of(head) => {
                    behind.push((part, *position, head));
                }
                _ => {}
            }
        }
        Ok(behind)
    }

    /// Tells the rows of the partitions that the follower is nowhere in.
    async fn rebuild(&mut self, whom: &mut impl Follow) -> Result<usize, StoreError> {
        if self.positions.iter().all(Option::is_some) {
            return Ok(0);
        }
        let (snapshot, mut told) = (self.store.snapshot().await?, 0);
        for part in snapshot.partitions() {
            if self.position_mut(part)?.is_some() {
                continue;
            }
            whom.forget(part);
            let mut rows = snapshot.partition(part).await?;
            while let Some(page) = rows.next().await? {
                told += page.len();
                whom.rows(part, page);
            }
            *self.position_mut(part)? = Some(rows.position());
        }
        Ok(told)
    }

    fn position_mut(&mut self, part: PartitionId) -> Result<&mut Option<LogPosition>, StoreError> {
        let position = usize::try_from(part.0).ok().and_then(|part| self.positions.get_mut(part));
        position.ok_or_else(|| StoreError::Corrupt { what: format!("there is no partition {}", part.0) })
    }
}
