//! Paging of every list: each item once, in a stable order, with tokens that are good for one list alone.

use std::time::Duration;

use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, Offer, STRANGER, create, gateway, invitations, list, text};

const ITEMS: u32 = 7;

/// A list operation with one way to ask, the member that its items stand in, and what tells one from another.
struct List {
    client: Client,
    operation: &'static str,
    input: Value,
    items: &'static str,
    id: &'static str,
}

/// Every list with every index that it may walk, each with seven items; some of them made in one moment.
async fn lists(server: &TestServer) -> Vec<List> {
    let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
    let mut shares = Vec::new();
    for number in 0..ITEMS {
        let input = json!({
            "name": "paged", "tags": [{"key": "k", "value": "v"}], "principals": [CONSUMER],
            "resourceArns": [gateway(0)],
        });
        let share = create(&owner, &input).await;
        for invitation in invitations(&consumer, &share).await {
            let accept = json!({"resourceShareInvitationArn": invitation["resourceShareInvitationArn"]});
            consumer.ok("AcceptResourceShareInvitation", &accept).await;
        }
        shares.push(share);
        if number % 2 == 0 {
            server.advance(Duration::from_secs(1));
        }
    }
    let stranger = server.account(STRANGER);
    let resources: Vec<String> = (0..ITEMS).map(|n| gateway(n).replace(OWNER, STRANGER)).collect();
    let input = json!({"name": "big", "resourceArns": resources, "principals": [CONSUMER]});
    let big = create(&stranger, &input).await;
    let pending = crate::sharing::pending_invitation(&consumer, &big).await;
    let invitation_arns: Vec<String> = {
        let found = consumer.ok("GetResourceShareInvitations", &json!({})).await;
        let found = list(&found["resourceShareInvitations"]);
        let accepted = found.iter().filter(|found| found["status"] == "ACCEPTED");
        accepted.map(|found| text(&found["resourceShareInvitationArn"])).collect()
    };

    let shares_of = |client: &Client, mut input: Value, view: &str| {
        input["resourceOwner"] = json!(view);
        List {
            client: client.clone(),
            operation: "GetResourceShares",
            input,
            items: "resourceShares",
            id: "resourceShareArn",
        }
    };
    let rows_of = |client: &Client, input: Value, id| List {
        client: client.clone(),
        operation: "GetResourceShareAssociations",
        input,
        items: "resourceShareAssociations",
        id,
    };
    let invitations_by = |input: Value| List {
        client: consumer.clone(),
        operation: "GetResourceShareInvitations",
        input,
        items: "resourceShareInvitations",
        id: "resourceShareInvitationArn",
    };
    vec![
        shares_of(&owner, json!({}), "SELF"),
        shares_of(&owner, json!({"name": "paged"}), "SELF"),
        shares_of(&owner, json!({"tagFilters": [{"tagKey": "k"}]}), "SELF"),
        shares_of(
            &owner,
            json!({"tagFilters": [{"tagKey": "k", "tagValues": ["v", "w"]}, {"tagKey": "k"}]}),
            "SELF",
        ),
        shares_of(&owner, json!({"resourceShareArns": shares}), "SELF"),
        shares_of(&owner, json!({"resourceShareStatus": "ACTIVE"}), "SELF"),
        shares_of(&consumer, json!({}), "OTHER-ACCOUNTS"),
        shares_of(&consumer, json!({"resourceShareArns": shares}), "OTHER-ACCOUNTS"),
        rows_of(&stranger, json!({"associationType": "RESOURCE"}), "associatedEntity"),
        rows_of(
            &stranger,
            json!({"associationType": "RESOURCE", "resourceShareArns": [big]}),
            "associatedEntity",
        ),
        rows_of(&owner, json!({"associationType": "PRINCIPAL"}), "resourceShareArn"),
        rows_of(&owner, json!({"associationType": "PRINCIPAL", "principal": CONSUMER}), "resourceShareArn"),
        rows_of(
            &owner,
            json!({"associationType": "PRINCIPAL", "associationStatus": "ASSOCIATED"}),
            "resourceShareArn",
        ),
        rows_of(
            &owner,
            json!({"associationType": "RESOURCE", "resourceShareArns": shares}),
            "resourceShareArn",
        ),
        rows_of(
            &owner,
            json!({"associationType": "RESOURCE", "resourceArn": gateway(0)}),
            "resourceShareArn",
        ),
        invitations_by(json!({"resourceShareArns": shares})),
        invitations_by(json!({"resourceShareInvitationArns": invitation_arns})),
        List {
            client: consumer.clone(),
            operation: "ListPendingInvitationResources",
            input: json!({"resourceShareInvitationArn": pending}),
            items: "resources",
            id: "arn",
        },
    ]
}

impl List {
    /// The ids of all pages, and the token of the first.
    async fn walk(&self, page_size: u32) -> (Vec<String>, Option<String>) {
        let mut input = self.input.clone();
        input["maxResults"] = json!(page_size);
        let (mut ids, mut first) = (Vec::new(), None);
        for _ in 0..=ITEMS {
            let page = self.client.ok(self.operation, &input).await;
            let items = list(&page[self.items]);
            assert!(items.len() <= usize::try_from(page_size).unwrap(), "{page}");
            ids.extend(items.iter().map(|item| text(&item[self.id])));
            let Some(token) = page.get("nextToken") else { return (ids, first) };
            first.get_or_insert(text(token));
            input["nextToken"] = token.clone();
        }
        panic!("{} {}: the pages have no end", self.operation, self.input);
    }

    async fn refused(&self, client: &Client, change: &Value) -> String {
        let mut input = self.input.clone();
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        client.refused(self.operation, &input).await
    }
}

#[tokio::test]
async fn each_item_comes_once_in_a_stable_order_whatever_the_page_size() {
    for_each_store(async |server| {
        for list in lists(&server).await {
            let (whole, token) = list.walk(500).await;
            assert_eq!(token, None, "{}", list.input);
            let mut distinct = whole.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!((whole.len(), distinct.len()), (7, 7), "{} {}", list.operation, list.input);
            for page_size in [1, 2, 7] {
                let (paged, _) = list.walk(page_size).await;
                assert_eq!(paged, whole, "{} {} by {page_size}", list.operation, list.input);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_is_good_for_its_list_alone() {
    for_each_store(async |server| {
        let lists = lists(&server).await;
        let mut tokens = Vec::new();
        for list in &lists {
            let (_, token) = list.walk(3).await;
            tokens.push(token.unwrap());
        }
        for (place, list) in lists.iter().enumerate() {
            let own = &tokens[place];
            // Of every other list, whether of another operation, account or filter.
            for (other, token) in tokens.iter().enumerate().filter(|(other, _)| *other != place) {
                let refused = list.refused(&list.client, &json!({"nextToken": token})).await;
                assert_eq!(refused, "InvalidNextToken", "{place} {other}");
            }
            let abroad = list.client.in_region("us-east-1");
            let elsewhere = list.refused(&abroad, &json!({"nextToken": own})).await;
            // What the caller names is looked up in the Region before or after its token is read.
            assert!(["InvalidNextToken", "UnknownResource"].contains(&elsewhere.as_str()), "{elsewhere}");
            // Another account with the very same question.
            let other = server.account("999999999999");
            let elsewhere = list.refused(&other, &json!({"nextToken": own})).await;
            assert_eq!(elsewhere, "InvalidNextToken", "{} {}", list.operation, list.input);
            let mut altered = altered(own);
            altered.extend(["", "token", "AAAA"].map(str::to_owned));
            altered.push("A".repeat(2000));
            for token in altered {
                let refused = list.refused(&list.client, &json!({"nextToken": token})).await;
                assert_eq!(refused, "InvalidNextToken", "{token}");
            }
        }
    })
    .await;
}

/// The token with each of some characters replaced, and cut.
fn altered(token: &str) -> Vec<String> {
    let mut altered: Vec<String> = (0..token.len() - 1)
        .step_by(7)
        .map(|at| {
            let other = if token[at..].starts_with('A') { "B" } else { "A" };
            format!("{}{other}{}", &token[..at], &token[at + 1..])
        })
        .collect();
    altered.push(token[1..].to_owned());
    altered.push(token[..token.len() - 4].to_owned());
    altered.push(format!("{token}AAAA"));
    altered
}

#[tokio::test]
async fn a_page_has_1_to_500_items() {
    for_each_store(async |server| {
        for list in lists(&server).await {
            let code = match list.operation {
                "GetResourceShareInvitations" => "InvalidMaxResults",
                _ => "InvalidParameter",
            };
            for size in [0, 501, -1, i64::MIN, i64::MAX] {
                let refused = list.refused(&list.client, &json!({"maxResults": size})).await;
                assert_eq!(refused, code, "{} {size}", list.operation);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_changes_between_two_pages_moves_nothing_else() {
    for_each_store(async |server| {
        let mut offers = Vec::new();
        for number in 0..4 {
            offers.push(Offer::pending(&server, &[gateway(number)]).await);
            server.advance(Duration::from_secs(1));
        }
        let input = json!({"resourceOwner": "SELF", "maxResults": 2});
        let first = offers[0].owner.ok("GetResourceShares", &input).await;
        // One of the first page is deleted and vanishes, and a new share is made.
        offers[0].delete().await;
        let rest = json!({"resourceOwner": "SELF", "nextToken": first["nextToken"]});
        create(&offers[0].owner, &json!({"name": "late"})).await;
        let rest = offers[0].owner.ok("GetResourceShares", &rest).await;
        let found = crate::sharing::texts(&rest["resourceShares"], "resourceShareArn");
        assert_eq!(found[..2], [offers[2].share.clone(), offers[3].share.clone()]);
        assert_eq!(found.len(), 3);
    })
    .await;
}
