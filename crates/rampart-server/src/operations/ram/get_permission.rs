//! GetPermission: a permission with its text (reference §10.18).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::Refusal;
use rampart_core::permission::find;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::input::required;
use super::permission_shapes::PermissionShape;
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};

#[expect(clippy::struct_field_names, reason = "AWS's own names")]
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    permission_arn: Option<String>,
    permission_version: Option<i64>,
    permission_template_parameters: Option<Vec<IgnoredAny>>,
}

#[derive(Serialize)]
struct Output {
    permission: PermissionShape,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let arn = required(input.permission_arn, "permissionArn")?;
        if input.permission_template_parameters.is_some_and(|list| !list.is_empty()) {
            return Err(Refusal::PermissionTemplatesUnsupported.into());
        }
        let partition = request.call.region.partition();
        let permission = find(app.catalog, &arn, partition)?;
        let wanted = input.permission_version.unwrap_or_else(|| i64::from(permission.default_version()));
        let version = permission.versions().find(|version| i64::from(*version) == wanted);
        let not_found =
            || Refusal::PermissionVersionNotFound { permission: permission.name.clone(), version: wanted };
        let version = version.ok_or_else(not_found)?;
        Ok(json(&Output { permission: PermissionShape::with_text(permission, version, partition) }))
    })
}
