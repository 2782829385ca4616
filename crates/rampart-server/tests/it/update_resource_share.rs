//! UpdateResourceShare.

use std::time::Duration;

use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{OWNER, Offer, STRANGER, create, gateway, share, share_arns, unknown};

const UPDATE: &str = "UpdateResourceShare";

/// What an update can change, as the owner reads it.
async fn members(owner: &Client, arn: &str) -> (Value, Value) {
    let share = share(owner, "SELF", arn).await;
    (share["name"].clone(), share["allowExternalPrincipals"].clone())
}

#[tokio::test]
async fn every_member_of_the_answer() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "before", "tags": [{"key": "k", "value": "v"}]});
        let arn = create(&owner, &input).await;
        let before = share(&owner, "SELF", &arn).await;
        server.advance(Duration::from_mins(1));
        let from = server.now_s();
        let input = json!({"resourceShareArn": arn, "name": "after", "clientToken": "t-1"});
        let answer = owner.ok(UPDATE, &input).await;
        let at = answer["resourceShare"]["lastUpdatedTime"].as_f64().unwrap();
        assert!(from <= at && at <= server.now_s());
        let expected = json!({
            "resourceShare": {
                "resourceShareArn": arn, "name": "after", "owningAccountId": OWNER, "allowExternalPrincipals": true,
                "status": "ACTIVE", "creationTime": before["creationTime"], "lastUpdatedTime": at,
            },
            "clientToken": "t-1",
        });
        assert_eq!(answer, expected);
        let after = share(&owner, "SELF", &arn).await;
        assert_eq!(after["tags"], before["tags"]);
        assert_eq!((&after["name"], &after["lastUpdatedTime"]), (&json!("after"), &json!(at)));
        let again = owner.ok(UPDATE, &json!({"resourceShareArn": arn, "name": "last"})).await;
        assert!(again.get("clientToken").is_none());
    })
    .await;
}

#[tokio::test]
async fn only_the_members_that_are_given_change() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "a", "allowExternalPrincipals": false})).await;
        owner.ok(UPDATE, &json!({"resourceShareArn": arn, "name": "b"})).await;
        assert_eq!(members(&owner, &arn).await, (json!("b"), json!(false)));
        // Terraform always sends both.
        let both = json!({"resourceShareArn": arn, "name": "c", "allowExternalPrincipals": false});
        owner.ok(UPDATE, &both).await;
        assert_eq!(members(&owner, &arn).await, (json!("c"), json!(false)));
        owner.ok(UPDATE, &json!({"resourceShareArn": arn, "allowExternalPrincipals": true})).await;
        assert_eq!(members(&owner, &arn).await, (json!("c"), json!(true)));
        owner
            .ok(UPDATE, &json!({"resourceShareArn": arn, "name": null, "allowExternalPrincipals": true}))
            .await;
        assert_eq!(members(&owner, &arn).await, (json!("c"), json!(true)));
    })
    .await;
}

#[tokio::test]
async fn the_new_name_is_everybodys_and_found_by_the_filter() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let other = create(&offer.owner, &json!({"name": "taken"})).await;
        // Names need not be unique.
        offer.owner.ok(UPDATE, &json!({"resourceShareArn": offer.share, "name": "taken"})).await;
        let by_name = async |client: &Client, view: &str, name: &str| {
            let found = client.ok("GetResourceShares", &json!({"resourceOwner": view, "name": name})).await;
            let mut arns = crate::sharing::texts(&found["resourceShares"], "resourceShareArn");
            arns.sort();
            arns
        };
        let mut both = vec![offer.share.clone(), other];
        both.sort();
        assert_eq!(by_name(&offer.owner, "SELF", "taken").await, both);
        assert!(by_name(&offer.owner, "SELF", "offered").await.is_empty());
        assert_eq!(by_name(&offer.consumer, "OTHER-ACCOUNTS", "taken").await, [offer.share.as_str()]);
        assert_eq!(offer.invitation().await["resourceShareName"], "taken");
        assert_eq!(offer.principal().await["resourceShareName"], "taken");
    })
    .await;
}

#[tokio::test]
async fn an_account_that_stands_alone_cannot_confine_a_share() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "a"})).await;
        let input = json!({"resourceShareArn": arn, "name": "b", "allowExternalPrincipals": false});
        assert_eq!(owner.refused(UPDATE, &input).await, "OperationNotPermitted");
        assert_eq!(members(&owner, &arn).await, (json!("a"), json!(true)));
    })
    .await;
}

#[tokio::test]
async fn what_is_malformed_or_missing_is_named_by_its_code() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "a"})).await;
        for (input, code) in [
            (json!({"resourceShareArn": arn}), "MissingRequiredParameter"),
            (json!({"resourceShareArn": unknown(&arn)}), "MissingRequiredParameter"),
            (json!({"resourceShareArn": arn, "name": null}), "MissingRequiredParameter"),
            (json!({"name": "b"}), "MissingRequiredParameter"),
            (json!({"resourceShareArn": "nonsense", "name": "b"}), "MalformedArn"),
            (json!({"resourceShareArn": gateway(1), "name": "b"}), "MalformedArn"),
            (json!({"resourceShareArn": arn, "name": ""}), "InvalidParameter"),
            (json!({"resourceShareArn": unknown(&arn), "name": ""}), "InvalidParameter"),
            (json!({"resourceShareArn": arn, "name": "a\u{7}"}), "InvalidParameter"),
            (json!({"resourceShareArn": arn, "name": "n".repeat(513)}), "InvalidParameter"),
            (json!({"resourceShareArn": arn, "name": "b", "clientToken": ""}), "InvalidClientToken"),
            (
                json!({"resourceShareArn": arn, "name": "b", "clientToken": "t".repeat(65)}),
                "InvalidClientToken",
            ),
        ] {
            assert_eq!(owner.refused(UPDATE, &input).await, code, "{input}");
        }
        assert_eq!(members(&owner, &arn).await, (json!("a"), json!(true)));
        owner.ok(UPDATE, &json!({"resourceShareArn": arn, "name": "n".repeat(512)})).await;
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_updates_and_only_what_lives() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let input = json!({"resourceShareArn": offer.share, "name": "mine"});
        for client in [&offer.consumer, &server.account(STRANGER), &offer.owner.in_region("us-east-1")] {
            assert_eq!(client.refused(UPDATE, &input).await, "UnknownResource");
        }
        let absent = json!({"resourceShareArn": unknown(&offer.share), "name": "b"});
        assert_eq!(offer.owner.refused(UPDATE, &absent).await, "UnknownResource");
        offer.delete().await;
        assert_eq!(offer.owner.refused(UPDATE, &input).await, "UnknownResource");
        assert_eq!(share_arns(&offer.owner, "SELF").await, [offer.share.as_str()]);
    })
    .await;
}
