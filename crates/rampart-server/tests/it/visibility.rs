//! Who sees what (reference §6): the table by operation and side, from the eyes of everybody around a share.

use std::time::Duration;

use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, STRANGER, component, create, list, pending_invitation, share_arns};

const INVITED: &str = "444444444441";
const REJECTED: &str = "444444444442";
const EXPIRED: &str = "444444444443";
const REMOVED: &str = "444444444444";
const BY_ROLE: &str = "444444444445";
const EVERYBODY: [&str; 8] = [OWNER, CONSUMER, STRANGER, INVITED, REJECTED, EXPIRED, REMOVED, BY_ROLE];

/// A share whose principals stand in every way that there is. The owner is among them.
async fn share_of_all(server: &TestServer) -> (Client, String) {
    let owner = server.account(OWNER);
    let input = json!({
        "name": "n", "resourceArns": [component(1)], "tags": [{"key": "secret", "value": "v"}],
        "principals": [EXPIRED],
    });
    let share = create(&owner, &input).await;
    server.advance(Duration::from_hours(12));
    let role = format!("arn:aws:iam::{BY_ROLE}:role/Reader");
    let principals = [OWNER, CONSUMER, INVITED, REJECTED, REMOVED, &role];
    let input = json!({"resourceShareArn": share, "principals": principals});
    owner.ok("AssociateResourceShare", &input).await;
    for (account, operation) in [
        (CONSUMER, "AcceptResourceShareInvitation"),
        (REMOVED, "AcceptResourceShareInvitation"),
        (BY_ROLE, "AcceptResourceShareInvitation"),
        (REJECTED, "RejectResourceShareInvitation"),
    ] {
        let client = server.account(account);
        let invitation = pending_invitation(&client, &share).await;
        client.ok(operation, &json!({"resourceShareInvitationArn": invitation})).await;
    }
    let remove = json!({"resourceShareArn": share, "principals": [REMOVED]});
    owner.ok("DisassociateResourceShare", &remove).await;
    (owner, share)
}

async fn count(client: &Client, operation: &str, items: &str, input: Value) -> usize {
    list(&client.ok(operation, &input).await[items]).len()
}

#[tokio::test]
async fn the_table_of_section_six() {
    for_each_store(async |server| {
        let (_, share) = share_of_all(&server).await;
        // As it is, and after background work.
        for _ in 0..2 {
            for account in EVERYBODY {
                let client = server.account(account);
                let (own, in_it) = (account == OWNER, [CONSUMER, BY_ROLE].contains(&account));
                let view = |view: &str| json!({"resourceOwner": view});
                for (operation, items) in
                    [("GetResourceShares", "resourceShares"), ("ListResources", "resources")]
                {
                    let mine = count(&client, operation, items, view("SELF")).await;
                    assert_eq!(mine, usize::from(own), "{operation} SELF of {account}");
                    let theirs = count(&client, operation, items, view("OTHER-ACCOUNTS")).await;
                    assert_eq!(theirs, usize::from(in_it), "{operation} OTHER-ACCOUNTS of {account}");
                }
                // Of principals: the owner itself, three that are in or may come in. A consumer sees the owner.
                let mine = count(&client, "ListPrincipals", "principals", view("SELF")).await;
                assert_eq!(mine, if own { 4 } else { 0 }, "{account}");
                let page = client.ok("ListPrincipals", &view("OTHER-ACCOUNTS")).await;
                let seen: Vec<_> = list(&page["principals"]).iter().map(|row| row["id"].clone()).collect();
                assert_eq!(seen, vec![json!(OWNER); usize::from(in_it)], "{account}");
                for kind in ["PRINCIPAL", "RESOURCE", "SOURCE"] {
                    let input = json!({"associationType": kind});
                    let rows =
                        count(&client, "GetResourceShareAssociations", "resourceShareAssociations", input);
                    assert_eq!(rows.await > 0, own && kind != "SOURCE", "{kind} of {account}");
                }
                let invitations =
                    count(&client, "GetResourceShareInvitations", "resourceShareInvitations", json!({}))
                        .await;
                let invited = [CONSUMER, INVITED, REJECTED, EXPIRED, BY_ROLE].contains(&account);
                assert_eq!(invitations, usize::from(invited), "{account}");
            }
            server.sweep().await;
        }
        assert_eq!(share_arns(&server.account(CONSUMER), "OTHER-ACCOUNTS").await, [share.as_str()]);
    })
    .await;
}

#[tokio::test]
async fn a_share_that_one_may_not_see_is_unknown_to_every_call() {
    for_each_store(async |server| {
        let (_, share) = share_of_all(&server).await;
        let resource = component(2);
        for account in EVERYBODY {
            let client = server.account(account);
            let (own, in_it) = (account == OWNER, [CONSUMER, BY_ROLE].contains(&account));
            for (operation, input, allowed) in [
                ("GetResourceShares", json!({"resourceOwner": "SELF"}), own),
                ("GetResourceShares", json!({"resourceOwner": "OTHER-ACCOUNTS"}), in_it),
                ("ListResources", json!({"resourceOwner": "SELF"}), own),
                ("ListResources", json!({"resourceOwner": "OTHER-ACCOUNTS"}), in_it),
                ("ListPrincipals", json!({"resourceOwner": "SELF"}), own),
                ("ListPrincipals", json!({"resourceOwner": "OTHER-ACCOUNTS"}), in_it),
                ("GetResourceShareAssociations", json!({"associationType": "PRINCIPAL"}), own),
                ("GetResourceShareAssociations", json!({"associationType": "RESOURCE"}), own),
                ("ListSourceAssociations", json!({}), own),
            ] {
                let mut input = input;
                input["resourceShareArns"] = json!([share]);
                let reply = client.call(operation, &input).await;
                let expected = if allowed { "" } else { "UnknownResourceException" };
                assert_eq!(reply.error_code, expected, "{operation} {input} of {account}");
                if !allowed {
                    assert_eq!(reply.json["message"], format!("ResourceShare {share} could not be found."));
                }
            }
            // Nobody but the owner changes it; a consumer can do no more than leave.
            if !own {
                for (operation, more) in [
                    ("UpdateResourceShare", json!({"name": "mine"})),
                    ("AssociateResourceShare", json!({"principals": [STRANGER]})),
                    ("AssociateResourceShare", json!({"resourceArns": [resource.replace(OWNER, account)]})),
                    ("DisassociateResourceShare", json!({"principals": [CONSUMER, STRANGER]})),
                    ("DisassociateResourceShare", json!({"resourceArns": [component(1)]})),
                    ("DeleteResourceShare", json!({})),
                    ("TagResource", json!({"tags": [{"key": "k", "value": ""}]})),
                    ("UntagResource", json!({"tagKeys": ["secret"]})),
                ] {
                    let mut input = more;
                    input["resourceShareArn"] = json!(share);
                    assert_eq!(
                        client.refused(operation, &input).await,
                        "UnknownResource",
                        "{operation} {account}"
                    );
                }
            }
        }
    })
    .await;
}

/// No answer that a consumer gets holds a word of the owner's tags or of the other principals.
#[tokio::test]
async fn a_consumers_answers_hold_nothing_of_the_owners() {
    for_each_store(async |server| {
        let (owner, share) = share_of_all(&server).await;
        let consumer = server.account(CONSUMER);
        for deleted in [false, true] {
            if deleted {
                owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
            }
            for (operation, input) in [
                ("GetResourceShares", json!({"resourceOwner": "OTHER-ACCOUNTS"})),
                (
                    "GetResourceShares",
                    json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [share]}),
                ),
                ("ListResources", json!({"resourceOwner": "OTHER-ACCOUNTS"})),
                ("ListPrincipals", json!({"resourceOwner": "OTHER-ACCOUNTS"})),
                ("ListPrincipals", json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceArn": component(1)})),
                ("GetResourceShareInvitations", json!({})),
            ] {
                let text = consumer.call(operation, &input).await.text;
                for word in ["secret", "tags", STRANGER, INVITED, REJECTED, EXPIRED, REMOVED, BY_ROLE] {
                    assert!(!text.contains(word), "{operation}: {text}");
                }
            }
        }
    })
    .await;
}
