//! Background work on several nodes of one PostgreSQL store: one does it, another takes over when that one dies or
//! stalls, and who stalled finds out.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rampart_testkit::Client;
use rampart_testkit::node::Node;
use rampart_testkit::postgres::PostgresCluster;
use serde_json::json;
use tokio::time::{interval, timeout};

use crate::load::assert_log_tells_all;
use crate::program::Site;

const OWNER: &str = "111111111111";
const MANAGED: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionCodeBuildProject";
pub(crate) const LEADS: &str = "this node does the background work";
pub(crate) const LEADS_NO_MORE: &str = "another node may do the background work now";
/// Within this another node takes over: twice as long as it may take on a machine with nothing else to do.
pub(crate) const TAKEOVER: Duration = Duration::from_secs(10);

/// Asks again and again, as an operator would, until it is so.
pub(crate) async fn until(what: &str, within: Duration, mut is_so: impl AsyncFnMut() -> bool) {
    let asked = timeout(within, async {
        let mut ticks = interval(Duration::from_millis(50));
        while !is_so().await {
            ticks.tick().await;
        }
    });
    assert!(asked.await.is_ok(), "{what}: not within {within:?}");
}

/// Has a permission replaced in a share, which is background work, and waits until it is done.
pub(crate) async fn replace_permission(client: &Client, name: &str) {
    let template = r#"{"Effect":"Allow","Action":["codebuild:BatchGetProjects"]}"#;
    let permission = json!({"name": name, "resourceType": "codebuild:Project", "policyTemplate": template});
    let made = client.ok("CreatePermission", &permission).await;
    client.ok("CreateResourceShare", &json!({"name": name, "permissionArns": [MANAGED]})).await;
    let order = json!({"fromPermissionArn": MANAGED, "toPermissionArn": made["permission"]["arn"]});
    let work = client.ok("ReplacePermissionAssociations", &order).await;
    let id = &work["replacePermissionAssociationsWork"]["id"];
    until("the replacement is done", TAKEOVER, async || {
        let asked = json!({"workIds": [id]});
        let works = client.ok("ListReplacePermissionAssociationsWork", &asked).await;
        works["replacePermissionAssociationsWorks"][0]["status"] == "COMPLETED"
    })
    .await;
}

/// How many shares have which version of what, by the permission's ARN.
async fn permissions_in_use(client: &Client) -> BTreeMap<String, usize> {
    let (mut found, mut input) = (BTreeMap::new(), json!({}));
    loop {
        let page = client.ok("ListPermissionAssociations", &input).await;
        for one in page["permissions"].as_array().unwrap() {
            *found.entry(one["arn"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => return found,
        }
    }
}

fn signal(server: &Node, name: &str) {
    assert!(Command::new("kill").args([name, &server.id().to_string()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_takes_over_when_the_leader_dies_or_stalls() {
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    let serve = |site: &Site| site.serve(&["--store", database.url()]);
    let (first, second, third) = (Site::new(), Site::new(), Site::new());
    let leads = async |site: &Site| site.log().contains(LEADS);
    let server = serve(&first);
    until("the first node leads", TAKEOVER, async || leads(&first).await).await;
    let successor = serve(&second);
    let client = successor.client(OWNER, "x");
    replace_permission(&client, "asked-of-a-node-that-does-not-lead").await;
    assert!(!leads(&second).await);

    server.kill();
    replace_permission(&client, "asked-when-the-leader-is-dead").await;
    assert!(leads(&second).await);

    let last = serve(&third);
    signal(&successor, "-STOP");
    replace_permission(&last.client(OWNER, "x"), "asked-while-the-leader-stalls").await;
    assert!(leads(&third).await);
    signal(&successor, "-CONT");
    until("who stalled finds out", TAKEOVER, async || second.log().contains(LEADS_NO_MORE)).await;
    replace_permission(&client, "asked-of-one-who-was-succeeded").await;

    // A leader that is told to stop gives the lease back: the next one need not wait for it to end.
    signal(&successor, "-STOP");
    last.terminate();
    assert_eq!(database.sql("SELECT held FROM lease").unwrap().trim(), "0");
    signal(&successor, "-CONT");
    until("the second node leads again", TAKEOVER, async || second.log().matches(LEADS).count() == 2).await;
    for site in [&first, &second, &third] {
        assert!(!site.log().contains("panicked"), "{}", site.log());
    }
}

/// What it had begun holds locks that its successor needs: the lease's own, and that of the partition to be worked on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_takes_over_when_the_leader_freezes_within_transactions() {
    let database = Arc::new(PostgresCluster::shared().unwrap().create_database().unwrap());
    let sessions = |condition: &str| {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
        let named = format!("{count} AND application_name = 'rampart' AND {condition}");
        database.sql(&named).unwrap().trim().parse::<usize>().unwrap()
    };
    let (first, second) = (Site::new(), Site::new());
    let leader = first.serve(&["--store", database.url()]);
    until("the first node leads", TAKEOVER, async || first.log().contains(LEADS)).await;
    let successor = second.serve(&["--store", database.url()]);

    let (client, held) = (leader.client(OWNER, "x"), Arc::clone(&database));
    let holder = tokio::task::spawn_blocking(move || {
        held.sql("BEGIN; UPDATE log_head SET seq = seq; SELECT pg_sleep(60)")
    });
    let sleeps =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    until("the locks are held", TAKEOVER, async || database.sql(sleeps).unwrap().trim() == "1").await;
    let call =
        tokio::spawn(async move { client.call("CreateResourceShare", &json!({"name": "stalls"})).await });
    until("a call and the lease wait", TAKEOVER, async || sessions("wait_event_type = 'Lock'") >= 2).await;
    signal(&leader, "-STOP");
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event = 'PgSleep'";
    database.sql(end).unwrap();
    assert!(holder.await.unwrap().is_err(), "it was ended");
    assert!(sessions("state = 'idle in transaction'") >= 2, "the frozen node holds them now");

    replace_permission(&successor.client(OWNER, "x"), "asked-while-the-leader-stalls").await;
    assert!(second.log().contains(LEADS));
    // It wakes, begins its call again on another connection, and leaves the work to its successor.
    signal(&leader, "-CONT");
    assert_eq!(call.await.unwrap().status, 200, "{}", first.log());
    until("who froze finds out", TAKEOVER, async || first.log().contains(LEADS_NO_MORE)).await;
    for site in [&first, &second] {
        assert!(!site.log().contains("panicked"), "{}", site.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_leader_had_begun_when_it_was_killed_is_finished_once() {
    const SHARES: usize = 300;
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    let (first, second) = (Site::new(), Site::new());
    let leader = first.serve(&["--store", database.url()]);
    until("the first node leads", TAKEOVER, async || first.log().contains(LEADS)).await;
    let successor = second.serve(&["--store", database.url()]);
    let client = successor.client(OWNER, "x");
    let template = r#"{"Effect":"Allow","Action":["codebuild:BatchGetProjects"]}"#;
    let input = json!({"name": "own", "resourceType": "codebuild:Project", "policyTemplate": template});
    let own = client.ok("CreatePermission", &input).await["permission"]["arn"].clone();
    let make = async |number: usize| {
        let share = json!({"name": format!("share-{number}"), "permissionArns": [MANAGED]});
        client.ok("CreateResourceShare", &share).await
    };
    // Some at a time: all of one account wait for each other.
    for some in (0..SHARES).step_by(20) {
        join_all((some..some + 20).map(make)).await;
    }

    let order = json!({"fromPermissionArn": MANAGED, "toPermissionArn": own, "clientToken": "order"});
    let ordered = client.ok("ReplacePermissionAssociations", &order).await;
    let own = own.as_str().unwrap();
    until("the leader has begun", TAKEOVER, async || {
        permissions_in_use(&client).await.get(own).is_some_and(|shares| *shares > 0)
    })
    .await;
    leader.kill();
    eprintln!("killed with {:?}", permissions_in_use(&client).await);
    until("all shares have it", TAKEOVER * 2, async || {
        permissions_in_use(&client).await == BTreeMap::from([(own.to_owned(), SHARES)])
    })
    .await;
    // Asked again, it is what was ordered then.
    assert_eq!(client.ok("ReplacePermissionAssociations", &order).await, ordered);
    let works = client.ok("ListReplacePermissionAssociationsWork", &json!({})).await;
    let works = works["replacePermissionAssociationsWorks"].as_array().unwrap();
    assert_eq!((works.len(), &works[0]["status"]), (1, &json!("COMPLETED")));
    assert_log_tells_all(database.url()).await;
    assert!(!second.log().contains("panicked"), "{}", second.log());
}
