//! What most stories begin with: an owner, a consumer, a share between them.

use rampart_testkit::{Client, TestServer};
use serde_json::{Value, json};

pub(crate) const OWNER: &str = "111111111111";
pub(crate) const CONSUMER: &str = "222222222222";
pub(crate) const STRANGER: &str = "333333333333";

/// A resource of the owner whose invitations last seven days.
pub(crate) fn gateway(number: u32) -> String {
    format!("arn:aws:ec2:eu-west-1:{OWNER}:transit-gateway/tgw-{number:017x}")
}

/// A resource of the owner whose invitations last twelve hours.
pub(crate) fn component(number: u32) -> String {
    format!("arn:aws:imagebuilder:eu-west-1:{OWNER}:component/component-{number}/1.0.0/1")
}

/// A share with one invited account.
pub(crate) struct Offer {
    pub(crate) owner: Client,
    pub(crate) consumer: Client,
    pub(crate) share: String,
    pub(crate) invitation: String,
}

impl Offer {
    /// The owner shares these with the consumer, who has not answered yet.
    pub(crate) async fn pending(server: &TestServer, resources: &[String]) -> Self {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let input = json!({"name": "offered", "resourceArns": resources, "principals": [CONSUMER]});
        let share = create(&owner, &input).await;
        let invitation = pending_invitation(&consumer, &share).await;
        Self { owner, consumer, share, invitation }
    }

    /// The same, accepted.
    pub(crate) async fn accepted(server: &TestServer, resources: &[String]) -> Self {
        let offer = Self::pending(server, resources).await;
        offer.accept().await;
        offer
    }

    pub(crate) async fn accept(&self) -> Value {
        self.consumer.ok("AcceptResourceShareInvitation", &self.named()).await
    }

    pub(crate) async fn reject(&self) -> Value {
        self.consumer.ok("RejectResourceShareInvitation", &self.named()).await
    }

    /// The input of the operations on the invitation.
    pub(crate) fn named(&self) -> Value {
        json!({"resourceShareInvitationArn": self.invitation})
    }

    /// The invitation as the receiver sees it.
    pub(crate) async fn invitation(&self) -> Value {
        let input = json!({"resourceShareInvitationArns": [self.invitation]});
        let found = self.consumer.ok("GetResourceShareInvitations", &input).await;
        only(&found["resourceShareInvitations"]).clone()
    }

    /// The share's row for the consumer.
    pub(crate) async fn principal(&self) -> Value {
        only(&associations(&self.owner, "PRINCIPAL", &self.share).await).clone()
    }

    pub(crate) async fn delete(&self) {
        self.owner.ok("DeleteResourceShare", &json!({"resourceShareArn": self.share})).await;
    }
}

/// Creates a share and gives its ARN.
pub(crate) async fn create(owner: &Client, input: &Value) -> String {
    text(&owner.ok("CreateResourceShare", input).await["resourceShare"]["resourceShareArn"])
}

/// Accepts the one pending invitation to a share.
pub(crate) async fn accept(client: &Client, share: &str) {
    let input = json!({"resourceShareInvitationArn": pending_invitation(client, share).await});
    client.ok("AcceptResourceShareInvitation", &input).await;
}

/// The one pending invitation to a share.
pub(crate) async fn pending_invitation(receiver: &Client, share: &str) -> String {
    let found = invitations(receiver, share).await;
    let pending: Vec<&Value> = found.iter().filter(|found| found["status"] == "PENDING").collect();
    assert_eq!(pending.len(), 1, "{found:?}");
    text(&pending[0]["resourceShareInvitationArn"])
}

/// All invitations to a share that the caller can see.
pub(crate) async fn invitations(receiver: &Client, share: &str) -> Vec<Value> {
    let input = json!({"resourceShareArns": [share]});
    list(&receiver.ok("GetResourceShareInvitations", &input).await["resourceShareInvitations"])
}

/// The rows of a share of the caller.
pub(crate) async fn associations(owner: &Client, kind: &str, share: &str) -> Value {
    let input = json!({"associationType": kind, "resourceShareArns": [share]});
    owner.ok("GetResourceShareAssociations", &input).await["resourceShareAssociations"].clone()
}

/// The ARNs of the shares that the caller owns (`SELF`) or was given (`OTHER-ACCOUNTS`).
pub(crate) async fn share_arns(client: &Client, owner: &str) -> Vec<String> {
    let found = client.ok("GetResourceShares", &json!({"resourceOwner": owner})).await;
    texts(&found["resourceShares"], "resourceShareArn")
}

/// One share, as the caller sees it under SELF or OTHER-ACCOUNTS.
pub(crate) async fn share(client: &Client, owner: &str, arn: &str) -> Value {
    let input = json!({"resourceOwner": owner, "resourceShareArns": [arn]});
    only(&client.ok("GetResourceShares", &input).await["resourceShares"]).clone()
}

/// Why one share cannot be seen.
pub(crate) async fn share_refused(client: &Client, owner: &str, arn: &str) -> String {
    let input = json!({"resourceOwner": owner, "resourceShareArns": [arn]});
    client.refused("GetResourceShares", &input).await
}

/// The element of a list that has one.
#[track_caller]
pub(crate) fn only(list: &Value) -> &Value {
    let items = list.as_array().unwrap();
    assert_eq!(items.len(), 1, "{list}");
    &items[0]
}

pub(crate) fn list(value: &Value) -> Vec<Value> {
    value.as_array().unwrap().clone()
}

/// One member of each element.
pub(crate) fn texts(value: &Value, member: &str) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| text(&item[member])).collect()
}

#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// An ARN of the same form that names nothing.
pub(crate) fn unknown(arn: &str) -> String {
    let (before, _) = arn.rsplit_once('/').unwrap();
    format!("{before}/00000000-0000-4000-8000-000000000000")
}

/// Every item of a list, asked for by pages of this size.
pub(crate) async fn collect(
    client: &Client,
    (operation, items): (&str, &str),
    input: &Value,
    page_size: u32,
) -> Vec<Value> {
    let mut input = input.clone();
    input["maxResults"] = json!(page_size);
    let mut found = Vec::new();
    for _ in 0..1000 {
        let page = client.ok(operation, &input).await;
        let here = list(&page[items]);
        assert!(here.len() <= usize::try_from(page_size).unwrap(), "{page}");
        found.extend(here);
        let Some(token) = page.get("nextToken") else { return found };
        input["nextToken"] = token.clone();
    }
    panic!("{operation} {input}: the pages have no end");
}
