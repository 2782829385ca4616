//! `association_basis` and `organization_tidying`: which associations rest on memberships, and whose are over.

use rampart_core::association::Standing;
use rampart_core::organization::change::Tidying;
use rampart_core::{AccountId, Association, Region, ShareArn, ShareId, TimestampMs};
use uuid::Uuid;

use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static STORE_BASIS: Statement = Statement::new(
    "association_basis.store",
    "INSERT INTO association_basis (part, owner, region, share_id, entity, receiver) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (part, owner, region, share_id, entity) DO UPDATE SET receiver = excluded.receiver",
);
static DELETE_BASIS: Statement = Statement::new(
    "association_basis.delete",
    "DELETE FROM association_basis WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4 AND entity = $5",
);
pub(crate) static DROP_BASES: Statement = Statement::new(
    "association_basis.drop",
    "DELETE FROM association_basis WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4",
);
static OF_OWNER: Statement = Statement::new(
    "association_basis.of_owner",
    "SELECT owner, region, share_id, entity, part FROM association_basis
     WHERE part = $1 AND owner = $2 AND (region, share_id, entity) > ($3, $4, $5)
     ORDER BY region, share_id, entity LIMIT $6",
);
static OF_RECEIVER: Statement = Statement::new(
    "association_basis.of_receiver",
    "SELECT owner, region, share_id, entity, part FROM association_basis
     WHERE receiver = $1 AND (part, owner, region, share_id, entity) > ($2, $3, $4, $5, $6)
     ORDER BY part, owner, region, share_id, entity LIMIT $7",
);
static STORE_WORK: Statement = Statement::new(
    "organization_tidying.store",
    "INSERT INTO organization_tidying (part, management, account, at_ms) VALUES ($1, $2, $3, $4)
     ON CONFLICT (part, management, account) DO UPDATE SET at_ms = excluded.at_ms",
);
static DELETE_WORK: Statement = Statement::new(
    "organization_tidying.delete",
    "DELETE FROM organization_tidying WHERE part = $1 AND management = $2 AND account = $3 AND at_ms = $4",
);
static WAITING: Statement = Statement::new(
    "organization_tidying.waiting",
    "SELECT management, account, at_ms FROM organization_tidying WHERE at_ms <= $1
     ORDER BY at_ms, part, management, account LIMIT $2",
);

pub(crate) static STATEMENTS: &[&Statement] =
    &[&STORE_BASIS, &DELETE_BASIS, &DROP_BASES, &OF_OWNER, &OF_RECEIVER, &STORE_WORK, &DELETE_WORK, &WAITING];

/// Whose associations that rest on memberships are walked.
#[derive(Clone, Copy, Debug)]
pub enum BasisScope {
    /// Those in an account's shares.
    Owner(AccountId),
    /// Those by which an account sees shares.
    Receiver(AccountId),
}

/// After which association a walk goes on, and which one was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasisCursor {
    /// Its share.
    pub share: ShareArn,
    /// Its principal.
    pub entity: String,
    part: i64,
}

impl Reader {
    /// The next associations of `scope` that rest on memberships.
    pub async fn based_associations(
        &self,
        scope: BasisScope,
        after: Option<&BasisCursor>,
        limit: u32,
    ) -> Result<Vec<BasisCursor>, StoreError> {
        let nil = Uuid::nil();
        let region = after.map_or("", |after| after.share.region.as_str());
        let (share, entity) =
            (after.map_or(&nil, |after| &after.share.id.0), after.map_or("", |after| &after.entity));
        match scope {
            BasisScope::Owner(owner) => {
                let values = [
                    self.part_of(owner).into(),
                    Value::Text(owner.as_str()),
                    Value::Text(region),
                    Value::from(share),
                    Value::Text(entity),
                    limit.into(),
                ];
                self.connection.query(&OF_OWNER, &values, read_cursor).await
            }
            BasisScope::Receiver(receiver) => {
                let owner = after.map(|after| after.share.owner);
                let values = [
                    Value::Text(receiver.as_str()),
                    Value::Int(after.map_or(-1, |after| after.part)),
                    Value::Text(owner.as_ref().map_or("", AccountId::as_str)),
                    Value::Text(region),
                    Value::from(share),
                    Value::Text(entity),
                    limit.into(),
                ];
                self.connection.query(&OF_RECEIVER, &values, read_cursor).await
            }
        }
    }

    /// Work that waits, oldest first.
    pub async fn waiting_tidying(&self, now: TimestampMs, limit: u32) -> Result<Vec<Tidying>, StoreError> {
        self.connection.query(&WAITING, &[now.into(), limit.into()], read_work).await
    }
}

impl Transaction {
    /// Keeps the index of what rests on memberships: what ended does no more.
    pub(crate) async fn store_basis(&self, association: &Association) -> Result<u64, StoreError> {
        let mut values = vec![
            self.part().0.into(),
            Value::Text(association.owner.as_str()),
            Value::Text(association.region.as_str()),
            Value::from(&association.share.0),
            Value::Text(&association.entity),
        ];
        if matches!(association.standing, Standing::Ended { .. }) {
            return self.connection.execute(&DELETE_BASIS, &values).await;
        }
        values.push(Value::Text(association.receiver().unwrap_or_default()));
        self.connection.execute(&STORE_BASIS, &values).await
    }

    pub(crate) async fn store_tidying(&self, work: Tidying) -> Result<(), StoreError> {
        let account = work.account.as_ref().map_or("", AccountId::as_str);
        self.write(&STORE_WORK, work.management, &[Value::Text(account), work.at.into()]).await
    }

    pub(crate) async fn delete_tidying(&self, work: Tidying) -> Result<(), StoreError> {
        let account = work.account.as_ref().map_or("", AccountId::as_str);
        self.write(&DELETE_WORK, work.management, &[Value::Text(account), work.at.into()]).await
    }
}

fn read_cursor(row: &Row<'_>) -> Result<BasisCursor, StoreError> {
    let region: Region = row.parsed(1)?;
    let share = ShareArn { owner: row.parsed(0)?, region, id: ShareId(row.uuid(2)?) };
    Ok(BasisCursor { share, entity: row.text(3)?.to_owned(), part: row.int(4)? })
}

pub(crate) fn read_work(row: &Row<'_>) -> Result<Tidying, StoreError> {
    let account = Some(row.text(1)?).filter(|text| !text.is_empty());
    let account = match account {
        Some(_) => Some(row.parsed(1)?),
        None => None,
    };
    Ok(Tidying { management: row.parsed(0)?, account, at: row.time(2)? })
}
