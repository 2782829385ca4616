//! ListPermissionAssociations: which of the caller's shares use which permission (reference §10.29).

use std::ops::ControlFlow;
use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::permission::PermissionArn;
use rampart_core::{AssociationKind, AttachedPermission, Refusal, ShareArn};
use rampart_store::{AttachmentCursor, Reader};
use serde::{Deserialize, Serialize};

use super::contents_of::Walk;
use super::input::{association_status, resource_owner, share_arn};
use super::permission_shapes::AssociatedPermissionShape;
use super::permissions::OwnPermissions;
use super::shared_permissions;
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place, Walked};

const NAME: &str = "ListPermissionAssociations";

/// The feature sets of the model. Shares here are STANDARD.
const FEATURE_SETS: [&str; 3] = ["CREATED_FROM_POLICY", "PROMOTING_TO_STANDARD", "STANDARD"];

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    permission_arn: Option<String>,
    permission_version: Option<i64>,
    association_status: Option<String>,
    resource_type: Option<String>,
    feature_set: Option<String>,
    default_version: Option<bool>,
    resource_owner: Option<String>,
    resource_share_arn: Option<String>,
    #[serde(skip_serializing)]
    next_token: Option<String>,
    #[serde(skip_serializing)]
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    permissions: Vec<AssociatedPermissionShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let filter = Filter::new(&app, &request.call, &input)?;
        let page =
            Page::open(&app, &request.call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let call = &request.call;
        let (rows, next_token) = if filter.own {
            filter.walk(&reader, &app, call, &page).await?
        } else {
            filter.received(&reader, &app, call, &page).await?
        };
        let own = OwnPermissions::load(&reader, &rows).await?;
        let permissions = rows.iter().map(|row| AssociatedPermissionShape::new(row, &own, &app)).collect();
        Ok(json(&Output { permissions, next_token }))
    })
}

struct Filter<'a> {
    own: bool,
    permission: Option<PermissionArn>,
    share: Option<ShareArn>,
    input: &'a Input,
}

impl<'a> Filter<'a> {
    fn new(app: &App, call: &Call, input: &'a Input) -> Result<Self, Refusal> {
        association_status(input.association_status.as_deref())?;
        let shorten = |text: &str| text.chars().take(64).collect::<String>();
        if let Some(other) = input.feature_set.as_deref().filter(|text| !FEATURE_SETS.contains(text)) {
            return Err(Refusal::FeatureSetInvalid { value: shorten(other) });
        }
        if let Some(name) =
            input.resource_type.as_deref().filter(|name| app.catalog.type_named(name).is_none())
        {
            return Err(Refusal::ResourceTypeInvalid { value: shorten(name) });
        }
        let permission = match input.permission_arn.as_deref() {
            None => None,
            // UnknownResource is not modelled: an unknown permission finds none (reference §10.29).
            Some(text) => Some(PermissionArn::parse(text, call.region.partition())?),
        };
        Ok(Self {
            own: input.resource_owner.as_deref().map_or(Ok(true), |owner| resource_owner(Some(owner)))?,
            permission,
            share: input.resource_share_arn.as_deref().map(share_arn).transpose()?,
            input,
        })
    }

    async fn walk(
        &self,
        reader: &Reader,
        app: &App,
        call: &Call,
        page: &Page,
    ) -> Result<(Vec<AttachedPermission>, Option<String>), Failure> {
        let mut after = page
            .after
            .map_or(AttachmentCursor::START, |place| AttachmentCursor { attached: place.time, id: place.id });
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let rows = self.load(reader, call, after, page.load_size()).await?;
            let at_end = page.is_last(rows.len());
            looked_at += rows.len();
            after = rows.last().map_or(after, AttachmentCursor::after);
            let own = OwnPermissions::load(reader, self.with_own(&rows)).await?;
            found.extend(rows.into_iter().filter(|row| self.wants(row, &own, app)));
            let walked = Walked { after: place(after), looked_at, at_end };
            let place_of = |row: &AttachedPermission| place(AttachmentCursor::after(row));
            if let ControlFlow::Break(token) = page.ends(app, &mut found, place_of, walked) {
                return Ok((found, token));
            }
        }
    }

    /// The same, in the shares of others. A share that the caller does not see finds none.
    async fn received(
        &self,
        reader: &Reader,
        app: &App,
        call: &Call,
        page: &Page,
    ) -> Result<(Vec<AttachedPermission>, Option<String>), Failure> {
        let walk = Walk::new(reader, app, call, page, AssociationKind::Resource);
        let named = self.share.map(|share| [share]);
        let named = named.as_ref().map(<[ShareArn; 1]>::as_slice);
        let (rows, token) = shared_permissions::received(&walk, named, |row| self.matches(row)).await?;
        let own = OwnPermissions::load(reader, self.with_own(&rows)).await?;
        Ok((rows.into_iter().filter(|row| self.wants(row, &own, app)).collect(), token))
    }

    async fn load(
        &self,
        reader: &Reader,
        call: &Call,
        after: AttachmentCursor,
        limit: u32,
    ) -> Result<Vec<AttachedPermission>, Failure> {
        let Some(share) = self.share else {
            let (owner, region) = (call.account, call.region);
            let name = self.permission.as_ref().map(|permission| permission.name_for(owner, region));
            let of = match &name {
                None => None,
                Some(Some(name)) => Some((name, self.input.permission_version)),
                // Another account's permission, or another Region's: no share of the caller's has it.
                Some(None) => return Ok(Vec::new()),
            };
            return Ok(reader.attached_permissions(owner, region, of, after, limit).await?);
        };
        // UnknownResource is not modelled: a share that is not the caller's finds none (reference §10.29).
        let owned =
            call.owns(share) && reader.resource_share(share).await?.is_some_and(|row| row.deleted.is_none());
        let mut rows = if owned { reader.share_permissions(share).await? } else { Vec::new() };
        rows.retain(|row| AttachmentCursor::after(row) > after);
        rows.sort_by_key(AttachmentCursor::after);
        rows.truncate(usize::try_from(limit).expect("a page size fits"));
        Ok(rows)
    }

    /// The rows whose permissions must be known to tell whether they are wanted.
    fn with_own<'r>(&self, rows: &'r [AttachedPermission]) -> &'r [AttachedPermission] {
        let is_asked = self.input.default_version == Some(true) || self.input.feature_set.is_some();
        if is_asked { rows } else { &[] }
    }

    fn wants(&self, row: &AttachedPermission, own: &OwnPermissions, app: &App) -> bool {
        let input = self.input;
        self.matches(row)
            && input.feature_set.as_deref().is_none_or(|set| set == own.feature_set(row))
            && (input.default_version != Some(true) || own.is_default(row, app))
    }

    /// What can be told from the row alone.
    fn matches(&self, row: &AttachedPermission) -> bool {
        let input = self.input;
        self.permission.as_ref().is_none_or(|permission| permission.is_of(row))
            && input.permission_version.is_none_or(|version| version == i64::from(row.version))
            && input.association_status.as_deref().is_none_or(|status| status == "ASSOCIATED")
            && input.resource_type.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(&row.resource_type))
    }
}

fn place(cursor: AttachmentCursor) -> Place {
    Place { time: cursor.attached, id: cursor.id }
}
