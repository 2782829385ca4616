//! What is over stays visible for a while, is then gone, and its rows are removed: after its retention and not before.

use std::time::Duration;

use rampart_core::Timing;
use rampart_core::timing::{DAY_MS, HOUR_MS};
use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{TestServer, for_each_store};
use serde_json::json;

use crate::sharing::{
    CONSUMER, OWNER, Offer, associations, component, create, gateway, invitations, list, share, share_refused,
};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MINUTE: Duration = Duration::from_mins(1);

/// Sweeps, and says how many rows the tables of sharing have: shares, tags, associations, invitations.
async fn swept(server: &TestServer) -> [u32; 4] {
    server.sweep().await;
    ["resource_share", "resource_share_tag", "association", "invitation"].map(|table| server.count(table))
}

#[tokio::test]
async fn a_deleted_share_goes_after_two_hours_with_all_that_was_in_it() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let tag = json!({"resourceShareArn": offer.share, "tags": [{"key": "k", "value": "v"}]});
        offer.owner.ok("TagResource", &tag).await;
        let input = json!({"resourceShareArn": offer.share, "principals": ["444444444444"]});
        offer.owner.ok("AssociateResourceShare", &input).await;
        assert_eq!(swept(&server).await, [1, 1, 3, 2]);
        offer.delete().await;

        let mut seen = Vec::new();
        for _ in 0..2 {
            // Before background work came, and after it.
            for (client, view) in [(&offer.owner, "SELF"), (&offer.consumer, "OTHER-ACCOUNTS")] {
                seen.push(share(client, view, &offer.share).await);
                assert_eq!(seen.last().unwrap()["status"], "DELETED", "{view}");
                let input = json!({"resourceOwner": view, "resourceShareStatus": "DELETED"});
                let found = client.ok("GetResourceShares", &input).await;
                assert_eq!(list(&found["resourceShares"]).len(), 1, "{view}");
            }
            for kind in ["PRINCIPAL", "RESOURCE"] {
                for row in list(&associations(&offer.owner, kind, &offer.share).await) {
                    assert_eq!(row["status"], "DISASSOCIATED", "{row}");
                }
            }
            assert!(invitations(&offer.consumer, &offer.share).await.is_empty());
            assert_eq!(swept(&server).await, [1, 1, 3, 0]);
        }
        assert_eq!(seen[..2], seen[2..]);

        server.advance(Duration::from_mins(119));
        assert_eq!(swept(&server).await, [1, 1, 3, 0]);
        assert_eq!(share(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await["status"], "DELETED");
        server.advance(MINUTE);
        // Gone at once, whether or not its rows are.
        for _ in 0..2 {
            assert_eq!(share_refused(&offer.owner, "SELF", &offer.share).await, "UnknownResource");
            let refused = share_refused(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await;
            assert_eq!(refused, "UnknownResource");
            assert_eq!(swept(&server).await, [0, 0, 0, 0]);
        }
        assert_eq!(server.sweep().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_disassociated_row_goes_after_two_hours() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let input =
            json!({"resourceShareArn": offer.share, "resourceArns": [gateway(1)], "principals": [CONSUMER]});
        offer.owner.ok("DisassociateResourceShare", &input).await;
        server.advance(Duration::from_mins(119));
        assert_eq!(swept(&server).await, [1, 0, 2, 0]);
        assert_eq!(offer.principal().await["status"], "DISASSOCIATED");
        server.advance(MINUTE);
        assert!(list(&associations(&offer.owner, "PRINCIPAL", &offer.share).await).is_empty());
        assert_eq!(swept(&server).await, [1, 0, 0, 0]);
        // Gone: nothing to remove any more.
        assert_eq!(offer.owner.refused("DisassociateResourceShare", &input).await, "UnknownResource");
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_associated_again_is_not_swept_away() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n", "resourceArns": [gateway(1)]})).await;
        let input = json!({"resourceShareArn": share, "resourceArns": [gateway(1)]});
        owner.ok("DisassociateResourceShare", &input).await;
        server.advance(3 * HOUR);
        owner.ok("AssociateResourceShare", &input).await;
        server.advance(3 * HOUR);
        assert_eq!(swept(&server).await, [1, 0, 1, 0]);
        let rows = list(&associations(&owner, "RESOURCE", &share).await);
        assert_eq!((rows.len(), &rows[0]["status"]), (1, &json!("ASSOCIATED")));
    })
    .await;
}

#[tokio::test]
async fn a_rejected_invitation_goes_after_seven_days() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        offer.reject().await;
        server.advance(Duration::from_mins(7 * 24 * 60 - 1));
        // Its association went after two hours.
        assert_eq!(swept(&server).await, [1, 0, 1, 1]);
        assert_eq!(offer.invitation().await["status"], "REJECTED");
        server.advance(MINUTE);
        assert!(invitations(&offer.consumer, &offer.share).await.is_empty());
        assert_eq!(swept(&server).await, [1, 0, 1, 0]);
    })
    .await;
}

#[tokio::test]
async fn an_expired_invitation_goes_seven_days_after_its_expiry() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        server.advance(Duration::from_mins(12 * 60 - 1));
        assert_eq!(swept(&server).await, [1, 0, 2, 1]);
        assert_eq!(offer.invitation().await["status"], "PENDING");
        server.advance(MINUTE);
        let expired = offer.invitation().await;
        let principal = offer.principal().await;
        assert_eq!((&expired["status"], &principal["status"]), (&json!("EXPIRED"), &json!("DISASSOCIATED")));
        assert_eq!(swept(&server).await, [1, 0, 2, 1]);
        // Written down or not, clients see the same.
        assert_eq!((offer.invitation().await, offer.principal().await), (expired, principal));
        server.advance(2 * HOUR);
        assert_eq!(swept(&server).await, [1, 0, 1, 1]);
        server.advance(Duration::from_hours(7 * 24 - 3));
        assert_eq!(swept(&server).await, [1, 0, 1, 1]);
        server.advance(HOUR);
        assert_eq!(swept(&server).await, [1, 0, 1, 0]);
        let code = offer.consumer.refused("AcceptResourceShareInvitation", &offer.named()).await;
        assert_eq!(code, "ResourceShareInvitationArnNotFound");
    })
    .await;
}

#[tokio::test]
async fn an_accepted_invitation_stays_as_long_as_its_association() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        server.advance(400 * DAY);
        assert_eq!(swept(&server).await, [1, 0, 2, 1]);
        assert_eq!(offer.invitation().await["status"], "ACCEPTED");
        let remove = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.owner.ok("DisassociateResourceShare", &remove).await;
        assert!(invitations(&offer.consumer, &offer.share).await.is_empty());
        assert_eq!(server.count("invitation"), 0);
    })
    .await;
}

#[tokio::test]
async fn as_aws_an_accepted_invitation_is_forgotten_and_the_share_stays() {
    let timing = Timing { accepted_invitation_visible_ms: Some(7 * DAY_MS), ..Timing::default() };
    for_each_store_with(Settings { timing, ..settings() }, async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        server.advance(Duration::from_mins(7 * 24 * 60 - 1));
        assert_eq!(swept(&server).await, [1, 0, 2, 1]);
        assert_eq!(offer.invitation().await["status"], "ACCEPTED");
        server.advance(MINUTE);
        for left in [1, 0] {
            // Not seen any more by any way to ask, whether or not its row is gone.
            let by_arn = json!({"resourceShareInvitationArns": [offer.invitation]});
            let code = offer.consumer.refused("GetResourceShareInvitations", &by_arn).await;
            assert_eq!(code, "ResourceShareInvitationArnNotFound");
            assert!(invitations(&offer.consumer, &offer.share).await.is_empty());
            let all = offer.consumer.ok("GetResourceShareInvitations", &json!({})).await;
            assert!(list(&all["resourceShareInvitations"]).is_empty());
            assert_eq!(server.count("invitation"), left);
            server.sweep().await;
        }
        assert_eq!(offer.principal().await["status"], "ASSOCIATED");
        assert_eq!(share(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await["status"], "ACTIVE");
        // And it can still be left.
        let leave = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.consumer.ok("DisassociateResourceShare", &leave).await;
    })
    .await;
}

#[tokio::test]
async fn every_retention_is_a_setting() {
    let timing = Timing {
        settle_delay_ms: 0,
        deleted_share_visible_ms: 4 * HOUR_MS,
        deleted_permission_visible_ms: 3 * HOUR_MS,
        finished_work_visible_ms: 5 * HOUR_MS,
        ended_association_visible_ms: HOUR_MS,
        answered_invitation_visible_ms: 6 * HOUR_MS,
        accepted_invitation_visible_ms: None,
        ..Timing::default()
    };
    for_each_store_with(Settings { timing, event_kept_ms: 8 * HOUR_MS, ..settings() }, async |server| {
        let rejected = Offer::pending(&server, &[gateway(1)]).await;
        rejected.reject().await;
        let deleted = Offer::accepted(&server, &[gateway(1)]).await;
        deleted.delete().await;
        assert_eq!(swept(&server).await, [2, 0, 4, 1]);
        server.advance(HOUR);
        // The rejected principal's row is gone; what ended with its share is hidden, and goes with it.
        assert_eq!(swept(&server).await, [2, 0, 3, 1]);
        assert!(list(&associations(&deleted.owner, "RESOURCE", &deleted.share).await).is_empty());
        assert!(list(&associations(&rejected.owner, "PRINCIPAL", &rejected.share).await).is_empty());
        server.advance(3 * HOUR);
        assert_eq!(swept(&server).await, [1, 0, 1, 1]);
        server.advance(2 * HOUR);
        assert_eq!(swept(&server).await, [1, 0, 1, 0]);
        assert!(server.count("sharing_event") > 0);
        server.advance(2 * HOUR);
        server.sweep().await;
        assert_eq!(server.count("sharing_event"), 0);
    })
    .await;
}

#[tokio::test]
async fn client_tokens_and_events_are_removed_when_their_time_is_over() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "clientToken": "t", "resourceArns": [gateway(1)]});
        create(&owner, &input).await;
        owner.with_invocation("i-1").ok("CreateResourceShare", &json!({"name": "m"})).await;
        assert_eq!((server.count("client_token"), server.count("sharing_event")), (2, 1));
        server.advance(9 * MINUTE);
        server.sweep().await;
        assert_eq!(server.count("client_token"), 2);
        server.advance(MINUTE);
        server.sweep().await;
        assert_eq!(server.count("client_token"), 1);
        server.advance(Duration::from_mins(24 * 60 - 11));
        server.sweep().await;
        assert_eq!(server.count("client_token"), 1);
        server.advance(MINUTE);
        server.sweep().await;
        assert_eq!((server.count("client_token"), server.count("sharing_event")), (0, 1));
        server.advance(6 * DAY);
        server.sweep().await;
        assert_eq!(server.count("sharing_event"), 0);
    })
    .await;
}

#[tokio::test]
async fn the_change_log_is_trimmed() {
    for_each_store_with(Settings { change_log_kept_ms: HOUR_MS, ..settings() }, async |server| {
        let owner = server.account(OWNER);
        for _ in 0..1_100 {
            create(&owner, &json!({"name": "n"})).await;
        }
        server.advance(50 * MINUTE);
        create(&owner, &json!({"name": "last"})).await;
        server.sweep().await;
        assert_eq!(server.count("change_log"), 1_101);
        server.advance(20 * MINUTE);
        server.sweep().await;
        assert_eq!(server.count("change_log"), 1);
        // What the log told is in the tables.
        let shares = owner.ok("GetResourceShares", &json!({"resourceOwner": "SELF", "name": "last"})).await;
        assert_eq!(list(&shares["resourceShares"]).len(), 1);
    })
    .await;
}
