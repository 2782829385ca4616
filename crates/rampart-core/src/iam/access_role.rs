//! The role by which an organization gets into the accounts that it makes.

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;

use super::identity::identity_id;
use super::name::IdBytes;
use super::{
    IamName, IamPath, IamRefusal, IamUsage, Identity, IdentityKind, IdentityPolicy, Nature, RoleTerms,
};
use crate::Change;

/// The role's name unless CreateAccount names another.
pub const ACCESS_ROLE: &str = "OrganizationAccountAccessRole";
const POLICY: &str = "AdministratorAccess";
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const SESSION_S: u32 = 3_600;

/// The role in a new account, which the management account's administrators may assume and which may do everything.
// AWS: the policy AdministratorAccess; here it is inline, as the managed one is not among those that are spoken.
pub fn create(
    account: AccountId,
    management: AccountId,
    name: Option<&str>,
    random: IdBytes,
    now: TimestampMs,
) -> Result<Vec<Change>, IamRefusal> {
    let name = IamName::of_identity(name.unwrap_or(ACCESS_ROLE), "roleName")?;
    let principal = format!(r#"{{"AWS":"arn:aws:iam::{management}:root"}}"#);
    let trust_policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
    );
    let nature = Nature::Role(RoleTerms { trust_policy, description: None, max_session_s: SESSION_S });
    let policy = IdentityPolicy {
        account,
        kind: IdentityKind::Role,
        identity: name.clone(),
        name: IamName::of_policy(POLICY, "policyName")?,
        document: Some(EVERYTHING.to_owned()),
    };
    let id = identity_id(IdentityKind::Role, random);
    let role = Identity { account, nature, name, path: IamPath::root(), id, tags: Vec::new(), created: now };
    let usage = IamUsage { roles: 1, ..IamUsage::none(account) };
    Ok(vec![
        Change::IdentityStored(role),
        Change::IdentityPolicyStored(policy),
        Change::IamUsageStored(usage),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::IamQuotas;
    use crate::iam::policy::{check_identity_document, check_trust_document};

    #[test]
    fn the_management_account_may_assume_it_and_do_everything() {
        let (account, management) = ("222222222222".parse().unwrap(), "111111111111".parse().unwrap());
        let changes = create(account, management, None, [0; 17], TimestampMs(1)).unwrap();
        let [Change::IdentityStored(role), ..] = &changes[..] else { panic!("a role comes first") };
        assert_eq!(role.name.as_str(), ACCESS_ROLE);
        let Nature::Role(terms) = &role.nature else { panic!("a role") };
        assert!(terms.trust_policy.contains("arn:aws:iam::111111111111:root"));
        assert_eq!(check_trust_document(&terms.trust_policy, &IamQuotas::default()), Ok(()));
        assert_eq!(check_identity_document(EVERYTHING), Ok(()));
        assert!(create(account, management, Some("no name!"), [0; 17], TimestampMs(1)).is_err());
    }
}
