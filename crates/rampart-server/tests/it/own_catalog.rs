//! Resource types and permissions of an operator's own.

use rampart_core::catalog::Catalog;
use rampart_testkit::TestServer;
use rampart_testkit::server::{StoreKind, settings};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, accept, create, text, texts};

const FILE: &str = r#"{
    "resourceTypes": [{
        "resourceType": "acme:Cluster", "serviceName": "acme", "resourceRegionScope": "REGIONAL",
        "arnPattern": "arn:aws:acme:[a-z0-9-]+:[0-9]{12}:cluster/[a-z0-9-]+",
        "exampleArn": "arn:aws:acme:eu-west-1:123456789012:cluster/blue",
        "canShareExternally": true, "invitationExpiryHours": 12
    }],
    "permissions": [
        {"name": "AcmeClusterUse", "resourceType": "acme:Cluster", "isResourceTypeDefault": true, "defaultVersion": "2",
         "versions": [{"version": "1"}, {"version": "2", "actions": ["acme:Connect"]}]},
        {"name": "AWSRAMDefaultPermissionTransitGateway", "resourceType": "ec2:TransitGateway",
         "versions": [{"version": "1", "actions": ["ec2:DescribeTransitGateways"]}]}
    ]
}"#;
const CLUSTER: &str = "arn:aws:acme:eu-west-1:111111111111:cluster/green";
const USE: &str = "arn:aws:ram::aws:permission/AcmeClusterUse";

async fn on_each_store(test: impl AsyncFn(TestServer)) {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        let catalog: &'static Catalog = Box::leak(Box::new(Catalog::with_file(FILE).unwrap()));
        test(TestServer::start_with_catalog(kind, settings(), catalog).await).await;
    }
}

#[tokio::test]
async fn a_type_of_ones_own_is_shared_listed_and_in_policies() {
    on_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let types = owner.ok("ListResourceTypes", &json!({})).await;
        let expected =
            json!({"resourceType": "acme:Cluster", "serviceName": "acme", "resourceRegionScope": "REGIONAL"});
        assert!(types["resourceTypes"].as_array().unwrap().contains(&expected), "{types}");

        let input = json!({"name": "n", "resourceArns": [CLUSTER], "principals": [CONSUMER]});
        let share = create(&owner, &input).await;
        accept(&consumer, &share).await;
        let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceType": "acme:cluster"});
        let found = consumer.ok("ListResources", &input).await;
        assert_eq!(texts(&found["resources"], "arn"), [CLUSTER]);
        assert_eq!(found["resources"][0]["type"], "acme:Cluster");

        let attached = owner.ok("ListResourceSharePermissions", &json!({"resourceShareArn": share})).await;
        assert_eq!(texts(&attached["permissions"], "arn"), [USE]);
        assert_eq!(attached["permissions"][0]["isResourceTypeDefault"], true);
        let listed = owner.ok("ListPermissions", &json!({"resourceType": "acme:Cluster"})).await;
        assert_eq!(
            (&listed["permissions"][0]["arn"], &listed["permissions"][0]["version"]),
            (&json!(USE), &json!("2"))
        );
        let shown = owner.ok("GetPermission", &json!({"permissionArn": USE})).await;
        let template: Value = serde_json::from_str(&text(&shown["permission"]["permission"])).unwrap();
        assert_eq!(template, json!({"Effect": "Allow", "Action": ["acme:Connect"]}));

        let found = owner.ok("GetResourcePolicies", &json!({"resourceArns": [CLUSTER]})).await;
        let policy: Value = serde_json::from_str(&text(&found["policies"][0])).unwrap();
        let expected = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "RamStatement1", "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{CONSUMER}:root")},
            "Action": "acme:Connect", "Resource": CLUSTER,
        }]});
        assert_eq!(policy, expected);
    })
    .await;
}

#[tokio::test]
async fn a_permission_of_ones_own_takes_the_place_of_awss() {
    on_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway";
        let shown = owner.ok("GetPermission", &json!({"permissionArn": arn})).await;
        let template: Value = serde_json::from_str(&text(&shown["permission"]["permission"])).unwrap();
        assert_eq!(template["Action"], json!(["ec2:DescribeTransitGateways"]));
    })
    .await;
}
