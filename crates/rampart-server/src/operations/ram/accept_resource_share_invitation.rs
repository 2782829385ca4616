//! AcceptResourceShareInvitation: the receiver takes what it was offered (reference §5.4, §10.12).

use std::sync::Arc;

use rampart_core::invitation::{check_received, decide_accept};
use rampart_core::{InvitationArn, Timing};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::{invitation_arn, required};
use super::offer::load_offer;
use super::shapes::InvitationShape;
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};
use rampart_aws::rest_json::parse_body;

const NAME: &str = "AcceptResourceShareInvitation";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_invitation_arn: Option<String>,
    client_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    resource_share_invitation: InvitationShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let text = required(input.resource_share_invitation_arn, "resourceShareInvitationArn")?;
        let arn = invitation_arn(&text)?;
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &text)?;
        let timing = *app.timing();
        let command = Accept { call: request.call, arn, client_token: input.client_token, once, timing };
        write(&app, arn.sender, command).await
    })
}

struct Accept {
    call: Call,
    arn: InvitationArn,
    client_token: Option<String>,
    once: Once,
    timing: Timing,
}

impl Work for Accept {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        let now = self.call.now;
        let (recalled, offer) =
            futures_util::future::join(self.once.recall(tx), load_offer(tx, self.arn)).await;
        if let Some(answer) = recalled? {
            return Ok(answer);
        }
        let (account, region) = (self.call.account, self.call.region);
        let offer = check_received(offer?, self.arn, account, region, now, &self.timing)?;
        let share_name = offer.share.name.clone();
        let decision = decide_accept(offer, now, &self.timing)?;
        tx.apply(&decision.changes, now).await?;
        let output = Output {
            resource_share_invitation: InvitationShape::new(&decision.reply, &share_name, now),
            client_token: self.client_token.clone(),
        };
        self.once.answer(tx, &output).await
    }
}
