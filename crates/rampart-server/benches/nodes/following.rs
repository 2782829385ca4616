//! How late a follower on one node is told what another node wrote.

use std::time::Instant;

use rampart_core::{AccountId, Change};
use rampart_store::{FOLLOW_EVERY, Follow, Follower, LogEntry, PartitionId, Store};
use rampart_testkit::Client;
use rampart_testkit::node::Node;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

const WRITES: usize = 500;

pub(crate) async fn measure(nodes: &[Node; 2], store: Store) {
    let mut watched = Watched::begin(store, nodes[0].client("111111111111", "x")).await;
    let mut late = Vec::new();
    for _ in 0..WRITES {
        late.push(watched.late_ms().await);
    }
    watched.end().await;
    late.sort_by(f64::total_cmp);
    let at = |percent: usize| late[(late.len() - 1) * percent / 100];
    println!(
        "a write on one node is told by a follower of another after {:.1} ms (p50), {:.1} ms (p99), {:.1} ms at the most",
        at(50),
        at(99),
        at(100)
    );
}

/// A follower that runs, and an account that no load is on, whose writes it is to tell.
pub(crate) struct Watched {
    client: Client,
    written: usize,
    heard: mpsc::UnboundedReceiver<(String, Instant)>,
    stop: oneshot::Sender<()>,
    following: JoinHandle<Follower>,
}

impl Watched {
    pub(crate) async fn begin(store: Store, client: Client) -> Self {
        let (told, heard) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let account = client.id().parse().unwrap();
        let mut told = Told { account, told };
        let mut follower = Follower::from_now(store).await.unwrap();
        let following = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            follower.run(&mut told, FOLLOW_EVERY, stopped).await;
            follower
        });
        Self { client, written: 0, heard, stop, following }
    }

    /// How long after a write is acknowledged the follower tells it.
    pub(crate) async fn late_ms(&mut self) -> f64 {
        let name = format!("followed-{}", self.written);
        self.written += 1;
        let made = self.client.ok("CreateResourceShare", &json!({"name": name})).await;
        let acknowledged = Instant::now();
        let at = loop {
            let (heard, at) = self.heard.recv().await.unwrap();
            if heard == name {
                break at;
            }
        };
        let share = &made["resourceShare"]["resourceShareArn"];
        self.client.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        at.saturating_duration_since(acknowledged).as_secs_f64() * 1_000.0
    }

    /// The follower, where it stands.
    pub(crate) async fn end(self) -> Follower {
        let _ = self.stop.send(());
        self.following.await.unwrap()
    }
}

/// Says when each share of an account was told.
struct Told {
    account: AccountId,
    told: mpsc::UnboundedSender<(String, Instant)>,
}

impl Follow for Told {
    fn forget(&mut self, _: PartitionId) {}

    fn rows(&mut self, _: PartitionId, _: Vec<Change>) {}

    fn entry(&mut self, _: PartitionId, entry: LogEntry) {
        for change in entry.changes {
            if let Change::ShareStored(share) = change
                && share.owner == self.account
            {
                let _ = self.told.send((share.name, Instant::now()));
            }
        }
    }
}

/// Tells nobody.
pub(crate) struct Silent;

impl Follow for Silent {
    fn forget(&mut self, _: PartitionId) {}

    fn rows(&mut self, _: PartitionId, _: Vec<Change>) {}

    fn entry(&mut self, _: PartitionId, _: LogEntry) {}
}
