//! A consumer leaves a share: DisassociateResourceShare of its own account.

use rampart_core::catalog::Catalog;
use rampart_server::Settings;
use rampart_testkit::for_each_store;
use rampart_testkit::server::{for_each_store_with, settings};
use serde_json::json;

use crate::sharing::{
    CONSUMER, OWNER, Offer, STRANGER, component, create, gateway, pending_invitation, share_arns,
    share_refused,
};

const DISASSOCIATE: &str = "DisassociateResourceShare";

#[tokio::test]
async fn a_share_of_the_older_types_can_be_left() {
    for_each_store(async |server| {
        for resources in [vec![gateway(1)], vec![]] {
            let offer = Offer::accepted(&server, &resources).await;
            let token = format!("bye-{}", resources.len());
            let leave =
                json!({"resourceShareArn": offer.share, "principals": [CONSUMER], "clientToken": token});
            let first = offer.consumer.call(DISASSOCIATE, &leave).await;
            let expected = json!({
                "resourceShareAssociations": [{
                    "resourceShareArn": offer.share,
                    "associatedEntity": CONSUMER,
                    "associationType": "PRINCIPAL",
                    "status": "DISASSOCIATING",
                    "external": false,
                }],
                "clientToken": token,
            });
            assert_eq!((first.status, first.json), (200, expected), "{}", first.text);
            assert!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await.is_empty());
            let gone = share_refused(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await;
            assert_eq!(gone, "UnknownResource");
            assert_eq!(offer.principal().await["status"], "DISASSOCIATED");

            // With its token the answer again, without it there is nothing to leave.
            assert_eq!(offer.consumer.call(DISASSOCIATE, &leave).await.text, first.text);
            let again = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
            assert_eq!(offer.consumer.refused(DISASSOCIATE, &again).await, "UnknownResource");
            // The owner may remove whoever left (Terraform does).
            offer.owner.ok(DISASSOCIATE, &again).await;

            // And may invite again.
            offer.owner.ok("AssociateResourceShare", &again).await;
            let second = pending_invitation(&offer.consumer, &offer.share).await;
            let accept = json!({"resourceShareInvitationArn": second});
            offer.consumer.ok("AcceptResourceShareInvitation", &accept).await;
            assert_eq!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await, [offer.share.as_str()]);
            offer.consumer.ok(DISASSOCIATE, &again).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_share_of_the_newer_types_cannot_be_left() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1), component(1)]).await;
        let leave = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        assert_eq!(offer.consumer.refused(DISASSOCIATE, &leave).await, "OperationNotPermitted");
        assert_eq!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await, [offer.share.as_str()]);
        // Until the last resource of a newer type is out.
        let remove = json!({"resourceShareArn": offer.share, "resourceArns": [component(1)]});
        offer.owner.ok(DISASSOCIATE, &remove).await;
        offer.consumer.ok(DISASSOCIATE, &leave).await;
    })
    .await;
}

#[tokio::test]
async fn who_is_no_member_finds_nothing_to_leave() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let leave = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        // Pending is not a member yet.
        assert_eq!(offer.consumer.refused(DISASSOCIATE, &leave).await, "UnknownResource");
        let stranger = server.account(STRANGER);
        let other = json!({"resourceShareArn": offer.share, "principals": [STRANGER]});
        assert_eq!(stranger.refused(DISASSOCIATE, &other).await, "UnknownResource");
        offer.accept().await;
        assert_eq!(stranger.refused(DISASSOCIATE, &leave).await, "UnknownResource");
        // A member can take out itself and nothing else.
        for input in [
            json!({"resourceShareArn": offer.share, "principals": [CONSUMER, OWNER]}),
            json!({"resourceShareArn": offer.share, "principals": [CONSUMER], "resourceArns": [gateway(1)]}),
            json!({"resourceShareArn": offer.share, "resourceArns": [gateway(1)]}),
        ] {
            assert_eq!(offer.consumer.refused(DISASSOCIATE, &input).await, "UnknownResource");
        }
        let abroad = offer.consumer.in_region("us-east-1");
        assert_eq!(abroad.refused(DISASSOCIATE, &leave).await, "UnknownResource");
        offer.delete().await;
        assert_eq!(offer.consumer.refused(DISASSOCIATE, &leave).await, "UnknownResource");
    })
    .await;
}

#[tokio::test]
async fn a_member_by_a_role_cannot_leave_as_an_account() {
    for_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let role = format!("arn:aws:iam::{CONSUMER}:role/Reader");
        let arn = create(&owner, &json!({"name": "n", "principals": [role]})).await;
        let accept = json!({"resourceShareInvitationArn": pending_invitation(&consumer, &arn).await});
        consumer.ok("AcceptResourceShareInvitation", &accept).await;
        let leave = json!({"resourceShareArn": arn, "principals": [CONSUMER]});
        assert_eq!(consumer.refused(DISASSOCIATE, &leave).await, "OperationNotPermitted");
    })
    .await;
}

#[tokio::test]
async fn a_setting_lifts_the_rule_of_the_types_and_no_other() {
    let settings = Settings { leave_any_type: true, ..settings() };
    for_each_store_with(settings, async |server| {
        let offer = Offer::accepted(&server, &[gateway(1), component(1)]).await;
        let leave = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.consumer.ok(DISASSOCIATE, &leave).await;
        assert!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await.is_empty());
        let role = format!("arn:aws:iam::{CONSUMER}:role/Reader");
        let input = json!({"name": "n", "resourceArns": [component(1)], "principals": [role]});
        let arn = create(&offer.owner, &input).await;
        let leave = json!({"resourceShareArn": arn, "principals": [CONSUMER]});
        assert_eq!(offer.consumer.refused(DISASSOCIATE, &leave).await, "UnknownResource");
        let accept = json!({"resourceShareInvitationArn": pending_invitation(&offer.consumer, &arn).await});
        offer.consumer.ok("AcceptResourceShareInvitation", &accept).await;
        assert_eq!(offer.consumer.refused(DISASSOCIATE, &leave).await, "OperationNotPermitted");
    })
    .await;
}

/// The fourteen types of the older generation can be left, each of the others cannot (reference §5.1, §5.5).
#[tokio::test]
async fn the_types_that_can_be_left_are_fourteen() {
    let long: Vec<_> = Catalog::embedded()
        .types()
        .iter()
        .filter(|entry| entry.has_long_invitation())
        .map(|entry| entry.name.as_str())
        .collect();
    let mut expected = [
        "ec2:CapacityReservation",
        "ec2:CoipPool",
        "ec2:DedicatedHost",
        "ec2:LocalGatewayRouteTable",
        "ec2:PrefixList",
        "ec2:Subnet",
        "ec2:TrafficMirrorTarget",
        "ec2:TransitGateway",
        "ec2:TransitGatewayMulticastDomain",
        "license-manager:LicenseConfiguration",
        "outposts:Outpost",
        "outposts:Site",
        "rds:Cluster",
        "route53resolver:ResolverRule",
    ];
    expected.sort_unstable();
    let mut long = long;
    long.sort_unstable();
    assert_eq!(long, expected);
}
