//! GetResourceShares: the caller's own shares, or those that others share with it (reference §6.1, §10.2).

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::future::try_join_all;
use rampart_aws::rest_json::parse_body;
use rampart_core::permission::{PermissionArn, PermissionName};
use rampart_core::{AttachedPermission, Partition, Refusal, ResourceShare, ShareArn, ShareId};
use rampart_store::{AttachmentCursor, Reader, ShareCursor, ShareScope};
use serde::{Deserialize, Serialize};

use super::input::{filter_values, resource_owner, share_arn};
use super::received;
use super::shapes::{ResourceShareShape, View};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place, Walked};

const NAME: &str = "GetResourceShares";

/// The statuses of the model. Shares are never PENDING or FAILED here, so these two find none.
const STATUSES: [&str; 5] = ["PENDING", "ACTIVE", "FAILED", "DELETING", "DELETED"];

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arns: Option<Vec<String>>,
    resource_share_status: Option<String>,
    resource_owner: Option<String>,
    name: Option<String>,
    tag_filters: Option<Vec<TagFilter>>,
    permission_arn: Option<String>,
    permission_version: Option<i64>,
    #[serde(skip_serializing)]
    next_token: Option<String>,
    #[serde(skip_serializing)]
    max_results: Option<i64>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct TagFilter {
    tag_key: Option<String>,
    tag_values: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    resource_shares: Vec<ResourceShareShape>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let mut input: Input = parse_body(&request.body)?;
        let call = request.call;
        input.resource_share_arns = filter_values(input.resource_share_arns.take(), "resourceShareArns")?;
        let filter = Filter::new(&input, call.region.partition())?;
        let page = Page::open(&app, &call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let (shares, next_token) = match &filter.permission {
            _ if filter.finds_none(&app) => (Vec::new(), page.empty_first(&app)),
            Some((permission, version)) if filter.view == View::Owner && filter.arns.is_none() => {
                match permission.name_for(call.account, call.region) {
                    Some(name) => filter.walk_attached(&reader, &app, &call, &page, &name, *version).await?,
                    None => (Vec::new(), None),
                }
            }
            _ => filter.walk(&reader, &app, &call, &page).await?,
        };
        let shape =
            |share: &ResourceShare| ResourceShareShape::new(share, filter.view, call.now, app.timing());
        Ok(json(&Output { next_token, resource_shares: shares.iter().filter_map(shape).collect() }))
    })
}

struct Filter<'a> {
    view: View,
    arns: Option<Vec<ShareArn>>,
    status: Option<&'a str>,
    name: Option<&'a str>,
    tags: Vec<(&'a str, &'a [String])>,
    /// The permission, and its version.
    permission: Option<(PermissionArn, Option<i64>)>,
}

impl<'a> Filter<'a> {
    fn new(input: &'a Input, partition: Partition) -> Result<Self, Refusal> {
        let shorten = |text: &str| text.chars().take(64).collect::<String>();
        let own = resource_owner(input.resource_owner.as_deref())?;
        let view = if own { View::Owner } else { View::Consumer };
        if let Some(status) =
            input.resource_share_status.as_deref().filter(|status| !STATUSES.contains(status))
        {
            return Err(Refusal::ShareStatusInvalid { value: shorten(status) });
        }
        let permission = match (&input.permission_arn, input.permission_version) {
            (None, None) => None,
            (None, Some(_)) => return Err(Refusal::ParameterMissing { parameter: "permissionArn" }),
            (Some(arn), version) => Some((PermissionArn::parse(arn, partition)?, version)),
        };
        let mut tags = Vec::new();
        for filter in input.tag_filters.iter().flatten() {
            let key = filter.tag_key.as_deref().ok_or(Refusal::TagFilterKeyMissing)?;
            tags.push((key, filter.tag_values.as_deref().unwrap_or_default()));
        }
        let (values, limit) = (tags.iter().map(|(_, values)| values.len().max(1)).sum(), TAG_FILTERS_MAX);
        if values > limit {
            return Err(Refusal::TooManyFilterValues { parameter: "tagFilters", values, limit });
        }
        let arns =
            input.resource_share_arns.iter().flatten().map(|arn| share_arn(arn)).collect::<Result<_, _>>()?;
        Ok(Self {
            view,
            arns: input.resource_share_arns.is_some().then_some(arns),
            status: input.resource_share_status.as_deref(),
            name: input.name.as_deref(),
            tags,
            permission,
        })
    }

    /// Whether no share can have the status. Shares that are named must be seen all the same.
    fn finds_none(&self, app: &App) -> bool {
        let never = match self.status {
            Some("PENDING" | "FAILED") => true,
            Some("DELETING") => app.timing().settle_delay_ms == 0,
            _ => false,
        };
        never && self.arns.is_none()
    }

    /// Walks from the page's place until it is full, the shares are at their end, or enough were looked at: then the
    /// page is short, which its token says.
    async fn walk(
        &self,
        reader: &Reader,
        app: &App,
        call: &Call,
        page: &Page,
    ) -> Result<(Vec<ResourceShare>, Option<String>), Failure> {
        let mut after = page
            .after
            .map_or(ShareCursor::START, |place| ShareCursor { created: place.time, id: ShareId(place.id) });
        let mut found = Vec::new();
        let mut looked_at = 0;
        loop {
            let shares = self.load(reader, app, call, page, after).await?;
            let at_end = self.arns.is_some() || page.is_last(shares.len());
            looked_at += shares.len();
            if let Some(last) = shares.last() {
                after = ShareCursor::after(last);
            }
            let shares = shares.into_iter().filter(|share| self.matches(share, call, app)).collect();
            found.extend(self.allowing(reader, shares).await?);
            // Granted to an account and to its roles, a share comes once for each, one after another.
            found.dedup_by_key(|share| share.id);
            let walked = Walked { after: place(after), looked_at, at_end };
            let place_of = |share: &ResourceShare| place(ShareCursor::after(share));
            if let ControlFlow::Break(token) = page.ends(app, &mut found, place_of, walked) {
                return Ok((found, token));
            }
        }
    }

    /// The same, along the shares that a permission is attached to.
    async fn walk_attached(
        &self,
        reader: &Reader,
        app: &App,
        call: &Call,
        page: &Page,
        name: &PermissionName,
        version: Option<i64>,
    ) -> Result<(Vec<ResourceShare>, Option<String>), Failure> {
        let mut after = page
            .after
            .map_or(AttachmentCursor::START, |place| AttachmentCursor { attached: place.time, id: place.id });
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let place = |cursor: AttachmentCursor| Place { time: cursor.attached, id: cursor.id };
        let token = loop {
            let (owner, limit) = (call.account, page.load_size());
            let rows =
                reader.attached_permissions(owner, call.region, Some((name, version)), after, limit).await?;
            let at_end = page.is_last(rows.len());
            looked_at += rows.len();
            let rows: Vec<_> = rows.into_iter().map(|row| row.attached).collect();
            after = rows.last().map_or(after, AttachmentCursor::after);
            let shares = try_join_all(rows.iter().map(|row| reader.resource_share(row.share_arn()))).await?;
            let rows = rows.iter().zip(shares).filter_map(|(row, share)| Some((row, share?)));
            let wanted = rows.filter(|(_, share)| self.matches(share, call, app));
            found.extend(wanted.map(|(row, share)| (AttachmentCursor::after(row), share)));
            let walked = Walked { after: place(after), looked_at, at_end };
            if let ControlFlow::Break(token) =
                page.ends(app, &mut found, |(cursor, _)| place(*cursor), walked)
            {
                break token;
            }
        };
        Ok((found.into_iter().map(|(_, share)| share).collect(), token))
    }

    /// Of `shares`, those that the permission which is asked for is attached to. A deleted one uses none any more.
    async fn allowing(
        &self,
        reader: &Reader,
        mut shares: Vec<ResourceShare>,
    ) -> Result<Vec<ResourceShare>, Failure> {
        let Some((permission, version)) = &self.permission else { return Ok(shares) };
        shares.retain(|share| share.deleted.is_none());
        let attached = try_join_all(shares.iter().map(|share| reader.share_permissions(share.arn()))).await?;
        let allows = |rows: &Vec<AttachedPermission>| {
            rows.iter().any(|row| {
                permission.is_of(row) && version.is_none_or(|version| version == i64::from(row.version))
            })
        };
        Ok(shares
            .into_iter()
            .zip(attached)
            .filter(|(_, rows)| allows(rows))
            .map(|(share, _)| share)
            .collect())
    }

    /// The next shares along the index that fits the filters best, ordered as the list is.
    async fn load(
        &self,
        reader: &Reader,
        app: &App,
        call: &Call,
        page: &Page,
        after: ShareCursor,
    ) -> Result<Vec<ResourceShare>, Failure> {
        if let Some(arns) = &self.arns {
            return self.load_named(reader, app, call, arns, after).await;
        }
        let walk = |scope| {
            reader.shares(scope, call.account, call.region, after, call.now, app.timing(), page.load_size())
        };
        match (self.view, self.name) {
            (View::Consumer, _) => {
                let received = received::shares(reader, app, call, after, page.load_size()).await?;
                Ok(received.into_iter().map(|received| received.share).collect())
            }
            _ if matches!(self.status, Some("DELETING" | "DELETED")) => Ok(walk(ShareScope::Deleted).await?),
            (_, Some(name)) => Ok(walk(ShareScope::Named(name)).await?),
            _ if self.tags.is_empty() => Ok(walk(ShareScope::Owned).await?),
            _ => {
                let scopes = self.tags.iter().flat_map(|(key, values)| {
                    let any = values.is_empty().then_some(ShareScope::TagKey(key));
                    any.into_iter().chain(values.iter().map(|value| ShareScope::Tag(key, value)))
                });
                let mut shares: Vec<_> =
                    try_join_all(scopes.map(walk)).await?.into_iter().flatten().collect();
                shares.sort_by_key(ShareCursor::after);
                shares.dedup_by_key(|share| share.id);
                // Beyond a page's worth the shares of another tag may be missing.
                shares.truncate(usize::try_from(page.load_size()).expect("fits"));
                Ok(shares)
            }
        }
    }

    /// The shares of the ARNs that were named; each must be visible.
    async fn load_named(
        &self,
        reader: &Reader,
        app: &App,
        call: &Call,
        arns: &[ShareArn],
        after: ShareCursor,
    ) -> Result<Vec<ResourceShare>, Failure> {
        let (now, timing) = (call.now, app.timing());
        let one = async |arn: ShareArn| match self.view {
            View::Consumer => {
                let received = received::share(reader, app, call, arn).await?;
                Ok::<_, Failure>(received.map(|received| received.share))
            }
            _ => Ok(reader.resource_share(arn).await?.filter(|share| share.owner == call.account)),
        };
        let found = try_join_all(arns.iter().map(|arn| one(*arn))).await?;
        let mut shares = Vec::new();
        for (arn, share) in arns.iter().zip(found) {
            let visible =
                |share: &ResourceShare| share.region == call.region && share.status(now, timing).is_some();
            shares.push(share.filter(visible).ok_or(Refusal::ShareNotFound { share: *arn })?);
        }
        shares.retain(|share| ShareCursor::after(share) > after);
        shares.sort_by_key(ShareCursor::after);
        Ok(shares)
    }

    // AWS: filters are ANDed, tag filters ORed among themselves, no tag values mean any (reference §10.2).
    fn matches(&self, share: &ResourceShare, call: &Call, app: &App) -> bool {
        let status = share.status(call.now, app.timing()).map(rampart_core::ShareStatus::as_str);
        // A consumer does not see the owner's tags, so it cannot filter by them either.
        let tagged = |(key, values): &(&str, &[String])| {
            self.view == View::Owner
                && share
                    .tags
                    .iter()
                    .any(|tag| tag.key == *key && (values.is_empty() || values.contains(&tag.value)))
        };
        self.status.is_none_or(|wanted| status == Some(wanted))
            && self.name.is_none_or(|name| share.name == name)
            && (self.tags.is_empty() || self.tags.iter().any(tagged))
    }
}

/// Tag filters, each value counted. Ours: every one is a query of its own.
const TAG_FILTERS_MAX: usize = 50;

fn place(cursor: ShareCursor) -> Place {
    Place { time: cursor.created, id: cursor.id.0 }
}
