//! `organization`, `organization_member`, `organization_claim`, `organization_service_access`, `organization_tag`: an
//! organization and its accounts. What no query looks for stands in `body`, as JSON.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use rampart_core::organization::{Claim, Member, Membership, Organization, OrganizationChange};
use rampart_core::resource_share::Tag;
use rampart_core::{AccountId, TimestampMs};

use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement =
    Statement::new("organization.load", "SELECT body FROM organization WHERE part = $1 AND management = $2");
static STORE: Statement = Statement::new(
    "organization.store",
    "INSERT INTO organization (part, management, body) VALUES ($1, $2, $3)
     ON CONFLICT (part, management) DO UPDATE SET body = excluded.body",
);
/// The one read that answers what an account is in an organization, whatever its partition.
static MEMBERSHIP: Statement = Statement::new(
    "organization_member.membership",
    "SELECT o.body, m.body FROM organization_member m
     JOIN organization o ON o.part = m.part AND o.management = m.management
     WHERE m.account = $1",
);
static LOAD_MEMBER: Statement = Statement::new(
    "organization_member.load",
    "SELECT body FROM organization_member WHERE part = $1 AND management = $2 AND account = $3",
);
static MEMBERS: Statement = Statement::new(
    "organization_member.list",
    "SELECT body FROM organization_member WHERE part = $1 AND management = $2 AND account > $3
     ORDER BY account LIMIT $4",
);
/// Of up to 32 accounts; an empty text is none.
static EPOCHS: Statement = Statement::new(
    "organization_member.epochs",
    "SELECT body FROM organization_member WHERE part = $1 AND management = $2
       AND account IN ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
         $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)",
);
static MEMBER_WITH_EMAIL: Statement = Statement::new(
    "organization_member.with_email",
    "SELECT account FROM organization_member WHERE part = $1 AND management = $2 AND email = $3 LIMIT 1",
);
static STORE_MEMBER: Statement = Statement::new(
    "organization_member.store",
    "INSERT INTO organization_member (part, management, account, parent_id, email, body)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (part, management, account)
     DO UPDATE SET parent_id = excluded.parent_id, email = excluded.email, body = excluded.body",
);
static DELETE_MEMBER: Statement = Statement::new(
    "organization_member.delete",
    "DELETE FROM organization_member WHERE part = $1 AND management = $2 AND account = $3",
);
static LOAD_CLAIM: Statement = Statement::new(
    "organization_claim.load",
    "SELECT body FROM organization_claim WHERE part = $1 AND account = $2",
);
static STORE_CLAIM: Statement = Statement::new(
    "organization_claim.store",
    "INSERT INTO organization_claim (part, account, body) VALUES ($1, $2, $3)
     ON CONFLICT (part, account) DO UPDATE SET body = excluded.body",
);
static LOAD_SERVICE: Statement = Statement::new(
    "organization_service_access.load",
    "SELECT enabled_ms FROM organization_service_access WHERE part = $1 AND management = $2 AND service = $3",
);
static SERVICES: Statement = Statement::new(
    "organization_service_access.list",
    "SELECT service, enabled_ms FROM organization_service_access
     WHERE part = $1 AND management = $2 AND service > $3 ORDER BY service LIMIT $4",
);
static STORE_SERVICE: Statement = Statement::new(
    "organization_service_access.store",
    "INSERT INTO organization_service_access (part, management, service, enabled_ms) VALUES ($1, $2, $3, $4)
     ON CONFLICT (part, management, service) DO NOTHING",
);
static DELETE_SERVICE: Statement = Statement::new(
    "organization_service_access.delete",
    "DELETE FROM organization_service_access WHERE part = $1 AND management = $2 AND service = $3",
);
static TAGS: Statement = Statement::new(
    "organization_tag.list",
    "SELECT tag_key, tag_value FROM organization_tag WHERE part = $1 AND management = $2 AND resource = $3
     ORDER BY tag_key LIMIT 1000",
);
static ALL_TAGS: Statement = Statement::new(
    "organization_tag.list_all",
    "SELECT resource, tag_key, tag_value FROM organization_tag
     WHERE part = $1 AND management = $2 AND (resource, tag_key) > ($3, $4) ORDER BY resource, tag_key LIMIT $5",
);
static STORE_TAG: Statement = Statement::new(
    "organization_tag.store",
    "INSERT INTO organization_tag (part, management, resource, tag_key, tag_value) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (part, management, resource, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
);
static DELETE_TAG: Statement = Statement::new(
    "organization_tag.delete",
    "DELETE FROM organization_tag WHERE part = $1 AND management = $2 AND resource = $3 AND tag_key = $4",
);
static DROP_TAGS: Statement = Statement::new(
    "organization_tag.drop",
    "DELETE FROM organization_tag WHERE part = $1 AND management = $2 AND resource = $3",
);
/// How many accounts [`EPOCHS`] takes.
const EPOCHS_AT_ONCE: usize = 32;

/// What deleting an organization removes at once: nobody is a member of it any more.
pub(crate) static DELETE_ALL: &[&Statement] = &[
    &Statement::new("organization.delete", "DELETE FROM organization WHERE part = $1 AND management = $2"),
    &Statement::new(
        "organization_member.delete_all",
        "DELETE FROM organization_member WHERE part = $1 AND management = $2",
    ),
];

pub(crate) static STATEMENTS: &[&Statement] = &[
    &LOAD,
    &STORE,
    &MEMBERSHIP,
    &LOAD_MEMBER,
    &MEMBERS,
    &EPOCHS,
    &MEMBER_WITH_EMAIL,
    &STORE_MEMBER,
    &DELETE_MEMBER,
    &LOAD_CLAIM,
    &STORE_CLAIM,
    &LOAD_SERVICE,
    &SERVICES,
    &STORE_SERVICE,
    &DELETE_SERVICE,
    &TAGS,
    &ALL_TAGS,
    &STORE_TAG,
    &DELETE_TAG,
    &DROP_TAGS,
];

impl Reader {
    /// The organization that `management` made.
    pub async fn organization(&self, management: AccountId) -> Result<Option<Organization>, StoreError> {
        let values = [self.part_of(management).into(), Value::Text(management.as_str())];
        self.connection.query_opt(&LOAD, &values, |row| row.json(0)).await
    }

    /// What `account` is in an organization: one indexed read.
    pub async fn membership(&self, account: AccountId) -> Result<Option<Membership>, StoreError> {
        let read = |row: &Row<'_>| Ok(Membership { organization: row.json(0)?, member: row.json(1)? });
        self.connection.query_opt(&MEMBERSHIP, &[Value::Text(account.as_str())], read).await
    }

    /// The account as a member of the organization of `management`.
    pub async fn member(
        &self,
        management: AccountId,
        account: AccountId,
    ) -> Result<Option<Member>, StoreError> {
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            Value::Text(account.as_str()),
        ];
        self.connection.query_opt(&LOAD_MEMBER, &values, |row| row.json(0)).await
    }

    /// The members of an organization after one, by account.
    pub async fn members(
        &self,
        management: AccountId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Member>, StoreError> {
        self.connection.query(&MEMBERS, &self.page_of(&management, after, limit), |row| row.json(0)).await
    }

    /// The epochs of those of `accounts` that are members of an organization: a read for each 32.
    pub async fn member_epochs(
        &self,
        management: AccountId,
        accounts: &[AccountId],
    ) -> Result<HashMap<AccountId, i64>, StoreError> {
        let pages = accounts.chunks(EPOCHS_AT_ONCE).map(async |accounts| {
            let mut values = vec![self.part_of(management).into(), Value::Text(management.as_str())];
            let padded =
                accounts.iter().map(AccountId::as_str).chain(std::iter::repeat("")).take(EPOCHS_AT_ONCE);
            values.extend(padded.map(Value::Text));
            self.connection.query(&EPOCHS, &values, |row| row.json::<Member>(0)).await
        });
        let members = try_join_all(pages).await?.into_iter().flatten();
        Ok(members.map(|member| (member.account, member.epoch)).collect())
    }

    /// Whether a member of the organization has that address.
    pub async fn has_member_with_email(
        &self,
        management: AccountId,
        email: &str,
    ) -> Result<bool, StoreError> {
        let values = [self.part_of(management).into(), Value::Text(management.as_str()), Value::Text(email)];
        Ok(self.connection.query_opt(&MEMBER_WITH_EMAIL, &values, |_| Ok(())).await?.is_some())
    }

    /// The last claim on an account.
    pub async fn organization_claim(&self, account: AccountId) -> Result<Option<Claim>, StoreError> {
        let values = [self.part_of(account).into(), Value::Text(account.as_str())];
        self.connection.query_opt(&LOAD_CLAIM, &values, |row| row.json(0)).await
    }

    /// Since when a service has access to the organization.
    pub async fn service_access(
        &self,
        management: AccountId,
        service: &str,
    ) -> Result<Option<TimestampMs>, StoreError> {
        let values =
            [self.part_of(management).into(), Value::Text(management.as_str()), Value::Text(service)];
        self.connection.query_opt(&LOAD_SERVICE, &values, |row| row.time(0)).await
    }

    /// The services with access to the organization after one, by name.
    pub async fn services_with_access(
        &self,
        management: AccountId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(String, TimestampMs)>, StoreError> {
        let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.time(1)?));
        self.connection.query(&SERVICES, &self.page_of(&management, after, limit), read).await
    }

    /// The tags of a root, a unit, an account or a policy, by key.
    pub async fn organization_tags(
        &self,
        management: AccountId,
        resource: &str,
    ) -> Result<Vec<Tag>, StoreError> {
        let values =
            [self.part_of(management).into(), Value::Text(management.as_str()), Value::Text(resource)];
        let read = |row: &Row<'_>| Ok(Tag { key: row.text(0)?.to_owned(), value: row.text(1)?.to_owned() });
        self.connection.query(&TAGS, &values, read).await
    }

    /// The tags of all resources of an organization after one and its key.
    pub async fn all_organization_tags(
        &self,
        management: AccountId,
        (resource, key): (&str, &str),
        limit: u32,
    ) -> Result<Vec<(String, Tag)>, StoreError> {
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            Value::Text(resource),
            Value::Text(key),
            limit.into(),
        ];
        let read = |row: &Row<'_>| {
            let tag = Tag { key: row.text(1)?.to_owned(), value: row.text(2)?.to_owned() };
            Ok((row.text(0)?.to_owned(), tag))
        };
        self.connection.query(&ALL_TAGS, &values, read).await
    }

    /// The values of a statement that lists rows of an organization after one.
    pub(crate) fn page_of<'a>(
        &self,
        management: &'a AccountId,
        after: &'a str,
        limit: u32,
    ) -> [Value<'a>; 4] {
        [self.part_of(*management).into(), Value::Text(management.as_str()), Value::Text(after), limit.into()]
    }
}

impl Transaction {
    pub(crate) async fn store_organization_change(
        &self,
        change: &OrganizationChange,
    ) -> Result<(), StoreError> {
        match change {
            OrganizationChange::Stored(organization) => {
                let body = json(organization)?;
                self.write(&STORE, organization.management, &[Value::Text(&body)]).await
            }
            OrganizationChange::Deleted { management } => {
                for statement in DELETE_ALL {
                    self.write(statement, *management, &[]).await?;
                }
                self.store_remains_of_organization(*management).await
            }
            OrganizationChange::MemberStored(member) => self.store_member(member).await,
            OrganizationChange::MemberDeleted { management, account } => {
                self.write(&DELETE_MEMBER, *management, &[Value::Text(account.as_str())]).await
            }
            OrganizationChange::Claimed(claim) => {
                self.write(&STORE_CLAIM, claim.account, &[Value::Text(&json(claim)?)]).await
            }
            OrganizationChange::ServiceAccessStored { management, service, enabled } => {
                self.write(&STORE_SERVICE, *management, &[Value::Text(service), (*enabled).into()]).await
            }
            OrganizationChange::ServiceAccessDeleted { management, service } => {
                self.write(&DELETE_SERVICE, *management, &[Value::Text(service)]).await
            }
            OrganizationChange::Tagged { management, resource, added, removed } => {
                self.store_organization_tags(*management, resource, added, removed).await
            }
            OrganizationChange::TagsDropped { management, resource } => {
                self.write(&DROP_TAGS, *management, &[Value::Text(resource)]).await
            }
            OrganizationChange::TidyingStored(work) => self.store_tidying(*work).await,
            OrganizationChange::TidyingDone(work) => self.delete_tidying(*work).await,
            OrganizationChange::UnitStored(unit) => self.store_unit(unit).await,
            OrganizationChange::UnitDeleted { management, unit } => self.delete_unit(*management, unit).await,
            OrganizationChange::CreationStored(creation) => self.store_creation(creation).await,
            OrganizationChange::HandshakeStored(handshake) => self.store_handshake(handshake).await,
            OrganizationChange::PolicyStored(policy) => self.store_policy(policy).await,
            OrganizationChange::PolicyDeleted { management, policy } => {
                self.delete_policy(*management, policy).await
            }
            OrganizationChange::AttachmentStored(row) => self.store_attachment(row).await,
            OrganizationChange::AttachmentDeleted(row) => self.delete_attachment(row).await,
            OrganizationChange::AttachmentsDropped { management, generation } => {
                self.store_remains_of_attachments(*management, *generation).await
            }
            OrganizationChange::TargetDropped { management, generation, target } => {
                self.drop_attachments_of(*management, *generation, target).await
            }
        }
    }

    async fn store_member(&self, member: &Member) -> Result<(), StoreError> {
        let body = json(member)?;
        let values = [
            Value::Text(member.account.as_str()),
            Value::Text(member.parent.as_str()),
            Value::Text(&member.email),
            Value::Text(&body),
        ];
        self.write(&STORE_MEMBER, member.management, &values).await
    }

    async fn store_organization_tags(
        &self,
        management: AccountId,
        resource: &str,
        added: &[Tag],
        removed: &[String],
    ) -> Result<(), StoreError> {
        for key in removed {
            self.write(&DELETE_TAG, management, &[Value::Text(resource), Value::Text(key)]).await?;
        }
        for tag in added {
            let values = [Value::Text(resource), Value::Text(&tag.key), Value::Text(&tag.value)];
            self.write(&STORE_TAG, management, &values).await?;
        }
        Ok(())
    }

    /// Runs a statement whose first parameters are the partition and `owner`.
    pub(crate) async fn write(
        &self,
        statement: &'static Statement,
        owner: AccountId,
        rest: &[Value<'_>],
    ) -> Result<(), StoreError> {
        let mut values = vec![self.part().0.into(), Value::Text(owner.as_str())];
        values.extend_from_slice(rest);
        self.connection.execute(statement, &values).await.map(drop)
    }
}

/// What stands in `body`.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|e| StoreError::Corrupt { what: format!("a row does not serialize: {e}") })
}
