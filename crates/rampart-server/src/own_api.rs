//! The part of rampart's own API that nobody signs for: the manual clock and the reset, both for open mode alone. What
//! accounts call is in the table of operations.

use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rampart_aws::query::parse_form;
use rampart_core::TimestampMs;
use rampart_core::timing::DAY_MS;
use rampart_store::Abort;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::edge::is_from_a_page;
use crate::{AuthMode, Clock};

/// The years that the clock may be set to: 1970 to 9999.
const LAST_MS: i64 = 253_402_300_799_000;

const RESET_HELP: &str = "The reset takes no parameter but force=true.";
const KEYS_KEPT: &str = "The store has access keys, so it may be in earnest use. POST /rampart/v1/reset?force=true \
                         empties it all the same, keys included.";

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/rampart/v1/clock", get(read_clock).post(set_clock))
        .route("/rampart/v1/reset", post(reset))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), open_mode_only))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
}

#[derive(Serialize)]
struct Message {
    message: String,
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(Message { message: message.to_owned() })).into_response()
}

async fn open_mode_only(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if app.settings.auth != AuthMode::Open {
        return refuse(
            StatusCode::FORBIDDEN,
            "The clock and the reset exist in open mode only (--auth open).",
        );
    }
    if is_from_a_page(request.headers()) {
        return refuse(StatusCode::FORBIDDEN, "A web page may not call this.");
    }
    next.run(request).await
}

async fn unknown() -> Response {
    refuse(StatusCode::NOT_FOUND, "There is nothing at this path.")
}

async fn wrong_method() -> Response {
    refuse(StatusCode::METHOD_NOT_ALLOWED, "This path does not take that method.")
}

/// The server's time, in epoch seconds, and how far it is ahead of the machine's.
#[derive(Serialize)]
struct ClockReading {
    now: TimestampMs,
    offset: TimestampMs,
}

fn reading(app: &App) -> Json<ClockReading> {
    let now = app.clock.now();
    Json(ClockReading { now, offset: TimestampMs(now.0 - Clock::real().0) })
}

async fn read_clock(State(app): State<Arc<App>>) -> Json<ClockReading> {
    reading(&app)
}

/// Exactly one of both, in seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockMove {
    now: Option<f64>,
    advance: Option<f64>,
}

async fn set_clock(State(app): State<Arc<App>>, body: axum::body::Bytes) -> Response {
    const HELP: &str = r#"Send {"now": EPOCH SECONDS} or {"advance": SECONDS}."#;
    let Ok(wanted) = serde_json::from_slice::<ClockMove>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, HELP);
    };
    match (wanted.now, wanted.advance) {
        (Some(now), None) => match milliseconds(now).filter(|ms| (0..=LAST_MS).contains(ms)) {
            Some(ms) => app.clock.set(TimestampMs(ms)),
            None => return refuse(StatusCode::BAD_REQUEST, "The time lies outside the years 1970 to 9999."),
        },
        (None, Some(advance)) => match milliseconds(advance) {
            Some(ms) if (0..=36_500 * DAY_MS).contains(&ms) && app.clock.now().0 + ms <= LAST_MS => {
                app.clock.advance(ms);
            }
            _ => return refuse(StatusCode::BAD_REQUEST, "The clock advances by 0 seconds to 100 years."),
        },
        _ => return refuse(StatusCode::BAD_REQUEST, HELP),
    }
    reading(&app).into_response()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float cast saturates, and the caller checks the range"
)]
fn milliseconds(seconds: f64) -> Option<i64> {
    seconds.is_finite().then(|| (seconds * 1000.0).round() as i64)
}

/// Empties the store and sets the clock back, between two tests of a user's suite. A store with access keys is more
/// than a test's, so it is emptied only by who says `?force=true`.
async fn reset(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let Ok(form) = parse_form(query.unwrap_or_default().as_bytes()) else {
        return refuse(StatusCode::BAD_REQUEST, RESET_HELP);
    };
    let is_forced = match form.iter().collect::<Vec<_>>()[..] {
        [] | [("force", "false")] => false,
        [("force", "true")] => true,
        _ => return refuse(StatusCode::BAD_REQUEST, RESET_HELP),
    };
    match empty(&app, is_forced).await {
        Ok(true) => {
            app.keys.look_again();
            app.clock.reset();
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(false) => refuse(StatusCode::CONFLICT, KEYS_KEPT),
        Err(error) => {
            tracing::error!(%error, "the store could not be emptied");
            refuse(StatusCode::SERVICE_UNAVAILABLE, "The store could not be emptied. Try again later.")
        }
    }
}

/// Says whether the store was emptied.
async fn empty(app: &App, is_forced: bool) -> Result<bool, Abort> {
    if !is_forced && app.store.reader().await?.has_access_keys().await? {
        return Ok(false);
    }
    app.store.empty(app.clock.now()).await?;
    Ok(true)
}
