//! What a plan consists of, and how it is told.

use std::fmt;

use rampart_aws::AccountId;

use super::AccountEntry;
use crate::organization::policy::Policy;
use crate::organization::unit::Parent;
use crate::organization::{Member, Organization, OrganizationalUnit, PolicyId, TargetId};
use crate::resource_share::Tag;

/// One thing to do. Steps are done in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named as what is done to what")]
pub enum Step {
    CreateOrganization { organization: Organization, management: AccountEntry },
    CreateUnit(OrganizationalUnit),
    RenameUnit { unit: OrganizationalUnit, from: String },
    Join { account: AccountEntry, parent: Parent },
    Change { member: Member, what: &'static str },
    Remove(AccountId),
    DeleteUnit(OrganizationalUnit),
    Trust(String),
    Distrust(String),
    Share,
    Unshare,
    EnablePolicies,
    DisablePolicies,
    CreatePolicy(Policy),
    ChangePolicy(Policy),
    DeletePolicy(Policy),
    Attachment { policy: PolicyId, target: TargetId, is_attached: bool },
    Tag { resource: String, added: Vec<Tag>, removed: Vec<String> },
}

impl Step {
    /// The id of the account or unit that it removes.
    pub(super) fn removes(&self) -> Option<String> {
        match self {
            Self::Remove(account) => Some(account.to_string()),
            Self::DeleteUnit(unit) => Some(unit.id.to_string()),
            _ => None,
        }
    }

    /// How many rows it writes, or a few more.
    pub fn rows(&self) -> usize {
        match self {
            Self::Tag { added, removed, .. } => added.len() + removed.len(),
            _ => 4,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateOrganization { organization, .. } => {
                write!(f, "create organization {} of {}", organization.id, organization.management)
            }
            Self::CreateUnit(unit) => write!(f, "create unit {} ({}) in {}", unit.id, unit.name, unit.parent),
            Self::RenameUnit { unit, from } => {
                write!(f, "rename unit {} from {from} to {}", unit.id, unit.name)
            }
            Self::Join { account, parent } => write!(f, "add account {} to {}", account.id, parent.id),
            Self::Change { member, what } => {
                write!(f, "{what} account {} ({})", member.account, member.parent)
            }
            Self::Remove(account) => write!(f, "remove account {account}"),
            Self::DeleteUnit(unit) => write!(f, "delete unit {} ({})", unit.id, unit.name),
            Self::Trust(service) => write!(f, "trust {service}"),
            Self::Distrust(service) => write!(f, "trust {service} no more"),
            Self::Share => f.write_str("enable sharing within the organization"),
            Self::Unshare => f.write_str("disable sharing within the organization"),
            Self::EnablePolicies => f.write_str("enable service control policies"),
            Self::DisablePolicies => f.write_str("disable service control policies"),
            Self::CreatePolicy(policy) => write!(f, "create policy {} ({})", policy.id.as_str(), policy.name),
            Self::ChangePolicy(policy) => write!(f, "change policy {} ({})", policy.id.as_str(), policy.name),
            Self::DeletePolicy(policy) => write!(f, "delete policy {} ({})", policy.id.as_str(), policy.name),
            Self::Attachment { policy, target, is_attached } => {
                let (verb, to) = if *is_attached { ("attach", "to") } else { ("detach", "from") };
                write!(f, "{verb} policy {} {to} {}", policy.as_str(), target.as_str())
            }
            Self::Tag { resource, added, removed } => {
                let added = added.iter().map(|tag| format!("{}={}", tag.key, tag.value));
                let changes: Vec<_> = added.chain(removed.iter().map(|key| format!("-{key}"))).collect();
                write!(f, "tag {resource}: {}", changes.join(", "))
            }
        }
    }
}
