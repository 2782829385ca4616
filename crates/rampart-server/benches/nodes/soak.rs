//! Mixed load on two nodes for a while: what it does to memory, connections and followers, and whether calls fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rampart_store::Store;
use rampart_testkit::Client;
use rampart_testkit::dice::Dice;
use rampart_testkit::node::Node;
use rampart_testkit::postgres::TestDatabase;
use rampart_testkit::server::REGION;
use serde_json::{Value, json};

use crate::following::{Silent, Watched};

const SEED: u64 = 31_415;
const CLIENTS: usize = 8;
/// Shares that a client keeps at the most: the store does not grow by the load alone.
const SHARES_MAX: usize = 20;
/// Within this a follower must have told all once the load is over.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);
/// Writes beside the load that a follower is timed by, each time that figures are printed: the latest counts.
const PROBES: usize = 20;

/// What the load met so far.
#[derive(Default)]
struct Met {
    calls: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    closed: AtomicU64,
}

pub(crate) async fn run(nodes: &[Node; 2], store: Store, database: &TestDatabase, lasts: Duration) {
    let (met, over) = (Arc::new(Met::default()), Arc::new(AtomicBool::new(false)));
    let mut watched = Watched::begin(store, nodes[0].client("111111111111", "x")).await;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let owner = nodes[number % 2].client(&format!("{:012}", 200_000_000_000 + number), "x");
            let consumer = nodes[(number + 1) % 2].client(&format!("{:012}", 300_000_000_000 + number), "x");
            tokio::spawn(load(owner, consumer, SEED + number as u64, Arc::clone(&met), Arc::clone(&over)))
        })
        .collect();
    println!(
        "{:>8} {:>9} {:>8} {:>7} {:>9} {:>9} {:>12} {:>9}",
        "second", "calls", "refused", "5xx", "MB node 1", "MB node 2", "connections", "lag ms"
    );
    let began = Instant::now();
    for step in 1..=10_u32 {
        tokio::time::sleep_until((began + lasts * step / 10).into()).await;
        let mut late_ms = 0.0;
        for _ in 0..PROBES {
            late_ms = f64::max(late_ms, watched.late_ms().await);
        }
        let connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rampart'";
        println!(
            "{:>8} {:>9} {:>8} {:>7} {:>9.1} {:>9.1} {:>12} {late_ms:>9.1}",
            began.elapsed().as_secs(),
            met.calls.load(Ordering::Relaxed),
            met.refused.load(Ordering::Relaxed),
            met.failed.load(Ordering::Relaxed),
            nodes[0].resident_mb().unwrap_or_default(),
            nodes[1].resident_mb().unwrap_or_default(),
            database.sql(connections).unwrap().trim(),
        );
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let mut follower = watched.end().await;
    // The nodes go on with background work, which is little.
    let caught_up = async { while follower.poll(&mut Silent).await.unwrap() > 0 {} };
    tokio::time::timeout(CATCH_UP_MAX, caught_up).await.expect("a follower catches up");
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
