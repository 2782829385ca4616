//! Service principals and the sources that confine them (reference §4.4).

use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, STRANGER, associations, create, gateway, list, text};

const SERVICE: &str = "pca-connector-ad.amazonaws.com";
const OTHER: &str = "acm.amazonaws.com";
const ASSOCIATE: &str = "AssociateResourceShare";
const DISASSOCIATE: &str = "DisassociateResourceShare";

/// A type that can be shared with service principals.
pub(crate) fn authority() -> String {
    format!("arn:aws:acm-pca:eu-west-1:{OWNER}:certificate-authority/01234567-89ab-cdef-0123-456789abcdef")
}

/// What is in a share: kind, entity and status of each row, in order.
async fn contents(owner: &Client, share: &str) -> Vec<String> {
    let mut found = Vec::new();
    for kind in ["PRINCIPAL", "RESOURCE", "SOURCE"] {
        for row in list(&associations(owner, kind, share).await) {
            let entity = text(&row["associatedEntity"]);
            let external = [CONSUMER, STRANGER].iter().any(|id| kind == "PRINCIPAL" && entity.contains(id));
            assert_eq!((&row["associationType"], &row["external"]), (&json!(kind), &json!(external)));
            found.push(format!("{kind} {entity} {}", text(&row["status"])));
        }
    }
    found
}

#[tokio::test]
async fn a_service_principal_is_granted_at_once_with_the_owners_account_as_its_source() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "resourceArns": [authority()], "principals": [SERVICE]});
        let share = create(&owner, &input).await;
        let expected = [
            format!("PRINCIPAL {SERVICE} ASSOCIATED"),
            format!("RESOURCE {} ASSOCIATED", authority()),
            format!("SOURCE {OWNER} ASSOCIATED"),
        ];
        assert_eq!(contents(&owner, &share).await, expected);
        assert_eq!(server.count("invitation"), 0);
    })
    .await;
}

#[tokio::test]
async fn sources_that_were_given_stand_alone() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let sources = json!([STRANGER, "o-abcdefghij", "o-abcdefghij/r-ab12/ou-ab12-abcdefgh/", authority()]);
        let share = create(&owner, &json!({"name": "n", "principals": [SERVICE], "sources": sources})).await;
        let found: Vec<_> =
            contents(&owner, &share).await.into_iter().filter(|row| row.starts_with("SOURCE")).collect();
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found.iter().all(|row| !row.contains(OWNER) || row.contains("acm-pca")), "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn the_answer_names_the_sources_that_were_given() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n", "principals": [SERVICE]})).await;
        for (operation, status) in [(ASSOCIATE, "ASSOCIATING"), (DISASSOCIATE, "DISASSOCIATING")] {
            let input = json!({"resourceShareArn": share, "sources": [STRANGER]});
            let expected = json!({"resourceShareAssociations": [{
                "resourceShareArn": share, "associatedEntity": STRANGER, "associationType": "SOURCE",
                "status": status, "external": false,
            }]});
            assert_eq!(owner.ok(operation, &input).await, expected);
        }
    })
    .await;
}

#[tokio::test]
async fn service_principals_do_not_mix_with_others() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let role = format!("arn:aws:iam::{CONSUMER}:role/r");
        for other in [CONSUMER, OWNER, &role] {
            let input = json!({"name": "n", "principals": [SERVICE, other]});
            assert_eq!(owner.refused("CreateResourceShare", &input).await, "InvalidParameter", "{other}");
            for (first, second) in [(SERVICE, other), (other, SERVICE)] {
                let share = create(&owner, &json!({"name": "n", "principals": [first]})).await;
                let before = contents(&owner, &share).await;
                let add = json!({"resourceShareArn": share, "principals": [second]});
                assert_eq!(owner.refused(ASSOCIATE, &add).await, "InvalidParameter", "{other}");
                assert_eq!(contents(&owner, &share).await, before);
            }
        }
        // Several of them may be together.
        create(&owner, &json!({"name": "n", "principals": [SERVICE, OTHER]})).await;
    })
    .await;
}

#[tokio::test]
async fn sources_come_only_with_service_principals() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        for principals in [json!([]), json!([CONSUMER])] {
            let input = json!({"name": "n", "principals": principals, "sources": [OWNER]});
            assert_eq!(owner.refused("CreateResourceShare", &input).await, "InvalidParameter");
            let share = create(&owner, &json!({"name": "n", "principals": principals})).await;
            let add = json!({"resourceShareArn": share, "sources": [OWNER]});
            assert_eq!(owner.refused(ASSOCIATE, &add).await, "InvalidParameter");
        }
    })
    .await;
}

#[tokio::test]
async fn the_last_source_stays_while_a_service_principal_is_there() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n", "principals": [SERVICE, OTHER]})).await;
        let of = |member: &str, ids: Value| json!({"resourceShareArn": share, member: ids});
        assert_eq!(owner.refused(DISASSOCIATE, &of("sources", json!([OWNER]))).await, "InvalidParameter");
        owner.ok(ASSOCIATE, &of("sources", json!([STRANGER]))).await;
        owner.ok(DISASSOCIATE, &of("sources", json!([OWNER]))).await;
        let both = of("sources", json!([STRANGER, OWNER]));
        assert_eq!(owner.refused(DISASSOCIATE, &both).await, "InvalidParameter");
        // Nor while one of two service principals goes.
        let mut one = of("sources", json!([STRANGER]));
        one["principals"] = json!([SERVICE]);
        assert_eq!(owner.refused(DISASSOCIATE, &one).await, "InvalidParameter");
        // With the last of them it may.
        one["principals"] = json!([SERVICE, OTHER]);
        owner.ok(DISASSOCIATE, &one).await;
        let found = contents(&owner, &share).await;
        assert!(found.iter().all(|row| row.ends_with("DISASSOCIATED")), "{found:?}");
        // And the next service principal finds a source filled in again.
        owner.ok(ASSOCIATE, &of("principals", json!([SERVICE]))).await;
        assert!(contents(&owner, &share).await.contains(&format!("SOURCE {OWNER} ASSOCIATED")));
    })
    .await;
}

#[tokio::test]
async fn a_source_that_was_left_behind_stands_in_nobodys_way() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let share = create(&owner, &json!({"name": "n", "principals": [SERVICE]})).await;
        owner.ok(DISASSOCIATE, &json!({"resourceShareArn": share, "principals": [SERVICE]})).await;
        owner.ok(ASSOCIATE, &json!({"resourceShareArn": share, "resourceArns": [gateway(1)]})).await;
        owner.ok(ASSOCIATE, &json!({"resourceShareArn": share, "principals": [CONSUMER]})).await;
        owner.ok(DISASSOCIATE, &json!({"resourceShareArn": share, "sources": [OWNER]})).await;
    })
    .await;
}

#[tokio::test]
async fn types_that_are_not_for_service_principals_do_not_meet_them() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "resourceArns": [gateway(1)], "principals": [SERVICE]});
        assert_eq!(owner.refused("CreateResourceShare", &input).await, "InvalidParameter");
        let share = create(&owner, &json!({"name": "n", "resourceArns": [gateway(1)]})).await;
        let add = json!({"resourceShareArn": share, "principals": [SERVICE]});
        assert_eq!(owner.refused(ASSOCIATE, &add).await, "InvalidParameter");
        let share = create(&owner, &json!({"name": "n", "principals": [SERVICE]})).await;
        let add = json!({"resourceShareArn": share, "resourceArns": [gateway(1)]});
        assert_eq!(owner.refused(ASSOCIATE, &add).await, "InvalidParameter");
        owner.ok(ASSOCIATE, &json!({"resourceShareArn": share, "resourceArns": [authority()]})).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_no_source_or_no_service_is_malformed() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        for source in ["", "11111111111", "o-short", "r-ab12", "anything"] {
            let input = json!({"name": "n", "principals": [SERVICE], "sources": [source]});
            assert_eq!(owner.refused("CreateResourceShare", &input).await, "InvalidParameter", "{source}");
        }
        for service in ["amazonaws.com", ".amazonaws.com", "Upper.amazonaws.com", "acm.amazonaws.com.cn"] {
            let input = json!({"name": "n", "principals": [service]});
            assert_eq!(owner.refused("CreateResourceShare", &input).await, "InvalidParameter", "{service}");
        }
        // In China services have the names of that partition.
        let china = owner.in_region("cn-north-1");
        create(&china, &json!({"name": "n", "principals": ["acm.amazonaws.com.cn"]})).await;
    })
    .await;
}
