//! GetResourceShareAssociations: every filter and every error.

use std::time::Duration;

use rampart_testkit::for_each_store;
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, Offer, STRANGER, create, gateway, texts, unknown};

const GET: &str = "GetResourceShareAssociations";

#[tokio::test]
async fn every_filter() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let mut shares = Vec::new();
        for resources in [[gateway(1), gateway(2)], [gateway(2), gateway(3)]] {
            let input = json!({"name": "n", "resourceArns": resources, "principals": [CONSUMER, OWNER]});
            shares.push(create(&owner, &input).await);
            server.advance(Duration::from_secs(1));
        }
        let remove = json!({"resourceShareArn": shares[1], "resourceArns": [gateway(3)]});
        owner.ok("DisassociateResourceShare", &remove).await;

        let resource = |place: usize, number: u32| (shares[place].clone(), gateway(number));
        let principal = |place: usize, entity: &str| (shares[place].clone(), entity.to_owned());
        let cases: Vec<(Value, Vec<(String, String)>)> = vec![
            (
                json!({"associationType": "RESOURCE"}),
                vec![resource(0, 1), resource(0, 2), resource(1, 2), resource(1, 3)],
            ),
            (
                json!({"associationType": "RESOURCE", "resourceShareArns": [shares[1]]}),
                vec![resource(1, 2), resource(1, 3)],
            ),
            (
                json!({"associationType": "RESOURCE", "resourceShareArns": [shares[1], shares[0], shares[1]]}),
                vec![resource(0, 1), resource(0, 2), resource(1, 2), resource(1, 3)],
            ),
            (
                json!({"associationType": "RESOURCE", "resourceArn": gateway(2)}),
                vec![resource(0, 2), resource(1, 2)],
            ),
            (
                json!({"associationType": "RESOURCE", "resourceArn": gateway(2), "resourceShareArns": [shares[0]]}),
                vec![resource(0, 2)],
            ),
            (json!({"associationType": "RESOURCE", "resourceArn": gateway(9)}), vec![]),
            (
                json!({"associationType": "RESOURCE", "associationStatus": "DISASSOCIATED"}),
                vec![resource(1, 3)],
            ),
            (
                json!({"associationType": "PRINCIPAL", "principal": CONSUMER}),
                vec![principal(0, CONSUMER), principal(1, CONSUMER)],
            ),
            (
                json!({"associationType": "PRINCIPAL", "principal": CONSUMER, "resourceShareArns": [shares[1]]}),
                vec![principal(1, CONSUMER)],
            ),
            (
                json!({"associationType": "PRINCIPAL", "associationStatus": "ASSOCIATED"}),
                vec![principal(0, OWNER), principal(1, OWNER)],
            ),
            (
                json!({"associationType": "PRINCIPAL", "associationStatus": "ASSOCIATING", "resourceShareArns": [shares[0]]}),
                vec![principal(0, CONSUMER)],
            ),
            (json!({"associationType": "PRINCIPAL", "associationStatus": "FAILED"}), vec![]),
            (json!({"associationType": "PRINCIPAL", "associationStatus": "SUSPENDED"}), vec![]),
            (json!({"associationType": "PRINCIPAL", "principal": STRANGER}), vec![]),
        ];
        for (input, mut expected) in cases {
            let found = owner.ok(GET, &input).await["resourceShareAssociations"].clone();
            let arns = texts(&found, "resourceShareArn").into_iter();
            let mut found: Vec<_> = arns.zip(texts(&found, "associatedEntity")).collect();
            // Rows of one moment come in the order of their random ids.
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{input}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_malformed_is_named_by_its_code_and_text() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        for (input, message) in [
            (
                json!({"associationType": "ROLE"}),
                "ROLE is not a valid association type. Specify either PRINCIPAL or RESOURCE and try again.",
            ),
            (
                json!({"associationType": "RESOURCE", "associationStatus": "GONE"}),
                "GONE is not a valid association status.",
            ),
            (
                json!({"associationType": "PRINCIPAL", "resourceArn": gateway(1)}),
                "You cannot specify a resource ARN when the association type is PRINCIPAL.",
            ),
            (
                json!({"associationType": "RESOURCE", "principal": CONSUMER}),
                "You cannot specify a principal when the association type is RESOURCE.",
            ),
        ] {
            let reply = owner.call(GET, &input).await;
            assert_eq!(reply.error_code, "InvalidParameterException", "{input}");
            assert_eq!(reply.json, json!({"message": message}));
        }
        assert_eq!(owner.refused(GET, &json!({})).await, "InvalidParameter");
        let malformed = json!({"associationType": "RESOURCE", "resourceArn": "not an arn"});
        let reply = owner.call(GET, &malformed).await;
        let message = "The specified resource ARN not an arn is not valid. Verify the ARN and try again.";
        assert_eq!(reply.error_code, "MalformedArnException");
        assert_eq!(reply.json["message"], message);
        let malformed = json!({"associationType": "RESOURCE", "resourceShareArns": ["arn,arn"]});
        let reply = owner.call(GET, &malformed).await;
        assert_eq!(reply.error_code, "MalformedArnException");
        let message = "The specified resource share ARN is not valid. Verify the ARN and try again.";
        assert_eq!(reply.json, json!({"message": message}));
    })
    .await;
}

#[tokio::test]
async fn a_share_of_another_account_is_unknown() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        for kind in ["PRINCIPAL", "RESOURCE"] {
            let input = json!({"associationType": kind, "resourceShareArns": [offer.share]});
            for other in [&offer.consumer, &server.account(STRANGER), &offer.owner.in_region("us-east-1")] {
                assert_eq!(other.refused(GET, &input).await, "UnknownResource");
            }
            let all = offer.consumer.ok(GET, &json!({"associationType": kind})).await;
            assert_eq!(all, json!({"resourceShareAssociations": []}));
            let both =
                json!({"associationType": kind, "resourceShareArns": [offer.share, unknown(&offer.share)]});
            assert_eq!(offer.owner.refused(GET, &both).await, "UnknownResource");
        }
        let by_name = json!({"associationType": "PRINCIPAL", "principal": CONSUMER});
        let found = offer.consumer.ok(GET, &by_name).await;
        assert_eq!(found, json!({"resourceShareAssociations": []}));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_shares_rows_can_be_asked_for_as_long_as_it_is_shown() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        offer.delete().await;
        let input = json!({"associationType": "RESOURCE", "resourceShareArns": [offer.share]});
        let found = offer.owner.ok(GET, &input).await;
        assert_eq!(texts(&found["resourceShareAssociations"], "status"), ["DISASSOCIATED"]);
        server.advance(Duration::from_secs(7201));
        assert_eq!(offer.owner.refused(GET, &input).await, "UnknownResource");
        let all = offer.owner.ok(GET, &json!({"associationType": "RESOURCE"})).await;
        assert_eq!(all, json!({"resourceShareAssociations": []}));
    })
    .await;
}
