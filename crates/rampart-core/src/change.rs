//! What an operation decided: rows to write. The same rows, as they are after the change, are the payload of the
//! change log, so a follower can rebuild who may reach what from the log alone.

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access_key::{AccessKey, Account};
use crate::event::SharingEvent;
use crate::iam::{IamName, IamUsage, Identity, IdentityKind, IdentityPolicy};
use crate::ids::{InvitationId, ShareId};
use crate::organization::OrganizationChange;
use crate::permission::replacement::ReplaceWork;
use crate::permission::{AttachedPermission, CustomerPermission, PermissionUsage, PermissionVersion};
use crate::policy_share::ResourcePolicy;
use crate::quota::OwnerUsage;
use crate::resource_share::Tag;
use crate::{Association, AssociationKind, Invitation, ResourceShare};

/// The form of the payload below. Raised when a reader of the old form would misread the new one.
pub const CHANGE_FORMAT: u32 = 1;

/// One row as it is after the change, or one row that is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is named as what happened to which row")]
pub enum Change {
    AccountStored(Account),
    AccessKeyStored(AccessKey),
    AccessKeyDropped {
        account: AccountId,
        id: String,
    },
    IdentityStored(Identity),
    IdentityDropped {
        account: AccountId,
        kind: IdentityKind,
        name: IamName,
    },
    IdentityPolicyStored(IdentityPolicy),
    IdentityPolicyDropped {
        account: AccountId,
        kind: IdentityKind,
        identity: IamName,
        inline: bool,
        policy: IamName,
    },
    IamUsageStored(IamUsage),
    ShareStored(ResourceShare),
    AssociationStored(Association),
    InvitationStored(Invitation),
    InvitationDropped {
        sender: AccountId,
        region: Region,
        invitation: InvitationId,
    },
    /// Keeps the index of tags; the tags themselves are also members of the share's row.
    ShareTagged {
        owner: AccountId,
        region: Region,
        share: ShareId,
        share_created: TimestampMs,
        added: Vec<Tag>,
        removed: Vec<String>,
    },
    PermissionAttached(AttachedPermission),
    PermissionDetached {
        owner: AccountId,
        region: Region,
        share: ShareId,
        resource_type: String,
    },
    ResourcePolicyStored(ResourcePolicy),
    ResourcePolicyDropped {
        owner: AccountId,
        region: Region,
        resource: String,
    },
    PermissionStored(CustomerPermission),
    PermissionVersionStored(PermissionVersion),
    PermissionUsageStored(PermissionUsage),
    /// A permission of an account's own, gone for good with all its versions.
    PermissionPurged {
        owner: AccountId,
        region: Region,
        name: String,
    },
    PermissionVersionPurged {
        owner: AccountId,
        region: Region,
        name: String,
        number: u32,
    },
    ReplaceWorkStored(ReplaceWork),
    ReplaceWorkPurged {
        owner: AccountId,
        region: Region,
        id: Uuid,
    },
    UsageStored(OwnerUsage),
    EventRecorded(SharingEvent),
    /// Rows past their retention, gone for good.
    AssociationPurged {
        owner: AccountId,
        region: Region,
        share: ShareId,
        kind: AssociationKind,
        entity: String,
    },
    SharePurged {
        owner: AccountId,
        region: Region,
        share: ShareId,
    },
    /// A row of an organization.
    Organization(OrganizationChange),
    /// The partition was emptied (open mode only).
    PartitionEmptied,
}

/// What a change means for callers: for what is read of one to know who it is and what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bearing {
    /// Nothing of that is in its row.
    Nothing,
    /// Callers of the row's account, or of the organization that the row is of, are others now or may do other things.
    Callers,
    /// So it is, and an account of any partition may have come into the organization.
    Members,
}

impl Change {
    /// What it means for callers. Of the rows that are read of one, none may be left out here: nodes keep callers for
    /// as long as no change says that it bears on them.
    pub fn bearing(&self) -> Bearing {
        match self {
            Self::AccessKeyStored(_)
            | Self::AccessKeyDropped { .. }
            | Self::IdentityStored(_)
            | Self::IdentityDropped { .. }
            | Self::IdentityPolicyStored(_)
            | Self::IdentityPolicyDropped { .. }
            | Self::PartitionEmptied => Bearing::Callers,
            Self::Organization(change) => change.bearing(),
            Self::AccountStored(_)
            | Self::IamUsageStored(_)
            | Self::ShareStored(_)
            | Self::AssociationStored(_)
            | Self::InvitationStored(_)
            | Self::InvitationDropped { .. }
            | Self::ShareTagged { .. }
            | Self::PermissionAttached(_)
            | Self::PermissionDetached { .. }
            | Self::ResourcePolicyStored(_)
            | Self::ResourcePolicyDropped { .. }
            | Self::PermissionStored(_)
            | Self::PermissionVersionStored(_)
            | Self::PermissionUsageStored(_)
            | Self::PermissionPurged { .. }
            | Self::PermissionVersionPurged { .. }
            | Self::ReplaceWorkStored(_)
            | Self::ReplaceWorkPurged { .. }
            | Self::UsageStored(_)
            | Self::EventRecorded(_)
            | Self::AssociationPurged { .. }
            | Self::SharePurged { .. } => Bearing::Nothing,
        }
    }

    /// The account in whose partition the row lives; `None` of what is no row.
    pub fn owner(&self) -> Option<AccountId> {
        Some(match self {
            Self::AccountStored(row) => row.id,
            Self::AccessKeyStored(row) => row.account,
            Self::IdentityStored(row) => row.account,
            Self::IdentityPolicyStored(row) => row.account,
            Self::IamUsageStored(row) => row.account,
            Self::AccessKeyDropped { account, .. }
            | Self::IdentityDropped { account, .. }
            | Self::IdentityPolicyDropped { account, .. } => *account,
            Self::ShareStored(row) => row.owner,
            Self::AssociationStored(row) => row.owner,
            Self::InvitationStored(row) => row.sender,
            Self::InvitationDropped { sender, .. } => *sender,
            Self::PermissionAttached(row) => row.owner,
            Self::ResourcePolicyStored(row) => row.owner,
            Self::PermissionStored(row) => row.owner,
            Self::PermissionVersionStored(row) => row.owner,
            Self::PermissionUsageStored(row) => row.owner,
            Self::ReplaceWorkStored(row) => row.owner,
            Self::UsageStored(row) => row.owner,
            Self::EventRecorded(event) => event.owner,
            Self::ShareTagged { owner, .. }
            | Self::PermissionDetached { owner, .. }
            | Self::ResourcePolicyDropped { owner, .. }
            | Self::PermissionPurged { owner, .. }
            | Self::PermissionVersionPurged { owner, .. }
            | Self::ReplaceWorkPurged { owner, .. }
            | Self::AssociationPurged { owner, .. }
            | Self::SharePurged { owner, .. } => *owner,
            Self::Organization(change) => change.owner(),
            Self::PartitionEmptied => return None,
        })
    }

    /// Whether it removes rows that others of the same operation may write.
    pub fn removes(&self) -> bool {
        match self {
            Self::PermissionPurged { .. } | Self::PartitionEmptied => true,
            Self::Organization(change) => change.removes(),
            _ => false,
        }
    }
}

/// Rows to write, and what to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<T> {
    /// Written together or not at all, in this order.
    pub changes: Vec<Change>,
    /// What the caller is told.
    pub reply: T,
}
