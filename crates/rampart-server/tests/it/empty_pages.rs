//! The switch of open mode by which every list begins with an empty page and a token, as AWS's sometimes do.

use rampart_server::{Settings, operations};
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, TestServer};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, Offer, STRANGER, collect, create, gateway, list, text};

const SERVICE: &str = "pca-connector-ad.amazonaws.com";

fn switched_on() -> Settings {
    Settings { empty_pages: true, ..settings() }
}

/// Every list with the member that its items stand in and how many items it has; none where that is the catalog's size.
#[expect(clippy::too_many_lines, reason = "a table of all lists")]
async fn lists(server: &TestServer) -> Vec<(Client, &'static str, &'static str, Value, Option<usize>)> {
    let owner = server.account(OWNER);
    let input = json!({"name": "n", "principals": [SERVICE], "sources": [OWNER, STRANGER], "tags": [{"key": "k", "value": ""}]});
    create(&owner, &input).await;
    let resources = [gateway(1), gateway(2)];
    let input = json!({"name": "n", "resourceArns": resources, "principals": [CONSUMER]});
    let mut named = Vec::new();
    let mut shares = Vec::new();
    let consumer = server.account(CONSUMER);
    for _ in 0..2 {
        shares.push(create(&owner, &input).await);
        // The list of invitations begins with an empty page too.
        let list = ("GetResourceShareInvitations", "resourceShareInvitations");
        for found in collect(&consumer, list, &json!({"resourceShareArns": shares}), 500).await {
            let arn = text(&found["resourceShareInvitationArn"]);
            if !named.contains(&arn) {
                named.push(arn);
            }
        }
    }
    let accept = json!({"resourceShareInvitationArn": named[0]});
    consumer.ok("AcceptResourceShareInvitation", &accept).await;
    let gateways = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway";
    let replace = json!({"fromPermissionArn": gateways, "toPermissionArn": gateways});
    owner.ok("ReplacePermissionAssociations", &replace).await;
    let of =
        |client: &Client, operation, items, input, count| (client.clone(), operation, items, input, count);
    let (mine, theirs) = (json!({"resourceOwner": "SELF"}), json!({"resourceOwner": "OTHER-ACCOUNTS"}));
    let with = |base: &Value, more: Value| {
        let mut input = base.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    vec![
        of(&owner, "GetResourceShares", "resourceShares", mine.clone(), Some(3)),
        of(&owner, "GetResourceShares", "resourceShares", with(&mine, json!({"name": "n"})), Some(3)),
        of(
            &owner,
            "GetResourceShares",
            "resourceShares",
            with(&mine, json!({"tagFilters": [{"tagKey": "k"}]})),
            Some(1),
        ),
        of(
            &owner,
            "GetResourceShares",
            "resourceShares",
            with(&mine, json!({"resourceShareArns": shares})),
            Some(2),
        ),
        of(&consumer, "GetResourceShares", "resourceShares", theirs.clone(), Some(1)),
        of(
            &owner,
            "GetResourceShareAssociations",
            "resourceShareAssociations",
            json!({"associationType": "RESOURCE"}),
            Some(4),
        ),
        of(
            &owner,
            "GetResourceShareAssociations",
            "resourceShareAssociations",
            json!({"associationType": "SOURCE"}),
            Some(2),
        ),
        of(&consumer, "GetResourceShareInvitations", "resourceShareInvitations", json!({}), Some(2)),
        of(
            &consumer,
            "GetResourceShareInvitations",
            "resourceShareInvitations",
            json!({"resourceShareInvitationArns": named}),
            Some(2),
        ),
        of(
            &consumer,
            "ListPendingInvitationResources",
            "resources",
            json!({"resourceShareInvitationArn": named[1]}),
            Some(2),
        ),
        of(&owner, "ListPrincipals", "principals", mine.clone(), Some(3)),
        of(&owner, "ListPrincipals", "principals", with(&mine, json!({"resourceArn": gateway(1)})), Some(2)),
        of(&consumer, "ListPrincipals", "principals", theirs.clone(), Some(1)),
        of(&owner, "ListResources", "resources", mine.clone(), Some(4)),
        of(&owner, "ListResources", "resources", with(&mine, json!({"principal": CONSUMER})), Some(4)),
        of(&owner, "ListResources", "resources", with(&mine, json!({"resourceArns": [gateway(9)]})), Some(0)),
        of(&consumer, "ListResources", "resources", theirs, Some(2)),
        of(
            &owner,
            "GetResourcePolicies",
            "policies",
            json!({"resourceArns": [gateway(1), gateway(2)]}),
            Some(2),
        ),
        of(&owner, "ListSourceAssociations", "sourceAssociations", json!({}), Some(2)),
        of(
            &owner,
            "ListResourceSharePermissions",
            "permissions",
            json!({"resourceShareArn": shares[0]}),
            Some(1),
        ),
        of(&owner, "ListPermissionAssociations", "permissions", json!({}), Some(2)),
        of(&owner, "ListPermissions", "permissions", json!({"resourceType": "ec2:TransitGateway"}), Some(1)),
        of(
            &owner,
            "ListPermissionVersions",
            "permissions",
            json!({"permissionArn": "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionAppMesh"}),
            Some(3),
        ),
        of(
            &owner,
            "ListReplacePermissionAssociationsWork",
            "replacePermissionAssociationsWorks",
            json!({}),
            Some(1),
        ),
        of(&owner, "ListResourceTypes", "resourceTypes", json!({}), None),
    ]
}

#[tokio::test]
async fn every_list_begins_with_an_empty_page_and_loses_nothing() {
    for_each_store_with(switched_on(), async |server| {
        let lists = lists(&server).await;
        for operation in operations::RAM.iter().filter(|operation| operation.is_built() && operation.paged) {
            assert!(lists.iter().any(|list| list.1 == operation.name), "{}", operation.name);
        }
        for (client, operation, items, input, count) in lists {
            let first = client.ok(operation, &input).await;
            assert!(list(&first[items]).is_empty(), "{operation} {input}: {first}");
            let token = text(&first["nextToken"]);
            let mut second = input.clone();
            second["nextToken"] = json!(token);
            let page = client.ok(operation, &second).await;
            let count = count.unwrap_or(rampart_core::catalog::Catalog::embedded().types().len());
            assert_eq!(list(&page[items]).len(), count, "{operation} {input}: {page}");
            assert_eq!(page.get("nextToken"), None);
            for size in [1, 2, 500] {
                let found = collect(&client, (operation, items), &input, size).await;
                assert_eq!(found.len(), count, "{operation} {input} by {size}");
            }
            // Only the first page is empty without need.
            let mut rest = second.clone();
            rest["maxResults"] = json!(1);
            if count > 0 {
                assert_eq!(list(&client.ok(operation, &rest).await[items]).len(), 1);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_is_refused_on_the_empty_page() {
    for_each_store_with(switched_on(), async |server| {
        let owner = server.account(OWNER);
        for (operation, input, code) in [
            ("ListResources", json!({"resourceOwner": "SELF", "maxResults": 0}), "InvalidParameter"),
            ("ListPrincipals", json!({"resourceOwner": "SELF", "nextToken": "x"}), "InvalidNextToken"),
            ("GetResourceShares", json!({}), "InvalidParameter"),
        ] {
            assert_eq!(owner.refused(operation, &input).await, code);
        }
    })
    .await;
}

/// An offer, as most stories begin, with a client that follows tokens.
#[tokio::test]
async fn without_the_switch_no_page_is_empty_without_need() {
    for_each_store_with(settings(), async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let page = offer.consumer.ok("ListResources", &json!({"resourceOwner": "OTHER-ACCOUNTS"})).await;
        assert_eq!(list(&page["resources"]).len(), 1);
        let page = offer.owner.ok("ListResourceTypes", &json!({})).await;
        assert!(!list(&page["resourceTypes"]).is_empty());
    })
    .await;
}
