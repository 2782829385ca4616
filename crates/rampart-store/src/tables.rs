//! The queries, one file per table: SQL as constants, and the methods that run them.

use rampart_core::{Change, TimestampMs};

use crate::statement::Statement;
use crate::{Abort, StoreError, Transaction, Work};

pub(crate) mod access_key;
pub(crate) mod association;
pub(crate) mod caller_version;
pub(crate) mod change_log;
pub(crate) mod client_token;
pub(crate) mod effective;
pub(crate) mod holding;
pub(crate) mod iam_identity;
pub(crate) mod iam_policy;
pub(crate) mod invitation;
pub(crate) mod known_account;
pub(crate) mod lease;
pub(crate) mod organization;
pub(crate) mod organization_policy;
pub(crate) mod organization_remains;
pub(crate) mod organization_request;
pub(crate) mod organization_tidying;
pub(crate) mod organization_tree;
pub(crate) mod owner_usage;
pub(crate) mod permission;
pub(crate) mod replace_work;
pub(crate) mod resource_policy;
pub(crate) mod resource_share;
pub(crate) mod retention;
pub(crate) mod share_permission;
pub(crate) mod sharing_event;
pub(crate) mod snapshot;
pub(crate) mod standing;
mod store_meta;

/// Every statement, by table. A test holds each against the portable subset, and asserts its query plan.
pub static STATEMENTS: &[&[&Statement]] = &[
    crate::migrations::STATEMENTS,
    access_key::STATEMENTS,
    association::STATEMENTS,
    caller_version::STATEMENTS,
    change_log::STATEMENTS,
    client_token::STATEMENTS,
    effective::STATEMENTS,
    holding::STATEMENTS,
    iam_identity::STATEMENTS,
    iam_policy::STATEMENTS,
    invitation::STATEMENTS,
    lease::STATEMENTS,
    known_account::STATEMENTS,
    organization::STATEMENTS,
    organization::DELETE_ALL,
    organization_policy::STATEMENTS,
    organization_remains::STATEMENTS,
    organization_request::STATEMENTS,
    organization_tidying::STATEMENTS,
    organization_tree::STATEMENTS,
    owner_usage::STATEMENTS,
    permission::STATEMENTS,
    replace_work::STATEMENTS,
    resource_policy::STATEMENTS,
    resource_share::STATEMENTS,
    retention::STATEMENTS,
    share_permission::STATEMENTS,
    sharing_event::STATEMENTS,
    snapshot::STATEMENTS,
    standing::STATEMENTS,
    store_meta::STATEMENTS,
    EMPTY,
];

/// What emptying a partition removes. The head row stays: log positions are never used twice.
static EMPTY: &[&Statement] = &[
    &Statement::new("account.empty", "DELETE FROM account WHERE part = $1"),
    &Statement::new("access_key.empty", "DELETE FROM access_key WHERE part = $1"),
    &Statement::new("iam_identity.empty", "DELETE FROM iam_identity WHERE part = $1"),
    &Statement::new("iam_policy.empty", "DELETE FROM iam_policy WHERE part = $1"),
    &Statement::new("iam_usage.empty", "DELETE FROM iam_usage WHERE part = $1"),
    &Statement::new("resource_share.empty", "DELETE FROM resource_share WHERE part = $1"),
    &Statement::new("resource_share_tag.empty", "DELETE FROM resource_share_tag WHERE part = $1"),
    &Statement::new("association.empty", "DELETE FROM association WHERE part = $1"),
    &Statement::new("invitation.empty", "DELETE FROM invitation WHERE part = $1"),
    &Statement::new("client_token.empty", "DELETE FROM client_token WHERE part = $1"),
    &Statement::new("owner_usage.empty", "DELETE FROM owner_usage WHERE part = $1"),
    &Statement::new("permission.empty", "DELETE FROM permission WHERE part = $1"),
    &Statement::new("permission_version.empty", "DELETE FROM permission_version WHERE part = $1"),
    &Statement::new("permission_usage.empty", "DELETE FROM permission_usage WHERE part = $1"),
    &Statement::new("replace_work.empty", "DELETE FROM replace_work WHERE part = $1"),
    &Statement::new("share_permission.empty", "DELETE FROM share_permission WHERE part = $1"),
    &Statement::new("resource_policy.empty", "DELETE FROM resource_policy WHERE part = $1"),
    &Statement::new("sharing_event.empty", "DELETE FROM sharing_event WHERE part = $1"),
    &Statement::new("organization.empty", "DELETE FROM organization WHERE part = $1"),
    &Statement::new("organization_claim.empty", "DELETE FROM organization_claim WHERE part = $1"),
    &Statement::new("organization_member.empty", "DELETE FROM organization_member WHERE part = $1"),
    &Statement::new("organizational_unit.empty", "DELETE FROM organizational_unit WHERE part = $1"),
    &Statement::new("account_creation.empty", "DELETE FROM account_creation WHERE part = $1"),
    &Statement::new("organization_handshake.empty", "DELETE FROM organization_handshake WHERE part = $1"),
    &Statement::new(
        "organization_service_access.empty",
        "DELETE FROM organization_service_access WHERE part = $1",
    ),
    &Statement::new("organization_policy.empty", "DELETE FROM organization_policy WHERE part = $1"),
    &Statement::new("organization_attachment.empty", "DELETE FROM organization_attachment WHERE part = $1"),
    &Statement::new("organization_tag.empty", "DELETE FROM organization_tag WHERE part = $1"),
    &Statement::new("association_basis.empty", "DELETE FROM association_basis WHERE part = $1"),
    &Statement::new("organization_tidying.empty", "DELETE FROM organization_tidying WHERE part = $1"),
    &Statement::new("log_floor.empty", "DELETE FROM log_floor WHERE part = $1"),
    &Statement::new("organization_remains.empty", "DELETE FROM organization_remains WHERE part = $1"),
    &Statement::new("change_log.empty", "DELETE FROM change_log WHERE part = $1"),
];

/// Empties one partition, unless it never held anything.
pub(crate) struct EmptyPartition(pub(crate) TimestampMs);

impl Work for EmptyPartition {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        if !change_log::is_empty(tx, tx.part()).await? {
            tx.apply(&[Change::PartitionEmptied], self.0).await?;
        }
        Ok(())
    }
}

impl Transaction {
    pub(crate) async fn empty_partition(&self) -> Result<(), StoreError> {
        for statement in EMPTY {
            self.connection.execute(statement, &[self.part().0.into()]).await?;
        }
        Ok(())
    }
}
