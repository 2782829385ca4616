//! Killed in the middle of a stream of writes, again and again: nothing that was acknowledged is missing, nothing is
//! half done, and whoever did not hear the answer asks again and gets one effect. So it is when one of two nodes is killed,
//! when their PostgreSQL crashes, and when the disk is full.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use rampart_testkit::Client;
use rampart_testkit::dice::Dice;
use rampart_testkit::postgres::{ClusterOptions, Listen, PostgresCluster};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::program::{Serving, Site};

const SEED: u64 = 7_266;
const ROUNDS: usize = 5;
const WRITERS: usize = 6;
const OWNER: &str = "111111111111";
const CONSUMER: &str = "222222222222";

/// What one share's writer did, and what it was told.
#[derive(Clone, Debug)]
struct Line {
    name: String,
    /// The share's ARN, once its creation was acknowledged.
    share: Option<String>,
    /// Whether the second resource was acknowledged.
    associated: bool,
    /// The invitation, once it was read.
    invitation: Option<String>,
    /// Whether its acceptance was acknowledged.
    accepted: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let mut dice = Dice::from_environment(SEED);
    let site = Site::new();
    let mut lines: Vec<Line> = Vec::new();
    for round in 0..ROUNDS {
        let server = site.serve(&[]);
        check_and_complete(&server, &mut lines).await;
        let kill_after = 10 + dice.below(80);
        let (acknowledged, mut count) = watch::channel(0_usize);
        let writers = start_writers(&[&server], round, acknowledged);
        count.wait_for(|count| *count >= kill_after).await.unwrap();
        server.kill();
        for written in join_all(writers).await {
            lines.extend(written.unwrap());
        }
        eprintln!("round {round}: killed after {kill_after} answers, {} shares begun", lines.len());
    }
    let server = site.serve(&[]);
    check_and_complete(&server, &mut lines).await;
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_the_kill_of_one_node_of_two() {
    let mut dice = Dice::from_environment(SEED);
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    let url = database.url();
    let site = Site::new();
    let mut lines: Vec<Line> = Vec::new();
    let mut staying = site.serve(&["--store", url]);
    for round in 0..ROUNDS {
        let doomed = site.serve(&["--store", url]);
        let (acknowledged, mut count) = watch::channel(0_usize);
        let writers = start_writers(&[&doomed, &staying], round, acknowledged);
        let kill_after = 20 + dice.below(80);
        count.wait_for(|count| *count >= kill_after).await.unwrap();
        doomed.kill();
        // Who lost its node asks the other one, beside those that never noticed.
        let mut lost = Vec::new();
        let (cut_off, going_on): (Vec<_>, Vec<_>) =
            writers.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
        for (_, writer) in cut_off {
            lost.extend(writer.await.unwrap());
        }
        complete(&staying, &mut lost).await;
        staying.kill();
        lines.extend(lost);
        for (_, writer) in going_on {
            lines.extend(writer.await.unwrap());
        }
        eprintln!("round {round}: killed after {kill_after} answers, {} shares begun", lines.len());
        staying = site.serve(&["--store", url]);
        check_and_complete(&staying, &mut lines).await;
    }
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_crash_of_postgresql() {
    let mut dice = Dice::from_environment(SEED);
    let options = ClusterOptions { listen: Listen::Loopback, ..ClusterOptions::default() };
    let mut cluster = PostgresCluster::start(&options).unwrap();
    let database = cluster.create_database().unwrap();
    let url = database.url();
    let site = Site::new();
    let nodes = [site.serve(&["--store", url]), site.serve(&["--store", url])];
    let mut lines: Vec<Line> = Vec::new();
    for round in 0..ROUNDS {
        let (acknowledged, mut count) = watch::channel(0_usize);
        let writers = start_writers(&[&nodes[0], &nodes[1]], round, acknowledged);
        let stop_after = 20 + dice.below(80);
        count.wait_for(|count| *count >= stop_after).await.unwrap();
        tokio::task::block_in_place(|| cluster.stop_immediately()).unwrap();
        for writer in writers {
            lines.extend(writer.await.unwrap());
        }
        tokio::task::block_in_place(|| cluster.start_again()).unwrap();
        eprintln!("round {round}: crashed after {stop_after} answers, {} shares begun", lines.len());
        // The nodes were never restarted.
        check_and_complete(&nodes[round % 2], &mut lines).await;
    }
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_full_disk() {
    let site = Site::new();
    let mut lines: Vec<Line> = Vec::new();
    for round in 0..2 {
        let server = site.serve_with_files_of(4096 + round * 2048);
        let (acknowledged, _count) = watch::channel(0_usize);
        for writer in start_writers(&[&server], usize::try_from(round).unwrap(), acknowledged) {
            lines.extend(writer.await.unwrap());
        }
        eprintln!("round {round}: full after {} shares", lines.len());
        // What is there can be read, and is whole.
        check(&server, &lines).await;
        server.kill();
    }
    let server = site.serve(&[]);
    check_and_complete(&server, &mut lines).await;
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

/// Writers, each with one of the nodes in turn.
fn start_writers(
    nodes: &[&Serving],
    round: usize,
    acknowledged: watch::Sender<usize>,
) -> Vec<JoinHandle<Vec<Line>>> {
    let acknowledged = Arc::new(acknowledged);
    let start = |writer: usize| {
        let node = nodes[writer % nodes.len()];
        let (owner, consumer) = (node.client(OWNER, "x"), node.client(CONSUMER, "x"));
        tokio::spawn(write(owner, consumer, format!("{round}-{writer}"), Arc::clone(&acknowledged)))
    };
    (0..WRITERS).map(start).collect()
}

/// After a restart: all is there, and asking again for everything gives each line its one effect.
async fn check_and_complete(server: &Serving, lines: &mut [Line]) {
    check(server, lines).await;
    complete(server, lines).await;
    let held = check(server, lines).await;
    assert_eq!(held.shares.len(), lines.len());
    assert!(held.resources.values().all(|rows| rows.len() == 2));
}

/// Asks again for everything; what was answered before is answered alike.
async fn complete(server: &Serving, lines: &mut [Line]) {
    let (owner, consumer) = (server.client(OWNER, "x"), server.client(CONSUMER, "x"));
    for line in lines.iter_mut() {
        let told = line.clone();
        write_line(&owner, &consumer, line, &watch::Sender::default()).await.unwrap();
        assert!(told.share.is_none() || told.share == line.share, "{told:?} {line:?}");
        assert!(told.invitation.is_none() || told.invitation == line.invitation, "{told:?} {line:?}");
    }
}

/// Makes shares, adds to them and has them accepted, until the server is gone.
async fn write(
    owner: Client,
    consumer: Client,
    writer: String,
    acknowledged: Arc<watch::Sender<usize>>,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for number in 0.. {
        let name = format!("{writer}-{number}");
        lines.push(Line { name, share: None, associated: false, invitation: None, accepted: false });
        let line = lines.last_mut().unwrap();
        if write_line(&owner, &consumer, line, &acknowledged).await.is_none() {
            break;
        }
    }
    lines
}

/// One line, step by step; `None` when the server does not answer any more, or says that it cannot.
async fn write_line(
    owner: &Client,
    consumer: &Client,
    line: &mut Line,
    acknowledged: &watch::Sender<usize>,
) -> Option<()> {
    let heard = || acknowledged.send_modify(|count| *count += 1);
    let created = answer(owner, "CreateResourceShare", &creation(&line.name)).await?;
    let share = created["resourceShare"]["resourceShareArn"].as_str().unwrap().to_owned();
    line.share = Some(share.clone());
    heard();
    answer(owner, "AssociateResourceShare", &addition(&line.name, &share)).await?;
    line.associated = true;
    heard();
    let received =
        answer(consumer, "GetResourceShareInvitations", &json!({"resourceShareArns": [share]})).await?;
    let invitation = &received["resourceShareInvitations"][0]["resourceShareInvitationArn"];
    line.invitation = Some(invitation.as_str().unwrap().to_owned());
    answer(consumer, "AcceptResourceShareInvitation", &acceptance(line)).await?;
    line.accepted = true;
    heard();
    Some(())
}

async fn answer(client: &Client, operation: &str, input: &Value) -> Option<Value> {
    let reply = client.try_call(operation, input).await.filter(|reply| reply.status != 503)?;
    assert_eq!(reply.status, 200, "{operation}: {}", reply.text);
    Some(reply.json)
}

fn resource(name: &str, number: u32) -> String {
    // A name is three numbers: hexadecimal digits that make an id of its own.
    let mut numbers = name.split('-');
    let mut number_of = || numbers.next().unwrap();
    let id = format!("{:0>5}{:0>5}{:0>5}", number_of(), number_of(), number_of());
    format!("arn:aws:ec2:eu-west-1:{OWNER}:transit-gateway/tgw-{id}{number:02}")
}

fn creation(name: &str) -> Value {
    json!({
        "name": name, "resourceArns": [resource(name, 1)], "principals": [CONSUMER, OWNER], "clientToken": name,
        "tags": [{"key": "line", "value": name}],
    })
}

fn addition(name: &str, share: &str) -> Value {
    json!({"resourceShareArn": share, "resourceArns": [resource(name, 2)], "clientToken": name})
}

fn acceptance(line: &Line) -> Value {
    json!({"resourceShareInvitationArn": line.invitation, "clientToken": line.name})
}

/// Everything that the server holds, by the share's ARN.
struct Held {
    shares: HashMap<String, Value>,
    resources: HashMap<String, Vec<(String, String)>>,
    principals: HashMap<String, Vec<(String, String)>>,
    invitations: HashMap<String, Vec<Value>>,
    received: HashMap<String, Value>,
}

impl Held {
    async fn read(server: &Serving) -> Self {
        let (owner, consumer) = (server.client(OWNER, "x"), server.client(CONSUMER, "x"));
        let own = all(&owner, "GetResourceShares", json!({"resourceOwner": "SELF"}), "resourceShares").await;
        let others = json!({"resourceOwner": "OTHER-ACCOUNTS"});
        let received = all(&consumer, "GetResourceShares", others, "resourceShares").await;
        let rows = async |kind: &str| {
            let input = json!({"associationType": kind});
            let rows = all(&owner, "GetResourceShareAssociations", input, "resourceShareAssociations").await;
            let mut by_share: HashMap<String, Vec<(String, String)>> = HashMap::new();
            for row in rows {
                let text = |member: &str| row[member].as_str().unwrap().to_owned();
                by_share
                    .entry(text("resourceShareArn"))
                    .or_default()
                    .push((text("associatedEntity"), text("status")));
            }
            for rows in by_share.values_mut() {
                rows.sort();
            }
            by_share
        };
        let mut invitations: HashMap<String, Vec<Value>> = HashMap::new();
        for one in all(&consumer, "GetResourceShareInvitations", json!({}), "resourceShareInvitations").await
        {
            invitations.entry(arn(&one)).or_default().push(one);
        }
        Self {
            shares: own.into_iter().map(|share| (arn(&share), share)).collect(),
            resources: rows("RESOURCE").await,
            principals: rows("PRINCIPAL").await,
            invitations,
            received: received.into_iter().map(|share| (arn(&share), share)).collect(),
        }
    }
}

fn arn(value: &Value) -> String {
    value["resourceShareArn"].as_str().unwrap().to_owned()
}

/// All pages of a list.
async fn all(client: &Client, operation: &str, mut input: Value, items: &str) -> Vec<Value> {
    let mut found = Vec::new();
    loop {
        let page = client.ok(operation, &input).await;
        found.extend(page[items].as_array().unwrap().iter().cloned());
        let Some(token) = page.get("nextToken") else { return found };
        input["nextToken"] = token.clone();
    }
}

/// That nothing acknowledged is missing and nothing is half done.
async fn check(server: &Serving, lines: &[Line]) -> Held {
    let held = Held::read(server).await;
    for line in lines {
        let Some(share) = &line.share else { continue };
        assert_eq!(held.shares[share]["name"], line.name);
        if line.associated {
            let second = (resource(&line.name, 2), "ASSOCIATED".to_owned());
            assert!(held.resources[share].contains(&second), "{line:?}");
        }
        if line.accepted {
            assert!(held.received.contains_key(share), "{line:?}");
            assert_eq!(held.invitations[share][0]["status"], "ACCEPTED", "{line:?}");
        }
    }
    // Acknowledged or not, what there is is whole.
    for (share, found) in &held.shares {
        let name = found["name"].as_str().unwrap();
        assert_eq!(found["tags"], json!([{"key": "line", "value": name}]));
        assert_eq!(held.resources[share][0], (resource(name, 1), "ASSOCIATED".to_owned()));
        let invitations = &held.invitations[share];
        assert_eq!(invitations.len(), 1, "{name}");
        let accepted = invitations[0]["status"] == "ACCEPTED";
        let principal = if accepted { "ASSOCIATED" } else { "ASSOCIATING" };
        let expected =
            [(OWNER.to_owned(), "ASSOCIATED".to_owned()), (CONSUMER.to_owned(), principal.to_owned())];
        assert_eq!(held.principals[share], expected, "{name}");
        assert_eq!(held.received.contains_key(share), accepted, "{name}");
    }
    let orphans = held.resources.keys().chain(held.principals.keys()).chain(held.invitations.keys());
    assert!(orphans.into_iter().all(|share| held.shares.contains_key(share)));
    held
}
