//! How many users and roles an account may have, and how large their policies may be. Use is kept, not counted.

use rampart_aws::AccountId;
use serde::{Deserialize, Serialize};

use super::{IamRefusal, IdentityKind};

/// IAM's quotas of an account. AWS's defaults; all can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct IamQuotas {
    /// "Users in an account".
    pub users: u32,
    /// "Roles in an account".
    pub roles: u32,
    /// "Access keys assigned to an IAM user".
    pub access_keys_per_user: u32,
    /// "Managed policies attached to an IAM user".
    pub managed_policies_per_user: u32,
    /// "Managed policies attached to an IAM role".
    pub managed_policies_per_role: u32,
    /// Characters of all inline policies of a user, white space not counted.
    pub user_policy_characters: u32,
    /// Characters of all inline policies of a role, white space not counted.
    pub role_policy_characters: u32,
    /// "Role trust policy length".
    pub trust_policy_characters: u32,
}

impl Default for IamQuotas {
    fn default() -> Self {
        Self {
            users: 5_000,
            roles: 1_000,
            access_keys_per_user: 2,
            managed_policies_per_user: 10,
            managed_policies_per_role: 10,
            user_policy_characters: 2_048,
            role_policy_characters: 10_240,
            trust_policy_characters: 2_048,
        }
    }
}

impl IamQuotas {
    /// Managed policies on one identity.
    pub fn managed_policies(&self, kind: IdentityKind) -> u32 {
        match kind {
            IdentityKind::User => self.managed_policies_per_user,
            IdentityKind::Role => self.managed_policies_per_role,
        }
    }

    /// Characters of all inline policies of one identity.
    pub fn policy_characters(&self, kind: IdentityKind) -> u32 {
        match kind {
            IdentityKind::User => self.user_policy_characters,
            IdentityKind::Role => self.role_policy_characters,
        }
    }
}

/// One row of `iam_usage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IamUsage {
    /// Whose.
    pub account: AccountId,
    /// Users that there are.
    pub users: u32,
    /// Roles that there are, those of services not counted.
    pub roles: u32,
}

impl IamUsage {
    /// Of an account that has nothing.
    pub fn none(account: AccountId) -> Self {
        Self { account, users: 0, roles: 0 }
    }

    /// With one identity more, if the quota allows it.
    pub fn with_one_more(self, kind: IdentityKind, quotas: &IamQuotas) -> Result<Self, IamRefusal> {
        let (used, limit) = match kind {
            IdentityKind::User => (self.users, quotas.users),
            IdentityKind::Role => (self.roles, quotas.roles),
        };
        if used >= limit {
            return Err(IamRefusal::IdentitiesExceeded { kind, limit });
        }
        Ok(match kind {
            IdentityKind::User => Self { users: used + 1, ..self },
            IdentityKind::Role => Self { roles: used + 1, ..self },
        })
    }

    /// With one identity less.
    pub fn with_one_less(self, kind: IdentityKind) -> Self {
        match kind {
            IdentityKind::User => Self { users: self.users.saturating_sub(1), ..self },
            IdentityKind::Role => Self { roles: self.roles.saturating_sub(1), ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_that_the_quota_allows() {
        let quotas = IamQuotas { users: 2, ..IamQuotas::default() };
        let mut usage = IamUsage::none("111111111111".parse().unwrap());
        for _ in 0..2 {
            usage = usage.with_one_more(IdentityKind::User, &quotas).unwrap();
        }
        let refused = usage.with_one_more(IdentityKind::User, &quotas);
        assert_eq!(refused, Err(IamRefusal::IdentitiesExceeded { kind: IdentityKind::User, limit: 2 }));
        assert!(usage.with_one_more(IdentityKind::Role, &quotas).is_ok());
        assert!(usage.with_one_less(IdentityKind::User).with_one_more(IdentityKind::User, &quotas).is_ok());
    }
}
