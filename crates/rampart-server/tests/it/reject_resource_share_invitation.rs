//! RejectResourceShareInvitation. What it has in common with accepting stands there.

use std::time::Duration;

use rampart_testkit::for_each_store;
use serde_json::json;

use crate::sharing::{CONSUMER, OWNER, Offer, gateway, invitations, pending_invitation, share_arns, text};

const REJECT: &str = "RejectResourceShareInvitation";
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn every_member_of_the_answer() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        server.advance(HOUR);
        let from = server.now_s();
        let input = json!({"resourceShareInvitationArn": offer.invitation, "clientToken": "t-1"});
        let answer = offer.consumer.ok(REJECT, &input).await;
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
                "status": "REJECTED",
            },
            "clientToken": "t-1",
        });
        assert_eq!(answer, expected);
        assert_eq!(offer.invitation().await, answer["resourceShareInvitation"]);
    })
    .await;
}

#[tokio::test]
async fn a_rejected_share_stays_unseen_and_its_association_ends() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let answer = offer.reject().await;
        assert!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await.is_empty());
        let principal = offer.principal().await;
        assert_eq!(principal["status"], "DISASSOCIATED");
        assert_eq!(principal["lastUpdatedTime"], answer["resourceShareInvitation"]["invitationTimestamp"]);
    })
    .await;
}

#[tokio::test]
async fn inviting_again_makes_a_new_invitation_beside_the_rejected_one() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        offer.reject().await;
        server.advance(HOUR);
        let again = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.owner.ok("AssociateResourceShare", &again).await;
        let second = pending_invitation(&offer.consumer, &offer.share).await;
        assert_ne!(second, offer.invitation);
        let statuses = |found: Vec<serde_json::Value>| -> Vec<(String, String)> {
            let pair =
                |one: &serde_json::Value| (text(&one["resourceShareInvitationArn"]), text(&one["status"]));
            found.iter().map(pair).collect()
        };
        let both =
            [(offer.invitation.clone(), "REJECTED".to_owned()), (second.clone(), "PENDING".to_owned())];
        assert_eq!(statuses(invitations(&offer.consumer, &offer.share).await), both);

        let accept = json!({"resourceShareInvitationArn": second});
        offer.consumer.ok("AcceptResourceShareInvitation", &accept).await;
        let code = "ResourceShareInvitationAlreadyRejected";
        assert_eq!(offer.consumer.refused(REJECT, &offer.named()).await, code);

        // The rejected one is shown for seven days, the accepted one for good.
        server.advance(166 * HOUR);
        assert_eq!(invitations(&offer.consumer, &offer.share).await.len(), 2);
        server.advance(2 * HOUR);
        let left = [(second, "ACCEPTED".to_owned())];
        assert_eq!(statuses(invitations(&offer.consumer, &offer.share).await), left);
        let code = "ResourceShareInvitationArnNotFound";
        assert_eq!(offer.consumer.refused(REJECT, &offer.named()).await, code);
    })
    .await;
}

#[tokio::test]
async fn the_same_token_gives_the_first_answer_word_for_word() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let input = json!({"resourceShareInvitationArn": offer.invitation, "clientToken": "once"});
        let first = offer.consumer.call(REJECT, &input).await;
        assert_eq!(first.status, 200);
        offer.delete().await;
        assert_eq!(offer.consumer.call(REJECT, &input).await.text, first.text);
        let other = Offer::pending(&server, &[gateway(2)]).await;
        let reused = json!({"resourceShareInvitationArn": other.invitation, "clientToken": "once"});
        assert_eq!(offer.consumer.refused(REJECT, &reused).await, "IdempotentParameterMismatch");
    })
    .await;
}

#[tokio::test]
async fn what_the_owner_takes_back_is_no_longer_there() {
    for_each_store(async |server| {
        let not_found = "ResourceShareInvitationArnNotFound";
        let removed = Offer::pending(&server, &[gateway(1)]).await;
        let remove = json!({"resourceShareArn": removed.share, "principals": [CONSUMER]});
        removed.owner.ok("DisassociateResourceShare", &remove).await;
        let deleted = Offer::pending(&server, &[gateway(2)]).await;
        deleted.delete().await;
        for offer in [removed, deleted] {
            for operation in [
                "AcceptResourceShareInvitation",
                "RejectResourceShareInvitation",
                "ListPendingInvitationResources",
            ] {
                assert_eq!(offer.consumer.refused(operation, &offer.named()).await, not_found);
            }
            assert!(invitations(&offer.consumer, &offer.share).await.is_empty());
        }
        let received = server.account(CONSUMER).ok("GetResourceShareInvitations", &json!({})).await;
        assert_eq!(received, json!({"resourceShareInvitations": []}));
    })
    .await;
}
