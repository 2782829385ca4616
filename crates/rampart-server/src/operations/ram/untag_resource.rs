//! UntagResource: takes labels off a resource share, or off a permission of one's own (reference §10.35).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::permission::customer;
use rampart_core::resource_share::decide_untag;
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::required;
use super::tag_resource::Target;
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
        let (share, resource) = (input.resource_share_arn.as_deref(), input.resource_arn.as_deref());
        let target = Target::named(&request.call, share, resource)?;
        let once = Once::new(&request.call, NAME, None, &input)?;
        let keys = required(input.tag_keys, "tagKeys")?;
        let owner = request.call.account;
        write(&app, owner, RemoveTags { call: request.call, target, keys, once }).await
    })
}

struct RemoveTags {
    call: Call,
    target: Target,
    keys: Vec<String>,
    once: Once,
}

impl Work for RemoveTags {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let changes = match &self.target {
            Target::Share(arn) => decide_untag(&Target::share(*arn, tx, &self.call).await?, &self.keys)?,
            Target::Permission(name) => {
                customer::decide_untag(&Target::permission(name, tx, &self.call).await?, &self.keys)?
            }
        };
        tx.apply(&changes, self.call.now).await?;
        self.once.answer(tx, &Output {}).await
    }
}
