//! Calls about one invitation on several nodes at the same moment. What they answer, and what every node says afterwards,
//! must be what the model says of them in some order, one in which nobody who was answered comes after who asked later.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use rampart_testkit::dice::Dice;
use rampart_testkit::{StoreKind, TestServer};
use serde_json::{Value, json};

use crate::names::Names;
use crate::sequence::{Run, agree, ask};
use crate::steps::Call;
use crate::world::{Caller, DAY, HOUR, World};

const REGION: &str = "eu-west-1";
const NODES: usize = 3;
/// Sequences to a race.
const RARITY: u64 = 10;
const SEED: u64 = 20_261_124;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn races_on_sqlite_have_an_order() {
    race(StoreKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn races_on_postgresql_have_an_order() {
    race(StoreKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_that_expires_ends_once_on_sqlite() {
    expire(StoreKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_that_expires_ends_once_on_postgresql() {
    expire(StoreKind::Postgres).await;
}

/// Nodes on one store, whose clocks stand still at the same time.
async fn nodes(kind: StoreKind) -> Arc<Vec<TestServer>> {
    let settings = crate::small();
    let mut nodes = vec![TestServer::start(kind, settings).await];
    while nodes.len() < NODES {
        nodes.push(nodes[0].another_node(&settings).await);
    }
    let now = nodes[0].app().clock().now();
    for node in &nodes {
        node.app().clock().hold();
        node.app().clock().set(now);
    }
    Arc::new(nodes)
}

async fn race(kind: StoreKind) {
    let nodes = nodes(kind).await;
    let mut dice = Dice::from_environment(SEED);
    for id in 0..(crate::cases() / RARITY).max(1) {
        let seed = dice.roll();
        if let Err(text) = round(&nodes, id, seed).await {
            panic!("on {kind:?}, round {id}:\n{text}");
        }
    }
}

/// Who calls what on which node, from when to when, and what was answered.
struct Told {
    call: Call,
    node: usize,
    asked: Instant,
    answered: Instant,
    outcome: Result<Value, String>,
}

async fn round(nodes: &Arc<Vec<TestServer>>, id: u64, seed: u64) -> Result<(), String> {
    let mut dice = Dice::seeded(seed);
    let mut run = Run::new(&nodes[0], 0, id, seed);
    let resources = json!(["arn:aws:ec2:eu-west-1:<A>:transit-gateway/tgw-01"]);
    let share = json!({"name": "n", "principals": ["<B>"], "resourceArns": resources});
    run.call(&Call::new("<A>", REGION, "CreateResourceShare", share), 1).await?;
    let invitation = run.world.invitations[0].arn();
    let named = json!({"resourceShareInvitationArn": invitation});
    if dice.below(3) == 0 {
        run.call(&Call::new("<B>", REGION, "AcceptResourceShareInvitation", named.clone()), 2).await?;
    }
    let calls: Vec<(usize, Call)> =
        (0..2 + dice.below(3)).map(|_| (dice.below(NODES), contender(&mut dice, &run.world))).collect();
    let told = at_once(nodes, &run.names, &calls, &mut dice).await;
    let mut read = Vec::new();
    for node in nodes.iter() {
        for call in reads() {
            let answer = ask(node, &run.names, &call, 0).await;
            read.push((call, answer));
        }
    }
    let mut order: Vec<usize> = (0..told.len()).collect();
    if has_order(&mut order, 0, &run, &told, &read) {
        return Ok(());
    }
    let lines = told.iter().map(|one| format!("node {}: {}\n  {:?}\n", one.node, one.call, one.outcome));
    let later = read.iter().map(|(call, answer)| format!("then {call}\n  {answer:?}\n"));
    Err(format!("no order explains\n{}{}", lines.collect::<String>(), later.collect::<String>()))
}

fn contender(dice: &mut Dice, world: &World) -> Call {
    let share = json!(world.shares[0].arn());
    let invitation = json!({"resourceShareInvitationArn": world.invitations[0].arn()});
    let with = |principal: &str| json!({"resourceShareArn": share, "principals": [principal]});
    let role = "arn:aws:iam::<B>:role/r";
    let (by, operation, input) = match dice.below(10) {
        0..3 => ("<B>", "AcceptResourceShareInvitation", invitation),
        3 | 4 => ("<B>", "RejectResourceShareInvitation", invitation),
        5 => ("<A>", "DisassociateResourceShare", with("<B>")),
        6 => ("<A>", "DeleteResourceShare", json!({"resourceShareArn": share})),
        7 => ("<A>", "AssociateResourceShare", with("<B>")),
        8 => ("<A>", "AssociateResourceShare", with(role)),
        _ => ("<B>", "DisassociateResourceShare", with("<B>")),
    };
    Call::new(by, REGION, operation, input)
}

fn reads() -> [Call; 5] {
    let read = |by, operation, input| Call::new(by, REGION, operation, input);
    [
        read("<A>", "GetResourceShareAssociations", json!({"associationType": "PRINCIPAL"})),
        read("<A>", "GetResourceShares", json!({"resourceOwner": "SELF"})),
        read("<A>", "ListPrincipals", json!({"resourceOwner": "SELF"})),
        read("<B>", "GetResourceShareInvitations", json!({})),
        read("<B>", "GetResourceShares", json!({"resourceOwner": "OTHER-ACCOUNTS"})),
    ]
}

/// Each call in a task of its own, after a moment of its own.
async fn at_once(
    nodes: &Arc<Vec<TestServer>>,
    names: &Names,
    calls: &[(usize, Call)],
    dice: &mut Dice,
) -> Vec<Told> {
    let tasks = calls.iter().cloned().map(|(node, call)| {
        let (nodes, names, waits) = (Arc::clone(nodes), names.clone(), dice.below(40));
        tokio::spawn(async move {
            for _ in 0..waits {
                tokio::task::yield_now().await;
            }
            let asked = Instant::now();
            let outcome = ask(&nodes[node], &names, &call, 0).await;
            Told { call, node, asked, answered: Instant::now(), outcome }
        })
    });
    join_all(tasks).await.into_iter().map(|told| told.expect("a call does not panic")).collect()
}

/// Whether the model agrees with all that was told in some order that begins with the first `fixed` of `order`.
fn has_order(
    order: &mut [usize],
    fixed: usize,
    run: &Run<'_>,
    told: &[Told],
    read: &[(Call, Result<Value, String>)],
) -> bool {
    if fixed == order.len() {
        return explains(order, run, told, read);
    }
    for next in fixed..order.len() {
        order.swap(fixed, next);
        if has_order(order, fixed + 1, run, told, read) {
            return true;
        }
        order.swap(fixed, next);
    }
    false
}

fn explains(order: &[usize], run: &Run<'_>, told: &[Told], read: &[(Call, Result<Value, String>)]) -> bool {
    let comes_late =
        |place: usize| order[..place].iter().any(|before| told[order[place]].answered < told[*before].asked);
    if (0..order.len()).any(comes_late) {
        return false;
    }
    let (mut world, mut names) = (run.world.clone(), run.names.clone());
    let mut fits = |call: &Call, number: usize, outcome: &Result<Value, String>| {
        let who = Caller { account: &call.account, region: &call.region, number };
        let expected = world.call(who, call.operation, &call.input);
        let outcome = outcome.clone().map(|answer| names.with_labels(&answer));
        agree(&mut names, call, &expected, &outcome)
    };
    order.iter().all(|at| fits(&told[*at].call, 10 + at, &told[*at].outcome))
        && read.iter().all(|(call, outcome)| fits(call, 0, outcome))
}

/// Nodes whose clocks are a moment apart: for one the invitation has expired, for another it has not.
async fn expire(kind: StoreKind) {
    let nodes = nodes(kind).await;
    let mut dice = Dice::from_environment(SEED);
    for id in 0..(crate::cases() / RARITY).max(1) {
        let seed = dice.roll();
        if let Err(text) = expiring_round(&nodes, id, seed).await {
            panic!("on {kind:?}, round {id}:\n{text}");
        }
    }
}

async fn expiring_round(nodes: &Arc<Vec<TestServer>>, id: u64, seed: u64) -> Result<(), String> {
    let mut dice = Dice::seeded(seed);
    let mut run = Run::new(&nodes[0], 0, id, seed);
    let share = json!({"name": "n", "principals": ["<B>"]});
    run.call(&Call::new("<A>", REGION, "CreateResourceShare", share), 1).await?;
    // The last node is ahead, and does background work.
    for (at, node) in nodes.iter().enumerate() {
        node.app().clock().advance(7 * DAY - i64::from(at < NODES - 1));
    }
    let named = json!({"resourceShareInvitationArn": run.world.invitations[0].arn()});
    let answers = ["AcceptResourceShareInvitation", "RejectResourceShareInvitation"];
    let calls: Vec<(usize, Call)> = (0..3)
        .map(|_| (dice.below(NODES), Call::new("<B>", REGION, answers[dice.below(2)], named.clone())))
        .collect();
    let ahead = Arc::clone(nodes);
    let waits = dice.below(40);
    let sweep = tokio::spawn(async move {
        for _ in 0..waits {
            tokio::task::yield_now().await;
        }
        ahead[NODES - 1].sweep().await
    });
    let told = at_once(nodes, &run.names, &calls, &mut dice).await;
    sweep.await.map_err(|error| error.to_string())?;
    for node in nodes.iter() {
        node.app().clock().advance(HOUR);
    }
    let now = nodes[NODES - 1].app().clock().now();
    for node in nodes.iter() {
        node.app().clock().set(now);
        node.sweep().await;
    }
    let won: Vec<&str> =
        told.iter().filter(|one| one.outcome.is_ok()).map(|one| one.call.operation).collect();
    let (status, principal) = match won.as_slice() {
        [] => ("EXPIRED", "DISASSOCIATED"),
        ["AcceptResourceShareInvitation"] => ("ACCEPTED", "ASSOCIATED"),
        ["RejectResourceShareInvitation"] => ("REJECTED", "DISASSOCIATED"),
        _ => return Err(format!("{won:?} all succeeded")),
    };
    for node in nodes.iter() {
        let [associations, _, _, invitations, _] = reads();
        let rows = ask(node, &run.names, &associations, 0).await?;
        let sent = ask(node, &run.names, &invitations, 0).await?;
        let found = (
            sent["resourceShareInvitations"][0]["status"].as_str().unwrap_or_default().to_owned(),
            rows["resourceShareAssociations"][0]["status"].as_str().unwrap_or_default().to_owned(),
        );
        if (found.0.as_str(), found.1.as_str()) != (status, principal) {
            let told: Vec<_> = told.iter().map(|one| (one.node, one.call.operation, &one.outcome)).collect();
            return Err(format!("expected {:?}, found {found:?} after {told:?}", (status, principal)));
        }
    }
    Ok(())
}
