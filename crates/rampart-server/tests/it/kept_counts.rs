//! The counts that are kept beside the rows equal what the rows say, whatever was done in whatever order.

use std::time::Duration;

use rampart_testkit::dice::Dice;
use rampart_testkit::server::{StoreKind, settings};
use rampart_testkit::{Client, TestServer};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, STRANGER, component, gateway, list, text};

const STEPS: usize = 220;
/// Of one share: counted from its rows, in the order of `NAMES`. Sources and principals that ended do not count.
const SHARES: &str = "
    SELECT s.contents,
      (SELECT count(*) FROM association a WHERE a.share_id = s.share_id AND a.kind = 1 AND a.standing <> 2),
      (SELECT count(*) FROM association a WHERE a.share_id = s.share_id AND a.kind = 0 AND a.standing <> 2),
      (SELECT count(*) FROM association a WHERE a.share_id = s.share_id AND a.kind = 2 AND a.standing <> 2),
      (SELECT count(*) FROM association a WHERE a.share_id = s.share_id AND a.kind = 0 AND a.standing <> 2
        AND a.entity LIKE 'arn:aws:iam%'),
      (SELECT count(*) FROM association a WHERE a.share_id = s.share_id AND a.kind = 0 AND a.standing <> 2
        AND a.entity LIKE '%amazonaws.com'),
      (SELECT count(*) FROM association a WHERE a.share_id = s.share_id AND a.kind = 1 AND a.standing <> 2
        AND a.entity LIKE '%imagebuilder%'),
      (SELECT count(*) FROM association a WHERE a.share_id = s.share_id AND a.kind = 1 AND a.standing <> 2
        AND a.entity LIKE '%transit-gateway%'),
      (SELECT count(DISTINCT a.invitation_id) FROM association a WHERE a.share_id = s.share_id AND a.standing = 0)
    FROM resource_share s WHERE s.deleted_ms IS NULL ORDER BY s.created_ms, s.share_id";
const NAMES: [&str; 8] = [
    "resources",
    "principals",
    "sources",
    "identities",
    "services",
    "short_invitation_resources",
    "resources_not_for_identities",
    "pending_invitations",
];
const OWNERS: &str = "
    SELECT resource_shares, resources, principals, pending_invitations FROM owner_usage ORDER BY owner";

struct World {
    server: TestServer,
    dice: Dice,
    owners: Vec<Client>,
    done: usize,
    refused: usize,
}

impl World {
    async fn step(&mut self) {
        let owner = self.dice.pick(&self.owners).clone();
        let account = *self.dice.pick(&[CONSUMER, STRANGER, OWNER]);
        let client = self.server.account(account);
        match self.dice.below(12) {
            0 | 1 => {
                let mut input = self.entities(&owner);
                input["name"] = json!("n");
                self.call(&owner, "CreateResourceShare", &input).await;
            }
            2..=4 => self.change(&owner, "AssociateResourceShare").await,
            5 | 6 => self.change(&owner, "DisassociateResourceShare").await,
            7 => self.answer(&client, "AcceptResourceShareInvitation").await,
            8 => self.answer(&client, "RejectResourceShareInvitation").await,
            9 => {
                if let Some(share) = self.share(&client, "OTHER-ACCOUNTS").await {
                    let leave = json!({"resourceShareArn": share, "principals": [client.id()]});
                    self.call(&client, "DisassociateResourceShare", &leave).await;
                }
            }
            10 => {
                let hours = self.dice.pick(&[1_u64, 2, 6, 12, 24 * 7]);
                self.server.advance(Duration::from_hours(*hours));
                if self.dice.below(2) == 0 {
                    self.server.sweep().await;
                }
            }
            _ => {
                if self.dice.below(3) == 0
                    && let Some(share) = self.share(&owner, "SELF").await
                {
                    self.call(&owner, "DeleteResourceShare", &json!({"resourceShareArn": share})).await;
                }
            }
        }
    }

    async fn call(&mut self, client: &Client, operation: &str, input: &Value) {
        let reply = client.call(operation, input).await;
        assert!([200, 400].contains(&reply.status), "{operation} {input}: {}", reply.text);
        let counter = if reply.status == 200 { &mut self.done } else { &mut self.refused };
        *counter += 1;
    }

    async fn change(&mut self, owner: &Client, operation: &str) {
        let Some(share) = self.share(owner, "SELF").await else { return };
        let mut input = self.entities(owner);
        input["resourceShareArn"] = json!(share);
        self.call(owner, operation, &input).await;
    }

    async fn answer(&mut self, client: &Client, operation: &str) {
        let found = client.ok("GetResourceShareInvitations", &json!({})).await;
        let found = list(&found["resourceShareInvitations"]);
        if !found.is_empty() {
            let invitation = &self.dice.pick(&found)["resourceShareInvitationArn"];
            self.call(client, operation, &json!({"resourceShareInvitationArn": invitation})).await;
        }
    }

    /// A few resources, and principals of one kind: most calls are good ones.
    fn entities(&mut self, owner: &Client) -> Value {
        let mut resources = Vec::new();
        let mut principals = Vec::new();
        let kind = self.dice.below(5);
        for _ in 0..self.dice.below(3) {
            let number = u32::try_from(self.dice.below(3)).unwrap();
            let resource = if kind < 3 { gateway(number) } else { component(number) };
            resources.push(resource.replace(OWNER, owner.id()));
        }
        for _ in 0..self.dice.below(3) {
            let account = *self.dice.pick(&[CONSUMER, STRANGER, OWNER]);
            principals.push(match kind {
                0..=2 => account.to_owned(),
                3 => format!("arn:aws:iam::{account}:role/r"),
                _ => "pca-connector-ad.amazonaws.com".to_owned(),
            });
        }
        json!({"resourceArns": resources, "principals": principals})
    }

    async fn share(&mut self, client: &Client, view: &str) -> Option<String> {
        let found = client.ok("GetResourceShares", &json!({"resourceOwner": view})).await;
        let found = list(&found["resourceShares"]);
        (!found.is_empty()).then(|| text(&self.dice.pick(&found)["resourceShareArn"]))
    }

    /// Counts the rows and compares.
    fn recount(&self, step: usize) {
        for line in self.server.sql(SHARES) {
            let mut columns = line.split('|');
            let contents: Value = serde_json::from_str(columns.next().unwrap()).unwrap();
            for (name, counted) in NAMES.iter().zip(columns) {
                assert_eq!(contents[name].to_string(), counted, "{name} at step {step}: {line}");
            }
        }
        let counted = self.server.sql(
            "SELECT u.resource_shares - (SELECT count(*) FROM resource_share s
                 WHERE s.owner = u.owner AND s.region = u.region AND s.deleted_ms IS NULL),
               u.resources - (SELECT count(*) FROM association a
                 JOIN resource_share s ON s.share_id = a.share_id AND s.deleted_ms IS NULL
                 WHERE a.owner = u.owner AND a.region = u.region AND a.kind = 1 AND a.standing <> 2),
               u.principals - (SELECT count(*) FROM association a
                 JOIN resource_share s ON s.share_id = a.share_id AND s.deleted_ms IS NULL
                 WHERE a.owner = u.owner AND a.region = u.region AND a.kind = 0 AND a.standing <> 2),
               u.pending_invitations - (SELECT count(DISTINCT a.invitation_id) FROM association a
                 JOIN resource_share s ON s.share_id = a.share_id AND s.deleted_ms IS NULL
                 WHERE a.owner = u.owner AND a.region = u.region AND a.standing = 0)
             FROM owner_usage u",
        );
        for difference in counted {
            assert_eq!(difference, "0|0|0|0", "at step {step}: {:?}", self.server.sql(OWNERS));
        }
    }
}

async fn random_operations(kind: StoreKind, dice: Dice) {
    let server = TestServer::start(kind, settings()).await;
    let owners = [OWNER, STRANGER].map(|account| server.account(account)).to_vec();
    let mut world = World { server, dice, owners, done: 0, refused: 0 };
    for step in 0..STEPS {
        world.step().await;
        world.recount(step);
    }
    assert!(world.done > STEPS / 4, "{} calls went through, {} were refused", world.done, world.refused);

    // When everything is deleted and its time is over, nothing is left.
    for owner in world.owners.clone() {
        while let Some(share) = {
            let input = json!({"resourceOwner": "SELF", "resourceShareStatus": "ACTIVE"});
            let found = list(&owner.ok("GetResourceShares", &input).await["resourceShares"]);
            found.first().map(|share| text(&share["resourceShareArn"]))
        } {
            owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        }
    }
    world.recount(STEPS);
    for line in world.server.sql(OWNERS) {
        assert_eq!(line, "0|0|0|0");
    }
    world.server.advance(Duration::from_hours(31 * 24));
    world.server.sweep().await;
    for table in
        ["resource_share", "resource_share_tag", "association", "invitation", "client_token", "sharing_event"]
    {
        assert_eq!(world.server.count(table), 0, "{table}");
    }
}

#[tokio::test]
async fn on_sqlite() {
    random_operations(StoreKind::Sqlite, Dice::from_environment(3)).await;
}

#[tokio::test]
async fn on_postgres() {
    random_operations(StoreKind::Postgres, Dice::from_environment(33)).await;
}
