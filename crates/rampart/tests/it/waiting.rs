//! A PostgreSQL that is not there yet, goes away, and comes back, while `rampart serve` wants it.

use std::path::Path;
use std::time::{Duration, Instant};

use http::Request;
use rampart_testkit::postgres::{ClusterOptions, Listen, PostgresCluster, TestDatabase};
use rampart_testkit::{Client, Reply};
use serde_json::json;

use crate::program::Site;

const OWNER: &str = "111111111111";
/// Within this a call is answered, whatever the store does; far more than a quiet machine needs.
pub(crate) const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

fn cluster() -> (PostgresCluster, TestDatabase) {
    let options = ClusterOptions { listen: Listen::Loopback, ..ClusterOptions::default() };
    let cluster = PostgresCluster::start(&options).unwrap();
    let database = cluster.create_database().unwrap();
    (cluster, database)
}

pub(crate) async fn get(client: &Client, path: &str) -> Reply {
    client.send(Request::get(path).body(bytes::Bytes::new()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_store_stops_says_so_and_goes_on_when_it_is_back() {
    let (mut cluster, database) = cluster();
    let site = Site::new();
    let server = site.serve(&["--store", database.url()]);
    let client = server.client(OWNER, "x");
    let list = json!({"resourceOwner": "SELF"});
    client.ok("CreateResourceShare", &json!({"name": "kept"})).await;
    assert_eq!(get(&client, "/readyz").await.status, 200);

    cluster.stop_immediately().unwrap();
    let began = Instant::now();
    for (operation, input) in
        [("GetResourceShares", &list), ("CreateResourceShare", &json!({"name": "lost"}))]
    {
        let reply = client.call(operation, input).await;
        assert_eq!((reply.status, reply.error_code.as_str()), (503, "ServiceUnavailableException"));
        assert_eq!(reply.headers["retry-after"], "1");
        reply.assert_error_envelope();
    }
    assert!(began.elapsed() < ANSWERED_WITHIN, "{:?}", began.elapsed());
    // What was found out half a second ago may still be told.
    let mut ready = get(&client, "/readyz").await;
    while ready.status == 200 && began.elapsed() < ANSWERED_WITHIN {
        tokio::task::yield_now().await;
        ready = get(&client, "/readyz").await;
    }
    assert_eq!(ready.json, json!({"status": "unavailable", "reason": "store-unavailable"}));
    assert_eq!(get(&client, "/healthz").await.status, 200);

    cluster.start_again().unwrap();
    let shares = client.ok("GetResourceShares", &list).await;
    assert_eq!(shares["resourceShares"].as_array().unwrap().len(), 1);
    client.ok("CreateResourceShare", &json!({"name": "made"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_nobody_probes_says_once_that_its_store_is_gone_and_once_that_it_is_back() {
    let (mut cluster, database) = cluster();
    let site = Site::new();
    let server = site.serve_logging_json(&["--store", database.url()]);
    let client = server.client(OWNER, "x");
    let list = json!({"resourceOwner": "SELF"});
    client.ok("GetResourceShares", &list).await;
    cluster.stop_immediately().unwrap();
    for _ in 0..3 {
        assert_eq!(client.call("GetResourceShares", &list).await.status, 503);
    }
    cluster.start_again().unwrap();
    await_line(site.path(), "the store is back");
    client.ok("GetResourceShares", &list).await;
    server.terminate();
    let log = site.log();
    for line in ["requests fail: the store is gone", "the store is back"] {
        assert_eq!(log.matches(line).count(), 1, "{log}");
    }
    let noise = ["could not be recycled", "ERROR", "Unavailable {"];
    assert!(noise.iter().all(|noise| !log.contains(noise)), "{log}");
}

#[test]
fn a_server_waits_for_its_store() {
    let (mut cluster, database) = cluster();
    cluster.stop_immediately().unwrap();
    let site = Site::new();
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| site.serve(&["--store", database.url()]));
        await_line(site.path(), "waiting for the store");
        cluster.start_again().unwrap();
        serving.join().unwrap();
    });
    let log = site.log();
    assert_eq!(log.matches("waiting for the store").count(), 1, "{log}");
    assert!(log.contains("the store is there"), "{log}");
}

pub(crate) fn await_line(site: &Path, line: &str) {
    let began = Instant::now();
    while !std::fs::read_to_string(site.join("serve.log")).is_ok_and(|log| log.contains(line)) {
        assert!(began.elapsed() < ANSWERED_WITHIN, "no '{line}'");
        std::thread::yield_now();
    }
}

#[test]
fn a_server_whose_store_does_not_come_says_what_to_look_at() {
    let (mut cluster, database) = cluster();
    cluster.stop_immediately().unwrap();
    let site = Site::new();
    for command in ["serve", "migrate"] {
        let outcome = site.run(&[command, "--store", database.url(), "--wait-for-store", "1"]);
        outcome.assert_failed(&["cannot open the store", "after waiting for it 1 s (--wait-for-store)"]);
    }
    // Who only looks something up does not wait, and neither does who waits in vain.
    let began = Instant::now();
    let list = ["key", "list", "--account", OWNER, "--store", database.url()];
    site.run(&list).assert_failed(&["cannot open the store"]);
    cluster.start_again().unwrap();
    let missing = cluster.url("missing");
    let outcome = site.run(&["serve", "--store", &missing]);
    outcome.assert_failed(&["database \"missing\" does not exist"]);
    assert!(!outcome.stderr.contains("waiting"), "{outcome:?}");
    assert!(began.elapsed() < ANSWERED_WITHIN);
}
