//! ListPrincipals: with whom the caller shares, or who shares with it (reference §6.1, §10.8).

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::future::try_join_all;
use rampart_aws::rest_json::parse_body;
use rampart_core::{AssociationKind, Refusal, ResourceShare, ShareArn, TimestampMs};
use rampart_store::{AssociationInShare, AssociationScope, ShareCursor, ShareScope};
use serde::{Deserialize, Serialize};

use super::contents_of::{Found, Walk, hold_type, own_scopes};
use super::input::{filter_values, resource_owner, share_arn};
use super::received::ReceivedShare;
use super::visible::{Way, check_visible, received, received_holding};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place, Walked};

const NAME: &str = "ListPrincipals";

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_owner: Option<String>,
    resource_arn: Option<String>,
    principals: Option<Vec<String>>,
    resource_type: Option<String>,
    resource_share_arns: Option<Vec<String>>,
    #[serde(skip_serializing)]
    next_token: Option<String>,
    #[serde(skip_serializing)]
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    principals: Vec<PrincipalShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `Principal`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrincipalShape {
    id: String,
    resource_share_arn: String,
    creation_time: TimestampMs,
    last_updated_time: TimestampMs,
    external: bool,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let mut input: Input = parse_body(&request.body)?;
        let call = request.call;
        input.resource_share_arns = filter_values(input.resource_share_arns.take(), "resourceShareArns")?;
        input.principals = filter_values(input.principals.take(), "principals")?;
        let filter = Filter::new(&app, &input)?;
        let page = Page::open(&app, &call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let mut walk = Walk::new(&reader, &app, &call, &page, AssociationKind::Principal);
        walk.entities = filter.principals;
        walk.share_type = filter.resource_type.as_deref();
        if let Some(shares) = &filter.shares {
            check_visible(&walk, filter.own, shares).await?;
        }
        let (principals, next_token) = if filter.own {
            let (rows, token) = filter.own_principals(&walk).await?;
            (rows.iter().map(|row| own_shape(row, &app, &call)).collect(), token)
        } else {
            filter.sharing_owners(&walk).await?
        };
        Ok(json(&Output { principals, next_token }))
    })
}

fn own_shape(row: &AssociationInShare, app: &App, call: &Call) -> PrincipalShape {
    let (_, since) = row.association.status(row.share_deleted, call.now, app.timing());
    PrincipalShape {
        id: row.association.entity.clone(),
        resource_share_arn: row.association.share_arn().to_string(),
        creation_time: row.association.created,
        last_updated_time: since,
        external: row.association.is_external(),
    }
}

/// A consumer sees one row for each share: its owner (reference §6.2).
fn owner_shape(received: &ReceivedShare, app: &App) -> PrincipalShape {
    PrincipalShape {
        id: received.share.owner.to_string(),
        resource_share_arn: received.share.arn().to_string(),
        creation_time: received.share.created,
        last_updated_time: received.since.saturating_add_ms(app.timing().settle_delay_ms),
        external: received.is_external,
    }
}

struct Filter<'a> {
    own: bool,
    resource_arn: Option<&'a String>,
    principals: Option<&'a [String]>,
    resource_type: Option<String>,
    shares: Option<Vec<ShareArn>>,
}

impl<'a> Filter<'a> {
    fn new(app: &App, input: &'a Input) -> Result<Self, Refusal> {
        if let Some(arn) = &input.resource_arn {
            rampart_core::Arn::parse(arn)
                .map_err(|_| Refusal::ResourceArnMalformed { arn: arn.chars().take(256).collect() })?;
        }
        let resource_type = input.resource_type.as_deref().map(|name| {
            let known = app.catalog.type_named(name);
            known
                .map(|entry| entry.name.clone())
                .ok_or_else(|| Refusal::ResourceTypeInvalid { value: name.chars().take(64).collect() })
        });
        let shares = input.resource_share_arns.as_ref();
        let shares = shares.map(|arns| arns.iter().map(|arn| share_arn(arn)).collect::<Result<Vec<_>, _>>());
        Ok(Self {
            own: resource_owner(input.resource_owner.as_deref())?,
            resource_arn: input.resource_arn.as_ref(),
            principals: input.principals.as_deref(),
            resource_type: resource_type.transpose()?,
            shares: shares.transpose()?,
        })
    }

    async fn own_principals(&self, walk: &Walk<'_>) -> Result<Found, Failure> {
        let keep = |row: &AssociationInShare| self.wants(row, walk.call);
        if let Some(entity) = self.resource_arn {
            let (kind, named) = (AssociationKind::Resource, self.shares.as_deref());
            return walk.along(Way::Holding { kind, entity, named }, keep).await;
        }
        let scopes = match (self.principals, &self.resource_type) {
            (None, Some(resource_type)) => self.shares_of_type(walk, resource_type).await?,
            _ => own_scopes(self.principals, self.shares.as_deref()),
        };
        walk.own(&scopes, keep).await
    }

    /// The shares that hold a resource of the type, where they are named or few: nothing else is walked then.
    async fn shares_of_type(
        &self,
        walk: &Walk<'_>,
        resource_type: &str,
    ) -> Result<Vec<AssociationScope<'static>>, Failure> {
        let shares = match &self.shares {
            Some(named) => named.clone(),
            None => match own_shares(walk).await? {
                Some(few) => few,
                None => return Ok(vec![AssociationScope::Owner]),
            },
        };
        let holds = hold_type(walk.reader, &shares, resource_type).await?;
        let shares = shares.into_iter().zip(holds).filter(|(_, holds)| *holds);
        Ok(shares.map(|(share, _)| AssociationScope::Share(share)).collect())
    }

    // AWS: which states appear is unknown; ASSOCIATED and ASSOCIATING is the recommended choice (reference §10.8).
    fn wants(&self, row: &AssociationInShare, call: &Call) -> bool {
        let association = &row.association;
        !association.has_ended(call.now)
            && row.share_deleted.is_none()
            && self.principals.is_none_or(|principals| principals.contains(&association.entity))
            && self.shares.as_ref().is_none_or(|shares| shares.contains(&association.share_arn()))
    }

    async fn sharing_owners(
        &self,
        walk: &Walk<'_>,
    ) -> Result<(Vec<PrincipalShape>, Option<String>), Failure> {
        let place = |received: &ReceivedShare| {
            let cursor = ShareCursor::after(&received.share);
            Place { time: cursor.created, id: cursor.id.0 }
        };
        let holding = match self.resource_arn {
            Some(arn) => received_holding(walk, std::slice::from_ref(arn), self.shares.as_deref()).await?,
            None => None,
        };
        let named = holding.as_deref().or(self.shares.as_deref());
        let mut after = walk.page.after.unwrap_or(Place::START);
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let token = loop {
            let shares = received(walk, named, after, walk.page.load_size()).await?;
            let at_end = walk.page.is_last(shares.len());
            looked_at += shares.len();
            after = shares.last().map_or(after, place);
            let live = shares.into_iter().filter(|received| self.wants_owner(received)).collect();
            found.extend(self.holding(walk, live).await?);
            let walked = Walked { after, looked_at, at_end };
            if let ControlFlow::Break(token) = walk.page.ends(walk.app, &mut found, place, walked) {
                break token;
            }
        };
        Ok((found.iter().map(|received| owner_shape(received, walk.app)).collect(), token))
    }

    /// Whether the owner of a share is asked for, and the share may hold what is.
    fn wants_owner(&self, received: &ReceivedShare) -> bool {
        let (share, owner) = (&received.share, received.share.owner.to_string());
        let may_hold =
            (self.resource_arn.is_none() && self.resource_type.is_none()) || share.contents.resources > 0;
        may_hold
            && share.deleted.is_none()
            && self.principals.is_none_or(|principals| principals.contains(&owner))
    }

    /// Of shares that were received, those that hold the resource and the type that are asked for.
    async fn holding(
        &self,
        walk: &Walk<'_>,
        mut shares: Vec<ReceivedShare>,
    ) -> Result<Vec<ReceivedShare>, Failure> {
        if let Some(resource) = self.resource_arn {
            let kind = AssociationKind::Resource;
            let rows =
                shares.iter().map(|received| walk.reader.association(received.share.arn(), kind, resource));
            let rows = try_join_all(rows).await?;
            let holds = rows.iter().map(|row| row.as_ref().is_some_and(|row| !row.has_ended(walk.call.now)));
            shares =
                shares.into_iter().zip(holds).filter_map(|(share, holds)| holds.then_some(share)).collect();
        }
        if let Some(resource_type) = &self.resource_type {
            let arns: Vec<_> = shares.iter().map(|received| received.share.arn()).collect();
            let holds = hold_type(walk.reader, &arns, resource_type).await?;
            shares =
                shares.into_iter().zip(holds).filter_map(|(share, holds)| holds.then_some(share)).collect();
        }
        Ok(shares)
    }
}

/// The caller's shares that hold resources, if it has so few shares that each can be looked into.
async fn own_shares(walk: &Walk<'_>) -> Result<Option<Vec<ShareArn>>, Failure> {
    const FEW: u32 = 16;
    let (call, timing) = (walk.call, walk.app.timing());
    let (scope, start) = (ShareScope::Owned, ShareCursor::START);
    let (owner, region) = (call.account, call.region);
    let shares = walk.reader.shares(scope, owner, region, start, call.now, timing, FEW + 1).await?;
    if shares.len() > usize::try_from(FEW).expect("few") {
        return Ok(None);
    }
    let live = shares.iter().filter(|share| share.deleted.is_none() && share.contents.resources > 0);
    Ok(Some(live.map(ResourceShare::arn).collect()))
}
