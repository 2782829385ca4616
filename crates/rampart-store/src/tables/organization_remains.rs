//! `organization_remains`: what is to be removed of organizations that are no more, and of attachments that ended when
//! policies were disabled. Nobody is shown these rows; they go some at a time.

use rampart_core::{AccountId, OrganizationChange};

use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static STORE: Statement = Statement::new(
    "organization_remains.store",
    "INSERT INTO organization_remains (part, management, generation) VALUES ($1, $2, $3)
     ON CONFLICT (part, management, generation) DO NOTHING",
);
static DELETE: Statement = Statement::new(
    "organization_remains.delete",
    "DELETE FROM organization_remains WHERE part = $1 AND management = $2 AND generation = $3",
);
static DUE: Statement = Statement::new(
    "organization_remains.due",
    "SELECT generation FROM organization_remains WHERE part = $1 AND management = $2 AND generation = $3",
);
static FIRST: Statement = Statement::new(
    "organization_remains.first",
    "SELECT management, generation FROM organization_remains WHERE part = $1 AND management = $2
     ORDER BY generation LIMIT 1",
);
static LIST: Statement = Statement::new(
    "organization_remains.list",
    "SELECT management, generation FROM organization_remains WHERE part >= $1
     ORDER BY part, management, generation LIMIT $2",
);
static ATTACHMENTS: Swept = Swept {
    find: Statement::new(
        "organization_attachment.swept",
        "SELECT target FROM organization_attachment WHERE part = $1 AND management = $2 AND generation = $3
         ORDER BY target, policy_id LIMIT $4",
    ),
    delete: Statement::new(
        "organization_attachment.sweep",
        "DELETE FROM organization_attachment
         WHERE part = $1 AND management = $2 AND generation = $3 AND target <= $4",
    ),
};

/// How some rows of a table are found and removed: all up to a key.
struct Swept {
    find: Statement,
    delete: Statement,
}

/// What goes with an organization, besides its own row and that of the management account, which go at once.
static OF_ORGANIZATION: [Swept; 6] = [
    Swept {
        find: Statement::new(
            "organizational_unit.swept",
            "SELECT unit_id FROM organizational_unit WHERE part = $1 AND management = $2
             ORDER BY unit_id LIMIT $3",
        ),
        delete: Statement::new(
            "organizational_unit.sweep",
            "DELETE FROM organizational_unit WHERE part = $1 AND management = $2 AND unit_id <= $3",
        ),
    },
    Swept {
        find: Statement::new(
            "account_creation.swept",
            "SELECT creation_id FROM account_creation WHERE part = $1 AND management = $2
             ORDER BY creation_id LIMIT $3",
        ),
        delete: Statement::new(
            "account_creation.sweep",
            "DELETE FROM account_creation WHERE part = $1 AND management = $2 AND creation_id <= $3",
        ),
    },
    Swept {
        find: Statement::new(
            "organization_handshake.swept",
            "SELECT handshake_id FROM organization_handshake WHERE part = $1 AND management = $2
             ORDER BY handshake_id LIMIT $3",
        ),
        delete: Statement::new(
            "organization_handshake.sweep",
            "DELETE FROM organization_handshake WHERE part = $1 AND management = $2 AND handshake_id <= $3",
        ),
    },
    Swept {
        find: Statement::new(
            "organization_service_access.swept",
            "SELECT service FROM organization_service_access WHERE part = $1 AND management = $2
             ORDER BY service LIMIT $3",
        ),
        delete: Statement::new(
            "organization_service_access.sweep",
            "DELETE FROM organization_service_access WHERE part = $1 AND management = $2 AND service <= $3",
        ),
    },
    Swept {
        find: Statement::new(
            "organization_policy.swept",
            "SELECT policy_id FROM organization_policy WHERE part = $1 AND management = $2
             ORDER BY policy_id LIMIT $3",
        ),
        delete: Statement::new(
            "organization_policy.sweep",
            "DELETE FROM organization_policy WHERE part = $1 AND management = $2 AND policy_id <= $3",
        ),
    },
    // What has many tags goes with all of them.
    Swept {
        find: Statement::new(
            "organization_tag.swept",
            "SELECT resource FROM organization_tag WHERE part = $1 AND management = $2
             ORDER BY resource, tag_key LIMIT $3",
        ),
        delete: Statement::new(
            "organization_tag.sweep",
            "DELETE FROM organization_tag WHERE part = $1 AND management = $2 AND resource <= $3",
        ),
    },
];

pub(crate) static STATEMENTS: &[&Statement] = &[
    &STORE,
    &DELETE,
    &DUE,
    &FIRST,
    &LIST,
    &ATTACHMENTS.find,
    &ATTACHMENTS.delete,
    &OF_ORGANIZATION[0].find,
    &OF_ORGANIZATION[0].delete,
    &OF_ORGANIZATION[1].find,
    &OF_ORGANIZATION[1].delete,
    &OF_ORGANIZATION[2].find,
    &OF_ORGANIZATION[2].delete,
    &OF_ORGANIZATION[3].find,
    &OF_ORGANIZATION[3].delete,
    &OF_ORGANIZATION[4].find,
    &OF_ORGANIZATION[4].delete,
    &OF_ORGANIZATION[5].find,
    &OF_ORGANIZATION[5].delete,
];

/// Stands for the whole organization where a generation of attachments could stand.
const WHOLE: i64 = -1;

/// What is to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remains {
    /// Of whose organization.
    pub management: AccountId,
    /// This generation of attachments, or all that an organization had.
    generation: i64,
}

impl Reader {
    /// Something that is to be removed of an organization of `management`.
    pub async fn remains_of(&self, management: AccountId) -> Result<Option<Remains>, StoreError> {
        let values = [self.part_of(management).into(), Value::Text(management.as_str())];
        self.connection.query_opt(&FIRST, &values, read_remains).await
    }

    /// What is to be removed, of whatever organization.
    pub async fn remains(&self, limit: u32) -> Result<Vec<Remains>, StoreError> {
        self.connection.query(&LIST, &[Value::Int(0), limit.into()], read_remains).await
    }
}

impl Transaction {
    pub(crate) async fn store_remains_of_organization(
        &self,
        management: AccountId,
    ) -> Result<(), StoreError> {
        self.write(&STORE, management, &[WHOLE.into()]).await
    }

    pub(crate) async fn store_remains_of_attachments(
        &self,
        management: AccountId,
        generation: i64,
    ) -> Result<(), StoreError> {
        self.write(&STORE, management, &[generation.into()]).await
    }

    /// Removes some `limit` rows of what remains; says how many it found. With the last ones the order to remove them
    /// goes, and without it nothing is removed: the account may have another organization by then. Not a change that a
    /// follower of the log needs: it was told when they ended.
    pub async fn remove_remains(&self, remains: &Remains, limit: u32) -> Result<u32, StoreError> {
        let key = [self.part().0.into(), Value::Text(remains.management.as_str()), remains.generation.into()];
        if self.connection.query_opt(&DUE, &key, |_| Ok(())).await?.is_none() {
            return Ok(0);
        }
        self.mark_written();
        let whole: &[Swept] = &OF_ORGANIZATION;
        let attachments: &[Swept] = std::slice::from_ref(&ATTACHMENTS);
        let tables = if remains.generation == WHOLE { whole } else { attachments };
        let mut left = limit;
        for table in tables {
            left -= self.sweep(table, remains, left).await?;
            if left == 0 {
                return Ok(limit);
            }
        }
        self.write(&DELETE, remains.management, &[remains.generation.into()]).await?;
        Ok(limit - left)
    }

    async fn sweep(&self, table: &'static Swept, remains: &Remains, limit: u32) -> Result<u32, StoreError> {
        let mut values = vec![self.part().0.into(), Value::Text(remains.management.as_str())];
        if remains.generation != WHOLE {
            values.push(remains.generation.into());
        }
        let of_table = values.len();
        values.push(limit.into());
        let found = self.connection.query(&table.find, &values, |row| Ok(row.text(0)?.to_owned())).await?;
        let Some(last) = found.last() else { return Ok(0) };
        values.truncate(of_table);
        values.push(Value::Text(last));
        self.connection.execute(&table.delete, &values).await?;
        Ok(u32::try_from(found.len()).unwrap_or(limit))
    }
}

/// What ordered the removal.
pub(crate) fn read_order(row: &Row<'_>) -> Result<OrganizationChange, StoreError> {
    let Remains { management, generation } = read_remains(row)?;
    Ok(match generation {
        WHOLE => OrganizationChange::Deleted { management },
        generation => OrganizationChange::AttachmentsDropped { management, generation },
    })
}

fn read_remains(row: &Row<'_>) -> Result<Remains, StoreError> {
    Ok(Remains { management: row.parsed(0)?, generation: row.int(1)? })
}
