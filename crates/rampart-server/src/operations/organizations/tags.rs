//! TagResource, UntagResource, ListTagsForResource: of roots, units, accounts and policies.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::organization::refusal::Fault;
use rampart_core::organization::tags::{check_key, check_number};
use rampart_core::organization::{Organization, PolicyId};
use rampart_core::{Decision, OrganizationChange, OrganizationRefusal};
use rampart_store::{Abort, Reader, Transaction};
use serde::{Deserialize, Serialize};

use super::input::{TagShape, invalid, required, tags, target_id};
use super::managing::{At, Managing, Nothing, done, manage, managed_by};
use super::pages::Page;
use super::tree::target_name;
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};

/// Checks that the resource of a call is one of the organization's.
async fn check_resource<'a>(
    reader: &Reader,
    organization: &Organization,
    resource: Option<&'a str>,
) -> Result<&'a str, Abort> {
    let text = required(resource, "ResourceId")?;
    let is_there = match PolicyId::parse(text) {
        Some(policy) if policy.is_full_access() => {
            return Err(invalid("ResourceId", Fault::ImmutablePolicy).into());
        }
        Some(policy) => reader.policy(organization.management, &policy).await?.is_some(),
        None => {
            let target = target_id(resource, "ResourceId")?;
            target_name(reader, organization, &target).await?.is_some()
        }
    };
    if is_there { Ok(text) } else { Err(OrganizationRefusal::TargetNotFound.into()) }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct TagInput {
    resource_id: Option<String>,
    tags: Option<Vec<TagShape>>,
}

pub(crate) fn tag_resource(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: TagInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for TagInput {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let added = tags(self.tags.as_deref().ok_or_else(|| invalid("Tags", Fault::Required))?)?;
        let resource = check_resource(tx, at.organization, self.resource_id.as_deref()).await?.to_owned();
        let management = at.organization.management;
        let present = tx.organization_tags(management, &resource).await?;
        let kept = present.iter().filter(|tag| added.iter().all(|new| new.key != tag.key)).count();
        check_number(kept + added.len())?;
        Ok(done(vec![OrganizationChange::Tagged { management, resource, added, removed: Vec::new() }]))
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct UntagInput {
    resource_id: Option<String>,
    tag_keys: Option<Vec<String>>,
}

pub(crate) fn untag_resource(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: UntagInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for UntagInput {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let removed = self.tag_keys.clone().ok_or_else(|| invalid("TagKeys", Fault::Required))?;
        check_number(removed.len())?;
        removed.iter().try_for_each(|key| check_key(key))?;
        let resource = check_resource(tx, at.organization, self.resource_id.as_deref()).await?.to_owned();
        let management = at.organization.management;
        Ok(done(vec![OrganizationChange::Tagged { management, resource, added: Vec::new(), removed }]))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListInput {
    resource_id: Option<String>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    tags: Vec<TagShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn list_tags_for_resource(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListInput = parse_body(&request.body)?;
        let call = request.call;
        let page = Page::open(&app, &call, &input.resource_id, None, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        let resource = check_resource(&reader, &organization, input.resource_id.as_deref()).await?;
        let mut tags = reader.organization_tags(organization.management, resource).await?;
        tags.retain(|tag| tag.key.as_str() > page.after());
        let next_token = page.cut(&app, &mut tags, |tag| &tag.key);
        Ok(json(&ListOutput { tags: tags.into_iter().map(TagShape::new).collect(), next_token }))
    })
}
