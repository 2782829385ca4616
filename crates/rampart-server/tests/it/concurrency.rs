//! Calls at the same time: each sees what came before it, none is lost, none is half done.

use futures_util::future::join_all;
use rampart_testkit::for_each_store;
use serde_json::json;

use crate::sharing::{CONSUMER, OWNER, Offer, associations, create, gateway, invitations, share_arns, texts};

#[tokio::test]
async fn of_many_answers_to_one_invitation_one_counts() {
    for_each_store(async |server| {
        for number in 0..8 {
            let offer = Offer::pending(&server, &[gateway(number)]).await;
            let named = offer.named();
            let calls = (0..4).map(|place| {
                let operation = ["AcceptResourceShareInvitation", "RejectResourceShareInvitation"][place % 2];
                offer.consumer.call(operation, &named)
            });
            let replies = join_all(calls).await;
            let mut winners = replies.iter().filter(|reply| reply.status == 200);
            let winner = winners.next().unwrap();
            assert!(winners.next().is_none(), "{replies:?}");
            let status = winner.json["resourceShareInvitation"]["status"].as_str().unwrap();
            let (lost, principal) = match status {
                "ACCEPTED" => ("ResourceShareInvitationAlreadyAcceptedException", "ASSOCIATED"),
                _ => ("ResourceShareInvitationAlreadyRejectedException", "DISASSOCIATED"),
            };
            for reply in replies.iter().filter(|reply| reply.status != 200) {
                assert_eq!((reply.status, reply.error_code.as_str()), (400, lost), "{}", reply.text);
            }
            assert_eq!(offer.invitation().await["status"], status);
            assert_eq!(offer.principal().await["status"], principal);
        }
    })
    .await;
}

#[tokio::test]
async fn thirty_two_associations_of_one_share_at_once_all_succeed() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n"})).await;
        let accounts: Vec<String> = (0..16).map(|n| format!("4444444444{n:02}")).collect();
        let mut inputs: Vec<_> =
            accounts.iter().map(|id| json!({"resourceShareArn": share, "principals": [id]})).collect();
        inputs.extend((0..16).map(|n| json!({"resourceShareArn": share, "resourceArns": [gateway(n)]})));
        for (operation, status) in
            [("AssociateResourceShare", "ASSOCIATED"), ("DisassociateResourceShare", "DISASSOCIATED")]
        {
            for reply in join_all(inputs.iter().map(|input| owner.call(operation, input))).await {
                assert_eq!(reply.status, 200, "{}", reply.text);
            }
            let rows = associations(&owner, "RESOURCE", &share).await;
            assert_eq!(texts(&rows, "status"), vec![status; 16]);
            let rows = associations(&owner, "PRINCIPAL", &share).await;
            let pending = if status == "ASSOCIATED" { "ASSOCIATING" } else { status };
            assert_eq!(texts(&rows, "status"), vec![pending; 16]);
        }
        // Every invitation was taken back with its association.
        for account in accounts {
            assert!(invitations(&server.account(&account), &share).await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn one_token_used_many_times_at_once_makes_one_share() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "once", "principals": [CONSUMER], "clientToken": "once"});
        let replies = join_all((0..16).map(|_| owner.call("CreateResourceShare", &input))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (200, &replies[0].text));
        }
        assert_eq!(share_arns(&owner, "SELF").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_answer_and_the_end_of_the_offer_at_once_leave_no_half() {
    for_each_store(async |server| {
        for number in 0..8 {
            let offer = Offer::pending(&server, &[gateway(number)]).await;
            let delete = json!({"resourceShareArn": offer.share});
            let named = offer.named();
            let (accepted, deleted) = tokio::join!(
                offer.consumer.call("AcceptResourceShareInvitation", &named),
                offer.owner.call("DeleteResourceShare", &delete),
            );
            assert_eq!(deleted.status, 200, "{}", deleted.text);
            if accepted.status != 200 {
                assert_eq!(accepted.error_code, "ResourceShareInvitationArnNotFoundException");
            }
            assert_eq!(offer.principal().await["status"], "DISASSOCIATED");
            assert!(invitations(&offer.consumer, &offer.share).await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn many_owners_at_once_do_not_meet() {
    for_each_store(async |server| {
        let owners: Vec<_> = (0..24).map(|n| server.account(&format!("5555555555{n:02}"))).collect();
        let input = json!({"name": "n", "principals": [CONSUMER]});
        let made = join_all(owners.iter().map(|owner| create(owner, &input))).await;
        for (owner, share) in owners.iter().zip(&made) {
            assert_eq!(share_arns(owner, "SELF").await, [share.as_str()]);
        }
        let consumer = server.account(CONSUMER);
        let received = consumer.ok("GetResourceShareInvitations", &json!({})).await;
        let arns = texts(&received["resourceShareInvitations"], "resourceShareInvitationArn");
        assert_eq!(arns.len(), 24);
        let inputs: Vec<_> = arns.iter().map(|arn| json!({"resourceShareInvitationArn": arn})).collect();
        let accepts = inputs.iter().map(|input| consumer.ok("AcceptResourceShareInvitation", input));
        join_all(accepts).await;
        assert_eq!(share_arns(&consumer, "OTHER-ACCOUNTS").await.len(), 24);
    })
    .await;
}
