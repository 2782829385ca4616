//! Answers as HTTP: body, content type, request id; failures in the envelope of their protocol (reference §11).

use std::time::Instant;

use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Bytes;
use rampart_aws::query::{ErrorType, error_xml};
use rampart_aws::{json_rpc, rest_json};
use uuid::Uuid;

use crate::failure::{Dialect, Failure, WireError};
use crate::operations::Operation;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
static ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const JSON_RPC: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const XML: HeaderValue = HeaderValue::from_static("text/xml");

/// What became of a request.
pub(super) enum Answered {
    /// An operation's result.
    Result { body: String, dialect: Dialect },
    /// A failure, in the words of its protocol.
    Failed { error: WireError, dialect: Dialect, failure: Failure },
    /// What rampart's own API said.
    Own(Response<Full<Bytes>>),
}

impl Answered {
    pub(super) fn failed(failure: Failure, dialect: Dialect, operation: Option<&Operation>) -> Self {
        Self::Failed { error: failure.to_wire(dialect, operation), dialect, failure }
    }
}

/// Puts the answer into HTTP, and one line into the log. `is_read` says whether the request was read to its end.
pub(super) fn respond(
    answered: Answered,
    head: &Parts,
    request_id: Uuid,
    started: Instant,
    is_read: bool,
) -> Response<Full<Bytes>> {
    let mut text = Uuid::encode_buffer();
    let request_id: &str = request_id.hyphenated().encode_lower(&mut text);
    let mut response = match answered {
        Answered::Result { body, dialect } => answer(StatusCode::OK, dialect, body),
        Answered::Failed { error, dialect, failure } => {
            log_failure(&error, &failure, head, request_id);
            failed(&error, dialect, request_id)
        }
        Answered::Own(response) => response,
    };
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    // The rest of a body that was not read must not be taken for the next request.
    if !is_read && head.version < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    tracing::debug!(
        request_id,
        method = %head.method,
        path = head.uri.path(),
        status = response.status().as_u16(),
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

fn answer(status: StatusCode, dialect: Dialect, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let content_type = match dialect {
        Dialect::RestJson => JSON,
        Dialect::Json => JSON_RPC,
        Dialect::Query { .. } => XML,
    };
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

fn failed(error: &WireError, dialect: Dialect, request_id: &str) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = match dialect {
        Dialect::RestJson => rest_json::error_body(&error.message),
        Dialect::Json => json_rpc::error_body(error.code, &error.message, error.reason),
        Dialect::Query { namespace } => {
            let kind = if status.is_server_error() { ErrorType::Receiver } else { ErrorType::Sender };
            error_xml(kind, error.code, &error.message, request_id, namespace)
        }
    };
    let mut response = answer(status, dialect, body);
    let headers = response.headers_mut();
    if !matches!(dialect, Dialect::Query { .. }) {
        headers.insert(ERROR_TYPE.clone(), HeaderValue::from_static(error.code));
    }
    if let Some(seconds) = error.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn log_failure(error: &WireError, failure: &Failure, head: &Parts, request_id: &str) {
    let path = head.uri.path();
    if error.status >= 500 {
        tracing::error!(request_id, path, code = error.code, ?failure, "a request failed");
    } else {
        // Not a field named `message`: that one is written as it is, and part of the text is the caller's.
        tracing::debug!(request_id, path, code = error.code, reason = error.message, "a request was refused");
    }
}
