//! ListPendingInvitationResources: what an invitation offers, before it is answered (reference §10.13).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::association::Member;
use rampart_core::catalog::RegionScope;
use rampart_core::invitation::check_received;
use rampart_core::{AssociationId, AssociationKind, InvitationStatus, Refusal};
use rampart_store::{AssociationCursor, AssociationInShare, AssociationScope};
use serde::{Deserialize, Serialize};

use super::input::{invitation_arn, required};
use super::offer::load_offer;
use super::shapes::ResourceShape;
use crate::app::{App, Call};
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place};

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
        let after = page.after.map_or(AssociationCursor::START, |place| AssociationCursor {
            created: place.time,
            id: AssociationId(place.id),
        });
        let (owner, region) = (offer.share.owner, offer.share.region);
        let (kind, share) = (AssociationKind::Resource, AssociationScope::Share(offer.share.arn()));
        let limit = page.load_size();
        let mut rows =
            reader.associations(share, owner, region, kind, after, call.now, app.timing(), limit).await?;
        let next_token = page
            .cut(&app, &mut rows, |row| Place { time: row.association.created, id: row.association.id.0 });
        let resources = rows.iter().filter_map(|row| shape(&app, &call, row, scope)).collect();
        Ok(json(&Output { next_token, resources }))
    })
}

/// The resource of a row that has not ended, if its scope is asked for.
fn shape(
    app: &App,
    call: &Call,
    row: &AssociationInShare,
    wanted: Option<RegionScope>,
) -> Option<ResourceShape> {
    let association = &row.association;
    let Member::Resource { resource_type, .. } = &association.member else { return None };
    if association.has_ended(call.now) {
        return None;
    }
    let scope =
        app.catalog.type_named(resource_type).map_or(RegionScope::Regional, |entry| entry.region_scope);
    if wanted.is_some_and(|wanted| wanted != scope) {
        return None;
    }
    let (_, since) = association.status(row.share_deleted, call.now, app.timing());
    Some(ResourceShape {
        arn: association.entity.clone(),
        r#type: resource_type.clone(),
        resource_share_arn: association.share_arn().to_string(),
        status: "AVAILABLE",
        creation_time: association.created,
        last_updated_time: since,
        resource_region_scope: scope.as_str(),
    })
}

/// `ALL`, the default, is no restriction.
fn region_scope(text: Option<&str>) -> Result<Option<RegionScope>, Refusal> {
    match text {
        None | Some("ALL") => Ok(None),
        Some("REGIONAL") => Ok(Some(RegionScope::Regional)),
        Some("GLOBAL") => Ok(Some(RegionScope::Global)),
        Some(other) => Err(Refusal::RegionScopeInvalid { value: other.chars().take(64).collect() }),
    }
}
