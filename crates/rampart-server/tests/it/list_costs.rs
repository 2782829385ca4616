//! What lists cost in a store of many rows: what is asked for is found at once, or after a bounded look at what is not.

use rampart_core::association::{Member, PrincipalKind, Standing};
use rampart_core::contents::Contents;
use rampart_core::resource_share::Origin;
use rampart_core::source::SourceType;
use rampart_core::{Association, AssociationId, Change, InvitationId, ResourceShare, ShareId, TimestampMs};
use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sharing::{CONSUMER, OWNER, STRANGER, collect, gateway, list};

const RESOURCES: (&str, &str) = ("ListResources", "resources");
const PRINCIPALS: (&str, &str) = ("ListPrincipals", "principals");
const SOURCES: (&str, &str) = ("ListSourceAssociations", "sourceAssociations");
const ASSOCIATIONS: (&str, &str) = ("GetResourceShareAssociations", "resourceShareAssociations");
/// More rows than are looked at for one page.
const MANY: u32 = 2_200;
const LONG_AGO: i64 = 1_700_000_000_000;

fn share(number: u32, resources: u32, principals: u32) -> ResourceShare {
    let created = TimestampMs(LONG_AGO + i64::from(number));
    ResourceShare {
        owner: OWNER.parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        id: ShareId(Uuid::from_u128(u128::from(number) << 32)),
        name: format!("share-{number}"),
        allow_external_principals: true,
        retain_sharing_on_account_leave_organization: false,
        tags: Vec::new(),
        created,
        updated: created,
        deleted: None,
        contents: Contents { resources, principals, ..Contents::default() },
        origin: Origin::Made,
    }
}

/// The `place`th row of a share.
fn row(share: &ResourceShare, place: u32, entity: &str, member: Member) -> Association {
    Association {
        owner: share.owner,
        region: share.region,
        share: share.id,
        share_created: share.created,
        id: AssociationId(Uuid::from_u128(share.id.0.as_u128() + u128::from(place))),
        entity: entity.to_owned(),
        member,
        created: share.created,
        standing: Standing::Granted { at: share.created, invitation: None },
    }
}

fn principal(share: &ResourceShare, place: u32, account: &str) -> Association {
    let receiver = Some(account.to_owned());
    let principal = PrincipalKind::Account;
    row(share, place, account, Member::Principal { principal, receiver, external: true, basis: None })
}

fn resource(share: &ResourceShare, place: u32, arn: &str) -> Association {
    resource_of("ec2:TransitGateway", share, place, arn)
}

fn resource_of(resource_type: &str, share: &ResourceShare, place: u32, arn: &str) -> Association {
    let member = Member::Resource {
        resource_type: resource_type.to_owned(),
        short_invitation: false,
        for_identities: false,
        for_services: false,
        for_outsiders: true,
    };
    row(share, place, arn, member)
}

/// Many shares that hold one principal, one resource and one source. The last holds another resource too, somebody who
/// has not answered, and somebody who has left. Gives the shares' ARNs.
async fn crowd(server: &TestServer) -> Vec<String> {
    let mut changes = Vec::new();
    let mut arns = Vec::new();
    for number in 1..=MANY {
        let last = number == MANY;
        let share = share(number, 1 + u32::from(last), 1);
        changes.push(Change::AssociationStored(principal(&share, 1, CONSUMER)));
        changes.push(Change::AssociationStored(resource(&share, 2, &gateway(0))));
        let source = row(&share, 3, OWNER, Member::Source { source_type: SourceType::Account });
        changes.push(Change::AssociationStored(source));
        if last {
            changes.push(Change::AssociationStored(resource(&share, 4, &gateway(1))));
            let (invitation, deadline) = (InvitationId(Uuid::from_u128(7)), TimestampMs(i64::MAX));
            let invited = Standing::Invited { invitation, deadline };
            let waits = principal(&share, 5, STRANGER);
            changes.push(Change::AssociationStored(Association { standing: invited, ..waits }));
            let ended = Standing::Ended { at: server.app().clock().now() };
            let left = principal(&share, 6, "444444444444");
            changes.push(Change::AssociationStored(Association { standing: ended, ..left }));
        }
        arns.push(share.arn().to_string());
        changes.push(Change::ShareStored(share));
    }
    server.fill(OWNER, &changes).await;
    arns
}

/// What one call answers, which must be all.
async fn at_once(client: &Client, (operation, items): (&str, &str), input: &Value) -> Vec<Value> {
    let page = client.ok(operation, input).await;
    assert_eq!(page.get("nextToken"), None, "{operation} {input}: {page}");
    list(&page[items])
}

/// Every list that takes an entity and shares.
fn entity_and_shares(shares: &[String]) -> [((&'static str, &'static str), Value); 7] {
    [
        (ASSOCIATIONS, json!({"associationType": "PRINCIPAL", "principal": CONSUMER})),
        (ASSOCIATIONS, json!({"associationType": "RESOURCE", "resourceArn": gateway(0)})),
        (PRINCIPALS, json!({"resourceOwner": "SELF", "principals": [CONSUMER]})),
        (PRINCIPALS, json!({"resourceOwner": "SELF", "resourceArn": gateway(0), "principals": [CONSUMER]})),
        (RESOURCES, json!({"resourceOwner": "SELF", "resourceArns": [gateway(0)]})),
        (RESOURCES, json!({"resourceOwner": "SELF", "principal": CONSUMER, "resourceArns": [gateway(0)]})),
        (SOURCES, json!({"sourceId": OWNER})),
    ]
    .map(|(list, mut input)| {
        input["resourceShareArns"] = json!(shares);
        (list, input)
    })
}

#[tokio::test]
async fn an_entity_of_many_shares_is_found_in_those_that_are_named() {
    for_each_store(async |server| {
        let all = crowd(&server).await;
        let last = &all[all.len() - 3..];
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        for (list, input) in entity_and_shares(&last[2..]) {
            let found = at_once(&owner, list, &input).await;
            assert_eq!(found.len(), 1, "{list:?} {input}");
            assert_eq!(found[0]["resourceShareArn"], json!(last[2]));
        }
        for (list, input) in entity_and_shares(last) {
            for size in [1, 2, 3, 100] {
                let found = collect(&owner, list, &input, size).await;
                let shares: Vec<_> = found.iter().map(|found| &found["resourceShareArn"]).collect();
                assert_eq!(shares, last.iter().collect::<Vec<_>>(), "{list:?} {input} by {size}");
            }
            // The last page says that it is the last, and none is empty.
            let mut input = input.clone();
            input["maxResults"] = json!(2);
            let page = owner.ok(list.0, &input).await;
            assert_eq!(crate::sharing::list(&page[list.1]).len(), 2, "{input}");
            input["nextToken"] = page["nextToken"].clone();
            assert_eq!(at_once(&owner, list, &input).await.len(), 1, "{input}");
        }
        // Of those that a consumer was given, by what only one of them holds.
        for (list, filter) in [
            (PRINCIPALS, json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceArn": gateway(1)})),
            (RESOURCES, json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceArns": [gateway(1)]})),
        ] {
            let found = at_once(&consumer, list, &filter).await;
            assert_eq!(found.len(), 1, "{filter}");
            assert_eq!(found[0]["resourceShareArn"], json!(last[2]));
            let mut none = filter.clone();
            none["resourceShareArns"] = json!(last[..2]);
            assert!(at_once(&consumer, list, &none).await.is_empty());
        }
        // What is in too many shares to look each up is found on the way through all.
        for (list, filter) in [
            (PRINCIPALS, json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceArn": gateway(0)})),
            (RESOURCES, json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceArns": [gateway(0)]})),
        ] {
            let found = collect(&consumer, list, &filter, 500).await;
            assert_eq!(found.len(), all.len(), "{filter}");
        }
        // So are the pairs of more entities and shares than a page looks at.
        let principals = [CONSUMER, STRANGER, "444444444444", "555555555555", "666666666666"];
        let shares = &all[all.len() - 500..];
        let input = json!({"resourceOwner": "SELF", "principals": principals, "resourceShareArns": shares});
        assert_eq!(collect(&owner, PRINCIPALS, &input, 500).await.len(), 501);
    })
    .await;
}

#[tokio::test]
async fn a_status_that_few_have_is_found_at_once() {
    for_each_store(async |server| {
        let all = crowd(&server).await;
        let last = &all[all.len() - 3..];
        let owner = server.account(OWNER);
        for shares in [json!(null), json!([last[2]])] {
            for (status, who) in [
                ("ASSOCIATING", Some(STRANGER)),
                ("DISASSOCIATED", Some("444444444444")),
                ("DISASSOCIATING", None),
                ("FAILED", None),
                ("SUSPENDED", None),
                ("SUSPENDING", None),
                ("RESTORING", None),
            ] {
                let mut input = json!({"associationType": "PRINCIPAL", "associationStatus": status});
                if !shares.is_null() {
                    input["resourceShareArns"] = shares.clone();
                }
                let found = at_once(&owner, ASSOCIATIONS, &input).await;
                let found: Vec<_> = found.iter().map(|found| found["associatedEntity"].as_str()).collect();
                assert_eq!(found, who.map(Some).into_iter().collect::<Vec<_>>(), "{input}");
                input["associationType"] = json!("RESOURCE");
                assert!(at_once(&owner, ASSOCIATIONS, &input).await.is_empty(), "{input}");
                let input = json!({"associationStatus": status});
                assert!(at_once(&owner, SOURCES, &input).await.is_empty(), "{input}");
            }
        }
        for input in [
            json!({"resourceOwner": "SELF", "resourceRegionScope": "GLOBAL"}),
            json!({"resourceOwner": "SELF", "resourceRegionScope": "GLOBAL", "resourceType": "ec2:TransitGateway"}),
            json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceRegionScope": "GLOBAL"}),
        ] {
            assert!(at_once(&owner, RESOURCES, &input).await.is_empty(), "{input}");
        }
        for status in ["PENDING", "FAILED", "DELETING", "DELETED"] {
            let input = json!({"resourceOwner": "SELF", "resourceShareStatus": status});
            let shares = ("GetResourceShares", "resourceShares");
            assert!(at_once(&owner, shares, &input).await.is_empty(), "{input}");
        }
        // A share's deletion ends all that is in it, what had ended before included once.
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": last[2]})).await;
        for (kind, count) in [("PRINCIPAL", 3), ("RESOURCE", 2), ("SOURCE", 1)] {
            let input = json!({"associationType": kind, "associationStatus": "DISASSOCIATED"});
            for size in [1, 2, 100] {
                assert_eq!(collect(&owner, ASSOCIATIONS, &input, size).await.len(), count, "{kind} by {size}");
            }
            assert_eq!(at_once(&owner, ASSOCIATIONS, &input).await.len(), count, "{kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn principals_by_type_of_one_share_come_without_empty_pages() {
    for_each_store(async |server| {
        let share = share(1, 1, MANY);
        let mut changes = vec![Change::AssociationStored(resource(&share, 1, &gateway(0)))];
        let account = |n: u32| format!("{:012}", 500_000_000_000_u64 + u64::from(n));
        changes.extend((0..MANY).map(|n| Change::AssociationStored(principal(&share, 2 + n, &account(n)))));
        changes.push(Change::ShareStored(share.clone()));
        server.fill(OWNER, &changes).await;
        let owner = server.account(OWNER);
        let named = json!([share.arn().to_string()]);
        for shares in [None, Some(named)] {
            let of_type = |name: &str| {
                let mut input = json!({"resourceOwner": "SELF", "resourceType": name});
                if let Some(shares) = &shares {
                    input["resourceShareArns"] = shares.clone();
                }
                input
            };
            let none = of_type("imagebuilder:Component");
            assert!(at_once(&owner, PRINCIPALS, &none).await.is_empty());
            let mut input = of_type("ec2:TransitGateway");
            for left in [MANY, 1700, 1200, 700, 200] {
                let page = owner.ok("ListPrincipals", &input).await;
                assert_eq!(list(&page["principals"]).len(), usize::try_from(left.min(500)).unwrap());
                assert_eq!(page.get("nextToken").is_none(), left == 200);
                input["nextToken"] = page["nextToken"].clone();
            }
        }
    })
    .await;
}

/// Many shares with a principal each, of which the last alone holds a resource. The first has a row that its count does
/// not tell: whoever lists it has asked for the contents of an empty share.
async fn nearly_empty(server: &TestServer) {
    let mut changes = Vec::new();
    for number in 1..=MANY {
        let share = share(number, u32::from(number == MANY), 1);
        changes.push(Change::AssociationStored(principal(&share, 1, CONSUMER)));
        if number == 1 {
            changes.push(Change::AssociationStored(resource_of("ec2:Subnet", &share, 2, &gateway(9))));
        }
        if number == MANY {
            changes.push(Change::AssociationStored(resource(&share, 2, &gateway(0))));
        }
        changes.push(Change::ShareStored(share));
    }
    server.fill(OWNER, &changes).await;
}

#[tokio::test]
async fn a_page_looks_at_a_bounded_number_of_shares_that_yield_nothing() {
    for_each_store(async |server| {
        nearly_empty(&server).await;
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        for (client, operation, items, input) in [
            (&consumer, RESOURCES.0, RESOURCES.1, json!({"resourceOwner": "OTHER-ACCOUNTS"})),
            (
                &consumer,
                RESOURCES.0,
                RESOURCES.1,
                json!({"resourceOwner": "OTHER-ACCOUNTS", "principal": OWNER}),
            ),
            (&owner, RESOURCES.0, RESOURCES.1, json!({"resourceOwner": "SELF", "principal": CONSUMER})),
            (
                &consumer,
                PRINCIPALS.0,
                PRINCIPALS.1,
                json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceType": "ec2:TransitGateway"}),
            ),
            (
                &owner,
                PRINCIPALS.0,
                PRINCIPALS.1,
                json!({"resourceOwner": "SELF", "resourceType": "ec2:TransitGateway"}),
            ),
        ] {
            let first = client.ok(operation, &input).await;
            assert!(list(&first[items]).is_empty(), "{input}: {first}");
            let mut next = input.clone();
            next["nextToken"] = first["nextToken"].clone();
            assert_eq!(at_once(client, (operation, items), &next).await.len(), 1, "{input}");
        }
        // Of nobody who shares with the consumer.
        let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "principal": STRANGER});
        assert!(consumer.ok("ListResources", &input).await.get("nextToken").is_some());
        // Permissions are in every share, and none of them is the owner's.
        let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "permissionType": "CUSTOMER_MANAGED"});
        let first = consumer.ok("ListPermissions", &input).await;
        assert!(list(&first["permissions"]).is_empty() && first.get("nextToken").is_some(), "{first}");
    })
    .await;
}
