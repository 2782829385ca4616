//! Quotas: each refuses what would go beyond it, and what is over makes room again.

use std::time::Duration;

use rampart_core::Quotas;
use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, STRANGER, component, create, gateway, pending_invitation};

const ASSOCIATE: &str = "AssociateResourceShare";
const DISASSOCIATE: &str = "DisassociateResourceShare";
const EXCEEDED: &str = "ResourceShareLimitExceeded";
const HOUR: Duration = Duration::from_hours(1);

fn with(quotas: Quotas) -> Settings {
    Settings { quotas, ..settings() }
}

fn account(number: u32) -> String {
    format!("4{number:011}")
}

fn accounts(from: u32, to: u32) -> Value {
    json!((from..to).map(account).collect::<Vec<_>>())
}

fn gateways(from: u32, to: u32) -> Value {
    json!((from..to).map(gateway).collect::<Vec<_>>())
}

async fn change(owner: &Client, operation: &str, share: &str, member: &str, entities: Value) {
    owner.ok(operation, &json!({"resourceShareArn": share, member: entities})).await;
}

async fn exceeds(owner: &Client, share: &str, member: &str, entities: Value) {
    let input = json!({"resourceShareArn": share, member: entities});
    assert_eq!(owner.refused(ASSOCIATE, &input).await, EXCEEDED, "{input}");
}

#[tokio::test]
async fn resource_shares() {
    let quotas = Quotas { resource_shares: 2, ..Quotas::default() };
    for_each_store_with(with(quotas), async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "a"})).await;
        create(&owner, &json!({"name": "b"})).await;
        assert_eq!(owner.refused("CreateResourceShare", &json!({"name": "c"})).await, EXCEEDED);
        // Of an account in a Region, not of all.
        create(&server.account(STRANGER), &json!({"name": "c"})).await;
        create(&owner.in_region("us-east-1"), &json!({"name": "c"})).await;
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        create(&owner, &json!({"name": "c"})).await;
        assert_eq!(owner.refused("CreateResourceShare", &json!({"name": "d"})).await, EXCEEDED);
    })
    .await;
}

#[tokio::test]
async fn resources_of_one_share() {
    let quotas = Quotas { resources_per_share: 2, ..Quotas::default() };
    for_each_store_with(with(quotas), async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "resourceArns": gateways(0, 3)});
        assert_eq!(owner.refused("CreateResourceShare", &input).await, EXCEEDED);
        let share = create(&owner, &json!({"name": "n", "resourceArns": gateways(0, 2)})).await;
        exceeds(&owner, &share, "resourceArns", gateways(2, 3)).await;
        // Those that are in already need no room.
        change(&owner, ASSOCIATE, &share, "resourceArns", gateways(0, 2)).await;
        change(&owner, DISASSOCIATE, &share, "resourceArns", gateways(0, 1)).await;
        change(&owner, ASSOCIATE, &share, "resourceArns", gateways(2, 3)).await;
        exceeds(&owner, &share, "resourceArns", gateways(0, 1)).await;
        create(&owner, &json!({"name": "n", "resourceArns": gateways(0, 2)})).await;
    })
    .await;
}

#[tokio::test]
async fn principals_of_one_share() {
    let quotas = Quotas { principals_per_share: 2, ..Quotas::default() };
    for_each_store_with(with(quotas), async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "resourceArns": [component(1)], "principals": accounts(0, 2)});
        let share = create(&owner, &input).await;
        exceeds(&owner, &share, "principals", accounts(2, 3)).await;
        change(&owner, DISASSOCIATE, &share, "principals", accounts(0, 1)).await;
        change(&owner, ASSOCIATE, &share, "principals", accounts(2, 3)).await;
        exceeds(&owner, &share, "principals", accounts(3, 4)).await;
        // Who let the invitation expire makes room, whether or not background work noticed.
        server.advance(12 * HOUR);
        change(&owner, ASSOCIATE, &share, "principals", accounts(4, 6)).await;
        exceeds(&owner, &share, "principals", accounts(6, 7)).await;
    })
    .await;
}

#[tokio::test]
async fn associations_over_all_shares() {
    let quotas = Quotas { resource_associations: 3, principal_associations: 3, ..Quotas::default() };
    for_each_store_with(with(quotas), async |server| {
        let owner = server.account(OWNER);
        // A resource in two shares counts twice.
        let both = json!({"name": "n", "resourceArns": gateways(0, 1), "principals": accounts(0, 1)});
        let first = create(&owner, &both).await;
        let second = create(&owner, &both).await;
        exceeds(&owner, &first, "resourceArns", gateways(1, 3)).await;
        exceeds(&owner, &first, "principals", accounts(1, 3)).await;
        change(&owner, ASSOCIATE, &first, "resourceArns", gateways(1, 2)).await;
        change(&owner, ASSOCIATE, &first, "principals", accounts(1, 2)).await;
        exceeds(&owner, &second, "resourceArns", gateways(1, 2)).await;
        exceeds(&owner, &second, "principals", accounts(1, 2)).await;
        // One that is rejected, and all of a deleted share, make room.
        let consumer = server.account(&account(1));
        let named = json!({"resourceShareInvitationArn": pending_invitation(&consumer, &first).await});
        consumer.ok("RejectResourceShareInvitation", &named).await;
        change(&owner, ASSOCIATE, &second, "principals", accounts(1, 2)).await;
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": first})).await;
        change(&owner, ASSOCIATE, &second, "resourceArns", gateways(1, 3)).await;
        change(&owner, ASSOCIATE, &second, "principals", accounts(2, 3)).await;
        exceeds(&owner, &second, "resourceArns", gateways(3, 4)).await;
    })
    .await;
}

#[tokio::test]
async fn sources_of_one_share() {
    let quotas = Quotas { sources_per_share: 2, ..Quotas::default() };
    for_each_store_with(with(quotas), async |server| {
        let owner = server.account(OWNER);
        let service = json!({"name": "n", "principals": ["acm.amazonaws.com"], "sources": accounts(0, 2)});
        let share = create(&owner, &service).await;
        exceeds(&owner, &share, "sources", accounts(2, 3)).await;
        change(&owner, DISASSOCIATE, &share, "sources", accounts(0, 1)).await;
        change(&owner, ASSOCIATE, &share, "sources", accounts(2, 3)).await;
    })
    .await;
}

/// Twenty shares that wait for an answer; the quota of AWS is used up.
async fn twenty(server: &TestServer) -> (Client, Vec<String>) {
    let owner = server.account(OWNER);
    let mut shares = Vec::new();
    for _ in 0..4 {
        let input = json!({"name": "n", "resourceArns": [component(1)], "principals": accounts(0, 5)});
        shares.push(create(&owner, &input).await);
    }
    let one_more = json!({"name": "n", "principals": [CONSUMER]});
    assert_eq!(owner.refused("CreateResourceShare", &one_more).await, EXCEEDED);
    exceeds(&owner, &shares[0], "principals", accounts(5, 6)).await;
    (owner, shares)
}

/// How many more can be invited, one after the other.
async fn room(owner: &Client) -> u32 {
    let share = create(owner, &json!({"name": "room"})).await;
    for number in 100..130 {
        let input = json!({"resourceShareArn": share, "principals": [account(number)]});
        let reply = owner.call(ASSOCIATE, &input).await;
        if reply.status != 200 {
            assert_eq!(reply.error_code, "ResourceShareLimitExceededException");
            owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
            return number - 100;
        }
    }
    panic!("no end of invitations");
}

#[tokio::test]
async fn twenty_invitations_may_be_pending_and_every_end_makes_room() {
    for_each_store(async |server| {
        let (owner, shares) = twenty(&server).await;
        let [accepts, rejects] = [0, 1].map(|number| server.account(&account(number)));
        let named = json!({"resourceShareInvitationArn": pending_invitation(&accepts, &shares[0]).await});
        accepts.ok("AcceptResourceShareInvitation", &named).await;
        assert_eq!(room(&owner).await, 1, "an answer makes room");
        // A role of an account that was invited needs no invitation of its own.
        let role = format!("arn:aws:iam::{}:role/r", account(0));
        change(&owner, DISASSOCIATE, &shares[0], "resourceArns", json!([component(1)])).await;
        change(&owner, ASSOCIATE, &shares[0], "principals", json!([role])).await;
        let named = json!({"resourceShareInvitationArn": pending_invitation(&rejects, &shares[0]).await});
        rejects.ok("RejectResourceShareInvitation", &named).await;
        assert_eq!(room(&owner).await, 2, "a rejection does too");
        change(&owner, DISASSOCIATE, &shares[0], "principals", accounts(2, 5)).await;
        assert_eq!(room(&owner).await, 5, "and a removal");
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": shares[1]})).await;
        assert_eq!(room(&owner).await, 10, "and the end of a share");
        server.sweep().await;
        assert_eq!(room(&owner).await, 10, "once");
        // And an expiry, though no background work has run since.
        server.advance(12 * HOUR);
        assert_eq!(room(&owner).await, 20);
        server.sweep().await;
        assert_eq!(room(&owner).await, 20);
    })
    .await;
}

#[tokio::test]
async fn a_share_deleted_while_its_invitations_were_overdue_is_counted_out_once() {
    for_each_store(async |server| {
        let (owner, shares) = twenty(&server).await;
        server.advance(11 * HOUR);
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": shares[0]})).await;
        let input = json!({"name": "n", "principals": accounts(0, 5)});
        create(&owner, &input).await;
        server.advance(HOUR);
        // Fifteen expire; five, in a share without resources, have seven days.
        server.sweep().await;
        assert_eq!(room(&owner).await, 15);
    })
    .await;
}

#[tokio::test]
async fn inviting_again_after_an_unnoticed_expiry_takes_one_place() {
    let quotas = Quotas { pending_invitations: 3, ..Quotas::default() };
    for_each_store_with(with(quotas), async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "resourceArns": [component(1)], "principals": [CONSUMER]});
        let share = create(&owner, &input).await;
        for _ in 0..5 {
            server.advance(12 * HOUR);
            change(&owner, ASSOCIATE, &share, "principals", json!([CONSUMER])).await;
        }
        change(&owner, ASSOCIATE, &share, "principals", accounts(0, 2)).await;
        exceeds(&owner, &share, "principals", accounts(2, 3)).await;
        server.advance(13 * HOUR);
        server.sweep().await;
        assert_eq!(room(&owner).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_call_names_a_hundred_of_each() {
    let quotas = Quotas { pending_invitations: 1000, sources_per_share: 1000, ..Quotas::default() };
    for_each_store_with(with(quotas), async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n"})).await;
        exceeds(&owner, &share, "resourceArns", gateways(0, 101)).await;
        exceeds(&owner, &share, "principals", accounts(0, 101)).await;
        let service = create(&owner, &json!({"name": "n", "principals": ["acm.amazonaws.com"]})).await;
        exceeds(&owner, &service, "sources", accounts(0, 101)).await;
        change(&owner, ASSOCIATE, &service, "sources", accounts(0, 100)).await;
        let input = json!({
            "resourceShareArn": share, "resourceArns": gateways(0, 100), "principals": accounts(0, 100),
        });
        owner.ok(ASSOCIATE, &input).await;
        let over = json!({"resourceShareArn": share, "resourceArns": gateways(0, 101)});
        assert_eq!(owner.refused(DISASSOCIATE, &over).await, EXCEEDED);
        owner.ok(DISASSOCIATE, &input).await;
        let again = json!({"name": "n", "resourceArns": gateways(0, 101)});
        assert_eq!(owner.refused("CreateResourceShare", &again).await, EXCEEDED);
        // Named twice is named once.
        let mut twice = gateways(0, 100).as_array().unwrap().clone();
        twice.extend(twice.clone());
        create(&owner, &json!({"name": "n", "resourceArns": twice})).await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_call_uses_nothing_up() {
    let quotas = Quotas { pending_invitations: 2, resources_per_share: 1, ..Quotas::default() };
    for_each_store_with(with(quotas), async |server| {
        let owner = server.account(OWNER);
        let over = json!({"name": "n", "resourceArns": gateways(0, 2), "principals": accounts(0, 2)});
        for _ in 0..3 {
            assert_eq!(owner.refused("CreateResourceShare", &over).await, EXCEEDED);
        }
        assert_eq!(server.count("resource_share") + server.count("owner_usage"), 0);
        assert_eq!(room(&owner).await, 2);
    })
    .await;
}
