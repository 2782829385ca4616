//! `rampart export` and `rampart import`: a store that is in use goes to the other engine, with all that is in it.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rampart_testkit::Client;
use rampart_testkit::node::Node;
use rampart_testkit::postgres::PostgresCluster;
use serde_json::{Value, json};

use crate::program::{Outcome, Site};

const OWNER: &str = "111111111111";
const CONSUMER: &str = "222222222222";
const INVITED: &str = "333333333333";

fn key(site: &Site, account: &str) -> (String, String) {
    let made = site.json(&["key", "create", "--account", account, "--output", "json"]);
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    (text("AccessKeyId"), text("SecretAccessKey"))
}

/// What an account sees, in words that do not depend on the store.
async fn seen(client: &Client) -> Vec<Value> {
    let mut seen = Vec::new();
    for owner in ["SELF", "OTHER-ACCOUNTS"] {
        for operation in ["GetResourceShares", "ListResources", "ListPrincipals"] {
            seen.push(client.ok(operation, &json!({"resourceOwner": owner})).await);
        }
    }
    seen.push(client.ok("GetResourceShareInvitations", &json!({})).await);
    seen.push(client.ok("ListPermissions", &json!({"permissionType": "CUSTOMER_MANAGED"})).await);
    for kind in ["PRINCIPAL", "RESOURCE"] {
        seen.push(client.ok("GetResourceShareAssociations", &json!({"associationType": kind})).await);
    }
    seen
}

async fn share(owner: &Client, consumer: &Client) {
    let template = r#"{"Effect":"Allow","Action":["codebuild:BatchGetProjects"]}"#;
    let permission = json!({"name": "Own", "resourceType": "codebuild:Project", "policyTemplate": template});
    let made = owner.ok("CreatePermission", &permission).await;
    let input = json!({
        "name": "networks", "principals": [CONSUMER, INVITED], "permissionArns": [made["permission"]["arn"]],
        "resourceArns": [format!("arn:aws:codebuild:eu-west-1:{OWNER}:project/p1")],
        "tags": [{"key": "team", "value": "net"}], "clientToken": "once",
    });
    owner.ok("CreateResourceShare", &input).await;
    let offers = consumer.ok("GetResourceShareInvitations", &json!({})).await;
    let offer = &offers["resourceShareInvitations"][0]["resourceShareInvitationArn"];
    consumer.ok("AcceptResourceShareInvitation", &json!({"resourceShareInvitationArn": offer})).await;
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().skip(1).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn a_store_in_use_moves_to_the_other_engine() {
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    let site = Site::new();
    let keys = [OWNER, CONSUMER, INVITED].map(|account| key(&site, account));
    let clients = |server: &Node| keys.clone().map(|(id, secret)| server.client(&id, &secret));
    let server = site.serve(&["--auth", "strict"]);
    let [owner, consumer, invited] = clients(&server);
    share(&owner, &consumer).await;
    let mut before = Vec::new();
    for client in [&owner, &consumer, &invited] {
        before.push(seen(client).await);
    }
    // While it serves.
    let exported = site.run(&["export", "backup.jsonl"]);
    assert!(exported.succeeded && exported.stdout.is_empty(), "{exported:?}");
    assert!(exported.stderr.contains("rows exported from sqlite:"), "{exported:?}");
    let file = site.path().join("backup.jsonl");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    // Neither a secret nor what is overwritten by mistake.
    assert!(keys.iter().all(|(_, secret)| !text.contains(secret)));
    site.run(&["export", "backup.jsonl"]).assert_failed(&["cannot write backup.jsonl", "exists"]);
    let piped = site.run(&["export"]);
    assert_eq!(lines(&piped.stdout), lines(&text));
    server.terminate();

    let there = ["--store", database.url()];
    let imported = site.run(&["import", "backup.jsonl", there[0], there[1]]);
    assert!(imported.succeeded && imported.stderr.contains("rows imported into postgres:"), "{imported:?}");
    site.run(&["import", "backup.jsonl", there[0], there[1]]).assert_failed(&["not empty", "a new one"]);
    // Without the master key nobody gets in.
    site.run(&["serve", "--auth", "strict", there[0], there[1]]).assert_failed(&["RAMPART_MASTER_KEY"]);
    let master_key = ["--master-key-file", "rampart.db.key"];
    let server = site.serve(&["--auth", "strict", there[0], there[1], master_key[0], master_key[1]]);
    let [owner, consumer, invited] = clients(&server);
    for (client, before) in [&owner, &consumer, &invited].into_iter().zip(before) {
        assert_eq!(seen(client).await, before);
    }
    // It goes on: the token is known, the offer can be accepted, the quota was counted.
    let again = json!({"name": "other", "clientToken": "once"});
    assert_eq!(owner.refused("CreateResourceShare", &again).await, "IdempotentParameterMismatch");
    let offers = invited.ok("GetResourceShareInvitations", &json!({})).await;
    let offer = &offers["resourceShareInvitations"][0]["resourceShareInvitationArn"];
    invited.ok("AcceptResourceShareInvitation", &json!({"resourceShareInvitationArn": offer})).await;
}

#[test]
fn what_was_broken_off_is_not_served() {
    let site = Site::new();
    key(&site, OWNER);
    let text = site.run(&["export"]).stdout;
    // Cut off after what one transaction writes.
    let row = text.lines().find(|line| line.starts_with("{\"row\"")).unwrap();
    let many = format!("{row}\n").repeat(600);
    site.write("half.jsonl", &text.replace(row, &many)[..many.len()]);
    let store = ["--store", "sqlite:half.db"];
    site.run(&["import", "half.jsonl", store[0], store[1]]).assert_failed(&["half.jsonl", "sqlite:half.db"]);
    for command in [&["serve"][..], &["account", "create", OWNER], &["export"]] {
        let outcome = site.run(&[command, &store].concat());
        outcome.assert_failed(&["broken off", "import into a new one"]);
    }
    // From a pipe, too.
    let mut import = site.command(&["import", "-", "--store", "sqlite:whole.db"]);
    let file = site.path().join("whole.jsonl");
    std::fs::write(&file, &text).unwrap();
    let outcome = Outcome::of(import.stdin(Stdio::from(std::fs::File::open(file).unwrap())));
    assert!(outcome.succeeded, "{outcome:?}");
}
