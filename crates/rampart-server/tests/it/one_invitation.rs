//! One live invitation for each receiver of a share: the account and its roles and users are invited, answer and stay
//! together.

use std::time::Duration;

use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{
    CONSUMER, OWNER, associations, component, create, invitations, list, only, pending_invitation,
    share_arns, text,
};

const ROLE: &str = "arn:aws:iam::222222222222:role/Reader";
const USER: &str = "arn:aws:iam::222222222222:user/ann";
const HOUR: Duration = Duration::from_hours(1);

struct Story {
    owner: Client,
    consumer: Client,
    share: String,
}

impl Story {
    async fn of(server: &TestServer, principals: &[&str]) -> Self {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let share = create(&owner, &json!({"name": "n", "principals": principals})).await;
        Self { owner, consumer, share }
    }

    async fn change(&self, operation: &str, principals: &[&str]) {
        self.owner.ok(operation, &json!({"resourceShareArn": self.share, "principals": principals})).await;
    }

    async fn answer(&self, operation: &str) {
        let invitation = pending_invitation(&self.consumer, &self.share).await;
        self.consumer.ok(operation, &json!({"resourceShareInvitationArn": invitation})).await;
    }

    /// Each principal with its status, by name.
    async fn statuses(&self) -> Vec<(String, String)> {
        let rows = list(&associations(&self.owner, "PRINCIPAL", &self.share).await);
        let mut found: Vec<_> =
            rows.iter().map(|row| (text(&row["associatedEntity"]), text(&row["status"]))).collect();
        found.sort();
        found
    }

    async fn invitation_statuses(&self) -> Vec<String> {
        let found = invitations(&self.consumer, &self.share).await;
        found.iter().map(|found| text(&found["status"])).collect()
    }
}

fn all(status: &str, entities: &[&str]) -> Vec<(String, String)> {
    let mut all: Vec<_> = entities.iter().map(|id| ((*id).to_owned(), status.to_owned())).collect();
    all.sort();
    all
}

#[tokio::test]
async fn an_account_and_its_roles_share_one_invitation_and_one_answer() {
    for_each_store(async |server| {
        for (answer, status) in [
            ("AcceptResourceShareInvitation", "ASSOCIATED"),
            ("RejectResourceShareInvitation", "DISASSOCIATED"),
        ] {
            let story = Story::of(&server, &[CONSUMER, ROLE]).await;
            story.change("AssociateResourceShare", &[USER]).await;
            assert_eq!(story.statuses().await, all("ASSOCIATING", &[CONSUMER, ROLE, USER]));
            assert_eq!(story.invitation_statuses().await, ["PENDING"]);
            story.answer(answer).await;
            assert_eq!(story.statuses().await, all(status, &[CONSUMER, ROLE, USER]), "{answer}");
            assert_eq!(story.invitation_statuses().await.len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_shared_share_is_listed_once_to_the_account() {
    for_each_store(async |server| {
        let story = Story::of(&server, &[CONSUMER, ROLE, USER]).await;
        story.answer("AcceptResourceShareInvitation").await;
        assert_eq!(share_arns(&story.consumer, "OTHER-ACCOUNTS").await, [story.share.as_str()]);
        let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "maxResults": 1});
        for operation in ["GetResourceShares", "ListPrincipals"] {
            let page = story.consumer.ok(operation, &input).await;
            let items = if operation == "ListPrincipals" { "principals" } else { "resourceShares" };
            only(&page[items]);
            assert_eq!(page.get("nextToken"), None, "{page}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_invitation_names_the_role_only_when_no_account_was_named() {
    for_each_store(async |server| {
        for (principals, receiver_arn) in [(vec![ROLE], json!(ROLE)), (vec![CONSUMER], Value::Null)] {
            let story = Story::of(&server, &principals).await;
            let found = invitations(&story.consumer, &story.share).await;
            assert_eq!((found.len(), &found[0]["receiverArn"]), (1, &receiver_arn));
            assert_eq!(found[0]["receiverAccountId"], CONSUMER);
        }
    })
    .await;
}

#[tokio::test]
async fn removing_one_keeps_the_other() {
    for_each_store(async |server| {
        let story = Story::of(&server, &[CONSUMER, ROLE]).await;
        story.change("DisassociateResourceShare", &[ROLE]).await;
        assert_eq!(story.invitation_statuses().await, ["PENDING"]);
        story.answer("AcceptResourceShareInvitation").await;
        let statuses = story.statuses().await;
        assert_eq!(statuses[0], (CONSUMER.to_owned(), "ASSOCIATED".to_owned()));
        assert_eq!(statuses[1], (ROLE.to_owned(), "DISASSOCIATED".to_owned()));

        // Accepted, the invitation stays until the last of them goes.
        story.change("AssociateResourceShare", &[ROLE]).await;
        assert_eq!(story.statuses().await, all("ASSOCIATED", &[CONSUMER, ROLE]));
        story.change("DisassociateResourceShare", &[CONSUMER]).await;
        assert_eq!(story.invitation_statuses().await, ["ACCEPTED"]);
        assert_eq!(share_arns(&story.consumer, "OTHER-ACCOUNTS").await, [story.share.as_str()]);
        story.change("DisassociateResourceShare", &[ROLE]).await;
        assert!(story.invitation_statuses().await.is_empty());
        assert!(share_arns(&story.consumer, "OTHER-ACCOUNTS").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn removing_all_takes_the_pending_invitation_back() {
    for_each_store(async |server| {
        let story = Story::of(&server, &[CONSUMER, ROLE]).await;
        story.change("DisassociateResourceShare", &[CONSUMER, ROLE]).await;
        assert!(story.invitation_statuses().await.is_empty());
        story.change("AssociateResourceShare", &[ROLE]).await;
        assert_eq!(story.invitation_statuses().await, ["PENDING"]);
    })
    .await;
}

#[tokio::test]
async fn who_comes_after_the_answer_is_granted_at_once() {
    for_each_store(async |server| {
        let story = Story::of(&server, &[CONSUMER]).await;
        story.answer("AcceptResourceShareInvitation").await;
        story.change("AssociateResourceShare", &[ROLE]).await;
        assert_eq!(story.statuses().await, all("ASSOCIATED", &[CONSUMER, ROLE]));
        assert_eq!(story.invitation_statuses().await, ["ACCEPTED"]);
        // Leaving as the account takes all of its principals along.
        let leave = json!({"resourceShareArn": story.share, "principals": [CONSUMER]});
        story.consumer.ok("DisassociateResourceShare", &leave).await;
        assert_eq!(story.statuses().await, all("DISASSOCIATED", &[CONSUMER, ROLE]));
        assert!(story.invitation_statuses().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn after_a_rejection_or_an_expiry_a_new_invitation_is_made() {
    for_each_store(async |server| {
        let story = Story::of(&server, &[CONSUMER, ROLE]).await;
        story.answer("RejectResourceShareInvitation").await;
        let input = json!({"resourceShareArn": story.share, "resourceArns": [component(1)]});
        story.owner.ok("AssociateResourceShare", &input).await;
        story.change("AssociateResourceShare", &[CONSUMER]).await;
        assert_eq!(story.invitation_statuses().await, ["REJECTED", "PENDING"]);
        server.advance(12 * HOUR);
        assert_eq!(story.invitation_statuses().await, ["REJECTED", "EXPIRED"]);
        story.change("AssociateResourceShare", &[ROLE]).await;
        assert_eq!(story.invitation_statuses().await, ["REJECTED", "EXPIRED", "PENDING"]);
        story.answer("AcceptResourceShareInvitation").await;
        let statuses = story.statuses().await;
        assert_eq!(statuses[0], (CONSUMER.to_owned(), "DISASSOCIATED".to_owned()));
        assert_eq!(statuses[1], (ROLE.to_owned(), "ASSOCIATED".to_owned()));
    })
    .await;
}

/// With a settle delay, a share that has settled for the account does not vanish when a role is added.
#[tokio::test]
async fn a_later_role_hides_nothing() {
    let timing = rampart_core::Timing { settle_delay_ms: 600_000, ..rampart_core::Timing::default() };
    let slow = rampart_server::Settings { timing, ..rampart_testkit::server::settings() };
    rampart_testkit::server::for_each_store_with(slow, async |server| {
        let story = Story::of(&server, &[CONSUMER]).await;
        story.answer("AcceptResourceShareInvitation").await;
        server.advance(HOUR);
        let principals = async || {
            let input = json!({"resourceOwner": "OTHER-ACCOUNTS"});
            let listed = only(&story.consumer.ok("ListPrincipals", &input).await["principals"]).clone();
            let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [story.share]});
            let named = only(&story.consumer.ok("ListPrincipals", &input).await["principals"]).clone();
            assert_eq!(listed, named);
            listed
        };
        let before = principals().await;
        for number in 0..8 {
            let role = format!("arn:aws:iam::{CONSUMER}:role/r{number}");
            story.change("AssociateResourceShare", &[&role]).await;
            assert_eq!(principals().await, before);
            assert_eq!(share_arns(&story.consumer, "OTHER-ACCOUNTS").await, [story.share.as_str()]);
        }
    })
    .await;
}
