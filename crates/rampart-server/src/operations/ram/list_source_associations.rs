//! ListSourceAssociations: from where service principals may call, in the caller's own shares (reference §4.4, §10.10).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::association::Member;
use rampart_core::source::SourceType;
use rampart_core::{AssociationKind, Refusal, ShareArn, TimestampMs};
use rampart_store::AssociationInShare;
use serde::{Deserialize, Serialize};

use super::contents_of::Walk;
use super::input::{association_status, filter_values, share_arn};
use super::status_scopes::scopes_of_status;
use super::visible::check_visible;
use crate::app::{App, Call};
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::Page;

const NAME: &str = "ListSourceAssociations";

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arns: Option<Vec<String>>,
    source_id: Option<String>,
    source_type: Option<String>,
    association_status: Option<String>,
    #[serde(skip_serializing)]
    next_token: Option<String>,
    #[serde(skip_serializing)]
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    source_associations: Vec<SourceShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `AssociatedSource`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceShape {
    resource_share_arn: String,
    source_id: String,
    source_type: &'static str,
    status: &'static str,
    last_updated_time: TimestampMs,
    creation_time: TimestampMs,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let mut input: Input = parse_body(&request.body)?;
        let call = request.call;
        input.resource_share_arns = filter_values(input.resource_share_arns.take(), "resourceShareArns")?;
        association_status(input.association_status.as_deref())?;
        input.source_type.as_deref().map(SourceType::named).transpose()?;
        let parse =
            |arns: &Vec<String>| arns.iter().map(|arn| share_arn(arn)).collect::<Result<Vec<_>, Refusal>>();
        let shares: Option<Vec<ShareArn>> = input.resource_share_arns.as_ref().map(parse).transpose()?;
        let page = Page::open(&app, &call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let walk = Walk::new(&reader, &app, &call, &page, AssociationKind::Source);
        if let Some(shares) = &shares {
            check_visible(&walk, true, shares).await?;
        }
        let source = input.source_id.as_ref().map(std::slice::from_ref);
        let status = input.association_status.as_deref();
        let scopes = scopes_of_status(&walk, status, source, shares.as_deref()).await?;
        let keep = |row: &AssociationInShare| {
            let shape = SourceShape::new(row, &app, &call);
            shares.as_ref().is_none_or(|shares| shares.contains(&row.association.share_arn()))
                && shape.is_some_and(|shape| shape.matches(&input))
        };
        let (rows, next_token) = walk.own(&scopes, keep).await?;
        let source_associations = rows.iter().filter_map(|row| SourceShape::new(row, &app, &call)).collect();
        Ok(json(&Output { source_associations, next_token }))
    })
}

impl SourceShape {
    fn new(row: &AssociationInShare, app: &App, call: &Call) -> Option<Self> {
        let Member::Source { source_type } = &row.association.member else { return None };
        let (status, since) = row.association.status(row.share_deleted, call.now, app.timing());
        Some(Self {
            resource_share_arn: row.association.share_arn().to_string(),
            source_id: row.association.entity.clone(),
            source_type: source_type.as_str(),
            status: status.as_str(),
            last_updated_time: since,
            creation_time: row.association.created,
        })
    }

    fn matches(&self, input: &Input) -> bool {
        input.source_type.as_deref().is_none_or(|wanted| wanted == self.source_type)
            && input.association_status.as_deref().is_none_or(|wanted| wanted == self.status)
    }
}
