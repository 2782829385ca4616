//! DeleteResourceShare.

use rampart_testkit::for_each_store;
use serde_json::json;

use crate::sharing::{CONSUMER, Offer, STRANGER, associations, gateway, invitations, only, share, unknown};

const DELETE: &str = "DeleteResourceShare";

#[tokio::test]
async fn every_member_of_the_answer() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let input = json!({"resourceShareArn": offer.share, "clientToken": "t-1"});
        let first = offer.owner.call(DELETE, &input).await;
        assert_eq!(first.json, json!({"returnValue": true, "clientToken": "t-1"}));
        assert_eq!(offer.owner.call(DELETE, &input).await.text, first.text);
        let other = json!({"resourceShareArn": unknown(&offer.share), "clientToken": "t-1"});
        assert_eq!(offer.owner.refused(DELETE, &other).await, "IdempotentParameterMismatch");
        let second = Offer::pending(&server, &[gateway(2)]).await;
        let input = json!({"resourceShareArn": second.share});
        assert_eq!(second.owner.ok(DELETE, &input).await, json!({"returnValue": true}));
    })
    .await;
}

#[tokio::test]
async fn everything_in_it_ends() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let invite = json!({"resourceShareArn": offer.share, "principals": [STRANGER]});
        offer.owner.ok("AssociateResourceShare", &invite).await;
        offer.delete().await;
        let deleted = share(&offer.owner, "SELF", &offer.share).await;
        assert_eq!(deleted["status"], "DELETED");
        for kind in ["PRINCIPAL", "RESOURCE"] {
            for row in associations(&offer.owner, kind, &offer.share).await.as_array().unwrap() {
                assert_eq!(row["status"], "DISASSOCIATED");
                assert_eq!(row["lastUpdatedTime"], deleted["lastUpdatedTime"]);
            }
        }
        assert!(invitations(&server.account(STRANGER), &offer.share).await.is_empty());
        assert!(invitations(&offer.consumer, &offer.share).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_deletes_and_only_once() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let input = json!({"resourceShareArn": offer.share});
        for other in [&offer.consumer, &server.account(STRANGER), &offer.owner.in_region("us-east-1")] {
            assert_eq!(other.refused(DELETE, &input).await, "UnknownResource");
        }
        assert_eq!(offer.owner.refused(DELETE, &json!({})).await, "InvalidParameter");
        let malformed = json!({"resourceShareArn": "arn"});
        assert_eq!(offer.owner.refused(DELETE, &malformed).await, "MalformedArn");
        let nothing = json!({"resourceShareArn": unknown(&offer.share)});
        assert_eq!(offer.owner.refused(DELETE, &nothing).await, "UnknownResource");
        offer.delete().await;
        assert_eq!(offer.owner.refused(DELETE, &input).await, "UnknownResource");
    })
    .await;
}

#[tokio::test]
async fn a_removed_principal_keeps_its_own_end() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let remove = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.owner.ok("DisassociateResourceShare", &remove).await;
        let ended = offer.principal().await;
        server.advance(std::time::Duration::from_mins(10));
        offer.delete().await;
        assert_eq!(offer.principal().await, ended);
        let rows = associations(&offer.owner, "RESOURCE", &offer.share).await;
        assert!(only(&rows)["lastUpdatedTime"].as_f64() > ended["lastUpdatedTime"].as_f64());
    })
    .await;
}
