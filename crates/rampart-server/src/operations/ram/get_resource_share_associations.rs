//! GetResourceShareAssociations: what is in the caller's own shares (reference §10.7).

use std::sync::Arc;

use futures_util::future::try_join_all;
use rampart_aws::rest_json::parse_body;
use rampart_core::{AssociationId, AssociationKind, Refusal, ShareArn};
use rampart_store::{AssociationCursor, AssociationInShare, AssociationScope, Reader};
use serde::{Deserialize, Serialize};

use super::input::{filter_values, required, share_arn};
use super::shapes::AssociationShape;
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place, SCAN_MAX};

const NAME: &str = "GetResourceShareAssociations";

/// The statuses of the model. The last four are never had here, so they find none.
const STATUSES: [&str; 8] = [
    "ASSOCIATING",
    "ASSOCIATED",
    "DISASSOCIATING",
    "DISASSOCIATED",
    "FAILED",
    "SUSPENDED",
    "SUSPENDING",
    "RESTORING",
];

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    association_type: Option<String>,
    resource_share_arns: Option<Vec<String>>,
    resource_arn: Option<String>,
    principal: Option<String>,
    association_status: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    resource_share_associations: Vec<AssociationShape>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let call = request.call;
        let filter = Filter::new(&input)?;
        let shares = filter_values(input.resource_share_arns, "resourceShareArns")?;
        let filters = (&input.association_type, &shares, &filter.entity, &input.association_status);
        let page = Page::open(&app, &call, NAME, &filters, input.max_results, input.next_token.as_deref())?;
        let parse = |arns: Vec<String>| arns.iter().map(|arn| share_arn(arn)).collect::<Result<Vec<_>, _>>();
        let shares = shares.map(parse).transpose()?;
        let reader = app.store.reader().await?;
        if let Some(shares) = &shares {
            check_owned(&reader, &app, &call, shares).await?;
        }
        let (rows, next_token) = filter.walk(&reader, &app, &call, &page, shares.as_deref()).await?;
        let shape = |row: &AssociationInShare| AssociationShape::of_row(row, call.now, app.timing());
        let output = Output { next_token, resource_share_associations: rows.iter().map(shape).collect() };
        Ok(json(&output))
    })
}

/// Every share that is named must be the caller's and visible.
async fn check_owned(reader: &Reader, app: &App, call: &Call, shares: &[ShareArn]) -> Result<(), Failure> {
    let found = try_join_all(shares.iter().map(|arn| reader.resource_share(*arn))).await?;
    for (arn, share) in shares.iter().zip(found) {
        let visible = share.is_some_and(|share| {
            share.owner == call.account
                && share.region == call.region
                && share.status(call.now, app.timing()).is_some()
        });
        if !visible {
            return Err(Refusal::ShareNotFound { share: *arn }.into());
        }
    }
    Ok(())
}

struct Filter {
    kind: AssociationKind,
    entity: Option<String>,
    status: Option<String>,
}

impl Filter {
    fn new(input: &Input) -> Result<Self, Refusal> {
        let text = required(input.association_type.as_deref(), "associationType")?;
        let kind = match text {
            "PRINCIPAL" => AssociationKind::Principal,
            "RESOURCE" => AssociationKind::Resource,
            other => return Err(Refusal::AssociationTypeInvalid { value: other.chars().take(64).collect() }),
        };
        if kind == AssociationKind::Principal && input.resource_arn.is_some() {
            return Err(Refusal::ResourceArnWithPrincipalType);
        }
        if kind == AssociationKind::Resource && input.principal.is_some() {
            return Err(Refusal::PrincipalWithResourceType);
        }
        let status = input.association_status.clone();
        if let Some(other) = status.as_deref().filter(|status| !STATUSES.contains(status)) {
            return Err(Refusal::AssociationStatusInvalid { value: other.chars().take(64).collect() });
        }
        Ok(Self { kind, entity: input.principal.clone().or_else(|| input.resource_arn.clone()), status })
    }

    /// Walks from the page's place until it is full, the rows are at their end, or enough rows were looked at: then
    /// the page is short, which its token says.
    async fn walk(
        &self,
        reader: &Reader,
        app: &App,
        call: &Call,
        page: &Page,
        shares: Option<&[ShareArn]>,
    ) -> Result<(Vec<AssociationInShare>, Option<String>), Failure> {
        let mut after = page.after.map_or(AssociationCursor::START, |place| AssociationCursor {
            created: place.time,
            id: AssociationId(place.id),
        });
        let mut found = Vec::new();
        let mut looked_at = 0;
        loop {
            let rows = self.load(reader, app, call, page, shares, after).await?;
            let at_end = rows.len() < usize::try_from(page.load_size()).expect("a page size fits");
            looked_at += rows.len();
            if let Some(last) = rows.last() {
                after = AssociationCursor::after(&last.association);
            }
            found.extend(rows.into_iter().filter(|row| self.matches(row, call, app, shares)));
            if let Some(token) =
                page.cut(app, &mut found, |row| place(AssociationCursor::after(&row.association)))
            {
                return Ok((found, Some(token)));
            }
            if at_end {
                return Ok((found, None));
            }
            if looked_at >= SCAN_MAX {
                return Ok((found, Some(page.token(app, place(after)))));
            }
        }
    }

    /// The next rows along the index that fits the filters best, ordered as the list is.
    async fn load(
        &self,
        reader: &Reader,
        app: &App,
        call: &Call,
        page: &Page,
        shares: Option<&[ShareArn]>,
        after: AssociationCursor,
    ) -> Result<Vec<AssociationInShare>, Failure> {
        let walk = |scope| {
            let limit = page.load_size();
            reader.associations(
                scope,
                call.account,
                call.region,
                self.kind,
                after,
                call.now,
                app.timing(),
                limit,
            )
        };
        if let Some(entity) = &self.entity {
            return Ok(walk(AssociationScope::Entity(entity)).await?);
        }
        let Some(shares) = shares else { return Ok(walk(AssociationScope::Owner).await?) };
        let pages = shares.iter().map(|share| walk(AssociationScope::Share(*share)));
        let mut rows: Vec<_> = try_join_all(pages).await?.into_iter().flatten().collect();
        rows.sort_by_key(|row| AssociationCursor::after(&row.association));
        // Beyond a page's worth another share's rows may be missing.
        rows.truncate(usize::try_from(page.load_size()).expect("a page size fits"));
        Ok(rows)
    }

    fn matches(&self, row: &AssociationInShare, call: &Call, app: &App, shares: Option<&[ShareArn]>) -> bool {
        let (status, _) = row.association.status(row.share_deleted, call.now, app.timing());
        self.status.as_deref().is_none_or(|wanted| wanted == status.as_str())
            && shares.is_none_or(|shares| shares.contains(&row.association.share_arn()))
    }
}

fn place(cursor: AssociationCursor) -> Place {
    Place { time: cursor.created, id: cursor.id.0 }
}
