//! UntagResource: takes labels off a resource share (reference §10.35).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::resource_share::decide_untag;
use rampart_core::{Refusal, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::required;
use super::tag_resource::target;
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "UntagResource";

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arn: Option<String>,
    resource_arn: Option<String>,
    tag_keys: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Output {}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let share = target(input.resource_share_arn.as_deref(), input.resource_arn.as_deref())?;
        let once = Once::new(&request.call, NAME, None, &input)?;
        let keys = required(input.tag_keys, "tagKeys")?;
        let owner = request.call.account;
        write(&app, owner, RemoveTags { app: Arc::clone(&app), call: request.call, share, keys, once }).await
    })
}

struct RemoveTags {
    app: Arc<App>,
    call: Call,
    share: ShareArn,
    keys: Vec<String>,
    once: Once,
}

impl Work for RemoveTags {
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
        let changes = decide_untag(&share.ok_or(not_found)?, &self.keys);
        tx.apply(&changes, self.call.now).await?;
        self.once.answer(tx, &Output {}).await
    }
}
