//! ListResourceTypes: the catalog.

use rampart_core::catalog::Catalog;
use rampart_testkit::{TestServer, for_each_store};
use serde_json::json;

use crate::sharing::{OWNER, collect, list, text};

const LIST: &str = "ListResourceTypes";
const LISTED: (&str, &str) = (LIST, "resourceTypes");

#[tokio::test]
async fn every_type_of_the_catalog_with_every_member() {
    for_each_store(async |server| {
        let found = list(&server.account(OWNER).ok(LIST, &json!({})).await["resourceTypes"]);
        assert_eq!(found.len(), Catalog::embedded().types().len());
        for (shown, entry) in found.iter().zip(Catalog::embedded().types()) {
            let expected = json!({
                "resourceType": entry.name,
                "serviceName": entry.service_name,
                "resourceRegionScope": entry.region_scope.as_str(),
            });
            assert_eq!(*shown, expected);
            assert_eq!(entry.name.split(':').next(), Some(entry.service_name.as_str()));
        }
        let gateway = json!({
            "resourceType": "ec2:TransitGateway", "serviceName": "ec2", "resourceRegionScope": "REGIONAL",
        });
        assert!(found.contains(&gateway));
    })
    .await;
}

#[tokio::test]
async fn by_scope() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let all = collect(&client, LISTED, &json!({}), 500).await;
    assert_eq!(collect(&client, LISTED, &json!({"resourceRegionScope": "ALL"}), 500).await, all);
    let mut parts = 0;
    for scope in ["REGIONAL", "GLOBAL"] {
        let input = json!({"resourceRegionScope": scope});
        let found = collect(&client, LISTED, &input, 500).await;
        assert!(!found.is_empty() && found.iter().all(|entry| entry["resourceRegionScope"] == scope));
        for size in [1, 3, 500] {
            assert_eq!(collect(&client, LISTED, &input, size).await, found, "{scope} by {size}");
        }
        parts += found.len();
    }
    assert_eq!(parts, all.len());
    // Nobody's own: every account and Region has the same.
    assert_eq!(
        collect(&server.account("999999999999").in_region("cn-north-1"), LISTED, &json!({}), 7).await,
        all
    );
}

#[tokio::test]
async fn what_is_malformed_is_named_by_its_code() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    for scope in ["", "all", "WORLD"] {
        let reply = client.call(LIST, &json!({"resourceRegionScope": scope})).await;
        assert_eq!(reply.error_code, "InvalidParameterException");
        let expected = format!(
            "{scope} is not a valid resource region scope value. Specify a valid value and try again."
        );
        assert_eq!(reply.json["message"], expected);
    }
    for size in [0, 501] {
        assert_eq!(client.refused(LIST, &json!({"maxResults": size})).await, "InvalidParameter");
    }
    let token = text(&client.ok(LIST, &json!({"maxResults": 1})).await["nextToken"]);
    for input in [
        json!({"nextToken": "AAAA"}),
        json!({"nextToken": token, "resourceRegionScope": "REGIONAL"}),
        json!({"nextToken": format!("{token}A")}),
    ] {
        assert_eq!(client.refused(LIST, &input).await, "InvalidNextToken", "{input}");
    }
    let stranger = server.account("999999999999");
    assert_eq!(stranger.refused(LIST, &json!({"nextToken": token})).await, "InvalidNextToken");
}
