//! TagResource: labels on a resource share (reference §10.34). Permissions of one's own come with the permissions.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::resource_share::{Tag, decide_tag};
use rampart_core::{Refusal, ShareArn};
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
        let share = target(input.resource_share_arn.as_deref(), input.resource_arn.as_deref())?;
        let once = Once::new(&request.call, NAME, None, &input)?;
        let tags = tags(required(input.tags, "tags")?)?;
        let owner = request.call.account;
        write(&app, owner, AddTags { app: Arc::clone(&app), call: request.call, share, tags, once }).await
    })
}

/// The share that is meant. Exactly one of both members names the target (reference §10.34).
pub(super) fn target(share: Option<&str>, resource: Option<&str>) -> Result<ShareArn, Refusal> {
    match (share, resource) {
        (Some(share), None) => share_arn(share),
        // The one other thing that can be tagged is a permission of one's own, and there is none.
        (None, Some(resource)) => {
            let arn = rampart_core::Arn::parse(resource);
            let arn =
                arn.map_err(|_| Refusal::ResourceArnMalformed { arn: resource.chars().take(256).collect() })?;
            Err(Refusal::TaggedResourceNotFound { arn: arn.into_string() })
        }
        _ => Err(Refusal::TagTargetMissing),
    }
}

/// Tags with their keys; a value that is absent is empty.
pub(super) fn tags(input: Vec<TagInput>) -> Result<Vec<Tag>, Refusal> {
    let tag =
        |tag: TagInput| Ok(Tag { key: required(tag.key, "tags.key")?, value: tag.value.unwrap_or_default() });
    input.into_iter().map(tag).collect()
}

struct AddTags {
    app: Arc<App>,
    call: Call,
    share: ShareArn,
    tags: Vec<Tag>,
    once: Once,
}

impl Work for AddTags {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let not_found = Refusal::ShareNotFound { share: self.share };
        if !self.call.owns(self.share) {
            return Err(not_found.into());
        }
        let share = tx.resource_share(self.share).await?;
        let share = share.filter(|share| share.status(self.call.now, self.app.timing()).is_some());
        let changes = decide_tag(&share.ok_or(not_found)?, self.tags.clone())?;
        tx.apply(&changes, self.call.now).await?;
        self.once.answer(tx, &Output {}).await
    }
}
