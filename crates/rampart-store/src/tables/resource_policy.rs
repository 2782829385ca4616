//! `resource_policy`: the policies that owners put on their resources.

use rampart_core::policy_share::ResourcePolicy;
use rampart_core::{AccountId, Region};

use crate::statement::{Row, Statement, Value, to_json};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement = Statement::new(
    "resource_policy.load",
    "SELECT owner, region, resource, policy, shares, updated_ms FROM resource_policy
     WHERE part = $1 AND owner = $2 AND region = $3 AND resource = $4",
);
static STORE: Statement = Statement::new(
    "resource_policy.store",
    "INSERT INTO resource_policy (part, owner, region, resource, policy, shares, updated_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (part, owner, region, resource)
     DO UPDATE SET policy = excluded.policy, shares = excluded.shares, updated_ms = excluded.updated_ms",
);
static DROP: Statement = Statement::new(
    "resource_policy.drop",
    "DELETE FROM resource_policy WHERE part = $1 AND owner = $2 AND region = $3 AND resource = $4",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&LOAD, &STORE, &DROP];

impl Reader {
    /// The policy that an account put on its resource, for shares of a Region.
    pub async fn resource_policy(
        &self,
        owner: AccountId,
        region: Region,
        resource: &str,
    ) -> Result<Option<ResourcePolicy>, StoreError> {
        let values = [
            self.part_of(owner).into(),
            Value::Text(owner.as_str()),
            Value::Text(region.as_str()),
            Value::Text(resource),
        ];
        self.connection.query_opt(&LOAD, &values, read_policy).await
    }
}

impl Transaction {
    pub(crate) async fn store_resource_policy(&self, row: &ResourcePolicy) -> Result<(), StoreError> {
        let shares = to_json(&row.shares)?;
        let values = [
            self.part().0.into(),
            Value::Text(row.owner.as_str()),
            Value::Text(row.region.as_str()),
            Value::Text(&row.resource),
            Value::Text(&row.policy),
            Value::Text(&shares),
            row.updated.into(),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }

    pub(crate) async fn drop_resource_policy(
        &self,
        owner: AccountId,
        region: Region,
        resource: &str,
    ) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(owner.as_str()),
            Value::Text(region.as_str()),
            Value::Text(resource),
        ];
        self.connection.execute(&DROP, &values).await.map(drop)
    }
}

pub(crate) fn read_policy(row: &Row<'_>) -> Result<ResourcePolicy, StoreError> {
    Ok(ResourcePolicy {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        resource: row.text(2)?.to_owned(),
        policy: row.text(3)?.to_owned(),
        shares: row.json(4)?,
        updated: row.time(5)?,
    })
}
