//! `organization_policy` and `organization_attachment`: service control policies, and what they are attached to.

use rampart_core::AccountId;
use rampart_core::organization::policy::{Attachment, Policy};
use rampart_core::organization::{Organization, PolicyId, TargetId};

use super::organization::json;
use crate::statement::{Row, Statement, Value, corrupt};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement = Statement::new(
    "organization_policy.load",
    "SELECT body FROM organization_policy WHERE part = $1 AND management = $2 AND policy_id = $3",
);
static LIST: Statement = Statement::new(
    "organization_policy.list",
    "SELECT body FROM organization_policy WHERE part = $1 AND management = $2 AND policy_id > $3
     ORDER BY policy_id LIMIT $4",
);
static NAMED: Statement = Statement::new(
    "organization_policy.named",
    "SELECT policy_id FROM organization_policy WHERE part = $1 AND management = $2 AND name = $3 LIMIT 1",
);
static STORE: Statement = Statement::new(
    "organization_policy.store",
    "INSERT INTO organization_policy (part, management, policy_id, name, body) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (part, management, policy_id) DO UPDATE SET name = excluded.name, body = excluded.body",
);
static DELETE: Statement = Statement::new(
    "organization_policy.delete",
    "DELETE FROM organization_policy WHERE part = $1 AND management = $2 AND policy_id = $3",
);
static OF_TARGET: Statement = Statement::new(
    "organization_attachment.of_target",
    "SELECT target, policy_id, attached FROM organization_attachment
     WHERE part = $1 AND management = $2 AND generation = $3 AND target = $4 ORDER BY policy_id LIMIT 1000",
);
static OF_POLICY: Statement = Statement::new(
    "organization_attachment.of_policy",
    "SELECT target, policy_id, attached FROM organization_attachment
     WHERE part = $1 AND management = $2 AND generation = $3 AND policy_id = $4 AND target > $5 ORDER BY target LIMIT $6",
);
static LIST_ATTACHMENTS: Statement = Statement::new(
    "organization_attachment.list",
    "SELECT target, policy_id, attached FROM organization_attachment
     WHERE part = $1 AND management = $2 AND generation = $3 AND (target, policy_id) > ($4, $5)
     ORDER BY target, policy_id LIMIT $6",
);
/// What is attached along a path: seven levels at the most, a target given twice does no harm.
static ALONG_PATH: Statement = Statement::new(
    "organization_attachment.along_path",
    "SELECT a.target, a.policy_id, a.attached, p.body FROM organization_attachment a
     LEFT JOIN organization_policy p ON p.part = a.part AND p.management = a.management AND p.policy_id = a.policy_id
     WHERE a.part = $1 AND a.management = $2 AND a.generation = $3
       AND a.target IN ($4, $5, $6, $7, $8, $9, $10)",
);
static STORE_ATTACHMENT: Statement = Statement::new(
    "organization_attachment.store",
    "INSERT INTO organization_attachment (part, management, generation, target, policy_id, attached)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (part, management, generation, target, policy_id) DO UPDATE SET attached = excluded.attached",
);
static DELETE_ATTACHMENT: Statement = Statement::new(
    "organization_attachment.delete",
    "DELETE FROM organization_attachment
     WHERE part = $1 AND management = $2 AND generation = $3 AND target = $4 AND policy_id = $5",
);
static DROP_TARGET: Statement = Statement::new(
    "organization_attachment.drop_target",
    "DELETE FROM organization_attachment WHERE part = $1 AND management = $2 AND generation = $3 AND target = $4",
);

pub(crate) static STATEMENTS: &[&Statement] = &[
    &LOAD,
    &LIST,
    &NAMED,
    &STORE,
    &DELETE,
    &OF_TARGET,
    &OF_POLICY,
    &LIST_ATTACHMENTS,
    &ALONG_PATH,
    &STORE_ATTACHMENT,
    &DELETE_ATTACHMENT,
    &DROP_TARGET,
];

/// Levels from the root to an account: the root, five units, the account.
const LEVELS_MAX: usize = 7;

/// A policy as it bears on a level of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDocument {
    /// The id of what the row is of.
    pub target: String,
    /// The policy.
    pub policy: PolicyId,
    /// Whether it is attached.
    pub attached: bool,
    /// Its document; none for AWS's own.
    pub content: Option<String>,
}

impl Reader {
    /// A policy of an organization's own.
    pub async fn policy(&self, management: AccountId, id: &PolicyId) -> Result<Option<Policy>, StoreError> {
        let values =
            [self.part_of(management).into(), Value::Text(management.as_str()), Value::Text(id.as_str())];
        self.connection.query_opt(&LOAD, &values, |row| row.json(0)).await
    }

    /// The policies of an organization's own after one, by id.
    pub async fn policies(
        &self,
        management: AccountId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Policy>, StoreError> {
        self.connection.query(&LIST, &self.page_of(&management, after, limit), |row| row.json(0)).await
    }

    /// The policy of that name.
    pub async fn policy_named(
        &self,
        management: AccountId,
        name: &str,
    ) -> Result<Option<PolicyId>, StoreError> {
        let values = [self.part_of(management).into(), Value::Text(management.as_str()), Value::Text(name)];
        let id = self.connection.query_opt(&NAMED, &values, |row| Ok(row.text(0)?.to_owned())).await?;
        Ok(id.as_deref().and_then(PolicyId::parse))
    }

    /// The rows of all targets after one and its policy, of the generation in force.
    pub async fn attachments(
        &self,
        organization: &Organization,
        (target, policy): (&str, &str),
        limit: u32,
    ) -> Result<Vec<Attachment>, StoreError> {
        let management = organization.management;
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            organization.policies_generation.into(),
            Value::Text(target),
            Value::Text(policy),
            limit.into(),
        ];
        let rows = self.connection.query(&LIST_ATTACHMENTS, &values, read_attachment).await?;
        Ok(rows.into_iter().map(|row| row.of(organization)).collect())
    }

    /// The rows of a target, of the generation in force.
    pub async fn attachments_of(
        &self,
        organization: &Organization,
        target: &TargetId,
    ) -> Result<Vec<Attachment>, StoreError> {
        let management = organization.management;
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            organization.policies_generation.into(),
            Value::Text(target.as_str()),
        ];
        let rows = self.connection.query(&OF_TARGET, &values, read_attachment).await?;
        Ok(rows.into_iter().map(|row| row.of(organization)).collect())
    }

    /// The rows of a policy after a target, by target, of the generation in force.
    pub async fn attachments_with(
        &self,
        organization: &Organization,
        policy: &PolicyId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Attachment>, StoreError> {
        let management = organization.management;
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            organization.policies_generation.into(),
            Value::Text(policy.as_str()),
            Value::Text(after),
            limit.into(),
        ];
        let rows = self.connection.query(&OF_POLICY, &values, read_attachment).await?;
        Ok(rows.into_iter().map(|row| row.of(organization)).collect())
    }

    /// The rows of all of `targets` with their documents, of the generation in force: one read.
    pub async fn attachments_along(
        &self,
        organization: &Organization,
        targets: &[&str],
    ) -> Result<Vec<PolicyDocument>, StoreError> {
        let management = organization.management;
        let mut values = vec![
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            organization.policies_generation.into(),
        ];
        let padded = targets.iter().copied().chain(std::iter::repeat("")).take(LEVELS_MAX);
        values.extend(padded.map(Value::Text));
        self.connection.query(&ALONG_PATH, &values, read_document).await
    }
}

impl Transaction {
    pub(crate) async fn store_policy(&self, policy: &Policy) -> Result<(), StoreError> {
        let body = json(policy)?;
        let values = [Value::Text(policy.id.as_str()), Value::Text(&policy.name), Value::Text(&body)];
        self.write(&STORE, policy.management, &values).await
    }

    pub(crate) async fn delete_policy(&self, management: AccountId, id: &PolicyId) -> Result<(), StoreError> {
        self.write(&DELETE, management, &[Value::Text(id.as_str())]).await
    }

    pub(crate) async fn store_attachment(&self, row: &Attachment) -> Result<(), StoreError> {
        let values = [
            row.generation.into(),
            Value::Text(row.target.as_str()),
            Value::Text(row.policy.as_str()),
            row.attached.into(),
        ];
        self.write(&STORE_ATTACHMENT, row.management, &values).await
    }

    pub(crate) async fn delete_attachment(&self, row: &Attachment) -> Result<(), StoreError> {
        let values =
            [row.generation.into(), Value::Text(row.target.as_str()), Value::Text(row.policy.as_str())];
        self.write(&DELETE_ATTACHMENT, row.management, &values).await
    }

    pub(crate) async fn drop_attachments_of(
        &self,
        management: AccountId,
        generation: i64,
        target: &str,
    ) -> Result<(), StoreError> {
        self.write(&DROP_TARGET, management, &[generation.into(), Value::Text(target)]).await
    }
}

pub(crate) struct AttachmentRow {
    pub(crate) target: TargetId,
    pub(crate) policy: PolicyId,
    pub(crate) attached: bool,
}

impl AttachmentRow {
    fn of(self, organization: &Organization) -> Attachment {
        let Self { target, policy, attached } = self;
        let (management, generation) = (organization.management, organization.policies_generation);
        Attachment { management, generation, target, policy, attached }
    }
}

pub(crate) fn read_attachment(row: &Row<'_>) -> Result<AttachmentRow, StoreError> {
    let target = TargetId::parse(row.text(0)?).ok_or_else(|| corrupt(0, "is no target"))?;
    Ok(AttachmentRow { target, policy: read_policy_id(row, 1)?, attached: row.flag(2)? })
}

fn read_document(row: &Row<'_>) -> Result<PolicyDocument, StoreError> {
    let content = match row.opt_text(3)? {
        Some(_) => Some(row.json::<Policy>(3)?.content),
        None => None,
    };
    let (target, policy) = (row.text(0)?.to_owned(), read_policy_id(row, 1)?);
    Ok(PolicyDocument { target, policy, attached: row.flag(2)?, content })
}

fn read_policy_id(row: &Row<'_>, column: usize) -> Result<PolicyId, StoreError> {
    PolicyId::parse(row.text(column)?).ok_or_else(|| corrupt(column, "is no policy's id"))
}
