//! TagResource, UntagResource, and how GetResourceShares follows them.

use std::time::Duration;

use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{OWNER, Offer, STRANGER, create, gateway, share, texts, unknown};

const TAG: &str = "TagResource";
const UNTAG: &str = "UntagResource";

fn tags(arn: &str, tags: &[(&str, &str)]) -> Value {
    let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({"resourceShareArn": arn, "tags": tags})
}

async fn shown(owner: &Client, arn: &str) -> Value {
    share(owner, "SELF", arn).await["tags"].clone()
}

/// The shares that pass these tag filters.
async fn filtered(owner: &Client, filters: Value) -> Vec<String> {
    let input = json!({"resourceOwner": "SELF", "tagFilters": filters});
    texts(&owner.ok("GetResourceShares", &input).await["resourceShares"], "resourceShareArn")
}

#[tokio::test]
async fn tags_come_change_and_go() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n", "tags": [{"key": "team", "value": "net"}]})).await;
        let before = share(&owner, "SELF", &arn).await;
        server.advance(Duration::from_mins(1));
        let reply = owner.call(TAG, &tags(&arn, &[("env", "prod"), ("empty", "")])).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "{}\n"));
        let expected = json!([
            {"key": "empty", "value": ""}, {"key": "env", "value": "prod"}, {"key": "team", "value": "net"},
        ]);
        assert_eq!(shown(&owner, &arn).await, expected);
        // Another value for a key replaces the first.
        owner.ok(TAG, &tags(&arn, &[("env", "test")])).await;
        let input = json!({"resourceShareArn": arn, "tagKeys": ["empty", "absent", "team", "team"]});
        let reply = owner.call(UNTAG, &input).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "{}\n"));
        assert_eq!(shown(&owner, &arn).await, json!([{"key": "env", "value": "test"}]));
        owner.ok(UNTAG, &json!({"resourceShareArn": arn, "tagKeys": ["env"]})).await;
        assert_eq!(shown(&owner, &arn).await, json!([]));
        owner.ok(UNTAG, &json!({"resourceShareArn": arn, "tagKeys": ["env"]})).await;
        assert_eq!(server.count("resource_share_tag"), 0);
        // Tags are no change of the share's own members.
        assert_eq!(share(&owner, "SELF", &arn).await["lastUpdatedTime"], before["lastUpdatedTime"]);
        assert!(server.events(OWNER).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn filters_follow_the_tags() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n"})).await;
        let by_key = json!([{"tagKey": "env"}]);
        let by_value = |value: &str| json!([{"tagKey": "env", "tagValues": [value]}]);
        assert!(filtered(&owner, by_key.clone()).await.is_empty());
        owner.ok(TAG, &tags(&arn, &[("env", "prod")])).await;
        assert_eq!(filtered(&owner, by_key.clone()).await, [arn.as_str()]);
        assert_eq!(filtered(&owner, by_value("prod")).await, [arn.as_str()]);
        owner.ok(TAG, &tags(&arn, &[("env", "")])).await;
        assert!(filtered(&owner, by_value("prod")).await.is_empty());
        assert_eq!(filtered(&owner, by_value("")).await, [arn.as_str()]);
        owner.ok(UNTAG, &json!({"resourceShareArn": arn, "tagKeys": ["env"]})).await;
        assert!(filtered(&owner, by_key).await.is_empty());
        assert!(filtered(&owner, by_value("")).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn filters_are_ored_among_themselves_and_anded_with_the_rest() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let mut arns = Vec::new();
        for (name, key, value) in
            [("a", "env", "prod"), ("a", "env", "test"), ("b", "team", "net"), ("b", "x", "")]
        {
            let input =
                json!({"name": name, "tags": [{"key": key, "value": value}, {"key": "all", "value": "1"}]});
            arns.push(create(&owner, &input).await);
            server.advance(Duration::from_secs(1));
        }
        let env_or_team = json!([{"tagKey": "env", "tagValues": ["prod", "none"]}, {"tagKey": "team"}]);
        let mixed = json!([{"tagKey": "env"}, {"tagKey": "all", "tagValues": ["1"]}]);
        for (filters, found) in [
            (env_or_team.clone(), vec![0, 2]),
            (mixed.clone(), vec![0, 1, 2, 3]),
            (json!([{"tagKey": "env", "tagValues": []}]), vec![0, 1]),
            (json!([{"tagKey": "env"}, {"tagKey": "env"}]), vec![0, 1]),
            (json!([{"tagKey": "Env"}]), vec![]),
            (json!([]), vec![0, 1, 2, 3]),
        ] {
            let expected: Vec<_> = found.iter().map(|at| arns[*at].clone()).collect();
            assert_eq!(filtered(&owner, filters.clone()).await, expected, "{filters}");
        }
        for (rest, found) in [
            (json!({"name": "a"}), vec![0]),
            (json!({"resourceShareArns": [arns[1], arns[2]]}), vec![2]),
            (json!({"resourceShareStatus": "ACTIVE"}), vec![0, 2]),
            (json!({"resourceShareStatus": "DELETED"}), vec![]),
            (json!({"name": "b", "resourceShareArns": [arns[0]]}), vec![]),
        ] {
            let mut input = rest.clone();
            input["resourceOwner"] = json!("SELF");
            input["tagFilters"] = env_or_team.clone();
            let page = owner.ok("GetResourceShares", &input).await;
            let expected: Vec<_> = found.iter().map(|at| arns[*at].clone()).collect();
            assert_eq!(texts(&page["resourceShares"], "resourceShareArn"), expected, "{rest}");
        }
        let input = json!({"resourceOwner": "SELF", "tagFilters": mixed});
        for size in 1..=4 {
            let paged =
                crate::sharing::collect(&owner, ("GetResourceShares", "resourceShares"), &input, size).await;
            assert_eq!(texts(&json!(paged), "resourceShareArn"), arns, "by {size}");
        }
        // A deleted share keeps its tags.
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": arns[0]})).await;
        server.sweep().await;
        assert_eq!(filtered(&owner, env_or_team).await, [arns[0].clone(), arns[2].clone()]);
    })
    .await;
}

#[tokio::test]
async fn a_share_has_fifty_tags_at_the_most() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n"})).await;
        let many = |from: u32, to: u32| {
            let tags: Vec<_> = (from..to).map(|n| json!({"key": format!("k{n}"), "value": ""})).collect();
            json!({"resourceShareArn": arn, "tags": tags})
        };
        assert_eq!(owner.refused(TAG, &many(0, 51)).await, "TagLimitExceeded");
        owner.ok(TAG, &many(0, 50)).await;
        assert_eq!(owner.refused(TAG, &many(49, 51)).await, "TagLimitExceeded");
        // Those that are there already count once.
        owner.ok(TAG, &many(10, 50)).await;
        owner.ok(UNTAG, &json!({"resourceShareArn": arn, "tagKeys": ["k0"]})).await;
        owner.ok(TAG, &many(50, 51)).await;
        assert_eq!(shown(&owner, &arn).await.as_array().unwrap().len(), 50);
        let create = json!({"name": "n", "tags": many(0, 51)["tags"]});
        assert_eq!(owner.refused("CreateResourceShare", &create).await, "TagLimitExceeded");
    })
    .await;
}

#[tokio::test]
async fn what_is_malformed_or_missing_is_named_by_its_code() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n"})).await;
        let good = json!([{"key": "k", "value": "v"}]);
        let one = |key: &str, value: &str| tags(&arn, &[(key, value)]);
        for (input, code) in [
            (one("aws:x", ""), "TagPolicyViolation"),
            (one("AWS:x", ""), "TagPolicyViolation"),
            (one("", ""), "InvalidParameter"),
            (one(&"k".repeat(129), ""), "InvalidParameter"),
            (one("k", &"v".repeat(257)), "InvalidParameter"),
            (one("k\u{1}", ""), "InvalidParameter"),
            (tags(&arn, &[("k", "1"), ("k", "2")]), "InvalidParameter"),
            (json!({"resourceShareArn": arn}), "InvalidParameter"),
            (json!({"resourceShareArn": arn, "tags": [{"value": "v"}]}), "InvalidParameter"),
            (json!({"resourceShareArn": arn, "tags": [{"key": "k"}]}), "InvalidParameter"),
            (json!({"resourceShareArn": arn, "tags": [{"key": "k", "value": null}]}), "InvalidParameter"),
            (json!({"tags": good}), "InvalidParameter"),
            (json!({"resourceShareArn": arn, "resourceArn": arn, "tags": good}), "InvalidParameter"),
            (json!({"resourceShareArn": "nonsense", "tags": good}), "MalformedArn"),
            (json!({"resourceArn": "nonsense", "tags": good}), "MalformedArn"),
            (json!({"resourceShareArn": unknown(&arn), "tags": good}), "UnknownResource"),
            (json!({"resourceArn": gateway(1), "tags": good}), "ResourceArnNotFound"),
            (
                json!({"resourceArn": format!("arn:aws:ram:eu-west-1:{OWNER}:permission/p"), "tags": good}),
                "ResourceArnNotFound",
            ),
        ] {
            assert_eq!(owner.refused(TAG, &input).await, code, "{input}");
        }
        for (input, code) in [
            (json!({"resourceShareArn": arn}), "InvalidParameter"),
            (json!({"tagKeys": ["k"]}), "InvalidParameter"),
            (json!({"resourceShareArn": arn, "resourceArn": arn, "tagKeys": ["k"]}), "InvalidParameter"),
            (json!({"resourceShareArn": "nonsense", "tagKeys": ["k"]}), "MalformedArn"),
            (json!({"resourceShareArn": unknown(&arn), "tagKeys": ["k"]}), "UnknownResource"),
            (json!({"resourceArn": gateway(1), "tagKeys": ["k"]}), "UnknownResource"),
        ] {
            assert_eq!(owner.refused(UNTAG, &input).await, code, "{input}");
        }
        assert_eq!(shown(&owner, &arn).await, json!([]));
        owner.ok(TAG, &one(&"ü".repeat(128), &"ü".repeat(256))).await;
    })
    .await;
}

#[tokio::test]
async fn a_deleted_share_is_not_tagged_any_more() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n", "tags": [{"key": "k", "value": "v"}]})).await;
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": arn})).await;
        assert_eq!(owner.refused(TAG, &tags(&arn, &[("k", "w")])).await, "UnknownResource");
        let keys = json!({"resourceShareArn": arn, "tagKeys": ["k"]});
        assert_eq!(owner.refused(UNTAG, &keys).await, "UnknownResource");
        assert_eq!(shown(&owner, &arn).await, json!([{"key": "k", "value": "v"}]));
    })
    .await;
}

#[tokio::test]
async fn tags_are_the_owners_own_business() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let input = tags(&offer.share, &[("k", "v")]);
        let keys = json!({"resourceShareArn": offer.share, "tagKeys": ["k"]});
        for client in [&offer.consumer, &server.account(STRANGER), &offer.owner.in_region("us-east-1")] {
            assert_eq!(client.refused(TAG, &input).await, "UnknownResource");
            assert_eq!(client.refused(UNTAG, &keys).await, "UnknownResource");
        }
        offer.owner.ok(TAG, &input).await;
        assert!(share(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await.get("tags").is_none());
        // What one does not see, one cannot filter by.
        let filter = json!({"resourceOwner": "OTHER-ACCOUNTS", "tagFilters": [{"tagKey": "k"}]});
        let found = offer.consumer.ok("GetResourceShares", &filter).await;
        assert_eq!(found["resourceShares"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn fifty_tag_filters_are_taken_and_the_refusal_says_so() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let filters = |count: usize| {
            let values: Vec<_> = (1..count).map(|n| n.to_string()).collect();
            json!({"resourceOwner": "SELF", "tagFilters": [{"tagKey": "a"}, {"tagKey": "k", "tagValues": values}]})
        };
        owner.ok("GetResourceShares", &filters(50)).await;
        let reply = owner.call("GetResourceShares", &filters(51)).await;
        assert_eq!(reply.error_code, "InvalidParameterException");
        assert_eq!(reply.json["message"], "tagFilters takes up to 50 values, not 51.");
    })
    .await;
}
