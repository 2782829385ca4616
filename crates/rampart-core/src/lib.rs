//! The domain of resource sharing, pure: what a share, an association and an invitation are, what a status
//! becomes, who is invited, what is refused.
//!
//! Nothing here reads a clock, opens a socket or knows HTTP or SQL: every rule is a function from what was loaded
//! and `now` to a decision. Rules are by noun, one file each. `AWS:` comments name the section of the behaviour
//! reference a rule comes from.

pub mod access_key;
pub mod associate;
pub mod association;
pub mod catalog;
pub mod change;
pub mod contents;
pub mod disassociate;
pub mod event;
#[cfg(test)]
mod fixtures;
pub mod iam;
pub mod ids;
pub mod invitation;
pub mod limits;
pub mod organization;
pub mod permission;
pub mod policy_share;
pub mod principal;
pub mod quota;
pub mod refusal;
pub mod resource;
pub mod resource_policy;
pub mod resource_share;
pub mod source;
pub mod timing;

pub use association::{Association, AssociationKind, AssociationStatus};
pub use change::{Change, Decision};
pub use event::SharingEvent;
pub use ids::{AssociationId, InvitationArn, InvitationId, ShareArn, ShareId};
pub use invitation::{Invitation, InvitationStatus};
pub use organization::{Organization, OrganizationChange, OrganizationRefusal};
pub use permission::AttachedPermission;
pub use principal::Principal;
pub use quota::{OwnerUsage, Quotas};
pub use rampart_aws::timestamp::TimestampMs;
pub use rampart_aws::{AccountId, Arn, Partition, Region};
pub use refusal::Refusal;
pub use resource_share::{ResourceShare, ShareStatus};
pub use timing::Timing;
