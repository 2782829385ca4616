//! Replacing a permission in all shares that have it: in the background, and whole (reference §10.30, §10.31).

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use rampart_core::Timing;
use rampart_server::{Settings, background};
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::customer_permissions::{create_permission, permission, template};
use crate::sharing::{OWNER, STRANGER, create};

const REPLACE: &str = "ReplacePermissionAssociations";
const LIST: &str = "ListReplacePermissionAssociationsWork";
const AWS: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionCodeBuildProject";

async fn replace(client: &Client, from: &str, to: &str) -> Value {
    let input = json!({"fromPermissionArn": from, "toPermissionArn": to});
    client.ok(REPLACE, &input).await["replacePermissionAssociationsWork"].clone()
}

async fn works(client: &Client, input: Value) -> Vec<Value> {
    client.ok(LIST, &input).await["replacePermissionAssociationsWorks"].as_array().unwrap().clone()
}

/// How many of the caller's shares have a permission, or a version of it.
async fn having(client: &Client, arn: &str, version: Option<u32>) -> usize {
    let input = json!({"permissionArn": arn, "permissionVersion": version});
    crate::sharing::collect(client, ("ListPermissionAssociations", "permissions"), &input, 500).await.len()
}

#[tokio::test]
async fn all_shares_get_the_other_permission_after_a_while_that_can_be_watched() {
    let timing = Timing { settle_delay_ms: 1000, ..settings().timing };
    for_each_store_with(Settings { timing, ..settings() }, async |server| {
        let owner = server.account(OWNER);
        let own = create_permission(&owner, "Own").await;
        for _ in 0..3 {
            create(&owner, &json!({"name": "n", "permissionArns": [AWS]})).await;
        }
        let deleted = create(&owner, &json!({"name": "n", "permissionArns": [AWS]})).await;
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": deleted})).await;
        server.advance(Duration::from_millis(1));
        let work = replace(&owner, AWS, &own).await;
        for (member, value) in [
            ("fromPermissionArn", json!(AWS)),
            ("toPermissionArn", json!(own)),
            ("toPermissionVersion", json!("1")),
            ("status", json!("IN_PROGRESS")),
        ] {
            assert_eq!(work[member], value, "{member}");
        }
        assert!(work.get("fromPermissionVersion").is_none() && work.get("statusMessage").is_none());
        assert_eq!(work["creationTime"], work["lastUpdatedTime"]);
        server.sweep().await;
        assert_eq!(works(&owner, json!({})).await, std::slice::from_ref(&work));
        assert_eq!((having(&owner, AWS, None).await, having(&owner, &own, None).await), (3, 0));
        server.advance(Duration::from_secs(1));
        server.sweep().await;
        assert_eq!((having(&owner, AWS, None).await, having(&owner, &own, None).await), (0, 3));
        let done = works(&owner, json!({"workIds": [work["id"]], "status": "COMPLETED"})).await;
        assert_eq!((done.len(), &done[0]["id"]), (1, &work["id"]));
        assert!(done[0]["lastUpdatedTime"].as_f64() > work["lastUpdatedTime"].as_f64());
        assert!(works(&owner, json!({"status": "IN_PROGRESS"})).await.is_empty());
        assert!(works(&owner, json!({"workIds": ["nothing"]})).await.is_empty());
        assert!(works(&server.account(STRANGER), json!({})).await.is_empty());
        let by_id = json!({"workIds": [work["id"]]});
        assert!(works(&server.account(STRANGER), by_id.clone()).await.is_empty());
        // A week later nobody remembers.
        server.advance(Duration::from_hours(7 * 24));
        for input in [json!({}), by_id] {
            assert!(works(&owner, input).await.is_empty());
        }
        server.sweep().await;
        assert_eq!(server.count("replace_work"), 0);
    })
    .await;
}

#[tokio::test]
async fn works_are_found_by_their_ids_page_by_page() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let own = create_permission(&owner, "Own").await;
        let mut ids = Vec::new();
        for number in 0..4 {
            let (from, to) = if number % 2 == 0 { (AWS, &*own) } else { (&*own, AWS) };
            ids.push(replace(&owner, from, to).await["id"].clone());
            server.advance(Duration::from_secs(1));
        }
        let upper = ids[3].as_str().unwrap().to_uppercase();
        let asked = json!({"workIds": [ids[2], ids[0], ids[2], upper, "nothing"]});
        for size in [1, 2, 500] {
            let list = (LIST, "replacePermissionAssociationsWorks");
            let found = crate::sharing::collect(&owner, list, &asked, size).await;
            let found: Vec<_> = found.iter().map(|work| work["id"].clone()).collect();
            assert_eq!(found, [ids[0].clone(), ids[2].clone()], "pages of {size}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_newer_version_comes_to_the_shares_that_have_the_older_one() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let own = create_permission(&owner, "Own").await;
        let share = json!({"name": "n", "permissionArns": [own]});
        let version =
            json!({"permissionArn": own, "policyTemplate": template(&["codebuild:BatchGetBuilds"])});
        create(&owner, &share).await;
        owner.ok("CreatePermissionVersion", &version).await;
        create(&owner, &share).await;
        owner.ok("CreatePermissionVersion", &version).await;
        let second = json!({"fromPermissionArn": own, "fromPermissionVersion": 2, "toPermissionArn": own});
        let work = owner.ok(REPLACE, &second).await["replacePermissionAssociationsWork"].clone();
        assert_eq!(
            (&work["fromPermissionVersion"], &work["toPermissionVersion"]),
            (&json!("2"), &json!("3"))
        );
        server.sweep().await;
        let of = async |version| having(&owner, &own, Some(version)).await;
        assert_eq!((of(1).await, of(2).await, of(3).await), (1, 0, 1));
        replace(&owner, &own, &own).await;
        server.sweep().await;
        assert_eq!((of(1).await, of(2).await, of(3).await), (0, 0, 2));
        assert_eq!(works(&owner, json!({"status": "COMPLETED"})).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_is_attached_later_is_left_alone_and_what_is_gone_fails_the_work() {
    let timing = Timing { settle_delay_ms: 1000, ..settings().timing };
    for_each_store_with(Settings { timing, ..settings() }, async |server| {
        let owner = server.account(OWNER);
        let own = create_permission(&owner, "Own").await;
        create(&owner, &json!({"name": "n", "permissionArns": [AWS]})).await;
        let work = replace(&owner, AWS, &own).await;
        server.advance(Duration::from_millis(1));
        create(&owner, &json!({"name": "later", "permissionArns": [AWS]})).await;
        server.advance(Duration::from_secs(1));
        server.sweep().await;
        assert_eq!((having(&owner, AWS, None).await, having(&owner, &own, None).await), (1, 1));
        let other = create_permission(&owner, "Other").await;
        let failing = replace(&owner, AWS, &other).await;
        owner.ok("DeletePermission", &json!({"permissionArn": other})).await;
        server.advance(Duration::from_secs(1));
        server.sweep().await;
        let found = works(&owner, json!({"workIds": [failing["id"]]})).await;
        assert_eq!(found[0]["status"], "FAILED");
        assert!(found[0]["statusMessage"].as_str().unwrap().contains("Other has been deleted"), "{found:?}");
        assert_eq!(having(&owner, AWS, None).await, 1);
        assert_eq!(works(&owner, json!({"workIds": [work["id"]]})).await[0]["status"], "COMPLETED");
        // Nor is another permission taken for it that has its name by then.
        let again = create_permission(&owner, "Other").await;
        let failing = replace(&owner, AWS, &again).await;
        owner.ok("DeletePermission", &json!({"permissionArn": again})).await;
        let groups = json!({"name": "Other", "resourceType": "codebuild:ReportGroup",
            "policyTemplate": template(&["codebuild:BatchGetReportGroups"])});
        owner.ok("CreatePermission", &groups).await;
        server.advance(Duration::from_secs(1));
        server.sweep().await;
        assert_eq!(works(&owner, json!({"workIds": [failing["id"]]})).await[0]["status"], "FAILED");
        assert_eq!((having(&owner, AWS, None).await, having(&owner, &again, None).await), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn a_replacement_brings_its_parameters_values() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let mut input = permission("Own");
        let text = json!({"Effect": "Allow", "Action": "codebuild:BatchGetBuilds",
            "Condition": {"StringEquals": {"aws:SourceVpc": "@{vpc}"}}});
        input["policyTemplate"] = json!(text.to_string());
        input["permissionTemplateParameters"] = json!([{"name": "vpc", "type": "STRING"}]);
        let own = owner.ok("CreatePermission", &input).await["permission"]["arn"].clone();
        let share = create(&owner, &json!({"name": "n", "permissionArns": [AWS]})).await;
        let mut input = json!({"fromPermissionArn": AWS, "toPermissionArn": own});
        assert_eq!(owner.refused(REPLACE, &input).await, "InvalidParameter");
        input["permissionTemplateParameters"] = json!([{"name": "vpc", "values": ["v"]}]);
        let work = owner.ok(REPLACE, &input).await["replacePermissionAssociationsWork"].clone();
        let expected = json!([{"name": "vpc", "type": "STRING", "values": ["v"]}]);
        assert_eq!(work["permissionTemplateParameters"], expected);
        server.sweep().await;
        let found = owner.ok("ListResourceSharePermissions", &json!({"resourceShareArn": share})).await;
        assert_eq!(found["permissions"][0]["permissionTemplateParameters"], expected);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_replaced_is_refused() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let own = create_permission(&owner, "Own").await;
        let old = create_permission(&owner, "Old").await;
        owner.ok("UpdatePermission", &json!({"permissionArn": old, "status": "DEPRECATED"})).await;
        let theirs = create_permission(&server.account(STRANGER), "Own").await;
        let gateway = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway";
        let call = |from: &str, to: &str| json!({"fromPermissionArn": from, "toPermissionArn": to});
        let version = |version: i64| json!({"fromPermissionArn": own, "toPermissionArn": own, "fromPermissionVersion": version});
        for (input, code) in [
            (call("x", &own), "MalformedArn"),
            (call(&own, "x"), "MalformedArn"),
            (call(&own, &theirs), "UnknownResource"),
            (call(&theirs, &own), "UnknownResource"),
            (call(&own, &own.replace("Own", "None")), "UnknownResource"),
            (call(gateway, &own), "InvalidParameter"),
            (call(&own, &old), "OperationNotPermitted"),
            (version(2), "InvalidParameter"),
            (version(0), "InvalidParameter"),
            (json!({"toPermissionArn": own}), "InvalidParameter"),
            (json!({"fromPermissionArn": own}), "InvalidParameter"),
        ] {
            assert_eq!(owner.refused(REPLACE, &input).await, code, "{input}");
        }
        assert_eq!(owner.refused(LIST, &json!({"status": "DONE"})).await, "InvalidParameter");
        assert_eq!(server.count("replace_work"), 0);
        // A deprecated permission may make way.
        replace(&owner, &old, &own).await;
    })
    .await;
}

#[tokio::test]
async fn a_work_that_is_broken_off_goes_on_where_it_was() {
    const SHARES: usize = 450;
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let own = create_permission(&owner, "Own").await;
        for _ in 0..SHARES {
            create(&owner, &json!({"name": "n", "permissionArns": [AWS]})).await;
        }
        replace(&owner, AWS, &own).await;
        // Broken off after each number of steps that it takes, as by a crash: what was not committed is gone.
        let (mut broken_off, mut seen_between) = (0, false);
        loop {
            let finished = {
                let mut sweep = std::pin::pin!(background::sweep(server.app()));
                let mut pending = 0;
                loop {
                    match poll_fn(|context| Poll::Ready(sweep.as_mut().poll(context))).await {
                        Poll::Ready(_) => break true,
                        Poll::Pending if pending > broken_off => break false,
                        Poll::Pending => pending += 1,
                    }
                    tokio::task::yield_now().await;
                }
            };
            // Both counts of one moment: a step that was sent may still be on its way.
            let counts = server.sql(
                "SELECT count(*), count(DISTINCT share_id), sum(CASE permission WHEN 'customer/Own' THEN 1 ELSE 0 END)
                 FROM share_permission",
            );
            let counts: Vec<usize> = counts[0].split('|').map(|count| count.parse().unwrap()).collect();
            assert_eq!(counts[..2], [SHARES, SHARES], "no share is without a permission, and none has two");
            seen_between |= (1..SHARES).contains(&counts[2]);
            if finished {
                assert_eq!(having(&owner, &own, None).await, SHARES);
                break;
            }
            broken_off = broken_off * 2 + 1;
        }
        assert!(seen_between || broken_off > 0);
        assert_eq!(works(&owner, json!({})).await[0]["status"], "COMPLETED");
    })
    .await;
}
