//! ListPermissions: what can be attached, by its default version (reference §10.17).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::catalog::ManagedPermission;
use rampart_core::{Refusal, TimestampMs};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::input::resource_owner;
use super::permission_shapes::PermissionShape;
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place};

const NAME: &str = "ListPermissions";

/// The model's words and those of the parameter's text: all are taken (reference §7.8).
const WITH_MANAGED: [&str; 3] = ["ALL", "AWS_MANAGED", "AWS"];
const CUSTOMER_ONLY: [&str; 2] = ["CUSTOMER_MANAGED", "LOCAL"];
/// The statuses of the model. What AWS manages is always ATTACHABLE.
const STATUSES: [&str; 5] = ["ATTACHABLE", "UNATTACHABLE", "DELETING", "DELETED", "DEPRECATED"];

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_type: Option<String>,
    permission_type: Option<String>,
    permission_status: Option<String>,
    resource_owner: Option<String>,
    #[serde(skip_serializing)]
    next_token: Option<String>,
    #[serde(skip_serializing)]
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    permissions: Vec<PermissionShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let with_managed = check(&app, &input)?;
        let page =
            Page::open(&app, &request.call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        // The place of a permission is its number in the catalog, from one.
        let after = page.after.map_or(0, |place| place.time.0);
        let wanted = |entry: &ManagedPermission| {
            with_managed
                && input.permission_status.as_deref().is_none_or(|status| status == "ATTACHABLE")
                && input
                    .resource_type
                    .as_deref()
                    .is_none_or(|name| name.eq_ignore_ascii_case(&entry.resource_type))
        };
        let mut found: Vec<_> = (1_i64..)
            .zip(app.catalog.permissions())
            .filter(|(number, entry)| *number > after && wanted(entry))
            .collect();
        let place =
            |(number, _): &(i64, &ManagedPermission)| Place { time: TimestampMs(*number), id: Uuid::nil() };
        let next_token = page.cut(&app, &mut found, place);
        let partition = request.call.region.partition();
        let shape = |(_, entry): &(i64, &'static ManagedPermission)| {
            PermissionShape::of_version(entry, entry.default_version(), partition)
        };
        Ok(json(&Output { permissions: found.iter().map(shape).collect(), next_token }))
    })
}

/// Checks the filters; says whether AWS's permissions are asked for.
fn check(app: &App, input: &Input) -> Result<bool, Refusal> {
    let shorten = |text: &str| text.chars().take(64).collect::<String>();
    if let Some(name) = input.resource_type.as_deref().filter(|name| app.catalog.type_named(name).is_none()) {
        return Err(Refusal::ResourceTypeInvalid { value: shorten(name) });
    }
    if let Some(status) = input.permission_status.as_deref().filter(|status| !STATUSES.contains(status)) {
        return Err(Refusal::PermissionStatusInvalid { value: shorten(status) });
    }
    let own = input.resource_owner.as_deref().map_or(Ok(true), |owner| resource_owner(Some(owner)))?;
    match input.permission_type.as_deref().unwrap_or("ALL") {
        kind if WITH_MANAGED.contains(&kind) => Ok(own),
        kind if CUSTOMER_ONLY.contains(&kind) => Ok(false),
        other => Err(Refusal::PermissionKindInvalid { value: shorten(other) }),
    }
}
