//! `log_head`, `change_log` and `log_floor`: who writes a partition next, what was done in which order, and since when that
//! is known.

use futures_util::future::{try_join, try_join_all};
use rampart_core::change::CHANGE_FORMAT;
use rampart_core::{Change, TimestampMs};
use serde::Deserialize;
use uuid::Uuid;

use crate::random::random_bytes;
use crate::statement::{Row, Statement};
use crate::store::Reader;
use crate::{PartitionId, StoreError, Transaction};

/// Together with its position it counts that whoever took it tells what it means for callers (`caller_version.rs`). The mark
/// is drawn anew each time: where a standby took over that did not have all, the same position comes again, with another.
static TAKE_HEAD: Statement = Statement::new(
    "log_head.take",
    "UPDATE log_head SET seq = seq + 1, told = COALESCE(told, 0) + 1, mark = $1 WHERE part = $2
     RETURNING seq",
);
static READ_HEAD: Statement =
    Statement::new("log_head.read", "SELECT seq, mark FROM log_head WHERE part = $1");
static APPEND: Statement = Statement::new(
    "change_log.append",
    "INSERT INTO change_log (part, seq, idx, at_ms, payload) VALUES ($1, $2, $3, $4, $5)",
);
static READ_PAYLOAD: Statement = Statement::new(
    "change_log.payload",
    "SELECT payload FROM change_log WHERE part = $1 AND seq = $2 ORDER BY idx LIMIT 1",
);
static READ_ANY: Statement =
    Statement::new("change_log.any", "SELECT seq FROM change_log WHERE part = $1 ORDER BY seq LIMIT 1");

static HEADS: Statement = Statement::new(
    "log_head.all",
    "SELECT part, seq, mark FROM log_head WHERE part >= $1 ORDER BY part LIMIT 1024",
);
static ENTRIES: Statement = Statement::new(
    "change_log.entries",
    "SELECT seq, idx, at_ms, payload FROM change_log WHERE part = $1 AND (seq, idx) > ($2, $3)
     ORDER BY seq, idx LIMIT $4",
);
static LAST: Statement = Statement::new(
    "change_log.last",
    "SELECT seq, payload FROM change_log WHERE part = $1 ORDER BY seq DESC, idx DESC LIMIT 1",
);
static PLACES: Statement = Statement::new(
    "change_log.places",
    "SELECT seq, at_ms FROM change_log WHERE part = $1 ORDER BY seq, idx LIMIT $2",
);
static TRIM: Statement =
    Statement::new("change_log.trim", "DELETE FROM change_log WHERE part = $1 AND seq <= $2");
static FLOOR: Statement = Statement::new("log_floor.read", "SELECT seq FROM log_floor WHERE part = $1");
static RAISE_FLOOR: Statement = Statement::new(
    "log_floor.raise",
    "INSERT INTO log_floor (part, seq) VALUES ($1, $2) ON CONFLICT (part) DO UPDATE SET seq = excluded.seq",
);

pub(crate) static STATEMENTS: &[&Statement] = &[
    &TAKE_HEAD,
    &READ_HEAD,
    &APPEND,
    &READ_PAYLOAD,
    &READ_ANY,
    &HEADS,
    &ENTRIES,
    &LAST,
    &PLACES,
    &TRIM,
    &FLOOR,
    &RAISE_FLOOR,
];

/// A place in the log of a partition. An operation has one; those that committed together share the `seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition {
    /// Counts the partition's transactions.
    pub seq: i64,
    /// Counts the operations of one.
    pub idx: i64,
}

impl LogPosition {
    /// Before the first.
    pub const START: Self = Self { seq: 0, idx: -1 };

    /// After all that a transaction did.
    pub fn end_of(seq: i64) -> Self {
        Self { seq, idx: i64::MAX }
    }
}

/// What one operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place in the partition's log.
    pub position: LogPosition,
    /// When the node that did it began to, by its server's time: by this the log is trimmed. What the changes speak of may
    /// have been long before.
    pub at: TimestampMs,
    /// The rows as they were afterwards.
    pub changes: Vec<Change>,
}

/// The last transaction of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    /// Tells it from another that came at the same place of another history. One of a build before marks leaves the mark
    /// that was there.
    mark: Option<i64>,
}

/// A transaction that has entries in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) seq: i64,
    pub(crate) id: Uuid,
}

/// Where the log of a partition ends.
pub(crate) struct LogEnd {
    /// All entries are of before.
    pub(crate) position: LogPosition,
    /// The last one that is left.
    pub(crate) last: Option<Logged>,
}

/// The entries of a partition after a place.
pub(crate) struct EntriesAfter {
    pub(crate) entries: Vec<LogEntry>,
    /// What wrote the last of them.
    pub(crate) last: Option<Logged>,
    /// Whether the log is one that the transaction asked about is no part of. Not when it is trimmed that far.
    pub(crate) is_another: bool,
    /// Up to here the log has been trimmed, if it ever was.
    pub(crate) floor: Option<i64>,
}

impl Reader {
    /// The last transaction of every partition, by partition.
    pub(crate) async fn log_heads(&self) -> Result<Vec<(PartitionId, Head)>, StoreError> {
        let read =
            |row: &Row<'_>| Ok((PartitionId(row.int(0)?), Head { seq: row.int(1)?, mark: row.opt_int(2)? }));
        self.connection.query(&HEADS, &[0_i64.into()], read).await
    }

    /// The last transaction of a partition.
    pub(crate) async fn log_head(&self, part: PartitionId) -> Result<Head, StoreError> {
        let read = |row: &Row<'_>| Ok(Head { seq: row.int(0)?, mark: row.opt_int(1)? });
        one(self.connection.query_opt(&READ_HEAD, &[part.0.into()], read).await?, part)
    }

    /// Where the partition's log ends.
    pub(crate) async fn log_end(&self, part: PartitionId) -> Result<LogEnd, StoreError> {
        let read = |row: &Row<'_>| Ok(Logged { seq: row.int(0)?, id: row.json::<Id>(1)?.tx });
        let last = self.connection.query_opt(&LAST, &[part.0.into()], read).await?;
        let seq = match last {
            Some(last) => Some(last.seq),
            None => self.log_floor(part).await?,
        };
        Ok(LogEnd { position: seq.map_or(LogPosition::START, LogPosition::end_of), last })
    }

    async fn log_floor(&self, part: PartitionId) -> Result<Option<i64>, StoreError> {
        self.connection.query_opt(&FLOOR, &[part.0.into()], |row| row.int(0)).await
    }

    /// The transaction of which the log has entries at that place.
    pub(crate) async fn id_in_log(&self, part: PartitionId, seq: i64) -> Result<Option<Uuid>, StoreError> {
        let values = [part.0.into(), seq.into()];
        self.connection.query_opt(&READ_PAYLOAD, &values, |row| Ok(row.json::<Id>(0)?.tx)).await
    }

    /// The entries after a place, and whether the log is still the one that `seen` was read of. The floor is read after
    /// all else: what is trimmed in between is seen to be missing.
    pub(crate) async fn log_entries(
        &self,
        part: PartitionId,
        after: LogPosition,
        seen: Option<Logged>,
        limit: u32,
    ) -> Result<EntriesAfter, StoreError> {
        let values = [part.0.into(), after.seq.into(), after.idx.into(), limit.into()];
        let there = async {
            match seen {
                Some(seen) => self.id_in_log(part, seen.seq).await,
                None => Ok(None),
            }
        };
        let (there, found) = try_join(there, self.connection.query(&ENTRIES, &values, read_entry)).await?;
        let floor = self.log_floor(part).await?;
        let is_lost = |seen: Logged| floor.is_none_or(|floor| floor < seen.seq) && there != Some(seen.id);
        let last = found.last().map(|(entry, id)| Logged { seq: entry.position.seq, id: *id });
        let entries = found.into_iter().map(|(entry, _)| entry).collect();
        Ok(EntriesAfter { entries, last, is_another: seen.is_some_and(is_lost), floor })
    }

    /// The partitions whose log begins with an entry of before `at`.
    pub async fn logs_older_than(&self, at: TimestampMs) -> Result<Vec<PartitionId>, StoreError> {
        let firsts = self.partitions.all().map(async |part| {
            let values = [part.0.into(), 1_u32.into()];
            let first = self.connection.query_opt(&PLACES, &values, |row| row.time(1)).await?;
            Ok::<_, StoreError>(first.filter(|first| *first < at).map(|_| part))
        });
        Ok(try_join_all(firsts).await?.into_iter().flatten().collect())
    }
}

impl Transaction {
    /// Removes the beginning of the partition's log: what was done before `at`, at most `limit` operations of it. Says how
    /// many it removed.
    pub async fn trim_log(&self, at: TimestampMs, limit: u32) -> Result<usize, StoreError> {
        let part = self.part().0;
        let read = |row: &Row<'_>| Ok((row.int(0)?, row.time(1)?));
        let places = self.connection.query(&PLACES, &[part.into(), limit.into()], read).await?;
        let mut old = places.iter().take_while(|(_, done)| *done < at).count();
        if old == places.len() && old == usize::try_from(limit).expect("a number of rows fits") {
            // The last transaction may have done more than was read of it.
            let last = places.last().map(|(seq, _)| *seq);
            old = places.iter().take_while(|(seq, _)| Some(*seq) != last).count();
        }
        let Some((floor, _)) = old.checked_sub(1).and_then(|last| places.get(last)) else { return Ok(0) };
        // Of one transaction all goes or nothing.
        let stays = places.get(old).is_some_and(|(seq, _)| seq == floor);
        let floor = if stays { floor - 1 } else { *floor };
        self.mark_written();
        self.connection.execute(&TRIM, &[part.into(), floor.into()]).await?;
        self.connection.execute(&RAISE_FLOOR, &[part.into(), floor.into()]).await?;
        Ok(places.iter().filter(|(seq, _)| *seq <= floor).count())
    }
}

/// What of an entry tells which transaction wrote it.
#[derive(Deserialize)]
struct Id {
    tx: Uuid,
}

#[derive(Deserialize)]
struct Payload {
    v: u32,
    tx: Uuid,
    changes: Vec<Change>,
}

fn read_entry(row: &Row<'_>) -> Result<(LogEntry, Uuid), StoreError> {
    let position = LogPosition { seq: row.int(0)?, idx: row.int(1)? };
    let payload: Payload = row.json(3)?;
    if payload.v > CHANGE_FORMAT {
        let reason = format!("its log is written by a newer rampart (format {})", payload.v);
        return Err(StoreError::unavailable(reason));
    }
    Ok((LogEntry { position, at: row.time(2)?, changes: payload.changes }, payload.tx))
}

/// Takes the partition's head row: the writer's lock, and its position in the log.
pub(crate) async fn take_head(reader: &Reader, part: PartitionId) -> Result<i64, StoreError> {
    let values = [i64::from_be_bytes(random_bytes()).into(), part.0.into()];
    one(reader.connection.query_opt(&TAKE_HEAD, &values, |row| row.int(0)).await?, part)
}

/// Makes sure that taking the head row goes out at once when it is asked for. Costs nothing once it is cached.
pub(crate) async fn prepare_head(link: &crate::postgres::Link) -> Result<(), StoreError> {
    crate::postgres::prepare(link, &TAKE_HEAD).await
}

fn one<T>(head: Option<T>, part: PartitionId) -> Result<T, StoreError> {
    head.ok_or_else(|| StoreError::Corrupt { what: format!("partition {} has no head row", part.0) })
}

pub(crate) async fn append(
    reader: &Reader,
    part: PartitionId,
    seq: i64,
    idx: i64,
    at: TimestampMs,
    payload: &str,
) -> Result<(), StoreError> {
    let values = [part.0.into(), seq.into(), idx.into(), at.into(), payload.into()];
    reader.connection.execute(&APPEND, &values).await?;
    Ok(())
}

/// Whether nothing was ever done in the partition, or all of it was emptied since. A log that was trimmed has a floor.
pub(crate) async fn is_empty(reader: &Reader, part: PartitionId) -> Result<bool, StoreError> {
    let values = [part.0.into()];
    let any = reader.connection.query_opt(&READ_ANY, &values, |row| row.int(0));
    let (any, floor) = try_join(any, reader.log_floor(part)).await?;
    Ok(any.is_none() && floor.is_none())
}
