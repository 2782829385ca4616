//! Lists of permissions and of their associations: what they hold, filters, pages (reference §10.17, §10.28, §10.29).

use std::time::Duration;

use rampart_core::Timing;
use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::policy_shares::{PROMOTE_SHARE, put, statement};
use crate::sharing::{
    CONSUMER, OWNER, Offer, collect, component, create, only, pending_invitation, text, texts,
};

const PERMISSIONS: (&str, &str) = ("ListPermissions", "permissions");
const ASSOCIATIONS: (&str, &str) = ("ListPermissionAssociations", "permissions");
const COMPONENT: &str = "imagebuilder:Component";
const IMAGE: &str = "imagebuilder:Image";

/// A permission that allows to get what is of a type.
async fn permission(owner: &Client, name: &str, resource_type: &str) -> String {
    let template = r#"{"Effect": "Allow", "Action": "imagebuilder:GetComponent"}"#;
    let template = template.replace("Component", resource_type.split(':').nth(1).unwrap());
    let input = json!({"name": name, "resourceType": resource_type, "policyTemplate": template});
    text(&owner.ok("CreatePermission", &input).await["permission"]["arn"])
}

async fn attach(owner: &Client, share: &str, permission: &str) {
    let input = json!({"resourceShareArn": share, "permissionArn": permission, "replace": true});
    owner.ok("AssociateResourceSharePermission", &input).await;
}

/// ARNs and versions of what is not AWS's.
fn customers(found: &[Value]) -> Vec<(String, String)> {
    let customers = found.iter().filter(|row| row["permissionType"] == "CUSTOMER_MANAGED");
    customers.map(|row| (text(&row["arn"]), text(&row["version"]))).collect()
}

#[tokio::test]
async fn without_an_owner_all_permissions_are_listed_each_once() {
    for_each_store(async |server| {
        let offers = [Offer::accepted(&server, &[]).await, Offer::accepted(&server, &[]).await];
        let (owner, consumer) = (&offers[0].owner, &offers[0].consumer);
        let mut expected = Vec::new();
        for name in ["Mine", "Another"] {
            expected.push((permission(consumer, name, COMPONENT).await, "1".to_owned()));
        }
        expected.sort();
        let theirs = permission(owner, "Theirs", COMPONENT).await;
        let image = permission(owner, "Of", IMAGE).await;
        permission(owner, "Unused", COMPONENT).await;
        attach(owner, &offers[0].share, &theirs).await;
        attach(owner, &offers[1].share, &image).await;
        let template = r#"{"Effect": "Allow", "Action": "imagebuilder:GetComponentPolicy"}"#;
        let input = json!({"permissionArn": theirs, "policyTemplate": template});
        owner.ok("CreatePermissionVersion", &input).await;
        // The newest version that is seen, though not every share has it.
        attach(owner, &offers[1].share, &theirs).await;
        owner.ok("CreatePermissionVersion", &input).await;
        expected.extend([(theirs.clone(), "2".to_owned()), (image.clone(), "1".to_owned())]);
        let managed =
            consumer.ok("ListPermissions", &json!({"permissionType": "AWS", "maxResults": 500})).await;
        let managed = managed["permissions"].as_array().unwrap().len();
        // The shares were made at one moment, and the own permissions too: ids order them.
        let ordered = |found: &[Value]| {
            let mut found = customers(found);
            let (own, others) = found.split_at_mut(2);
            own.sort();
            others.sort_by_key(|(arn, _)| *arn == image);
            found
        };
        for size in [1, 2, 3, 100, 131, 132, 133, 134, 500] {
            let found = collect(consumer, PERMISSIONS, &json!({}), size).await;
            assert_eq!(found.len(), managed + 4, "pages of {size}");
            assert_eq!(ordered(&found), expected, "pages of {size}");
        }
        let found = async |input: Value| customers(&collect(consumer, PERMISSIONS, &input, 1).await);
        assert_eq!(found(json!({"resourceOwner": "SELF"})).await.len(), 2);
        assert_eq!(found(json!({"resourceOwner": "OTHER-ACCOUNTS"})).await.len(), 2);
        assert_eq!(found(json!({"permissionType": "LOCAL"})).await.len(), 4);
        assert_eq!(found(json!({"permissionType": "AWS_MANAGED"})).await, []);
        assert_eq!(found(json!({"resourceType": "IMAGEBUILDER:image"})).await, expected[3..]);
        assert_eq!(found(json!({"permissionStatus": "UNATTACHABLE"})).await, expected[2..3]);
        let all = customers(&collect(owner, PERMISSIONS, &json!({}), 100).await);
        assert_eq!(all.len(), 3, "nobody shares with the owner: {all:?}");
    })
    .await;
}

#[tokio::test]
async fn a_page_that_ends_with_a_part_of_the_list_has_a_token_if_there_is_more() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let managed = collect(&owner, PERMISSIONS, &json!({"resourceType": COMPONENT}), 500).await.len();
        let page = json!({"resourceType": COMPONENT, "maxResults": managed});
        assert!(owner.ok("ListPermissions", &page).await.get("nextToken").is_none());
        permission(&owner, "Own", COMPONENT).await;
        let first = owner.ok("ListPermissions", &page).await;
        assert_eq!(first["permissions"].as_array().unwrap().len(), managed);
        let mut next = page.clone();
        next["nextToken"] = first["nextToken"].clone();
        let second = owner.ok("ListPermissions", &next).await;
        assert_eq!(only(&second["permissions"])["name"], "Own");
        assert!(second.get("nextToken").is_none());
    })
    .await;
}

#[tokio::test]
async fn associations_are_found_by_what_their_shares_hold() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let image = format!("arn:aws:imagebuilder:eu-west-1:{OWNER}:image/i/1.0.0/1");
        let input = json!({"name": "both", "resourceArns": [component(1), image], "principals": [CONSUMER]});
        let both = create(&owner, &input).await;
        let components = create(&owner, &json!({"name": "one", "resourceArns": [component(1)]})).await;
        // A permission for a type of which nothing is in the share yet.
        let default = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionImageBuilderImage";
        let empty = create(&owner, &json!({"name": "empty", "permissionArns": [default]})).await;
        let found = async |client: &Client, input: Value| {
            let rows = collect(client, ASSOCIATIONS, &input, 1).await;
            let mut shares = texts(&json!(rows), "resourceShareArn");
            shares.sort();
            shares
        };
        let sorted = |shares: &[&String]| {
            let mut shares: Vec<String> = shares.iter().copied().cloned().collect();
            shares.sort();
            shares
        };
        let of_type = |resource_type: &str| json!({"resourceType": resource_type});
        assert_eq!(found(&owner, json!({})).await.len(), 4);
        assert_eq!(found(&owner, of_type(COMPONENT)).await, sorted(&[&both, &both, &components]));
        assert_eq!(found(&owner, of_type("imagebuilder:IMAGE")).await, sorted(&[&both, &both]));
        assert_eq!(found(&owner, of_type("ec2:Subnet")).await, [] as [&str; 0]);
        let named = |share: &str| json!({"resourceType": IMAGE, "resourceShareArn": share});
        assert_eq!(found(&owner, named(&both)).await.len(), 2);
        assert_eq!(found(&owner, named(&empty)).await, [] as [&str; 0]);
        let with = json!({"resourceType": IMAGE, "permissionArn": default});
        assert_eq!(found(&owner, with).await, std::slice::from_ref(&both));
        let received = json!({"resourceType": IMAGE, "resourceOwner": "OTHER-ACCOUNTS"});
        let consumer = server.account(CONSUMER);
        assert_eq!(found(&consumer, received.clone()).await, [] as [&str; 0], "only invited");
        let invitation = pending_invitation(&consumer, &both).await;
        let input = json!({"resourceShareInvitationArn": invitation});
        consumer.ok("AcceptResourceShareInvitation", &input).await;
        assert_eq!(found(&consumer, received).await.len(), 2);
        // What has left the share is not in it.
        let gone = json!({"resourceShareArn": both, "resourceArns": [image]});
        owner.ok("DisassociateResourceShare", &gone).await;
        assert_eq!(found(&owner, of_type(IMAGE)).await, [] as [&str; 0]);
        let refused = owner.refused("ListPermissionAssociations", &of_type("acme:Nothing")).await;
        assert_eq!(refused, "InvalidParameter");
    })
    .await;
}

#[tokio::test]
async fn associations_are_found_by_the_feature_set_of_their_share() {
    let slow = Settings { timing: Timing { settle_delay_ms: 60_000, ..Timing::default() }, ..settings() };
    for_each_store_with(slow, async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let standard = create(&owner, &json!({"name": "n", "resourceArns": [component(1)]})).await;
        let same = permission(&owner, "Same", COMPONENT).await;
        let principal = json!({"AWS": CONSUMER});
        let policy =
            json!({"Effect": "Allow", "Principal": principal, "Action": "imagebuilder:GetComponent"});
        let share = put(&owner, &component(2), &statement(&policy)).await.remove(0);
        server.advance(Duration::from_mins(2));
        let found = async |client: &Client, more: Value| {
            let mut found = Vec::new();
            for feature_set in ["CREATED_FROM_POLICY", "PROMOTING_TO_STANDARD", "STANDARD"] {
                let mut input = json!({"featureSet": feature_set});
                input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                let rows = collect(client, ASSOCIATIONS, &input, 1).await;
                assert!(rows.iter().all(|row| row["featureSet"] == feature_set), "{rows:?}");
                found.push(texts(&json!(rows), "resourceShareArn"));
            }
            <[Vec<String>; 3]>::try_from(found).unwrap()
        };
        let one = |share: &String| vec![share.clone()];
        assert_eq!(found(&owner, json!({})).await, [one(&share), vec![], one(&standard)]);
        let named = json!({"resourceShareArn": share});
        owner.ok(PROMOTE_SHARE, &named).await;
        assert_eq!(found(&owner, json!({})).await, [vec![], one(&share), one(&standard)]);
        let listed = owner.ok("ListResourceSharePermissions", &named).await;
        assert_eq!(only(&listed["permissions"])["featureSet"], "PROMOTING_TO_STANDARD");
        assert_eq!(found(&owner, named).await, [vec![], one(&share), vec![]]);
        assert_eq!(found(&owner, json!({"permissionArn": same})).await, [vec![], one(&share), vec![]]);
        let theirs = json!({"resourceOwner": "OTHER-ACCOUNTS"});
        assert_eq!(found(&consumer, theirs.clone()).await, [vec![], one(&share), vec![]]);
        server.advance(Duration::from_mins(2));
        assert_eq!(found(&owner, json!({})).await, [vec![], vec![], vec![standard.clone(), share.clone()]]);
        assert_eq!(found(&consumer, theirs).await, [vec![], vec![], one(&share)]);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_share_does_not_take_a_later_permission_of_the_name_for_its_own() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = permission(&owner, "Name", COMPONENT).await;
        let listed = async |share: &str| {
            let input = json!({"resourceShareArn": share});
            only(&owner.ok("ListResourceSharePermissions", &input).await["permissions"]).clone()
        };
        let share = create(&owner, &json!({"name": "n", "permissionArns": [arn]})).await;
        let before = listed(&share).await;
        assert_eq!((&before["defaultVersion"], &before["tags"]), (&json!(true), &json!([])));
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        owner.ok("DeletePermission", &json!({"permissionArn": arn})).await;
        let tags = json!([{"key": "k", "value": "v"}]);
        let template = r#"{"Effect": "Allow", "Action": "imagebuilder:GetComponent"}"#;
        let input =
            json!({"name": "Name", "resourceType": COMPONENT, "policyTemplate": template, "tags": tags});
        assert_eq!(owner.ok("CreatePermission", &input).await["permission"]["arn"], arn.as_str());
        let after = listed(&share).await;
        assert_eq!((&after["arn"], &after["version"]), (&json!(arn), &json!("1")));
        assert_eq!((&after["defaultVersion"], after.get("tags")), (&json!(false), None), "{after}");
        // Another share has the new one, also by replacement.
        let other = create(&owner, &json!({"name": "n", "resourceArns": [component(1)]})).await;
        let default = listed(&other).await["arn"].clone();
        let replace = json!({"fromPermissionArn": default, "toPermissionArn": arn});
        owner.ok("ReplacePermissionAssociations", &replace).await;
        server.sweep().await;
        let after = listed(&other).await;
        assert_eq!((&after["arn"], &after["tags"]), (&json!(arn), &tags));
    })
    .await;
}
