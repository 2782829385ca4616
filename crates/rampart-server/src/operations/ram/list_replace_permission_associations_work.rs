//! ListReplacePermissionAssociationsWork: what became of one's replacements (reference §10.31).

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::future::try_join_all;
use rampart_aws::rest_json::parse_body;
use rampart_core::permission::replacement::ReplaceWork;
use rampart_core::refusal::PermissionRefusal;
use rampart_core::{Refusal, TimestampMs};
use rampart_store::{Reader, StoreError, WorkCursor};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::input::filter_values;
use super::permission_shapes::ReplaceWorkShape;
use crate::app::{App, Call};
use crate::idempotency::json;
use crate::operations::{Answer, Request};
use crate::paging::{Page, Place, Walked};

const NAME: &str = "ListReplacePermissionAssociationsWork";
const STATUSES: [&str; 3] = ["IN_PROGRESS", "COMPLETED", "FAILED"];

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    work_ids: Option<Vec<String>>,
    status: Option<String>,
    #[serde(skip_serializing)]
    next_token: Option<String>,
    #[serde(skip_serializing)]
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    replace_permission_associations_works: Vec<ReplaceWorkShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let mut input: Input = parse_body(&request.body)?;
        input.work_ids = filter_values(input.work_ids.take(), "workIds")?;
        if let Some(other) = input.status.as_deref().filter(|status| !STATUSES.contains(status)) {
            let value = other.chars().take(64).collect();
            return Err(Refusal::from(PermissionRefusal::WorkStatusInvalid { value }).into());
        }
        let call = request.call;
        let page = Page::open(&app, &call, NAME, &input, input.max_results, input.next_token.as_deref())?;
        let begun = page.after.map(|place| WorkCursor { created: place.time, id: place.id });
        let mut after = begun.unwrap_or(WorkCursor::START);
        let reader = app.store.reader().await?;
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let next_token = loop {
            let (works, at_end) = if let Some(ids) = &input.work_ids {
                (named(&reader, &app, &call, ids, after).await?, true)
            } else {
                let (gone, limit) = (gone(&app, &call), page.load_size());
                let works = reader.replace_works(call.account, call.region, after, gone, limit).await?;
                let at_end = page.is_last(works.len());
                (works, at_end)
            };
            looked_at += works.len();
            after = works.last().map_or(after, WorkCursor::after);
            let is_wanted = |work: &ReplaceWork| {
                input.status.as_deref().is_none_or(|status| status == work.state.as_str())
            };
            found.extend(works.into_iter().filter(is_wanted));
            let walked = Walked { after: place(after), looked_at, at_end };
            let place_of = |work: &ReplaceWork| place(WorkCursor::after(work));
            if let ControlFlow::Break(token) = page.ends(&app, &mut found, place_of, walked) {
                break token;
            }
        };
        let works = found.iter().map(ReplaceWorkShape::new).collect();
        Ok(json(&Output { replace_permission_associations_works: works, next_token }))
    })
}

fn place(cursor: WorkCursor) -> Place {
    Place { time: cursor.created, id: cursor.id }
}

/// What was finished up to then is shown no more.
fn gone(app: &App, call: &Call) -> TimestampMs {
    call.now.saturating_sub_ms(app.timing().finished_work_visible_ms)
}

/// Those of the ids that are the caller's, in the list's order, each looked up by its key.
// AWS: an unknown id is left out (reference §10.31).
async fn named(
    reader: &Reader,
    app: &App,
    call: &Call,
    ids: &[String],
    after: WorkCursor,
) -> Result<Vec<ReplaceWork>, StoreError> {
    // As rampart writes them: ids are compared letter by letter.
    let ids = ids.iter().filter_map(|text| text.parse().ok().filter(|id: &Uuid| id.to_string() == *text));
    let ids: BTreeSet<Uuid> = ids.collect();
    let works = ids.into_iter().map(|id| reader.replace_work(call.account, call.region, id));
    let gone = gone(app, call);
    let is_shown = |work: &ReplaceWork| work.finished().is_none_or(|finished| finished > gone);
    let works = try_join_all(works).await?.into_iter().flatten();
    let mut works: Vec<_> = works.filter(|work| is_shown(work) && WorkCursor::after(work) > after).collect();
    works.sort_by_key(WorkCursor::after);
    Ok(works)
}
