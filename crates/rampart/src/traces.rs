//! Traces for OpenTelemetry: a span for each request, sent to a collector in batches. The only place that knows of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use rampart_server::edge::{Observed, Observer};
use rustls::RootCertStore;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::output::with_causes;
use crate::tls;

/// How long the collector may take for a batch, and for the last of them when the server stops.
const SEND_MAX: Duration = Duration::from_secs(5);
/// What is read of its answers.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Traces that are sent.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send to a collector's address. One that speaks TLS must be certified by an authority of the file, or by
    /// one that this machine trusts.
    pub(crate) fn start(endpoint: &str, authorities: Option<&Path>) -> anyhow::Result<Self> {
        let authorities = match authorities {
            _ if !endpoint.starts_with("https://") => RootCertStore::empty(),
            Some(file) => tls::authorities_of(file).context("otlp-ca cannot be used")?,
            None => tls::system_authorities().context("the collector cannot be trusted: name an otlp-ca")?,
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(authorities)?)
            .with_endpoint(format!("{endpoint}/v1/traces"))
            .with_timeout(SEND_MAX)
            .build()
            .context("traces cannot be sent")?;
        let resource = Resource::builder()
            .with_service_name("rampart")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let provider = SdkTracerProvider::builder().with_resource(resource.build());
        Ok(Self(provider.with_batch_exporter(exporter).build()))
    }

    /// What a server tells of its requests.
    pub(crate) fn observer(&self) -> Observer {
        let tracer = self.0.tracer("rampart");
        Arc::new(move |request| record(&tracer, request))
    }

    /// Sends what is left.
    pub(crate) async fn stop(self) {
        // On a thread of its own: it waits for the one that sends.
        let stopped = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(SEND_MAX)).await;
        if let Ok(Err(error)) = stopped {
            tracing::warn!(%error, "some traces were not sent");
        }
    }
}

/// A span of a request, within the caller's own trace if its headers name one.
fn record(tracer: &SdkTracer, request: &Observed<'_>) {
    let parent = TraceContextPropagator::new()
        .extract_with_context(&Context::new(), &HeaderExtractor(request.headers));
    let (service, operation) = request
        .operation
        .map_or(("unknown", "unknown"), |operation| (operation.service.name(), operation.name));
    let mut attributes = vec![
        KeyValue::new("rpc.system", "aws-api"),
        KeyValue::new("rpc.service", service),
        KeyValue::new("rpc.method", operation),
        KeyValue::new("http.response.status_code", i64::from(request.status.as_u16())),
        KeyValue::new("aws.request_id", request.request_id.to_string()),
    ];
    attributes.extend(request.account.map(|account| KeyValue::new("rampart.account", account.to_string())));
    let ended = now();
    let mut span = tracer
        .span_builder(format!("{service}/{operation}"))
        .with_kind(SpanKind::Server)
        .with_start_time(ended - request.took)
        .with_attributes(attributes)
        .start_with_context(tracer, &parent);
    if request.status.is_server_error() {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(ended);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a trace is in the time of the machines, which tests do not move"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Sends to the collector. The exporter has a thread of its own and no runtime, so it is done on the server's.
#[derive(Debug)]
struct Collector {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    /// Whether the last batch was lost: said once, not with each.
    is_failing: AtomicBool,
}

impl Collector {
    fn new(authorities: RootCertStore) -> anyhow::Result<Self> {
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls::client(authorities)?);
        let client =
            Client::builder(TokioExecutor::new()).build(connector.https_or_http().enable_http1().build());
        Ok(Self { client, runtime: Handle::current(), is_failing: AtomicBool::new(false) })
    }

    fn note(&self, failure: Option<String>) {
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(error) if !was_failing => tracing::warn!(error, "traces are lost: the collector takes none"),
            None if was_failing => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let exchange = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?;
            Ok::<_, HttpError>(Response::from_parts(head, body.to_bytes()))
        };
        let outcome = match self.runtime.spawn(async { timeout(SEND_MAX, exchange).await }).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(elapsed)) => Err(elapsed.into()),
            Err(stopped) => Err(stopped.into()),
        };
        self.note(match &outcome {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answered {}", answer.status())),
            // Of a certificate that is not believed only the innermost speaks.
            Err(error) => Some(with_causes(&**error)),
        });
        outcome
    }
}
