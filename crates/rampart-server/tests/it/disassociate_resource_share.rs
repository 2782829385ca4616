//! DisassociateResourceShare by the owner: what it says of entities that are not in the share.

use rampart_core::{Association, AssociationKind, Change, ShareArn};
use rampart_testkit::for_each_store;
use serde_json::json;

use crate::sharing::{CONSUMER, OWNER, STRANGER, create, gateway, list, unknown};

const DISASSOCIATE: &str = "DisassociateResourceShare";
const SERVICE: &str = "acm.amazonaws.com";

#[tokio::test]
async fn what_is_not_associated_is_malformed_or_unknown() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n", "resourceArns": [gateway(1)]})).await;
        let foreign = gateway(1).replace(OWNER, STRANGER);
        let role = format!("arn:aws:iam::{CONSUMER}:role/r");
        for (member, entity, code) in [
            ("resourceArns", "tgw-1", "MalformedArn"),
            ("resourceArns", gateway(2).as_str(), "UnknownResource"),
            // Terraform takes this for success: nothing of the kind is in the share.
            ("resourceArns", &foreign, "UnknownResource"),
            ("resourceArns", "arn:aws:s3:::bucket", "UnknownResource"),
            ("principals", "o-abc", "InvalidParameter"),
            ("principals", "22222222222", "InvalidParameter"),
            ("principals", CONSUMER, "UnknownResource"),
            ("principals", &role, "UnknownResource"),
            ("principals", SERVICE, "UnknownResource"),
            ("sources", "anything", "InvalidParameter"),
            ("sources", STRANGER, "UnknownResource"),
        ] {
            for share in [&share, &unknown(&share)] {
                let input = json!({"resourceShareArn": share, member: [entity]});
                assert_eq!(owner.refused(DISASSOCIATE, &input).await, code, "{input}");
            }
        }
        // Nothing is removed when something is malformed.
        let input = json!({"resourceShareArn": share, "resourceArns": [gateway(1), "tgw-1"]});
        assert_eq!(owner.refused(DISASSOCIATE, &input).await, "MalformedArn");
        let held = owner.ok("ListResources", &json!({"resourceOwner": "SELF"})).await;
        assert_eq!(list(&held["resources"]).len(), 1);
    })
    .await;
}

/// As when it was associated under rules that have changed since.
#[tokio::test]
async fn what_is_associated_can_be_removed_however_it_is_written() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n", "resourceArns": [gateway(1)]})).await;
        let arn = ShareArn::parse(&share).unwrap();
        let row =
            server.reader().await.association(arn, AssociationKind::Resource, &gateway(1)).await.unwrap();
        let row = row.unwrap();
        let gone = Change::AssociationPurged {
            owner: row.owner,
            region: row.region,
            share: row.share,
            kind: row.kind(),
            entity: row.entity.clone(),
        };
        server.fill(OWNER, &[gone]).await;
        let malformed = Association { entity: "tgw-1".to_owned(), ..row };
        server.fill(OWNER, &[Change::AssociationStored(malformed)]).await;
        let input = json!({"resourceShareArn": share, "resourceArns": ["tgw-1"]});
        owner.ok(DISASSOCIATE, &input).await;
        let stranger = server.account(STRANGER);
        assert_eq!(stranger.refused(DISASSOCIATE, &input).await, "MalformedArn");
    })
    .await;
}
