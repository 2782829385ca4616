//! AcceptResourceShareInvitation.

use std::time::Duration;

use rampart_testkit::for_each_store;
use serde_json::json;

use crate::sharing::{CONSUMER, OWNER, Offer, STRANGER, component, create, gateway, pending_invitation};

const ACCEPT: &str = "AcceptResourceShareInvitation";
const REJECT: &str = "RejectResourceShareInvitation";
const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn every_member_of_the_answer() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let before = offer.invitation().await;
        server.advance(MINUTE);
        let from = server.now_s();
        let input = json!({"resourceShareInvitationArn": offer.invitation, "clientToken": "t-1"});
        let answer = offer.consumer.ok(ACCEPT, &input).await;
        let at = answer["resourceShareInvitation"]["invitationTimestamp"].as_f64().unwrap();
        assert!(from <= at && at <= server.now_s(), "{answer}");
        let expected = json!({
            "resourceShareInvitation": {
                "resourceShareInvitationArn": offer.invitation,
                "resourceShareName": "offered",
                "resourceShareArn": offer.share,
                "senderAccountId": OWNER,
                "receiverAccountId": CONSUMER,
                "invitationTimestamp": at,
                "status": "ACCEPTED",
            },
            "clientToken": "t-1",
        });
        assert_eq!(answer, expected);
        assert_eq!(before["status"], "PENDING");
        assert!(before["invitationTimestamp"].as_f64().unwrap() < at);
        assert_eq!(offer.invitation().await, answer["resourceShareInvitation"]);
    })
    .await;
}

#[tokio::test]
async fn the_token_is_echoed_only_when_given() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[]).await;
        assert!(offer.accept().await.get("clientToken").is_none());
    })
    .await;
}

#[tokio::test]
async fn an_answered_invitation_is_refused_by_its_answer() {
    for_each_store(async |server| {
        let accepted = Offer::accepted(&server, &[gateway(1)]).await;
        let named = accepted.named();
        let code = "ResourceShareInvitationAlreadyAccepted";
        assert_eq!(accepted.consumer.refused(ACCEPT, &named).await, code);
        assert_eq!(accepted.consumer.refused(REJECT, &named).await, code);

        let rejected = Offer::pending(&server, &[gateway(2)]).await;
        rejected.reject().await;
        let code = "ResourceShareInvitationAlreadyRejected";
        assert_eq!(rejected.consumer.refused(ACCEPT, &rejected.named()).await, code);
        assert_eq!(rejected.consumer.refused(REJECT, &rejected.named()).await, code);
    })
    .await;
}

#[tokio::test]
async fn a_component_is_on_offer_for_twelve_hours() {
    for_each_store(async |server| expires(&server, &[component(1)], 12 * HOUR).await).await;
}

#[tokio::test]
async fn a_transit_gateway_is_on_offer_for_seven_days() {
    for_each_store(async |server| expires(&server, &[gateway(1)], 7 * 24 * HOUR).await).await;
}

#[tokio::test]
async fn an_empty_share_is_on_offer_for_seven_days() {
    for_each_store(async |server| expires(&server, &[], 7 * 24 * HOUR).await).await;
}

#[tokio::test]
async fn one_component_makes_a_mixed_share_expire_after_twelve_hours() {
    for_each_store(async |server| expires(&server, &[gateway(1), component(1)], 12 * HOUR).await).await;
}

/// One of two offers is accepted a minute before the end, the other a minute after it: too late.
async fn expires(server: &rampart_testkit::TestServer, resources: &[String], window: Duration) {
    let late = Offer::pending(server, resources).await;
    let timely = Offer::pending(server, resources).await;
    server.advance(window.checked_sub(MINUTE).unwrap());
    assert_eq!(timely.accept().await["resourceShareInvitation"]["status"], "ACCEPTED");
    assert_eq!(late.invitation().await["status"], "PENDING");

    server.advance(2 * MINUTE);
    let code = "ResourceShareInvitationExpired";
    assert_eq!(late.consumer.refused(ACCEPT, &late.named()).await, code);
    assert_eq!(late.consumer.refused(REJECT, &late.named()).await, code);
    assert_eq!(late.invitation().await["status"], "EXPIRED");
    assert_eq!(late.principal().await["status"], "DISASSOCIATED");
    // The timely one is not touched by the end of its window.
    assert_eq!(timely.principal().await["status"], "ASSOCIATED");
    assert_eq!(timely.invitation().await["status"], "ACCEPTED");
}

#[tokio::test]
async fn the_deadline_is_fixed_when_the_invitation_is_made() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let input = json!({"resourceShareArn": offer.share, "resourceArns": [component(1)]});
        offer.owner.ok("AssociateResourceShare", &input).await;
        server.advance(13 * HOUR);
        assert_eq!(offer.accept().await["resourceShareInvitation"]["status"], "ACCEPTED");
    })
    .await;
}

#[tokio::test]
async fn only_the_receiver_finds_the_invitation() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let not_found = "ResourceShareInvitationArnNotFound";
        for operation in [ACCEPT, REJECT] {
            for other in [&offer.owner, &server.account(STRANGER)] {
                assert_eq!(other.refused(operation, &offer.named()).await, not_found);
            }
            let abroad = offer.consumer.in_region("us-east-1");
            assert_eq!(abroad.refused(operation, &offer.named()).await, not_found);
            for arn in [
                crate::sharing::unknown(&offer.invitation),
                offer.invitation.replace(OWNER, STRANGER),
                offer.invitation.replace("eu-west-1", "eu-west-2"),
            ] {
                let input = json!({"resourceShareInvitationArn": arn});
                assert_eq!(offer.consumer.refused(operation, &input).await, not_found, "{arn}");
            }
        }
        assert_eq!(offer.invitation().await["status"], "PENDING");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_invitation_arn_is_malformed() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[]).await;
        for operation in [ACCEPT, REJECT] {
            for arn in ["", "invitation", &offer.share, &offer.invitation.to_uppercase()] {
                let input = json!({"resourceShareInvitationArn": arn});
                assert_eq!(offer.consumer.refused(operation, &input).await, "MalformedArn", "{arn}");
            }
            // The model has no other code for a member that is missing.
            assert_eq!(offer.consumer.refused(operation, &json!({})).await, "MalformedArn");
            let null = json!({"resourceShareInvitationArn": null});
            assert_eq!(offer.consumer.refused(operation, &null).await, "MalformedArn");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_client_token_is_refused() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[]).await;
        for token in [String::new(), "a b".to_owned(), "é".to_owned(), "t".repeat(65)] {
            let input = json!({"resourceShareInvitationArn": offer.invitation, "clientToken": token});
            assert_eq!(offer.consumer.refused(ACCEPT, &input).await, "InvalidClientToken");
            assert_eq!(offer.consumer.refused(REJECT, &input).await, "InvalidClientToken");
        }
        let longest = "t".repeat(64);
        let input = json!({"resourceShareInvitationArn": offer.invitation, "clientToken": longest});
        assert_eq!(offer.consumer.ok(ACCEPT, &input).await["clientToken"], longest);
    })
    .await;
}

#[tokio::test]
async fn the_same_token_gives_the_first_answer_word_for_word() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let input = json!({"resourceShareInvitationArn": offer.invitation, "clientToken": "once"});
        let first = offer.consumer.call(ACCEPT, &input).await;
        assert_eq!(first.status, 200);
        server.advance(HOUR);
        assert_eq!(offer.consumer.call(ACCEPT, &input).await.text, first.text);

        // The state moves on: the consumer leaves, and the invitation is gone. The answer stays what it was.
        let leave = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.consumer.ok("DisassociateResourceShare", &leave).await;
        assert_eq!(offer.consumer.call(ACCEPT, &input).await.text, first.text);
        offer.delete().await;
        assert_eq!(offer.consumer.call(ACCEPT, &input).await.text, first.text);
        assert_eq!(
            offer.consumer.refused(ACCEPT, &offer.named()).await,
            "ResourceShareInvitationArnNotFound"
        );

        // A day later it is forgotten.
        server.advance(24 * HOUR);
        assert_eq!(offer.consumer.refused(ACCEPT, &input).await, "ResourceShareInvitationArnNotFound");
    })
    .await;
}

#[tokio::test]
async fn a_token_stands_for_one_set_of_parameters() {
    for_each_store(async |server| {
        let first = Offer::pending(&server, &[gateway(1)]).await;
        // Of another sender, so in another partition of the store.
        let stranger = server.account(STRANGER);
        let share = create(&stranger, &json!({"name": "second", "principals": [CONSUMER]})).await;
        let second = pending_invitation(&first.consumer, &share).await;

        let input = json!({"resourceShareInvitationArn": first.invitation, "clientToken": "once"});
        first.consumer.ok(ACCEPT, &input).await;
        let other = json!({"resourceShareInvitationArn": second, "clientToken": "once"});
        assert_eq!(first.consumer.refused(ACCEPT, &other).await, "IdempotentParameterMismatch");
        // Tokens belong to an operation, an account and a Region.
        assert_eq!(first.consumer.refused(REJECT, &input).await, "ResourceShareInvitationAlreadyAccepted");
        first.consumer.ok(REJECT, &other).await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_call_does_not_use_up_its_token() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[]).await;
        let unknown = crate::sharing::unknown(&offer.invitation);
        let input = json!({"resourceShareInvitationArn": unknown, "clientToken": "again"});
        offer.consumer.refused(ACCEPT, &input).await;
        let input = json!({"resourceShareInvitationArn": offer.invitation, "clientToken": "again"});
        offer.consumer.ok(ACCEPT, &input).await;
    })
    .await;
}

#[tokio::test]
async fn an_accepted_invitation_stays_as_long_as_its_association() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        server.advance(400 * 24 * HOUR);
        assert_eq!(offer.invitation().await["status"], "ACCEPTED");
        let remove = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.owner.ok("DisassociateResourceShare", &remove).await;
        assert!(crate::sharing::invitations(&offer.consumer, &offer.share).await.is_empty());
        let by_arn = json!({"resourceShareInvitationArns": [offer.invitation]});
        let code = offer.consumer.refused("GetResourceShareInvitations", &by_arn).await;
        assert_eq!(code, "ResourceShareInvitationArnNotFound");
        assert_eq!(
            offer.consumer.refused(ACCEPT, &offer.named()).await,
            "ResourceShareInvitationArnNotFound"
        );
    })
    .await;
}

#[tokio::test]
async fn the_share_is_there_as_soon_as_the_answer_is() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1), component(1)]).await;
        let principal = offer.principal().await;
        assert_eq!(principal["status"], "ASSOCIATING");
        server.advance(MINUTE);
        let accepted = offer.accept().await;
        let share = crate::sharing::share(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await;
        assert_eq!(share["status"], "ACTIVE");
        let now = offer.principal().await;
        assert_eq!(now["status"], "ASSOCIATED");
        assert_eq!(now["creationTime"], principal["creationTime"]);
        assert_eq!(now["lastUpdatedTime"], accepted["resourceShareInvitation"]["invitationTimestamp"]);
    })
    .await;
}
