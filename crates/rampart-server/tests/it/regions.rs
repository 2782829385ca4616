//! Regions and partitions: where a share lives, and what it may hold there.

use rampart_testkit::for_each_store;
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, collect, create, list, only, share_refused, text, texts};

const CREATE: &str = "CreateResourceShare";

/// Partition, home Region of global resources, another Region, what service principals end in.
const PARTITIONS: [(&str, &str, &str, &str); 3] = [
    ("aws", "us-east-1", "eu-west-1", "amazonaws.com"),
    ("aws-cn", "cn-northwest-1", "cn-north-1", "amazonaws.com.cn"),
    ("aws-us-gov", "us-gov-west-1", "us-gov-east-1", "amazonaws.com"),
];

fn gateway(partition: &str, region: &str) -> String {
    format!("arn:{partition}:ec2:{region}:{OWNER}:transit-gateway/tgw-0123456789abcdef0")
}

fn network(partition: &str) -> String {
    format!("arn:{partition}:networkmanager::{OWNER}:core-network/core-network-0123456789abcdef0")
}

#[tokio::test]
async fn every_arn_is_of_the_partition_and_region_that_was_called() {
    for_each_store(async |server| {
        for (partition, home, other, suffix) in PARTITIONS {
            for region in [home, other] {
                let owner = server.account(OWNER).in_region(region);
                let consumer = server.account(CONSUMER).in_region(region);
                let input = json!({
                    "name": "n", "resourceArns": [gateway(partition, region)], "principals": [CONSUMER],
                });
                let share = create(&owner, &input).await;
                assert!(share.starts_with(&format!("arn:{partition}:ram:{region}:{OWNER}:resource-share/")));
                let found = consumer.ok("GetResourceShareInvitations", &json!({})).await;
                let invitation =
                    text(&only(&found["resourceShareInvitations"])["resourceShareInvitationArn"]);
                let begins = format!("arn:{partition}:ram:{region}:{OWNER}:resource-share-invitation/");
                assert!(invitation.starts_with(&begins), "{invitation}");
                let named = json!({"resourceShareInvitationArn": invitation});
                consumer.ok("AcceptResourceShareInvitation", &named).await;
                let theirs = json!({"resourceOwner": "OTHER-ACCOUNTS"});
                let resource = consumer.ok("ListResources", &theirs).await;
                assert_eq!(only(&resource["resources"])["resourceShareArn"], share);
                let service = format!("pca-connector-ad.{suffix}");
                create(&owner, &json!({"name": "n", "principals": [service]})).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_region_shows_its_own_shares_only() {
    for_each_store(async |server| {
        let mut shares = Vec::new();
        let regions: Vec<_> = PARTITIONS.iter().flat_map(|(_, home, other, _)| [*home, *other]).collect();
        for region in &regions {
            shares.push(create(&server.account(OWNER).in_region(region), &json!({"name": "n"})).await);
        }
        for (region, share) in regions.iter().zip(&shares) {
            let owner = server.account(OWNER).in_region(region);
            let found = owner.ok("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
            assert_eq!(texts(&found["resourceShares"], "resourceShareArn"), [share.as_str()]);
            for other in shares.iter().filter(|other| *other != share) {
                assert_eq!(share_refused(&owner, "SELF", other).await, "UnknownResource");
                let delete = json!({"resourceShareArn": other});
                assert_eq!(owner.refused("DeleteResourceShare", &delete).await, "UnknownResource");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_share_holds_resources_of_its_own_region_and_global_ones_at_home_alone() {
    for_each_store(async |server| {
        for (partition, home, other, _) in PARTITIONS {
            let at_home = server.account(OWNER).in_region(home);
            let away = server.account(OWNER).in_region(other);
            let input = |arn: String| json!({"name": "n", "resourceArns": [arn]});
            // A mixed share is one of the home Region.
            let both = json!({"name": "n", "resourceArns": [gateway(partition, home), network(partition)]});
            let share = create(&at_home, &both).await;
            assert_eq!(away.refused(CREATE, &input(network(partition))).await, "InvalidParameter");
            assert_eq!(away.refused(CREATE, &input(gateway(partition, home))).await, "InvalidParameter");
            assert_eq!(at_home.refused(CREATE, &input(gateway(partition, other))).await, "InvalidParameter");
            let mine = json!({"resourceOwner": "SELF", "resourceRegionScope": "GLOBAL"});
            let found = collect(&at_home, ("ListResources", "resources"), &mine, 500).await;
            let [found] = found.as_slice() else { panic!("one is global: {found:?}") };
            assert_eq!(
                (&found["arn"], &found["resourceRegionScope"]),
                (&json!(network(partition)), &json!("GLOBAL"))
            );
            let add = |arn: String| json!({"resourceShareArn": share, "resourceArns": [arn]});
            let code = at_home.refused("AssociateResourceShare", &add(gateway(partition, other))).await;
            assert_eq!(code, "InvalidParameter");
        }
    })
    .await;
}

#[tokio::test]
async fn the_arns_of_another_partition_are_malformed_here() {
    for_each_store(async |server| {
        for (partition, home, _, _) in PARTITIONS {
            for (foreign, foreign_home, _, _) in PARTITIONS.iter().filter(|(other, ..)| *other != partition) {
                let owner = server.account(OWNER).in_region(home);
                let resource = json!({"name": "n", "resourceArns": [gateway(foreign, foreign_home)]});
                assert_eq!(owner.refused(CREATE, &resource).await, "MalformedArn", "{partition} {foreign}");
                let role = format!("arn:{foreign}:iam::{CONSUMER}:role/r");
                let principal = json!({"name": "n", "principals": [role]});
                assert_eq!(owner.refused(CREATE, &principal).await, "InvalidParameter");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn pending_resources_by_scope() {
    for_each_store(async |server| {
        for (partition, home, _, _) in PARTITIONS {
            let (owner, consumer) =
                (server.account(OWNER).in_region(home), server.account(CONSUMER).in_region(home));
            let resources = [gateway(partition, home), network(partition)];
            create(&owner, &json!({"name": "n", "resourceArns": resources, "principals": [CONSUMER]})).await;
            let found = consumer.ok("GetResourceShareInvitations", &json!({})).await;
            let invitation = only(&found["resourceShareInvitations"])["resourceShareInvitationArn"].clone();
            let arns = async |scope: Value| {
                let input = json!({"resourceShareInvitationArn": invitation, "resourceRegionScope": scope});
                let page = consumer.ok("ListPendingInvitationResources", &input).await;
                assert!(list(&page["resources"]).iter().all(|resource| resource["status"] == "AVAILABLE"));
                let mut arns = texts(&page["resources"], "arn");
                arns.sort();
                arns
            };
            assert_eq!(arns(Value::Null).await, resources);
            assert_eq!(arns(json!("ALL")).await, resources);
            assert_eq!(arns(json!("REGIONAL")).await, resources[..1]);
            assert_eq!(arns(json!("GLOBAL")).await, resources[1..]);
            let bad = json!({"resourceShareInvitationArn": invitation, "resourceRegionScope": "WORLD"});
            assert_eq!(consumer.refused("ListPendingInvitationResources", &bad).await, "InvalidParameter");
        }
    })
    .await;
}
