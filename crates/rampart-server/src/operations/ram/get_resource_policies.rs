//! GetResourcePolicies: what the caller's shares give of its resources, one policy document for each (reference §8,
//! §10.15).
//!
//! A page holds whole documents: it ends when it has as many as were asked for, or when those that it has are so long that
//! the next one is left to the next page. What a document costs is bounded by the owner's quota of associations. Round trips: one to see that all resources are shared (first page), one for each 16 resources, and
//! those of [`ResourceGrants::load`].

use std::sync::Arc;

use futures_util::future::try_join_all;
use rampart_aws::rest_json::parse_body;
use rampart_core::{Arn, Principal, Refusal, TimestampMs};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::input::{filter_values, required};
use super::resource_grants::ResourceGrants;
use crate::app::App;
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place};

const NAME: &str = "GetResourcePolicies";

/// Resources whose shares are looked up together.
const RESOURCES_AT_ONCE: usize = 16;
/// Once the documents of a page are this long together, in bytes, it ends.
const PAGE_LEN_MAX: usize = 256 << 10;

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_arns: Option<Vec<String>>,
    principal: Option<String>,
    #[serde(skip_serializing)]
    next_token: Option<String>,
    #[serde(skip_serializing)]
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    policies: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let mut input: Input = parse_body(&request.body)?;
        let call = request.call;
        input.resource_arns = filter_values(input.resource_arns.take(), "resourceArns")?;
        let arns = required(input.resource_arns.as_deref(), "resourceArns")?;
        check_arns(arns)?;
        // AWS: what the filter means is inferred: the statements that the share's principal of this very text gets.
        let partition = call.region.partition();
        let principal =
            input.principal.as_deref().map(|text| Principal::parse(text, partition)).transpose()?;
        let page = Page::open(&app, &call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let mut grants = ResourceGrants::new(&reader, &app, &call, principal.as_ref());
        if page.after.is_none() {
            grants.check_shared(arns).await?;
        }
        let (policies, next_token) = match page.empty_first(&app) {
            Some(token) => (Vec::new(), Some(token)),
            None => policies(&app, &page, &mut grants, arns).await?,
        };
        Ok(json(&Output { policies, next_token }))
    })
}

fn check_arns(arns: &[String]) -> Result<(), Refusal> {
    match arns.iter().find(|arn| Arn::parse(arn).is_err()) {
        Some(arn) => Err(Refusal::ResourceArnMalformed { arn: arn.chars().take(256).collect() }),
        None => Ok(()),
    }
}

/// The documents of a page. The place of a resource is its number among those that are asked for, from one.
async fn policies(
    app: &App,
    page: &Page,
    grants: &mut ResourceGrants<'_>,
    arns: &[String],
) -> Result<(Vec<String>, Option<String>), Failure> {
    let before = page.after.map_or(0, |place| usize::try_from(place.time.0).unwrap_or(0)).min(arns.len());
    let full = usize::try_from(page.size).expect("a page size fits");
    let (mut policies, mut length, mut done) = (Vec::new(), 0, before);
    for chunk in arns[before..].chunks(RESOURCES_AT_ONCE) {
        let held = try_join_all(chunk.iter().map(|arn| grants.holding(arn))).await?;
        grants.load_ahead(&held).await?;
        for (arn, held) in chunk.iter().zip(&held) {
            if policies.len() == full || length >= PAGE_LEN_MAX {
                let time = TimestampMs(i64::try_from(done).expect("a call names few resources"));
                return Ok((policies, Some(page.token(app, Place { time, id: Uuid::nil() }))));
            }
            grants.load(held.iter().map(|row| row.share)).await?;
            if let Some(document) = grants.document(arn, held) {
                let text = document.to_json();
                length += text.len();
                policies.push(text);
            }
            done += 1;
        }
    }
    Ok((policies, None))
}
