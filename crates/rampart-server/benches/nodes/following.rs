//! How late a follower on one node is told what another node wrote.

use std::time::Instant;

use rampart_core::Change;
use rampart_store::{FOLLOW_EVERY, Follow, Follower, LogEntry, PartitionId, Store};
use rampart_testkit::node::Node;
use serde_json::json;
use tokio::sync::mpsc;

const WRITES: usize = 500;

/// Says when each share was told.
struct Told(mpsc::UnboundedSender<(String, Instant)>);

impl Follow for Told {
    fn forget(&mut self, _: PartitionId) {}

    fn rows(&mut self, _: PartitionId, _: Vec<Change>) {}

    fn entry(&mut self, _: PartitionId, entry: LogEntry) {
        for change in entry.changes {
            if let Change::ShareStored(share) = change {
                let _ = self.0.send((share.name, Instant::now()));
            }
        }
    }
}

pub(crate) async fn measure(nodes: &[Node; 2], store: Store) {
    let (told, mut heard) = mpsc::unbounded_channel();
    let mut follower = Follower::from_now(store).await.unwrap();
    let following = tokio::spawn(async move {
        follower.run(&mut Told(told), FOLLOW_EVERY, std::future::pending()).await;
    });
    let client = nodes[0].client("111111111111", "x");
    let mut late = Vec::new();
    for number in 0..WRITES {
        let name = format!("followed-{number}");
        client.ok("CreateResourceShare", &json!({"name": name})).await;
        let acknowledged = Instant::now();
        let at = loop {
            let (heard, at) = heard.recv().await.unwrap();
            if heard == name {
                break at;
            }
        };
        late.push(at.saturating_duration_since(acknowledged).as_secs_f64() * 1_000.0);
    }
    following.abort();
    late.sort_by(f64::total_cmp);
    let at = |percent: usize| late[(late.len() - 1) * percent / 100];
    println!(
        "a write on one node is told by a follower of another after {:.1} ms (p50), {:.1} ms (p99), {:.1} ms at the most",
        at(50),
        at(99),
        at(100)
    );
}
