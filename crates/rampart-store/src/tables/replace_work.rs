//! `replace_work`: permissions that are being replaced, and those that were a while ago.

use rampart_core::permission::replacement::ReplaceWork;
use rampart_core::{AccountId, Region, TimestampMs};
use uuid::Uuid;

use crate::statement::{Row, Statement, Value, corrupt, to_json};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement = Statement::new(
    "replace_work.load",
    "SELECT owner, region, work_id, from_permission, from_version, to_permission, to_version, parameters, state,
            created_ms, updated_ms, to_id
     FROM replace_work WHERE part = $1 AND owner = $2 AND region = $3 AND work_id = $4",
);
static OF_OWNER: Statement = Statement::new(
    "replace_work.of_owner",
    "SELECT owner, region, work_id, from_permission, from_version, to_permission, to_version, parameters, state,
            created_ms, updated_ms, to_id
     FROM replace_work
     WHERE part = $1 AND owner = $2 AND region = $3 AND (created_ms, work_id) > ($4, $5)
       AND (finished_ms IS NULL OR finished_ms > $6)
     ORDER BY created_ms, work_id LIMIT $7",
);
static OPEN: Statement = Statement::new(
    "replace_work.open",
    "SELECT owner, region, work_id, from_permission, from_version, to_permission, to_version, parameters, state,
            created_ms, updated_ms, to_id
     FROM replace_work WHERE is_open = 1 AND created_ms <= $1 ORDER BY created_ms LIMIT $2",
);
static FINISHED: Statement = Statement::new(
    "replace_work.finished",
    "SELECT owner, region, work_id, from_permission, from_version, to_permission, to_version, parameters, state,
            created_ms, updated_ms, to_id
     FROM replace_work WHERE finished_ms IS NOT NULL AND finished_ms <= $1 ORDER BY finished_ms LIMIT $2",
);
static STORE: Statement = Statement::new(
    "replace_work.store",
    "INSERT INTO replace_work (part, owner, region, work_id, from_permission, from_version, to_permission, to_version,
                               parameters, state, is_open, created_ms, updated_ms, finished_ms, to_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     ON CONFLICT (part, owner, region, work_id)
     DO UPDATE SET state = excluded.state, is_open = excluded.is_open, updated_ms = excluded.updated_ms,
        finished_ms = excluded.finished_ms",
);
static DROP: Statement = Statement::new(
    "replace_work.drop",
    "DELETE FROM replace_work WHERE part = $1 AND owner = $2 AND region = $3 AND work_id = $4",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&LOAD, &OF_OWNER, &OPEN, &FINISHED, &STORE, &DROP];

/// After which work a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkCursor {
    /// Creation time of the last one seen.
    pub created: TimestampMs,
    /// Its id.
    pub id: Uuid,
}

impl WorkCursor {
    /// Before the first.
    pub const START: Self = Self { created: TimestampMs(i64::MIN), id: Uuid::nil() };

    /// After `work`.
    pub fn after(work: &ReplaceWork) -> Self {
        Self { created: work.created, id: work.id }
    }
}

impl Reader {
    /// One work of an account.
    pub async fn replace_work(
        &self,
        owner: AccountId,
        region: Region,
        id: Uuid,
    ) -> Result<Option<ReplaceWork>, StoreError> {
        let values = [
            self.part_of(owner).into(),
            Value::Text(owner.as_str()),
            Value::Text(region.as_str()),
            Value::from(&id),
        ];
        self.connection.query_opt(&LOAD, &values, read_work).await
    }

    /// A page of an account's works, oldest first. Those finished up to `finished_until` are left out.
    pub async fn replace_works(
        &self,
        owner: AccountId,
        region: Region,
        after: WorkCursor,
        finished_until: TimestampMs,
        limit: u32,
    ) -> Result<Vec<ReplaceWork>, StoreError> {
        let values = [
            self.part_of(owner).into(),
            Value::Text(owner.as_str()),
            Value::Text(region.as_str()),
            after.created.into(),
            Value::from(&after.id),
            finished_until.into(),
            limit.into(),
        ];
        self.connection.query(&OF_OWNER, &values, read_work).await
    }

    /// Works that go on and were asked for up to `until`, whosever they are.
    pub async fn open_replace_works(
        &self,
        until: TimestampMs,
        limit: u32,
    ) -> Result<Vec<ReplaceWork>, StoreError> {
        self.connection.query(&OPEN, &[until.into(), limit.into()], read_work).await
    }

    /// Works that were finished up to `until`.
    pub async fn finished_replace_works(
        &self,
        until: TimestampMs,
        limit: u32,
    ) -> Result<Vec<ReplaceWork>, StoreError> {
        self.connection.query(&FINISHED, &[until.into(), limit.into()], read_work).await
    }
}

impl Transaction {
    pub(crate) async fn store_replace_work(&self, work: &ReplaceWork) -> Result<(), StoreError> {
        let (from, to) = (String::from(work.from.clone()), String::from(work.to.clone()));
        let (parameters, state) = (to_json(&work.parameters)?, to_json(&work.state)?);
        let values = [
            self.part().0.into(),
            Value::Text(work.owner.as_str()),
            Value::Text(work.region.as_str()),
            Value::from(&work.id),
            Value::Text(&from),
            work.from_version.into(),
            Value::Text(&to),
            work.to_version.into(),
            Value::Text(&parameters),
            Value::Text(&state),
            work.finished().is_none().into(),
            work.created.into(),
            work.updated.into(),
            work.finished().into(),
            work.to_id.as_ref().into(),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }

    pub(crate) async fn drop_replace_work(
        &self,
        owner: AccountId,
        region: Region,
        id: Uuid,
    ) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(owner.as_str()),
            Value::Text(region.as_str()),
            Value::from(&id),
        ];
        self.connection.execute(&DROP, &values).await.map(drop)
    }
}

pub(crate) fn read_work(row: &Row<'_>) -> Result<ReplaceWork, StoreError> {
    let from_version = row.opt_int(4)?.map(|number| u32::try_from(number).map_err(|e| corrupt(4, e)));
    Ok(ReplaceWork {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        id: row.uuid(2)?,
        from: row.text(3)?.to_owned().into(),
        from_version: from_version.transpose()?,
        to: row.text(5)?.to_owned().into(),
        to_version: row.small(6)?,
        parameters: row.json(7)?,
        state: row.json(8)?,
        created: row.time(9)?,
        updated: row.time(10)?,
        to_id: row.opt_uuid(11)?,
    })
}
