//! GetResourceShares: who sees what, and every filter.

use std::time::Duration;

use rampart_testkit::for_each_store;
use serde_json::{Value, json};

use crate::sharing::{
    CONSUMER, OWNER, Offer, STRANGER, component, create, gateway, invitations, list, share, share_arns,
    share_refused, text, texts, unknown,
};

const GET: &str = "GetResourceShares";
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn the_owner_sees_every_member() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = json!({
            "name": "net", "tags": [{"key": "b", "value": ""}, {"key": "a", "value": "1"}],
            "resourceShareConfiguration": {"retainSharingOnAccountLeaveOrganization": true},
        });
        let created = owner.ok("CreateResourceShare", &input).await["resourceShare"].clone();
        server.advance(HOUR);
        let add = json!({"resourceShareArn": created["resourceShareArn"], "principals": [CONSUMER]});
        owner.ok("AssociateResourceShare", &add).await;
        // What is put in does not count as an update of the share.
        let expected = json!({
            "resourceShareArn": created["resourceShareArn"],
            "name": "net",
            "owningAccountId": OWNER,
            "allowExternalPrincipals": true,
            "status": "ACTIVE",
            "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": ""}],
            "creationTime": created["creationTime"],
            "lastUpdatedTime": created["creationTime"],
            "featureSet": "STANDARD",
            "resourceShareConfiguration": {"retainSharingOnAccountLeaveOrganization": true},
        });
        assert_eq!(share(&owner, "SELF", &text(&created["resourceShareArn"])).await, expected);
    })
    .await;
}

#[tokio::test]
async fn a_consumer_sees_the_share_without_the_owners_tags() {
    for_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let input =
            json!({"name": "n", "principals": [CONSUMER], "tags": [{"key": "secret", "value": "plan"}]});
        let arn = create(&owner, &input).await;
        let accept =
            json!({"resourceShareInvitationArn": crate::sharing::pending_invitation(&consumer, &arn).await});
        consumer.ok("AcceptResourceShareInvitation", &accept).await;
        let owners = share(&owner, "SELF", &arn).await;
        let mut expected = owners.clone();
        expected.as_object_mut().unwrap().remove("tags");
        assert_eq!(share(&consumer, "OTHER-ACCOUNTS", &arn).await, expected);
        // Nor can it find the share by them.
        let by_tag = json!({"resourceOwner": "OTHER-ACCOUNTS", "tagFilters": [{"tagKey": "secret"}]});
        assert_eq!(consumer.ok(GET, &by_tag).await, json!({"resourceShares": []}));
    })
    .await;
}

#[tokio::test]
async fn each_account_sees_its_own_side() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let stranger = server.account(STRANGER);
        assert_eq!(share_arns(&offer.owner, "SELF").await, [offer.share.as_str()]);
        assert!(share_arns(&offer.owner, "OTHER-ACCOUNTS").await.is_empty());
        assert_eq!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await, [offer.share.as_str()]);
        assert!(share_arns(&offer.consumer, "SELF").await.is_empty());
        assert_eq!(share_refused(&offer.consumer, "SELF", &offer.share).await, "UnknownResource");
        assert_eq!(share_refused(&offer.owner, "OTHER-ACCOUNTS", &offer.share).await, "UnknownResource");
        for view in ["SELF", "OTHER-ACCOUNTS"] {
            assert!(share_arns(&stranger, view).await.is_empty());
            assert_eq!(share_refused(&stranger, view, &offer.share).await, "UnknownResource");
            assert_eq!(share_refused(&offer.consumer, view, &unknown(&offer.share)).await, "UnknownResource");
            let abroad = offer.consumer.in_region("us-east-1");
            assert_eq!(share_refused(&abroad, view, &offer.share).await, "UnknownResource");
        }
        assert!(share_arns(&offer.consumer.in_region("us-east-1"), "OTHER-ACCOUNTS").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_pending_share_is_not_seen_whatever_the_filter() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        for status in ["PENDING", "ACTIVE", "FAILED", "DELETING", "DELETED"] {
            let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceShareStatus": status});
            assert_eq!(offer.consumer.ok(GET, &input).await, json!({"resourceShares": []}), "{status}");
        }
        assert_eq!(share_refused(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await, "UnknownResource");
    })
    .await;
}

#[tokio::test]
async fn two_grants_to_one_account_show_one_share() {
    for_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let role = format!("arn:aws:iam::{CONSUMER}:role/Reader");
        let mut made = Vec::new();
        for number in 0..3 {
            let input = json!({"name": format!("n{number}"), "principals": [CONSUMER, role]});
            let arn = create(&owner, &input).await;
            for invitation in invitations(&consumer, &arn).await {
                let accept = json!({"resourceShareInvitationArn": invitation["resourceShareInvitationArn"]});
                consumer.ok("AcceptResourceShareInvitation", &accept).await;
            }
            made.push(arn);
            server.advance(HOUR);
        }
        assert_eq!(share_arns(&consumer, "OTHER-ACCOUNTS").await, made);
        let mut paged = Vec::new();
        let mut input = json!({"resourceOwner": "OTHER-ACCOUNTS", "maxResults": 1});
        loop {
            let page = consumer.ok(GET, &input).await;
            paged.extend(texts(&page["resourceShares"], "resourceShareArn"));
            let Some(token) = page.get("nextToken") else { break };
            input["nextToken"] = token.clone();
        }
        assert_eq!(paged, made);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_share_is_shown_to_both_sides_for_two_hours() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let removed = Offer::accepted(&server, &[gateway(2)]).await;
        let remove = json!({"resourceShareArn": removed.share, "principals": [CONSUMER]});
        removed.owner.ok("DisassociateResourceShare", &remove).await;
        removed.delete().await;
        offer.delete().await;
        server.advance(Duration::from_mins(119));
        assert_eq!(share(&offer.owner, "SELF", &offer.share).await["status"], "DELETED");
        assert_eq!(share(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await["status"], "DELETED");
        // Whoever was taken out before does not learn of the end.
        assert_eq!(share_refused(&offer.consumer, "OTHER-ACCOUNTS", &removed.share).await, "UnknownResource");
        let active = json!({"resourceOwner": "SELF", "resourceShareStatus": "ACTIVE"});
        assert_eq!(offer.owner.ok(GET, &active).await, json!({"resourceShares": []}));

        server.advance(Duration::from_mins(2));
        assert_eq!(share_refused(&offer.owner, "SELF", &offer.share).await, "UnknownResource");
        assert_eq!(share_refused(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await, "UnknownResource");
        assert!(share_arns(&offer.owner, "SELF").await.is_empty());
        assert!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn every_filter() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let mut made = Vec::new();
        for (name, tags) in [
            ("net", json!([{"key": "team", "value": "a"}])),
            ("net", json!([{"key": "team", "value": "b"}, {"key": "cost", "value": ""}])),
            ("Net", json!([])),
            ("gone", json!([{"key": "team", "value": "a"}])),
        ] {
            made.push(create(&owner, &json!({"name": name, "tags": tags})).await);
            server.advance(Duration::from_secs(1));
        }
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": made[3]})).await;
        let team = |values: Value| json!({"tagKey": "team", "tagValues": values});
        let cases: &[(Value, &[usize])] = &[
            (json!({}), &[0, 1, 2, 3]),
            (json!({"name": "net"}), &[0, 1]),
            (json!({"name": "ne"}), &[]),
            (json!({"resourceShareStatus": "ACTIVE"}), &[0, 1, 2]),
            (json!({"resourceShareStatus": "DELETED"}), &[3]),
            (json!({"resourceShareStatus": "PENDING"}), &[]),
            (json!({"resourceShareArns": [made[2], made[0], made[2]]}), &[0, 2]),
            (json!({"resourceShareArns": []}), &[0, 1, 2, 3]),
            (json!({"tagFilters": [team(json!(["a"]))]}), &[0, 3]),
            (json!({"tagFilters": [team(json!([]))]}), &[0, 1, 3]),
            (json!({"tagFilters": [{"tagKey": "team"}]}), &[0, 1, 3]),
            (json!({"tagFilters": [team(json!(["a", "b"]))]}), &[0, 1, 3]),
            (json!({"tagFilters": [team(json!(["a"])), {"tagKey": "cost"}]}), &[0, 1, 3]),
            (json!({"tagFilters": [team(json!(["c"]))]}), &[]),
            (json!({"tagFilters": [{"tagKey": "Team"}]}), &[]),
            (json!({"name": "net", "tagFilters": [{"tagKey": "cost"}]}), &[1]),
            (json!({"resourceShareArns": [made[0], made[1]], "name": "Net"}), &[]),
            (json!({"resourceShareArns": [made[0], made[3]], "resourceShareStatus": "DELETED"}), &[3]),
        ];
        for (filter, expected) in cases {
            let mut input = filter.clone();
            input["resourceOwner"] = json!("SELF");
            let found = texts(&owner.ok(GET, &input).await["resourceShares"], "resourceShareArn");
            let expected: Vec<&String> = expected.iter().map(|place| &made[*place]).collect();
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_consumers_filters() {
    for_each_store(async |server| {
        let one = Offer::accepted(&server, &[gateway(1)]).await;
        server.advance(Duration::from_secs(1));
        let two = Offer::accepted(&server, &[component(2)]).await;
        two.delete().await;
        for (filter, expected) in [
            (json!({"name": "offered"}), vec![&one.share, &two.share]),
            (json!({"name": "other"}), vec![]),
            (json!({"resourceShareStatus": "DELETED"}), vec![&two.share]),
            (json!({"resourceShareArns": [one.share]}), vec![&one.share]),
        ] {
            let mut input = filter.clone();
            input["resourceOwner"] = json!("OTHER-ACCOUNTS");
            let found = list(&one.consumer.ok(GET, &input).await["resourceShares"]);
            let found: Vec<String> = found.iter().map(|share| text(&share["resourceShareArn"])).collect();
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_malformed_is_named_by_its_code() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n"})).await;
        for (input, code) in [
            (json!({}), "InvalidParameter"),
            (json!({"resourceOwner": "self"}), "InvalidParameter"),
            (json!({"resourceOwner": "SELF", "resourceShareStatus": "GONE"}), "InvalidParameter"),
            (json!({"resourceOwner": "SELF", "resourceShareArns": ["arn"]}), "MalformedArn"),
            (json!({"resourceOwner": "SELF", "resourceShareArns": [format!("{arn},{arn}")]}), "MalformedArn"),
            (json!({"resourceOwner": "SELF", "tagFilters": [{"tagValues": ["a"]}]}), "InvalidParameter"),
            (json!({"resourceOwner": "SELF", "resourceShareArns": [arn, unknown(&arn)]}), "UnknownResource"),
        ] {
            assert_eq!(owner.refused(GET, &input).await, code, "{input}");
        }
        let reply = owner.call(GET, &json!({"resourceOwner": "ME"})).await;
        let message =
            "ME is not a valid resource owner. Specify either SELF or OTHER-ACCOUNTS and try again.";
        assert_eq!(reply.json, json!({"message": message}));
        let reply =
            owner.call(GET, &json!({"resourceOwner": "SELF", "resourceShareArns": [unknown(&arn)]})).await;
        let message = format!("ResourceShare {} could not be found.", unknown(&arn));
        assert_eq!(reply.json, json!({"message": message}));
    })
    .await;
}
