//! Organizations: a tree of accounts under one management account, and what that account decides for all.
//!
//! The rules by noun stand in the files below. What an account is in an organization is its [`Membership`]: all that
//! others ask is answered from it, and it ends with one row.

pub mod change;
pub mod circle;
pub mod creation;
pub mod handshake;
pub mod id;
pub mod member;
pub mod plan;
pub mod policy;
pub mod refusal;
pub mod tags;
pub mod unit;

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Partition};
use serde::{Deserialize, Serialize};

pub use self::change::OrganizationChange;
pub use self::circle::{Basis, Circle};
pub use self::id::{CreationId, HandshakeId, OrganizationId, ParentId, PolicyId, TargetId};
pub use self::member::{Claim, Member, Membership};
pub use self::refusal::OrganizationRefusal;
pub use self::unit::OrganizationalUnit;
pub use crate::iam::service_linked::RAM_SERVICE;

/// What an organization is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureSet {
    /// Policies, trusted services, sharing.
    All,
    /// One bill.
    ConsolidatedBilling,
}

impl FeatureSet {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::ConsolidatedBilling => "CONSOLIDATED_BILLING",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::All, Self::ConsolidatedBilling].into_iter().find(|set| set.as_str() == text)
    }
}

/// Whether RAM shares within the organization without invitations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Never enabled, or disabled.
    Off,
    /// Enabled by RAM.
    On,
    /// AWS: trusted access was enabled through Organizations alone, so that RAM's role is missing and nothing of the
    /// organization can be shared with (reference §12.5).
    Half,
}

/// An organization. Its rows live in the partition of its management account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// The account that made it and decides for it.
    pub management: AccountId,
    /// `o-…`
    pub id: OrganizationId,
    /// Its only root.
    pub root: ParentId,
    /// What it is for.
    pub feature_set: FeatureSet,
    /// When it was made.
    pub created: TimestampMs,
    /// Whether RAM shares within it.
    pub sharing: Sharing,
    /// Raised each time that sharing begins: what rests on an earlier one stays ended.
    pub sharing_epoch: i64,
    /// Whether service control policies are in force.
    pub policies_enabled: bool,
    /// Raised each time that they are enabled or disabled: attachments of an earlier one are gone.
    pub policies_generation: i64,
    /// Accounts in it, the management account included.
    pub accounts: u32,
    /// Units in it.
    pub units: u32,
    /// Policies in it, AWS's own not counted.
    pub policies: u32,
}

impl Organization {
    /// A new organization, with its management account in its root.
    pub fn new(
        management: AccountId,
        id: OrganizationId,
        root: ParentId,
        feature_set: FeatureSet,
        now: TimestampMs,
    ) -> Self {
        Self {
            management,
            id,
            root,
            feature_set,
            created: now,
            sharing: Sharing::Off,
            sharing_epoch: 0,
            policies_enabled: false,
            policies_generation: 0,
            accounts: 1,
            units: 0,
            policies: 0,
        }
    }

    /// `o-…/r-…/`: where the root is.
    pub fn root_path(&self) -> String {
        format!("{}/{}/", self.id, self.root)
    }

    /// `arn:{partition}:organizations::{management}:{kind}/{o-…}` and, unless it is the organization's own, `/{id}`.
    pub fn arn(&self, partition: Partition, kind: &str, id: &str) -> String {
        let (partition, management, organization) = (partition.as_str(), self.management, &self.id);
        let slash = if id.is_empty() { "" } else { "/" };
        format!("arn:{partition}:organizations::{management}:{kind}/{organization}{slash}{id}")
    }

    /// The ARN of an account, a root or a unit.
    pub fn target_arn(&self, partition: Partition, target: &TargetId) -> String {
        let kind = match target {
            TargetId::Account(_) => "account",
            TargetId::Parent(id) if id.is_root() => "root",
            TargetId::Parent(_) => "ou",
        };
        self.arn(partition, kind, target.as_str())
    }

    /// Whether `account` decides for it.
    pub fn is_managed_by(&self, account: AccountId) -> bool {
        self.management == account
    }
}

/// Refuses what only organizations with all features have.
pub fn check_all_features(organization: &Organization) -> Result<(), OrganizationRefusal> {
    match organization.feature_set {
        FeatureSet::All => Ok(()),
        FeatureSet::ConsolidatedBilling => {
            Err(OrganizationRefusal::Constraint(refusal::Constraint::NotAllFeatures))
        }
    }
}

/// Trusted access to a service begins. For RAM this alone is the half-state, unless RAM itself asks.
// AWS: reference §12.5.
pub fn trusted_access_enabled(organization: &Organization, service: &str) -> Option<Organization> {
    let changes = service == RAM_SERVICE && organization.sharing == Sharing::Off;
    changes.then(|| Organization { sharing: Sharing::Half, ..organization.clone() })
}

/// Trusted access to a service ends, and with RAM's all that was shared within the organization.
pub fn trusted_access_disabled(organization: &Organization, service: &str) -> Option<Organization> {
    let changes = service == RAM_SERVICE && organization.sharing != Sharing::Off;
    changes.then(|| Organization { sharing: Sharing::Off, ..organization.clone() })
}

/// RAM's role is deleted while RAM shares within the organization: what is left is the half-state.
// AWS: without the role RAM finds nothing of the organization (reference §12.5). That what was shared ends, as it does
// with trusted access, is inferred.
pub fn ram_role_deleted(organization: &Organization) -> Option<Organization> {
    let changes = organization.sharing == Sharing::On;
    changes.then(|| Organization { sharing: Sharing::Half, ..organization.clone() })
}

/// The rows of an organization within which RAM shares no more: what rested on it is tidied.
pub fn sharing_over(after: Organization, now: TimestampMs) -> [OrganizationChange; 2] {
    let tidying = change::Tidying { management: after.management, account: None, at: now };
    [OrganizationChange::Stored(after), OrganizationChange::TidyingStored(tidying)]
}

/// RAM enables sharing: from the half-state, too, and once more without effect.
pub fn sharing_enabled(organization: &Organization) -> Option<Organization> {
    (organization.sharing != Sharing::On).then(|| Organization {
        sharing: Sharing::On,
        sharing_epoch: organization.sharing_epoch + 1,
        ..organization.clone()
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn organization() -> Organization {
        Organization::new(
            "111111111111".parse().unwrap(),
            OrganizationId::parse("o-a1b2c3d4e5").unwrap(),
            ParentId::parse("r-ab12").unwrap(),
            FeatureSet::All,
            TimestampMs(1_000),
        )
    }

    #[test]
    fn arns_are_formed_as_aws_forms_them() {
        let organization = organization();
        let arn = |kind, id| organization.arn(Partition::Aws, kind, id);
        assert_eq!(arn("organization", ""), "arn:aws:organizations::111111111111:organization/o-a1b2c3d4e5");
        let unit = TargetId::parse("ou-ab12-abcdefgh").unwrap();
        assert_eq!(
            organization.target_arn(Partition::AwsCn, &unit),
            "arn:aws-cn:organizations::111111111111:ou/o-a1b2c3d4e5/ou-ab12-abcdefgh"
        );
        let root = TargetId::parse("r-ab12").unwrap();
        assert_eq!(
            organization.target_arn(Partition::Aws, &root),
            "arn:aws:organizations::111111111111:root/o-a1b2c3d4e5/r-ab12"
        );
    }

    #[test]
    fn sharing_begins_anew_each_time() {
        let organization = organization();
        let half = trusted_access_enabled(&organization, RAM_SERVICE).unwrap();
        assert_eq!((half.sharing, half.sharing_epoch), (Sharing::Half, 0));
        let on = sharing_enabled(&half).unwrap();
        assert_eq!((on.sharing, on.sharing_epoch), (Sharing::On, 1));
        assert_eq!(sharing_enabled(&on), None);
        assert_eq!(trusted_access_enabled(&on, RAM_SERVICE), None);
        assert_eq!(ram_role_deleted(&on), Some(Organization { sharing: Sharing::Half, ..on.clone() }));
        assert_eq!(ram_role_deleted(&half), None);
        let off = trusted_access_disabled(&on, RAM_SERVICE).unwrap();
        assert_eq!(off.sharing, Sharing::Off);
        assert_eq!(sharing_enabled(&off).unwrap().sharing_epoch, 2);
        assert_eq!(trusted_access_enabled(&organization, "sso.amazonaws.com"), None);
        assert_eq!(trusted_access_disabled(&on, "sso.amazonaws.com"), None);
    }
}
