//! Ten thousand requests that were once good, sent as bytes over many connections at once.
//!
//! A third have another body, a third another head around the same framing: each of these must be answered in the
//! service's own form. A third have any of their bytes changed: where HTTP's framing is broken by that, the server may
//! close instead. Never may it hang, answer 5xx, or be the worse for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Request;
use hyper::body::Bytes;
use rampart_server::Settings;
use rampart_server::settings::EdgeLimits;
use rampart_testkit::dice::Dice;
use rampart_testkit::server::settings;
use rampart_testkit::wire::{Heard, Wire, bytes_of};
use rampart_testkit::{StoreKind, TestServer};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, Offer, component, create, gateway, share_arns};

const REQUESTS: usize = 10_000;
const CONNECTIONS: usize = 200;
const SEED: u64 = 20_261_121;
/// Requests that mutation has cut short are waited for this long: on a busy machine, long enough for whole ones.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_mutated_requests_are_survived() {
    let limits = EdgeLimits {
        head_timeout: SOON,
        body_timeout: SOON,
        idle_timeout: 3 * SOON,
        ..EdgeLimits::default()
    };
    let server = TestServer::start(StoreKind::Sqlite, Settings { limits, ..settings() }).await;
    let templates = Arc::new(templates(&server).await);
    let mut dice = Dice::from_environment(SEED);
    let began = Instant::now();
    let tasks = (0..CONNECTIONS).map(|_| {
        let (templates, mut dice) = (Arc::clone(&templates), Dice::seeded(dice.roll()));
        let address = server.address();
        tokio::spawn(async move {
            let mut tally = Tally::default();
            for _ in 0..REQUESTS / CONNECTIONS {
                let template = dice.pick(&templates);
                let mutant = Mutant::new(template, &mut dice);
                let mut wire = Wire::connect(address).await;
                wire.send(&mutant.bytes).await;
                tally.judge(&mutant, wire.hear().await);
            }
            tally
        })
    });
    let mut sum = Tally::default();
    for tally in join_all(tasks).await {
        sum.add(&tally.unwrap());
    }
    let took = began.elapsed();
    eprintln!("{sum:?} in {took:?}");
    assert_eq!(sum.good + sum.refused + sum.closed, REQUESTS);
    // Were nearly all refused at the door, the operations would not have been tried.
    assert!(sum.good > REQUESTS / 20 && sum.refused > REQUESTS / 3, "{sum:?}");
    assert!(took < Duration::from_mins(1), "{took:?}");

    let owner = server.account(OWNER);
    let share = create(&owner, &json!({"name": "after", "principals": [CONSUMER]})).await;
    assert!(share_arns(&owner, "SELF").await.contains(&share));
    assert_eq!(server.account(CONSUMER).sts("GetCallerIdentity").await.status, 200);
}

/// Good requests of all operations that are built, on a store that holds what they name.
async fn templates(server: &TestServer) -> Vec<Request<Bytes>> {
    let offer = Offer::pending(server, &[gateway(1), component(1)]).await;
    let member = Offer::accepted(server, &[gateway(2)]).await;
    let (owner, consumer) = (&offer.owner, &offer.consumer);
    let create = json!({
        "name": "more", "resourceArns": [gateway(3)], "principals": [CONSUMER], "clientToken": "t",
        "tags": [{"key": "k", "value": "v"}], "allowExternalPrincipals": true,
    });
    let entities =
        json!({"resourceShareArn": offer.share, "resourceArns": [gateway(4)], "principals": [CONSUMER]});
    let shares = json!({
        "resourceOwner": "SELF", "name": "offered", "resourceShareArns": [offer.share], "maxResults": 5,
        "tagFilters": [{"tagKey": "k", "tagValues": ["v"]}], "resourceShareStatus": "ACTIVE",
    });
    let rows = json!({
        "associationType": "PRINCIPAL", "principal": CONSUMER, "resourceShareArns": [member.share], "maxResults": 2,
        "associationStatus": "ASSOCIATED", "nextToken": "AAAA",
    });
    vec![
        owner.request("CreateResourceShare", &create),
        owner.request("AssociateResourceShare", &entities),
        owner.request("DisassociateResourceShare", &entities),
        owner.request("GetResourceShares", &shares),
        owner.request("GetResourceShares", &json!({"resourceOwner": "SELF"})),
        consumer.request("GetResourceShares", &json!({"resourceOwner": "OTHER-ACCOUNTS"})),
        owner.request("GetResourceShareAssociations", &rows),
        owner.request("GetResourceShareAssociations", &json!({"associationType": "RESOURCE"})),
        owner.request("DeleteResourceShare", &json!({"resourceShareArn": member.share, "clientToken": "t"})),
        consumer.request("GetResourceShareInvitations", &json!({"resourceShareArns": [offer.share]})),
        consumer.request("ListPendingInvitationResources", &offer.named()),
        consumer.request("AcceptResourceShareInvitation", &offer.named()),
        consumer.request("RejectResourceShareInvitation", &offer.named()),
    ]
}

/// A request that was good.
struct Mutant {
    bytes: Vec<u8>,
    /// Whether it is one whole request still, whatever it says.
    framed: bool,
}

impl Mutant {
    fn new(template: &Request<Bytes>, dice: &mut Dice) -> Self {
        let (head, body) = template.clone().into_parts();
        match dice.below(3) {
            0 => {
                let body = match serde_json::from_slice(&body) {
                    Ok(value) if dice.below(2) == 0 => splice(value, dice).to_string().into_bytes(),
                    _ => mutate(&body, dice),
                };
                Self { bytes: bytes_of(&Request::from_parts(head, Bytes::from(body))), framed: true }
            }
            1 => Self { bytes: bytes_of(&another_head(template, dice)), framed: true },
            _ => Self { bytes: mutate(&bytes_of(&Request::from_parts(head, body)), dice), framed: false },
        }
    }
}

/// Flips, inserts, deletes, doubles and cuts bytes.
fn mutate(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    const TELLING: &[u8] = b"\0\n\r \"{}[]:,\\/%?&=\xff\x80\xc0-+.0e9";
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + 1 + dice.below(12)).min(bytes.len());
        match dice.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.byte(),
            2 => bytes.insert(at, *dice.pick(TELLING)),
            3 if at < end => drop(bytes.drain(at..end)),
            4 if at < end => {
                let twice = bytes[at..end].to_vec();
                bytes.splice(at..at, twice);
            }
            5 if dice.below(4) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

/// Puts other values into a JSON object, takes members out, nests and repeats.
fn splice(mut value: Value, dice: &mut Dice) -> Value {
    let others = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e308),
        json!(9_007_199_254_740_993_i64),
        json!(""),
        json!("\u{0}\u{fffd}\u{1f600}"),
        json!("x".repeat(5000)),
        json!([]),
        json!({}),
        json!([[[[[]]]]]),
        json!(vec!["222222222222"; 600]),
        json!([gateway(1), gateway(1), "arn:aws:ec2"]),
        json!("arn:aws:ram:eu-west-1:111111111111:resource-share/00000000-0000-0000-0000-000000000000"),
        json!(500),
        json!("OTHER-ACCOUNTS"),
    ];
    for _ in 0..=dice.below(2) {
        let Some(members) = value.as_object_mut() else { return value };
        let names: Vec<String> = members.keys().cloned().collect();
        if names.is_empty() {
            break;
        }
        let name = dice.pick(&names).clone();
        match dice.below(5) {
            0 => drop(members.remove(&name)),
            1 => {
                let other = members[dice.pick(&names)].clone();
                members.insert(name, other);
            }
            2 => {
                let nested = json!([members[&name].clone()]);
                members.insert(name, nested);
            }
            _ => drop(members.insert(name, dice.pick(&others).clone())),
        }
    }
    value
}

/// Changes method, path, query and headers, but nothing that tells where the request ends.
fn another_head(template: &Request<Bytes>, dice: &mut Dice) -> Request<Bytes> {
    const VISIBLE: &[u8] = b"abcXYZ019 ,;=/+-_.~:%&?()<>@[]{}\"'\\";
    let mut request = template.clone();
    let names: Vec<_> = request.headers().keys().cloned().collect();
    for _ in 0..=dice.below(2) {
        let name = dice.pick(&names);
        let mut value =
            request.headers().get(name).map(|value| value.as_bytes().to_vec()).unwrap_or_default();
        let at = dice.below(value.len() + 1);
        match dice.below(6) {
            0 => drop(request.headers_mut().remove(name)),
            1 => {
                let other = dice.pick(&names);
                if let Some(other) = request.headers().get(other).cloned() {
                    request.headers_mut().insert(name, other);
                }
            }
            2 if at < value.len() => value[at] = *dice.pick(VISIBLE),
            3 => value.insert(at, *dice.pick(VISIBLE)),
            4 => value.truncate(at),
            _ => {
                let methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"];
                *request.method_mut() = dice.pick(&methods).parse().unwrap();
                let paths =
                    ["/", "/rampart/v1/nothing", "/tagresource", "/deleteresourceshare?a=%zz&&=", "/%00?x"];
                if dice.below(2) == 0 {
                    *request.uri_mut() = dice.pick(&paths).parse().unwrap();
                }
                continue;
            }
        }
        if request.headers().contains_key(name)
            && let Ok(value) = http::HeaderValue::from_bytes(&value)
        {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

#[derive(Debug, Default)]
struct Tally {
    good: usize,
    refused: usize,
    closed: usize,
}

impl Tally {
    fn judge(&mut self, mutant: &Mutant, heard: Heard) {
        let sent = || String::from_utf8_lossy(&mutant.bytes).chars().take(2000).collect::<String>();
        match heard {
            Heard::Answer(reply) => {
                assert!((200..500).contains(&reply.status), "{} {}\n{}", reply.status, reply.text, sent());
                if mutant.framed {
                    assert!(reply.headers.contains_key("x-amzn-requestid"), "{}", sent());
                    assert!(reply.status == 200 || !reply.text.is_empty(), "{}", sent());
                }
                if reply.status == 200 {
                    self.good += 1;
                } else {
                    self.refused += 1;
                }
            }
            Heard::Closed(bytes) => {
                assert!(!mutant.framed, "closed without an answer: {}", sent());
                assert!(bytes.is_empty(), "closed in the middle of an answer: {}", sent());
                self.closed += 1;
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.good += other.good;
        self.refused += other.refused;
        self.closed += other.closed;
    }
}
