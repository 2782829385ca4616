//! ListResourceSharePermissions: what a share allows (reference §10.28). Its owner may ask, and who was granted it.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::{AttachedPermission, Refusal, TimestampMs};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::input::{required, share_arn};
use super::permission_shapes::PermissionShape;
use super::permissions::OwnPermissions;
use super::received;
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place};

const NAME: &str = "ListResourceSharePermissions";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arn: Option<String>,
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
        let call = request.call;
        let text = required(input.resource_share_arn, "resourceShareArn")?;
        let arn = share_arn(&text)?;
        let page = Page::open(&app, &call, NAME, &text, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let (now, timing) = (call.now, app.timing());
        let share = if call.owns(arn) {
            reader.resource_share(arn).await?.filter(|share| share.status(now, timing).is_some())
        } else if arn.region == call.region {
            received::share(&reader, &app, &call, arn).await?.map(|received| received.share)
        } else {
            None
        };
        let share = share.ok_or(Refusal::ShareNotFound { share: arn })?;
        let feature_set = share.origin.feature_set(now, timing);
        // One for each type: there are never more than types. The place of a row is its number, from one.
        let after = page.after.map_or(0, |place| place.time.0);
        let rows = reader.share_permissions(arn).await?;
        let own = OwnPermissions::load(&reader, &rows).await?;
        let mut rows: Vec<_> = (1_i64..).zip(rows).filter(|(number, _)| *number > after).collect();
        let place =
            |(number, _): &(i64, AttachedPermission)| Place { time: TimestampMs(*number), id: Uuid::nil() };
        let next_token = page.cut(&app, &mut rows, place);
        let attached = |row| PermissionShape::of_attached(row, feature_set, &own, &app, &call);
        let permissions = rows.iter().map(|(_, row)| attached(row)).collect();
        Ok(json(&Output { permissions, next_token }))
    })
}
