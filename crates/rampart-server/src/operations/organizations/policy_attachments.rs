//! AttachPolicy, DetachPolicy, ListPoliciesForTarget, ListTargetsForPolicy.

use std::sync::Arc;

use futures_util::future::try_join_all;
use rampart_aws::rest_json::parse_body;
use rampart_core::organization::policy::{
    AttachmentChange, attached, decide_attach, decide_detach, is_known_type,
};
use rampart_core::organization::{Organization, OrganizationRefusal, PolicyId, TargetId};
use rampart_core::{Decision, OrganizationChange};
use rampart_store::{Abort, Reader, Transaction};
use serde::{Deserialize, Serialize};

use super::input::{policy_id, required, target_id};
use super::managing::{At, Managing, Nothing, done, manage, managed_by};
use super::pages::Page;
use super::policies::{ListOutput, policy};
use super::shapes::PolicySummaryShape;
use super::tree::{ROOT_NAME, target_name, target_type};
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct AttachmentInput {
    policy_id: Option<String>,
    target_id: Option<String>,
}

impl AttachmentInput {
    /// The policy and the target, both of which are there.
    async fn load(&self, tx: &Transaction, at: &At<'_>) -> Result<(PolicyId, TargetId), Abort> {
        let id = policy_id(self.policy_id.as_deref())?;
        let target = target_id(self.target_id.as_deref(), "TargetId")?;
        policy(tx, at.organization, &id).await?;
        check_target(tx, at.organization, &target).await?;
        Ok((id, target))
    }
}

async fn check_target(reader: &Reader, organization: &Organization, target: &TargetId) -> Result<(), Abort> {
    match target_name(reader, organization, target).await? {
        Some(_) => Ok(()),
        None => Err(OrganizationRefusal::TargetNotFound.into()),
    }
}

fn changed(change: AttachmentChange) -> Decision<Nothing> {
    done(vec![match change {
        AttachmentChange::Stored(row) => OrganizationChange::AttachmentStored(row),
        AttachmentChange::Removed(row) => OrganizationChange::AttachmentDeleted(row),
    }])
}

#[derive(Serialize)]
#[serde(transparent)]
struct Attach(AttachmentInput);

pub(crate) fn attach_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: AttachmentInput = parse_body(&request.body)?;
        manage(app, request.call, Attach(input)).await
    })
}

impl Managing for Attach {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let (policy, target) = self.0.load(tx, at).await?;
        let rows = tx.attachments_of(at.organization, &target).await?;
        Ok(changed(decide_attach(at.organization, &target, &policy, &rows)?))
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Detach(AttachmentInput);

pub(crate) fn detach_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: AttachmentInput = parse_body(&request.body)?;
        manage(app, request.call, Detach(input)).await
    })
}

impl Managing for Detach {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let (policy, target) = self.0.load(tx, at).await?;
        let rows = tx.attachments_of(at.organization, &target).await?;
        Ok(changed(decide_detach(at.organization, &target, &policy, &rows)?))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListPoliciesInput {
    target_id: Option<String>,
    filter: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

pub(crate) fn list_policies_for_target(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListPoliciesInput = parse_body(&request.body)?;
        let call = request.call;
        let target = target_id(input.target_id.as_deref(), "TargetId")?;
        let filter = required(input.filter.as_deref(), "Filter")?;
        let is_spoken = is_known_type(filter, "Filter")?;
        let filters = (&target, filter);
        let page = Page::open(&app, &call, &filters, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        check_target(&reader, &organization, &target).await?;
        let mut ids = Vec::new();
        if is_spoken && organization.policies_enabled {
            ids = attached(&reader.attachments_of(&organization, &target).await?);
            ids.retain(|id| id.as_str() > page.after());
            ids.sort();
        }
        let next_token = page.cut(&app, &mut ids, PolicyId::as_str);
        let policies = try_join_all(ids.iter().map(|id| policy(&reader, &organization, id))).await?;
        let partition = call.region.partition();
        let shape = |policy| PolicySummaryShape::new(&organization, policy, partition);
        Ok(json(&ListOutput { policies: policies.iter().map(shape).collect(), next_token }))
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListTargetsInput {
    policy_id: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListTargetsOutput {
    targets: Vec<TargetShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TargetShape {
    target_id: String,
    arn: String,
    name: String,
    r#type: &'static str,
}

pub(crate) fn list_targets_for_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListTargetsInput = parse_body(&request.body)?;
        let call = request.call;
        let id = policy_id(input.policy_id.as_deref())?;
        let page = Page::open(&app, &call, &id, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        policy(&reader, &organization, &id).await?;
        let mut targets = match (organization.policies_enabled, id.is_full_access()) {
            (false, _) => Vec::new(),
            (true, false) => targets_of(&reader, &organization, &id, &page).await?,
            (true, true) => all_targets(&reader, &organization, &page).await?,
        };
        let next_token = page.cut(&app, &mut targets, |(target, _, _)| target.as_str());
        let shape = |(target, name, _): (TargetId, String, bool)| TargetShape {
            target_id: target.as_str().to_owned(),
            arn: organization.target_arn(call.region.partition(), &target),
            name,
            r#type: target_type(&target),
        };
        let attached = targets.into_iter().filter(|(_, _, attached)| *attached);
        Ok(json(&ListTargetsOutput { targets: attached.map(shape).collect(), next_token }))
    })
}

/// A target, its name, and whether the policy is attached to it.
type Target = (TargetId, String, bool);

async fn targets_of(
    reader: &Reader,
    organization: &Organization,
    policy: &PolicyId,
    page: &Page,
) -> Result<Vec<Target>, Abort> {
    let rows = reader.attachments_with(organization, policy, page.after(), page.load_size()).await?;
    let names = try_join_all(rows.iter().map(|row| target_name(reader, organization, &row.target))).await?;
    let found = rows.into_iter().zip(names);
    Ok(found.filter_map(|(row, name)| Some((row.target, name?, true))).collect())
}

/// Every root, unit and account, by id: account ids come before units', and these before the root's. AWS's policy is
/// attached where no row says that it is not.
async fn all_targets(
    reader: &Reader,
    organization: &Organization,
    page: &Page,
) -> Result<Vec<Target>, Abort> {
    let (management, after, size) = (organization.management, page.after(), page.load_size());
    let full_access = PolicyId::full_access();
    let detached = reader.attachments_with(organization, &full_access, after, size).await?;
    let mut targets: Vec<Target> = Vec::new();
    let wanted = usize::try_from(size).expect("a page size fits");
    for member in reader.members(management, after, size).await? {
        targets.push((TargetId::Account(member.account), member.name, true));
    }
    if targets.len() < wanted {
        for unit in reader.units(management, after, size).await? {
            targets.push((TargetId::Parent(unit.id), unit.name, true));
        }
    }
    if organization.root.as_str() > after {
        targets.push((TargetId::Parent(organization.root.clone()), ROOT_NAME.to_owned(), true));
    }
    targets.truncate(wanted);
    for (target, _, attached) in &mut targets {
        *attached = detached.iter().all(|row| row.target != *target);
    }
    Ok(targets)
}
