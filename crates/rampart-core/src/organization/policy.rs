//! Service control policies and what they are attached to.
//!
//! Every root, unit and account begins with AWS's policy that allows everything; no row says so. A row says that another
//! policy is attached, or that this one is not any more. Rows belong to a generation: disabling policies ends it.

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;
use rampart_policy::{Document, Form};
use serde::{Deserialize, Serialize};

use super::refusal::{Constraint, Fault};
use super::{FeatureSet, Organization, OrganizationRefusal, PolicyId, TargetId};
use crate::limits::{POLICIES_PER_TARGET_MAX, SERVICE_CONTROL_POLICY_BYTES_MAX};

const NAME_CHARS_MAX: usize = 128;
const DESCRIPTION_CHARS_MAX: usize = 512;

/// The only type of policies that is spoken here.
pub const SERVICE_CONTROL_POLICY: &str = "SERVICE_CONTROL_POLICY";
/// AWS's other types, none of which an organization here has.
const OTHER_TYPES: [&str; 14] = [
    "RESOURCE_CONTROL_POLICY",
    "TAG_POLICY",
    "BACKUP_POLICY",
    "AISERVICES_OPT_OUT_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "SECURITYHUB_POLICY",
    "SECURITYHUB_CSPM_POLICY",
    "INSPECTOR_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
    "BEDROCK_POLICY",
    "S3_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    "GUARDDUTY_POLICY",
];
/// The document of AWS's policy.
const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// A service control policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whose organization has it.
    pub management: AccountId,
    /// `p-…`
    pub id: PolicyId,
    /// Unique in the organization.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The document, as it was given.
    pub content: String,
    /// When it was made.
    pub created: TimestampMs,
}

impl Policy {
    /// AWS's own, which every organization has.
    pub fn full_access(management: AccountId) -> Self {
        Self {
            management,
            id: PolicyId::full_access(),
            name: "FullAWSAccess".to_owned(),
            description: "Allows access to every operation".to_owned(),
            content: FULL_ACCESS.to_owned(),
            created: TimestampMs(0),
        }
    }
}

/// A row that says how a target differs from one that has AWS's policy alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Whose organization.
    pub management: AccountId,
    /// The generation that it is of.
    pub generation: i64,
    /// To what.
    pub target: TargetId,
    /// Which policy.
    pub policy: PolicyId,
    /// Whether it is attached; AWS's policy has a row only when it is not.
    pub attached: bool,
}

/// What the rows of a target say: the policies attached to it.
pub fn attached(rows: &[Attachment]) -> Vec<PolicyId> {
    let without = rows.iter().any(|row| row.policy.is_full_access() && !row.attached);
    let full_access = (!without).then(PolicyId::full_access);
    full_access
        .into_iter()
        .chain(rows.iter().filter(|row| row.attached).map(|row| row.policy.clone()))
        .collect()
}

/// What becomes of a target's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachmentChange {
    /// This row is written.
    Stored(Attachment),
    /// This row is gone.
    Removed(Attachment),
}

/// Refuses what is no service control policy.
pub fn check_content(content: &str) -> Result<(), OrganizationRefusal> {
    let limit = SERVICE_CONTROL_POLICY_BYTES_MAX;
    if content.len() > limit {
        return Err(OrganizationRefusal::Constraint(Constraint::PolicyContent { limit }));
    }
    let malformed = |reason: String| OrganizationRefusal::PolicyMalformed { reason };
    Document::parse_as(content, Form::Identity).map_err(|error| malformed(error.to_string()))?;
    Ok(())
}

/// Refuses what is no name of a policy.
pub fn check_name(name: &str) -> Result<(), OrganizationRefusal> {
    let fault = match name.chars().count() {
        0 => Fault::TooShort { min: 1 },
        1..=NAME_CHARS_MAX => return Ok(()),
        _ => Fault::TooLong { max: NAME_CHARS_MAX },
    };
    Err(OrganizationRefusal::Invalid { parameter: "Name", fault })
}

/// Refuses what is no description of a policy.
pub fn check_description(description: &str) -> Result<(), OrganizationRefusal> {
    if description.chars().count() <= DESCRIPTION_CHARS_MAX {
        return Ok(());
    }
    let fault = Fault::TooLong { max: DESCRIPTION_CHARS_MAX };
    Err(OrganizationRefusal::Invalid { parameter: "Description", fault })
}

/// Whether a type names one that an organization here has; refuses what is no type at all.
pub fn is_known_type(name: &str, parameter: &'static str) -> Result<bool, OrganizationRefusal> {
    match name {
        SERVICE_CONTROL_POLICY => Ok(true),
        other if OTHER_TYPES.contains(&other) => Ok(false),
        _ => Err(OrganizationRefusal::Invalid { parameter, fault: Fault::Enum }),
    }
}

/// Refuses types that the organization does not have.
pub fn check_type_available(
    organization: &Organization,
    name: &str,
    parameter: &'static str,
) -> Result<(), OrganizationRefusal> {
    if is_known_type(name, parameter)? && organization.feature_set == FeatureSet::All {
        return Ok(());
    }
    Err(OrganizationRefusal::PolicyTypeNotAvailable)
}

/// Policies come into force: AWS's is on every root, unit and account.
pub fn decide_enable(organization: &Organization) -> Result<Organization, OrganizationRefusal> {
    if organization.policies_enabled {
        return Err(OrganizationRefusal::PolicyTypeAlreadyEnabled);
    }
    let policies_generation = organization.policies_generation + 1;
    Ok(Organization { policies_enabled: true, policies_generation, ..organization.clone() })
}

/// Policies are in force no more, and attached to nothing: what was attached is of an earlier generation now.
pub fn decide_disable(organization: &Organization) -> Result<Organization, OrganizationRefusal> {
    check_enabled(organization)?;
    let policies_generation = organization.policies_generation + 1;
    Ok(Organization { policies_enabled: false, policies_generation, ..organization.clone() })
}

fn check_enabled(organization: &Organization) -> Result<(), OrganizationRefusal> {
    if organization.policies_enabled { Ok(()) } else { Err(OrganizationRefusal::PolicyTypeNotEnabled) }
}

/// Attaches a policy. `rows` are the target's.
pub fn decide_attach(
    organization: &Organization,
    target: &TargetId,
    policy: &PolicyId,
    rows: &[Attachment],
) -> Result<AttachmentChange, OrganizationRefusal> {
    check_enabled(organization)?;
    let has = attached(rows);
    if has.contains(policy) {
        return Err(OrganizationRefusal::DuplicateAttachment);
    }
    if has.len() >= POLICIES_PER_TARGET_MAX {
        let constraint = Constraint::AttachmentsMax { limit: POLICIES_PER_TARGET_MAX };
        return Err(OrganizationRefusal::Constraint(constraint));
    }
    let row = row(organization, target, policy, true);
    Ok(if policy.is_full_access() { AttachmentChange::Removed(row) } else { AttachmentChange::Stored(row) })
}

/// Detaches a policy. One always stays.
pub fn decide_detach(
    organization: &Organization,
    target: &TargetId,
    policy: &PolicyId,
    rows: &[Attachment],
) -> Result<AttachmentChange, OrganizationRefusal> {
    check_enabled(organization)?;
    let has = attached(rows);
    if !has.contains(policy) {
        return Err(OrganizationRefusal::PolicyNotAttached);
    }
    if has.len() == 1 {
        return Err(OrganizationRefusal::Constraint(Constraint::AttachmentsMin));
    }
    let row = row(organization, target, policy, false);
    Ok(if policy.is_full_access() { AttachmentChange::Stored(row) } else { AttachmentChange::Removed(row) })
}

fn row(organization: &Organization, target: &TargetId, policy: &PolicyId, attached: bool) -> Attachment {
    Attachment {
        management: organization.management,
        generation: organization.policies_generation,
        target: target.clone(),
        policy: policy.clone(),
        attached,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::organization;
    use super::*;

    /// Applies a change to a target's rows.
    fn apply(rows: &mut Vec<Attachment>, change: AttachmentChange) {
        match change {
            AttachmentChange::Stored(row) => rows.push(row),
            AttachmentChange::Removed(row) => rows.retain(|other| other.policy != row.policy),
        }
    }

    #[test]
    fn a_target_has_one_to_five_policies() {
        let organization = decide_enable(&organization()).unwrap();
        let target = TargetId::parse("r-ab12").unwrap();
        let policy = |n: u8| PolicyId::new([n; 10]);
        let (mut rows, full) = (Vec::new(), PolicyId::full_access());
        assert_eq!(attached(&rows), std::slice::from_ref(&full));
        let last = decide_detach(&organization, &target, &full, &rows);
        assert_eq!(last, Err(OrganizationRefusal::Constraint(Constraint::AttachmentsMin)));
        for n in 1..5 {
            let change = decide_attach(&organization, &target, &policy(n), &rows).unwrap();
            apply(&mut rows, change);
        }
        let sixth = decide_attach(&organization, &target, &policy(5), &rows);
        assert_eq!(sixth, Err(OrganizationRefusal::Constraint(Constraint::AttachmentsMax { limit: 5 })));
        let again = decide_attach(&organization, &target, &policy(1), &rows);
        assert_eq!(again, Err(OrganizationRefusal::DuplicateAttachment));
        let change = decide_detach(&organization, &target, &full, &rows).unwrap();
        apply(&mut rows, change);
        assert_eq!(attached(&rows).len(), 4);
        let gone = decide_detach(&organization, &target, &full, &rows);
        assert_eq!(gone, Err(OrganizationRefusal::PolicyNotAttached));
        let change = decide_attach(&organization, &target, &full, &rows).unwrap();
        apply(&mut rows, change);
        assert_eq!(attached(&rows).len(), 5);
    }

    #[test]
    fn policies_are_enabled_before_they_are_attached() {
        let off = organization();
        let (target, policy) = (TargetId::parse("r-ab12").unwrap(), PolicyId::new([1; 10]));
        let refused = Err(OrganizationRefusal::PolicyTypeNotEnabled);
        assert_eq!(decide_attach(&off, &target, &policy, &[]), refused.clone());
        assert_eq!(decide_detach(&off, &target, &policy, &[]), refused);
        let on = decide_enable(&off).unwrap();
        assert_eq!(decide_enable(&on), Err(OrganizationRefusal::PolicyTypeAlreadyEnabled));
        let off = decide_disable(&on).unwrap();
        assert_eq!(decide_disable(&off), Err(OrganizationRefusal::PolicyTypeNotEnabled));
        assert!(decide_enable(&off).unwrap().policies_generation > off.policies_generation);
        assert!(off.policies_generation > on.policies_generation);
    }

    #[test]
    fn types_are_available_with_all_features_alone() {
        let all = organization();
        let billing = Organization { feature_set: FeatureSet::ConsolidatedBilling, ..organization() };
        let check = |organization, name| check_type_available(organization, name, "PolicyType");
        assert_eq!(check(&all, SERVICE_CONTROL_POLICY), Ok(()));
        for (organization, name) in [(&billing, SERVICE_CONTROL_POLICY), (&all, "TAG_POLICY")] {
            assert_eq!(check(organization, name), Err(OrganizationRefusal::PolicyTypeNotAvailable));
        }
        let unknown = OrganizationRefusal::Invalid { parameter: "PolicyType", fault: Fault::Enum };
        assert_eq!(check(&all, "NOTHING"), Err(unknown));
    }
}
