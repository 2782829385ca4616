//! Lists that walk share by share: no gap, no item twice, one order, whatever the size of the pages.

use std::time::Duration;

use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{
    CONSUMER, OWNER, STRANGER, collect, component, create, gateway, pending_invitation, text,
};

const RESOURCES: (&str, &str) = ("ListResources", "resources");
const PRINCIPALS: (&str, &str) = ("ListPrincipals", "principals");

/// More shares than are loaded together, from none to five resources in each, some taken out again, some of them made in
/// one moment; the consumer is in all but two of them.
async fn many_shares(server: &TestServer) -> Vec<String> {
    let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
    let mut shares = Vec::new();
    for number in 0..20_u32 {
        let resources: Vec<_> = (0..number % 6).map(gateway).chain([component(1)]).collect();
        let input =
            json!({"name": "n", "resourceArns": resources, "principals": [CONSUMER, OWNER, STRANGER]});
        let share = create(&owner, &input).await;
        if number % 7 != 3 {
            let named = json!({"resourceShareInvitationArn": pending_invitation(&consumer, &share).await});
            consumer.ok("AcceptResourceShareInvitation", &named).await;
        }
        if number % 2 == 1 {
            let out = json!({"resourceShareArn": share, "resourceArns": [component(1)]});
            owner.ok("DisassociateResourceShare", &out).await;
        }
        if number % 3 == 0 {
            server.advance(Duration::from_millis(5));
        }
        shares.push(share);
    }
    let last = json!({"resourceShareArn": shares[19]});
    owner.ok("DeleteResourceShare", &last).await;
    shares
}

/// The list by every size of page is the list as a whole; gives (share, item) in order.
async fn walk(
    client: &Client,
    list: (&str, &str),
    input: &Value,
    id: &str,
    sizes: &[u32],
) -> Vec<(String, String)> {
    let whole = collect(client, list, input, 500).await;
    for size in sizes {
        assert_eq!(collect(client, list, input, *size).await, whole, "{input} by {size}");
    }
    let pairs: Vec<_> = whole.iter().map(|item| (text(&item["resourceShareArn"]), text(&item[id]))).collect();
    let mut distinct = pairs.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), pairs.len(), "{input}: an item came twice");
    pairs
}

fn quotas() -> Settings {
    let quotas = rampart_core::Quotas { pending_invitations: 1000, ..rampart_core::Quotas::default() };
    Settings { quotas, ..settings() }
}

/// What is in share `number` of those above, and whether the consumer is in it.
fn expected(shares: &[String], visible: impl Fn(usize) -> bool) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (number, share) in shares.iter().enumerate().take(19).filter(|(number, _)| visible(*number)) {
        let gateways = u32::try_from(number % 6).unwrap();
        let resources = (0..gateways).map(gateway).chain((number % 2 == 0).then(|| component(1)));
        pairs.extend(resources.map(|arn| (share.clone(), arn)));
    }
    pairs.sort();
    pairs
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

#[tokio::test]
async fn resources_of_all_shares_that_others_share() {
    for_each_store_with(quotas(), async |server| {
        let shares = many_shares(&server).await;
        let consumer = server.account(CONSUMER);
        let accepted = |number: usize| number % 7 != 3;
        let sizes: Vec<u32> = (1..=13).chain([40, 100]).collect();
        let input = json!({"resourceOwner": "OTHER-ACCOUNTS"});
        let found = walk(&consumer, RESOURCES, &input, "arn", &sizes).await;
        assert_eq!(sorted(found.clone()), expected(&shares, accepted));
        // One share after the other.
        let mut in_order: Vec<_> = found.iter().map(|(share, _)| share).collect();
        in_order.dedup();
        assert_eq!(sorted(in_order.clone()).len(), in_order.len(), "a share was left and taken up again");
        for (more, kept) in [
            (json!({"principal": OWNER}), ""),
            (json!({"resourceType": "imagebuilder:Component"}), "component"),
            (json!({"resourceArns": [gateway(0), gateway(4)]}), "tgw-"),
            (json!({"resourceShareArns": [shares[1], shares[4], shares[5], shares[6]]}), ""),
        ] {
            let mut input = input.clone();
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let found = walk(&consumer, RESOURCES, &input, "arn", &[1, 2, 3, 5]).await;
            assert!(!found.is_empty() && found.iter().all(|(_, arn)| arn.contains(kept)), "{more}");
        }
    })
    .await;
}

#[tokio::test]
async fn resources_and_principals_that_meet_in_a_share() {
    for_each_store_with(quotas(), async |server| {
        let shares = many_shares(&server).await;
        let owner = server.account(OWNER);
        let sizes: Vec<u32> = (1..=9).chain([40]).collect();
        let input = json!({"resourceOwner": "SELF", "principal": STRANGER});
        let found = walk(&owner, RESOURCES, &input, "arn", &sizes).await;
        assert_eq!(sorted(found), expected(&shares, |_| true));

        let input = json!({"resourceOwner": "SELF", "resourceArn": gateway(1)});
        let found = walk(&owner, PRINCIPALS, &input, "id", &sizes).await;
        let mut with_gateway = Vec::new();
        for share in
            shares.iter().enumerate().take(19).filter(|(number, _)| number % 6 > 1).map(|(_, share)| share)
        {
            with_gateway.extend([CONSUMER, OWNER, STRANGER].map(|id| (share.clone(), id.to_owned())));
        }
        assert_eq!(sorted(found), sorted(with_gateway));
        let input = json!({"resourceOwner": "SELF", "resourceArn": gateway(1), "principals": [CONSUMER]});
        assert_eq!(walk(&owner, PRINCIPALS, &input, "id", &[1, 2, 3]).await.len(), 12);
    })
    .await;
}

#[tokio::test]
async fn owners_and_principals_by_pages() {
    for_each_store_with(quotas(), async |server| {
        let shares = many_shares(&server).await;
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let sizes: Vec<u32> = (1..=5).chain([16, 17]).collect();
        for (filters, count) in [
            (json!({}), 16),
            (json!({"resourceArn": gateway(1)}), 9),
            (json!({"resourceType": "imagebuilder:Component"}), 9),
            (json!({"resourceShareArns": shares[4..8]}), 4),
        ] {
            let mut input = filters.clone();
            input["resourceOwner"] = json!("OTHER-ACCOUNTS");
            let found = walk(&consumer, PRINCIPALS, &input, "id", &sizes).await;
            assert_eq!(found.len(), count, "{filters}");
            assert!(found.iter().all(|(_, id)| id == OWNER));
        }
        for (filters, count) in [
            (json!({}), 57),
            (json!({"principals": [CONSUMER, STRANGER]}), 38),
            (json!({"resourceShareArns": shares[4..8]}), 12),
            (json!({"resourceType": "imagebuilder:Component"}), 30),
        ] {
            let mut input = filters.clone();
            input["resourceOwner"] = json!("SELF");
            assert_eq!(walk(&owner, PRINCIPALS, &input, "id", &sizes).await.len(), count, "{filters}");
        }
        for (filters, count) in [
            (json!({}), 10 + 45),
            (json!({"resourceArns": [gateway(0), gateway(1)]}), 15 + 12),
            (json!({"resourceType": "ec2:TransitGateway"}), 45),
            (json!({"resourceShareArns": shares[..6]}), 15 + 3),
        ] {
            let mut input = filters.clone();
            input["resourceOwner"] = json!("SELF");
            assert_eq!(walk(&owner, RESOURCES, &input, "arn", &sizes).await.len(), count, "{filters}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_changes_between_two_pages_moves_nothing_else() {
    for_each_store_with(quotas(), async |server| {
        many_shares(&server).await;
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let mut input = json!({"resourceOwner": "OTHER-ACCOUNTS"});
        let whole = collect(&consumer, RESOURCES, &input, 500).await;
        input["maxResults"] = json!(7);
        let first = consumer.ok("ListResources", &input).await;
        assert_eq!(first["resources"].as_array().unwrap()[..], whole[..7]);
        // The share that the page ends in loses the very resource that it ends with, and so does the one after it.
        let share_of = |at: usize| whole[at]["resourceShareArn"].clone();
        for at in [6, 8] {
            let out = json!({"resourceShareArn": share_of(at), "resourceArns": [whole[at]["arn"]]});
            owner.ok("DisassociateResourceShare", &out).await;
        }
        input["nextToken"] = first["nextToken"].clone();
        input["maxResults"] = json!(7);
        let rest = collect(&consumer, RESOURCES, &input, 7).await;
        let mut expected = whole[7..].to_vec();
        expected.remove(1);
        assert_eq!(rest, expected);
        // And when that share is gone altogether, the list goes on with the next.
        let gone = share_of(6);
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": gone})).await;
        let rest = collect(&consumer, RESOURCES, &input, 7).await;
        expected.retain(|item| item["resourceShareArn"] != gone);
        assert_eq!(rest, expected);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_good_for_its_list_alone() {
    for_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        for _ in 0..2 {
            let resources = [gateway(1), gateway(2)];
            let share =
                create(&owner, &json!({"name": "n", "resourceArns": resources, "principals": [CONSUMER]}))
                    .await;
            let named = json!({"resourceShareInvitationArn": pending_invitation(&consumer, &share).await});
            consumer.ok("AcceptResourceShareInvitation", &named).await;
        }
        let lists = [
            (&consumer, "ListResources", json!({"resourceOwner": "OTHER-ACCOUNTS"})),
            (&consumer, "ListResources", json!({"resourceOwner": "OTHER-ACCOUNTS", "principal": OWNER})),
            (
                &consumer,
                "ListResources",
                json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceRegionScope": "REGIONAL"}),
            ),
            (&consumer, "ListPrincipals", json!({"resourceOwner": "OTHER-ACCOUNTS"})),
            (&owner, "ListResources", json!({"resourceOwner": "SELF"})),
            (&owner, "ListResources", json!({"resourceOwner": "SELF", "principal": CONSUMER})),
            (&owner, "ListResources", json!({"resourceOwner": "SELF", "resourceType": "ec2:TransitGateway"})),
            (&owner, "ListPrincipals", json!({"resourceOwner": "SELF"})),
            (&owner, "ListPrincipals", json!({"resourceOwner": "SELF", "resourceArn": gateway(1)})),
            (&owner, "ListPrincipals", json!({"resourceOwner": "SELF", "principals": [CONSUMER]})),
        ];
        let mut tokens = Vec::new();
        for (client, operation, input) in &lists {
            let mut input = input.clone();
            input["maxResults"] = json!(1);
            tokens.push(text(&client.ok(operation, &input).await["nextToken"]));
        }
        for (place, (client, operation, input)) in lists.iter().enumerate() {
            for (other, token) in tokens.iter().enumerate() {
                let mut input = input.clone();
                input["nextToken"] = json!(token);
                let reply = client.call(operation, &input).await;
                let expected = if other == place { 200 } else { 400 };
                assert_eq!(reply.status, expected, "{place} {other}: {}", reply.text);
            }
            let own = &tokens[place];
            for cut in [&own[1..], &own[..own.len() - 2], &format!("{own}AA")] {
                let mut input = input.clone();
                input["nextToken"] = json!(cut);
                assert_eq!(client.refused(operation, &input).await, "InvalidNextToken");
            }
            let mut input = input.clone();
            input["nextToken"] = json!(own);
            assert_eq!(client.in_region("us-east-1").refused(operation, &input).await, "InvalidNextToken");
        }
    })
    .await;
}
