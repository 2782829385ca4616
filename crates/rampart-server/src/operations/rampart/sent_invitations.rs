//! `GET /rampart/v1/sent-invitations` shows the caller what it sent in the Region, and `DELETE` takes one back that waits.
//! On AWS a sender sees neither.

use std::sync::Arc;

use rampart_aws::query::{Form, parse_form};
use rampart_core::disassociate::decide_disassociate;

use rampart_core::invitation::{Found, check_pending};
use rampart_core::{Invitation, InvitationArn, InvitationId, Refusal, TimestampMs};
use rampart_store::{Abort, Transaction, Work};
use serde::Serialize;

use crate::app::{App, Call};
use crate::idempotency::json;
use crate::operations::ram::input::{invitation_arn, required};
use crate::operations::ram::offer::load_offer;
use crate::operations::ram::shapes::InvitationShape;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place};

const NAME: &str = "GetSentInvitations";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    resource_share_invitations: Vec<InvitationShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn get(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let query = parse_form(request.query.as_bytes())?;
        let call = request.call;
        let page = Page::open(&app, &call, NAME, &(), max_results(&query)?, query.get("nextToken"))?;
        let after = InvitationId(page.after.unwrap_or(Place::START).id);
        let reader = app.store.reader().await?;
        let mut sent = reader.sent_invitations(call.account, call.region, after, page.load_size()).await?;
        let next_token = page.cut(&app, &mut sent, |(sent, _)| Place { time: TimestampMs(0), id: sent.id.0 });
        let shape = |(sent, share): &(Invitation, String)| InvitationShape::new(sent, share, call.now);
        let resource_share_invitations = sent.iter().map(shape).collect();
        Ok(json(&Output { resource_share_invitations, next_token }))
    })
}

fn max_results(query: &Form) -> Result<Option<i64>, Refusal> {
    let parse = |text: &str| text.parse().map_err(|_| Refusal::PageSizeOutOfRange { page_size: 0 });
    query.get("maxResults").map(parse).transpose()
}

pub(crate) fn delete(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let query = parse_form(request.query.as_bytes())?;
        let text = required(query.get("resourceShareInvitationArn"), "resourceShareInvitationArn")?;
        let arn = invitation_arn(text)?;
        let partition = app.store.partition_of(request.call.account);
        let command = Withdraw { app: Arc::clone(&app), call: request.call, arn };
        Ok(app.store.write(partition, command).await?)
    })
}

struct Withdraw {
    app: Arc<App>,
    call: Call,
    arn: InvitationArn,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Withdrawn {
    return_value: bool,
}

impl Work for Withdraw {
    type Reply = String;

    /// As if its principals were taken out of the share.
    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        let is_own = self.arn.sender == self.call.account && self.arn.region == self.call.region;
        let not_found = Refusal::InvitationNotFound { invitation: self.arn };
        let offer = if is_own { load_offer(tx, self.arn).await? } else { None };
        let offer = match offer {
            Some(Found::Offer(offer)) if offer.share.deleted.is_none() => offer,
            _ => return Err(not_found.into()),
        };
        let (now, timing) = (self.call.now, self.app.timing());
        check_pending(&offer.invitation, now)?;
        let company = &offer.associations;
        let named = company.iter().map(|row| (row.entity.as_str(), Some(row.clone()))).collect();
        // Nothing that was invited rests on a membership.
        let decision = decide_disassociate(&offer.share, named, company, offer.usage, None, now, timing)?;
        tx.apply(&decision.changes, now).await?;
        Ok(json(&Withdrawn { return_value: true }))
    }
}
