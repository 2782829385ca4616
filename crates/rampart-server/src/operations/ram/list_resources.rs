//! ListResources: what the caller shares, or what others share with it (reference §6.1, §10.9).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::catalog::RegionScope;
use rampart_core::{AssociationKind, Refusal, ShareArn};
use rampart_store::{AssociationInShare, AssociationScope};
use serde::{Deserialize, Serialize};

use super::contents_of::{Found, Walk, own_scopes};
use super::input::{filter_values, region_scope, resource_owner, share_arn};
use super::shapes::{ResourceShape, scope_of};
use super::visible::{Way, check_visible, received_holding};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::Page;

const NAME: &str = "ListResources";

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_owner: Option<String>,
    principal: Option<String>,
    resource_type: Option<String>,
    resource_arns: Option<Vec<String>>,
    resource_share_arns: Option<Vec<String>>,
    #[serde(skip_serializing)]
    next_token: Option<String>,
    #[serde(skip_serializing)]
    max_results: Option<i64>,
    resource_region_scope: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    resources: Vec<ResourceShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let mut input: Input = parse_body(&request.body)?;
        let call = request.call;
        input.resource_share_arns = filter_values(input.resource_share_arns.take(), "resourceShareArns")?;
        input.resource_arns = filter_values(input.resource_arns.take(), "resourceArns")?;
        let filter = Filter::new(&app, &input)?;
        let page = Page::open(&app, &call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let mut walk = Walk::new(&reader, &app, &call, &page, AssociationKind::Resource);
        walk.entities = filter.arns;
        if let Some(shares) = &filter.shares {
            check_visible(&walk, filter.own, shares).await?;
        }
        let (rows, next_token) = filter.find(&walk).await?;
        let shape = |row: &AssociationInShare| ResourceShape::of_row(row, !filter.own, &app, &call);
        Ok(json(&Output { resources: rows.iter().filter_map(shape).collect(), next_token }))
    })
}

struct Filter<'a> {
    own: bool,
    principal: Option<&'a str>,
    resource_type: Option<String>,
    arns: Option<&'a [String]>,
    shares: Option<Vec<ShareArn>>,
    scope: Option<RegionScope>,
}

impl<'a> Filter<'a> {
    fn new(app: &App, input: &'a Input) -> Result<Self, Refusal> {
        let resource_type = input.resource_type.as_deref().map(|name| {
            let known = app.catalog.type_named(name);
            known
                .map(|entry| entry.name.clone())
                .ok_or_else(|| Refusal::ResourceTypeInvalid { value: name.chars().take(64).collect() })
        });
        for arn in input.resource_arns.iter().flatten() {
            rampart_core::Arn::parse(arn)
                .map_err(|_| Refusal::ResourceArnMalformed { arn: arn.chars().take(256).collect() })?;
        }
        let shares = input.resource_share_arns.as_ref();
        let shares = shares.map(|arns| arns.iter().map(|arn| share_arn(arn)).collect::<Result<Vec<_>, _>>());
        Ok(Self {
            own: resource_owner(input.resource_owner.as_deref())?,
            principal: input.principal.as_deref(),
            resource_type: resource_type.transpose()?,
            arns: input.resource_arns.as_deref(),
            shares: shares.transpose()?,
            scope: region_scope(input.resource_region_scope.as_deref())?,
        })
    }

    async fn find(&self, walk: &Walk<'_>) -> Result<Found, Failure> {
        let keep = |row: &AssociationInShare| self.wants(row, walk.app, walk.call);
        if self.finds_none(walk) {
            return Ok((Vec::new(), walk.page.empty_first(walk.app)));
        }
        if !self.own {
            let holding = match self.arns {
                Some(arns) => received_holding(walk, arns, self.shares.as_deref()).await?,
                None => None,
            };
            let named = holding.as_deref().or(self.shares.as_deref());
            // The principal that shares with the caller is the owner (reference §6.1).
            let way = Way::Received { named, owner: self.principal };
            return walk.along(way, keep).await;
        }
        if let Some(entity) = self.principal {
            let way =
                Way::Holding { kind: AssociationKind::Principal, entity, named: self.shares.as_deref() };
            return walk.along(way, keep).await;
        }
        let scopes = match (self.arns, &self.shares, &self.resource_type) {
            (None, None, Some(resource_type)) => vec![AssociationScope::ResourceType(resource_type)],
            (None, None, None) if self.scope == Some(RegionScope::Global) => {
                let types = walk.app.catalog.types().iter();
                let global = types.filter(|entry| entry.region_scope == RegionScope::Global);
                global.map(|entry| AssociationScope::ResourceType(&entry.name)).collect()
            }
            (arns, shares, _) => own_scopes(arns, shares.as_deref()),
        };
        walk.own(&scopes, keep).await
    }

    /// Whether no resource can pass the filters: one of global types lives in the home Region alone.
    fn finds_none(&self, walk: &Walk<'_>) -> bool {
        let region = walk.call.region;
        let of_type = self.resource_type.as_deref().map(|name| scope_of(walk.app, name));
        self.scope.is_some_and(|wanted| {
            of_type.is_some_and(|scope| scope != wanted)
                || (wanted == RegionScope::Global && region.as_str() != region.partition().global_region())
        })
    }

    /// Whether a row is live, of a share that is not deleted, and passes every filter.
    fn wants(&self, row: &AssociationInShare, app: &App, call: &Call) -> bool {
        let association = &row.association;
        let resource_type = association.resource_type().unwrap_or_default();
        !association.has_ended(call.now)
            && row.share_deleted.is_none()
            && self.resource_type.as_deref().is_none_or(|wanted| wanted == resource_type)
            && self.arns.is_none_or(|arns| arns.contains(&association.entity))
            && self.shares.as_ref().is_none_or(|shares| shares.contains(&association.share_arn()))
            && self.scope.is_none_or(|wanted| wanted == scope_of(app, resource_type))
    }
}
