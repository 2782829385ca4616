//! `sharing_event`: what happened, recorded with the change and kept until it is delivered or too old.

use futures_util::future::try_join_all;
use rampart_core::{Change, SharingEvent};

use crate::statement::{Statement, Value};
use crate::store::Reader;
use crate::{PartitionId, StoreError, Transaction};

static RECORD: Statement = Statement::new(
    "sharing_event.record",
    "INSERT INTO sharing_event (part, seq, idx, n, at_ms, payload) VALUES ($1, $2, $3, $4, $5, $6)",
);
static LIST: Statement = Statement::new(
    "sharing_event.list",
    "SELECT payload FROM sharing_event WHERE part = $1 ORDER BY part, seq, idx, n LIMIT $2",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&RECORD, &LIST];

impl Reader {
    /// The oldest events of a partition, in the order in which they happened.
    pub async fn sharing_events(
        &self,
        part: PartitionId,
        limit: u32,
    ) -> Result<Vec<SharingEvent>, StoreError> {
        self.connection.query(&LIST, &[part.0.into(), limit.into()], |row| row.json(0)).await
    }
}

impl Transaction {
    pub(crate) async fn record_events(
        &self,
        changes: &[Change],
        seq: i64,
        idx: i64,
    ) -> Result<(), StoreError> {
        let events = changes.iter().filter_map(|change| match change {
            Change::EventRecorded(event) => Some(event),
            _ => None,
        });
        let records = events.zip(0_i64..).map(async |(event, n)| {
            let payload = serde_json::to_string(event)
                .map_err(|e| StoreError::Corrupt { what: format!("an event does not serialize: {e}") })?;
            let at = event.at.into();
            let values = [self.part().0.into(), seq.into(), idx.into(), n.into(), at, Value::Text(&payload)];
            self.connection.execute(&RECORD, &values).await
        });
        try_join_all(records).await.map(drop)
    }
}
