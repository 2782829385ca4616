//! The role that RAM has in an account to look into its organization (reference §12.5).

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Partition};

use super::identity::{identity_arn, identity_id};
use super::name::IdBytes;
use super::{IamName, IamPath, IamRefusal, Identity, IdentityKind, IdentityPolicy, Nature, RoleTerms};
use crate::Change;

/// The service that the role is for.
pub const RAM_SERVICE: &str = "ram.amazonaws.com";
/// The role's name.
pub const RAM_ROLE: &str = "AWSServiceRoleForResourceAccessManager";
const RAM_PATH: &str = "/aws-service-role/ram.amazonaws.com/";
const RAM_POLICY: &str = "AWSResourceAccessManagerServiceRolePolicy";
const RAM_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ram.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// The role's name, checked.
pub fn ram_role_name() -> IamName {
    IamName::of_identity(RAM_ROLE, "roleName").expect("the name is one")
}

/// The role's ARN in an account.
pub fn ram_role_arn(partition: Partition, account: AccountId) -> String {
    identity_arn(partition, account, IdentityKind::Role, &ram_path(), &ram_role_name())
}

fn ram_path() -> IamPath {
    IamPath::parse(RAM_PATH).expect("the path is one")
}

/// The role, with its policy, as it is made for `account`. Quotas do not count it.
pub fn create(
    account: AccountId,
    description: Option<String>,
    random: IdBytes,
    now: TimestampMs,
) -> (Identity, Vec<Change>) {
    let role = Identity {
        account,
        nature: Nature::Role(RoleTerms {
            trust_policy: RAM_TRUST.to_owned(),
            description,
            max_session_s: 3_600,
        }),
        name: ram_role_name(),
        path: ram_path(),
        id: identity_id(IdentityKind::Role, random),
        tags: Vec::new(),
        created: now,
    };
    let policy = policy_of(&role);
    let changes = vec![Change::IdentityStored(role.clone()), Change::IdentityPolicyStored(policy)];
    (role, changes)
}

/// What to write to let go of the role. Only a service's role goes this way.
pub fn delete(role: &Identity) -> Result<Vec<Change>, IamRefusal> {
    if !role.is_service_linked() {
        return Err(IamRefusal::NotServiceLinked { role: role.name.clone() });
    }
    let (account, kind, name) = (role.account, IdentityKind::Role, role.name.clone());
    let IdentityPolicy { name: policy, .. } = policy_of(role);
    Ok(vec![
        Change::IdentityPolicyDropped { account, kind, identity: name.clone(), inline: false, policy },
        Change::IdentityDropped { account, kind, name },
    ])
}

fn policy_of(role: &Identity) -> IdentityPolicy {
    IdentityPolicy {
        account: role.account,
        kind: IdentityKind::Role,
        identity: role.name.clone(),
        name: IamName::of_policy(RAM_POLICY, "policyName").expect("the name is one"),
        document: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::policy::check_trust_document;
    use crate::iam::{IamQuotas, ManagedPolicy};

    #[test]
    fn the_role_is_the_services() {
        let (role, changes) = create("111111111111".parse().unwrap(), None, [0; 17], TimestampMs(1));
        assert!(role.is_service_linked());
        assert_eq!(role.check_modifiable(), Err(IamRefusal::ServiceLinked { role: ram_role_name() }));
        let arn = role.arn(Partition::Aws);
        assert_eq!(arn, ram_role_arn(Partition::Aws, role.account));
        assert_eq!(arn, format!("arn:aws:iam::111111111111:role{RAM_PATH}{RAM_ROLE}"));
        assert_eq!(changes.len(), 2);
        assert!(ManagedPolicy::named(RAM_POLICY).is_some());
        assert_eq!(check_trust_document(RAM_TRUST, &IamQuotas::default()), Ok(()));
        assert_eq!(delete(&role).unwrap().len(), 2);
        let other = Identity { path: IamPath::root(), ..role };
        assert_eq!(delete(&other), Err(IamRefusal::NotServiceLinked { role: ram_role_name() }));
    }
}
