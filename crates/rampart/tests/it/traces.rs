//! Traces, as a collector receives them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rampart_testkit::tls;
use rustls::{ServerConnection, StreamOwned};
use serde_json::json;

use crate::program::Site;

const OWNER: &str = "111111111111";
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes whatever is posted, until the test ends; over TLS if it has a certificate.
fn collector(certificate: Option<&str>) -> (SocketAddr, Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    let config = certificate.map(tls::server_config);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, sender, config) = (stream.unwrap(), sender.clone(), config.clone());
            std::thread::spawn(move || match config.map(|config| ServerConnection::new(config).unwrap()) {
                Some(tls) => take(StreamOwned::new(tls, stream), &sender),
                None => take(stream, &sender),
            });
        }
    });
    (address, receiver)
}

fn take(stream: impl Read + Write, sender: &Sender<ExportTraceServiceRequest>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or_default() == 0 {
                return;
            }
        }
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        assert!(head.to_ascii_lowercase().contains("content-type: application/x-protobuf"), "{head}");
        let length = head.to_ascii_lowercase();
        let length =
            length.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        reader.get_mut().flush().unwrap();
        // The test may have seen enough.
        let _ = sender.send(ExportTraceServiceRequest::decode(&body[..]).unwrap());
    }
}

/// The text or the number of an attribute.
fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()).and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => panic!("{key}: {other:?}"),
    }
}

#[tokio::test]
async fn a_span_of_each_request_reaches_the_collector() {
    let (address, received) = collector(None);
    let site = Site::new();
    let server = site.serve(&["--otlp-endpoint", &format!("http://{address}")]);
    let client = server.client(OWNER, "x");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let mut request = client.request("CreateResourceShare", &json!({"name": "n"}));
    // Not signed: whatever stands between may add it.
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    request.headers_mut().insert("traceparent", parent.parse().unwrap());
    let made = client.send(request).await;
    assert_eq!(made.status, 200, "{}", made.text);
    client.refused("GetResourceShares", &json!({})).await;
    // What is left is sent before the server ends.
    let (status, _) = server.terminate();
    assert!(status.success(), "{}", site.log());

    let mut spans: Vec<Span> = Vec::new();
    while spans.len() < 2 {
        let batch = received.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}: {}", site.log()));
        for group in batch.resource_spans {
            let resource = group.resource.unwrap();
            assert_eq!(attribute(&resource.attributes, "service.name"), "rampart");
            spans.extend(group.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    let [create, get] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(
        (create.name.as_str(), get.name.as_str()),
        ("ram/CreateResourceShare", "ram/GetResourceShares")
    );
    assert_eq!(hex(&create.trace_id), trace);
    assert_eq!(hex(&create.parent_span_id), "b7ad6b7169203331");
    let id = made.headers["x-amzn-requestid"].to_str().unwrap();
    for (key, expected) in [
        ("rpc.service", "ram"),
        ("rpc.method", "CreateResourceShare"),
        ("http.response.status_code", "200"),
        ("aws.request_id", id),
        ("rampart.account", OWNER),
    ] {
        assert_eq!(attribute(&create.attributes, key), expected, "{key}");
    }
    assert!(create.end_time_unix_nano > create.start_time_unix_nano);
    assert_eq!(attribute(&get.attributes, "http.response.status_code"), "400");
    assert!(get.parent_span_id.is_empty() && hex(&get.trace_id) != trace);
}

fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[tokio::test]
async fn a_collector_that_is_not_there_or_mute_holds_up_nothing() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [mute.local_addr().unwrap(), closed] {
        let site = Site::new();
        let server = site.serve(&["--otlp-endpoint", &format!("http://{address}")]);
        server.client(OWNER, "x").ok("CreateResourceShare", &json!({"name": "n"})).await;
        let (status, _) = server.terminate();
        assert!(status.success(), "{}", site.log());
        let log = site.log();
        assert_eq!(log.matches("traces are lost").count(), 1, "{log}");
        assert!(log.contains("stopped") && !log.contains("panicked"), "{log}");
    }
}

#[tokio::test]
async fn a_collector_may_speak_tls() {
    let (address, received) = collector(Some("first"));
    let site = Site::new();
    let (endpoint, authority) = (format!("https://{address}"), tls::file("ca.pem"));
    let server = site.serve(&["--otlp-endpoint", &endpoint, "--otlp-ca", authority.to_str().unwrap()]);
    server.client(OWNER, "x").ok("CreateResourceShare", &json!({"name": "n"})).await;
    let (status, _) = server.terminate();
    assert!(status.success(), "{}", site.log());
    let batch = received.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}: {}", site.log()));
    assert_eq!(batch.resource_spans[0].scope_spans[0].spans[0].name, "ram/CreateResourceShare");
    assert!(!site.log().contains("traces are lost"), "{}", site.log());
}

#[tokio::test]
async fn a_collector_that_is_not_believed_gets_nothing_and_holds_up_nothing() {
    let (address, received) = collector(Some("first"));
    let site = Site::new();
    // Another authority than the one that certified it.
    let (endpoint, stranger) = (format!("https://{address}"), tls::file("second.pem"));
    let server = site.serve(&["--otlp-endpoint", &endpoint, "--otlp-ca", stranger.to_str().unwrap()]);
    for name in ["one", "two"] {
        server.client(OWNER, "x").ok("CreateResourceShare", &json!({"name": name})).await;
    }
    let (status, _) = server.terminate();
    assert!(status.success(), "{}", site.log());
    let log = site.log();
    assert_eq!(log.matches("traces are lost").count(), 1, "{log}");
    assert!(log.contains("invalid peer certificate: UnknownIssuer"), "{log}");
    assert!(log.contains("stopped") && !log.contains("panicked"), "{log}");
    assert!(received.try_recv().is_err());
}

#[test]
fn authorities_that_cannot_be_read_are_said_at_once() {
    let site = Site::new();
    site.write("empty.pem", "");
    for (file, reason) in
        [("missing.pem", "cannot read missing.pem"), ("empty.pem", "empty.pem holds no certificate")]
    {
        let secure =
            ["serve", "--listen", "127.0.0.1:0", "--otlp-endpoint", "https://localhost:1", "--otlp-ca", file];
        site.run(&secure).assert_failed(&["otlp-ca", reason]);
    }
}
