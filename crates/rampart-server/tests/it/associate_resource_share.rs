//! AssociateResourceShare and the owner's side of DisassociateResourceShare.

use std::time::Duration;

use rampart_testkit::for_each_store;
use serde_json::{Value, json};

use crate::sharing::{
    CONSUMER, OWNER, Offer, STRANGER, associations, component, create, gateway, invitations, only,
    pending_invitation, texts, unknown,
};

const ASSOCIATE: &str = "AssociateResourceShare";
const DISASSOCIATE: &str = "DisassociateResourceShare";
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn every_member_of_the_answer() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n"})).await;
        let input = json!({
            "resourceShareArn": arn, "resourceArns": [gateway(1)], "principals": [CONSUMER, OWNER], "clientToken": "t-1",
        });
        let line = |entity: &str, kind: &str, external: bool, status: &str| {
            json!({
                "resourceShareArn": arn, "associatedEntity": entity, "associationType": kind, "status": status,
                "external": external,
            })
        };
        let lines = |status: &str| {
            json!([
                line(&gateway(1), "RESOURCE", false, status),
                line(OWNER, "PRINCIPAL", false, status),
                line(CONSUMER, "PRINCIPAL", true, status),
            ])
        };
        let expected = json!({"resourceShareAssociations": lines("ASSOCIATING"), "clientToken": "t-1"});
        assert_eq!(owner.ok(ASSOCIATE, &input).await, expected);
        let expected = json!({"resourceShareAssociations": lines("DISASSOCIATING"), "clientToken": "t-1"});
        assert_eq!(owner.ok(DISASSOCIATE, &input).await, expected);
    })
    .await;
}

#[tokio::test]
async fn a_read_says_how_it_is() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n"})).await;
        server.advance(HOUR);
        let from = server.now_s();
        let input = json!({"resourceShareArn": arn, "resourceArns": [gateway(1)], "principals": [CONSUMER]});
        owner.ok(ASSOCIATE, &input).await;
        let rows = associations(&owner, "RESOURCE", &arn).await;
        let at = only(&rows)["creationTime"].as_f64().unwrap();
        assert!(from <= at && at <= server.now_s(), "{rows}");
        let expected = |entity: &str, kind: &str, status: &str, external: bool| {
            json!([{
                "resourceShareArn": arn, "resourceShareName": "n", "associatedEntity": entity, "associationType": kind,
                "status": status, "creationTime": at, "lastUpdatedTime": at, "external": external,
            }])
        };
        assert_eq!(rows, expected(&gateway(1), "RESOURCE", "ASSOCIATED", false));
        let rows = associations(&owner, "PRINCIPAL", &arn).await;
        assert_eq!(rows, expected(CONSUMER, "PRINCIPAL", "ASSOCIATING", true));
    })
    .await;
}

#[tokio::test]
async fn what_is_in_already_is_no_error_and_no_second_row() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let before = (
            associations(&offer.owner, "RESOURCE", &offer.share).await,
            associations(&offer.owner, "PRINCIPAL", &offer.share).await,
        );
        server.advance(HOUR);
        let input =
            json!({"resourceShareArn": offer.share, "resourceArns": [gateway(1)], "principals": [CONSUMER]});
        let answer = offer.owner.ok(ASSOCIATE, &input).await;
        let statuses = texts(&answer["resourceShareAssociations"], "status");
        assert_eq!(statuses, ["ASSOCIATED", "ASSOCIATED"]);
        let after = (
            associations(&offer.owner, "RESOURCE", &offer.share).await,
            associations(&offer.owner, "PRINCIPAL", &offer.share).await,
        );
        assert_eq!(after, before);
        assert_eq!(invitations(&offer.consumer, &offer.share).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn associating_again_begins_anew_in_the_same_row() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let first = associations(&offer.owner, "RESOURCE", &offer.share).await;
        let input =
            json!({"resourceShareArn": offer.share, "resourceArns": [gateway(1)], "principals": [CONSUMER]});
        server.advance(HOUR);
        offer.owner.ok(DISASSOCIATE, &input).await;
        server.advance(HOUR);
        let from = server.now_s();
        offer.owner.ok(ASSOCIATE, &input).await;
        let rows = associations(&offer.owner, "RESOURCE", &offer.share).await;
        assert_eq!(only(&rows)["status"], "ASSOCIATED");
        assert!(only(&rows)["creationTime"].as_f64().unwrap() >= from, "{first} {rows}");
        assert_eq!(only(&rows)["creationTime"], only(&rows)["lastUpdatedTime"]);
        assert_eq!(offer.principal().await["status"], "ASSOCIATING");
        let second = pending_invitation(&offer.consumer, &offer.share).await;
        assert_ne!(second, offer.invitation);
        assert_eq!(invitations(&offer.consumer, &offer.share).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn after_expiry_the_owner_invites_again() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        server.advance(13 * HOUR);
        let input = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        let answer = offer.owner.ok(ASSOCIATE, &input).await;
        assert_eq!(texts(&answer["resourceShareAssociations"], "status"), ["ASSOCIATING"]);
        let second = pending_invitation(&offer.consumer, &offer.share).await;
        assert_ne!(second, offer.invitation);
        assert_eq!(offer.invitation().await["status"], "EXPIRED");
        let accept = json!({"resourceShareInvitationArn": second});
        offer.consumer.ok("AcceptResourceShareInvitation", &accept).await;
        assert_eq!(offer.principal().await["status"], "ASSOCIATED");
    })
    .await;
}

#[tokio::test]
async fn an_ended_association_is_shown_for_two_hours() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let input = json!({"resourceShareArn": offer.share, "resourceArns": [gateway(1)]});
        server.advance(HOUR);
        offer.owner.ok(DISASSOCIATE, &input).await;
        let ended_at = server.now_s();
        server.advance(Duration::from_mins(119));
        let rows = associations(&offer.owner, "RESOURCE", &offer.share).await;
        assert_eq!(only(&rows)["status"], "DISASSOCIATED");
        assert!((only(&rows)["lastUpdatedTime"].as_f64().unwrap() - ended_at).abs() < 60.0);
        // Removing it once more is no error while it is shown.
        let answer = offer.owner.ok(DISASSOCIATE, &input).await;
        assert_eq!(texts(&answer["resourceShareAssociations"], "status"), ["DISASSOCIATED"]);
        server.advance(Duration::from_mins(2));
        assert_eq!(associations(&offer.owner, "RESOURCE", &offer.share).await, json!([]));
        assert_eq!(offer.owner.refused(DISASSOCIATE, &input).await, "UnknownResource");
    })
    .await;
}

#[tokio::test]
async fn a_new_resource_reaches_those_who_are_in_at_once() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let input = json!({"resourceShareArn": offer.share, "resourceArns": [component(2)]});
        offer.owner.ok(ASSOCIATE, &input).await;
        assert_eq!(offer.principal().await["status"], "ASSOCIATED");
        assert_eq!(invitations(&offer.consumer, &offer.share).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn one_bad_entity_among_good_ones_changes_nothing() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let everything = async || {
            (
                associations(&offer.owner, "RESOURCE", &offer.share).await,
                associations(&offer.owner, "PRINCIPAL", &offer.share).await,
                invitations(&server.account(STRANGER), &offer.share).await,
            )
        };
        let before = everything().await;
        for (operation, resources, principals, code) in [
            (ASSOCIATE, json!([gateway(2), "bad"]), json!([STRANGER]), "MalformedArn"),
            (ASSOCIATE, json!([gateway(2)]), json!([STRANGER, "bad"]), "InvalidParameter"),
            (ASSOCIATE, json!([gateway(2).replace(OWNER, STRANGER)]), json!([STRANGER]), "InvalidParameter"),
            (DISASSOCIATE, json!([gateway(1), gateway(2)]), json!([CONSUMER]), "UnknownResource"),
            (DISASSOCIATE, json!([gateway(1)]), json!([CONSUMER, STRANGER]), "UnknownResource"),
        ] {
            let input = json!({
                "resourceShareArn": offer.share, "resourceArns": resources, "principals": principals, "clientToken": "t",
            });
            assert_eq!(offer.owner.refused(operation, &input).await, code, "{operation} {input}");
            assert_eq!(everything().await, before, "{operation} {input}");
        }
    })
    .await;
}

#[tokio::test]
async fn both_name_something_of_a_share_of_the_caller() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        for operation in [ASSOCIATE, DISASSOCIATE] {
            for (input, code) in [
                (json!({}), "InvalidParameter"),
                (json!({"resourceShareArn": offer.share}), "InvalidParameter"),
                (json!({"resourceShareArn": offer.share, "principals": []}), "InvalidParameter"),
                (json!({"resourceShareArn": "arn", "principals": [STRANGER]}), "MalformedArn"),
                (
                    json!({"resourceShareArn": unknown(&offer.share), "principals": [STRANGER]}),
                    "UnknownResource",
                ),
            ] {
                assert_eq!(offer.owner.refused(operation, &input).await, code, "{operation} {input}");
            }
            let foreign = json!({"resourceShareArn": offer.share, "principals": [STRANGER]});
            for other in [&offer.consumer, &server.account(STRANGER), &offer.owner.in_region("us-east-1")] {
                assert_eq!(other.refused(operation, &foreign).await, "UnknownResource", "{operation}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_deleted_share_takes_nothing_and_loses_nothing() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        offer.delete().await;
        let input = json!({"resourceShareArn": offer.share, "resourceArns": [gateway(1)]});
        assert_eq!(offer.owner.refused(ASSOCIATE, &input).await, "InvalidStateTransition");
        // Terraform takes this for done.
        assert_eq!(offer.owner.refused(DISASSOCIATE, &input).await, "UnknownResource");
        server.advance(3 * HOUR);
        assert_eq!(offer.owner.refused(ASSOCIATE, &input).await, "UnknownResource");
    })
    .await;
}

#[tokio::test]
async fn the_same_token_gives_the_first_answer_word_for_word() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n"})).await;
        for operation in [ASSOCIATE, DISASSOCIATE] {
            let input = |resources: Value| {
                json!({"resourceShareArn": arn, "resourceArns": resources, "clientToken": "once"})
            };
            let first = owner.call(operation, &input(json!([gateway(1), gateway(2)]))).await;
            assert_eq!(first.status, 200, "{}", first.text);
            server.advance(HOUR);
            let again = owner.call(operation, &input(json!([gateway(2), gateway(1), gateway(1)]))).await;
            assert_eq!(again.text, first.text);
            let other = input(json!([gateway(1)]));
            assert_eq!(owner.refused(operation, &other).await, "IdempotentParameterMismatch");
        }
    })
    .await;
}

#[tokio::test]
async fn a_role_and_a_type_that_is_not_for_roles_exclude_each_other() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let role = format!("arn:aws:iam::{CONSUMER}:role/Reader");
        let arn = create(&owner, &json!({"name": "n", "resourceArns": [gateway(1)]})).await;
        let input = json!({"resourceShareArn": arn, "principals": [role]});
        assert_eq!(owner.refused(ASSOCIATE, &input).await, "InvalidParameter");
        let other = create(&owner, &json!({"name": "n", "principals": [role]})).await;
        let input = json!({"resourceShareArn": other, "resourceArns": [gateway(1)]});
        assert_eq!(owner.refused(ASSOCIATE, &input).await, "InvalidParameter");
        let remove = json!({"resourceShareArn": other, "principals": [role]});
        owner.ok(DISASSOCIATE, &remove).await;
        owner.ok(ASSOCIATE, &input).await;
    })
    .await;
}

#[tokio::test]
async fn a_role_that_did_not_answer_in_time_is_no_longer_in_the_way() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let role = format!("arn:aws:iam::{CONSUMER}:role/Reader");
        let arn = create(&owner, &json!({"name": "n", "principals": [role]})).await;
        server.advance(8 * 24 * HOUR);
        owner.ok(ASSOCIATE, &json!({"resourceShareArn": arn, "resourceArns": [gateway(1)]})).await;
    })
    .await;
}
