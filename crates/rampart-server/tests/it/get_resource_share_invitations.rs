//! GetResourceShareInvitations and ListPendingInvitationResources: what the receiver sees of an offer.

use std::time::Duration;

use rampart_testkit::for_each_store;
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, Offer, STRANGER, component, create, gateway, texts, unknown};

const GET: &str = "GetResourceShareInvitations";
const LIST: &str = "ListPendingInvitationResources";
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn every_member_of_the_answer() {
    for_each_store(async |server| {
        let from = server.now_s();
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let answer = offer.consumer.ok(GET, &json!({})).await;
        let at = answer["resourceShareInvitations"][0]["invitationTimestamp"].as_f64().unwrap();
        assert!(from <= at && at <= server.now_s(), "{answer}");
        let expected = json!({
            "resourceShareInvitations": [{
                "resourceShareInvitationArn": offer.invitation,
                "resourceShareName": "offered",
                "resourceShareArn": offer.share,
                "senderAccountId": OWNER,
                "receiverAccountId": CONSUMER,
                "invitationTimestamp": at,
                "status": "PENDING",
            }],
        });
        assert_eq!(answer, expected);
        let id = offer
            .invitation
            .strip_prefix(&format!("arn:aws:ram:eu-west-1:{OWNER}:resource-share-invitation/"));
        assert!(id.is_some_and(|id| id.len() == 36 && !offer.share.ends_with(id)), "{}", offer.invitation);
    })
    .await;
}

#[tokio::test]
async fn every_filter() {
    for_each_store(async |server| {
        let mut offers = Vec::new();
        for number in 0..3 {
            offers.push(Offer::pending(&server, &[gateway(number)]).await);
            server.advance(HOUR);
        }
        offers[1].reject().await;
        let (share, invitation) = (|n: usize| &offers[n].share, |n: usize| &offers[n].invitation);
        let cases: &[(Value, &[usize])] = &[
            (json!({}), &[0, 1, 2]),
            (json!({"resourceShareArns": [], "resourceShareInvitationArns": null}), &[0, 1, 2]),
            (json!({"resourceShareArns": [share(2), share(1), share(2)]}), &[1, 2]),
            (json!({"resourceShareArns": [unknown(share(0))]}), &[]),
            (json!({"resourceShareArns": [share(0).replace("eu-west-1", "us-east-1")]}), &[]),
            (json!({"resourceShareInvitationArns": [invitation(2), invitation(0)]}), &[0, 2]),
            (
                json!({"resourceShareInvitationArns": [invitation(2), invitation(0)], "resourceShareArns": [share(0)]}),
                &[0],
            ),
            (
                json!({"resourceShareInvitationArns": [invitation(2)], "resourceShareArns": [share(0)]}),
                &[],
            ),
        ];
        for (input, expected) in cases {
            let answer = offers[0].consumer.ok(GET, input).await;
            let found = texts(&answer["resourceShareInvitations"], "resourceShareInvitationArn");
            let expected: Vec<&String> = expected.iter().map(|place| invitation(*place)).collect();
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{input}");
        }
        for (input, code) in [
            (json!({"resourceShareArns": ["arn"]}), "MalformedArn"),
            (json!({"resourceShareInvitationArns": [share(0)]}), "MalformedArn"),
            (
                json!({"resourceShareInvitationArns": [invitation(0), unknown(invitation(0))]}),
                "ResourceShareInvitationArnNotFound",
            ),
        ] {
            assert_eq!(offers[0].consumer.refused(GET, &input).await, code, "{input}");
        }
    })
    .await;
}

#[tokio::test]
async fn only_the_receiver_sees_it() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let by_arn = json!({"resourceShareInvitationArns": [offer.invitation]});
        for other in [&offer.owner, &server.account(STRANGER), &offer.consumer.in_region("us-east-1")] {
            let none = json!({"resourceShareInvitations": []});
            assert_eq!(other.ok(GET, &json!({})).await, none);
            assert_eq!(other.ok(GET, &json!({"resourceShareArns": [offer.share]})).await, none);
            let not_found = "ResourceShareInvitationArnNotFound";
            assert_eq!(other.refused(GET, &by_arn).await, not_found);
            assert_eq!(other.refused(LIST, &offer.named()).await, not_found);
        }
    })
    .await;
}

#[tokio::test]
async fn an_expired_invitation_says_when_and_goes_after_seven_days() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        let made = offer.invitation().await["invitationTimestamp"].as_f64().unwrap();
        server.advance(13 * HOUR);
        let expired = offer.invitation().await;
        assert_eq!(expired["status"], "EXPIRED");
        let twelve_hours = expired["invitationTimestamp"].as_f64().unwrap() - made;
        assert!((twelve_hours - 43_200.0).abs() < 0.001, "{twelve_hours}");
        server.advance(7 * 24 * HOUR);
        assert!(crate::sharing::invitations(&offer.consumer, &offer.share).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_resources_on_offer() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1), component(1)]).await;
        let answer = offer.consumer.ok(LIST, &offer.named()).await;
        let mut found = answer["resources"].as_array().unwrap().clone();
        found.sort_by_key(|resource| resource["arn"].to_string());
        let at = &found[0]["creationTime"];
        let resource = |arn: String, kind: &str| {
            json!({
                "arn": arn, "type": kind, "resourceShareArn": offer.share, "status": "AVAILABLE", "creationTime": at,
                "lastUpdatedTime": at, "resourceRegionScope": "REGIONAL",
            })
        };
        let expected =
            [resource(gateway(1), "ec2:TransitGateway"), resource(component(1), "imagebuilder:Component")];
        assert_eq!(found, expected);
        assert!(answer.get("nextToken").is_none());

        // What the owner takes out is no longer on offer.
        let remove = json!({"resourceShareArn": offer.share, "resourceArns": [component(1)]});
        offer.owner.ok("DisassociateResourceShare", &remove).await;
        let answer = offer.consumer.ok(LIST, &offer.named()).await;
        assert_eq!(texts(&answer["resources"], "arn"), [gateway(1)]);
    })
    .await;
}

#[tokio::test]
async fn the_region_scope_of_the_resources_on_offer() {
    for_each_store(async |server| {
        let owner = server.account(OWNER).in_region("us-east-1");
        let consumer = server.account(CONSUMER).in_region("us-east-1");
        let network = format!("arn:aws:networkmanager::{OWNER}:core-network/core-network-0123456789abcdef0");
        let regional = gateway(1).replace("eu-west-1", "us-east-1");
        let input = json!({"name": "mixed", "resourceArns": [network, regional], "principals": [CONSUMER]});
        let share = create(&owner, &input).await;
        let invitation = crate::sharing::pending_invitation(&consumer, &share).await;
        for (scope, mut expected) in [
            ("ALL", vec![network.clone(), regional.clone()]),
            ("GLOBAL", vec![network.clone()]),
            ("REGIONAL", vec![regional.clone()]),
        ] {
            let input = json!({"resourceShareInvitationArn": invitation, "resourceRegionScope": scope});
            let mut found = texts(&consumer.ok(LIST, &input).await["resources"], "arn");
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{scope}");
        }
        let input = json!({"resourceShareInvitationArn": invitation, "resourceRegionScope": "MARS"});
        let reply = consumer.call(LIST, &input).await;
        let message = "MARS is not a valid resource region scope value. Specify a valid value and try again.";
        assert_eq!(reply.error_code, "InvalidParameterException");
        assert_eq!(reply.json, json!({"message": message}));
    })
    .await;
}

#[tokio::test]
async fn an_answered_offer_lists_no_more() {
    for_each_store(async |server| {
        let accepted = Offer::accepted(&server, &[gateway(1)]).await;
        assert_eq!(accepted.consumer.ok(LIST, &accepted.named()).await, json!({"resources": []}));
        let rejected = Offer::pending(&server, &[gateway(1)]).await;
        rejected.reject().await;
        let code = "ResourceShareInvitationAlreadyRejected";
        assert_eq!(rejected.consumer.refused(LIST, &rejected.named()).await, code);
        let expired = Offer::pending(&server, &[component(1)]).await;
        server.advance(13 * HOUR);
        let code = "ResourceShareInvitationExpired";
        assert_eq!(expired.consumer.refused(LIST, &expired.named()).await, code);
        for (input, code) in [
            (json!({}), "MissingRequiredParameter"),
            (json!({"resourceShareInvitationArn": "arn"}), "MalformedArn"),
            (
                json!({"resourceShareInvitationArn": unknown(&expired.invitation)}),
                "ResourceShareInvitationArnNotFound",
            ),
        ] {
            assert_eq!(expired.consumer.refused(LIST, &input).await, code, "{input}");
        }
    })
    .await;
}
