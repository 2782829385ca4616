//! ListPermissions: what can be attached, by its default version (reference §10.17).

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::future::try_join_all;
use rampart_aws::rest_json::parse_body;
use rampart_core::catalog::ManagedPermission;
use rampart_core::permission::PermissionName;
use rampart_core::{AccountId, AssociationKind, Refusal, TimestampMs};
use rampart_store::PermissionCursor;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::contents_of::Walk;
use super::input::resource_owner;
use super::permission_shapes::PermissionShape;
use super::shared_permissions;
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place, Walked};

const NAME: &str = "ListPermissions";

/// The model's words and those of the parameter's text: all are taken (reference §7.8).
const MANAGED_ONLY: [&str; 2] = ["AWS_MANAGED", "AWS"];
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
        let kinds = check(&app, &input)?;
        let call = request.call;
        let page = Page::open(&app, &call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        // Those of the catalog come first. The place of one is its number there, from one; only the caller's own have ids.
        let in_catalog = page.after.is_none_or(|place| place.id.is_nil());
        let after = page.after.filter(|_| in_catalog).map_or(0, |place| place.time.0);
        let mut found: Vec<(Place, PermissionShape)> = Vec::new();
        if kinds.managed && in_catalog {
            let numbered = (1_i64..).zip(app.catalog.permissions());
            let wanted = numbered.filter(|(number, entry)| *number > after && is_wanted(&input, entry));
            found.extend(wanted.map(|(number, entry)| {
                let shape = PermissionShape::of_managed(entry, entry.default_version(), &call);
                (Place { time: TimestampMs(number), id: Uuid::nil() }, shape)
            }));
        }
        let mut next_token = page.cut(&app, &mut found, |(place, _)| *place);
        if kinds.others && next_token.is_none() {
            next_token = list_others(&app, &call, &input, &page, &mut found).await?;
        }
        if kinds.own && next_token.is_none() {
            next_token = list_own(&app, &call, &input, &page, &mut found).await?;
        }
        Ok(json(&Output { permissions: found.into_iter().map(|(_, shape)| shape).collect(), next_token }))
    })
}

fn is_wanted(input: &Input, entry: &ManagedPermission) -> bool {
    input.permission_status.as_deref().is_none_or(|status| status == "ATTACHABLE")
        && input.resource_type.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(&entry.resource_type))
}

/// Adds the caller's own until the page is full; answers the token of what is left.
async fn list_own(
    app: &App,
    call: &Call,
    input: &Input,
    page: &Page,
    found: &mut Vec<(Place, PermissionShape)>,
) -> Result<Option<String>, Failure> {
    let (now, timing) = (call.now, app.timing());
    let gone = now.saturating_sub_ms(timing.deleted_permission_visible_ms);
    let resource_type = input.resource_type.as_deref().and_then(|name| app.catalog.type_named(name));
    let resource_type = resource_type.map(|entry| entry.name.as_str());
    let place = |cursor: PermissionCursor| Place { time: cursor.created, id: cursor.id };
    let begun = page.after.filter(|place| !place.id.is_nil());
    let mut after =
        begun.map_or(PermissionCursor::START, |place| PermissionCursor { created: place.time, id: place.id });
    let reader = app.store.reader().await?;
    let mut looked_at = 0;
    loop {
        let limit = page.load_size();
        let rows =
            reader.permissions_of(call.account, call.region, resource_type, after, gone, limit).await?;
        let at_end = page.is_last(rows.len());
        looked_at += rows.len();
        after = rows.last().map_or(after, PermissionCursor::after);
        found.extend(rows.iter().filter_map(|row| {
            let status = row.status(now, timing)?;
            let wanted = input.permission_status.as_deref().is_none_or(|wanted| wanted == status.as_str());
            let shape = wanted.then(|| PermissionShape::of_own(row, &row.default, status))?;
            Some((place(PermissionCursor::after(row)), shape))
        }));
        let walked = Walked { after: place(after), looked_at, at_end };
        if let ControlFlow::Break(token) = page.ends(app, found, |(place, _)| *place, walked) {
            return Ok(token);
        }
    }
}

/// Adds those of others that received shares carry, in the order of a number that is made of their ARN.
async fn list_others(
    app: &App,
    call: &Call,
    input: &Input,
    page: &Page,
    found: &mut Vec<(Place, PermissionShape)>,
) -> Result<Option<String>, Failure> {
    let reader = app.store.reader().await?;
    let walk = Walk::new(&reader, app, call, page, AssociationKind::Resource);
    let (now, timing) = (call.now, app.timing());
    let place_of = |owner: AccountId, name: &str| {
        let arn = PermissionName::Customer(name.to_owned()).arn(owner, call.region);
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = <[u8; 32]>::from(Sha256::digest(arn));
        Place { time: TimestampMs(0), id: Uuid::from_bytes(id) }
    };
    let seen = shared_permissions::all(&walk).await?;
    let mut seen: Vec<_> = seen
        .into_iter()
        .map(|((owner, name), number)| (place_of(owner, &name), owner, name, number))
        .collect();
    seen.sort_by_key(|(place, ..)| place.id);
    seen.retain(|(place, ..)| page.after.is_none_or(|after| place.id > after.id));
    let load = async |(place, owner, name, number): (Place, AccountId, String, u32)| {
        Ok::<_, Failure>((place, shared_permissions::load(&reader, call, owner, &name, number).await?))
    };
    for (place, loaded) in try_join_all(seen.into_iter().map(load)).await? {
        let Some((permission, version)) = loaded else { continue };
        let Some(status) = permission.status_of(&version, now, timing) else { continue };
        let wanted = |asked: &Option<String>, has: &str| {
            asked.as_deref().is_none_or(|asked| asked.eq_ignore_ascii_case(has))
        };
        if wanted(&input.permission_status, status.as_str())
            && wanted(&input.resource_type, &permission.resource_type)
        {
            found.push((place, PermissionShape::of_other(&permission, &version.head, status)));
        }
    }
    Ok(page.cut(app, found, |(place, _)| *place))
}

/// Whose permissions are asked for.
struct Kinds {
    managed: bool,
    own: bool,
    others: bool,
}

/// Checks the filters; says whose permissions are asked for.
fn check(app: &App, input: &Input) -> Result<Kinds, Refusal> {
    let shorten = |text: &str| text.chars().take(64).collect::<String>();
    if let Some(name) = input.resource_type.as_deref().filter(|name| app.catalog.type_named(name).is_none()) {
        return Err(Refusal::ResourceTypeInvalid { value: shorten(name) });
    }
    if let Some(status) = input.permission_status.as_deref().filter(|status| !STATUSES.contains(status)) {
        return Err(Refusal::PermissionStatusInvalid { value: shorten(status) });
    }
    // AWS: SELF is what the caller owns, OTHER-ACCOUNTS what others share with it; AWS's own are neither (the model's text).
    let owner = input.resource_owner.as_deref().map(|owner| resource_owner(Some(owner))).transpose()?;
    let (managed, own, others) = (owner.is_none(), owner != Some(false), owner == Some(false));
    match input.permission_type.as_deref().unwrap_or("ALL") {
        "ALL" => Ok(Kinds { managed, own, others }),
        kind if MANAGED_ONLY.contains(&kind) => Ok(Kinds { managed, own: false, others: false }),
        kind if CUSTOMER_ONLY.contains(&kind) => Ok(Kinds { managed: false, own, others }),
        other => Err(Refusal::PermissionKindInvalid { value: shorten(other) }),
    }
}
