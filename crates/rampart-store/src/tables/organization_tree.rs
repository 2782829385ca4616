//! `organizational_unit`, and which accounts and units stand in a parent.

use rampart_core::AccountId;
use rampart_core::organization::{Member, OrganizationalUnit, ParentId};

use super::organization::json;
use crate::statement::{Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement = Statement::new(
    "organizational_unit.load",
    "SELECT body FROM organizational_unit WHERE part = $1 AND management = $2 AND unit_id = $3",
);
static LIST: Statement = Statement::new(
    "organizational_unit.list",
    "SELECT body FROM organizational_unit WHERE part = $1 AND management = $2 AND unit_id > $3
     ORDER BY unit_id LIMIT $4",
);
static BY_PARENT: Statement = Statement::new(
    "organizational_unit.by_parent",
    "SELECT body FROM organizational_unit
     WHERE part = $1 AND management = $2 AND parent_id = $3 AND unit_id > $4 ORDER BY unit_id LIMIT $5",
);
static NAMED: Statement = Statement::new(
    "organizational_unit.named",
    "SELECT unit_id FROM organizational_unit
     WHERE part = $1 AND management = $2 AND parent_id = $3 AND name = $4 LIMIT 1",
);
static STORE: Statement = Statement::new(
    "organizational_unit.store",
    "INSERT INTO organizational_unit (part, management, unit_id, parent_id, name, body)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (part, management, unit_id) DO UPDATE SET name = excluded.name, body = excluded.body",
);
static DELETE: Statement = Statement::new(
    "organizational_unit.delete",
    "DELETE FROM organizational_unit WHERE part = $1 AND management = $2 AND unit_id = $3",
);
static MEMBERS_BY_PARENT: Statement = Statement::new(
    "organization_member.by_parent",
    "SELECT body FROM organization_member
     WHERE part = $1 AND management = $2 AND parent_id = $3 AND account > $4 ORDER BY account LIMIT $5",
);

pub(crate) static STATEMENTS: &[&Statement] =
    &[&LOAD, &LIST, &BY_PARENT, &NAMED, &STORE, &DELETE, &MEMBERS_BY_PARENT];

impl Reader {
    /// A unit of an organization.
    pub async fn unit(
        &self,
        management: AccountId,
        unit: &ParentId,
    ) -> Result<Option<OrganizationalUnit>, StoreError> {
        let values =
            [self.part_of(management).into(), Value::Text(management.as_str()), Value::Text(unit.as_str())];
        self.connection.query_opt(&LOAD, &values, |row| row.json(0)).await
    }

    /// The units of an organization after one, by id.
    pub async fn units(
        &self,
        management: AccountId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<OrganizationalUnit>, StoreError> {
        self.connection.query(&LIST, &self.page_of(&management, after, limit), |row| row.json(0)).await
    }

    /// The units that stand in a parent after one, by id.
    pub async fn units_in(
        &self,
        management: AccountId,
        parent: &ParentId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<OrganizationalUnit>, StoreError> {
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            Value::Text(parent.as_str()),
            Value::Text(after),
            limit.into(),
        ];
        self.connection.query(&BY_PARENT, &values, |row| row.json(0)).await
    }

    /// The unit of that name in a parent.
    pub async fn unit_named(
        &self,
        management: AccountId,
        parent: &ParentId,
        name: &str,
    ) -> Result<Option<ParentId>, StoreError> {
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            Value::Text(parent.as_str()),
            Value::Text(name),
        ];
        let id = self.connection.query_opt(&NAMED, &values, |row| Ok(row.text(0)?.to_owned())).await?;
        Ok(id.as_deref().and_then(ParentId::parse))
    }

    /// The accounts that stand in a parent after one, by account.
    pub async fn members_in(
        &self,
        management: AccountId,
        parent: &ParentId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Member>, StoreError> {
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            Value::Text(parent.as_str()),
            Value::Text(after),
            limit.into(),
        ];
        self.connection.query(&MEMBERS_BY_PARENT, &values, |row| row.json(0)).await
    }
}

impl Transaction {
    pub(crate) async fn store_unit(&self, unit: &OrganizationalUnit) -> Result<(), StoreError> {
        let body = json(unit)?;
        let values = [
            Value::Text(unit.id.as_str()),
            Value::Text(unit.parent.as_str()),
            Value::Text(&unit.name),
            Value::Text(&body),
        ];
        self.write(&STORE, unit.management, &values).await
    }

    pub(crate) async fn delete_unit(&self, management: AccountId, unit: &ParentId) -> Result<(), StoreError> {
        self.write(&DELETE, management, &[Value::Text(unit.as_str())]).await
    }
}
