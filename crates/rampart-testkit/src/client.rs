//! A client that speaks RAM, STS and Organizations as the SDKs do: it knows the wire and signs, and shows everything that came back.

use std::net::SocketAddr;

use http::{HeaderMap, Method, Request, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rampart_aws::sigv4::RequestParts;
use rampart_aws::sigv4::sign::{Credentials, presign, sign_headers};
use rampart_server::Clock;
use serde_json::Value;

pub(crate) type Http = legacy::Client<HttpConnector, Full<Bytes>>;

pub(crate) fn http() -> Http {
    // A test wants to know how often it asked.
    legacy::Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http()
}

/// HTTP/2 from the first byte.
fn http2() -> Http {
    legacy::Client::builder(TokioExecutor::new()).retry_canceled_requests(false).http2_only(true).build_http()
}

/// What AWS leaves unescaped.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `AKIA…`, or twelve digits in open mode.
    pub id: String,
    /// What it signs with.
    pub secret: String,
}

/// Somebody who calls a server.
#[derive(Clone)]
pub struct Client {
    http: Http,
    address: SocketAddr,
    key: Key,
    session_token: Option<String>,
    invocation: Option<String>,
    region: String,
}

/// Everything that came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// `x-amzn-errortype`; empty when there is none.
    pub error_code: String,
    /// The body, word for word.
    pub text: String,
    /// The body as JSON; null when it is none.
    pub json: Value,
    /// The headers.
    pub headers: HeaderMap,
}

impl Client {
    pub(crate) fn new(http: Http, address: SocketAddr, key: Key, region: &str) -> Self {
        Self { http, address, key, session_token: None, invocation: None, region: region.to_owned() }
    }

    /// A client of a server that runs elsewhere, in a process of its own say.
    pub fn of(address: SocketAddr, key: Key, region: &str) -> Self {
        Self::new(http(), address, key, region)
    }

    /// The same caller in another Region.
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// The same caller with a session token.
    pub fn with_session_token(&self, token: &str) -> Self {
        Self { session_token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same caller as an SDK that gives all attempts of one call this id, in a header that it signs.
    pub fn with_invocation(&self, id: &str) -> Self {
        Self { invocation: Some(id.to_owned()), ..self.clone() }
    }

    /// The same caller over HTTP/2 without an upgrade, on a connection of its own.
    pub fn over_http2(&self) -> Self {
        Self { http: http2(), ..self.clone() }
    }

    /// The access key id; in open mode the account.
    pub fn id(&self) -> &str {
        &self.key.id
    }

    /// Calls an operation of RAM by its name.
    pub async fn call(&self, operation: &str, input: &Value) -> Reply {
        self.send(self.request(operation, input)).await
    }

    /// Calls an operation that must succeed, and gives its output.
    pub async fn ok(&self, operation: &str, input: &Value) -> Value {
        let reply = self.call(operation, input).await;
        assert_eq!(reply.status, 200, "{operation} {input}: {} {}", reply.error_code, reply.text);
        assert_eq!(reply.headers["content-type"], "application/json");
        reply.json
    }

    /// Calls an operation that must be refused with a 400, and gives the code without its `Exception`.
    pub async fn refused(&self, operation: &str, input: &Value) -> String {
        let reply = self.call(operation, input).await;
        assert_eq!(reply.status, 400, "{operation} {input}: {} {}", reply.error_code, reply.text);
        reply.assert_error_envelope();
        reply.error_code.strip_suffix("Exception").unwrap_or(&reply.error_code).to_owned()
    }

    /// Calls an operation of STS without parameters.
    pub async fn sts(&self, action: &str) -> Reply {
        self.sts_with(action, &[]).await
    }

    /// Calls an operation of STS.
    pub async fn sts_with(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.form("sts", "2011-06-15", action, parameters).await
    }

    /// Calls an operation of IAM.
    pub async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.form("iam", "2010-05-08", action, parameters).await
    }

    /// Calls an operation of IAM that must succeed, and gives its answer.
    pub async fn iam_ok(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        let reply = self.iam(action, parameters).await;
        assert_eq!(reply.status, 200, "{action} {parameters:?}: {}", reply.text);
        assert_eq!(reply.headers["content-type"], "text/xml");
        reply
    }

    async fn form(&self, service: &str, version: &str, action: &str, parameters: &[(&str, &str)]) -> Reply {
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            let pair = ["&", *name, "="].concat();
            body.push_str(&pair);
            body.extend(utf8_percent_encode(value, UNRESERVED));
        }
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(Bytes::from(body)).expect("the parts of the request are well-formed");
        self.send(self.signed(service, request)).await
    }

    /// Calls an operation of Organizations.
    pub async fn organizations(&self, operation: &str, input: &Value) -> Reply {
        let request = Request::post("/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSOrganizationsV20161128.{operation}"));
        let request = request.body(Bytes::from(input.to_string()));
        self.send(self.signed("organizations", request.expect("the parts of the request are well-formed")))
            .await
    }

    /// Calls rampart's own API about a resource's policy, signed as a call of RAM, as all of that API may be.
    pub async fn resource_policy(&self, method: Method, input: &Value) -> Reply {
        const PATH: &str = "/rampart/v1/resource-policies";
        let (uri, body) = if method == Method::PUT {
            (PATH.to_owned(), Bytes::from(input.to_string()))
        } else {
            (format!("{PATH}?{}", query(input)), Bytes::new())
        };
        let request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
        let request = request.body(body).expect("the parts of the request are well-formed");
        self.send(self.signed("ram", request)).await
    }

    /// A signed request for an operation, to be sent or altered.
    pub fn request(&self, operation: &str, input: &Value) -> Request<Bytes> {
        let path = format!("/{}", operation.to_ascii_lowercase());
        let (method, uri, body) = if operation.starts_with("Delete") {
            (Method::DELETE, format!("{path}?{}", query(input)), Bytes::new())
        } else if operation == "PromoteResourceShareCreatedFromPolicy" {
            (Method::POST, format!("{path}?{}", query(input)), Bytes::new())
        } else {
            (Method::POST, path, Bytes::from(input.to_string()))
        };
        let request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
        self.signed("ram", request.body(body).expect("the parts of the request are well-formed"))
    }

    /// Signs a request as it is, whatever it is.
    pub fn signed(&self, service: &str, mut request: Request<Bytes>) -> Request<Bytes> {
        self.name_host(&mut request);
        if let Some(id) = &self.invocation {
            let id = id.parse().expect("an invocation id is a header value");
            request.headers_mut().insert("amz-sdk-invocation-id", id);
        }
        let headers = plain_headers(&request);
        let now_s = Clock::real().epoch_s();
        let parts = parts(&request, &headers);
        let added = sign_headers(&self.credentials(), &self.region, service, &parts, now_s);
        for (name, value) in added {
            let name: http::HeaderName = name.parse().expect("signing makes header names");
            request.headers_mut().insert(name, value.parse().expect("signing makes header values"));
        }
        request
    }

    /// A request for an operation of RAM that is good for a minute, as if signed so many seconds from now.
    pub fn presigned(&self, operation: &str, input: &Value, from_now_s: i64) -> Request<Bytes> {
        let (mut head, body) = self.request(operation, input).into_parts();
        head.headers.clear();
        let mut request = Request::from_parts(head, body);
        self.name_host(&mut request);
        let headers = plain_headers(&request);
        let now_s = Clock::real().epoch_s() + from_now_s;
        let parts = parts(&request, &headers);
        let query = presign(&self.credentials(), &self.region, "ram", &parts, 60, now_s);
        let uri = format!("{}?{query}", parts.path);
        *request.uri_mut() = uri.parse().expect("signing makes a query");
        request
    }

    fn name_host(&self, request: &mut Request<Bytes>) {
        let host = self.address.to_string();
        request.headers_mut().insert("host", host.parse().expect("an address is a header value"));
    }

    fn credentials(&self) -> Credentials<'_> {
        Credentials {
            access_key_id: &self.key.id,
            secret_access_key: &self.key.secret,
            session_token: self.session_token.as_deref(),
        }
    }

    /// Calls an operation of a server that may die; `None` when no whole answer came.
    pub async fn try_call(&self, operation: &str, input: &Value) -> Option<Reply> {
        self.try_send(self.request(operation, input)).await.ok()
    }

    /// Sends a request as it is, and reads the whole answer.
    pub async fn send(&self, request: Request<Bytes>) -> Reply {
        self.try_send(request).await.unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    async fn try_send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
        let (mut head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        head.uri = format!("http://{}{path}", self.address).parse()?;
        head.version = Version::HTTP_11;
        let response = self.http.request(Request::from_parts(head, Full::new(body))).await?;
        let (head, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        Ok(Reply::new(head.status.as_u16(), head.headers, text))
    }
}

impl Reply {
    pub(crate) fn new(status: u16, headers: HeaderMap, text: String) -> Self {
        let error_code = headers.get("x-amzn-errortype").map_or("", |value| value.to_str().expect("ASCII"));
        Self {
            status,
            error_code: error_code.to_owned(),
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
            headers,
        }
    }

    /// The text of the first XML element of that name; empty when there is none.
    pub fn element(&self, name: &str) -> String {
        self.elements(name).into_iter().next().unwrap_or_default()
    }

    /// The texts of all XML elements of that name, their own elements included.
    pub fn elements(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let rest = self.text.split(&open).skip(1);
        rest.map(|rest| unescape(rest.split(&close).next().unwrap_or_default())).collect()
    }

    /// The status and the code of an XML error.
    pub fn xml_error(&self) -> (u16, String) {
        (self.status, self.element("Code"))
    }

    /// What every error of RAM looks like (reference §11.1).
    #[track_caller]
    pub fn assert_error_envelope(&self) {
        assert!(self.status >= 400, "{} {}", self.status, self.text);
        assert!(self.error_code.ends_with("Exception"), "{:?}: {}", self.error_code, self.text);
        assert_eq!(self.headers["content-type"], "application/json");
        assert!(self.headers.contains_key("x-amzn-requestid"));
        let members = self.json.as_object().unwrap_or_else(|| panic!("no object: {}", self.text));
        assert_eq!(members.len(), 1, "{}", self.text);
        assert!(members["message"].as_str().is_some_and(|message| !message.is_empty()), "{}", self.text);
    }
}

fn unescape(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    plain.replace("&amp;", "&")
}

fn plain_headers(request: &Request<Bytes>) -> Vec<(&str, &[u8])> {
    request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

fn parts<'a>(request: &'a Request<Bytes>, headers: &'a [(&'a str, &'a [u8])]) -> RequestParts<'a> {
    RequestParts {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        headers,
        body: request.body(),
    }
}

/// Members as a query string.
pub(crate) fn query(input: &Value) -> String {
    let members = input.as_object().into_iter().flatten();
    let pairs: Vec<String> = members
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}={}", utf8_percent_encode(&text, UNRESERVED))
        })
        .collect();
    pairs.join("&")
}
