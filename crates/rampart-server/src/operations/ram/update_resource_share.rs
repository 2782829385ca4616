//! UpdateResourceShare: another name, or another reach (reference §10.3).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::resource_share::{check_update, decide_update};
use rampart_core::{Refusal, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write_past_what_is_over;
use super::effect::circle_for;
use super::input::{required, share_arn};
use super::shapes::{ResourceShareShape, View};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "UpdateResourceShare";

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arn: Option<String>,
    name: Option<String>,
    allow_external_principals: Option<bool>,
    #[serde(skip_serializing)]
    client_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    resource_share: ResourceShareShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let share = share_arn(required(input.resource_share_arn.as_deref(), "resourceShareArn")?)?;
        check_update(input.name.as_deref(), input.allow_external_principals)?;
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &input)?;
        let owner = request.call.account;
        let command = Update { app: Arc::clone(&app), call: request.call, share, input, once };
        write_past_what_is_over(&app, owner, command).await
    })
}

struct Update {
    app: Arc<App>,
    call: Call,
    share: ShareArn,
    input: Input,
    once: Once,
}

impl Work for Update {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (now, timing) = (self.call.now, self.app.timing());
        let not_found = Refusal::ShareNotFound { share: self.share };
        if !self.call.owns(self.share) {
            return Err(not_found.into());
        }
        let share = tx.resource_share(self.share).await?.ok_or(not_found)?;
        let (name, allow) = (self.input.name.as_deref(), self.input.allow_external_principals);
        let confines = allow == Some(false) && share.allow_external_principals;
        let circle = if confines { circle_for(tx, share.owner, &[], &[]).await? } else { None };
        let decision = decide_update(&share, name, allow, circle.as_ref(), now)?;
        tx.apply(&decision.changes, now).await?;
        let resource_share = ResourceShareShape::new(&decision.reply, View::Written, now, timing);
        let resource_share = resource_share.expect("a share that was updated is not deleted");
        self.once.answer(tx, &Output { resource_share, client_token: self.input.client_token.clone() }).await
    }
}
