//! `iam_identity` and `iam_usage`: the users and roles of accounts, and how many there are.

use rampart_core::AccountId;
use rampart_core::iam::{IamName, IamUsage, Identity, IdentityKind, Nature, RoleTerms};
use serde::Serialize;

use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement = Statement::new(
    "iam_identity.load",
    "SELECT account, kind, name, path, identity_id, tags, role, created_ms FROM iam_identity
     WHERE part = $1 AND account = $2 AND kind = $3 AND name = $4",
);
static OF_FOLDED_NAME: Statement = Statement::new(
    "iam_identity.of_folded_name",
    "SELECT account, kind, name, path, identity_id, tags, role, created_ms FROM iam_identity
     WHERE part = $1 AND account = $2 AND kind = $3 AND name_folded = $4
     ORDER BY part, account, kind, name_folded LIMIT 1",
);
static LIST: Statement = Statement::new(
    "iam_identity.list",
    "SELECT account, kind, name, path, identity_id, tags, role, created_ms FROM iam_identity
     WHERE part = $1 AND account = $2 AND kind = $3 AND path >= $4 AND path < $5 AND (path, name) > ($6, $7)
     ORDER BY path, name LIMIT $8",
);
static STORE: Statement = Statement::new(
    "iam_identity.store",
    "INSERT INTO iam_identity (part, account, kind, name, name_folded, path, identity_id, tags, role, created_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (part, account, kind, name) DO UPDATE SET tags = excluded.tags, role = excluded.role",
);
static DROP: Statement = Statement::new(
    "iam_identity.drop",
    "DELETE FROM iam_identity WHERE part = $1 AND account = $2 AND kind = $3 AND name = $4",
);
static LOAD_USAGE: Statement = Statement::new(
    "iam_usage.load",
    "SELECT account, users, roles FROM iam_usage WHERE part = $1 AND account = $2",
);
static STORE_USAGE: Statement = Statement::new(
    "iam_usage.store",
    "INSERT INTO iam_usage (part, account, users, roles) VALUES ($1, $2, $3, $4)
     ON CONFLICT (part, account) DO UPDATE SET users = excluded.users, roles = excluded.roles",
);

pub(crate) static STATEMENTS: &[&Statement] =
    &[&LOAD, &OF_FOLDED_NAME, &LIST, &STORE, &DROP, &LOAD_USAGE, &STORE_USAGE];

/// A kind as it is stored.
pub(super) fn kind_number(kind: IdentityKind) -> i64 {
    match kind {
        IdentityKind::User => 0,
        IdentityKind::Role => 1,
    }
}

/// After which user or role a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityCursor {
    /// Path of the last one seen.
    pub path: String,
    /// Its name.
    pub name: String,
}

impl Reader {
    /// The user or role of that name, letters in that case.
    pub async fn iam_identity(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &IamName,
    ) -> Result<Option<Identity>, StoreError> {
        self.identity_by(&LOAD, account, kind, name.as_str()).await
    }

    /// The user or role whose name is that one but for the case of letters.
    pub async fn iam_identity_alike(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &IamName,
    ) -> Result<Option<Identity>, StoreError> {
        self.identity_by(&OF_FOLDED_NAME, account, kind, &name.folded()).await
    }

    async fn identity_by(
        &self,
        statement: &'static Statement,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
    ) -> Result<Option<Identity>, StoreError> {
        let part = self.part_of(account);
        let values =
            [part.into(), Value::Text(account.as_str()), kind_number(kind).into(), Value::Text(name)];
        self.connection.query_opt(statement, &values, read_identity).await
    }

    /// Users or roles whose paths begin with `prefix`, ordered by path and name.
    pub async fn iam_identities(
        &self,
        account: AccountId,
        kind: IdentityKind,
        prefix: &str,
        after: &IdentityCursor,
        limit: u32,
    ) -> Result<Vec<Identity>, StoreError> {
        // Above every character that a path can have.
        let end = format!("{prefix}\u{7f}");
        let values = [
            self.part_of(account).into(),
            Value::Text(account.as_str()),
            kind_number(kind).into(),
            Value::Text(prefix),
            Value::Text(&end),
            Value::Text(&after.path),
            Value::Text(&after.name),
            limit.into(),
        ];
        self.connection.query(&LIST, &values, read_identity).await
    }

    /// How many users and roles an account has.
    pub async fn iam_usage(&self, account: AccountId) -> Result<IamUsage, StoreError> {
        let values = [self.part_of(account).into(), Value::Text(account.as_str())];
        let usage = self.connection.query_opt(&LOAD_USAGE, &values, read_usage).await?;
        Ok(usage.unwrap_or_else(|| IamUsage::none(account)))
    }
}

impl Transaction {
    pub(crate) async fn store_iam_identity(&self, identity: &Identity) -> Result<(), StoreError> {
        let tags = json(&identity.tags)?;
        let role = match &identity.nature {
            Nature::User => None,
            Nature::Role(terms) => Some(json(terms)?),
        };
        let folded = identity.name.folded();
        let values = [
            self.part().0.into(),
            Value::Text(identity.account.as_str()),
            kind_number(identity.kind()).into(),
            Value::Text(identity.name.as_str()),
            Value::Text(&folded),
            Value::Text(identity.path.as_str()),
            Value::Text(&identity.id),
            Value::Text(&tags),
            role.as_deref().into(),
            identity.created.into(),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }

    pub(crate) async fn drop_iam_identity(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &IamName,
    ) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(account.as_str()),
            kind_number(kind).into(),
            Value::Text(name.as_str()),
        ];
        self.connection.execute(&DROP, &values).await.map(drop)
    }

    pub(crate) async fn store_iam_usage(&self, usage: &IamUsage) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(usage.account.as_str()),
            usage.users.into(),
            usage.roles.into(),
        ];
        self.connection.execute(&STORE_USAGE, &values).await.map(drop)
    }
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|e| StoreError::Corrupt { what: format!("an identity does not serialize: {e}") })
}

pub(crate) fn read_usage(row: &Row<'_>) -> Result<IamUsage, StoreError> {
    Ok(IamUsage { account: row.parsed(0)?, users: row.small(1)?, roles: row.small(2)? })
}

pub(crate) fn read_identity(row: &Row<'_>) -> Result<Identity, StoreError> {
    let nature = match row.opt_text(6)? {
        None => Nature::User,
        Some(_) => Nature::Role(row.json::<RoleTerms>(6)?),
    };
    Ok(Identity {
        account: row.parsed(0)?,
        nature,
        name: row.parsed(2)?,
        path: row.parsed(3)?,
        id: row.text(4)?.to_owned(),
        tags: row.json(5)?,
        created: row.time(7)?,
    })
}
