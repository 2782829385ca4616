//! `iam_policy`: what users and roles may do, one row for each policy of each.

use rampart_core::AccountId;
use rampart_core::iam::{IamName, IdentityKind, IdentityPolicy};

use super::iam_identity::kind_number;
use crate::statement::{Row, Statement, Value, corrupt};
use crate::store::Reader;
use crate::{StoreError, Transaction};

/// Policies of one identity that are ever loaded: above what quotas allow.
const POLICIES_MAX: u32 = 1_000;

static LOAD: Statement = Statement::new(
    "iam_policy.load",
    "SELECT account, kind, identity_name, policy, document FROM iam_policy
     WHERE part = $1 AND account = $2 AND kind = $3 AND identity_name = $4 AND inline = $5 AND policy = $6",
);
static OF_IDENTITY: Statement = Statement::new(
    "iam_policy.of_identity",
    "SELECT account, kind, identity_name, policy, document FROM iam_policy
     WHERE part = $1 AND account = $2 AND kind = $3 AND identity_name = $4
     ORDER BY inline, policy LIMIT $5",
);
static LIST: Statement = Statement::new(
    "iam_policy.list",
    "SELECT account, kind, identity_name, policy, document FROM iam_policy
     WHERE part = $1 AND account = $2 AND kind = $3 AND identity_name = $4 AND inline = $5 AND policy > $6
     ORDER BY policy LIMIT $7",
);
static STORE: Statement = Statement::new(
    "iam_policy.store",
    "INSERT INTO iam_policy (part, account, kind, identity_name, inline, policy, document)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (part, account, kind, identity_name, inline, policy) DO UPDATE SET document = excluded.document",
);
static DROP: Statement = Statement::new(
    "iam_policy.drop",
    "DELETE FROM iam_policy
     WHERE part = $1 AND account = $2 AND kind = $3 AND identity_name = $4 AND inline = $5 AND policy = $6",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&LOAD, &OF_IDENTITY, &LIST, &STORE, &DROP];

impl Reader {
    /// One policy of a user or a role, if it has it.
    pub async fn iam_policy(
        &self,
        account: AccountId,
        kind: IdentityKind,
        identity: &IamName,
        inline: bool,
        policy: &IamName,
    ) -> Result<Option<IdentityPolicy>, StoreError> {
        let values = [
            self.part_of(account).into(),
            Value::Text(account.as_str()),
            kind_number(kind).into(),
            Value::Text(identity.as_str()),
            inline.into(),
            Value::Text(policy.as_str()),
        ];
        self.connection.query_opt(&LOAD, &values, read_policy).await
    }

    /// All policies of a user or a role; their number is bounded by quotas.
    pub async fn iam_policies(
        &self,
        account: AccountId,
        kind: IdentityKind,
        identity: &IamName,
    ) -> Result<Vec<IdentityPolicy>, StoreError> {
        let values = [
            self.part_of(account).into(),
            Value::Text(account.as_str()),
            kind_number(kind).into(),
            Value::Text(identity.as_str()),
            POLICIES_MAX.into(),
        ];
        let policies = self.connection.query(&OF_IDENTITY, &values, read_policy).await?;
        // A denial that was not loaded would let somebody in.
        if policies.len() >= POLICIES_MAX as usize {
            return Err(StoreError::Corrupt {
                what: format!("{identity} has more policies than quotas allow"),
            });
        }
        Ok(policies)
    }

    /// The inline policies, or the managed ones, of a user or a role, ordered by name.
    pub async fn iam_policies_after(
        &self,
        account: AccountId,
        kind: IdentityKind,
        identity: &IamName,
        inline: bool,
        after: &str,
        limit: u32,
    ) -> Result<Vec<IdentityPolicy>, StoreError> {
        let values = [
            self.part_of(account).into(),
            Value::Text(account.as_str()),
            kind_number(kind).into(),
            Value::Text(identity.as_str()),
            inline.into(),
            Value::Text(after),
            limit.into(),
        ];
        self.connection.query(&LIST, &values, read_policy).await
    }
}

impl Transaction {
    pub(crate) async fn store_iam_policy(&self, policy: &IdentityPolicy) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(policy.account.as_str()),
            kind_number(policy.kind).into(),
            Value::Text(policy.identity.as_str()),
            policy.document.is_some().into(),
            Value::Text(policy.name.as_str()),
            policy.document.as_deref().into(),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }

    pub(crate) async fn drop_iam_policy(
        &self,
        account: AccountId,
        kind: IdentityKind,
        identity: &IamName,
        inline: bool,
        policy: &IamName,
    ) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(account.as_str()),
            kind_number(kind).into(),
            Value::Text(identity.as_str()),
            inline.into(),
            Value::Text(policy.as_str()),
        ];
        self.connection.execute(&DROP, &values).await.map(drop)
    }
}

pub(crate) fn read_policy(row: &Row<'_>) -> Result<IdentityPolicy, StoreError> {
    Ok(IdentityPolicy {
        account: row.parsed(0)?,
        kind: match row.int(1)? {
            0 => IdentityKind::User,
            1 => IdentityKind::Role,
            other => return Err(corrupt(1, format!("is the kind {other}"))),
        },
        identity: row.parsed(2)?,
        name: row.parsed(3)?,
        document: row.opt_text(4)?.map(str::to_owned),
    })
}
