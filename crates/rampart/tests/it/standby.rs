//! A PostgreSQL that dies for good in the middle of a stream of writes, and its synchronous standby that takes its place:
//! the nodes go on with it, unasked.

use std::sync::Arc;
use std::time::Instant;

use rampart_store::{FOLLOW_EVERY, Follower, Options, Store};
use rampart_testkit::mirror::{Following, Mirror};
use rampart_testkit::node::Node;
use rampart_testkit::postgres::{ClusterOptions, PostgresCluster};
use serde_json::json;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, block_in_place, spawn_blocking};

use crate::leader::{LEADS, LEADS_NO_MORE, TAKEOVER, replace_permission, until};
use crate::load::{
    OWNER, assert_log_tells_all, check_and_complete, complete, start_stubborn_writers, start_writers,
};
use crate::program::Site;
use crate::waiting::{ANSWERED_WITHIN, await_line, get};

/// Whose shares are no part of the load.
const REPLACER: &str = "333333333333";
/// How many writes are acknowledged before the first server dies, and after the second took its place.
const WRITES: usize = 100;

/// A follower of the change log, until it is told to stop; then it tells what it heard, all of it.
async fn follow(url: &str) -> (oneshot::Sender<()>, JoinHandle<Following>) {
    let (store, _) = Store::open(&url.parse().unwrap(), Options::default()).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let following = tokio::spawn(async move {
        let (mut following, mut follower) = (Following::default(), Follower::from_start(store.clone()));
        let stopped = async {
            let _ = stopped.await;
        };
        follower.run(&mut following, FOLLOW_EVERY, stopped).await;
        follower.poll(&mut following).await.unwrap();
        following.mirror.assert_same(&Mirror::of(&store.snapshot().await.unwrap()).await);
        following
    });
    (stop, following)
}

/// Calls are answered, and say that they cannot be served for now.
async fn assert_unavailable(node: &Node) {
    let client = node.client(OWNER, "x");
    let began = Instant::now();
    for (operation, input) in [
        ("GetResourceShares", json!({"resourceOwner": "SELF"})),
        ("CreateResourceShare", json!({"name": "lost", "clientToken": "lost"})),
    ] {
        let reply = client.call(operation, &input).await;
        assert_eq!((reply.status, &*reply.error_code), (503, "ServiceUnavailableException"), "{operation}");
        assert_eq!(reply.headers["retry-after"], "1");
        reply.assert_error_envelope();
    }
    // What was found out half a second ago may still be told.
    let is_known = async || get(&client, "/readyz").await.json["reason"] == "store-unavailable";
    until("the node says so", TAKEOVER, is_known).await;
    assert!(began.elapsed() < ANSWERED_WITHIN, "{:?}", began.elapsed());
}

/// How many nodes think that they do the background work.
fn leaders(sites: &[Arc<Site>]) -> usize {
    let times = |line: &str| sites.iter().map(|site| site.log().matches(line).count()).sum::<usize>();
    times(LEADS) - times(LEADS_NO_MORE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_the_loss_of_the_primary() {
    let (mut primary, mut standby) = PostgresCluster::start_with_standby(&ClusterOptions::default()).unwrap();
    let database = primary.create_database().unwrap();
    let url = |first: u16, second: u16| {
        format!("postgres://postgres@127.0.0.1:{first},127.0.0.1:{second}/{}", database.name())
    };
    // Whichever server is named first.
    let urls = [url(primary.port(), standby.port()), url(standby.port(), primary.port())];
    let sites = [Site::new(), Site::new(), Site::new()].map(Arc::new);
    let serve = |at: usize| sites[at].serve(&["--store", &urls[at]]);
    let nodes = [serve(0), serve(1)];
    let nodes = [&nodes[0], &nodes[1]];
    let (stop_following, following) = follow(&urls[1]).await;

    let (acknowledged, mut count) = watch::channel(0_usize);
    let (stop, mut lines) = (watch::Sender::new(false), Vec::new());
    let stubborn = start_stubborn_writers(&nodes, 1, acknowledged.clone(), &stop);
    let others = start_writers(&nodes, 2, acknowledged.clone());
    count.wait_for(|count| *count >= WRITES).await.unwrap();
    primary.kill().unwrap();
    let killed = Instant::now();
    for writer in others {
        lines.extend(writer.await.unwrap());
    }
    for node in nodes {
        assert_unavailable(node).await;
    }
    // The standby is there to be read; a node that starts wants more.
    let (late, url) = (Arc::clone(&sites[2]), urls[1].clone());
    let starting = spawn_blocking(move || {
        let node = late.serve(&["--store", &url]);
        (node, Instant::now())
    });
    block_in_place(|| await_line(sites[2].path(), "waiting for the store"));

    let (before, promoting) = (*count.borrow_and_update(), Instant::now());
    block_in_place(|| standby.promote()).unwrap();
    let promoted = promoting.elapsed();
    count.wait_for(|count| *count > before).await.unwrap();
    let acknowledging = promoting.elapsed();
    replace_permission(&nodes[0].client(REPLACER, "x"), "asked-of-the-first").await;
    replace_permission(&nodes[1].client(REPLACER, "x"), "asked-of-the-second").await;
    eprintln!(
        "{before} writes; promoted {:?} after the kill, which took {promoted:?}; first write acknowledged \
         {acknowledging:?} after it began, background work done after {:?}",
        promoting.duration_since(killed),
        promoting.elapsed()
    );
    count.wait_for(|count| *count >= before + WRITES).await.unwrap();
    stop.send_replace(true);
    for writer in stubborn {
        lines.extend(writer.await.unwrap());
    }
    let (late, served) = starting.await.unwrap();
    assert!(served.duration_since(promoting) < ANSWERED_WITHIN);

    check_and_complete(nodes[0], &mut lines).await;
    for node in [nodes[1], &late] {
        complete(node, &mut lines).await;
    }
    until("one node leads", TAKEOVER, async || leaders(&sites) == 1).await;
    // Nothing was missed, nothing told twice, though the log is on another server now.
    stop_following.send(()).unwrap();
    let following = following.await.unwrap();
    assert_eq!(following.forgotten, 0);
    let mut told = following.told;
    told.sort_unstable();
    let mut all = assert_log_tells_all(&urls[0]).await;
    all.sort_unstable();
    assert_eq!(told, all);
    for site in &sites {
        assert!(!site.log().contains("panicked"), "{}", site.log());
    }
}
