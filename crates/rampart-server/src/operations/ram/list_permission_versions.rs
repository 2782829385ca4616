//! ListPermissionVersions: all versions of a permission, ascending (reference §10.19).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::TimestampMs;
use rampart_core::permission::find;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::input::required;
use super::permission_shapes::PermissionShape;
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place};

const NAME: &str = "ListPermissionVersions";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    permission_arn: Option<String>,
    next_token: Option<String>,
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
        let arn = required(input.permission_arn, "permissionArn")?;
        let partition = request.call.region.partition();
        let permission = find(app.catalog, &arn, partition)?;
        let page =
            Page::open(&app, &request.call, NAME, &arn, input.max_results, input.next_token.as_deref())?;
        let after = page.after.map_or(0, |place| place.time.0);
        let mut versions: Vec<_> =
            permission.versions().filter(|version| i64::from(*version) > after).collect();
        let place = |version: &u32| Place { time: TimestampMs(i64::from(*version)), id: Uuid::nil() };
        let next_token = page.cut(&app, &mut versions, place);
        let shape = |version: &u32| PermissionShape::of_version(permission, *version, partition);
        Ok(json(&Output { permissions: versions.iter().map(shape).collect(), next_token }))
    })
}
