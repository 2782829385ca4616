//! ListPermissionAssociations: which of the caller's shares use which permission (reference §10.29).

use std::ops::ControlFlow;
use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::permission::PermissionArn;
use rampart_core::{AssociationKind, AttachedPermission, Refusal, ResourceShare, ShareArn};
use rampart_store::{AttachedInShare, AttachmentCursor, Reader};
use serde::{Deserialize, Serialize};

use super::contents_of::{Walk, hold_type};
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

/// The feature sets of the model.
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
        let own = OwnPermissions::load(&reader, rows.iter().map(|row| &row.attached)).await?;
        let shape = |row: &AttachedInShare| {
            let feature_set = row.origin.feature_set(call.now, app.timing());
            AssociatedPermissionShape::new(&row.attached, feature_set, &own, &app)
        };
        let permissions = rows.iter().map(shape).collect();
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
    ) -> Result<(Vec<AttachedInShare>, Option<String>), Failure> {
        let mut after = page
            .after
            .map_or(AttachmentCursor::START, |place| AttachmentCursor { attached: place.time, id: place.id });
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let rows = self.load(reader, call, after, page.load_size()).await?;
            let at_end = page.is_last(rows.len());
            looked_at += rows.len();
            after = rows.last().map_or(after, |row| AttachmentCursor::after(&row.attached));
            let rows = rows.into_iter().filter(|row| self.matches(&row.attached)).collect();
            found.append(&mut self.wanted(reader, app, call, rows).await?);
            let walked = Walked { after: place(after), looked_at, at_end };
            let place_of = |row: &AttachedInShare| place(AttachmentCursor::after(&row.attached));
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
    ) -> Result<(Vec<AttachedInShare>, Option<String>), Failure> {
        let walk = Walk::new(reader, app, call, page, AssociationKind::Resource);
        let named = self.share.map(|share| [share]);
        let named = named.as_ref().map(<[ShareArn; 1]>::as_slice);
        let (rows, token) = shared_permissions::received(&walk, named, |row| self.matches(row)).await?;
        Ok((self.wanted(reader, app, call, rows).await?, token))
    }

    async fn load(
        &self,
        reader: &Reader,
        call: &Call,
        after: AttachmentCursor,
        limit: u32,
    ) -> Result<Vec<AttachedInShare>, Failure> {
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
        let row = if call.owns(share) { reader.resource_share(share).await? } else { None };
        let Some(ResourceShare { origin, .. }) = row.filter(|row| row.deleted.is_none()) else {
            return Ok(Vec::new());
        };
        let mut rows = reader.share_permissions(share).await?;
        rows.retain(|row| AttachmentCursor::after(row) > after);
        rows.sort_by_key(AttachmentCursor::after);
        rows.truncate(usize::try_from(limit).expect("a page size fits"));
        Ok(rows.into_iter().map(|attached| AttachedInShare { attached, origin }).collect())
    }

    /// What can be told from the row alone.
    fn matches(&self, row: &AttachedPermission) -> bool {
        let input = self.input;
        self.permission.as_ref().is_none_or(|permission| permission.is_of(row))
            && input.permission_version.is_none_or(|version| version == i64::from(row.version))
            && input.association_status.as_deref().is_none_or(|status| status == "ASSOCIATED")
    }

    /// The rows that are wanted also for what their permissions and shares are.
    // AWS: `featureSet` is the share's, and `resourceType` one of which the share holds a resource, whatever the
    // permission is for (the model's text).
    async fn wanted(
        &self,
        reader: &Reader,
        app: &App,
        call: &Call,
        mut rows: Vec<AttachedInShare>,
    ) -> Result<Vec<AttachedInShare>, Failure> {
        let input = self.input;
        if let Some(wanted) = input.feature_set.as_deref() {
            rows.retain(|row| row.origin.feature_set(call.now, app.timing()) == wanted);
        }
        if input.default_version == Some(true) {
            let own = OwnPermissions::load(reader, rows.iter().map(|row| &row.attached)).await?;
            rows.retain(|row| own.is_default(&row.attached, app));
        }
        if let Some(resource_type) =
            input.resource_type.as_deref().and_then(|name| app.catalog.type_named(name))
        {
            let shares: Vec<_> = rows.iter().map(|row| row.attached.share_arn()).collect();
            let holds = hold_type(reader, &shares, &resource_type.name).await?;
            rows = rows.into_iter().zip(holds).filter(|(_, holds)| *holds).map(|(row, _)| row).collect();
        }
        Ok(rows)
    }
}

fn place(cursor: AttachmentCursor) -> Place {
    Place { time: cursor.attached, id: cursor.id }
}
