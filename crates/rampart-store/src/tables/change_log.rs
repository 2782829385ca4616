//! `log_head` and `change_log`: who writes a partition next, and what was done in which order.

use rampart_core::TimestampMs;

use crate::statement::Statement;
use crate::store::Reader;
use crate::{PartitionId, StoreError};

static TAKE_HEAD: Statement =
    Statement::new("log_head.take", "UPDATE log_head SET seq = seq + 1 WHERE part = $1 RETURNING seq");
static READ_HEAD: Statement = Statement::new("log_head.read", "SELECT seq FROM log_head WHERE part = $1");
static APPEND: Statement = Statement::new(
    "change_log.append",
    "INSERT INTO change_log (part, seq, idx, at_ms, payload) VALUES ($1, $2, $3, $4, $5)",
);
static READ_PAYLOAD: Statement = Statement::new(
    "change_log.payload",
    "SELECT payload FROM change_log WHERE part = $1 AND seq = $2 AND idx = $3",
);
static READ_ANY: Statement =
    Statement::new("change_log.any", "SELECT seq FROM change_log WHERE part = $1 ORDER BY seq LIMIT 1");

pub(crate) static STATEMENTS: &[&Statement] = &[&TAKE_HEAD, &READ_HEAD, &APPEND, &READ_PAYLOAD, &READ_ANY];

/// Takes the partition's head row: the writer's lock, and its position in the log.
pub(crate) async fn take_head(reader: &Reader, part: PartitionId) -> Result<i64, StoreError> {
    one(reader.connection.query_opt(&TAKE_HEAD, &[part.0.into()], |row| row.int(0)).await?, part)
}

/// Makes sure that taking the head row goes out at once when it is asked for. Costs nothing once it is cached.
pub(crate) async fn prepare_head(link: &crate::postgres::Link) -> Result<(), StoreError> {
    crate::postgres::prepare(link, &TAKE_HEAD).await
}

pub(crate) async fn head(reader: &Reader, part: PartitionId) -> Result<i64, StoreError> {
    one(reader.connection.query_opt(&READ_HEAD, &[part.0.into()], |row| row.int(0)).await?, part)
}

fn one(seq: Option<i64>, part: PartitionId) -> Result<i64, StoreError> {
    seq.ok_or_else(|| StoreError::Corrupt { what: format!("partition {} has no head row", part.0) })
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

pub(crate) async fn payload(
    reader: &Reader,
    part: PartitionId,
    seq: i64,
    idx: i64,
) -> Result<Option<String>, StoreError> {
    let values = [part.0.into(), seq.into(), idx.into()];
    reader.connection.query_opt(&READ_PAYLOAD, &values, |row| Ok(row.text(0)?.to_owned())).await
}

pub(crate) async fn is_empty(reader: &Reader, part: PartitionId) -> Result<bool, StoreError> {
    Ok(reader.connection.query_opt(&READ_ANY, &[part.0.into()], |row| row.int(0)).await?.is_none())
}
