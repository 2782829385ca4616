//! `owner_usage`: what an account uses of its quotas in a Region, kept beside the rows that it counts.

use rampart_core::{AccountId, OwnerUsage, Region};

use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement = Statement::new(
    "owner_usage.load",
    "SELECT owner, region, resource_shares, resources, principals, pending_invitations
     FROM owner_usage WHERE part = $1 AND owner = $2 AND region = $3",
);
static STORE: Statement = Statement::new(
    "owner_usage.store",
    "INSERT INTO owner_usage (part, owner, region, resource_shares, resources, principals, pending_invitations)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (part, owner, region)
     DO UPDATE SET resource_shares = excluded.resource_shares, resources = excluded.resources,
        principals = excluded.principals, pending_invitations = excluded.pending_invitations",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&LOAD, &STORE];

impl Reader {
    /// What `owner` uses in `region`.
    pub async fn owner_usage(&self, owner: AccountId, region: Region) -> Result<OwnerUsage, StoreError> {
        let values = [self.part_of(owner).into(), Value::Text(owner.as_str()), Value::Text(region.as_str())];
        let usage = self.connection.query_opt(&LOAD, &values, read_usage).await?;
        Ok(usage.unwrap_or_else(|| OwnerUsage::none(owner, region)))
    }
}

impl Transaction {
    pub(crate) async fn store_usage(&self, usage: &OwnerUsage) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(usage.owner.as_str()),
            Value::Text(usage.region.as_str()),
            usage.resource_shares.into(),
            usage.resources.into(),
            usage.principals.into(),
            usage.pending_invitations.into(),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }
}

pub(crate) fn read_usage(row: &Row<'_>) -> Result<OwnerUsage, StoreError> {
    Ok(OwnerUsage {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        resource_shares: row.small(2)?,
        resources: row.small(3)?,
        principals: row.small(4)?,
        pending_invitations: row.small(5)?,
    })
}
