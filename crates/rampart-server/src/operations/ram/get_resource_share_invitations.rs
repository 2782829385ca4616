//! GetResourceShareInvitations: what the caller was sent (reference §5.3, §10.11). One query, or one per filter value.

use std::sync::Arc;

use futures_util::future::try_join_all;
use rampart_aws::rest_json::parse_body;
use rampart_core::{Invitation, InvitationArn, InvitationId, Refusal, ShareArn};
use rampart_store::{InvitationCursor, Reader, StoreError};
use serde::{Deserialize, Serialize};

use super::input::{filter_values, invitation_arn, share_arn};
use super::shapes::InvitationShape;
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place};

const NAME: &str = "GetResourceShareInvitations";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_invitation_arns: Option<Vec<String>>,
    resource_share_arns: Option<Vec<String>>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    resource_share_invitations: Vec<InvitationShape>,
}

type Named = (Invitation, String);

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let call = request.call;
        let arns = filter_values(input.resource_share_invitation_arns, "resourceShareInvitationArns")?;
        let shares = filter_values(input.resource_share_arns, "resourceShareArns")?;
        let page =
            Page::open(&app, &call, NAME, &(&arns, &shares), input.max_results, input.next_token.as_deref())?;
        let parse =
            |arns: Vec<String>| arns.iter().map(|arn| invitation_arn(arn)).collect::<Result<Vec<_>, _>>();
        let arns = arns.map(parse).transpose()?;
        let parse = |arns: Vec<String>| arns.iter().map(|arn| share_arn(arn)).collect::<Result<Vec<_>, _>>();
        let shares = shares.map(parse).transpose()?;
        let mut found = load(&app, &call, &page, arns.as_deref(), shares.as_deref()).await?;
        let next_token = page.cut(&app, &mut found, |(invitation, _)| place(invitation));
        let shape = |(invitation, name): &Named| InvitationShape::new(invitation, name, call.now);
        let output = Output { next_token, resource_share_invitations: found.iter().map(shape).collect() };
        Ok(json(&output))
    })
}

async fn load(
    app: &App,
    call: &Call,
    page: &Page,
    arns: Option<&[InvitationArn]>,
    shares: Option<&[ShareArn]>,
) -> Result<Vec<Named>, Failure> {
    let reader = app.store.reader().await?;
    let after = page.after.map_or(InvitationCursor::START, |place| InvitationCursor {
        created: place.time,
        id: InvitationId(place.id),
    });
    let (now, timing, limit) = (call.now, app.timing(), page.load_size());
    let mut found = match (arns, shares) {
        (Some(arns), _) => {
            let named = try_join_all(arns.iter().map(|arn| load_one(&reader, app, call, *arn))).await?;
            let mut found = Vec::new();
            for (arn, named) in arns.iter().zip(named) {
                found.push(named.ok_or(Refusal::InvitationNotFound { invitation: *arn })?);
            }
            found.retain(|(invitation, _)| {
                let of_share =
                    |share: &ShareArn| share.owner == invitation.sender && share.id == invitation.share;
                shares.is_none_or(|shares| shares.iter().any(of_share)) && cursor(invitation) > after
            });
            found
        }
        (None, Some(shares)) => {
            let here = shares.iter().filter(|share| share.region == call.region);
            let pages = here.map(|share| {
                reader.received_invitations_for_share(call.account, *share, after, now, timing, limit)
            });
            try_join_all(pages).await?.into_iter().flatten().collect()
        }
        (None, None) => {
            reader.received_invitations(call.account, call.region, after, now, timing, limit).await?
        }
    };
    found.sort_by_key(|(invitation, _)| cursor(invitation));
    Ok(found)
}

/// An invitation by its ARN, if the caller can see it.
async fn load_one(
    reader: &Reader,
    app: &App,
    call: &Call,
    arn: InvitationArn,
) -> Result<Option<Named>, StoreError> {
    let visible = |invitation: &Invitation| {
        invitation.receiver == call.account
            && invitation.region == call.region
            && invitation.is_visible(call.now, app.timing())
    };
    let Some(invitation) = reader.invitation(arn).await?.filter(visible) else { return Ok(None) };
    let share = ShareArn { owner: invitation.sender, region: invitation.region, id: invitation.share };
    let name = match reader.resource_share(share).await? {
        None => invitation.share_name.clone(),
        Some(share) => {
            let kept = share.deleted.is_none_or(|deleted| invitation.outlives_share(deleted));
            kept.then_some(share.name)
        }
    };
    Ok(name.map(|name| (invitation, name)))
}

fn cursor(invitation: &Invitation) -> InvitationCursor {
    InvitationCursor { created: invitation.created, id: invitation.id }
}

fn place(invitation: &Invitation) -> Place {
    Place { time: invitation.created, id: invitation.id.0 }
}
