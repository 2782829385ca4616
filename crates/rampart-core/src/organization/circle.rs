//! Sharing within an organization: whom an owner reaches without inviting, and how long that lasts.
//!
//! What is shared so rests on memberships, which its row names. It is effective as long as these last, so that an account
//! that leaves, an owner that leaves, or sharing that is disabled, ends it for every reader at once; rows are tidied
//! later.

use std::collections::HashMap;

use rampart_aws::{AccountId, Arn};
use serde::{Deserialize, Serialize};

use super::{Membership, OrganizationId, OrganizationalUnit, Sharing};
use crate::association::{Association, Member};
use crate::{Principal, Refusal};

/// What an association rests on that no invitation was needed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The organization.
    pub organization: OrganizationId,
    /// Since which beginning RAM has shared within it.
    pub sharing: i64,
    /// Since which joining the share's owner is a member.
    pub owner: i64,
    /// Since which joining the account is a member that sees the share; none when that is the whole organization or a
    /// unit of it.
    pub receiver: Option<i64>,
}

/// What is known of the organization that a share's owner shares within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    organization: OrganizationId,
    management: AccountId,
    sharing: i64,
    owner: i64,
    members: HashMap<AccountId, i64>,
    units: Vec<OrganizationalUnit>,
}

impl Circle {
    /// The circle of a member; none while RAM does not share within the organization. `members` and `units` are those
    /// that are asked for and are in it.
    pub fn of(
        owner: Option<&Membership>,
        members: HashMap<AccountId, i64>,
        units: Vec<OrganizationalUnit>,
    ) -> Option<Self> {
        let owner = owner.filter(|owner| owner.organization.sharing == Sharing::On)?;
        Some(Self {
            organization: owner.organization.id.clone(),
            management: owner.organization.management,
            sharing: owner.organization.sharing_epoch,
            owner: owner.member.epoch,
            members,
            units,
        })
    }

    /// Whether an account is in it.
    pub fn has(&self, account: AccountId) -> bool {
        self.members.contains_key(&account)
    }

    /// Whether one of the units that are asked for has that path.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        self.units.iter().any(|unit| unit.path == path)
    }

    fn basis(&self, receiver: Option<i64>) -> Basis {
        let organization = self.organization.clone();
        Basis { organization, sharing: self.sharing, owner: self.owner, receiver }
    }

    /// What an association with an account rests on; nothing when it is outside.
    pub(crate) fn basis_of_account(&self, account: AccountId) -> Option<Basis> {
        self.members.get(&account).map(|epoch| self.basis(Some(*epoch)))
    }

    /// What an association with the organization or a unit rests on.
    // AWS: only the owner's own organization and its units, reference §4.3.
    pub(crate) fn basis_of_entity(
        circle: Option<&Self>,
        principal: &Principal,
    ) -> Result<Option<Basis>, Refusal> {
        let is_ours = |circle: &&Self, id: &str, arn: &str| {
            let named = Arn::parse(arn).is_ok_and(|arn| arn.account() == circle.management.as_str());
            named && circle.organization.as_str() == id
        };
        match principal {
            Principal::Organization { id, arn } => {
                let circle = circle.filter(|circle| is_ours(circle, id, arn));
                let circle = circle.ok_or_else(|| Refusal::OrganizationNotFound { id: id.clone() })?;
                Ok(Some(circle.basis(None)))
            }
            Principal::OrganizationalUnit { id, arn } => {
                let organization = arn.split('/').nth(1).unwrap_or_default();
                let circle = circle.ok_or_else(|| Refusal::OrganizationalUnitNotFound { id: id.clone() })?;
                if !is_ours(&circle, organization, arn) {
                    return Err(Refusal::OrganizationalUnitOfUnknownOrganization { id: id.clone() });
                }
                if circle.units.iter().all(|unit| unit.id.as_str() != id) {
                    return Err(Refusal::OrganizationalUnitNotFound { id: id.clone() });
                }
                Ok(Some(circle.basis(None)))
            }
            Principal::Account(_) | Principal::Identity { .. } | Principal::Service(_) => Ok(None),
        }
    }
}

/// Whether what an association rests on still lasts; what rests on nothing does. `circle` is the share's owner's.
pub fn lasts(association: &Association, circle: Option<&Circle>) -> bool {
    let receiver = association.receiver().and_then(|text| text.parse().ok());
    basis_lasts(association.basis(), receiver, circle)
}

/// The same of a basis and the account that sees the share by it.
pub fn basis_lasts(basis: Option<&Basis>, receiver: Option<AccountId>, circle: Option<&Circle>) -> bool {
    let Some(basis) = basis else { return true };
    let Some(circle) = circle else { return false };
    let member = || receiver.and_then(|account| circle.members.get(&account).copied());
    *basis == circle.basis(basis.receiver.and_then(|_| member()))
}

/// Whether what an association rests on still lasts, as its receiver sees it. `owner` is the epoch of the owner's
/// membership in the receiver's organization.
pub fn lasts_for(basis: Option<&Basis>, receiver: Option<&Membership>, owner: Option<i64>) -> bool {
    let Some(basis) = basis else { return true };
    let (Some(receiver), Some(owner)) = (receiver, owner) else { return false };
    let organization = &receiver.organization;
    organization.sharing == Sharing::On
        && basis.organization == organization.id
        && basis.sharing == organization.sharing_epoch
        && basis.owner == owner
        && basis.receiver.is_none_or(|epoch| epoch == receiver.member.epoch)
}

impl Association {
    /// The memberships that it rests on.
    pub fn basis(&self) -> Option<&Basis> {
        match &self.member {
            Member::Principal { basis, .. } => basis.as_ref(),
            Member::Resource { .. } | Member::Source { .. } => None,
        }
    }
}
