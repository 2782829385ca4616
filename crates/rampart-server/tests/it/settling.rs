//! With a settle delay, associations and shares pass through the states that AWS shows for a moment.

use std::time::Duration;

use rampart_core::Timing;
use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use serde_json::json;

use crate::organization_sharing::{Company, OTHER};
use crate::organizations;
use crate::sharing::{
    CONSUMER, OWNER, Offer, associations, create, gateway, list, only, share, share_arns, share_refused,
};

fn slow() -> Settings {
    // Longer than any test takes: time passes when the test says so.
    Settings { timing: Timing { settle_delay_ms: 600_000, ..Timing::default() }, ..settings() }
}

const HALF: Duration = Duration::from_mins(5);
const BEYOND: Duration = Duration::from_secs(400);

#[tokio::test]
async fn an_association_settles() {
    for_each_store_with(slow(), async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n", "resourceArns": [gateway(1)]})).await;
        let row = async || only(&associations(&owner, "RESOURCE", &arn).await).clone();
        let first = row().await;
        assert_eq!(first["status"], "ASSOCIATING");
        server.advance(HALF);
        assert_eq!(row().await, first);
        server.advance(BEYOND);
        let settled = row().await;
        assert_eq!(settled["status"], "ASSOCIATED");
        assert_eq!(settled["creationTime"], first["creationTime"]);
        let took = settled["lastUpdatedTime"].as_f64().unwrap() - first["creationTime"].as_f64().unwrap();
        assert!((took - 600.0).abs() < 0.001, "{took}");

        let input = json!({"resourceShareArn": arn, "resourceArns": [gateway(1)]});
        owner.ok("DisassociateResourceShare", &input).await;
        assert_eq!(row().await["status"], "DISASSOCIATING");
        server.advance(HALF);
        assert_eq!(row().await["status"], "DISASSOCIATING");
        server.advance(BEYOND);
        assert_eq!(row().await["status"], "DISASSOCIATED");
    })
    .await;
}

#[tokio::test]
async fn a_consumer_sees_a_resource_as_pending_until_it_is_effective() {
    for_each_store_with(slow(), async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        server.advance(BEYOND + HALF);
        let more = json!({"resourceShareArn": offer.share, "resourceArns": [gateway(2)]});
        offer.owner.ok("AssociateResourceShare", &more).await;
        for second in ["PENDING", "AVAILABLE"] {
            let input = json!({"resourceOwner": "OTHER-ACCOUNTS"});
            let found = offer.consumer.ok("ListResources", &input).await["resources"].clone();
            let status = |arn: String| {
                let resource = list(&found).into_iter().find(|resource| resource["arn"] == arn);
                resource.unwrap()["status"].clone()
            };
            assert_eq!((status(gateway(1)), status(gateway(2))), (json!("AVAILABLE"), json!(second)));
            // The owner sees none.
            let own = offer.owner.ok("ListResources", &json!({"resourceOwner": "SELF"})).await;
            assert!(list(&own["resources"]).iter().all(|resource| resource.get("status").is_none()));
            server.advance(BEYOND + HALF);
        }
    })
    .await;
}

#[tokio::test]
async fn a_share_is_deleting_before_it_is_deleted() {
    for_each_store_with(slow(), async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        let accepted = offer.accept().await;
        assert_eq!(accepted["resourceShareInvitation"]["status"], "ACCEPTED");
        // Accepted, but not effective yet.
        assert_eq!(offer.principal().await["status"], "ASSOCIATING");
        assert_eq!(share_refused(&offer.consumer, "OTHER-ACCOUNTS", &offer.share).await, "UnknownResource");
        assert!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await.is_empty());
        server.advance(BEYOND + HALF);
        assert_eq!(offer.principal().await["status"], "ASSOCIATED");
        assert_eq!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await, [offer.share.as_str()]);

        offer.delete().await;
        for (client, view) in [(&offer.owner, "SELF"), (&offer.consumer, "OTHER-ACCOUNTS")] {
            assert_eq!(share(client, view, &offer.share).await["status"], "DELETING");
        }
        assert_eq!(offer.principal().await["status"], "DISASSOCIATING");
        let by_status = json!({"resourceOwner": "SELF", "resourceShareStatus": "DELETING"});
        let found = offer.owner.ok("GetResourceShares", &by_status).await;
        assert_eq!(only(&found["resourceShares"])["resourceShareArn"], offer.share);
        server.advance(BEYOND + HALF);
        for (client, view) in [(&offer.owner, "SELF"), (&offer.consumer, "OTHER-ACCOUNTS")] {
            assert_eq!(share(client, view, &offer.share).await["status"], "DELETED");
        }
        assert_eq!(offer.principal().await["status"], "DISASSOCIATED");
    })
    .await;
}

#[tokio::test]
async fn a_pending_account_waits_for_its_answer_whatever_the_delay() {
    for_each_store_with(slow(), async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        server.advance(BEYOND + HALF);
        assert_eq!(offer.principal().await["status"], "ASSOCIATING");
        let remove = json!({"resourceShareArn": offer.share, "principals": [CONSUMER]});
        offer.owner.ok("DisassociateResourceShare", &remove).await;
        // Terraform takes ASSOCIATING after this for an error.
        assert_eq!(offer.principal().await["status"], "DISASSOCIATING");
    })
    .await;
}

#[tokio::test]
async fn what_expired_settles_once() {
    for_each_store_with(slow(), async |server| {
        let offer = Offer::pending(&server, &[gateway(1)]).await;
        server.advance(Duration::from_hours(7 * 24));
        let expired = offer.principal().await;
        assert_eq!(expired["status"], "DISASSOCIATING");
        // Background work writes the end down, and changes nothing that is seen.
        server.sweep().await;
        assert_eq!(offer.principal().await, expired);
        server.advance(BEYOND + HALF);
        assert_eq!(offer.principal().await["status"], "DISASSOCIATED");
    })
    .await;
}

#[tokio::test]
async fn what_a_membership_ended_settles_like_all_else() {
    for_each_store_with(slow(), async |server| {
        let company = Company::new(&server).await;
        let arn = create(&company.member, &json!({"name": "n", "principals": [OTHER]})).await;
        server.advance(BEYOND + HALF);
        organizations::ok(&company.member, "LeaveOrganization", &json!({})).await;
        let seen = only(&associations(&company.member, "PRINCIPAL", &arn).await)["status"].clone();
        let remove = json!({"resourceShareArn": arn, "principals": [OTHER]});
        let told = company.member.ok("DisassociateResourceShare", &remove).await;
        let told = only(&told["resourceShareAssociations"])["status"].clone();
        assert_eq!((seen, told), (json!("DISASSOCIATING"), json!("DISASSOCIATING")));
    })
    .await;
}
