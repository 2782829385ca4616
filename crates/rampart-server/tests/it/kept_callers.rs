//! Callers are kept while nothing changes of them, and what changes on one node counts on every other within a second.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rampart_testkit::client::Key;
use rampart_testkit::server::{StoreKind, for_each_store_with};
use rampart_testkit::{Client, TestServer};
use serde_json::json;

use crate::organizations;
use crate::sharing::{CONSUMER, OWNER, STRANGER, create};
use crate::sts::{assume, create_role, put_policy, session, strict, trust};

/// Whoever asks so long after a change was acknowledged is answered by it, however busy the machine is.
const COUNTS_WITHIN: Duration = Duration::from_secs(1);
/// For what has no such bound.
const PATIENCE: Duration = Duration::from_secs(20);
const ALICE: (&str, &str) = ("UserName", "alice");
const ROLE: (&str, &str) = ("RoleName", "r");
const ALLOW: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const NO_RAM: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ram:*","Resource":"*"}]}"#;

async fn may_list(client: &Client) -> bool {
    let reply = client.call("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
    assert!(reply.status == 200 || reply.status == 403, "{}", reply.text);
    reply.status == 200
}

/// Nothing tells when a node looks again, so it is asked until it has. What is to count was acknowledged by now.
async fn until(client: &Client, may: bool, what: &str) {
    let acknowledged = Instant::now();
    loop {
        let asked_after = acknowledged.elapsed();
        if may_list(client).await == may {
            return;
        }
        let still = if may { "refused" } else { "taken" };
        assert!(asked_after < COUNTS_WITHIN, "{what}: still {still} after {asked_after:?}");
        tokio::task::yield_now().await;
    }
}

/// An account's root, as a client of one node and of the other.
async fn root_on_both(nodes: &[TestServer; 2], account: &str) -> [Client; 2] {
    on_both(nodes, &nodes[0].create_key(account, "").await)
}

fn on_both(nodes: &[TestServer; 2], key: &Key) -> [Client; 2] {
    [0, 1].map(|node| nodes[node].client(Key { id: key.id.clone(), secret: key.secret.clone() }))
}

async fn two(server: TestServer) -> [TestServer; 2] {
    let second = server.another_node(&strict()).await;
    [server, second]
}

async fn join(management: &Client, account: &str, client: &Client) {
    let target = json!({"Target": {"Type": "ACCOUNT", "Id": account}});
    let invited = organizations::ok(management, "InviteAccountToOrganization", &target).await;
    organizations::ok(client, "AcceptHandshake", &json!({"HandshakeId": invited["Handshake"]["Id"]})).await;
}

/// A figure of what a node has counted.
fn counted(node: &TestServer, name: &str) -> u64 {
    let text = node.app().metrics().render().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("rampart_{name}_total ")));
    line.unwrap_or_else(|| panic!("{name} is not in {text}")).parse().unwrap()
}

fn callers_read(node: &TestServer) -> u64 {
    counted(node, "callers_read")
}

#[tokio::test]
async fn what_changes_of_an_accounts_callers_counts_on_the_other_node() {
    for_each_store_with(strict(), async |server: TestServer| {
        let nodes = two(server).await;
        let [root, _] = root_on_both(&nodes, OWNER).await;
        let alice_key = nodes[0].create_key(OWNER, "alice").await;
        let alice = nodes[1].client(Key { id: alice_key.id.clone(), secret: alice_key.secret.clone() });
        let bob = nodes[1].client(nodes[0].create_key(OWNER, "bob").await);
        put_policy(&root, ALICE, ALLOW).await;
        put_policy(&root, ("UserName", "bob"), ALLOW).await;
        create_role(&root, "r", &trust(&format!("arn:aws:iam::{OWNER}:user/bob"), "")).await;
        put_policy(&root, ROLE, ALLOW).await;
        let role = session(&nodes[1], &assume(&bob, OWNER, "r", &[]).await);
        for client in [&alice, &bob, &role] {
            until(client, true, "at first").await;
        }
        nodes[0].disable_key(&alice_key).await;
        until(&alice, false, "the key was disabled").await;
        assert!(may_list(&bob).await && may_list(&role).await);
        root.iam_ok("DeleteUserPolicy", &[("UserName", "bob"), ("PolicyName", "p")]).await;
        until(&bob, false, "the policy was taken away").await;
        put_policy(&root, ("UserName", "bob"), ALLOW).await;
        until(&bob, true, "the policy was given back").await;
        assert!(may_list(&role).await);
        root.iam_ok("DeleteRolePolicy", &[ROLE, ("PolicyName", "p")]).await;
        root.iam_ok("DeleteRole", &[ROLE]).await;
        until(&role, false, "the role was deleted").await;
    })
    .await;
}

#[tokio::test]
async fn what_changes_of_an_organization_counts_on_the_other_node() {
    for_each_store_with(strict(), async |server: TestServer| {
        let nodes = two(server).await;
        let [management, _] = root_on_both(&nodes, OWNER).await;
        let [member, member_there] = root_on_both(&nodes, CONSUMER).await;
        let (_, root) = organizations::create(&management).await;
        let types = json!({"RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY"});
        organizations::ok(&management, "EnablePolicyType", &types).await;
        let input =
            json!({"Name": "n", "Description": "", "Content": NO_RAM, "Type": "SERVICE_CONTROL_POLICY"});
        let policy = organizations::ok(&management, "CreatePolicy", &input).await;
        let policy = policy["Policy"]["PolicySummary"]["Id"].clone();
        let on = |target: &str| json!({"PolicyId": policy, "TargetId": target});
        let closed = organizations::create_unit(&management, &root, "closed").await;
        organizations::ok(&management, "AttachPolicy", &on(&closed)).await;

        until(&member_there, true, "in no organization").await;
        organizations::ok(&management, "AttachPolicy", &on(&root)).await;
        join(&management, CONSUMER, &member).await;
        until(&member_there, false, "joined").await;
        organizations::ok(&management, "DetachPolicy", &on(&root)).await;
        until(&member_there, true, "detached from the root").await;
        organizations::ok(&management, "AttachPolicy", &on(CONSUMER)).await;
        until(&member_there, false, "attached to the account").await;
        organizations::ok(&management, "DetachPolicy", &on(CONSUMER)).await;
        until(&member_there, true, "detached from the account").await;
        organizations::move_account(&management, CONSUMER, &root, &closed).await;
        until(&member_there, false, "moved to a unit").await;
        let leaving = json!({"AccountId": CONSUMER});
        organizations::ok(&management, "RemoveAccountFromOrganization", &leaving).await;
        until(&member_there, true, "removed").await;
    })
    .await;
}

/// Many callers of two accounts, of which one is in an organization, and the management account's root.
async fn crowd(nodes: &[TestServer; 2]) -> (Client, Vec<Client>) {
    let [management, management_there] = root_on_both(nodes, OWNER).await;
    let [member, _] = root_on_both(nodes, CONSUMER).await;
    organizations::create(&management).await;
    join(&management, CONSUMER, &member).await;
    let mut callers = Vec::new();
    for number in 0..20 {
        let account = [CONSUMER, STRANGER][number % 2];
        callers.push(nodes[1].client(nodes[0].create_key(account, &format!("u{number}")).await));
    }
    (management_there, callers)
}

#[tokio::test]
async fn callers_that_do_not_change_are_read_once() {
    for_each_store_with(strict(), async |server: TestServer| {
        let nodes = two(server).await;
        let (management, callers) = crowd(&nodes).await;
        let [owner, _] = root_on_both(&nodes, OWNER).await;
        let all = async || {
            for reply in join_all(callers.iter().map(|caller| caller.sts("GetCallerIdentity"))).await {
                assert_eq!(reply.status, 200, "{}", reply.text);
            }
        };
        all().await;
        // Of no moment for who calls; but the node that did it reads at once whether it was.
        let tag = json!({"ResourceId": OWNER, "Tags": [{"Key": "k", "Value": "v"}]});
        organizations::ok(&management, "TagResource", &tag).await;
        all().await;
        // All are known by now, as they have been since the last key was made.
        let (known, read) = (callers_read(&nodes[1]), counted(&nodes[1], "caller_versions_read"));
        assert_eq!(known, u64::try_from(callers.len()).unwrap() + 1);
        let (rounds, begun) = (5, Instant::now());
        for _ in 0..rounds {
            create(&owner, &json!({"name": "n", "principals": [CONSUMER]})).await;
            organizations::ok(&management, "TagResource", &tag).await;
            all().await;
        }
        assert_eq!(callers_read(&nodes[1]), known, "read again though nothing changed of them");
        // One for all who wait, and one more when a second has gone by.
        let read = counted(&nodes[1], "caller_versions_read") - read;
        let most = rounds + begun.elapsed().as_secs() + 1;
        assert!((rounds..=most).contains(&read), "{read} readings, at most {most} are needed");
    })
    .await;
}

#[tokio::test]
async fn a_change_is_read_for_those_that_it_concerns() {
    let server = TestServer::start(StoreKind::Postgres, strict()).await;
    let nodes = two(server).await;
    let (management, callers) = crowd(&nodes).await;
    let all = async || {
        join_all(callers.iter().map(|caller| caller.sts("GetCallerIdentity"))).await;
    };
    all().await;
    // Has the node look again at once.
    let look = async || {
        let tag = json!({"ResourceId": OWNER, "Tags": [{"Key": "k", "Value": "v"}]});
        organizations::ok(&management, "TagResource", &tag).await;
        let known = callers_read(&nodes[1]);
        all().await;
        callers_read(&nodes[1]) - known
    };
    assert_eq!(look().await, 0);
    let accounts = [OWNER, CONSUMER, STRANGER, "444444444444"];
    let parts: HashSet<_> =
        accounts.iter().map(|account| nodes[0].store().partition_of(account.parse().unwrap())).collect();
    assert_eq!(parts.len(), accounts.len(), "in partitions of their own");
    nodes[0].create_key(STRANGER, "new").await;
    assert_eq!(look().await, 10);
    // Who is in the organization, and not who is in none.
    let [owner, _] = root_on_both(&nodes, OWNER).await;
    look().await;
    let roots = organizations::ok(&owner, "ListRoots", &json!({})).await;
    let scp = json!({"RootId": roots["Roots"][0]["Id"], "PolicyType": "SERVICE_CONTROL_POLICY"});
    organizations::ok(&owner, "EnablePolicyType", &scp).await;
    assert_eq!(look().await, 10);
    // Another account joins: it might have been any that is in none.
    let [fourth, _] = root_on_both(&nodes, "444444444444").await;
    look().await;
    join(&owner, "444444444444", &fourth).await;
    assert_eq!(look().await, 20);
    assert_eq!(look().await, 0);
}

/// A node of the build before writes rows and takes the head row, and says nothing of callers.
#[tokio::test]
async fn what_a_node_of_the_build_before_changes_counts_too() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        let server = TestServer::start(kind, strict()).await;
        let root = server.client(server.create_key(OWNER, "").await);
        let alice = server.client(server.create_key(OWNER, "alice").await);
        put_policy(&root, ALICE, ALLOW).await;
        until(&alice, true, "at first").await;
        server.sql("DELETE FROM iam_policy");
        server.sql("UPDATE log_head SET seq = seq + 1");
        until(&alice, false, "the policy was taken away").await;
        let read = callers_read(&server);
        create(&root, &json!({"name": "n"})).await;
        assert!(!may_list(&alice).await);
        // What it wrote once is no reason to read callers ever again.
        assert_eq!(callers_read(&server), read + 1, "the root, which was not called since");
    }
}

/// What changes between the reading of the versions and that of a caller must make the caller's version an old one. Here
/// it changes while the versions are being read: had the caller been read before them, it would be kept as it was.
#[tokio::test]
async fn a_change_beside_the_reading_of_a_caller_is_not_missed() {
    let server = TestServer::start(StoreKind::Postgres, strict()).await;
    let nodes = two(server).await;
    let [root, _] = root_on_both(&nodes, OWNER).await;
    let alice = nodes[1].client(nodes[0].create_key(OWNER, "alice").await);
    put_policy(&root, ALICE, ALLOW).await;
    let url = nodes[0].postgres_url().unwrap();
    let (other, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    other.batch_execute("BEGIN; LOCK TABLE log_head IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let asking = async { may_list(&alice).await };
    let changing = async {
        let begun = Instant::now();
        let waits = "SELECT FROM pg_locks WHERE relation = 'log_head'::regclass AND mode = 'AccessShareLock' AND NOT granted";
        while other.query(waits, &[]).await.unwrap().is_empty() {
            assert!(begun.elapsed() < PATIENCE, "the versions are not read");
        }
        let change = "DELETE FROM iam_policy;
                      UPDATE log_head SET seq = seq + 1, told = told + 1, callers_seq = seq + 1; COMMIT";
        other.batch_execute(change).await.unwrap();
    };
    // The first answer may be of before or after.
    futures_util::future::join(asking, changing).await;
    until(&alice, false, "the policy was taken away").await;
    drop(other);
    connection.await.unwrap().unwrap();
}
