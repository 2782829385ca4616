//! ListSourceAssociations.

use std::time::Duration;

use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::service_principals::authority;
use crate::sharing::{CONSUMER, OWNER, STRANGER, collect, create, list, only, text, texts, unknown};

const LIST: &str = "ListSourceAssociations";
const SERVICE: &str = "pca-connector-ad.amazonaws.com";
const ORGANIZATION: &str = "o-abcdefghij";
const PATH: &str = "o-abcdefghij/r-ab12/ou-ab12-abcdefgh/";

async fn sources(owner: &Client, input: &Value) -> Vec<String> {
    let mut found = texts(&owner.ok(LIST, input).await["sourceAssociations"], "sourceId");
    found.sort();
    found
}

#[tokio::test]
async fn every_member() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n", "principals": [SERVICE]})).await;
        let found = owner.ok(LIST, &json!({})).await;
        let at = &only(&found["sourceAssociations"])["creationTime"];
        assert!(at.is_f64());
        let expected = json!({"sourceAssociations": [{
            "resourceShareArn": share, "sourceId": OWNER, "sourceType": "ACCOUNT", "status": "ASSOCIATED",
            "lastUpdatedTime": at, "creationTime": at,
        }]});
        assert_eq!(found, expected);
        server.advance(Duration::from_mins(1));
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        let found = owner.ok(LIST, &json!({})).await;
        let row = only(&found["sourceAssociations"]);
        assert_eq!((&row["status"], &row["creationTime"]), (&json!("DISASSOCIATED"), at));
        assert!(row["lastUpdatedTime"].as_f64() > at.as_f64());
    })
    .await;
}

#[tokio::test]
async fn every_filter() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let all = [OWNER.to_owned(), authority(), ORGANIZATION.to_owned(), PATH.to_owned()];
        let first = create(&owner, &json!({"name": "n", "principals": [SERVICE], "sources": all})).await;
        let second = create(&owner, &json!({"name": "n", "principals": [SERVICE]})).await;
        let remove = json!({"resourceShareArn": first, "sources": [PATH]});
        owner.ok("DisassociateResourceShare", &remove).await;
        for (source_type, id) in [
            ("ACCOUNT", all[0].as_str()),
            ("ARN", &all[1]),
            ("ORGANIZATION", &all[2]),
            ("ORGANIZATION_PATH", &all[3]),
        ] {
            let input = json!({"sourceType": source_type, "resourceShareArns": [first]});
            assert_eq!(sources(&owner, &input).await, [id]);
            let input = json!({"sourceType": source_type, "sourceId": id});
            let shares = if id == OWNER { 2 } else { 1 };
            assert_eq!(list(&owner.ok(LIST, &input).await["sourceAssociations"]).len(), shares);
        }
        assert_eq!(sources(&owner, &json!({})).await.len(), 5);
        assert_eq!(sources(&owner, &json!({"resourceShareArns": [second]})).await, [OWNER]);
        assert_eq!(sources(&owner, &json!({"resourceShareArns": []})).await.len(), 5);
        let found = sources(&owner, &json!({"resourceShareArns": [first, second], "sourceId": OWNER})).await;
        assert_eq!(found, [OWNER, OWNER]);
        for (status, count) in
            [("ASSOCIATED", 4), ("DISASSOCIATED", 1), ("ASSOCIATING", 0), ("FAILED", 0), ("SUSPENDED", 0)]
        {
            let input = json!({"associationStatus": status});
            assert_eq!(sources(&owner, &input).await.len(), count, "{status}");
        }
        for none in [
            json!({"sourceType": "ACCOUNT", "sourceId": PATH}),
            json!({"sourceId": STRANGER}),
            json!({"sourceId": "1"}),
        ] {
            assert!(sources(&owner, &none).await.is_empty(), "{none}");
        }
        let reply = owner.call(LIST, &json!({"sourceType": "account"})).await;
        let told = (reply.error_code.as_str(), &reply.json["message"]);
        assert_eq!(told, ("InvalidParameterException", &json!("account is not a valid source type.")));
    })
    .await;
}

#[tokio::test]
async fn the_owner_alone_sees_them() {
    for_each_store(async |server| {
        let (owner, other) = (server.account(OWNER), server.account(STRANGER));
        let share =
            create(&owner, &json!({"name": "n", "principals": [SERVICE], "sources": [STRANGER]})).await;
        assert!(sources(&other, &json!({})).await.is_empty());
        assert!(sources(&owner.in_region("us-east-1"), &json!({})).await.is_empty());
        for (client, arn) in [
            (&other, share.clone()),
            (&owner, unknown(&share)),
            (&owner.in_region("us-east-1"), share.clone()),
        ] {
            let input = json!({"resourceShareArns": [arn]});
            assert_eq!(client.refused(LIST, &input).await, "UnknownResource");
        }
        let input = json!({"resourceShareArns": [share, unknown(&share)]});
        assert_eq!(owner.refused(LIST, &input).await, "UnknownResource");
        let accounts = create(&owner, &json!({"name": "n", "principals": [CONSUMER]})).await;
        assert!(sources(&owner, &json!({"resourceShareArns": [accounts]})).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_malformed_is_named_by_its_code() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        for (input, code) in [
            (json!({"resourceShareArns": ["nonsense"]}), "MalformedArn"),
            (json!({"resourceShareArns": [authority()]}), "MalformedArn"),
            (json!({"associationStatus": "GONE"}), "InvalidParameter"),
            (json!({"associationStatus": "associated"}), "InvalidParameter"),
            (json!({"maxResults": 0}), "InvalidParameter"),
            (json!({"maxResults": 501}), "InvalidParameter"),
            (json!({"nextToken": "AAAA"}), "InvalidNextToken"),
        ] {
            assert_eq!(owner.refused(LIST, &input).await, code, "{input}");
        }
    })
    .await;
}

#[tokio::test]
async fn by_pages_of_every_size() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let mut shares = Vec::new();
        for number in 0..3 {
            let sources: Vec<_> = (0..=number).map(|n| format!("44444444444{n}")).collect();
            let input = json!({"name": "n", "principals": [SERVICE], "sources": sources});
            shares.push(create(&owner, &input).await);
        }
        for input in
            [json!({}), json!({"resourceShareArns": shares}), json!({"associationStatus": "ASSOCIATED"})]
        {
            let whole = collect(&owner, (LIST, "sourceAssociations"), &input, 500).await;
            let pairs: Vec<_> =
                whole.iter().map(|row| (text(&row["resourceShareArn"]), text(&row["sourceId"]))).collect();
            let mut distinct = pairs.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!((pairs.len(), distinct.len()), (6, 6), "{input}");
            for size in 1..=6 {
                let paged = collect(&owner, (LIST, "sourceAssociations"), &input, size).await;
                assert_eq!(paged, whole, "{input} by {size}");
            }
        }
        let first = owner.ok(LIST, &json!({"maxResults": 1})).await;
        let input = json!({"maxResults": 1, "nextToken": first["nextToken"], "sourceType": "ACCOUNT"});
        assert_eq!(owner.refused(LIST, &input).await, "InvalidNextToken");
        let input = json!({"resourceOwner": "SELF", "nextToken": first["nextToken"]});
        assert_eq!(owner.refused("ListPrincipals", &input).await, "InvalidNextToken");
    })
    .await;
}
