//! TLS from the first byte on: who speaks it is served, who does not is let go.

use std::time::Duration;

use rampart_server::Settings;
use rampart_server::edge::{TlsError, TlsFiles};
use rampart_server::settings::EdgeLimits;
use rampart_server::{App, Entropy, Server};
use rampart_testkit::server::settings;
use rampart_testkit::wire::{PATIENCE, Wire, bytes_of};
use rampart_testkit::{TestServer, tls};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::sharing::OWNER;

#[tokio::test]
async fn requests_are_answered_over_tls() {
    let server = TestServer::with_tls("first", settings()).await;
    let client = server.account(OWNER);
    let (mut wire, shown) = Wire::connect_tls(server.address()).await;
    assert_eq!(shown, "first");
    wire.send(&bytes_of(&client.request("CreateResourceShare", &json!({"name": "sealed"})))).await;
    let reply = wire.answer().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    // The connection is kept.
    wire.send(&bytes_of(&client.request("GetResourceShares", &json!({"resourceOwner": "SELF"})))).await;
    assert_eq!(wire.answer().await.json["resourceShares"][0]["name"], "sealed");
}

#[tokio::test]
async fn both_versions_of_http_are_offered() {
    let server = TestServer::with_tls("first", settings()).await;
    for (offered, chosen) in
        [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
    {
        let stream = TcpStream::connect(server.address()).await.unwrap();
        let stream = tls::connect(stream, offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen.map(str::as_bytes), "{offered:?}");
    }
    let stream = TcpStream::connect(server.address()).await.unwrap();
    assert!(tls::connect(stream, &["spdy/3"]).await.is_err());
}

#[tokio::test]
async fn who_does_not_shake_hands_is_let_go() {
    let limits = EdgeLimits { head_timeout: Duration::from_millis(200), ..EdgeLimits::default() };
    let mut server = TestServer::with_tls("first", Settings { limits, ..settings() }).await;
    let mut silent = Wire::connect(server.address()).await;
    assert_eq!(silent.closed().await, b"");
    // In clear text: an alert, and the end.
    let mut plain = Wire::connect(server.address()).await;
    plain.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!plain.closed().await.starts_with(b"HTTP/"));
    // Nobody is waited for when the server stops.
    let _open = Wire::connect(server.address()).await;
    server.stop();
    timeout(PATIENCE, server.stopped()).await.unwrap();
}

#[tokio::test]
async fn files_that_cannot_be_served_with_are_named() {
    let server = TestServer::sqlite().await;
    let bind = async |certificate: &str, key: &str| {
        let app = App::new(server.store().clone(), settings(), None, Entropy::system());
        let listening = Server::bind("127.0.0.1:0".parse().unwrap(), app).await.unwrap();
        let files = TlsFiles { certificate: tls::file(certificate), key: tls::file(key) };
        listening.with_tls(files).map(drop)
    };
    bind("first.pem", "first.key").await.unwrap();
    for (certificate, key, said) in [
        ("missing.pem", "first.key", "missing.pem"),
        ("first.pem", "missing.key", "missing.key"),
        ("first.key", "first.key", "holds no certificate"),
        ("first.pem", "first.pem", "first.pem"),
        ("first.pem", "second.key", "cannot be used for TLS"),
    ] {
        let refused: TlsError = bind(certificate, key).await.unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
}
