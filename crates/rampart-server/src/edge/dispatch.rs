//! From an HTTP request to its answer: tell the service, read the body, check the caller, run the operation.
//!
//! A failure of any kind becomes an answer of that service's form. A panic is a 500 for its request alone.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use http::header::{CONTENT_TYPE, ORIGIN, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use rampart_aws::query::{Form, parse_form};
use rampart_aws::sigv4::{self, Presented, RequestParts};
use rampart_core::Region;
use rampart_core::limits::INVOCATION_ID_CHARS_MAX;
use tower::ServiceExt;
use uuid::Uuid;

use super::Edge;
use super::body::pass_by;
use super::connections::Peer;
use super::probes::{self, Probe};
use super::respond::{Answered, Finished, Seen, respond};
use super::route::{is_signed, operation_of, operation_of_head};
use crate::AuthMode;
use crate::app::{App, Call};
use crate::authorization::authorize;
use crate::failure::{Dialect, Failure};
use crate::health::Health;
use crate::identity::authenticate;
use crate::operations::{self, Operation, Service};

pub(super) async fn dispatch(edge: &Edge, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let started = Instant::now();
    let request_id = edge.app.entropy.uuid();
    let (head, mut body) = request.into_parts();
    let mut seen = Seen::default();
    let probe = Probe::of(&head).filter(|probe| probe.is_public(&edge.app, edge.has_admin));
    let answered = async {
        if let Some(probe) = probe {
            return Answered::Own(probes::answer(probe, &edge.app, &head, false).await);
        }
        if let Err(failure) = edge.buffers.check_length(&body) {
            return Answered::failed(failure, dialect_of(&head), None);
        }
        if is_own(&head) {
            return answer_own(edge, &head, &mut body).await;
        }
        answer(edge, &head, &mut body, request_id, &mut seen).await
    };
    let answered = AssertUnwindSafe(answered).catch_unwind().await.unwrap_or_else(|_| {
        // The panic's message went to the log by the panic hook.
        Answered::failed(Failure::Internal, dialect_of(&head), None)
    });
    if let Answered::Failed { failure: Failure::Store(error), .. } = &answered
        && error.is_gone()
    {
        Health::missed_store(&edge.app, error);
    }
    let is_read = pass_by(&mut body, &head.headers).await;
    let request = Finished { head: &head, request_id, seen, took: started.elapsed(), is_read };
    let response = respond(answered, &request);
    if probe.is_none() {
        edge.app.metrics.answered(seen.operation, response.status(), request.took);
        if let Some(observer) = &edge.observer {
            observer(&request.observed(response.status()));
        }
    }
    response
}

/// Whether a request is for the part of rampart's own API that nobody signs for.
fn is_own(head: &Parts) -> bool {
    let path = head.uri.path();
    path.starts_with("/rampart/") && !is_signed(path)
}

/// Answers a request to rampart's own API. The bodies of those that it refuses unseen are not read.
async fn answer_own(edge: &Edge, head: &Parts, body: &mut Incoming) -> Answered {
    let is_refused = edge.app.settings.auth != AuthMode::Open || is_from_a_page(&head.headers);
    if is_refused {
        return Answered::Own(call_own_api(&edge.own_api, head, Bytes::new()).await);
    }
    match edge.buffers.read(body).await {
        Ok(body) => Answered::Own(call_own_api(&edge.own_api, head, body.bytes.clone()).await),
        Err(failure) => Answered::failed(failure, dialect_of(head), None),
    }
}

async fn call_own_api(own_api: &axum::Router, head: &Parts, body: Bytes) -> Response<Full<Bytes>> {
    let mut request = Request::new(axum::body::Body::from(body));
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    let Ok(response) = own_api.clone().oneshot(request).await;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Response::from_parts(head, Full::new(body))
}

/// What a head claims, whether or not it is true.
struct Claim<'a> {
    presented: Presented<'a>,
    service: Service,
    region: Region,
}

/// Reads the head's claim; refuses what can be refused before the body is read.
fn read_claim<'a>(
    app: &App,
    head: &Parts,
    parts: &RequestParts<'a>,
) -> Result<Claim<'a>, (Failure, Dialect)> {
    if app.settings.auth == AuthMode::Open && is_from_a_page(&head.headers) {
        return Err((Failure::FromAPage, dialect_of(head)));
    }
    let presented = match sigv4::parse(parts) {
        Ok(Some(presented)) => presented,
        Ok(None) => return Err((Failure::Unsigned, dialect_of(head))),
        Err(error) => return Err((Failure::Signature(error), dialect_of(head))),
    };
    let name = presented.scope.service;
    let unknown = || (Failure::UnknownService(name.chars().take(64).collect()), dialect_of(head));
    let service = Service::named(name).ok_or_else(unknown)?;
    let malformed = |_| Failure::RegionMalformed(presented.scope.region.chars().take(64).collect());
    let region = presented.scope.region.parse().map_err(|e| (malformed(e), service.dialect()))?;
    Ok(Claim { presented, service, region })
}

/// Answers a request to one of AWS's services.
async fn answer(
    edge: &Edge,
    head: &Parts,
    body: &mut Incoming,
    request_id: Uuid,
    seen: &mut Seen,
) -> Answered {
    let app = &edge.app;
    let headers = plain_headers(&head.headers, &head.uri);
    let parts = RequestParts {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &headers,
        body: &[],
    };
    let Claim { presented, service, region } = match read_claim(app, head, &parts) {
        Ok(claim) => claim,
        Err((failure, dialect)) => {
            seen.operation = operation_of_head(None, head);
            return Answered::failed(failure, dialect, None);
        }
    };
    // Until the caller is known, this is for those alone who watch the server.
    seen.operation = operation_of_head(Some(service), head);
    let dialect = service.dialect();
    let failed = |failure| Answered::failed(failure, dialect, None);
    let buffered = match edge.buffers.read(body).await {
        Ok(buffered) => buffered,
        Err(failure) => return failed(failure),
    };
    let body = buffered.bytes.clone();
    let parts = RequestParts { body: &buffered.bytes, ..parts };
    let caller = match authenticate(app, &parts, &presented, region, service.name()).await {
        Ok(caller) => caller,
        Err(failure) => {
            seen.operation = seen.operation.or_else(|| {
                let form = read_form(dialect, parts.query, &body).ok()?;
                operation_of(service, head, &form).ok()
            });
            return failed(failure);
        }
    };
    seen.account = Some(caller.account);
    let form = match read_form(dialect, parts.query, &body) {
        Ok(form) => form,
        Err(failure) => return failed(failure),
    };
    let operation = match operation_of(service, head, &form) {
        Ok(operation) => operation,
        Err(failure) => return failed(failure),
    };
    seen.operation = Some(operation);
    let call = Call {
        account: caller.account,
        caller,
        region,
        operation,
        invocation_id: invocation_id(&head.headers, &presented),
        source_ip: head.extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical()),
        user_agent: head.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned),
        request_id,
        membership: Arc::default(),
        now: app.clock.now(),
    };
    run(app, operations::Request { call, query: parts.query.to_owned(), body, form }).await
}

/// The parameters of a request that is spoken in forms: its body, or else its URL's query.
pub(crate) fn read_form(dialect: Dialect, query: &str, body: &[u8]) -> Result<Form, Failure> {
    match dialect {
        Dialect::RestJson | Dialect::Json => Ok(Form::default()),
        Dialect::Query { .. } if body.is_empty() => Ok(parse_form(query.as_bytes())?),
        Dialect::Query { .. } => Ok(parse_form(body)?),
    }
}

async fn run(app: &Arc<App>, request: operations::Request) -> Answered {
    let operation: &'static Operation = request.call.operation;
    let dialect = operation.service.dialect();
    match perform(app, request).await {
        Ok(body) => Answered::Result { body, dialect },
        Err(failure) => Answered::failed(failure, dialect, Some(operation)),
    }
}

/// Runs an operation, if its caller may call it.
pub(crate) async fn perform(app: &Arc<App>, request: operations::Request) -> Result<String, Failure> {
    let operation: &'static Operation = request.call.operation;
    authorize(app, &request).await?;
    let handler = operation.handler.ok_or(Failure::NotBuilt(operation.name))?;
    let body = handler(Arc::clone(app), request).await?;
    // Which policies bear on whom may be another matter now, for callers of any account.
    if operation.service == Service::Organizations && !operation.only_reads() {
        app.keys.look_again();
    }
    Ok(body)
}

/// Open mode trusts whoever is on this machine, but not the web pages that they look at: a page can have a browser send
/// a request here, and no signature would stop it.
pub(crate) fn is_from_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site")
}

/// The id that SDKs give all attempts of one call: taken when it was signed, so that nobody else can have set it.
fn invocation_id(headers: &HeaderMap, presented: &Presented<'_>) -> Option<String> {
    const NAME: &str = "amz-sdk-invocation-id";
    let id = headers.get(NAME)?.to_str().ok()?;
    let signed = presented.signed_headers.split(';').any(|header| header == NAME);
    (signed && (1..=INVOCATION_ID_CHARS_MAX).contains(&id.len())).then(|| id.to_owned())
}

/// Header names and values as they came; HTTP/2's authority stands where HTTP/1.1 has its Host.
fn plain_headers<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Vec<(&'a str, &'a [u8])> {
    let mut plain: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    if let (false, Some(authority)) = (headers.contains_key(http::header::HOST), uri.authority()) {
        plain.push(("host", authority.as_str().as_bytes()));
    }
    plain
}

/// In which form to refuse a request whose service is not known: who names a target speaks awsJson1.1, forms speak
/// Query, all else restJson1.
fn dialect_of(head: &Parts) -> Dialect {
    if head.headers.contains_key("x-amz-target") {
        return Dialect::Json;
    }
    let is_form = head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let has_action =
        head.uri.query().is_some_and(|query| query.starts_with("Action=") || query.contains("&Action="));
    if is_form || has_action { Service::Sts.dialect() } else { Dialect::RestJson }
}
