//! ListReplacePermissionAssociationsWork: what became of one's replacements (reference §10.31).

use std::ops::ControlFlow;
use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::Refusal;
use rampart_core::permission::replacement::ReplaceWork;
use rampart_core::refusal::PermissionRefusal;
use rampart_store::WorkCursor;
use serde::{Deserialize, Serialize};

use super::input::filter_values;
use super::permission_shapes::ReplaceWorkShape;
use crate::app::App;
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
        let place = |cursor: WorkCursor| Place { time: cursor.created, id: cursor.id };
        let begun = page.after.map(|place| WorkCursor { created: place.time, id: place.id });
        let mut after = begun.unwrap_or(WorkCursor::START);
        let gone = call.now.saturating_sub_ms(app.timing().finished_work_visible_ms);
        let reader = app.store.reader().await?;
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let next_token = loop {
            let limit = page.load_size();
            let works = reader.replace_works(call.account, call.region, after, gone, limit).await?;
            let at_end = page.is_last(works.len());
            looked_at += works.len();
            after = works.last().map_or(after, WorkCursor::after);
            // AWS: an unknown id is left out (reference §10.31).
            found.extend(works.into_iter().filter(|work| {
                input.status.as_deref().is_none_or(|status| status == work.state.as_str())
                    && input.work_ids.as_ref().is_none_or(|ids| ids.contains(&work.id.to_string()))
            }));
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
