//! TagResource: labels on a resource share, or on a permission of one's own (reference §10.34).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::permission::{CustomerPermission, PermissionArn, PermissionName, customer};
use rampart_core::resource_share::{Tag, decide_tag};
use rampart_core::{Refusal, ResourceShare, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::{required, share_arn};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "TagResource";

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arn: Option<String>,
    resource_arn: Option<String>,
    tags: Option<Vec<TagInput>>,
}

/// A tag as it came.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct TagInput {
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
}

#[derive(Serialize)]
struct Output {}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let (share, resource) = (input.resource_share_arn.as_deref(), input.resource_arn.as_deref());
        let target = Target::named(&request.call, share, resource)?;
        let once = Once::new(&request.call, NAME, None, &input)?;
        let tags = tags(required(input.tags, "tags")?)?;
        let owner = request.call.account;
        write(&app, owner, AddTags { call: request.call, target, tags, once }).await
    })
}

/// What is tagged.
pub(super) enum Target {
    Share(ShareArn),
    /// The name of one of the caller's own permissions.
    Permission(String),
}

impl Target {
    /// What is meant: exactly one of both members names it (reference §10.34).
    pub(super) fn named(call: &Call, share: Option<&str>, resource: Option<&str>) -> Result<Self, Refusal> {
        match (share, resource) {
            (Some(share), None) => share_arn(share).map(Self::Share),
            (None, Some(resource)) => {
                let malformed =
                    |_| Refusal::ResourceArnMalformed { arn: resource.chars().take(256).collect() };
                let arn = rampart_core::Arn::parse(resource).map_err(malformed)?;
                let permission = PermissionArn::parse(resource, call.region.partition()).ok();
                match permission.and_then(|permission| permission.name_for(call.account, call.region)) {
                    Some(PermissionName::Customer(name)) => Ok(Self::Permission(name)),
                    // AWS's permissions cannot be tagged, and others' things are not found (reference §7.1).
                    _ => Err(Refusal::TaggedResourceNotFound { arn: arn.into_string() }),
                }
            }
            _ => Err(Refusal::TagTargetMissing),
        }
    }

    /// The permission, if it is the caller's.
    pub(super) async fn permission(
        name: &str,
        tx: &Transaction,
        call: &Call,
    ) -> Result<CustomerPermission, Abort> {
        let permission = tx.permission(call.account, call.region, name).await?;
        let arn = PermissionName::Customer(name.to_owned()).arn(call.account, call.region);
        let not_found = Refusal::TaggedResourceNotFound { arn };
        Ok(permission.filter(|row| row.deleted.is_none()).ok_or(not_found)?)
    }

    /// The share, if it is the caller's and not deleted.
    // AWS: neither operation models InvalidStateTransition, so a deleted share is unknown (reference §3.1).
    pub(super) async fn share(arn: ShareArn, tx: &Transaction, call: &Call) -> Result<ResourceShare, Abort> {
        let not_found = Refusal::ShareNotFound { share: arn };
        if !call.owns(arn) {
            return Err(not_found.into());
        }
        let share = tx.resource_share(arn).await?;
        Ok(share.filter(|share| share.deleted.is_none()).ok_or(not_found)?)
    }
}

/// Tags with their keys and values.
// AWS: a value is required, and may be empty (reference §10.34).
pub(super) fn tags(input: Vec<TagInput>) -> Result<Vec<Tag>, Refusal> {
    let tag = |tag: TagInput| {
        Ok(Tag { key: required(tag.key, "tags.key")?, value: required(tag.value, "tags.value")? })
    };
    input.into_iter().map(tag).collect()
}

struct AddTags {
    call: Call,
    target: Target,
    tags: Vec<Tag>,
    once: Once,
}

impl Work for AddTags {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let changes = match &self.target {
            Target::Share(arn) => {
                let share = Target::share(*arn, tx, &self.call).await?;
                decide_tag(&share, self.tags.clone())?
            }
            Target::Permission(name) => {
                customer::decide_tag(&Target::permission(name, tx, &self.call).await?, self.tags.clone())?
            }
        };
        tx.apply(&changes, self.call.now).await?;
        self.once.answer(tx, &Output {}).await
    }
}
