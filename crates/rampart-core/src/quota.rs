//! Quotas of an owner in a Region, and what is used of them (reference §9). Use is kept, not counted: no operation reads
//! rows to find out how many there are.

use rampart_aws::{AccountId, Region};
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::contents::Contents;

/// How much one account may have in one Region, and how much an organization. AWS's defaults; all can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Quotas {
    /// "Resource shares": those that are not deleted.
    pub resource_shares: u32,
    /// "Resource associations per share".
    pub resources_per_share: u32,
    /// "Principal associations per share".
    pub principals_per_share: u32,
    /// "Resource associations over all shares": a resource in ten shares counts ten.
    pub resource_associations: u32,
    /// "Principal associations over all shares".
    pub principal_associations: u32,
    /// "Pending invitations" that the account has sent.
    pub pending_invitations: u32,
    /// Sources per share. AWS publishes none; ours.
    pub sources_per_share: u32,
    /// "Customer managed permissions".
    pub customer_permissions: u32,
    /// "Customer managed permissions per resource type".
    pub customer_permissions_per_type: u32,
    /// "Versions per customer managed permission".
    pub versions_per_permission: u32,
    /// Organizations: "default maximum number of accounts", the management account included.
    pub organization_accounts: u32,
    /// Organizations: "OUs in an organization".
    pub organizational_units: u32,
    /// Organizations: "policies in an organization" of the type.
    pub service_control_policies: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            resource_shares: 25_000,
            resources_per_share: 5_000,
            principals_per_share: 5_000,
            resource_associations: 25_000,
            principal_associations: 25_000,
            pending_invitations: 20,
            sources_per_share: 100,
            customer_permissions: 1_500,
            customer_permissions_per_type: 10,
            versions_per_permission: 5,
            organization_accounts: 10,
            organizational_units: 2_000,
            service_control_policies: 2_000,
        }
    }
}

/// One row of `owner_usage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerUsage {
    /// Whose.
    pub owner: AccountId,
    /// Where.
    pub region: Region,
    /// Shares that are not deleted.
    pub resource_shares: u32,
    /// Resources in them.
    pub resources: u32,
    /// Principals in them.
    pub principals: u32,
    /// Invitations that wait for an answer, and those that expired and were not tidied yet.
    pub pending_invitations: u32,
}

impl OwnerUsage {
    /// Of an owner that has nothing.
    pub fn none(owner: AccountId, region: Region) -> Self {
        Self { owner, region, resource_shares: 0, resources: 0, principals: 0, pending_invitations: 0 }
    }

    /// The use after one share's contents changed.
    pub fn moved(self, before: &Contents, after: &Contents) -> Self {
        let shift = |used: u32, before: u32, after: u32| used.saturating_add(after).saturating_sub(before);
        Self {
            resources: shift(self.resources, before.resources, after.resources),
            principals: shift(self.principals, before.principals, after.principals),
            pending_invitations: shift(
                self.pending_invitations,
                before.pending_invitations,
                after.pending_invitations,
            ),
            ..self
        }
    }

    /// Refuses one share more than the quota.
    pub fn check_shares(&self, quotas: &Quotas) -> Result<(), Refusal> {
        let limit = quotas.resource_shares;
        if self.resource_shares > limit {
            return Err(Refusal::QuotaExceeded { quota: "resource shares", limit });
        }
        Ok(())
    }

    /// Refuses a growth beyond the quotas. What is above them already, because they were lowered, may stay and shrink.
    pub(crate) fn check_growth(
        &self,
        before: &Self,
        share: (&Contents, &Contents),
        quotas: &Quotas,
    ) -> Result<(), Refusal> {
        let (was, is) = share;
        let checks = [
            ("resources per resource share", was.resources, is.resources, quotas.resources_per_share),
            ("principals per resource share", was.principals, is.principals, quotas.principals_per_share),
            ("sources per resource share", was.sources, is.sources, quotas.sources_per_share),
            ("resource associations", before.resources, self.resources, quotas.resource_associations),
            ("principal associations", before.principals, self.principals, quotas.principal_associations),
        ];
        for (quota, was, is, limit) in checks {
            if is > was && is > limit {
                return Err(Refusal::QuotaExceeded { quota, limit });
            }
        }
        let (was, is) = (before.pending_invitations, self.pending_invitations);
        if is > was && is > quotas.pending_invitations {
            return Err(Refusal::TooManyPendingInvitations { limit: quotas.pending_invitations });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{COMPONENT, CONSUMER, GATEWAY, World, at};
    use crate::invitation::SHORT_WINDOW_MS;

    fn with(quotas: Quotas) -> World {
        let mut world = World::new();
        world.quotas = quotas;
        world
    }

    fn exceeded(quota: &'static str, limit: u32) -> Refusal {
        Refusal::QuotaExceeded { quota, limit }
    }

    #[test]
    fn each_quota_is_the_last_that_is_allowed() {
        let mut world = with(Quotas { resources_per_share: 1, ..Quotas::default() });
        let refused = world.associate(&[GATEWAY, COMPONENT], &[], at(0));
        assert_eq!(refused, Err(exceeded("resources per resource share", 1)));
        assert!(world.associate(&[GATEWAY], &[], at(0)).is_ok());
        let mut world = with(Quotas { principals_per_share: 1, ..Quotas::default() });
        let refused = world.associate(&[], &[CONSUMER, "333333333333"], at(0));
        assert_eq!(refused, Err(exceeded("principals per resource share", 1)));
        let mut world = with(Quotas { resource_associations: 1, ..Quotas::default() });
        world.usage.resources = 1;
        assert_eq!(world.associate(&[GATEWAY], &[], at(0)), Err(exceeded("resource associations", 1)));
        let mut world = with(Quotas { principal_associations: 1, ..Quotas::default() });
        world.usage.principals = 1;
        assert_eq!(world.associate(&[], &[CONSUMER], at(0)), Err(exceeded("principal associations", 1)));
        let mut world = with(Quotas::default());
        world.usage.pending_invitations = 20;
        let refused = world.associate(&[], &[CONSUMER], at(0));
        assert_eq!(refused, Err(Refusal::TooManyPendingInvitations { limit: 20 }));
        let usage = OwnerUsage { resource_shares: 3, ..world.usage };
        assert_eq!(usage.check_shares(&Quotas { resource_shares: 3, ..Quotas::default() }), Ok(()));
        let refused = usage.check_shares(&Quotas { resource_shares: 2, ..Quotas::default() });
        assert_eq!(refused, Err(exceeded("resource shares", 2)));
    }

    #[test]
    fn what_is_above_a_lowered_quota_may_stay_but_not_grow() {
        let mut world = World::new();
        world.associate(&[GATEWAY, COMPONENT], &[], at(0)).unwrap();
        world.quotas = Quotas { resources_per_share: 1, resource_associations: 1, ..Quotas::default() };
        assert!(world.associate(&[GATEWAY], &[CONSUMER], at(1)).is_ok());
        let other = GATEWAY.replace("abcdef0", "abcdef1");
        assert!(world.associate(&[&other], &[], at(2)).is_err());
    }

    #[test]
    fn use_follows_what_a_share_holds() {
        let mut world = World::new();
        world.associate(&[GATEWAY, COMPONENT], &[CONSUMER], at(0)).unwrap();
        assert_eq!(
            (world.usage.resources, world.usage.principals, world.usage.pending_invitations),
            (2, 1, 1)
        );
        // Invited again after an expiry that nothing noticed: one invitation waits, not two.
        world.associate(&[], &[CONSUMER], at(SHORT_WINDOW_MS)).unwrap();
        assert_eq!((world.usage.principals, world.usage.pending_invitations), (1, 1));
    }
}
