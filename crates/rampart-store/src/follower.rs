//! A follower of the change log: tells, partition by partition and in the order in which it was done, what was written,
//! whichever node wrote it. Nothing is missed and nothing is told twice.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use rampart_core::Change;
use tokio::time::{MissedTickBehavior, interval};

use crate::store::Reader;
use crate::tables::change_log::{Head, Logged};
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
    /// All has been told that was done before the moment. Said by [`Follower::run`] each time that it has looked.
    fn told_all(&mut self, _before: Instant) {}
}

/// Where a follower is in the log of every partition.
pub struct Follower {
    store: Store,
    /// By partition; `None` where it is to begin with the rows.
    places: Vec<Option<Place>>,
}

/// Where a follower is in the log of a partition.
#[derive(Clone, Copy)]
struct Place {
    /// The last that it was told.
    position: LogPosition,
    /// The transaction that this was of: what the log must still tell. A standby that takes over may not have all that was
    /// told, and go on from there with other writes.
    seen: Option<Logged>,
    /// The head row as of then: while it is the same there is no news.
    head: Option<Head>,
}

impl Place {
    const START: Self = Self { position: LogPosition::START, seen: None, head: None };

    /// After all that there is.
    async fn at_end(reader: &Reader, part: PartitionId) -> Result<Self, StoreError> {
        // What comes between the two is told.
        let head = reader.log_head(part).await?;
        let end = reader.log_end(part).await?;
        Ok(Self { position: end.position, seen: end.last, head: Some(head) })
    }
}

impl Follower {
    /// One that begins with all rows that there are.
    pub fn of_all(store: Store) -> Self {
        let places = store.partitions().all().map(|_| None).collect();
        Self { store, places }
    }

    /// One that is told all that the log still tells; the rows where it does not reach back to their beginning.
    pub fn from_start(store: Store) -> Self {
        let places = store.partitions().all().map(|_| Some(Place::START)).collect();
        Self { store, places }
    }

    /// One that is told only what is done from now on.
    pub async fn from_now(store: Store) -> Result<Self, StoreError> {
        let reader = store.reader().await?;
        let ends = store.partitions().all().map(|part| Place::at_end(&reader, part));
        let places = try_join_all(ends).await?.into_iter().map(Some).collect();
        drop(reader);
        Ok(Self { store, places })
    }

    /// Looks until `stop` resolves, and tells `whom`. A store that cannot be read is asked again.
    pub async fn run(&mut self, whom: &mut impl Follow, every: Duration, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_told = false;
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = ticks.tick() => {}
            }
            let began = Instant::now();
            // Not broken off: what was told is remembered.
            match self.poll(whom).await {
                Ok(_) => {
                    whom.told_all(began);
                    if is_told {
                        tracing::info!("the change log is followed again");
                    }
                    is_told = false;
                }
                Err(error) => {
                    if !is_told {
                        tracing::warn!(%error, "the change log cannot be followed for now");
                    }
                    is_told = true;
                }
            }
        }
    }

    /// Tells what was done since the last time, all of it; says how many operations that were.
    pub async fn poll(&mut self, whom: &mut impl Follow) -> Result<usize, StoreError> {
        // All of it from one server: of two, one may have taken over from the other.
        let reader = self.store.reader().await?;
        let mut behind = self.partitions_behind(&reader).await?;
        let mut told = 0;
        while !behind.is_empty() {
            let mut more = Vec::new();
            for some in behind.chunks(PARTITIONS_AT_ONCE) {
                let after = some
                    .iter()
                    .map(|(part, place, _)| reader.log_entries(*part, place.position, place.seen, PAGE));
                for ((part, place, head), found) in some.iter().copied().zip(try_join_all(after).await?) {
                    // Of the transaction that a page ended in, more may be gone.
                    let is_trimmed =
                        found.floor.is_some_and(|floor| LogPosition::end_of(floor) > place.position);
                    if is_trimmed || found.is_another {
                        *self.place_mut(part)? = None;
                        continue;
                    }
                    let full = found.entries.len() == usize::try_from(PAGE).expect("a page is small");
                    let mut reached = Place { seen: found.last.or(place.seen), ..place };
                    told += found.entries.len();
                    for entry in found.entries {
                        reached.position = entry.position;
                        whom.entry(part, entry);
                    }
                    if full {
                        more.push((part, reached, head));
                    } else {
                        // All of the last transaction is there.
                        reached.position = LogPosition::end_of(reached.position.seq);
                        reached.head = Some(head);
                    }
                    *self.place_mut(part)? = Some(reached);
                }
            }
            behind = more;
        }
        drop(reader);
        Ok(told + self.rebuild(whom).await?)
    }

    /// The partitions with news, where the follower is in them, and their head rows.
    async fn partitions_behind(
        &mut self,
        reader: &Reader,
    ) -> Result<Vec<(PartitionId, Place, Head)>, StoreError> {
        let mut behind = Vec::new();
        for (part, head) in reader.log_heads().await? {
            let known = self.place_mut(part)?;
            match *known {
                // A store that was put back: what is known is not true any more.
                Some(place) if place.position.seq > head.seq => *known = None,
                Some(place) if place.head != Some(head) => behind.push((part, place, head)),
                _ => {}
            }
        }
        Ok(behind)
    }

    /// Tells the rows of the partitions that the follower is nowhere in.
    async fn rebuild(&mut self, whom: &mut impl Follow) -> Result<usize, StoreError> {
        if self.places.iter().all(Option::is_some) {
            return Ok(0);
        }
        let (snapshot, mut told) = (self.store.snapshot().await?, 0);
        for part in snapshot.partitions() {
            if self.place_mut(part)?.is_some() {
                continue;
            }
            whom.forget(part);
            let mut rows = snapshot.partition(part).await?;
            while let Some(page) = rows.next().await? {
                told += page.len();
                whom.rows(part, page);
            }
            *self.place_mut(part)? = Some(Place::at_end(snapshot.reader(), part).await?);
        }
        Ok(told)
    }

    fn place_mut(&mut self, part: PartitionId) -> Result<&mut Option<Place>, StoreError> {
        let place = usize::try_from(part.0).ok().and_then(|part| self.places.get_mut(part));
        place.ok_or_else(|| StoreError::Corrupt { what: format!("there is no partition {}", part.0) })
    }
}
