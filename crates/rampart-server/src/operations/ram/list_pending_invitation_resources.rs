//! ListPendingInvitationResources: what an invitation offers, before it is answered (reference §10.13).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::invitation::check_received;
use rampart_core::{AssociationKind, InvitationStatus, Refusal};
use rampart_store::{AssociationInShare, AssociationScope};
use serde::{Deserialize, Serialize};

use super::contents_of::Walk;
use super::input::{invitation_arn, region_scope, required};
use super::offer::load_offer;
use super::shapes::{ResourceShape, scope_of};
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::Page;

const NAME: &str = "ListPendingInvitationResources";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_invitation_arn: Option<String>,
    resource_region_scope: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    resources: Vec<ResourceShape>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let call = request.call;
        let text = required(input.resource_share_invitation_arn, "resourceShareInvitationArn")?;
        let scope = region_scope(input.resource_region_scope.as_deref())?;
        let filters = (&text, &input.resource_region_scope);
        let page = Page::open(&app, &call, NAME, &filters, input.max_results, input.next_token.as_deref())?;
        let arn = invitation_arn(&text)?;
        let reader = app.store.reader().await?;
        let offer = load_offer(&reader, arn).await?;
        let offer = check_received(offer, arn, call.account, call.region, call.now, app.timing())?;
        match offer.invitation.status(call.now) {
            InvitationStatus::Pending => {}
            // AWS: AlreadyAccepted is not modelled here; an empty list is the recommended choice (reference §10.13).
            InvitationStatus::Accepted => {
                return Ok(json(&Output { next_token: None, resources: Vec::new() }));
            }
            InvitationStatus::Rejected => {
                return Err(Refusal::InvitationAlreadyRejected { invitation: arn }.into());
            }
            InvitationStatus::Expired => return Err(Refusal::InvitationExpired { invitation: arn }.into()),
        }
        let walk = Walk::new(&reader, &app, &call, &page, AssociationKind::Resource);
        let keep = |row: &AssociationInShare| {
            let resource_type = row.association.resource_type().unwrap_or_default();
            !row.association.has_ended(call.now)
                && scope.is_none_or(|wanted| wanted == scope_of(&app, resource_type))
        };
        let (rows, next_token) = walk.own(&[AssociationScope::Share(offer.share.arn())], keep).await?;
        let shape = |row: &AssociationInShare| ResourceShape::of_row(row, true, &app, &call);
        Ok(json(&Output { next_token, resources: rows.iter().filter_map(shape).collect() }))
    })
}
