//! AWS's managed permissions: what there is, what shares get of it, and what may be chosen (reference §7).

use std::time::Duration;

use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, Offer, STRANGER, create, gateway};

const GATEWAY: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway";
const PREFIX_LIST: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionPrefixList";
const GLUE: &str = "arn:aws:ram::aws:permission/AWSRAMPermissionGlueTableReadWriteForDatabase";
const GLUE_DEFAULT: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionGlueDatabase";

async fn attached(client: &Client, share: &str) -> Vec<Value> {
    let found = client.ok("ListResourceSharePermissions", &json!({"resourceShareArn": share})).await;
    found["permissions"].as_array().unwrap().clone()
}

async fn arns(client: &Client, share: &str) -> Vec<String> {
    attached(client, share).await.iter().map(|row| row["arn"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_type_that_comes_without_a_permission_gets_its_default() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n", "resourceArns": [gateway(1)]})).await;
        let rows = attached(&owner, &share).await;
        assert_eq!(rows.len(), 1);
        for (member, value) in [
            ("arn", json!(GATEWAY)),
            ("version", json!("1")),
            ("defaultVersion", json!(true)),
            ("name", json!("AWSRAMDefaultPermissionTransitGateway")),
            ("resourceType", json!("ec2:TransitGateway")),
            ("status", json!("ASSOCIATED")),
            ("permissionType", json!("AWS_MANAGED")),
            ("featureSet", json!("STANDARD")),
            ("isResourceTypeDefault", json!(true)),
        ] {
            assert_eq!(rows[0][member], value, "{member}");
        }
        let prefix_list = format!("arn:aws:ec2:eu-west-1:{OWNER}:prefix-list/pl-0123456789abcdef0");
        let more = json!({"resourceShareArn": share, "resourceArns": [gateway(2), prefix_list]});
        owner.ok("AssociateResourceShare", &more).await;
        assert_eq!(arns(&owner, &share).await, [PREFIX_LIST, GATEWAY], "one for each type");
    })
    .await;
}

#[tokio::test]
async fn permissions_can_be_chosen_before_there_are_resources() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "permissionArns": [GATEWAY, GATEWAY]});
        let share = create(&owner, &input).await;
        assert_eq!(arns(&owner, &share).await, [GATEWAY]);
        let add = json!({"resourceShareArn": share, "resourceArns": [gateway(1)]});
        owner.ok("AssociateResourceShare", &add).await;
        assert_eq!(arns(&owner, &share).await, [GATEWAY]);
        for (permission_arns, code) in [
            (json!(["AWSRAMDefaultPermissionTransitGateway"]), "MalformedArn"),
            (json!(["arn:aws:ram::aws:permission/Nothing"]), "UnknownResource"),
            (json!([format!("arn:aws:ram:eu-west-1:{STRANGER}:permission/Theirs")]), "UnknownResource"),
            (
                json!([GLUE, "arn:aws:ram::aws:permission/AWSRAMPermissionGlueDatabaseReadWrite"]),
                "InvalidParameter",
            ),
        ] {
            let input = json!({"name": "refused", "permissionArns": permission_arns});
            assert_eq!(owner.refused("CreateResourceShare", &input).await, code, "{input}");
        }
    })
    .await;
}

#[tokio::test]
async fn another_permission_of_a_type_replaces_the_first() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let database = format!("arn:aws:glue:eu-west-1:{OWNER}:database/d");
        let share = create(&owner, &json!({"name": "n", "resourceArns": [database]})).await;
        let chosen = json!({"resourceShareArn": share, "permissionArn": GLUE});
        let first = arns(&owner, &share).await;
        assert_eq!(first, [GLUE_DEFAULT]);
        assert_eq!(owner.refused("AssociateResourceSharePermission", &chosen).await, "InvalidParameter");
        assert_eq!(arns(&owner, &share).await, first);
        let mut replace = chosen.clone();
        replace["replace"] = json!(true);
        for version in [2, 0, -1] {
            let mut other = replace.clone();
            other["permissionVersion"] = json!(version);
            assert_eq!(owner.refused("AssociateResourceSharePermission", &other).await, "InvalidParameter");
        }
        assert_eq!(
            owner.ok("AssociateResourceSharePermission", &replace).await,
            json!({"returnValue": true})
        );
        let rows = attached(&owner, &share).await;
        assert_eq!((rows.len(), &rows[0]["arn"], &rows[0]["version"]), (1, &json!(GLUE), &json!("3")));
        // The same again is no error.
        owner.ok("AssociateResourceSharePermission", &chosen).await;
    })
    .await;
}

#[tokio::test]
async fn a_permission_is_taken_off_when_nothing_of_its_type_is_left() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n", "resourceArns": [gateway(1)]})).await;
        let off = json!({"resourceShareArn": share, "permissionArn": GATEWAY});
        let operation = "DisassociateResourceSharePermission";
        assert_eq!(owner.refused(operation, &off).await, "OperationNotPermitted");
        let none = json!({"resourceShareArn": share, "permissionArn": PREFIX_LIST});
        assert_eq!(owner.refused(operation, &none).await, "UnknownResource");
        let remove = json!({"resourceShareArn": share, "resourceArns": [gateway(1)]});
        owner.ok("DisassociateResourceShare", &remove).await;
        assert_eq!(arns(&owner, &share).await, [GATEWAY], "it stays until it is taken off");
        owner.ok(operation, &off).await;
        assert_eq!(arns(&owner, &share).await, [] as [&str; 0]);
        // AWS: of a deleted share the state is the reason, for as long as it is shown (reference §3.1).
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        assert_eq!(owner.refused(operation, &off).await, "InvalidStateTransition");
        assert_eq!(owner.refused("AssociateResourceSharePermission", &off).await, "UnknownResource");
        server.advance(Duration::from_hours(2));
        assert_eq!(owner.refused(operation, &off).await, "UnknownResource");
    })
    .await;
}

#[tokio::test]
async fn only_who_has_the_share_sees_or_changes_what_it_allows() {
    for_each_store(async |server| {
        let pending = Offer::pending(&server, &[gateway(1)]).await;
        let input = json!({"resourceShareArn": pending.share});
        assert_eq!(pending.consumer.refused("ListResourceSharePermissions", &input).await, "UnknownResource");
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        assert_eq!(arns(&offer.consumer, &offer.share).await, [GATEWAY]);
        let stranger = server.account(STRANGER);
        let input = json!({"resourceShareArn": offer.share, "permissionArn": GATEWAY});
        for operation in ["AssociateResourceSharePermission", "DisassociateResourceSharePermission"] {
            for client in [&offer.consumer, &stranger, &offer.owner.in_region("us-east-1")] {
                assert_eq!(client.refused(operation, &input).await, "UnknownResource");
            }
        }
        assert_eq!(stranger.refused("ListResourceSharePermissions", &input).await, "UnknownResource");
    })
    .await;
}

/// Under whatever view, and whether or not it is named.
#[tokio::test]
async fn a_deleted_share_uses_no_permission_any_more() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let reads = [
            (&offer.owner, json!({"resourceOwner": "SELF"})),
            (&offer.owner, json!({"resourceOwner": "SELF", "resourceShareArns": [offer.share]})),
            (&offer.consumer, json!({"resourceOwner": "OTHER-ACCOUNTS"})),
        ];
        let count = async |with: Value| {
            let mut counts = Vec::new();
            for (client, input) in &reads {
                let mut input = input.clone();
                input["permissionArn"] = with.clone();
                let found = client.ok("GetResourceShares", &input).await;
                counts.push(found["resourceShares"].as_array().unwrap().len());
            }
            counts
        };
        assert_eq!(count(json!(GATEWAY)).await, [1, 1, 1]);
        offer.delete().await;
        assert_eq!(count(json!(GATEWAY)).await, [0, 0, 0]);
        assert_eq!(count(Value::Null).await, [1, 1, 1]);
    })
    .await;
}

#[tokio::test]
async fn shares_and_attachments_are_found_by_permission() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let with = create(&owner, &json!({"name": "with", "resourceArns": [gateway(1)]})).await;
        create(&owner, &json!({"name": "without"})).await;
        let found = async |input: Value| {
            let shares = owner.ok("GetResourceShares", &input).await;
            let shares = shares["resourceShares"].as_array().unwrap();
            shares.iter().map(|share| share["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let by = |version: Option<u32>| json!({"resourceOwner": "SELF", "permissionArn": GATEWAY, "permissionVersion": version});
        assert_eq!(found(by(None)).await, ["with"]);
        assert_eq!(found(by(Some(1))).await, ["with"]);
        assert_eq!(found(by(Some(2))).await, [] as [&str; 0]);
        let named = json!({"resourceOwner": "SELF", "permissionArn": PREFIX_LIST, "resourceShareArns": [with]});
        assert_eq!(found(named).await, [] as [&str; 0]);
        let rows = async |input: Value| {
            owner.ok("ListPermissionAssociations", &input).await["permissions"].as_array().unwrap().clone()
        };
        let all = rows(json!({})).await;
        assert_eq!(all.len(), 1);
        for (member, value) in [
            ("arn", json!(GATEWAY)),
            ("permissionVersion", json!("1")),
            ("defaultVersion", json!(true)),
            ("resourceType", json!("ec2:TransitGateway")),
            ("status", json!("ASSOCIATED")),
            ("featureSet", json!("STANDARD")),
            ("resourceShareArn", json!(with)),
        ] {
            assert_eq!(all[0][member], value, "{member}");
        }
        for (input, count) in [
            (json!({"permissionArn": GATEWAY, "permissionVersion": 1, "defaultVersion": true}), 1),
            (json!({"permissionArn": PREFIX_LIST}), 0),
            (json!({"resourceShareArn": with, "resourceType": "EC2:transitgateway"}), 1),
            (json!({"associationStatus": "FAILED"}), 0),
            (json!({"featureSet": "CREATED_FROM_POLICY"}), 0),
            (json!({"resourceOwner": "OTHER-ACCOUNTS"}), 0),
        ] {
            assert_eq!(rows(input.clone()).await.len(), count, "{input}");
        }
        let other = server.account(CONSUMER).ok("ListPermissionAssociations", &json!({"resourceShareArn": with})).await;
        assert_eq!(other["permissions"], json!([]), "not the caller's: none, and no error");
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": with})).await;
        assert_eq!(rows(json!({})).await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_there_is_to_choose_from() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let all = owner.ok("ListPermissions", &json!({})).await;
        assert_eq!(all["permissions"].as_array().unwrap().len(), 132);
        assert_eq!(all.get("nextToken"), None);
        let of_type = owner.ok("ListPermissions", &json!({"resourceType": "EC2:TRANSITGATEWAY"})).await;
        let row = &of_type["permissions"][0];
        assert_eq!(
            (&row["arn"], &row["version"], &row["status"]),
            (&json!(GATEWAY), &json!("1"), &json!("ATTACHABLE"))
        );
        for (kind, any) in
            [("AWS", true), ("AWS_MANAGED", true), ("LOCAL", false), ("CUSTOMER_MANAGED", false)]
        {
            let found = owner.ok("ListPermissions", &json!({"permissionType": kind})).await;
            assert_eq!(!found["permissions"].as_array().unwrap().is_empty(), any, "{kind}");
        }
        for input in [
            json!({"permissionType": "MINE"}),
            json!({"resourceType": "ec2:Nothing"}),
            json!({"permissionStatus": "GONE"}),
            json!({"resourceOwner": "ME"}),
        ] {
            assert_eq!(owner.refused("ListPermissions", &input).await, "InvalidParameter", "{input}");
        }
        let mesh = json!({"permissionArn": "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionAppMesh"});
        let versions = owner.ok("ListPermissionVersions", &mesh).await;
        let state = |row: &Value| format!("{} {} {}", row["version"], row["defaultVersion"], row["status"]);
        let states: Vec<_> = versions["permissions"].as_array().unwrap().iter().map(state).collect();
        let unattachable = "false \"UNATTACHABLE\"";
        let expected = [
            format!("\"1\" {unattachable}"),
            format!("\"2\" {unattachable}"),
            "\"3\" true \"ATTACHABLE\"".to_owned(),
        ];
        assert_eq!(states, expected);
        let shown = owner.ok("GetPermission", &json!({"permissionArn": GATEWAY})).await;
        let text: Value = serde_json::from_str(shown["permission"]["permission"].as_str().unwrap()).unwrap();
        assert_eq!(text["Effect"], "Allow");
        assert!(text["Action"].as_array().unwrap().contains(&json!("ec2:CreateTransitGatewayVpcAttachment")));
        let none = json!({"permissionArn": GATEWAY, "permissionVersion": 2});
        assert_eq!(owner.refused("GetPermission", &none).await, "InvalidParameter");
        let unknown = json!({"permissionArn": "arn:aws:ram::aws:permission/Nothing"});
        for operation in ["GetPermission", "ListPermissionVersions"] {
            assert_eq!(owner.refused(operation, &unknown).await, "UnknownResource");
            assert_eq!(owner.refused(operation, &json!({"permissionArn": "x"})).await, "MalformedArn");
        }
        let china = server.account(OWNER).in_region("cn-north-1");
        let arn = GATEWAY.replace("arn:aws:", "arn:aws-cn:");
        assert_eq!(
            china.ok("GetPermission", &json!({"permissionArn": arn})).await["permission"]["arn"],
            json!(arn)
        );
    })
    .await;
}
