//! What orchestrators, load balancers and Prometheus ask for: `/healthz`, `/readyz` and `/metrics`, unsigned.

use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};

use super::connections::Answers;
use super::dispatch::is_from_a_page;
use crate::AuthMode;
use crate::app::App;
use crate::health::NotReady;
use crate::metrics::CONTENT_TYPE as METRICS;

const JSON: &str = "application/json";

/// A question about the server itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// Whether the process is alive.
    Health,
    /// Whether it can serve.
    Ready,
    /// All that it counts and measures.
    Metrics,
}

impl Probe {
    /// The probe that a request is; most are none.
    pub(super) fn of(head: &Parts) -> Option<Self> {
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return None;
        }
        match head.uri.path() {
            "/healthz" => Some(Self::Health),
            "/readyz" => Some(Self::Ready),
            "/metrics" => Some(Self::Metrics),
            _ => None,
        }
    }

    /// Whether it is answered where everybody's requests come in: unless there is a listener for it, and metrics never
    /// in strict mode, where strangers reach that listener.
    pub(super) fn is_public(self, app: &App, has_own_listener: bool) -> bool {
        !has_own_listener && (self != Self::Metrics || app.settings.auth == AuthMode::Open)
    }
}

/// Answers a probe. Only who asks on a listener of its own is told what the store said.
pub(super) async fn answer(probe: Probe, app: &App, head: &Parts, is_trusted: bool) -> Response<Full<Bytes>> {
    match probe {
        Probe::Health => json(StatusCode::OK, &serde_json::json!({"status": "ok"})),
        Probe::Ready => match app.health.check(&app.store).await {
            Ok(()) => json(StatusCode::OK, &serde_json::json!({"status": "ok"})),
            Err(reason) => not_ready(&reason, is_trusted),
        },
        Probe::Metrics if is_from_a_page(&head.headers) => {
            let message = serde_json::json!({"message": "A web page may not call this."});
            json(StatusCode::FORBIDDEN, &message)
        }
        Probe::Metrics => match app.metrics.render() {
            Ok(text) => plain(StatusCode::OK, METRICS, text),
            Err(error) => {
                tracing::error!(%error, "the metrics cannot be written");
                plain(StatusCode::INTERNAL_SERVER_ERROR, JSON, "{}".to_owned())
            }
        },
    }
}

fn not_ready(reason: &NotReady, is_trusted: bool) -> Response<Full<Bytes>> {
    let mut body = serde_json::json!({"status": "unavailable", "reason": reason.word()});
    if is_trusted {
        body["detail"] = reason.to_string().into();
    }
    json(StatusCode::SERVICE_UNAVAILABLE, &body)
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    plain(status, JSON, body.to_string())
}

fn plain(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Answers on the listener that is for probes alone.
pub(super) struct Admin(pub(super) Arc<App>);

impl Answers for Admin {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, _) = request.into_parts();
        if let Some(probe) = Probe::of(&head) {
            return answer(probe, &self.0, &head, true).await;
        }
        let message = "Here are GET /healthz, /readyz and /metrics.";
        json(StatusCode::NOT_FOUND, &serde_json::json!({"message": message}))
    }
}
