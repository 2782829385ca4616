//! The wire shapes that several operations answer with.

use rampart_core::organization::creation::{AccountCreation, CreationOutcome};
use rampart_core::organization::handshake::Handshake;
use rampart_core::organization::policy::{Policy, SERVICE_CONTROL_POLICY};
use rampart_core::organization::{FeatureSet, Member, Organization, OrganizationalUnit, TargetId};
use rampart_core::{Partition, TimestampMs};
use serde::Serialize;

use super::tree::ROOT_NAME;

/// `PolicyTypeSummary`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyTypeShape {
    r#type: &'static str,
    status: &'static str,
}

impl PolicyTypeShape {
    fn enabled(is_enabled: bool) -> Vec<Self> {
        let shape = Self { r#type: SERVICE_CONTROL_POLICY, status: "ENABLED" };
        if is_enabled { vec![shape] } else { Vec::new() }
    }
}

/// `Organization`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OrganizationShape {
    id: String,
    arn: String,
    feature_set: &'static str,
    master_account_arn: String,
    master_account_id: String,
    master_account_email: String,
    available_policy_types: Vec<PolicyTypeShape>,
}

impl OrganizationShape {
    pub(super) fn new(organization: &Organization, management: &Member, partition: Partition) -> Self {
        Self {
            id: organization.id.to_string(),
            arn: organization.arn(partition, "organization", ""),
            feature_set: organization.feature_set.as_str(),
            master_account_arn: account_arn(organization, management, partition),
            master_account_id: organization.management.to_string(),
            master_account_email: management.email.clone(),
            available_policy_types: PolicyTypeShape::enabled(organization.feature_set == FeatureSet::All),
        }
    }
}

fn account_arn(organization: &Organization, member: &Member, partition: Partition) -> String {
    organization.target_arn(partition, &TargetId::Account(member.account))
}

/// `Root`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RootShape {
    pub(super) id: String,
    arn: String,
    name: &'static str,
    policy_types: Vec<PolicyTypeShape>,
}

impl RootShape {
    pub(super) fn new(organization: &Organization, partition: Partition) -> Self {
        Self {
            id: organization.root.to_string(),
            arn: organization.target_arn(partition, &TargetId::Parent(organization.root.clone())),
            name: ROOT_NAME,
            policy_types: PolicyTypeShape::enabled(organization.policies_enabled),
        }
    }
}

/// `OrganizationalUnit`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UnitShape {
    id: String,
    arn: String,
    name: String,
    path: String,
}

impl UnitShape {
    pub(super) fn new(organization: &Organization, unit: &OrganizationalUnit, partition: Partition) -> Self {
        Self {
            id: unit.id.to_string(),
            arn: organization.target_arn(partition, &TargetId::Parent(unit.id.clone())),
            name: unit.name.clone(),
            path: unit.path.clone(),
        }
    }
}

/// `Account`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccountShape {
    id: String,
    arn: String,
    email: String,
    name: String,
    status: &'static str,
    state: &'static str,
    paths: [String; 1],
    joined_method: &'static str,
    joined_timestamp: TimestampMs,
}

impl AccountShape {
    pub(super) fn new(organization: &Organization, member: &Member, partition: Partition) -> Self {
        Self {
            id: member.account.to_string(),
            arn: account_arn(organization, member, partition),
            email: member.email.clone(),
            name: member.name.clone(),
            status: member.status(),
            state: member.state(),
            paths: [format!("{}{}/", member.path, member.account)],
            joined_method: member.joined_by.as_str(),
            joined_timestamp: member.joined,
        }
    }
}

/// `CreateAccountStatus`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreationShape {
    id: String,
    account_name: String,
    state: &'static str,
    requested_timestamp: TimestampMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_timestamp: Option<TimestampMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
}

impl CreationShape {
    /// In the answer to the request itself. AWS: it does not say yet what comes of it.
    pub(super) fn begun(creation: &AccountCreation) -> Self {
        Self {
            id: creation.id.as_str().to_owned(),
            account_name: creation.name.clone(),
            state: "IN_PROGRESS",
            requested_timestamp: creation.requested,
            completed_timestamp: None,
            account_id: None,
            failure_reason: None,
        }
    }

    /// To who asks later.
    pub(super) fn ended(creation: &AccountCreation) -> Self {
        let (account_id, failure_reason) = match creation.outcome {
            CreationOutcome::Succeeded(account) => (Some(account.to_string()), None),
            CreationOutcome::EmailAlreadyExists => (None, Some("EMAIL_ALREADY_EXISTS")),
        };
        Self {
            state: creation.state(),
            completed_timestamp: Some(creation.requested),
            account_id,
            failure_reason,
            ..Self::begun(creation)
        }
    }
}

/// `Handshake`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HandshakeShape {
    id: String,
    arn: String,
    parties: [PartyShape; 2],
    state: &'static str,
    requested_timestamp: TimestampMs,
    expiration_timestamp: TimestampMs,
    action: &'static str,
    resources: Vec<HandshakeResourceShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PartyShape {
    id: String,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HandshakeResourceShape {
    r#type: &'static str,
    value: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<HandshakeResourceShape>,
}

impl HandshakeResourceShape {
    fn new(r#type: &'static str, value: impl Into<String>) -> Self {
        Self { r#type, value: value.into(), resources: Vec::new() }
    }
}

impl HandshakeShape {
    pub(super) fn new(handshake: &Handshake, now: TimestampMs, partition: Partition) -> Self {
        let (organization, id) = (&handshake.organization, handshake.id.as_str());
        // AWS: its samples call all features "FULL" here.
        let features = match handshake.feature_set {
            FeatureSet::All => "FULL",
            FeatureSet::ConsolidatedBilling => "CONSOLIDATED_BILLING",
        };
        let mut resources = vec![
            HandshakeResourceShape {
                resources: vec![HandshakeResourceShape::new("ORGANIZATION_FEATURE_SET", features)],
                ..HandshakeResourceShape::new("ORGANIZATION", organization.as_str())
            },
            HandshakeResourceShape::new("ACCOUNT", handshake.target.as_str()),
        ];
        let notes = handshake.notes.iter();
        resources.extend(notes.map(|notes| HandshakeResourceShape::new("NOTES", notes.clone())));
        Self {
            id: id.to_owned(),
            arn: handshake.arn(partition),
            parties: [
                PartyShape { id: organization.to_string(), r#type: "ORGANIZATION" },
                PartyShape { id: handshake.target.to_string(), r#type: "ACCOUNT" },
            ],
            state: handshake.state(now),
            requested_timestamp: handshake.requested,
            expiration_timestamp: handshake.expires(),
            action: "INVITE",
            resources,
        }
    }
}

/// `PolicySummary`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicySummaryShape {
    pub(super) id: String,
    arn: String,
    name: String,
    description: String,
    r#type: &'static str,
    aws_managed: bool,
}

impl PolicySummaryShape {
    pub(super) fn new(organization: &Organization, policy: &Policy, partition: Partition) -> Self {
        let (id, is_aws) = (policy.id.as_str(), policy.id.is_full_access());
        let arn = if is_aws {
            format!("arn:{}:organizations::aws:policy/service_control_policy/{id}", partition.as_str())
        } else {
            organization.arn(partition, "policy", &format!("service_control_policy/{id}"))
        };
        Self {
            id: id.to_owned(),
            arn,
            name: policy.name.clone(),
            description: policy.description.clone(),
            r#type: SERVICE_CONTROL_POLICY,
            aws_managed: is_aws,
        }
    }
}

/// `Policy`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyShape {
    policy_summary: PolicySummaryShape,
    content: String,
}

impl PolicyShape {
    pub(super) fn new(organization: &Organization, policy: &Policy, partition: Partition) -> Self {
        let policy_summary = PolicySummaryShape::new(organization, policy, partition);
        Self { policy_summary, content: policy.content.clone() }
    }
}
