//! The records of `Resource Sharing State Change`: one for each change, in the transaction of the change, in order.

use std::time::Duration;

use rampart_core::SharingEvent;
use rampart_core::event::Subject;
use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{TestServer, for_each_store};
use serde_json::json;
use uuid::Uuid;

use crate::sharing::{CONSUMER, OWNER, Offer, component, create, gateway, pending_invitation};

const HOUR: Duration = Duration::from_hours(1);
const SERVICE: &str = "pca-connector-ad.amazonaws.com";

/// What happened since the first `known` events, as `subject status entity`.
async fn since(server: &TestServer, known: usize) -> Vec<String> {
    let events = server.events(OWNER).await;
    events[known..].iter().map(line).collect()
}

fn line(event: &SharingEvent) -> String {
    let subject = match event.subject {
        Subject::PrincipalAssociation => "principal",
        Subject::ResourceAssociation => "resource",
        Subject::SourceAssociation => "source",
        Subject::Invitation => "invitation",
    };
    format!("{subject} {} {}", event.status, event.entity)
}

#[tokio::test]
async fn sharing_accepting_and_removing_are_told_in_order() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let made = [
            format!("resource associated {}", gateway(1)),
            format!("invitation pending {CONSUMER}"),
            format!("principal associating {CONSUMER}"),
        ];
        assert_eq!(since(&server, 0).await, made);
        offer.accept().await;
        let accepted =
            [format!("invitation accepted {CONSUMER}"), format!("principal associated {CONSUMER}")];
        assert_eq!(since(&server, 3).await, accepted);

        let both =
            json!({"resourceShareArn": offer.share, "resourceArns": [gateway(1)], "principals": [CONSUMER]});
        offer.owner.ok("AssociateResourceShare", &both).await;
        assert!(since(&server, 5).await.is_empty(), "nothing changed");
        offer.owner.ok("DisassociateResourceShare", &both).await;
        let removed =
            [format!("resource disassociated {}", gateway(1)), format!("principal disassociated {CONSUMER}")];
        assert_eq!(since(&server, 5).await, removed);
        offer.owner.ok("DisassociateResourceShare", &both).await;
        assert!(since(&server, 7).await.is_empty());

        for event in server.events(OWNER).await {
            assert_eq!(event.owner.as_str(), OWNER);
            assert_eq!(event.region.as_str(), "eu-west-1");
            assert!(offer.share.ends_with(&event.share.0.to_string()));
            let of_resource = event.subject == Subject::ResourceAssociation;
            assert_eq!(event.receiver.as_deref(), (!of_resource).then_some(CONSUMER), "{event:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn leaving_and_rejecting_are_told() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[]).await;
        let leave = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.consumer.ok("DisassociateResourceShare", &leave).await;
        assert_eq!(since(&server, 4).await, [format!("principal disassociated {CONSUMER}")]);
        let second = Offer::pending(&server, &[]).await;
        second.reject().await;
        let rejected =
            [format!("invitation rejected {CONSUMER}"), format!("principal disassociated {CONSUMER}")];
        assert_eq!(since(&server, 7).await, rejected);
    })
    .await;
}

#[tokio::test]
async fn service_principals_and_their_sources_are_told() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        create(&owner, &json!({"name": "n", "principals": [SERVICE]})).await;
        let told = [format!("principal associated {SERVICE}"), format!("source associated {OWNER}")];
        assert_eq!(since(&server, 0).await, told);
        let events = server.events(OWNER).await;
        assert!(events.iter().all(|event| event.receiver.is_none()), "{events:?}");
    })
    .await;
}

#[tokio::test]
async fn a_refused_call_tells_nothing() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[component(1)]).await;
        let known = server.events(OWNER).await.len();
        let foreign = gateway(2).replace(OWNER, CONSUMER);
        let (share, owner, consumer) = (&offer.share, &offer.owner, &offer.consumer);
        let role = format!("arn:aws:iam::{CONSUMER}:role/r");
        for (client, operation, input) in [
            (
                owner,
                "AssociateResourceShare",
                json!({"resourceShareArn": share, "resourceArns": [gateway(1), foreign]}),
            ),
            (
                owner,
                "AssociateResourceShare",
                json!({"resourceShareArn": share, "principals": [role, SERVICE]}),
            ),
            (
                owner,
                "DisassociateResourceShare",
                json!({"resourceShareArn": share, "principals": [CONSUMER, "999999999999"]}),
            ),
            (
                consumer,
                "DisassociateResourceShare",
                json!({"resourceShareArn": share, "principals": [CONSUMER]}),
            ),
            (consumer, "AcceptResourceShareInvitation", offer.named()),
            (consumer, "RejectResourceShareInvitation", offer.named()),
            (consumer, "DeleteResourceShare", json!({"resourceShareArn": share})),
            (owner, "CreateResourceShare", json!({"name": "n", "principals": [CONSUMER, "nobody"]})),
        ] {
            client.refused(operation, &input).await;
        }
        assert!(since(&server, known).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_time_does_is_told_by_background_work() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        let made = server.events(OWNER).await;
        server.advance(12 * HOUR);
        server.sweep().await;
        let told = server.events(OWNER).await;
        let lines: Vec<_> = told[3..].iter().map(line).collect();
        let expected =
            [format!("invitation expired {CONSUMER}"), format!("principal disassociated {CONSUMER}")];
        assert_eq!(lines, expected);
        // When it became so, not when it was noticed.
        for event in &told[3..] {
            assert_eq!(event.at.0 - made[1].at.0, 12 * 3_600_000);
        }
        server.sweep().await;
        assert_eq!(server.events(OWNER).await.len(), told.len());
        drop(offer);
    })
    .await;
}

#[tokio::test]
async fn an_expiry_that_nothing_noticed_is_told_when_the_account_is_invited_again() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        server.advance(13 * HOUR);
        let again = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.owner.ok("AssociateResourceShare", &again).await;
        let expected = [
            format!("principal disassociated {CONSUMER}"),
            format!("invitation expired {CONSUMER}"),
            format!("invitation pending {CONSUMER}"),
            format!("principal associating {CONSUMER}"),
        ];
        assert_eq!(since(&server, 3).await, expected);
        let second = pending_invitation(&offer.consumer, &offer.share).await;
        assert_ne!(second, offer.invitation);
        server.sweep().await;
        assert_eq!(since(&server, 7).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn the_ends_of_a_deleted_shares_associations_are_told_once() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let resources: Vec<_> = (0..100).map(gateway).collect();
        let share = create(&owner, &json!({"name": "n", "resourceArns": resources})).await;
        let more: Vec<_> = (100..200).map(gateway).collect();
        let principals = [OWNER, CONSUMER, "444444444444"];
        let input = json!({"resourceShareArn": share, "resourceArns": more, "principals": principals});
        owner.ok("AssociateResourceShare", &input).await;
        let consumer = server.account(CONSUMER);
        let accept = json!({"resourceShareInvitationArn": pending_invitation(&consumer, &share).await});
        consumer.ok("AcceptResourceShareInvitation", &accept).await;
        let known = server.events(OWNER).await.len();
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        assert!(since(&server, known).await.is_empty());
        server.sweep().await;
        let mut told = since(&server, known).await;
        told.sort();
        let mut expected: Vec<_> =
            (0..200).map(|n| format!("resource disassociated {}", gateway(n))).collect();
        expected.extend(principals.map(|id| format!("principal disassociated {id}")));
        expected.sort();
        assert_eq!(told, expected);
        server.advance(3 * HOUR);
        server.sweep().await;
        assert_eq!(since(&server, known).await.len(), expected.len());
    })
    .await;
}

/// A server that was away for so long that the share is past its retention when it comes back.
#[tokio::test]
async fn no_end_is_lost_when_background_work_comes_late() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n"})).await;
        for batch in 0..3 {
            let resources: Vec<_> = (batch * 100..(batch + 1) * 100).map(gateway).collect();
            let input = json!({"resourceShareArn": share, "resourceArns": resources});
            owner.ok("AssociateResourceShare", &input).await;
        }
        let known = server.events(OWNER).await.len();
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        server.advance(3 * HOUR);
        server.sweep().await;
        assert_eq!(since(&server, known).await.len(), 300);
        assert_eq!((server.count("association"), server.count("resource_share")), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_settle_delay_shifts_what_events_say() {
    let slow = Settings {
        timing: rampart_core::Timing { settle_delay_ms: 60_000, ..rampart_core::Timing::default() },
        ..settings()
    };
    for_each_store_with(slow, async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        offer.delete().await;
        server.sweep().await;
        let events = server.events(OWNER).await;
        let now = server.now_s() * 1000.0;
        for event in &events {
            let settled = ["associated", "disassociated"].contains(&event.status.as_str());
            #[expect(clippy::cast_precision_loss, reason = "a time in milliseconds is exact")]
            let ahead = event.at.0 as f64 > now;
            assert_eq!(ahead, settled, "{event:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_envelope_is_eventbridges() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let events = server.events(OWNER).await;
        let id = Uuid::from_u128(7);
        let record = events[0].envelope(id, OWNER.parse().unwrap());
        let expected = json!({
            "version": "0",
            "id": "00000000-0000-0000-0000-000000000007",
            "detail-type": "Resource Sharing State Change",
            "source": "aws.ram",
            "account": OWNER,
            "time": record["time"],
            "region": "eu-west-1",
            "resources": [offer.share],
            "detail": {
                "event": "Resource Share Association",
                "status": "associated",
                "resourceShareArn": offer.share,
                "associatedEntity": gateway(1),
                "associationType": "RESOURCE",
            },
        });
        assert_eq!(record, expected);
        let time = record["time"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
        let detail = &events[1].envelope(id, CONSUMER.parse().unwrap())["detail"];
        let expected = json!({
            "event": "Resource Share Invitation",
            "status": "pending",
            "resourceShareArn": offer.share,
            "associatedEntity": CONSUMER,
        });
        assert_eq!(*detail, expected);
    })
    .await;
}
