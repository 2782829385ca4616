//! GetPermission: a permission with its text (reference §10.18).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::permission::parameters::Values;
use rampart_core::permission::{Attachable, Found, PermissionVersion, find, find_shared};
use rampart_core::{AccountId, Refusal};
use serde::{Deserialize, Serialize};

use super::input::required;
use super::permission_shapes::PermissionShape;
use super::permissions::{ValuesInput, not_found, not_found_of, values};
use super::shared_permissions::{load, visible_versions};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::{Answer, Request};

#[expect(clippy::struct_field_names, reason = "AWS's own names")]
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    permission_arn: Option<String>,
    permission_version: Option<i64>,
    permission_template_parameters: Option<Vec<ValuesInput>>,
}

#[derive(Serialize)]
struct Output {
    permission: PermissionShape,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let arn = required(input.permission_arn, "permissionArn")?;
        let values = values(input.permission_template_parameters)?;
        let (call, version) = (request.call, input.permission_version);
        if let Some((owner, name)) = find_shared(&arn, call.account, call.region) {
            let permission = others(&app, &call, owner, &name, version, &values).await?;
            return Ok(json(&Output { permission }));
        }
        let permission = match find(app.catalog, &arn, call.account, call.region)? {
            Found::Managed(permission) => {
                Attachable::managed(permission).bind(&values)?;
                let wanted = version.unwrap_or_else(|| i64::from(permission.default_version()));
                let number = permission.versions().find(|version| i64::from(*version) == wanted);
                let number = number.ok_or_else(|| no_version(&permission.name, wanted))?;
                PermissionShape::of_managed(permission, number, &call)
                    .with_text(permission.policy_template(number))
            }
            Found::Own(name) => own(&app, &call, &name, version, &values).await?,
        };
        Ok(json(&Output { permission }))
    })
}

fn no_version(permission: &str, version: i64) -> Refusal {
    Refusal::PermissionVersionNotFound { permission: permission.to_owned(), version }
}

/// One of the caller's own: two queries, one after the other.
async fn own(
    app: &App,
    call: &Call,
    name: &str,
    number: Option<i64>,
    values: &Values,
) -> Result<PermissionShape, Failure> {
    let reader = app.store.reader().await?;
    let permission = reader.permission(call.account, call.region, name).await?;
    let permission = permission.filter(|row| row.status(call.now, app.timing()).is_some());
    let permission = permission.ok_or_else(|| not_found(call, name))?;
    let number = number.unwrap_or_else(|| i64::from(permission.default.number));
    let version = reader.permission_version(call.account, call.region, name, number).await?;
    let status = version.as_ref().and_then(|row| permission.status_of(row, call.now, app.timing()));
    let (Some(version), Some(status)) = (version, status) else {
        return Err(no_version(name, number).into());
    };
    let text = text(&version, values)?;
    Ok(PermissionShape::of_own(&permission, &version.head, status).with_text(Some(text)))
}

/// As it was given, or with values in the place of its parameters (reference §7.4).
fn text(version: &PermissionVersion, values: &Values) -> Result<String, Refusal> {
    if values.is_empty() { Ok(version.template.clone()) } else { version.render(values) }
}

/// Another account's, seen through a share: the version that was asked for, or the newest that is seen.
async fn others(
    app: &App,
    call: &Call,
    owner: AccountId,
    name: &str,
    number: Option<i64>,
    values: &Values,
) -> Result<PermissionShape, Failure> {
    let reader = app.store.reader().await?;
    let seen = visible_versions(&reader, app, call, owner, name).await?;
    let newest = seen.last().copied().ok_or_else(|| not_found_of(owner, call, name))?;
    let number = number.unwrap_or_else(|| i64::from(newest));
    let known = seen.iter().copied().find(|version| i64::from(*version) == number);
    let found = match known {
        Some(known) => load(&reader, call, owner, name, known).await?,
        None => None,
    };
    let (permission, version) = found.ok_or_else(|| no_version(name, number))?;
    let status = permission.status_of(&version, call.now, app.timing());
    let status = status.ok_or_else(|| no_version(name, number))?;
    let shape = PermissionShape::of_other(&permission, &version.head, status);
    Ok(shape.with_text(Some(text(&version, values)?)))
}
