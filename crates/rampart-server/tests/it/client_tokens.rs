//! Asking twice with one client token changes things once, for every operation that takes one.

use std::time::Duration;

use rampart_server::operations;
use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::customer_permissions::{create_permission, permission, template};
use crate::policy_shares::created_from_policy;
use crate::sharing::{CONSUMER, OWNER, Offer, STRANGER, create, gateway, share, share_arns};

const DAY: Duration = Duration::from_hours(24);

/// A call with a token, another call of the same operation, and something that changes what the call would find.
struct Case {
    client: Client,
    operation: &'static str,
    input: Value,
    other: Value,
    then: Option<(Client, &'static str, Value)>,
}

async fn cases(server: &TestServer) -> Vec<Case> {
    let owner = server.account(OWNER);
    let mut cases = Vec::new();
    let changed = create(&owner, &json!({"name": "n", "resourceArns": [gateway(8)]})).await;
    let remove = json!({"resourceShareArn": changed, "resourceArns": [gateway(1), gateway(2)]});
    let add = json!({"resourceShareArn": changed, "resourceArns": [gateway(8)]});
    cases.push(Case {
        client: owner.clone(),
        operation: "CreateResourceShare",
        input: json!({"name": "made", "resourceArns": [gateway(1)]}),
        other: json!({"name": "made", "resourceArns": [gateway(2)]}),
        then: None,
    });
    cases.push(Case {
        client: owner.clone(),
        operation: "UpdateResourceShare",
        input: json!({"resourceShareArn": changed, "name": "first"}),
        other: json!({"resourceShareArn": changed, "name": "first", "allowExternalPrincipals": true}),
        then: Some((
            owner.clone(),
            "UpdateResourceShare",
            json!({"resourceShareArn": changed, "name": "second"}),
        )),
    });
    cases.push(Case {
        client: owner.clone(),
        operation: "AssociateResourceShare",
        input: json!({"resourceShareArn": changed, "resourceArns": [gateway(1), gateway(2)]}),
        other: json!({"resourceShareArn": changed, "resourceArns": [gateway(1)]}),
        then: Some((owner.clone(), "DisassociateResourceShare", remove)),
    });
    cases.push(Case {
        client: owner.clone(),
        operation: "DisassociateResourceShare",
        input: json!({"resourceShareArn": changed, "resourceArns": [gateway(8)]}),
        other: json!({"resourceShareArn": changed, "principals": [CONSUMER]}),
        then: Some((owner.clone(), "AssociateResourceShare", add)),
    });
    for operation in ["AcceptResourceShareInvitation", "RejectResourceShareInvitation"] {
        let (offer, second) = (Offer::pending(server, &[]).await, Offer::pending(server, &[]).await);
        let forget = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        cases.push(Case {
            client: offer.consumer.clone(),
            operation,
            input: offer.named(),
            other: second.named(),
            then: Some((owner.clone(), "DisassociateResourceShare", forget)),
        });
    }
    let left = Offer::accepted(server, &[]).await;
    cases.push(Case {
        client: left.consumer.clone(),
        operation: "DisassociateResourceShare",
        input: json!({"resourceShareArn": left.share, "principals": [CONSUMER]}),
        other: json!({"resourceShareArn": changed, "principals": [CONSUMER]}),
        then: Some((owner.clone(), "DeleteResourceShare", json!({"resourceShareArn": left.share}))),
    });
    let permission = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway";
    let prefixes = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionPrefixList";
    let bare = create(&owner, &json!({"name": "n"})).await;
    let attach = |permission| json!({"resourceShareArn": bare, "permissionArn": permission});
    cases.push(Case {
        client: owner.clone(),
        operation: "AssociateResourceSharePermission",
        input: attach(permission),
        other: attach(prefixes),
        then: Some((owner.clone(), "DisassociateResourceSharePermission", attach(permission))),
    });
    let held = create(&owner, &json!({"name": "n", "permissionArns": [permission, prefixes]})).await;
    let detach = |permission| json!({"resourceShareArn": held, "permissionArn": permission});
    cases.push(Case {
        client: owner.clone(),
        operation: "DisassociateResourceSharePermission",
        input: detach(permission),
        other: detach(prefixes),
        then: Some((owner.clone(), "AssociateResourceSharePermission", detach(permission))),
    });
    cases.extend(of_permissions(&owner).await);
    let deleted = create(&owner, &json!({"name": "n"})).await;
    cases.push(Case {
        client: owner.clone(),
        operation: "DeleteResourceShare",
        input: json!({"resourceShareArn": deleted}),
        other: json!({"resourceShareArn": changed}),
        then: None,
    });
    cases
}

async fn of_permissions(owner: &Client) -> Vec<Case> {
    let mut made = Vec::new();
    for name in ["Versioned", "Other", "Deleted", "Deprecated"] {
        made.push(create_permission(owner, name).await);
    }
    let [versioned, other, deleted, deprecated] = made.try_into().unwrap();
    let version = |arn: &str| json!({"permissionArn": arn, "policyTemplate": template(&["codebuild:BatchGetProjects"])});
    owner.ok("CreatePermissionVersion", &version(&versioned)).await;
    owner.ok("CreatePermissionVersion", &version(&versioned)).await;
    let of_policy = created_from_policy(owner).await;
    let promote = |name: &str| json!({"permissionArn": of_policy, "name": name});
    let numbered = |number: u32| json!({"permissionArn": versioned, "permissionVersion": number});
    let replace = |from: &str| json!({"fromPermissionArn": from, "toPermissionArn": other});
    let status = |status: &str| json!({"permissionArn": deprecated, "status": status});
    let case = |operation, input, other, then: Option<(&'static str, Value)>| {
        let then = then.map(|(operation, input)| (owner.clone(), operation, input));
        Case { client: owner.clone(), operation, input, other, then }
    };
    vec![
        case("CreatePermission", permission("New"), permission("Newer"), None),
        case("PromotePermissionCreatedFromPolicy", promote("Promoted"), promote("Other"), None),
        case(
            "CreatePermissionVersion",
            version(&other),
            version(&versioned),
            Some(("UpdatePermission", status("DEPRECATED"))),
        ),
        case(
            "SetDefaultPermissionVersion",
            numbered(2),
            numbered(1),
            Some(("SetDefaultPermissionVersion", numbered(3))),
        ),
        case("ReplacePermissionAssociations", replace(&versioned), replace(&other), None),
        case("DeletePermissionVersion", numbered(1), numbered(2), None),
        case(
            "UpdatePermission",
            status("ATTACHABLE"),
            status("DEPRECATED"),
            Some(("UpdatePermission", status("DEPRECATED"))),
        ),
        case("DeletePermission", json!({"permissionArn": deleted}), json!({"permissionArn": other}), None),
    ]
}

/// Two operations do not model the mismatch: there the token itself is refused (reference §2.2).
fn mismatch(name: &str) -> &'static str {
    let operation = operations::RAM.iter().find(|operation| operation.name == name).unwrap();
    let codes = ["IdempotentParameterMismatch", "InvalidClientToken", "InvalidParameter"];
    codes.into_iter().find(|code| operation.errors.contains(code)).unwrap()
}

fn with_token(input: &Value, token: &str) -> Value {
    let mut input = input.clone();
    input["clientToken"] = json!(token);
    input
}

#[tokio::test]
async fn every_operation_that_takes_a_token_has_a_case() {
    let server = TestServer::sqlite().await;
    let cases = cases(&server).await;
    for operation in operations::RAM.iter().filter(|operation| operation.is_built() && operation.client_token)
    {
        assert!(cases.iter().any(|case| case.operation == operation.name), "{}", operation.name);
    }
}

#[tokio::test]
async fn the_first_answer_is_given_again_though_the_state_has_moved_on() {
    for_each_store(async |server| {
        for (number, case) in cases(&server).await.into_iter().enumerate() {
            let input = with_token(&case.input, &format!("t-{number}"));
            let first = case.client.call(case.operation, &input).await;
            assert_eq!(first.status, 200, "{} {input}: {}", case.operation, first.text);
            assert_eq!(first.json["clientToken"], format!("t-{number}"));
            if let Some((client, operation, input)) = &case.then {
                client.ok(operation, input).await;
            }
            let tables = [
                "resource_share",
                "association",
                "invitation",
                "permission",
                "permission_version",
                "sharing_event",
                "client_token",
            ];
            let before =
                (tables.map(|table| server.count(table)), share_arns(&server.account(OWNER), "SELF").await);
            server.advance(DAY / 2);
            let again = case.client.call(case.operation, &input).await;
            assert_eq!((again.status, &again.text), (200, &first.text), "{}", case.operation);
            let after =
                (tables.map(|table| server.count(table)), share_arns(&server.account(OWNER), "SELF").await);
            // A share that was deleted vanishes meanwhile; its rows stay until they are swept.
            assert_eq!(after.0, before.0, "{}", case.operation);
        }
    })
    .await;
}

#[tokio::test]
async fn another_request_with_the_token_is_refused_and_changes_nothing() {
    for_each_store(async |server| {
        for case in cases(&server).await {
            case.client.ok(case.operation, &with_token(&case.input, "t")).await;
            let events = server.count("sharing_event");
            let code = case.client.refused(case.operation, &with_token(&case.other, "t")).await;
            assert_eq!(code, mismatch(case.operation), "{}", case.operation);
            assert_eq!(server.count("sharing_event"), events);
            // The token is the account's, the Region's and the operation's own: the others' cases used the same.
            server.advance(DAY);
            if case.operation == "UpdateResourceShare" {
                case.client.ok(case.operation, &with_token(&case.other, "t")).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_is_scoped_to_account_region_and_operation() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = |name: &str| json!({"name": name, "clientToken": "t"});
        let first = create(&owner, &input("a")).await;
        let others = [
            create(&server.account(STRANGER), &input("b")).await,
            create(&owner.in_region("us-east-1"), &input("c")).await,
        ];
        assert!(!others.contains(&first));
        let update = json!({"resourceShareArn": first, "name": "d", "clientToken": "t"});
        owner.ok("UpdateResourceShare", &update).await;
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": first, "clientToken": "t"})).await;
        assert_eq!(create(&owner, &input("a")).await, first);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_remembered_for_a_day() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "clientToken": "t"});
        let first = create(&owner, &input).await;
        server.advance(Duration::from_mins(24 * 60 - 1));
        server.sweep().await;
        assert_eq!(create(&owner, &input).await, first);
        server.advance(Duration::from_mins(1));
        // Forgotten in time, whether or not its row was removed.
        let second = create(&owner, &json!({"name": "m", "clientToken": "t"})).await;
        assert_ne!(second, first);
        server.sweep().await;
        assert_eq!(create(&owner, &json!({"name": "m", "clientToken": "t"})).await, second);
    })
    .await;
}

#[tokio::test]
async fn lists_that_are_sets_are_compared_as_sets() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = |resources: [u32; 3], principals: [&str; 2], tags: [&str; 2]| {
            let tags = tags.map(|key| json!({"key": key, "value": ""}));
            json!({"name": "n", "resourceArns": resources.map(gateway), "principals": principals, "tags": tags,
                "clientToken": "t"})
        };
        let first = create(&owner, &input([1, 2, 1], [CONSUMER, STRANGER], ["a", "b"])).await;
        assert_eq!(create(&owner, &input([2, 1, 2], [STRANGER, CONSUMER], ["b", "a"])).await, first);
        // Members at their defaults are the same request too.
        let mut same = input([1, 2, 2], [CONSUMER, STRANGER], ["a", "b"]);
        same["allowExternalPrincipals"] = json!(true);
        same["sources"] = json!([]);
        assert_eq!(create(&owner, &same).await, first);
        let less = input([1, 1, 1], [CONSUMER, STRANGER], ["a", "b"]);
        assert_eq!(owner.refused("CreateResourceShare", &less).await, "IdempotentParameterMismatch");
        for operation in ["AssociateResourceShare", "DisassociateResourceShare"] {
            let input = |order: [u32; 2]| {
                json!({"resourceShareArn": first, "resourceArns": order.map(gateway), "clientToken": "t"})
            };
            let answer = owner.ok(operation, &input([1, 2])).await;
            assert_eq!(owner.ok(operation, &input([2, 1])).await, answer);
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_call_does_not_use_its_token_up() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let foreign = gateway(1).replace(OWNER, CONSUMER);
        let bad = json!({"name": "n", "resourceArns": [foreign], "clientToken": "t"});
        assert_eq!(owner.refused("CreateResourceShare", &bad).await, "InvalidParameter");
        let arn = create(&owner, &json!({"name": "n", "clientToken": "t"})).await;
        assert_eq!(share(&owner, "SELF", &arn).await["name"], "n");
    })
    .await;
}
