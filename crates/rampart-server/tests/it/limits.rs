//! What a stranger can take up of the server: bounded in size, in time and in number.

use std::time::Duration;

use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rampart_server::Settings;
use rampart_server::settings::EdgeLimits;
use rampart_testkit::server::settings;
use rampart_testkit::wire::{Heard, PATIENCE, Wire, bytes_of};
use rampart_testkit::{StoreKind, TestServer};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::sharing::OWNER;

const MEBIBYTE: usize = 1024 * 1024;
const SOON: Duration = Duration::from_millis(200);

async fn server_with(limits: EdgeLimits) -> TestServer {
    TestServer::start(StoreKind::Sqlite, Settings { limits, ..settings() }).await
}

/// A good request, as bytes.
fn good(server: &TestServer) -> Vec<u8> {
    bytes_of(&server.account(OWNER).request("GetResourceShares", &json!({"resourceOwner": "SELF"})))
}

/// The head of a signed request whose body is framed by this header.
fn signed_head(server: &TestServer, name: &str, value: &str) -> Vec<u8> {
    let request = http::Request::post("/createresourceshare").header(name, value).body(Bytes::new()).unwrap();
    bytes_of(&server.account(OWNER).signed("ram", request))
}

async fn assert_healthy(server: &TestServer) {
    let shares = server.account(OWNER).ok("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
    assert!(shares["resourceShares"].is_array());
}

#[tokio::test]
async fn a_body_may_have_a_mebibyte() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let padded = |size: usize| {
        let text = json!({"resourceOwner": "SELF", "padding": ""}).to_string();
        let padding = "p".repeat(size - text.len());
        json!({"resourceOwner": "SELF", "padding": padding})
    };
    assert_eq!(client.call("GetResourceShares", &padded(MEBIBYTE)).await.status, 200);
    let reply = client.call("GetResourceShares", &padded(MEBIBYTE + 1)).await;
    assert_eq!((reply.status, reply.error_code.as_str()), (413, "RequestEntityTooLargeException"));
    reply.assert_error_envelope();
    assert_eq!(reply.headers["connection"], "close");
    // Larger by far, and sent whole before the answer is read, as SDKs do.
    let mut wire = Wire::connect(server.address()).await;
    wire.send(&bytes_of(&client.request("GetResourceShares", &padded(6 * MEBIBYTE)))).await;
    assert_eq!(wire.answer().await.error_code, "RequestEntityTooLargeException");
    assert_healthy(&server).await;
}

#[tokio::test]
async fn a_length_over_the_limit_is_refused_before_the_body_comes() {
    let server = TestServer::sqlite().await;
    for length in ["1048577", "99999999999999"] {
        let mut wire = Wire::connect(server.address()).await;
        let head = format!(
            "POST /createresourceshare HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        );
        wire.send(head.as_bytes()).await;
        let reply = wire.answer().await;
        assert_eq!((reply.status, reply.error_code.as_str()), (413, "RequestEntityTooLargeException"));
        wire.closed().await;
    }
}

#[tokio::test]
async fn a_chunked_body_over_the_limit() {
    let server = TestServer::sqlite().await;
    let mut wire = Wire::connect(server.address()).await;
    wire.send(&signed_head(&server, "transfer-encoding", "chunked")).await;
    let chunk =
        [format!("{:x}\r\n", 64 * 1024).as_bytes(), "x".repeat(64 * 1024).as_bytes(), b"\r\n"].concat();
    for _ in 0..17 {
        wire.send(&chunk).await;
    }
    let reply = wire.answer().await;
    assert_eq!((reply.status, reply.error_code.as_str()), (413, "RequestEntityTooLargeException"));
    assert_healthy(&server).await;
}

#[tokio::test]
async fn a_head_over_the_limit() {
    let server = TestServer::sqlite().await;
    let mut wire = Wire::connect(server.address()).await;
    let padding = "p".repeat(70 * 1024);
    wire.send(format!("POST / HTTP/1.1\r\nhost: h\r\npadding: {padding}\r\n\r\n").as_bytes()).await;
    match wire.hear().await {
        Heard::Answer(reply) => assert_eq!(reply.status, 431),
        Heard::Closed(_) => {}
    }
    assert_healthy(&server).await;
}

#[tokio::test]
async fn a_slow_head_ends_its_connection() {
    let server = server_with(EdgeLimits { head_timeout: SOON, ..EdgeLimits::default() }).await;
    let good = good(&server);
    for sent in [30, 60, good.windows(4).position(|four| four == b"\r\n\r\n").unwrap()] {
        let mut wire = Wire::connect(server.address()).await;
        wire.send(&good[..sent]).await;
        wire.closed().await;
    }
    assert_healthy(&server).await;
}

#[tokio::test]
async fn a_slow_body_is_told_so() {
    let server = server_with(EdgeLimits { body_timeout: SOON, ..EdgeLimits::default() }).await;
    let good = good(&server);
    let mut wire = Wire::connect(server.address()).await;
    wire.send(&good[..good.len() - 1]).await;
    let reply = wire.answer().await;
    assert_eq!((reply.status, reply.error_code.as_str()), (408, "RequestTimeoutException"));
    reply.assert_error_envelope();
    assert_eq!(reply.headers["connection"], "close");
    wire.closed().await;
    assert_healthy(&server).await;
}

#[tokio::test]
async fn strangers_are_refused_before_their_body_is_read() {
    let server = TestServer::sqlite().await;
    let own = "POST /rampart/v1/reset HTTP/1.1\r\nhost: h\r\norigin: null\r\n";
    for head in ["POST /createresourceshare HTTP/1.1\r\nhost: h\r\n", own] {
        // A body that never comes, one that is too long to pass by, and one that waits to be asked for.
        for framing in [
            "content-length: 9\r\n",
            "content-length: 900000\r\n",
            "expect: 100-continue\r\ncontent-length: 9\r\n",
        ] {
            let mut wire = Wire::connect(server.address()).await;
            wire.send(format!("{head}{framing}\r\n").as_bytes()).await;
            let reply = wire.answer().await;
            assert_eq!(
                (reply.status, &reply.headers["connection"]),
                (403, &"close".parse().unwrap()),
                "{head}"
            );
            wire.closed().await;
        }
        // One that is short and there leaves the connection as it was.
        let mut wire = Wire::connect(server.address()).await;
        wire.send(format!("{head}content-length: 2\r\n\r\n{{}}").as_bytes()).await;
        assert_eq!(wire.answer().await.status, 403);
        wire.send(&good(&server)).await;
        assert_eq!(wire.answer().await.status, 200);
    }
}

#[tokio::test]
async fn bodies_take_up_so_much_memory_together_and_no_more() {
    let limits =
        EdgeLimits { buffered_bytes_max: 64 * 1024, body_timeout: 10 * SOON, ..EdgeLimits::default() };
    let server = server_with(limits).await;
    let client = server.account(OWNER);
    let request = http::Request::post("/createresourceshare").header("content-length", "65536");
    let request = request.header("expect", "100-continue").body(Bytes::new()).unwrap();
    let mut holder = Wire::connect(server.address()).await;
    holder.send(&bytes_of(&client.signed("ram", request))).await;
    // Told to go on, so it has its place.
    assert!(holder.stirs_within(PATIENCE).await);
    let reply = client.call("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
    assert_eq!((reply.status, reply.error_code.as_str()), (503, "ServiceUnavailableException"));
    assert_eq!(reply.headers["retry-after"], "1");
    drop(holder);
    assert_healthy(&server).await;
    // What is larger than all there is, by what it says, takes all there is.
    let padded = json!({"resourceOwner": "SELF", "padding": "p".repeat(100 * 1024)});
    client.ok("GetResourceShares", &padded).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = server_with(EdgeLimits { idle_timeout: SOON, ..EdgeLimits::default() }).await;
    let good = good(&server);
    // Without a byte, with one that could begin either protocol, and after a request.
    for (sent, answers) in [(&b""[..], false), (b"P", false), (&good, true)] {
        let mut wire = Wire::connect(server.address()).await;
        wire.send(sent).await;
        if answers {
            assert_eq!(wire.answer().await.status, 200);
        }
        wire.closed().await;
    }
    assert_healthy(&server).await;
}

#[tokio::test]
async fn a_slow_request_is_not_an_idle_connection() {
    let server = server_with(EdgeLimits { idle_timeout: 5 * SOON, ..EdgeLimits::default() }).await;
    let good = good(&server);
    let mut wire = Wire::connect(server.address()).await;
    wire.send(&good[..good.len() - 1]).await;
    assert!(!wire.stirs_within(8 * SOON).await);
    wire.send(&good[good.len() - 1..]).await;
    assert_eq!(wire.answer().await.status, 200);
}

#[tokio::test]
async fn a_cancelled_http2_request_leaves_an_idle_connection() {
    let server = server_with(EdgeLimits { idle_timeout: SOON, ..EdgeLimits::default() }).await;
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    // A body that has begun and never ends.
    let begun = futures_util::stream::iter([Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"{")))]);
    let body = StreamBody::new(futures_util::StreamExt::chain(begun, futures_util::stream::pending()));
    let uri = format!("http://{}/createresourceshare", server.address());
    let request = http::Request::post(uri).body(body).unwrap();
    sender.ready().await.unwrap();
    let mut answer = Box::pin(sender.send_request(request));
    assert!(timeout(SOON / 2, answer.as_mut()).await.is_err());
    drop(answer);
    // The sender is kept: only the server can end this.
    let ended = timeout(PATIENCE, connection).await;
    assert!(ended.is_ok(), "the connection is still open");
    drop(sender);
}

#[tokio::test]
async fn more_connections_than_there_may_be_wait() {
    let server = server_with(EdgeLimits { connections_max: 2, ..EdgeLimits::default() }).await;
    let good = good(&server);
    let mut first = Wire::connect(server.address()).await;
    let mut second = Wire::connect(server.address()).await;
    for wire in [&mut first, &mut second] {
        wire.send(&good).await;
        assert_eq!(wire.answer().await.status, 200);
    }
    let mut third = Wire::connect(server.address()).await;
    third.send(&good).await;
    assert!(!third.stirs_within(SOON).await);
    drop(first);
    assert_eq!(third.answer().await.status, 200);
    second.send(&good).await;
    assert_eq!(second.answer().await.status, 200);
}

#[tokio::test]
async fn what_is_no_http_does_no_harm() {
    let server = TestServer::sqlite().await;
    let cases: [&[u8]; 9] = [
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage that is no frame at all, long enough to be read as one",
    ];
    for case in cases {
        let mut wire = Wire::connect(server.address()).await;
        wire.send(case).await;
        match wire.hear().await {
            Heard::Answer(reply) => assert_eq!(reply.status, 400, "{case:?}"),
            Heard::Closed(_) => {}
        }
        wire.closed().await;
    }
    assert_healthy(&server).await;
}

#[tokio::test]
async fn a_broken_chunk_is_told_so() {
    let server = TestServer::sqlite().await;
    let mut wire = Wire::connect(server.address()).await;
    wire.send(&signed_head(&server, "transfer-encoding", "chunked")).await;
    wire.send(b"zz\r\n{}\r\n0\r\n\r\n").await;
    let reply = wire.answer().await;
    assert_eq!((reply.status, reply.error_code.as_str()), (400, "SerializationException"));
    wire.closed().await;
}

#[tokio::test]
async fn both_protocols_share_the_port() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let newer = client.over_http2();
    let share = crate::sharing::create(&newer, &json!({"name": "n"})).await;
    assert_eq!(crate::sharing::share_arns(&client, "SELF").await, [share.as_str()]);
    let calls = (0..50).map(|_| crate::sharing::share_arns(&newer, "SELF"));
    for found in futures_util::future::join_all(calls).await {
        assert_eq!(found, [share.as_str()]);
    }
    let refused = newer.call("GetResourceShares", &json!({})).await;
    assert_eq!(refused.status, 400);
    refused.assert_error_envelope();
    newer.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
    let too_large = newer.call("GetResourceShares", &json!({"padding": "p".repeat(2 * MEBIBYTE)})).await;
    assert_eq!((too_large.status, too_large.error_code.as_str()), (413, "RequestEntityTooLargeException"));
    // Strict mode verifies what HTTP/2 carries just as well.
    let strict = Settings { auth: rampart_server::AuthMode::Strict, ..settings() };
    let strict = TestServer::start(StoreKind::Sqlite, strict).await;
    let known = strict.client(strict.create_key(OWNER, "").await).over_http2();
    crate::sharing::create(&known, &json!({"name": "n"})).await;
}
