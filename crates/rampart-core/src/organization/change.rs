//! Rows of organizations as they are after a change. All but claims are of the organization of `management`.

use rampart_aws::AccountId;
use serde::{Deserialize, Serialize};

use super::creation::AccountCreation;
use super::handshake::Handshake;
use super::policy::{Attachment, Policy};
use super::{Claim, Member, Organization, OrganizationalUnit, ParentId, PolicyId};
use crate::change::Bearing;
use crate::resource_share::Tag;
use rampart_aws::timestamp::TimestampMs;

/// Work that waits: to end what rested on memberships that are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tidying {
    /// Of which organization.
    pub management: AccountId,
    /// Of which account; of all when sharing was disabled.
    pub account: Option<AccountId>,
    /// Since when they are over.
    pub at: TimestampMs,
}

/// One row as it is after the change, or rows that are no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is named as what happened to which row")]
pub enum OrganizationChange {
    Stored(Organization),
    /// With everything in it.
    Deleted {
        management: AccountId,
    },
    UnitStored(OrganizationalUnit),
    UnitDeleted {
        management: AccountId,
        unit: ParentId,
    },
    MemberStored(Member),
    MemberDeleted {
        management: AccountId,
        account: AccountId,
    },
    Claimed(Claim),
    CreationStored(AccountCreation),
    HandshakeStored(Handshake),
    ServiceAccessStored {
        management: AccountId,
        service: String,
        enabled: TimestampMs,
    },
    ServiceAccessDeleted {
        management: AccountId,
        service: String,
    },
    PolicyStored(Policy),
    PolicyDeleted {
        management: AccountId,
        policy: PolicyId,
    },
    AttachmentStored(Attachment),
    AttachmentDeleted(Attachment),
    /// All attachments of a generation, which is over.
    AttachmentsDropped {
        management: AccountId,
        generation: i64,
    },
    /// The attachments of a target that is no more.
    TargetDropped {
        management: AccountId,
        generation: i64,
        target: String,
    },
    Tagged {
        management: AccountId,
        resource: String,
        added: Vec<Tag>,
        removed: Vec<String>,
    },
    /// What rested on a membership that ended is to be tidied.
    TidyingStored(Tidying),
    TidyingDone(Tidying),
    /// All tags of a resource that is no more.
    TagsDropped {
        management: AccountId,
        resource: String,
    },
}

impl OrganizationChange {
    /// The account in whose partition the row lives.
    pub fn owner(&self) -> AccountId {
        match self {
            Self::Stored(row) => row.management,
            Self::UnitStored(row) => row.management,
            Self::MemberStored(row) => row.management,
            Self::Claimed(row) => row.account,
            Self::CreationStored(row) => row.management,
            Self::HandshakeStored(row) => row.management,
            Self::PolicyStored(row) => row.management,
            Self::AttachmentStored(row) | Self::AttachmentDeleted(row) => row.management,
            Self::TidyingStored(row) | Self::TidyingDone(row) => row.management,
            Self::Deleted { management }
            | Self::UnitDeleted { management, .. }
            | Self::MemberDeleted { management, .. }
            | Self::ServiceAccessStored { management, .. }
            | Self::ServiceAccessDeleted { management, .. }
            | Self::PolicyDeleted { management, .. }
            | Self::AttachmentsDropped { management, .. }
            | Self::TargetDropped { management, .. }
            | Self::Tagged { management, .. }
            | Self::TagsDropped { management, .. } => *management,
        }
    }

    /// What it means for callers. They stand in an organization by its row and their member's, which has the path of
    /// units; a unit's own row says nothing of them. Claims come before a membership, and are none.
    pub fn bearing(&self) -> Bearing {
        match self {
            Self::MemberStored(_) => Bearing::Members,
            Self::Stored(_)
            | Self::Deleted { .. }
            | Self::MemberDeleted { .. }
            | Self::PolicyStored(_)
            | Self::PolicyDeleted { .. }
            | Self::AttachmentStored(_)
            | Self::AttachmentDeleted(_)
            | Self::AttachmentsDropped { .. }
            | Self::TargetDropped { .. } => Bearing::Callers,
            Self::UnitStored(_)
            | Self::UnitDeleted { .. }
            | Self::Claimed(_)
            | Self::CreationStored(_)
            | Self::HandshakeStored(_)
            | Self::ServiceAccessStored { .. }
            | Self::ServiceAccessDeleted { .. }
            | Self::Tagged { .. }
            | Self::TagsDropped { .. }
            | Self::TidyingStored(_)
            | Self::TidyingDone(_) => Bearing::Nothing,
        }
    }

    /// Whether it removes all rows of a kind.
    pub fn removes(&self) -> bool {
        matches!(
            self,
            Self::Deleted { .. }
                | Self::AttachmentsDropped { .. }
                | Self::TargetDropped { .. }
                | Self::TagsDropped { .. }
        )
    }
}
