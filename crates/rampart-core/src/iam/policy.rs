//! Policies of users and roles: inline ones, and AWS's managed ones that can be attached (reference §12.4).

use rampart_aws::{AccountId, Partition};
use rampart_policy::{Document, Form};
use serde::{Deserialize, Serialize};

use super::{IamName, IamQuotas, IamRefusal, IdentityKind};

/// A policy that a user or a role has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityPolicy {
    /// Whose user or role.
    pub account: AccountId,
    /// A user or a role.
    pub kind: IdentityKind,
    /// Its name.
    pub identity: IamName,
    /// The policy's name.
    pub name: IamName,
    /// The inline policy's text; none when the name is one of AWS's managed policies.
    pub document: Option<String>,
}

/// Checks the text of a policy that is attached to a user, a role or a session.
pub fn check_identity_document(text: &str) -> Result<(), IamRefusal> {
    Document::parse_as(text, Form::Identity).map(drop).map_err(|error| malformed(&error))
}

/// Checks the text that tells who may assume a role.
pub fn check_trust_document(text: &str, quotas: &IamQuotas) -> Result<(), IamRefusal> {
    let limit = quotas.trust_policy_characters;
    if exceeds(policy_characters(text), limit) {
        return Err(IamRefusal::TrustPolicyTooLarge { limit });
    }
    // AWS: the role itself is the resource, so the document names none.
    let document = Document::parse_as(text, Form::Resource).map_err(|error| malformed(&error))?;
    if document.statements.iter().any(|statement| statement.resources.is_some()) {
        return Err(IamRefusal::DocumentMalformed { fault: "Has prohibited field Resource".to_owned() });
    }
    Ok(())
}

fn malformed(error: &rampart_policy::ParseError) -> IamRefusal {
    IamRefusal::DocumentMalformed { fault: error.to_string() }
}

/// The size that quotas speak of.
// AWS: white space does not count.
pub fn policy_characters(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

fn exceeds(characters: usize, limit: u32) -> bool {
    u32::try_from(characters).map_or(true, |characters| characters > limit)
}

/// Checks that `added` fits beside the identity's other inline policies.
pub fn check_inline_sizes(
    policies: &[IdentityPolicy],
    added: &IdentityPolicy,
    quotas: &IamQuotas,
) -> Result<(), IamRefusal> {
    let others = policies.iter().filter(|policy| policy.document.is_some() && policy.name != added.name);
    let size = |policy: &IdentityPolicy| policy.document.as_deref().map_or(0, policy_characters);
    let limit = quotas.policy_characters(added.kind);
    if exceeds(others.map(size).sum::<usize>() + size(added), limit) {
        let (kind, name) = (added.kind, added.identity.clone());
        return Err(IamRefusal::InlinePoliciesTooLarge { kind, name, limit });
    }
    Ok(())
}

/// Checks that one managed policy more may be attached.
pub fn check_attachments(
    policies: &[IdentityPolicy],
    kind: IdentityKind,
    quotas: &IamQuotas,
) -> Result<(), IamRefusal> {
    let attached = policies.iter().filter(|policy| policy.document.is_none()).count();
    let limit = quotas.managed_policies(kind);
    if u32::try_from(attached).map_or(true, |attached| attached >= limit) {
        return Err(IamRefusal::ManagedPoliciesExceeded { kind, limit });
    }
    Ok(())
}

/// Refuses to let go of an identity that still has policies.
// AWS: whoever deletes a user or a role takes its policies away first.
pub fn check_no_policies(policies: &[IdentityPolicy]) -> Result<(), IamRefusal> {
    if policies.iter().any(|policy| policy.document.is_none()) {
        return Err(IamRefusal::StillHasManagedPolicies);
    }
    if policies.is_empty() { Ok(()) } else { Err(IamRefusal::StillHasInlinePolicies) }
}

/// One of AWS's own policies.
#[derive(Debug, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// Its name.
    pub name: &'static str,
    /// `/`, or where the policies of services are.
    pub path: &'static str,
    /// The unique id that answers give.
    pub id: &'static str,
    /// For people.
    pub description: &'static str,
    /// What it allows.
    pub document: &'static str,
}

/// The version that all of them have.
pub const MANAGED_POLICY_VERSION: &str = "v1";

/// AWS's managed policies for RAM.
// AWS: the documents are reference §12.4; ids and descriptions are ours.
pub static MANAGED_POLICIES: [ManagedPolicy; 4] = [
    ManagedPolicy {
        name: "AWSResourceAccessManagerFullAccess",
        path: "/",
        id: "ANPARAMFULLACCESS2222",
        description: "Full access to AWS Resource Access Manager",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ram:*","Resource":"*"}]}"#,
    },
    ManagedPolicy {
        name: "AWSResourceAccessManagerReadOnlyAccess",
        path: "/",
        id: "ANPARAMREADONLY222222",
        description: "Read-only access to AWS Resource Access Manager",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ram:Get*","ram:List*"],"Resource":"*"}]}"#,
    },
    ManagedPolicy {
        name: "AWSResourceAccessManagerResourceShareParticipantAccess",
        path: "/",
        id: "ANPARAMPARTICIPANT222",
        description: "Access to the calls of AWS Resource Access Manager that a participant of a share needs",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ram:AcceptResourceShareInvitation","ram:GetResourcePolicies","ram:GetResourceShareInvitations","ram:GetResourceShares","ram:ListPendingInvitationResources","ram:ListPrincipals","ram:ListResources","ram:RejectResourceShareInvitation"],"Resource":"*"}]}"#,
    },
    ManagedPolicy {
        name: "AWSResourceAccessManagerServiceRolePolicy",
        path: "/aws-service-role/",
        id: "ANPARAMSERVICEROLE222",
        description: "What AWS Resource Access Manager itself may read of the organization",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["organizations:DescribeAccount","organizations:DescribeOrganization","organizations:DescribeOrganizationalUnit","organizations:ListAccounts","organizations:ListAccountsForParent","organizations:ListChildren","organizations:ListOrganizationalUnitsForParent","organizations:ListParents","organizations:ListRoots"],"Resource":"*"},{"Effect":"Allow","Action":"iam:DeleteRole","Resource":"arn:aws:iam::*:role/aws-service-role/ram.amazonaws.com/*"}]}"#,
    },
];

impl ManagedPolicy {
    /// The one of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        MANAGED_POLICIES.iter().find(|policy| policy.name == name)
    }

    /// The one that an ARN names.
    pub fn parse_arn(arn: &str, partition: Partition) -> Result<&'static Self, IamRefusal> {
        let shown = || arn.chars().take(256).collect::<String>();
        let parsed = rampart_aws::Arn::parse(arn);
        if !parsed.is_ok_and(|arn| arn.service() == "iam" && arn.resource().starts_with("policy/")) {
            return Err(IamRefusal::PolicyArnMalformed { arn: shown() });
        }
        let found = MANAGED_POLICIES.iter().find(|policy| policy.arn(partition) == arn);
        found.ok_or_else(|| IamRefusal::ManagedPolicyNotFound { arn: shown() })
    }

    /// Its ARN.
    pub fn arn(&self, partition: Partition) -> String {
        format!("arn:{}:iam::aws:policy{}{}", partition.as_str(), self.path, self.name)
    }

    /// Whether users and roles can have it; a service's own policy is for its role alone.
    pub fn is_attachable(&self) -> bool {
        self.path == "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    const TRUST: &str =
        r#"{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}"#;

    fn policy(kind: IdentityKind, name: &str, document: Option<&str>) -> IdentityPolicy {
        IdentityPolicy {
            account: "111111111111".parse().unwrap(),
            kind,
            identity: IamName::of_identity("alice", "userName").unwrap(),
            name: IamName::of_policy(name, "policyName").unwrap(),
            document: document.map(str::to_owned),
        }
    }

    #[test]
    fn the_managed_policies_are_policies() {
        for managed in &MANAGED_POLICIES {
            check_identity_document(managed.document).unwrap();
            assert_eq!(managed.id.len(), 21, "{}", managed.id);
            let arn = managed.arn(Partition::Aws);
            assert_eq!(ManagedPolicy::parse_arn(&arn, Partition::Aws), Ok(managed));
            assert!(ManagedPolicy::parse_arn(&arn, Partition::AwsCn).is_err());
            assert_eq!(ManagedPolicy::named(managed.name), Some(managed));
        }
        for (arn, is_arn) in
            [("x", false), ("arn:aws:iam::aws:role/x", false), ("arn:aws:iam::aws:policy/X", true)]
        {
            let refused = ManagedPolicy::parse_arn(arn, Partition::Aws).unwrap_err();
            assert_eq!(matches!(refused, IamRefusal::ManagedPolicyNotFound { .. }), is_arn, "{arn}");
        }
    }

    #[test]
    fn a_trust_policy_has_principals_and_no_resource() {
        let quotas = IamQuotas::default();
        assert_eq!(check_trust_document(TRUST, &quotas), Ok(()));
        assert_eq!(check_identity_document(ALLOW), Ok(()));
        let with_resource = TRUST.replace("\"Principal\"", "\"Resource\":\"*\",\"Principal\"");
        for (bad, trust) in
            [(ALLOW, true), (TRUST, false), (&with_resource, true), ("{}", true), ("x", false)]
        {
            let checked =
                if trust { check_trust_document(bad, &quotas) } else { check_identity_document(bad) };
            assert!(matches!(checked, Err(IamRefusal::DocumentMalformed { .. })), "{bad}: {checked:?}");
        }
        let small = IamQuotas { trust_policy_characters: 20, ..quotas };
        assert_eq!(check_trust_document(TRUST, &small), Err(IamRefusal::TrustPolicyTooLarge { limit: 20 }));
    }

    #[test]
    fn inline_policies_are_measured_together_without_their_white_space() {
        let quotas = IamQuotas { user_policy_characters: 200, ..IamQuotas::default() };
        let size = policy_characters(ALLOW);
        assert_eq!(size, ALLOW.len());
        let spaced = ALLOW.replace(',', " ,\n\t ");
        assert_eq!(policy_characters(&spaced), size);
        let one = policy(IdentityKind::User, "one", Some(ALLOW));
        let two = policy(IdentityKind::User, "two", Some(&spaced));
        let three = policy(IdentityKind::User, "three", Some(ALLOW));
        let managed = policy(IdentityKind::User, "AWSResourceAccessManagerFullAccess", None);
        let had = [one.clone(), two, managed];
        assert_eq!(check_inline_sizes(&had, &one, &quotas), Ok(()), "it replaces itself");
        let refused = check_inline_sizes(&had, &three, &quotas);
        assert!(matches!(refused, Err(IamRefusal::InlinePoliciesTooLarge { limit: 200, .. })), "{refused:?}");
        let as_role = IdentityPolicy { kind: IdentityKind::Role, ..three };
        assert_eq!(check_inline_sizes(&had, &as_role, &quotas), Ok(()));
    }

    #[test]
    fn attachments_have_a_quota_and_hold_an_identity() {
        let quotas = IamQuotas { managed_policies_per_user: 1, ..IamQuotas::default() };
        let inline = [policy(IdentityKind::User, "one", Some(ALLOW))];
        let managed = [policy(IdentityKind::User, "AWSResourceAccessManagerFullAccess", None)];
        assert_eq!(check_attachments(&inline, IdentityKind::User, &quotas), Ok(()));
        assert!(check_attachments(&managed, IdentityKind::User, &quotas).is_err());
        assert!(check_attachments(&managed, IdentityKind::Role, &quotas).is_ok());
        assert_eq!(check_no_policies(&inline), Err(IamRefusal::StillHasInlinePolicies));
        assert_eq!(check_no_policies(&managed), Err(IamRefusal::StillHasManagedPolicies));
        assert_eq!(check_no_policies(&[]), Ok(()));
    }
}
