//! GetResourcePolicies: all shares of a resource in one document.

use std::time::Duration;

use rampart_core::Timing;
use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::service_principals::authority;
use crate::sharing::{CONSUMER, OWNER, Offer, STRANGER, collect, component, create, gateway, list, text};

const GET: &str = "GetResourcePolicies";
const SERVICE: &str = "pca-connector-ad.amazonaws.com";
const ROLE: &str = "arn:aws:iam::222222222222:role/path/deploy";

fn of(arns: &[String]) -> Value {
    json!({"resourceArns": arns})
}

async fn policies(client: &Client, input: &Value) -> Vec<Value> {
    let answer = client.ok(GET, input).await;
    assert_eq!(answer.get("nextToken"), None, "{answer}");
    let texts = list(&answer["policies"]);
    texts.iter().map(|policy| serde_json::from_str(&text(policy)).unwrap()).collect()
}

/// The statements of one resource's only document.
async fn statements(client: &Client, arn: &str) -> Vec<Value> {
    let found = policies(client, &of(&[arn.to_owned()])).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["Version"], "2012-10-17");
    list(&found[0]["Statement"])
}

fn principals(statements: &[Value]) -> Vec<Value> {
    statements.iter().map(|statement| statement["Principal"].clone()).collect()
}

fn root(account: &str) -> Value {
    json!(format!("arn:aws:iam::{account}:root"))
}

async fn accept_all(client: &Client) {
    for found in list(&client.ok("GetResourceShareInvitations", &json!({})).await["resourceShareInvitations"])
    {
        if found["status"] == "PENDING" {
            let input = json!({"resourceShareInvitationArn": found["resourceShareInvitationArn"]});
            client.ok("AcceptResourceShareInvitation", &input).await;
        }
    }
}

#[tokio::test]
async fn an_accepted_share_becomes_a_policy_and_a_pending_one_does_not() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        assert_eq!(policies(&offer.owner, &of(&[component(1)])).await, [] as [Value; 0]);
        offer.accept().await;
        let permission = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionImageBuilderComponent";
        let permission = offer.owner.ok("GetPermission", &json!({"permissionArn": permission})).await;
        let template: Value = serde_json::from_str(&text(&permission["permission"]["permission"])).unwrap();
        let expected = json!([{
            "Sid": "RamStatement1", "Effect": "Allow", "Principal": {"AWS": root(CONSUMER)},
            "Action": template["Action"], "Resource": component(1),
        }]);
        assert_eq!(statements(&offer.owner, &component(1)).await, list(&expected));
        // The consumer has the resource and does not own it.
        assert_eq!(offer.consumer.refused(GET, &of(&[component(1)])).await, "ResourceArnNotFound");
        offer.delete().await;
        assert_eq!(offer.owner.refused(GET, &of(&[component(1)])).await, "ResourceArnNotFound");
    })
    .await;
}

#[tokio::test]
async fn all_shares_of_a_resource_are_one_document() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        for principals in [json!([CONSUMER, ROLE]), json!([OWNER]), json!([]), json!([STRANGER])] {
            let input = json!({"name": "n", "resourceArns": [component(1)], "principals": principals});
            create(&owner, &input).await;
        }
        accept_all(&server.account(CONSUMER)).await;
        let found = statements(&owner, &component(1)).await;
        let expected = [json!({"AWS": [root(CONSUMER), ROLE]}), json!({"AWS": root(OWNER)})];
        let mut first = principals(&found);
        first[0]["AWS"].as_array_mut().unwrap().sort_by_key(|name| name != &root(CONSUMER));
        assert_eq!(first, expected);
        assert_eq!(found[1]["Sid"], "RamStatement2");
        accept_all(&server.account(STRANGER)).await;
        assert_eq!(statements(&owner, &component(1)).await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_out_is_in_no_document() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[component(1), component(2)]).await;
        let out = |member: &str, id: Value| json!({"resourceShareArn": offer.share, member: [id]});
        offer.owner.ok("DisassociateResourceShare", &out("resourceArns", json!(component(1)))).await;
        assert_eq!(offer.owner.refused(GET, &of(&[component(1)])).await, "ResourceArnNotFound");
        assert_eq!(statements(&offer.owner, &component(2)).await.len(), 1);
        offer.owner.ok("DisassociateResourceShare", &out("principals", json!(CONSUMER))).await;
        assert_eq!(policies(&offer.owner, &of(&[component(2)])).await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_service_principal_is_confined_to_its_sources() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let sources = json!([STRANGER, "o-abcdefghij", "o-abcdefghij/r-ab12/ou-ab12-abcdefgh/*", gateway(1)]);
        let input =
            json!({"name": "n", "resourceArns": [authority()], "principals": [SERVICE], "sources": sources});
        create(&owner, &input).await;
        let found = statements(&owner, &authority()).await;
        // The permission makes two statements; the second has a condition of its own.
        let template = json!({"acm-pca:TemplateArn": "arn:aws:acm-pca:::template/EndEntityCertificate/V1"});
        let conditions: Vec<_> = found.iter().map(|statement| statement["Condition"].clone()).collect();
        let account = json!({"aws:SourceAccount": STRANGER});
        let mut both = template.clone();
        both["aws:SourceAccount"] = json!(STRANGER);
        let organization = json!({"aws:SourceOrgID": "o-abcdefghij"});
        let mut organization_too = template.clone();
        organization_too["aws:SourceOrgID"] = json!("o-abcdefghij");
        let arn = json!({"aws:SourceArn": gateway(1)});
        let paths = json!({"aws:SourceOrgPaths": "o-abcdefghij/r-ab12/ou-ab12-abcdefgh/*"});
        let expected = [
            json!({"StringEquals": account}),
            json!({"ArnLike": arn}),
            json!({"StringEquals": organization}),
            json!({"ForAnyValue:StringLike": paths}),
            json!({"StringEquals": both}),
            json!({"ArnLike": arn, "StringEquals": template}),
            json!({"StringEquals": organization_too}),
            json!({"ForAnyValue:StringLike": paths, "StringEquals": template}),
        ];
        assert_eq!(conditions, expected);
        assert_eq!(principals(&found), vec![json!({"Service": SERVICE}); 8]);
    })
    .await;
}

#[tokio::test]
async fn a_share_that_gives_no_source_is_for_its_owners_account() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        create(&owner, &json!({"name": "n", "resourceArns": [authority()], "principals": [SERVICE]})).await;
        let found = statements(&owner, &authority()).await;
        assert_eq!(found[0]["Condition"], json!({"StringEquals": {"aws:SourceAccount": OWNER}}));
    })
    .await;
}

#[tokio::test]
async fn another_permission_makes_another_document() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let database = format!("arn:aws:glue:eu-west-1:{OWNER}:database/d");
        let input = json!({"name": "n", "resourceArns": [database], "principals": [OWNER]});
        let share = create(&owner, &input).await;
        let before = statements(&owner, &database).await;
        let other = "arn:aws:ram::aws:permission/AWSRAMPermissionGlueDatabaseReadWrite";
        let input = json!({"resourceShareArn": share, "permissionArn": other, "replace": true});
        owner.ok("AssociateResourceSharePermission", &input).await;
        let after = statements(&owner, &database).await;
        assert_ne!(after, before);
        let permission = owner.ok("GetPermission", &json!({"permissionArn": other})).await;
        let template: Value = serde_json::from_str(&text(&permission["permission"]["permission"])).unwrap();
        assert_eq!(after[0]["Action"], template["Action"]);
    })
    .await;
}

#[tokio::test]
async fn the_filter_leaves_one_principals_statements() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        for (resource, principals) in
            [(component(1), json!([CONSUMER, ROLE, OWNER])), (component(2), json!([STRANGER]))]
        {
            let input = json!({"name": "n", "resourceArns": [resource], "principals": principals});
            create(&owner, &input).await;
        }
        let mut input = of(&[component(1), component(2)]);
        input["principal"] = json!(ROLE);
        assert_eq!(policies(&owner, &input).await, [] as [Value; 0], "who has not accepted");
        accept_all(&server.account(CONSUMER)).await;
        let found = policies(&owner, &input).await;
        assert_eq!(found.len(), 1);
        assert_eq!(principals(&list(&found[0]["Statement"])), [json!({"AWS": ROLE})]);
        input["principal"] = json!("444444444444");
        assert_eq!(policies(&owner, &input).await, [] as [Value; 0]);
        for principal in ["nonsense", "arn:aws:iam::222222222222:root", ""] {
            input["principal"] = json!(principal);
            assert_eq!(owner.refused(GET, &input).await, "InvalidParameter", "{principal}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_shared_is_not_found() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        assert_eq!(statements(&offer.owner, &gateway(1)).await.len(), 1);
        let unshared = of(&[gateway(1), gateway(2)]);
        assert_eq!(offer.owner.refused(GET, &unshared).await, "ResourceArnNotFound");
        let elsewhere = offer.owner.in_region("us-east-1");
        assert_eq!(elsewhere.refused(GET, &of(&[gateway(1)])).await, "ResourceArnNotFound");
        let not_shareable = of(&[format!("arn:aws:ec2:eu-west-1:{OWNER}:instance/i-1")]);
        assert_eq!(offer.owner.refused(GET, &not_shareable).await, "ResourceArnNotFound");
        assert_eq!(offer.owner.refused(GET, &of(&[gateway(1), "tgw".to_owned()])).await, "MalformedArn");
        for (input, code) in [
            (json!({}), "InvalidParameter"),
            (json!({"resourceArns": []}), "InvalidParameter"),
            (json!({"resourceArns": vec![gateway(1); 501]}), "InvalidParameter"),
            (json!({"resourceArns": [gateway(1)], "maxResults": 501}), "InvalidParameter"),
            (json!({"resourceArns": [gateway(1)], "nextToken": "x"}), "InvalidNextToken"),
        ] {
            assert_eq!(offer.owner.refused(GET, &input).await, code, "{input}");
        }
    })
    .await;
}

#[tokio::test]
async fn pages_hold_whole_documents() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let all: Vec<String> = (1..=40).map(component).collect();
        create(&owner, &json!({"name": "n", "resourceArns": all, "principals": [OWNER]})).await;
        // Two of them a second time.
        let again = [component(3), component(7)];
        create(&owner, &json!({"name": "n", "resourceArns": again, "principals": [OWNER]})).await;
        let whole = policies(&owner, &of(&all)).await;
        assert_eq!(whole.len(), 40);
        for size in [1, 3, 17, 39] {
            let found = collect(&owner, (GET, "policies"), &of(&all), size).await;
            let found: Vec<Value> =
                found.iter().map(|policy| serde_json::from_str(&text(policy)).unwrap()).collect();
            assert_eq!(found, whole, "by {size}");
        }
        assert_eq!(whole.iter().filter(|policy| list(&policy["Statement"]).len() == 2).count(), 2);
        // The order in which resources are named does not matter, and a token is for its own resources alone.
        let mut first = of(&all.iter().rev().cloned().collect::<Vec<_>>());
        first["maxResults"] = json!(1);
        let token = owner.ok(GET, &first).await["nextToken"].clone();
        let mut other = of(&all[..39]);
        other["nextToken"] = token;
        assert_eq!(owner.refused(GET, &other).await, "InvalidNextToken");
    })
    .await;
}

#[tokio::test]
async fn long_documents_come_on_pages_of_their_own() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arns = [authority(), authority().replace("authority/0", "authority/1")];
        let share = create(&owner, &json!({"name": "n", "resourceArns": arns})).await;
        for batch in 0..20 {
            let service = |n| format!("{}{batch}-{n}.amazonaws.com", "s".repeat(100));
            let services: Vec<_> = (0..100).map(service).collect();
            let input = json!({"resourceShareArn": share, "principals": services});
            owner.ok("AssociateResourceShare", &input).await;
        }
        let first = owner.ok(GET, &of(&arns)).await;
        let documents = list(&first["policies"]);
        assert_eq!(documents.len(), 1);
        let document: Value = serde_json::from_str(&text(&documents[0])).unwrap();
        assert_eq!(list(&document["Statement"][0]["Principal"]["Service"]).len(), 2000);
        assert!(first["nextToken"].is_string());
        assert_eq!(collect(&owner, (GET, "policies"), &of(&arns), 500).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_has_not_settled_gives_nothing_yet() {
    let slow = Settings { timing: Timing { settle_delay_ms: 600_000, ..Timing::default() }, ..settings() };
    for_each_store_with(slow, async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "resourceArns": [component(1)], "principals": [OWNER]});
        let share = create(&owner, &input).await;
        assert_eq!(policies(&owner, &of(&[component(1)])).await, [] as [Value; 0]);
        server.advance(Duration::from_secs(601));
        assert_eq!(statements(&owner, &component(1)).await.len(), 1);
        let role = format!("arn:aws:iam::{OWNER}:role/r");
        let add = json!({"resourceShareArn": share, "resourceArns": [component(2)], "principals": [role]});
        owner.ok("AssociateResourceShare", &add).await;
        let found = policies(&owner, &of(&[component(1), component(2)])).await;
        assert_eq!(found.len(), 1);
        assert_eq!(principals(&list(&found[0]["Statement"])), [json!({"AWS": root(OWNER)})]);
        let mut filtered = of(&[component(1)]);
        filtered["principal"] = json!(role);
        assert_eq!(policies(&owner, &filtered).await, [] as [Value; 0]);
        server.advance(Duration::from_secs(601));
        assert_eq!(policies(&owner, &of(&[component(1), component(2)])).await.len(), 2);
        assert_eq!(policies(&owner, &filtered).await.len(), 1);
    })
    .await;
}
