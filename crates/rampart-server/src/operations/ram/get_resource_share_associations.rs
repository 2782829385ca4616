//! GetResourceShareAssociations: what is in the caller's own shares (reference §10.7).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::{AssociationKind, Refusal, ShareArn};
use rampart_store::AssociationInShare;
use serde::{Deserialize, Serialize};

use super::contents_of::Walk;
use super::input::{association_status, check_resource_arn, filter_values, required, share_arn};
use super::shapes::AssociationShape;
use super::status_scopes::scopes_of_status;
use super::visible::check_visible;
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::Page;

const NAME: &str = "GetResourceShareAssociations";

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    association_type: Option<String>,
    resource_share_arns: Option<Vec<String>>,
    resource_arn: Option<String>,
    principal: Option<String>,
    association_status: Option<String>,
    #[serde(skip_serializing)]
    next_token: Option<String>,
    #[serde(skip_serializing)]
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    resource_share_associations: Vec<AssociationShape>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let mut input: Input = parse_body(&request.body)?;
        let call = request.call;
        let kind = kind(&input)?;
        association_status(input.association_status.as_deref())?;
        input.resource_share_arns = filter_values(input.resource_share_arns.take(), "resourceShareArns")?;
        let parse =
            |arns: &Vec<String>| arns.iter().map(|arn| share_arn(arn)).collect::<Result<Vec<_>, Refusal>>();
        let shares: Option<Vec<ShareArn>> = input.resource_share_arns.as_ref().map(parse).transpose()?;
        let page = Page::open(&app, &call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let walk = Walk::new(&reader, &app, &call, &page, kind);
        if let Some(shares) = &shares {
            check_visible(&walk, true, shares).await?;
        }
        let entity = input.principal.as_ref().or(input.resource_arn.as_ref()).map(std::slice::from_ref);
        let status = input.association_status.as_deref();
        let scopes = scopes_of_status(&walk, status, entity, shares.as_deref()).await?;
        let keep = |row: &AssociationInShare| {
            let (status, _) = row.association.status(row.share_deleted, call.now, app.timing());
            input.association_status.as_deref().is_none_or(|wanted| wanted == status.as_str())
                && shares.as_ref().is_none_or(|shares| shares.contains(&row.association.share_arn()))
        };
        let (rows, next_token) = walk.own(&scopes, keep).await?;
        let shape = |row: &AssociationInShare| AssociationShape::of_row(row, call.now, app.timing());
        Ok(json(&Output { next_token, resource_share_associations: rows.iter().map(shape).collect() }))
    })
}

/// What kind is asked for, with filters that fit it.
// AWS: whether SOURCE is taken is unknown; taking it is the recommended choice (reference §10.7).
fn kind(input: &Input) -> Result<AssociationKind, Refusal> {
    let kind = match required(input.association_type.as_deref(), "associationType")? {
        "PRINCIPAL" => AssociationKind::Principal,
        "RESOURCE" => AssociationKind::Resource,
        "SOURCE" => AssociationKind::Source,
        other => return Err(Refusal::AssociationTypeInvalid { value: other.chars().take(64).collect() }),
    };
    if kind != AssociationKind::Resource && input.resource_arn.is_some() {
        return Err(Refusal::ResourceArnWithPrincipalType);
    }
    if kind != AssociationKind::Principal && input.principal.is_some() {
        return Err(Refusal::PrincipalWithResourceType);
    }
    input.resource_arn.as_deref().map(check_resource_arn).transpose()?;
    Ok(kind)
}
