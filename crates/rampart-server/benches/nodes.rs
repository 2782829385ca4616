//! Several nodes on one PostgreSQL: `cargo xtask bench nodes [--seconds N]`.
//!
//! First how late a follower on one node is told what another node wrote: from the moment at which the write is
//! acknowledged, with a follower that looks every 20 ms. Then a soak: two processes of the release binary under mixed load
//! for N seconds (60 unless told else), with a line every tenth of it: calls and their outcomes, resident memory of each
//! node, connections to the database, and how late a follower was. In the end nothing may be left to be told, and no call
//! may have failed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark says what it found"
)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rampart_core::Change;
use rampart_server::Clock;
use rampart_store::{FOLLOW_EVERY, Follow, Follower, LogEntry, Options, PartitionId, Store};
use rampart_testkit::Client;
use rampart_testkit::client::Key;
use rampart_testkit::dice::Dice;
use rampart_testkit::postgres::{PostgresCluster, TestDatabase};
use rampart_testkit::server::REGION;
use serde_json::{Value, json};
use tokio::sync::mpsc;

const SEED: u64 = 31_415;
const WRITES: usize = 500;
const CLIENTS: usize = 8;
/// Shares that a client keeps at the most: the store does not grow by the load alone.
const SHARES_MAX: usize = 20;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let seconds = arguments.iter().position(|a| a == "--seconds").and_then(|at| arguments.get(at + 1));
    let seconds: u64 = seconds.map_or(60, |text| text.parse().unwrap());
    let database =
        PostgresCluster::shared().unwrap_or_else(|error| panic!("{error}")).create_database().unwrap();
    let store = open(&database).await;
    let nodes = [Node::start(&database), Node::start(&database)];
    follow(&nodes, store.clone()).await;
    soak(&nodes, store, &database, Duration::from_secs(seconds)).await;
}

async fn open(database: &TestDatabase) -> Store {
    Store::open(&database.url().parse().unwrap(), Options::default()).await.unwrap().0
}

/// A process of the release binary.
struct Node {
    child: Child,
    address: SocketAddr,
}

impl Node {
    fn start(database: &TestDatabase) -> Self {
        let binary = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/release/rampart");
        let mut command = Command::new(&binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--store", database.url()]);
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child =
            child.unwrap_or_else(|e| panic!("{}: {e}; cargo build --release first", binary.display()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| {
            line.split_once("endpoint  http://").map(|(_, address)| address.trim().parse().unwrap())
        });
        Self { child, address: address.unwrap() }
    }

    fn client(&self, account: &str) -> Client {
        Client::of(self.address, Key { id: account.to_owned(), secret: "x".to_owned() }, REGION)
    }

    /// Resident memory, in megabytes.
    fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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

async fn follow(nodes: &[Node; 2], store: Store) {
    let (told, mut heard) = mpsc::unbounded_channel();
    let mut follower = Follower::from_now(store).await.unwrap();
    let following = tokio::spawn(async move {
        follower.run(&mut Told(told), FOLLOW_EVERY, std::future::pending()).await;
    });
    let client = nodes[0].client("111111111111");
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

/// What the load met so far.
#[derive(Default)]
struct Met {
    calls: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    closed: AtomicU64,
    late_ms: AtomicU64,
}

/// How long after its operation began each entry is told, by the clock of this machine. A sweep is one operation.
struct Late(Arc<Met>);

impl Follow for Late {
    fn forget(&mut self, _: PartitionId) {}

    fn rows(&mut self, _: PartitionId, _: Vec<Change>) {}

    fn entry(&mut self, _: PartitionId, entry: LogEntry) {
        let late = u64::try_from(Clock::real().0 - entry.at.0).unwrap_or_default();
        self.0.late_ms.fetch_max(late, Ordering::Relaxed);
    }
}

async fn soak(nodes: &[Node; 2], store: Store, database: &TestDatabase, lasts: Duration) {
    let (met, over) = (Arc::new(Met::default()), Arc::new(AtomicBool::new(false)));
    let mut follower = Follower::from_now(store).await.unwrap();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let owner = nodes[number % 2].client(&format!("{:012}", 200_000_000_000 + number));
            let consumer = nodes[(number + 1) % 2].client(&format!("{:012}", 300_000_000_000 + number));
            tokio::spawn(load(owner, consumer, SEED + number as u64, Arc::clone(&met), Arc::clone(&over)))
        })
        .collect();
    println!(
        "{:>8} {:>9} {:>8} {:>7} {:>9} {:>9} {:>12} {:>9}",
        "second", "calls", "refused", "5xx", "MB node 1", "MB node 2", "connections", "lag ms"
    );
    let began = Instant::now();
    let mut late = Late(Arc::clone(&met));
    for step in 1..=10_u32 {
        let end = tokio::time::Instant::from_std(began + lasts * step / 10);
        follower.run(&mut late, FOLLOW_EVERY, tokio::time::sleep_until(end)).await;
        let connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rampart'";
        println!(
            "{:>8} {:>9} {:>8} {:>7} {:>9.1} {:>9.1} {:>12} {:>9}",
            began.elapsed().as_secs(),
            met.calls.load(Ordering::Relaxed),
            met.refused.load(Ordering::Relaxed),
            met.failed.load(Ordering::Relaxed),
            nodes[0].resident_mb(),
            nodes[1].resident_mb(),
            database.sql(connections).unwrap().trim(),
            met.late_ms.swap(0, Ordering::Relaxed),
        );
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    follower.poll(&mut late).await.unwrap();
    assert_eq!(follower.poll(&mut late).await.unwrap(), 0, "a follower has nothing left to tell");
    println!("connections that were closed while they were used: {}", met.closed.load(Ordering::Relaxed));
    assert_eq!(met.failed.load(Ordering::Relaxed), 0, "calls failed");
}

/// Makes shares, offers them, has them answered, lists them from both sides, and deletes them again.
async fn load(owner: Client, consumer: Client, seed: u64, met: Arc<Met>, over: Arc<AtomicBool>) {
    let mut dice = Dice::seeded(seed);
    let mut shares: Vec<Value> = Vec::new();
    let call = async |client: &Client, operation: &str, input: Value| {
        // A connection that idled may be closed at the moment at which it is used again: clients try again.
        let reply = loop {
            if let Some(reply) = client.try_call(operation, &input).await {
                break reply;
            }
            met.closed.fetch_add(1, Ordering::Relaxed);
        };
        met.calls.fetch_add(1, Ordering::Relaxed);
        let outcome = match reply.status {
            200 => return serde_json::from_str::<Value>(&reply.text).unwrap(),
            status if status < 500 => &met.refused,
            _ => &met.failed,
        };
        outcome.fetch_add(1, Ordering::Relaxed);
        Value::Null
    };
    let gateway = |n: usize| format!("arn:aws:ec2:{REGION}:{}:transit-gateway/tgw-{n:017x}", owner.id());
    while !over.load(Ordering::Relaxed) {
        let share = shares.get(dice.below(SHARES_MAX)).cloned();
        match (dice.below(10), share) {
            (0 | 1, _) if shares.len() < SHARES_MAX => {
                let input = json!({"name": "soak", "principals": [consumer.id()], "resourceArns": [gateway(dice.below(50))]});
                let made = call(&owner, "CreateResourceShare", input).await;
                shares.push(made["resourceShare"]["resourceShareArn"].clone());
            }
            (2, Some(share)) => {
                let input = json!({"resourceShareArn": share, "resourceArns": [gateway(dice.below(50))]});
                call(&owner, "AssociateResourceShare", input).await;
            }
            (3, Some(share)) => {
                let input = json!({"resourceShareArn": share, "resourceArns": [gateway(dice.below(50))]});
                call(&owner, "DisassociateResourceShare", input).await;
            }
            (4, _) => {
                let found = call(&consumer, "GetResourceShareInvitations", json!({})).await;
                let all = found["resourceShareInvitations"].as_array().cloned().unwrap_or_default();
                let pending = all.iter().find(|one| one["status"] == "PENDING");
                if let Some(pending) = pending {
                    let answer =
                        *dice.pick(&["AcceptResourceShareInvitation", "RejectResourceShareInvitation"]);
                    let arn = &pending["resourceShareInvitationArn"];
                    call(&consumer, answer, json!({"resourceShareInvitationArn": arn})).await;
                }
            }
            (5, Some(share)) => {
                call(&owner, "DeleteResourceShare", json!({"resourceShareArn": share})).await;
                shares.retain(|one| *one != share);
            }
            (6, _) => {
                drop(call(&consumer, "ListResources", json!({"resourceOwner": "OTHER-ACCOUNTS"})).await);
            }
            (7, _) => {
                drop(call(&consumer, "GetResourceShares", json!({"resourceOwner": "OTHER-ACCOUNTS"})).await);
            }
            (8, _) => {
                let input = json!({"associationType": "PRINCIPAL"});
                drop(call(&owner, "GetResourceShareAssociations", input).await);
            }
            _ => {
                drop(call(&owner, "GetResourceShares", json!({"resourceOwner": "SELF"})).await);
            }
        }
    }
}
