//! CreatePolicy, UpdatePolicy, DeletePolicy, DescribePolicy, ListPolicies: service control policies.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::organization::policy::{
    Policy, check_content, check_description, check_name, check_type_available, is_known_type,
};
use rampart_core::organization::refusal::{Constraint, Fault};
use rampart_core::organization::{FeatureSet, Organization, PolicyId};
use rampart_core::{Decision, OrganizationChange, OrganizationRefusal};
use rampart_store::{Abort, Reader, Transaction};
use serde::{Deserialize, Serialize};

use super::input::{TagShape, invalid, policy_id, required, tags};
use super::managing::{At, Managing, Nothing, decided, done, manage, managed_by};
use super::pages::Page;
use super::shapes::{PolicyShape, PolicySummaryShape};
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};

/// The policy of that id, AWS's own included.
pub(super) async fn policy(
    reader: &Reader,
    organization: &Organization,
    id: &PolicyId,
) -> Result<Policy, Abort> {
    if id.is_full_access() {
        return Ok(Policy::full_access(organization.management));
    }
    Ok(reader.policy(organization.management, id).await?.ok_or(OrganizationRefusal::PolicyNotFound)?)
}

/// The policy of that id, which is none of AWS's.
async fn own_policy(tx: &Transaction, organization: &Organization, id: &PolicyId) -> Result<Policy, Abort> {
    if id.is_full_access() {
        return Err(invalid("PolicyId", Fault::ImmutablePolicy).into());
    }
    policy(tx, organization, id).await
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    policy: PolicyShape,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct CreateInput {
    content: Option<String>,
    description: Option<String>,
    name: Option<String>,
    r#type: Option<String>,
    tags: Option<Vec<TagShape>>,
}

pub(crate) fn create_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: CreateInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl CreateInput {
    /// The new policy, checked.
    fn policy(&self, at: &At<'_>) -> Result<Policy, OrganizationRefusal> {
        let (name, content) = (required(self.name.as_deref(), "Name")?, self.content.as_deref());
        let description = required(self.description.as_deref(), "Description")?;
        let content = required(content, "Content")?;
        check_type_available(at.organization, required(self.r#type.as_deref(), "Type")?, "Type")?;
        check_name(name)?;
        check_description(description)?;
        check_content(content)?;
        let limit = at.app.settings.quotas.service_control_policies;
        if at.organization.policies >= limit {
            return Err(OrganizationRefusal::Constraint(Constraint::PolicyNumber { limit }));
        }
        Ok(Policy {
            management: at.organization.management,
            id: PolicyId::new(at.app.entropy.bytes()),
            name: name.to_owned(),
            description: description.to_owned(),
            content: content.to_owned(),
            created: at.call.now,
        })
    }
}

impl Managing for CreateInput {
    type Reply = Described;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Described>, Abort> {
        let policy = self.policy(at)?;
        let added = tags(self.tags.as_deref().unwrap_or_default())?;
        let management = policy.management;
        if tx.policy_named(management, &policy.name).await?.is_some() || is_name_of_aws(&policy.name) {
            return Err(OrganizationRefusal::DuplicatePolicy.into());
        }
        let organization = Organization { policies: at.organization.policies + 1, ..at.organization.clone() };
        let reply =
            Described { policy: PolicyShape::new(&organization, &policy, at.call.region.partition()) };
        let mut changes = vec![OrganizationChange::Stored(organization)];
        if !added.is_empty() {
            let (resource, removed) = (policy.id.as_str().to_owned(), Vec::new());
            changes.push(OrganizationChange::Tagged { management, resource, added, removed });
        }
        changes.push(OrganizationChange::PolicyStored(policy));
        Ok(decided(changes, reply))
    }
}

fn is_name_of_aws(name: &str) -> bool {
    name == "FullAWSAccess"
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct UpdateInput {
    policy_id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    content: Option<String>,
}

pub(crate) fn update_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: UpdateInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for UpdateInput {
    type Reply = Described;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Described>, Abort> {
        let id = policy_id(self.policy_id.as_deref())?;
        let mut policy = own_policy(tx, at.organization, &id).await?;
        if let Some(name) = self.name.as_ref().filter(|name| **name != policy.name) {
            check_name(name)?;
            if tx.policy_named(policy.management, name).await?.is_some() || is_name_of_aws(name) {
                return Err(OrganizationRefusal::DuplicatePolicy.into());
            }
            policy.name.clone_from(name);
        }
        if let Some(description) = &self.description {
            check_description(description)?;
            policy.description.clone_from(description);
        }
        if let Some(content) = &self.content {
            check_content(content)?;
            policy.content.clone_from(content);
        }
        let reply =
            Described { policy: PolicyShape::new(at.organization, &policy, at.call.region.partition()) };
        Ok(decided(vec![OrganizationChange::PolicyStored(policy)], reply))
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeleteInput {
    policy_id: Option<String>,
}

pub(crate) fn delete_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: DeleteInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for DeleteInput {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let id = policy_id(self.policy_id.as_deref())?;
        let policy = own_policy(tx, at.organization, &id).await?;
        if !tx.attachments_with(at.organization, &policy.id, "", 1).await?.is_empty() {
            return Err(OrganizationRefusal::PolicyInUse.into());
        }
        let policies = at.organization.policies.saturating_sub(1);
        let (management, resource) = (policy.management, policy.id.as_str().to_owned());
        Ok(done(vec![
            OrganizationChange::Stored(Organization { policies, ..at.organization.clone() }),
            OrganizationChange::PolicyDeleted { management, policy: policy.id },
            OrganizationChange::TagsDropped { management, resource },
        ]))
    }
}

pub(crate) fn describe_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: DeleteInput = parse_body(&request.body)?;
        let call = request.call;
        let id = policy_id(input.policy_id.as_deref())?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        let policy = policy(&reader, &organization, &id).await?;
        let policy = PolicyShape::new(&organization, &policy, call.region.partition());
        Ok(json(&Described { policy }))
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListInput {
    filter: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListOutput {
    pub(super) policies: Vec<PolicySummaryShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
}

pub(crate) fn list_policies(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListInput = parse_body(&request.body)?;
        let call = request.call;
        let filter = required(input.filter.as_deref(), "Filter")?;
        let is_spoken = is_known_type(filter, "Filter")?;
        let page = Page::open(&app, &call, &filter, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        let mut policies = Vec::new();
        if is_spoken && organization.feature_set == FeatureSet::All {
            policies = reader.policies(organization.management, page.after(), page.load_size()).await?;
            policies.push(Policy::full_access(organization.management));
            policies.retain(|policy| policy.id.as_str() > page.after());
            policies.sort_by(|one, other| one.id.cmp(&other.id));
        }
        let next_token = page.cut(&app, &mut policies, |policy| policy.id.as_str());
        let partition = call.region.partition();
        let shape = |policy: &Policy| PolicySummaryShape::new(&organization, policy, partition);
        Ok(json(&ListOutput { policies: policies.iter().map(shape).collect(), next_token }))
    })
}
