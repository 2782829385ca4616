//! ListResources: what an owner shares, and what others share with a consumer.

use std::time::Duration;

use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::service_principals::authority;
use crate::sharing::{
    CONSUMER, OWNER, Offer, STRANGER, accept, component, create, gateway, only, pending_invitation, texts,
    unknown,
};

const LIST: &str = "ListResources";
const SERVICE: &str = "pca-connector-ad.amazonaws.com";
const NETWORK: &str = "arn:aws:networkmanager::111111111111:core-network/core-network-0123456789abcdef0";

async fn arns(client: &Client, view: &str, filters: Value) -> Vec<String> {
    let mut input = filters;
    input["resourceOwner"] = json!(view);
    let mut found = texts(&client.ok(LIST, &input).await["resources"], "arn");
    found.sort();
    found
}

fn sorted(mut arns: Vec<String>) -> Vec<String> {
    arns.sort();
    arns
}

#[tokio::test]
async fn every_member_as_the_owner_and_as_a_consumer_sees_it() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[]).await;
        server.advance(Duration::from_mins(1));
        let add = json!({"resourceShareArn": offer.share, "resourceArns": [gateway(1)]});
        offer.owner.ok("AssociateResourceShare", &add).await;
        let page = offer.owner.ok(LIST, &json!({"resourceOwner": "SELF"})).await;
        let at = &only(&page["resources"])["creationTime"];
        assert!(at.is_f64());
        let mut expected = json!({"resources": [{
            "arn": gateway(1), "type": "ec2:TransitGateway", "resourceShareArn": offer.share, "creationTime": at,
            "lastUpdatedTime": at, "resourceRegionScope": "REGIONAL",
        }]});
        assert_eq!(page, expected);
        let other = json!({"resourceOwner": "OTHER-ACCOUNTS"});
        // Pending is not shared yet.
        assert_eq!(offer.consumer.ok(LIST, &other).await, json!({"resources": []}));
        offer.accept().await;
        expected["resources"][0]["status"] = json!("AVAILABLE");
        assert_eq!(offer.consumer.ok(LIST, &other).await, expected);
        for (client, view) in [(&offer.owner, "OTHER-ACCOUNTS"), (&offer.consumer, "SELF")] {
            assert!(arns(client, view, json!({})).await.is_empty());
        }
        assert!(arns(&server.account(STRANGER), "OTHER-ACCOUNTS", json!({})).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_out_is_not_listed() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1), gateway(2)]).await;
        let remove = json!({"resourceShareArn": offer.share, "resourceArns": [gateway(1)]});
        offer.owner.ok("DisassociateResourceShare", &remove).await;
        for (client, view) in [(&offer.owner, "SELF"), (&offer.consumer, "OTHER-ACCOUNTS")] {
            assert_eq!(arns(client, view, json!({})).await, [gateway(2)]);
            assert!(arns(client, view, json!({"resourceArns": [gateway(1)]})).await.is_empty());
        }
        offer.delete().await;
        for _ in 0..2 {
            for (client, view) in [(&offer.owner, "SELF"), (&offer.consumer, "OTHER-ACCOUNTS")] {
                assert!(arns(client, view, json!({})).await.is_empty());
                // Deleted, the share can still be named.
                assert!(arns(client, view, json!({"resourceShareArns": [offer.share]})).await.is_empty());
            }
            server.sweep().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_resource_of_two_shares_comes_twice() {
    for_each_store(async |server| {
        for _ in 0..2 {
            Offer::accepted(&server, &[gateway(1)]).await;
        }
        for (account, view) in [(OWNER, "SELF"), (CONSUMER, "OTHER-ACCOUNTS")] {
            let found = arns(&server.account(account), view, json!({"resourceArns": [gateway(1)]})).await;
            assert_eq!(found, [gateway(1), gateway(1)]);
        }
    })
    .await;
}

/// In the global Region: two shares with accounts, one with a service principal.
async fn three(server: &TestServer) -> (Client, [String; 3]) {
    let owner = server.account(OWNER).in_region("us-east-1");
    let mut shares = Vec::new();
    for input in [
        json!({"name": "a", "resourceArns": [here(&gateway(1)), NETWORK], "principals": [CONSUMER]}),
        json!({"name": "b", "resourceArns": [here(&gateway(1)), here(&component(1))], "principals": [CONSUMER, STRANGER]}),
        json!({"name": "c", "resourceArns": [here(&authority())], "principals": [SERVICE]}),
    ] {
        shares.push(create(&owner, &input).await);
        server.advance(Duration::from_secs(1));
    }
    (owner, shares.try_into().unwrap())
}

fn here(arn: &str) -> String {
    arn.replace("eu-west-1", "us-east-1")
}

#[tokio::test]
async fn every_filter_of_the_owner_and_their_combinations() {
    for_each_store(async |server| {
        let (owner, [a, b, c]) = three(&server).await;
        let (tgw, tool, ca) = (here(&gateway(1)), here(&component(1)), here(&authority()));
        let net = NETWORK.to_owned();
        for (filters, expected) in [
            (json!({}), vec![&tgw, &tgw, &net, &tool, &ca]),
            (json!({"resourceRegionScope": "ALL"}), vec![&tgw, &tgw, &net, &tool, &ca]),
            (json!({"resourceRegionScope": "GLOBAL"}), vec![&net]),
            (json!({"resourceRegionScope": "REGIONAL"}), vec![&tgw, &tgw, &tool, &ca]),
            (json!({"resourceRegionScope": "GLOBAL", "resourceShareArns": [b]}), vec![]),
            (json!({"principal": CONSUMER}), vec![&tgw, &tgw, &net, &tool]),
            (json!({"principal": STRANGER}), vec![&tgw, &tool]),
            (json!({"principal": SERVICE}), vec![&ca]),
            (json!({"principal": "nobody"}), vec![]),
            (json!({"principal": CONSUMER, "resourceShareArns": [a]}), vec![&tgw, &net]),
            (json!({"principal": CONSUMER, "resourceType": "ec2:TransitGateway"}), vec![&tgw, &tgw]),
            (json!({"principal": CONSUMER, "resourceRegionScope": "GLOBAL"}), vec![&net]),
            (json!({"principal": STRANGER, "resourceArns": [tgw, net]}), vec![&tgw]),
            (json!({"resourceType": "ec2:TransitGateway"}), vec![&tgw, &tgw]),
            (json!({"resourceType": "EC2:TRANSITGATEWAY"}), vec![&tgw, &tgw]),
            (json!({"resourceType": "ec2:Subnet"}), vec![]),
            (json!({"resourceType": "ec2:TransitGateway", "resourceShareArns": [c]}), vec![]),
            (json!({"resourceType": "ec2:TransitGateway", "resourceRegionScope": "GLOBAL"}), vec![]),
            (json!({"resourceArns": [net, ca]}), vec![&net, &ca]),
            (json!({"resourceArns": [tgw, tgw]}), vec![&tgw, &tgw]),
            (json!({"resourceArns": [tgw], "resourceShareArns": [b]}), vec![&tgw]),
            (json!({"resourceArns": [tgw, tool], "resourceType": "imagebuilder:Component"}), vec![&tool]),
            (json!({"resourceArns": [], "resourceShareArns": []}), vec![&tgw, &tgw, &net, &tool, &ca]),
            (json!({"resourceShareArns": [a, c]}), vec![&tgw, &net, &ca]),
            (
                json!({"principal": CONSUMER, "resourceType": "ec2:TransitGateway", "resourceArns": [tgw],
                    "resourceShareArns": [b], "resourceRegionScope": "REGIONAL"}),
                vec![&tgw],
            ),
        ] {
            let expected = sorted(expected.into_iter().cloned().collect());
            assert_eq!(arns(&owner, "SELF", filters.clone()).await, expected, "{filters}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_filter_of_a_consumer_and_their_combinations() {
    for_each_store(async |server| {
        let (_, [a, b, c]) = three(&server).await;
        let consumer = server.account(CONSUMER).in_region("us-east-1");
        for share in [&a, &b] {
            let named = json!({"resourceShareInvitationArn": pending_invitation(&consumer, share).await});
            consumer.ok("AcceptResourceShareInvitation", &named).await;
        }
        let (tgw, tool, net) = (here(&gateway(1)), here(&component(1)), NETWORK.to_owned());
        for (filters, expected) in [
            (json!({}), vec![&tgw, &tgw, &net, &tool]),
            (json!({"principal": OWNER}), vec![&tgw, &tgw, &net, &tool]),
            (json!({"principal": STRANGER}), vec![]),
            (json!({"principal": CONSUMER}), vec![]),
            (json!({"resourceShareArns": [a]}), vec![&tgw, &net]),
            (json!({"resourceShareArns": [b], "principal": OWNER}), vec![&tgw, &tool]),
            (json!({"resourceRegionScope": "GLOBAL"}), vec![&net]),
            (json!({"resourceType": "imagebuilder:Component"}), vec![&tool]),
            (json!({"resourceArns": [tgw]}), vec![&tgw, &tgw]),
            (json!({"resourceArns": [tgw], "resourceShareArns": [b], "resourceType": "ec2:TransitGateway"}), vec![&tgw]),
            (json!({"resourceArns": [here(&authority())]}), vec![]),
        ] {
            let expected = sorted(expected.into_iter().cloned().collect());
            assert_eq!(arns(&consumer, "OTHER-ACCOUNTS", filters.clone()).await, expected, "{filters}");
        }
        for hidden in [c, unknown(&a)] {
            let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [a, hidden]});
            assert_eq!(consumer.refused(LIST, &input).await, "UnknownResource");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_malformed_or_missing_is_named_by_its_code() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        for view in ["SELF", "OTHER-ACCOUNTS"] {
            for (filters, code) in [
                (json!({"resourceArns": ["nonsense"]}), "MalformedArn"),
                (json!({"resourceShareArns": ["nonsense"]}), "MalformedArn"),
                (json!({"resourceShareArns": [unknown(&offer.share)]}), "UnknownResource"),
                (json!({"resourceType": "ec2:Nothing"}), "InvalidResourceType"),
                (json!({"resourceType": ""}), "InvalidResourceType"),
                (json!({"resourceRegionScope": "WORLD"}), "InvalidParameter"),
                (json!({"maxResults": 0}), "InvalidParameter"),
                (json!({"maxResults": 501}), "InvalidParameter"),
                (json!({"nextToken": "A"}), "InvalidNextToken"),
            ] {
                let mut input = filters;
                input["resourceOwner"] = json!(view);
                assert_eq!(offer.owner.refused(LIST, &input).await, code, "{input}");
            }
            let input = json!({"resourceOwner": view, "resourceShareArns": [offer.share]});
            assert_eq!(offer.consumer.refused(LIST, &input).await, "UnknownResource", "{view}");
        }
        assert_eq!(offer.owner.refused(LIST, &json!({})).await, "InvalidParameter");
        assert_eq!(offer.owner.refused(LIST, &json!({"resourceOwner": "ALL"})).await, "InvalidParameter");
        let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [offer.share]});
        assert_eq!(offer.owner.refused(LIST, &input).await, "UnknownResource");
        let abroad = offer.owner.in_region("us-east-1");
        let input = json!({"resourceOwner": "SELF", "resourceShareArns": [offer.share]});
        assert_eq!(abroad.refused(LIST, &input).await, "UnknownResource");
        accept(&server.account(CONSUMER), &offer.share).await;
        let abroad = offer.consumer.in_region("us-east-1");
        assert!(arns(&abroad, "OTHER-ACCOUNTS", json!({})).await.is_empty());
    })
    .await;
}
