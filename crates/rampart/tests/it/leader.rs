//! Background work on several nodes of one PostgreSQL store: one does it, another takes over when that one dies or
//! stalls, and who stalled finds out.

use std::process::Command;
use std::time::Duration;

use rampart_testkit::Client;
use rampart_testkit::postgres::PostgresCluster;
use serde_json::json;
use tokio::time::{interval, timeout};

use crate::program::{Serving, Site};

const OWNER: &str = "111111111111";
const MANAGED: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionCodeBuildProject";
const LEADS: &str = "this node does the background work";
/// Within this another node takes over.
const TAKEOVER: Duration = Duration::from_secs(5);

/// Asks again and again, as an operator would, until it is so.
async fn until(what: &str, within: Duration, mut is_so: impl AsyncFnMut() -> bool) {
    let asked = timeout(within, async {
        let mut ticks = interval(Duration::from_millis(50));
        while !is_so().await {
            ticks.tick().await;
        }
    });
    assert!(asked.await.is_ok(), "{what}: not within {within:?}");
}

/// Has a permission replaced in a share, which is background work, and waits until it is done.
async fn replace_permission(client: &Client, name: &str) {
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

fn signal(server: &Serving, name: &str) {
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
    until("who stalled finds out", TAKEOVER, async || {
        second.log().contains("another node may do the background work now")
    })
    .await;
    replace_permission(&client, "asked-of-one-who-was-succeeded").await;

    // A leader that is told to stop gives the lease back: the next one need not wait for it to end.
    last.terminate();
    until("the second node leads again", Duration::from_secs(2), async || {
        second.log().matches(LEADS).count() == 2
    })
    .await;
    for site in [&first, &second, &third] {
        assert!(!site.log().contains("panicked"), "{}", site.log());
    }
}
