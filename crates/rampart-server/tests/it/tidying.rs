//! Background work among much that is due: what is over is written down as it was, nothing is orphaned, and what stays
//! visible stays.

use std::time::Duration;

use rampart_core::event::Subject;
use rampart_core::{Quotas, SharingEvent, TimestampMs};
use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{
    CONSUMER, OWNER, Offer, associations, component, create, gateway, invitations, list, only, share_refused,
    text,
};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const GET: &str = "GetResourceShareInvitations";
/// More than background work looks for at once.
const MANY: u32 = 600;

fn account(number: u32) -> String {
    format!("4{number:011}")
}

/// A deleted share whose many invitations are the first to expire, and two shares with one each.
async fn crowded(server: &TestServer) -> (Client, [String; 2]) {
    let owner = server.account(OWNER);
    let crowd = create(&owner, &json!({"name": "crowd"})).await;
    for from in (0..MANY).step_by(100) {
        let principals: Vec<_> = (from..from + 100).map(account).collect();
        let input = json!({"resourceShareArn": crowd, "principals": principals});
        owner.ok("AssociateResourceShare", &input).await;
    }
    server.advance(HOUR);
    let one = json!({"name": "n", "principals": [CONSUMER]});
    let shares = [create(&owner, &one).await, create(&owner, &one).await];
    owner.ok("DeleteResourceShare", &json!({"resourceShareArn": crowd})).await;
    (owner, shares)
}

fn roomy() -> Settings {
    Settings { quotas: Quotas { pending_invitations: 100_000, ..Quotas::default() }, ..settings() }
}

fn usage(server: &TestServer) -> Vec<String> {
    server.sql("SELECT resource_shares, resources, principals, pending_invitations FROM owner_usage")
}

fn waiting(server: &TestServer) -> Vec<String> {
    server.sql("SELECT count(*) FROM association WHERE standing = 0")
}

#[tokio::test]
async fn a_deleted_shares_many_invitations_stand_in_no_others_way() {
    for_each_store_with(roomy(), async |server| {
        crowded(&server).await;
        server.advance(15 * DAY);
        server.sweep().await;
        assert_eq!(waiting(&server), ["0"]);
        assert_eq!(usage(&server), ["2|0|0|0"]);
        assert_eq!((server.count("invitation"), server.count("association")), (0, 0));
        assert_eq!(server.count("resource_share"), 2);
    })
    .await;
}

#[tokio::test]
async fn a_call_that_needs_room_tidies_behind_a_deleted_shares_many_invitations() {
    for_each_store_with(roomy(), async |server| {
        let (owner, [share, other]) = crowded(&server).await;
        server.advance(8 * DAY);
        // The principal that expired would be of another kind than this one.
        let service = json!({"resourceShareArn": share, "principals": ["acm.amazonaws.com"]});
        owner.ok("AssociateResourceShare", &service).await;
        let rows = server.sql("SELECT count(*) FROM association WHERE standing = 2");
        assert_eq!(rows, ["2"]);
        let events = server.sql("SELECT payload FROM sharing_event ORDER BY part, seq, idx, n");
        let events = events.iter().map(|line| serde_json::from_str::<SharingEvent>(line).unwrap());
        let of_other = |event: &SharingEvent| other.ends_with(&event.share.0.to_string());
        let told: Vec<_> = events.filter(of_other).map(|event| event.status).collect();
        assert_eq!(told, ["pending", "associating", "expired", "disassociated"]);
    })
    .await;
}

#[tokio::test]
async fn an_expired_invitation_is_not_removed_while_an_association_waits_on_it() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        server.advance(30 * DAY);
        let now = now(&server);
        assert!(server.reader().await.expired_invitations(now, 9).await.unwrap().is_empty());
        let again = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.owner.ok("AssociateResourceShare", &again).await;
        assert_eq!(server.reader().await.expired_invitations(now, 9).await.unwrap().len(), 1);
    })
    .await;
}

fn now(server: &TestServer) -> TimestampMs {
    server.app().clock().now()
}

#[tokio::test]
async fn deleting_a_share_does_not_change_when_its_invitation_expired() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        // A second principal of the account stands on the same invitation.
        let role = format!("arn:aws:iam::{CONSUMER}:role/r");
        let more = json!({"resourceShareArn": offer.share, "principals": [role]});
        offer.owner.ok("AssociateResourceShare", &more).await;
        let made = server.events(OWNER).await;
        let deadline = TimestampMs(made[1].at.0 + 12 * 3_600_000);
        server.advance(13 * HOUR);
        offer.delete().await;
        let deleted = now(&server);

        let mut seen = Vec::new();
        for _ in 0..2 {
            // Before background work came, and after it.
            seen.push(associations(&offer.owner, "PRINCIPAL", &offer.share).await);
            for row in list(seen.last().unwrap()) {
                assert_eq!(row["status"], "DISASSOCIATED");
                assert_eq!(row["lastUpdatedTime"], serde_json::to_value(deadline).unwrap());
            }
            server.sweep().await;
        }
        assert_eq!(seen[0], seen[1]);
        let told: Vec<_> = server.events(OWNER).await[made.len()..]
            .iter()
            .map(|event| (event.subject, event.status.clone(), event.entity.clone(), event.at == deadline))
            .collect();
        let ended = "disassociated".to_owned();
        let mut principals = told[1..3].to_vec();
        principals.sort_by_key(|(_, _, entity, _)| entity.clone());
        assert_eq!(told[0], (Subject::Invitation, "expired".to_owned(), CONSUMER.to_owned(), true));
        let expected = [CONSUMER, &role]
            .map(|entity| (Subject::PrincipalAssociation, ended.clone(), entity.to_owned(), true));
        assert_eq!(principals, expected);
        assert_eq!(told[3..], [(Subject::ResourceAssociation, ended, component(1), false)]);
        assert!(deadline < deleted);
        assert_eq!(usage(&server), ["0|0|0|0"]);
        assert_eq!(server.sweep().await, 0);
    })
    .await;
}

/// The invitation by each way to ask for it.
async fn every_way(offer: &Offer) -> [Value; 3] {
    let all = offer.consumer.ok(GET, &json!({})).await["resourceShareInvitations"].clone();
    let by_share = json!(invitations(&offer.consumer, &offer.share).await);
    [offer.invitation().await, only(&by_share).clone(), only(&all).clone()]
}

#[tokio::test]
async fn a_rejected_invitation_is_shown_for_seven_days_though_its_share_is_deleted() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        offer.reject().await;
        let rename = json!({"resourceShareArn": offer.share, "name": "renamed"});
        offer.owner.ok("UpdateResourceShare", &rename).await;
        let rejected = offer.invitation().await;
        assert_eq!(
            (text(&rejected["status"]), text(&rejected["resourceShareName"])),
            ("REJECTED".to_owned(), "renamed".to_owned())
        );
        offer.delete().await;
        still_shown(&server, &offer, &rejected, "ResourceShareInvitationAlreadyRejected").await;
    })
    .await;
}

#[tokio::test]
async fn an_expired_invitation_is_shown_for_seven_days_though_its_share_is_deleted() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        server.advance(12 * HOUR);
        let expired = offer.invitation().await;
        assert_eq!(expired["status"], "EXPIRED");
        offer.delete().await;
        still_shown(&server, &offer, &expired, "ResourceShareInvitationExpired").await;
    })
    .await;
}

/// At once, when background work has come, when the share's row is gone, and not after seven days.
async fn still_shown(server: &TestServer, offer: &Offer, invitation: &Value, code: &str) {
    let not_found = "ResourceShareInvitationArnNotFound";
    for wait in [Duration::ZERO, Duration::ZERO, 3 * HOUR, 6 * DAY] {
        server.advance(wait);
        assert_eq!(every_way(offer).await, [invitation, invitation, invitation].map(Clone::clone));
        for operation in [
            "AcceptResourceShareInvitation",
            "RejectResourceShareInvitation",
            "ListPendingInvitationResources",
        ] {
            assert_eq!(offer.consumer.refused(operation, &offer.named()).await, code);
            assert_eq!(offer.owner.refused(operation, &offer.named()).await, not_found);
        }
        server.sweep().await;
    }
    assert_eq!((server.count("resource_share"), server.count("association")), (0, 0));
    assert_eq!(share_refused(&offer.owner, "SELF", &offer.share).await, "UnknownResource");
    server.advance(DAY);
    for left in [1, 0] {
        assert!(invitations(&offer.consumer, &offer.share).await.is_empty());
        let reject = offer.consumer.refused("RejectResourceShareInvitation", &offer.named()).await;
        assert_eq!(reject, not_found);
        assert_eq!(server.count("invitation"), left);
        server.sweep().await;
    }
}
