//! AcceptResourceShareInvitation and RejectResourceShareInvitation: the receiver takes what it was offered, or turns it
//! down (reference §5.4, §10.12).

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_core::invitation::{Offer, check_received, decide_accept, decide_reject};
use rampart_core::{Decision, Invitation, InvitationArn, Refusal, TimestampMs, Timing};
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

/// What becomes of an offer that waits for the caller.
type Decide = fn(Offer, TimestampMs, &Timing) -> Result<Decision<Invitation>, Refusal>;

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

pub(crate) fn accept(app: Arc<App>, request: Request) -> Answer {
    answer(app, request, "AcceptResourceShareInvitation", decide_accept)
}

pub(crate) fn reject(app: Arc<App>, request: Request) -> Answer {
    answer(app, request, "RejectResourceShareInvitation", decide_reject)
}

fn answer(app: Arc<App>, request: Request, operation: &'static str, decide: Decide) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let text = required(input.resource_share_invitation_arn, "resourceShareInvitationArn")?;
        let arn = invitation_arn(&text)?;
        let once = Once::new(&request.call, operation, input.client_token.as_deref(), &text)?;
        let timing = *app.timing();
        let client_token = input.client_token;
        let command = AnswerInvitation { call: request.call, arn, decide, client_token, once, timing };
        write(&app, arn.sender, command).await
    })
}

struct AnswerInvitation {
    call: Call,
    arn: InvitationArn,
    decide: Decide,
    client_token: Option<String>,
    once: Once,
    timing: Timing,
}

impl Work for AnswerInvitation {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        let now = self.call.now;
        let load = async { Ok(load_offer(tx, self.arn).await?) };
        let (recalled, offer) = try_join(self.once.recall(tx), load).await?;
        if let Some(answer) = recalled {
            return Ok(answer);
        }
        let (account, region) = (self.call.account, self.call.region);
        let offer = check_received(offer, self.arn, account, region, now, &self.timing)?;
        let share_name = offer.share.name.clone();
        let decision = (self.decide)(offer, now, &self.timing)?;
        tx.apply(&decision.changes, now).await?;
        let output = Output {
            resource_share_invitation: InvitationShape::new(&decision.reply, &share_name, now),
            client_token: self.client_token.clone(),
        };
        self.once.answer(tx, &output).await
    }
}
