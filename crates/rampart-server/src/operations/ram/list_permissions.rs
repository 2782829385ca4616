//! ListPermissions: what can be attached, by its default version (reference §10.17).

use std::ops::ControlFlow;
use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::catalog::ManagedPermission;
use rampart_core::permission::CustomerPermission;
use rampart_core::permission::customer::PermissionStatus;
use rampart_core::{AssociationKind, Refusal, TimestampMs};
use rampart_store::PermissionCursor;
use serde::{Deserialize, Serialize};
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
        let list = List { app: &app, call: &call, input: &input };
        let (permissions, next_token) = list.all(&kinds, &page).await?;
        Ok(json(&Output { permissions, next_token }))
    })
}

/// The list, which is several one after the other. Their order is in tokens.
struct List<'a> {
    app: &'a App,
    call: &'a Call,
    input: &'a Input,
}

type Found = (Vec<PermissionShape>, Option<String>);

impl List<'_> {
    async fn all(&self, kinds: &Kinds, page: &Page) -> Result<Found, Failure> {
        let size = usize::try_from(page.size).expect("a page size fits");
        let mut found = Vec::new();
        for (part, is_asked) in (0..).zip([kinds.managed, kinds.own, kinds.others]) {
            let Some(page) = page.in_part(part, found.len()).filter(|_| is_asked) else { continue };
            let (mut more, token) = match part {
                0 => self.managed(&page),
                1 => self.own(&page).await?,
                _ => self.others(&page).await?,
            };
            if found.len() == size {
                if !more.is_empty() || token.is_some() {
                    return Ok((found, Some(page.token(self.app, Place::START))));
                }
                continue;
            }
            found.append(&mut more);
            if token.is_some() {
                return Ok((found, token));
            }
        }
        Ok((found, None))
    }

    /// Those of the catalog. The place of one is its number there, from one.
    fn managed(&self, page: &Page) -> Found {
        let place = |number| Place { time: TimestampMs(number), id: Uuid::nil() };
        let after = page.after.map_or(0, |place| place.time.0);
        let resource_type = self.resource_type();
        let numbered = (1_i64..).zip(self.app.catalog.permissions());
        let wanted = numbered.filter(|(number, entry)| {
            *number > after
                && self.wants(PermissionStatus::Attachable)
                && resource_type.is_none_or(|wanted| wanted == entry.resource_type)
        });
        let mut found: Vec<_> = wanted.collect();
        let token = page.cut(self.app, &mut found, |(number, _)| place(*number));
        let shape = |entry: &ManagedPermission| {
            PermissionShape::of_managed(entry, entry.default_version(), self.call)
        };
        (found.into_iter().map(|(_, entry)| shape(entry)).collect(), token)
    }

    /// The caller's own.
    async fn own(&self, page: &Page) -> Result<Found, Failure> {
        let Self { app, call, .. } = self;
        let (now, timing) = (call.now, app.timing());
        let gone = now.saturating_sub_ms(timing.deleted_permission_visible_ms);
        let resource_type = self.resource_type();
        let place = |cursor: PermissionCursor| Place { time: cursor.created, id: cursor.id };
        let mut after = page
            .after
            .map_or(PermissionCursor::START, |place| PermissionCursor { created: place.time, id: place.id });
        let reader = app.store.reader().await?;
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let limit = page.load_size();
            let rows =
                reader.permissions_of(call.account, call.region, resource_type, after, gone, limit).await?;
            let at_end = page.is_last(rows.len());
            looked_at += rows.len();
            after = rows.last().map_or(after, PermissionCursor::after);
            let wanted = rows.into_iter().filter_map(|row| {
                let status = row.status(now, timing)?;
                self.wants(status).then_some((row, status))
            });
            found.extend(wanted);
            let walked = Walked { after: place(after), looked_at, at_end };
            let place_of = |(row, _): &(CustomerPermission, _)| place(PermissionCursor::after(row));
            if let ControlFlow::Break(token) = page.ends(app, &mut found, place_of, walked) {
                let shape = |(row, status): &(CustomerPermission, _)| {
                    PermissionShape::of_own(row, &row.default, *status)
                };
                return Ok((found.iter().map(shape).collect(), token));
            }
        }
    }

    /// Those of others that received shares carry, in the order of these shares.
    async fn others(&self, page: &Page) -> Result<Found, Failure> {
        let reader = self.app.store.reader().await?;
        let walk = Walk::new(&reader, self.app, self.call, page, AssociationKind::Resource);
        let (found, token) = shared_permissions::received_permissions(&walk, self.resource_type()).await?;
        let (now, timing) = (self.call.now, self.app.timing());
        let shapes = found.into_iter().filter_map(|(permission, version)| {
            let status = permission.status_of(&version, now, timing)?;
            self.wants(status).then(|| PermissionShape::of_other(&permission, &version.head, status))
        });
        Ok((shapes.collect(), token))
    }

    /// The type that is asked for, in the catalog's spelling.
    fn resource_type(&self) -> Option<&str> {
        let known = self.input.resource_type.as_deref().and_then(|name| self.app.catalog.type_named(name));
        known.map(|entry| entry.name.as_str())
    }

    fn wants(&self, status: PermissionStatus) -> bool {
        self.input.permission_status.as_deref().is_none_or(|wanted| wanted == status.as_str())
    }
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
    // Without the filter all three are listed (reference §6.1).
    let owner = input.resource_owner.as_deref().map(|owner| resource_owner(Some(owner))).transpose()?;
    let (managed, own, others) = (owner.is_none(), owner != Some(false), owner != Some(true));
    match input.permission_type.as_deref().unwrap_or("ALL") {
        "ALL" => Ok(Kinds { managed, own, others }),
        kind if MANAGED_ONLY.contains(&kind) => Ok(Kinds { managed, own: false, others: false }),
        kind if CUSTOMER_ONLY.contains(&kind) => Ok(Kinds { managed: false, own, others }),
        other => Err(Refusal::PermissionKindInvalid { value: shorten(other) }),
    }
}
