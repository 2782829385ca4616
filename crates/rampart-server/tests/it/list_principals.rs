//! ListPrincipals: with whom an owner shares, and who shares with a consumer.

use std::time::Duration;

use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::service_principals::authority;
use crate::sharing::{
    CONSUMER, OWNER, Offer, STRANGER, accept, component, create, gateway, only, pending_invitation, share,
    texts, unknown,
};

const LIST: &str = "ListPrincipals";
const ROLE: &str = "arn:aws:iam::222222222222:role/Reader";
const SERVICE: &str = "pca-connector-ad.amazonaws.com";
const ORGANIZATION: &str = "arn:aws:organizations::111111111111:organization/o-abcdefghij";

/// The ids in order of the list.
async fn ids(client: &Client, view: &str, filters: Value) -> Vec<String> {
    let mut input = filters;
    input["resourceOwner"] = json!(view);
    texts(&client.ok(LIST, &input).await["principals"], "id")
}

#[tokio::test]
async fn the_owner_sees_every_member() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n"})).await;
        server.advance(Duration::from_mins(1));
        let input = json!({"resourceShareArn": share, "principals": [CONSUMER]});
        owner.ok("AssociateResourceShare", &input).await;
        let input = json!({"resourceOwner": "SELF"});
        let pending = only(&owner.ok(LIST, &input).await["principals"]).clone();
        let at = &pending["creationTime"];
        let row = |since: &Value| {
            json!({
                "id": CONSUMER, "resourceShareArn": share, "creationTime": at, "lastUpdatedTime": since,
                "external": true,
            })
        };
        assert_eq!(pending, row(at));
        server.advance(Duration::from_mins(1));
        accept(&server.account(CONSUMER), &share).await;
        let page = owner.ok(LIST, &input).await;
        let since = &only(&page["principals"])["lastUpdatedTime"];
        assert!(since.as_f64() > at.as_f64());
        assert_eq!(page, json!({"principals": [row(since)]}));
        // The owner's own account is inside.
        let input = json!({"resourceShareArn": share, "principals": [OWNER]});
        owner.ok("AssociateResourceShare", &input).await;
        let input = json!({"resourceOwner": "SELF", "principals": [OWNER]});
        assert_eq!(only(&owner.ok(LIST, &input).await["principals"])["external"], json!(false));
    })
    .await;
}

#[tokio::test]
async fn a_consumer_sees_the_owner_once_for_each_share() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[]).await;
        let input = json!({"resourceShareArn": offer.share, "principals": [ROLE, STRANGER]});
        offer.owner.ok("AssociateResourceShare", &input).await;
        assert!(ids(&offer.consumer, "OTHER-ACCOUNTS", json!({})).await.is_empty());
        server.advance(Duration::from_mins(1));
        let from = server.now_s();
        offer.accept().await;
        let page = offer.consumer.ok(LIST, &json!({"resourceOwner": "OTHER-ACCOUNTS"})).await;
        let since = &only(&page["principals"])["lastUpdatedTime"];
        assert!(from <= since.as_f64().unwrap() && since.as_f64().unwrap() <= server.now_s());
        let seen = share(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await;
        let expected = json!({"principals": [{
            "id": OWNER, "resourceShareArn": offer.share, "creationTime": seen["creationTime"],
            "lastUpdatedTime": since, "external": true,
        }]});
        assert_eq!(page, expected);
        let second = Offer::accepted(&server, &[]).await;
        assert_eq!(ids(&offer.consumer, "OTHER-ACCOUNTS", json!({})).await, [OWNER, OWNER]);
        // Neither side of the list shows the other's.
        assert!(ids(&offer.consumer, "SELF", json!({})).await.is_empty());
        assert!(ids(&offer.owner, "OTHER-ACCOUNTS", json!({})).await.is_empty());
        second.delete().await;
        let leave = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.consumer.ok("DisassociateResourceShare", &leave).await;
        assert!(ids(&offer.consumer, "OTHER-ACCOUNTS", json!({})).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_is_out_is_not_listed() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let principals = ["444444444441", "444444444442", "444444444443", "444444444444"];
        let input = json!({"name": "n", "resourceArns": [component(1)], "principals": principals});
        let share = create(&owner, &input).await;
        accept(&server.account(principals[0]), &share).await;
        let reject = json!({"resourceShareInvitationArn":
            pending_invitation(&server.account(principals[1]), &share).await});
        server.account(principals[1]).ok("RejectResourceShareInvitation", &reject).await;
        let remove = json!({"resourceShareArn": share, "principals": [principals[2]]});
        owner.ok("DisassociateResourceShare", &remove).await;
        let mut found = ids(&owner, "SELF", json!({})).await;
        found.sort();
        assert_eq!(found, [principals[0], principals[3]]);
        server.advance(Duration::from_hours(12));
        assert_eq!(ids(&owner, "SELF", json!({})).await, [principals[0]]);
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        assert!(ids(&owner, "SELF", json!({})).await.is_empty());
        assert!(ids(&owner, "SELF", json!({"resourceShareArns": [share]})).await.is_empty());
    })
    .await;
}

/// Two shares of accounts and roles, one of a service principal.
async fn three(server: &TestServer) -> (Client, [String; 3]) {
    let owner = server.account(OWNER);
    let mut shares = Vec::new();
    for input in [
        json!({"name": "a", "resourceArns": [gateway(1), gateway(2)], "principals": [CONSUMER]}),
        json!({"name": "b", "resourceArns": [gateway(1), component(1)], "principals": [CONSUMER, STRANGER]}),
        json!({"name": "c", "resourceArns": [authority()], "principals": [SERVICE]}),
    ] {
        shares.push(create(&owner, &input).await);
        server.advance(Duration::from_secs(1));
    }
    (owner, shares.try_into().unwrap())
}

#[tokio::test]
async fn every_filter_of_the_owner_and_their_combinations() {
    for_each_store(async |server| {
        let (owner, [a, b, c]) = three(&server).await;
        let mut all = vec![CONSUMER, CONSUMER, STRANGER, SERVICE];
        all.sort_unstable();
        for (filters, expected) in [
            (json!({}), all),
            (json!({"resourceShareArns": [], "principals": []}), vec![CONSUMER, CONSUMER, STRANGER, SERVICE]),
            (json!({"resourceShareArns": [a]}), vec![CONSUMER]),
            (json!({"resourceShareArns": [b, c, c]}), vec![CONSUMER, STRANGER, SERVICE]),
            (json!({"principals": [CONSUMER]}), vec![CONSUMER, CONSUMER]),
            (json!({"principals": [STRANGER, SERVICE, OWNER]}), vec![STRANGER, SERVICE]),
            (json!({"principals": [CONSUMER], "resourceShareArns": [b]}), vec![CONSUMER]),
            (json!({"resourceArn": gateway(1)}), vec![CONSUMER, CONSUMER, STRANGER]),
            (json!({"resourceArn": gateway(2)}), vec![CONSUMER]),
            (json!({"resourceArn": authority()}), vec![SERVICE]),
            (json!({"resourceArn": gateway(9)}), vec![]),
            (json!({"resourceArn": gateway(1), "principals": [STRANGER]}), vec![STRANGER]),
            (json!({"resourceArn": gateway(1), "resourceShareArns": [a]}), vec![CONSUMER]),
            (json!({"resourceArn": gateway(2), "resourceShareArns": [b]}), vec![]),
            (json!({"resourceType": "ec2:TransitGateway"}), vec![CONSUMER, CONSUMER, STRANGER]),
            (json!({"resourceType": "EC2:transitgateway"}), vec![CONSUMER, CONSUMER, STRANGER]),
            (json!({"resourceType": "imagebuilder:Component"}), vec![CONSUMER, STRANGER]),
            (json!({"resourceType": "ec2:Subnet"}), vec![]),
            (json!({"resourceType": "imagebuilder:Component", "principals": [CONSUMER]}), vec![CONSUMER]),
            (json!({"resourceType": "imagebuilder:Component", "resourceArn": gateway(1)}), vec![CONSUMER, STRANGER]),
            (
                json!({"resourceType": "ec2:TransitGateway", "resourceArn": gateway(1), "principals": [CONSUMER],
                    "resourceShareArns": [b]}),
                vec![CONSUMER],
            ),
        ] {
            let mut found = ids(&owner, "SELF", filters.clone()).await;
            let mut expected = expected;
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{filters}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_filter_of_a_consumer_and_their_combinations() {
    for_each_store(async |server| {
        let (_, [a, b, c]) = three(&server).await;
        let consumer = server.account(CONSUMER);
        accept(&server.account(CONSUMER), &a).await;
        accept(&server.account(CONSUMER), &b).await;
        let foreign = gateway(5).replace(OWNER, STRANGER);
        let input = json!({"name": "d", "principals": [CONSUMER], "resourceArns": [foreign]});
        let d = create(&server.account(STRANGER), &input).await;
        accept(&server.account(CONSUMER), &d).await;
        for (filters, expected) in [
            (json!({}), vec![&a, &b, &d]),
            (json!({"principals": [OWNER]}), vec![&a, &b]),
            (json!({"principals": [CONSUMER]}), vec![]),
            (json!({"principals": [OWNER, STRANGER]}), vec![&a, &b, &d]),
            (json!({"resourceShareArns": [b, d]}), vec![&b, &d]),
            (json!({"resourceShareArns": [b, d], "principals": [STRANGER]}), vec![&d]),
            (json!({"resourceArn": gateway(1)}), vec![&a, &b]),
            (json!({"resourceArn": gateway(2)}), vec![&a]),
            (json!({"resourceArn": foreign}), vec![&d]),
            (json!({"resourceArn": authority()}), vec![]),
            (json!({"resourceType": "imagebuilder:Component"}), vec![&b]),
            (json!({"resourceType": "ec2:TransitGateway", "principals": [OWNER]}), vec![&a, &b]),
            (json!({"resourceType": "ec2:TransitGateway", "resourceArn": gateway(2)}), vec![&a]),
            (json!({"resourceType": "imagebuilder:Component", "resourceShareArns": [a]}), vec![]),
        ] {
            let mut input = filters.clone();
            input["resourceOwner"] = json!("OTHER-ACCOUNTS");
            let page = consumer.ok(LIST, &input).await;
            let expected: Vec<_> = expected.into_iter().cloned().collect();
            assert_eq!(texts(&page["principals"], "resourceShareArn"), expected, "{filters}");
        }
        // A resource that was taken out tells nobody any more.
        let remove = json!({"resourceShareArn": a, "resourceArns": [gateway(2)]});
        server.account(OWNER).ok("DisassociateResourceShare", &remove).await;
        assert!(ids(&consumer, "OTHER-ACCOUNTS", json!({"resourceArn": gateway(2)})).await.is_empty());
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
                (json!({"resourceArn": "nonsense"}), "MalformedArn"),
                (json!({"resourceShareArns": ["nonsense"]}), "MalformedArn"),
                (json!({"resourceShareArns": [gateway(1)]}), "MalformedArn"),
                (json!({"resourceShareArns": [unknown(&offer.share)]}), "UnknownResource"),
                (json!({"resourceType": "ec2:Nothing"}), "InvalidParameter"),
                (json!({"resourceType": ""}), "InvalidParameter"),
                (json!({"maxResults": 0}), "InvalidParameter"),
                (json!({"maxResults": 501}), "InvalidParameter"),
                (json!({"nextToken": ""}), "InvalidNextToken"),
                (json!({"principals": vec!["x"; 501]}), "InvalidParameter"),
            ] {
                let mut input = filters;
                input["resourceOwner"] = json!(view);
                assert_eq!(offer.owner.refused(LIST, &input).await, code, "{input}");
            }
            // A share of another account, and one's own seen from the other side.
            let input = json!({"resourceOwner": view, "resourceShareArns": [offer.share]});
            assert_eq!(offer.consumer.refused(LIST, &input).await, "UnknownResource", "{view}");
        }
        let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [offer.share]});
        assert_eq!(offer.owner.refused(LIST, &input).await, "UnknownResource");
        assert_eq!(offer.owner.refused(LIST, &json!({})).await, "InvalidParameter");
        for view in ["", "self", "OTHER"] {
            let reply = offer.owner.call(LIST, &json!({"resourceOwner": view})).await;
            let expected = format!(
                "{view} is not a valid resource owner. Specify either SELF or OTHER-ACCOUNTS and try again."
            );
            assert_eq!(reply.json["message"], expected);
        }
        // A principal that nobody could be is in no list; it is a filter, not an order.
        assert!(ids(&offer.owner, "SELF", json!({"principals": ["nobody", ORGANIZATION]})).await.is_empty());
    })
    .await;
}
