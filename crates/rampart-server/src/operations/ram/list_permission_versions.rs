//! ListPermissionVersions: all versions of a permission, ascending (reference §10.19).

use std::sync::Arc;

use futures_util::future::try_join_all;
use rampart_aws::rest_json::parse_body;
use rampart_core::TimestampMs;
use rampart_core::permission::{CustomerPermission, Found, PermissionVersion, find, find_shared};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::input::required;
use super::permission_shapes::PermissionShape;
use super::permissions::{not_found, not_found_of};
use super::shared_permissions::{load, visible_versions};
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
        let call = request.call;
        let page = Page::open(&app, &call, NAME, &arn, input.max_results, input.next_token.as_deref())?;
        let after = page.after.map_or(0, |place| place.time.0);
        let place = |number: u32| Place { time: TimestampMs(i64::from(number)), id: Uuid::nil() };
        if let Some((owner, name)) = find_shared(&arn, call.account, call.region) {
            let reader = app.store.reader().await?;
            let seen = visible_versions(&reader, &app, &call, owner, &name).await?;
            if seen.is_empty() {
                return Err(not_found_of(owner, &call, &name).into());
            }
            let mut seen: Vec<_> = seen.into_iter().filter(|number| i64::from(*number) > after).collect();
            let next_token = page.cut(&app, &mut seen, |number| place(*number));
            let loaded = try_join_all(seen.iter().map(|number| load(&reader, &call, owner, &name, *number)));
            let shape = |(permission, version): (CustomerPermission, PermissionVersion)| {
                let status = permission.status_of(&version, call.now, app.timing())?;
                Some(PermissionShape::of_other(&permission, &version.head, status))
            };
            let permissions = loaded.await?.into_iter().flatten().filter_map(shape).collect();
            return Ok(json(&Output { permissions, next_token }));
        }
        let (permissions, next_token) = match find(app.catalog, &arn, call.account, call.region)? {
            Found::Managed(permission) => {
                let mut versions: Vec<_> =
                    permission.versions().filter(|version| i64::from(*version) > after).collect();
                let token = page.cut(&app, &mut versions, |version| place(*version));
                let shape = |version: &u32| PermissionShape::of_managed(permission, *version, &call);
                (versions.iter().map(shape).collect(), token)
            }
            Found::Own(name) => {
                let (now, timing) = (call.now, app.timing());
                let reader = app.store.reader().await?;
                let permission = reader.permission(call.account, call.region, &name).await?;
                let permission = permission.filter(|row| row.status(now, timing).is_some());
                let permission = permission.ok_or_else(|| not_found(&call, &name))?;
                let gone = now.saturating_sub_ms(timing.deleted_permission_visible_ms);
                let mut versions =
                    reader.permission_versions(&permission, after, gone, page.load_size()).await?;
                let token = page.cut(&app, &mut versions, |version| place(version.head.number));
                let shape = |version: &PermissionVersion| {
                    let status = permission.status_of(version, now, timing)?;
                    Some(PermissionShape::of_own(&permission, &version.head, status))
                };
                (versions.iter().filter_map(shape).collect(), token)
            }
        };
        Ok(json(&Output { permissions, next_token }))
    })
}
