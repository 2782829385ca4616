//! ListResourceTypes: what can be shared at all (reference §10.16). Reads the catalog, not the store.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::TimestampMs;
use rampart_core::catalog::ResourceType;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::input::region_scope;
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place};

const NAME: &str = "ListResourceTypes";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    next_token: Option<String>,
    max_results: Option<i64>,
    resource_region_scope: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    resource_types: Vec<Shape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape<'a> {
    resource_type: &'a str,
    service_name: &'a str,
    resource_region_scope: &'static str,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let scope = region_scope(input.resource_region_scope.as_deref())?;
        let filters = &input.resource_region_scope;
        let page =
            Page::open(&app, &request.call, NAME, filters, input.max_results, input.next_token.as_deref())?;
        // The place of a type is its number in the catalog, from one.
        let after = page.after.map_or(0, |place| place.time.0);
        let numbered = (1_i64..).zip(app.catalog.types()).filter(|(number, entry)| {
            *number > after && scope.is_none_or(|scope| entry.region_scope == scope)
        });
        let mut types: Vec<(i64, &ResourceType)> = numbered.collect();
        let place =
            |(number, _): &(i64, &ResourceType)| Place { time: TimestampMs(*number), id: Uuid::nil() };
        let next_token = page.cut(&app, &mut types, place);
        let shape = |(_, entry): &(i64, &'static ResourceType)| Shape {
            resource_type: &entry.name,
            service_name: &entry.service_name,
            resource_region_scope: entry.region_scope.as_str(),
        };
        Ok(json(&Output { resource_types: types.iter().map(shape).collect(), next_token }))
    })
}
