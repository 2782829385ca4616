//! Answers as HTTP: body, content type, request id; failures in the envelope of their protocol (reference §11).

use std::time::Duration;

use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Bytes;
use rampart_aws::query::{ErrorType, error_xml};
use rampart_aws::{json_rpc, rest_json};
use rampart_core::AccountId;
use uuid::Uuid;

use super::observed::Observed;
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

/// What was found out about a request before it was answered.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    /// The caller's account, once the caller is known.
    pub(super) account: Option<AccountId>,
    /// The operation, once it is known: that may be before the caller is.
    pub(super) operation: Option<&'static Operation>,
}

/// A request that was dealt with.
pub(super) struct Finished<'a> {
    pub(super) head: &'a Parts,
    pub(super) request_id: Uuid,
    pub(super) seen: Seen,
    pub(super) took: Duration,
    /// Whether it was read to its end.
    pub(super) is_read: bool,
}

/// Puts the answer into HTTP, and one line into the log.
pub(super) fn respond(answered: Answered, request: &Finished<'_>) -> Response<Full<Bytes>> {
    let mut text = Uuid::encode_buffer();
    let request_id: &str = request.request_id.hyphenated().encode_lower(&mut text);
    let mut response = match answered {
        Answered::Result { body, dialect } => {
            request.log(request_id, StatusCode::OK, None);
            answer(StatusCode::OK, dialect, body)
        }
        Answered::Failed { error, dialect, failure } => {
            let response = failed(&error, dialect, request_id);
            request.log(request_id, response.status(), Some((&error, &failure)));
            response
        }
        Answered::Own(response) => {
            request.log(request_id, response.status(), None);
            response
        }
    };
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    // The rest of a body that was not read must not be taken for the next request.
    if !request.is_read && request.head.version < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
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

/// The log's lines about requests have a name of their own, so that a filter can ask for them alone.
const REQUESTS: &str = "rampart_server::request";

impl Finished<'_> {
    /// What an observer is told.
    pub(super) fn observed(&self, status: StatusCode) -> Observed<'_> {
        Observed {
            request_id: self.request_id,
            operation: self.seen.operation,
            account: self.seen.account,
            method: &self.head.method,
            headers: &self.head.headers,
            status,
            took: self.took,
        }
    }

    /// Writes one event with all that is known of the request.
    fn log(&self, request_id: &str, status: StatusCode, failed: Option<(&WireError, &Failure)>) {
        let service = self.seen.operation.map(|operation| operation.service.name());
        let operation = self.seen.operation.map(|operation| operation.name);
        let account = self.seen.account.map(tracing::field::display);
        let (method, path, status) = (self.head.method.as_str(), self.head.uri.path(), status.as_u16());
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        let code = failed.map(|(error, _)| error.code);
        // That the store is gone is said once, not of every request; nor that a probe was told so.
        let is_told = failed.is_none_or(|(_, failure)| matches!(failure, Failure::Store(e) if e.is_gone()));
        if status >= 500 && !is_told {
            let failure = failed.map(|(error, failure)| failure.for_the_log(error));
            tracing::error!(
                target: REQUESTS,
                request_id, service, operation, account, method, path, status, micros, code, failure,
                "a request failed"
            );
            return;
        }
        // Not a field named `message`: that one is written as it is, and part of the text is the caller's.
        let reason = failed.map(|(error, failure)| failure.for_the_log(error));
        let outcome = match failed {
            Some(_) if status >= 500 => "a request failed",
            Some(_) => "a request was refused",
            None => "answered",
        };
        tracing::debug!(
            target: REQUESTS,
            request_id, service, operation, account, method, path, status, micros, code, reason, "{outcome}"
        );
    }
}
