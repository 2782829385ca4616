//! A load of writes whose outcome is known: shares that are made, extended and accepted, each call with a client token;
//! and what must be true of them whatever was killed meanwhile.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rampart_store::{Follower, LogPosition, Options, PartitionId, Store};
use rampart_testkit::Client;
use rampart_testkit::mirror::{Following, Mirror};
use rampart_testkit::node::Node;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::interval;

const WRITERS: usize = 6;
/// How soon a client asks again that got no answer.
const AGAIN: Duration = Duration::from_millis(20);
pub(crate) const OWNER: &str = "111111111111";
pub(crate) const CONSUMER: &str = "222222222222";

/// What one share's writer asked for, and what it was told.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    name: String,
    /// The acknowledgements, in this order: the share was made, a second resource added, the invitation accepted.
    told: Vec<Value>,
    /// The invitation, once it was read.
    invitation: Option<String>,
    /// Whether the server said that it cannot do what was asked last.
    was_refused: bool,
}

impl Line {
    fn new(name: String) -> Self {
        Self { name, told: Vec::new(), invitation: None, was_refused: false }
    }

    /// Whether it ended because the server said that it cannot, rather than without an answer.
    pub(crate) fn was_refused(&self) -> bool {
        self.was_refused
    }

    /// Asks for something; `None` when the server does not answer, or says that it cannot.
    async fn ask(&mut self, client: &Client, operation: &str, input: &Value) -> Option<Value> {
        self.was_refused = false;
        let reply = client.try_call(operation, input).await?;
        if reply.status == 503 {
            assert_eq!(reply.error_code, "ServiceUnavailableException", "{operation}");
            reply.assert_error_envelope();
            self.was_refused = true;
            return None;
        }
        assert_eq!(reply.status, 200, "{operation}: {}", reply.text);
        Some(reply.json)
    }

    /// The share's ARN, once its creation was acknowledged.
    fn share(&self) -> Option<&str> {
        Some(self.told.first()?["resourceShare"]["resourceShareArn"].as_str().unwrap())
    }

    /// Who asks again is told the same again.
    fn hear(&mut self, step: usize, answer: Value, acknowledged: &watch::Sender<usize>) {
        match self.told.get(step) {
            Some(first) => assert_eq!(*first, answer, "{}", self.name),
            None => self.told.push(answer),
        }
        acknowledged.send_modify(|count| *count += 1);
    }
}

/// Writers that give up when they get no answer, each with one of the nodes in turn.
pub(crate) fn start_writers(
    nodes: &[&Node],
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

/// Writers that ask again until they are answered, each with one of the nodes in turn, until they are told to stop.
pub(crate) fn start_stubborn_writers(
    nodes: &[&Node],
    round: usize,
    acknowledged: watch::Sender<usize>,
    stop: &watch::Sender<bool>,
) -> Vec<JoinHandle<Vec<Line>>> {
    let acknowledged = Arc::new(acknowledged);
    let start = |writer: usize| {
        let node = nodes[writer % nodes.len()];
        let (owner, consumer) = (node.client(OWNER, "x"), node.client(CONSUMER, "x"));
        let (acknowledged, stop) = (Arc::clone(&acknowledged), stop.subscribe());
        tokio::spawn(async move {
            let (mut lines, mut again) = (Vec::new(), interval(AGAIN));
            while !*stop.borrow() {
                let mut line = Line::new(format!("{round}-{writer}-{}", lines.len()));
                while write_line(&owner, &consumer, &mut line, &acknowledged).await.is_none() {
                    again.tick().await;
                }
                lines.push(line);
            }
            lines
        })
    };
    (0..WRITERS).map(start).collect()
}

/// After a restart: all is there, and asking again for everything gives each line its one effect.
pub(crate) async fn check_and_complete(server: &Node, lines: &mut [Line]) {
    check(server, lines).await;
    complete(server, lines).await;
    let held = check(server, lines).await;
    assert_eq!(held.shares.len(), lines.len());
    assert!(held.resources.values().all(|rows| rows.len() == 2));
}

/// Asks again for everything; what was answered before is answered alike.
pub(crate) async fn complete(server: &Node, lines: &mut [Line]) {
    let (owner, consumer) = (server.client(OWNER, "x"), server.client(CONSUMER, "x"));
    for line in lines.iter_mut() {
        write_line(&owner, &consumer, line, &watch::Sender::default()).await.unwrap();
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
        lines.push(Line::new(format!("{writer}-{number}")));
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
    let created = line.ask(owner, "CreateResourceShare", &creation(&line.name)).await?;
    line.hear(0, created, acknowledged);
    let share = line.share().unwrap().to_owned();
    let added = line.ask(owner, "AssociateResourceShare", &addition(&line.name, &share)).await?;
    line.hear(1, added, acknowledged);
    let received =
        line.ask(consumer, "GetResourceShareInvitations", &json!({"resourceShareArns": [share]})).await?;
    let [invitation] = &received["resourceShareInvitations"].as_array().unwrap()[..] else {
        panic!("{}: {received}", line.name)
    };
    let invitation = invitation["resourceShareInvitationArn"].as_str().unwrap().to_owned();
    assert!(line.invitation.as_ref().is_none_or(|known| *known == invitation), "{line:?} {invitation}");
    line.invitation = Some(invitation);
    let accepted = line.ask(consumer, "AcceptResourceShareInvitation", &acceptance(line)).await?;
    line.hear(2, accepted, acknowledged);
    Some(())
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
pub(crate) struct Held {
    shares: HashMap<String, Value>,
    resources: HashMap<String, Vec<(String, String)>>,
    principals: HashMap<String, Vec<(String, String)>>,
    invitations: HashMap<String, Vec<Value>>,
    received: HashMap<String, Value>,
}

impl Held {
    async fn read(server: &Node) -> Self {
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
pub(crate) async fn check(server: &Node, lines: &[Line]) -> Held {
    let held = Held::read(server).await;
    for line in lines {
        let Some(share) = line.share() else { continue };
        assert_eq!(held.shares[share]["name"], line.name);
        if line.told.len() > 1 {
            let second = (resource(&line.name, 2), "ASSOCIATED".to_owned());
            assert!(held.resources[share].contains(&second), "{line:?}");
        }
        if line.told.len() > 2 {
            assert!(held.received.contains_key(share), "{line:?}");
            assert_eq!(held.invitations[share][0]["status"], "ACCEPTED", "{line:?}");
        }
    }
    // Acknowledged or not, what there is is whole.
    for (share, found) in &held.shares {
        let name = found["name"].as_str().unwrap();
        assert_eq!(found["tags"], json!([{"key": "line", "value": name}]));
        let resources = [1, 2].map(|number| (resource(name, number), "ASSOCIATED".to_owned()));
        assert!(resources.starts_with(&held.resources[share]), "{name}: {:?}", held.resources[share]);
        let invitations = &held.invitations[share];
        assert_eq!(invitations.len(), 1, "{name}");
        let accepted = invitations[0]["status"] == "ACCEPTED";
        let principal = if accepted { "ASSOCIATED" } else { "ASSOCIATING" };
        let expected =
            [(OWNER.to_owned(), "ASSOCIATED".to_owned()), (CONSUMER.to_owned(), principal.to_owned())];
        assert_eq!(held.principals[share], expected, "{name}");
        assert_eq!(held.received.contains_key(share), accepted, "{name}");
    }
    // One for each call that was made, however often.
    let names: HashMap<_, _> =
        held.shares.iter().map(|(share, found)| (found["name"].as_str().unwrap(), share)).collect();
    assert_eq!(names.len(), held.shares.len());
    assert!(lines.iter().all(|line| line.share().is_none() || names.contains_key(&*line.name)));
    let orphans = held.resources.keys().chain(held.principals.keys()).chain(held.invitations.keys());
    assert!(orphans.into_iter().all(|share| held.shares.contains_key(share)));
    held
}

/// That the change log, read from its beginning, gives the rows that stand in the tables; gives where its entries stand.
pub(crate) async fn assert_log_tells_all(store: &str) -> Vec<(PartitionId, LogPosition)> {
    let (store, _) = Store::open(&store.parse().unwrap(), Options::default()).await.unwrap();
    let mut heard = Following::default();
    Follower::from_start(store.clone()).poll(&mut heard).await.unwrap();
    assert_eq!(heard.forgotten, 0, "the log was trimmed");
    heard.mirror.assert_same(&Mirror::of(&store.snapshot().await.unwrap()).await);
    store.close().await;
    heard.told
}
