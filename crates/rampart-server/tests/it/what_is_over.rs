//! What has expired, or rested on a membership that ended, stands in nobody's way before background work has noticed.

use std::time::Duration;

use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::organizations::{self, MANAGEMENT, MEMBER, join, ok};
use crate::sharing::{associations, create, gateway, only, text};

const OUTSIDER: &str = "333333333333";
const LONG: Duration = Duration::from_hours(7 * 24);

/// An organization of two that shares.
async fn company(server: &TestServer) -> (Client, Client) {
    let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
    organizations::create(&management).await;
    join(&management, &member).await;
    management.ok("EnableSharingWithAwsOrganization", &json!({})).await;
    (management, member)
}

fn subnet() -> String {
    format!("arn:aws:ec2:eu-west-1:{MANAGEMENT}:subnet/subnet-0123456789abcdef0")
}

#[tokio::test]
async fn an_expired_outsider_does_not_keep_a_share_open() {
    for_each_store(async |server| {
        let (management, _) = company(&server).await;
        let share = create(&management, &json!({"name": "n", "principals": [OUTSIDER]})).await;
        let confine = json!({"resourceShareArn": share, "allowExternalPrincipals": false});
        assert_eq!(management.refused("UpdateResourceShare", &confine).await, "OperationNotPermitted");
        server.advance(LONG);
        let answer = management.ok("UpdateResourceShare", &confine).await;
        assert_eq!(answer["resourceShare"]["allowExternalPrincipals"], false);
    })
    .await;
}

#[tokio::test]
async fn an_expired_outsider_does_not_keep_resources_out() {
    for_each_store(async |server| {
        let (management, _) = company(&server).await;
        let share = create(&management, &json!({"name": "n", "principals": [OUTSIDER]})).await;
        let input = json!({"resourceShareArn": share, "resourceArns": [subnet()]});
        assert_eq!(management.refused("AssociateResourceShare", &input).await, "InvalidParameter");
        server.advance(LONG);
        management.ok("AssociateResourceShare", &input).await;
    })
    .await;
}

#[tokio::test]
async fn a_role_of_an_account_that_left_does_not_keep_resources_out() {
    for_each_store(async |server| {
        let (management, member) = company(&server).await;
        let role = format!("arn:aws:iam::{MEMBER}:role/Reader");
        let share = create(&management, &json!({"name": "n", "principals": [role]})).await;
        let input = json!({"resourceShareArn": share, "resourceArns": [gateway(1)]});
        assert_eq!(management.refused("AssociateResourceShare", &input).await, "InvalidParameter");
        ok(&member, "LeaveOrganization", &json!({})).await;
        management.ok("AssociateResourceShare", &input).await;
    })
    .await;
}

/// Who removes it is told what every reader is told.
#[tokio::test]
async fn what_a_memberships_end_has_ended_is_disassociated_when_it_is_removed() {
    for_each_store(async |server| {
        let (management, member) = company(&server).await;
        let share = create(&management, &json!({"name": "n", "principals": [MEMBER]})).await;
        ok(&member, "LeaveOrganization", &json!({})).await;
        let status = |rows: &Value| text(&only(rows)["status"]);
        assert_eq!(status(&associations(&management, "PRINCIPAL", &share).await), "DISASSOCIATED");
        let input = json!({"resourceShareArn": share, "principals": [MEMBER]});
        let answer = management.ok("DisassociateResourceShare", &input).await;
        assert_eq!(status(&answer["resourceShareAssociations"]), "DISASSOCIATED");
        server.sweep().await;
        assert_eq!(status(&associations(&management, "PRINCIPAL", &share).await), "DISASSOCIATED");
    })
    .await;
}
