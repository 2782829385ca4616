//! A server that is told to stop finishes what it has begun, and nothing else.

use std::time::Duration;

use rampart_server::Settings;
use rampart_server::settings::EdgeLimits;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::wire::{PATIENCE, Wire, bytes_of};
use rampart_testkit::{StoreKind, TestServer, for_each_store};
use serde_json::json;
use tokio::time::timeout;

use crate::sharing::OWNER;

#[tokio::test]
async fn a_request_whose_body_is_still_coming_is_finished() {
    for_each_store(async |mut server| {
        let client = server.account(OWNER);
        let request = bytes_of(&client.request("CreateResourceShare", &json!({"name": "last"})));
        let idle_request = bytes_of(&client.request("GetResourceShares", &json!({"resourceOwner": "SELF"})));
        let (mut slow, mut idle) =
            (Wire::connect(server.address()).await, Wire::connect(server.address()).await);
        // Both connections are the server's by now.
        for wire in [&mut slow, &mut idle] {
            wire.send(&idle_request).await;
            assert_eq!(wire.answer().await.status, 200);
        }
        slow.send(&request[..request.len() - 5]).await;
        // An answer on another connection tells that the server has had time to read those bytes.
        idle.send(&idle_request).await;
        assert_eq!(idle.answer().await.status, 200);

        server.stop();
        // The idle connection ends, which tells that stopping has begun.
        idle.closed().await;
        slow.send(&request[request.len() - 5..]).await;
        let reply = slow.answer().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json["resourceShare"]["name"], "last");
        slow.closed().await;
        timeout(PATIENCE, server.stopped()).await.unwrap();
        assert!(tokio::net::TcpStream::connect(server.address()).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off_in_time() {
    let limits = EdgeLimits { drain_timeout: Duration::from_millis(200), ..EdgeLimits::default() };
    for_each_store_with(Settings { limits, ..settings() }, async |mut server| {
        let client = server.account(OWNER);
        let request = bytes_of(&client.request("CreateResourceShare", &json!({"name": "never"})));
        let mut slow = Wire::connect(server.address()).await;
        slow.send(&request[..request.len() - 5]).await;
        let mut other = Wire::connect(server.address()).await;
        other.send(&bytes_of(&client.request("GetResourceShares", &json!({"resourceOwner": "SELF"})))).await;
        assert_eq!(other.answer().await.status, 200);
        server.stop();
        timeout(PATIENCE, server.stopped()).await.unwrap();
        slow.closed().await;
    })
    .await;
}

#[tokio::test]
async fn a_server_without_requests_stops_at_once() {
    let mut server = TestServer::start(StoreKind::Sqlite, settings()).await;
    server.stop();
    timeout(PATIENCE, server.stopped()).await.unwrap();
}
