//! CreateResourceShare.

use rampart_testkit::for_each_store;
use serde_json::{Value, json};

use crate::sharing::{
    CONSUMER, OWNER, STRANGER, associations, component, create, gateway, only, share, share_arns, text, texts,
};

const CREATE: &str = "CreateResourceShare";

#[tokio::test]
async fn every_member_of_the_answer() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let from = server.now_s();
        let input = json!({
            "name": "net", "resourceArns": [gateway(1)], "principals": [CONSUMER], "allowExternalPrincipals": true,
            "tags": [{"key": "team", "value": "network"}], "clientToken": "t-1",
        });
        let answer = owner.ok(CREATE, &input).await;
        let at = answer["resourceShare"]["creationTime"].as_f64().unwrap();
        assert!(from <= at && at <= server.now_s(), "{answer}");
        let arn = text(&answer["resourceShare"]["resourceShareArn"]);
        let id = arn.strip_prefix(&format!("arn:aws:ram:eu-west-1:{OWNER}:resource-share/")).unwrap();
        assert_eq!(id.len(), 36);
        let expected = json!({
            "resourceShare": {
                "resourceShareArn": arn,
                "name": "net",
                "owningAccountId": OWNER,
                "allowExternalPrincipals": true,
                "status": "ACTIVE",
                "creationTime": at,
                "lastUpdatedTime": at,
            },
            "clientToken": "t-1",
        });
        assert_eq!(answer, expected);
    })
    .await;
}

#[tokio::test]
async fn an_empty_share_is_a_share() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "empty", "resourceArns": [], "principals": null})).await;
        assert_eq!(share_arns(&owner, "SELF").await, [arn]);
    })
    .await;
}

#[tokio::test]
async fn names_need_not_be_unique() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let one = create(&owner, &json!({"name": "same"})).await;
        let other = create(&owner, &json!({"name": "same"})).await;
        assert_ne!(one, other);
        assert_eq!(share_arns(&owner, "SELF").await, [one, other]);
    })
    .await;
}

#[tokio::test]
async fn asking_twice_with_one_token_makes_one_share() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input =
            |principals: Value| json!({"name": "net", "principals": principals, "clientToken": "once"});
        let first = owner.call(CREATE, &input(json!([CONSUMER, STRANGER]))).await;
        // The same set in another order, and twice named, is the same request.
        let again = owner.call(CREATE, &input(json!([STRANGER, CONSUMER, STRANGER]))).await;
        assert_eq!(first.status, 200, "{}", first.text);
        assert_eq!(again.text, first.text);
        assert_eq!(share_arns(&owner, "SELF").await.len(), 1);
        let other = input(json!([CONSUMER]));
        assert_eq!(owner.refused(CREATE, &other).await, "IdempotentParameterMismatch");
        // Another account's or Region's token is another token.
        server.account(STRANGER).ok(CREATE, &input(json!([CONSUMER]))).await;
        owner.in_region("us-east-1").ok(CREATE, &input(json!([CONSUMER]))).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_malformed_is_named_by_its_code() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let cases = [
            (json!({}), "InvalidParameter"),
            (json!({"name": null}), "InvalidParameter"),
            (json!({"name": ""}), "InvalidParameter"),
            (json!({"name": "n".repeat(513)}), "InvalidParameter"),
            (json!({"name": "a\u{7}b"}), "InvalidParameter"),
            (json!({"name": "n", "principals": ["o-abcdefghij"]}), "InvalidParameter"),
            (json!({"name": "n", "principals": [format!("arn:aws:iam::{CONSUMER}:root")]}), "InvalidParameter"),
            (json!({"name": "n", "resourceArns": ["tgw-1"]}), "MalformedArn"),
            (json!({"name": "n", "resourceArns": [gateway(1).replace("transit-gateway/tgw", "instance/i")]}), "MalformedArn"),
            (json!({"name": "n", "tags": [{"key": "aws:x", "value": "1"}]}), "TagPolicyViolation"),
            (json!({"name": "n", "tags": [{"key": "a", "value": ""}, {"key": "a", "value": ""}]}), "InvalidParameter"),
            (json!({"name": "n", "tags": [{"key": "a"}]}), "InvalidParameter"),
            (json!({"name": "n", "tags": [{"value": "a"}]}), "InvalidParameter"),
            (json!({"name": "n", "clientToken": ""}), "InvalidClientToken"),
            (
                json!({
                    "name": "n", "allowExternalPrincipals": false,
                    "resourceShareConfiguration": {"retainSharingOnAccountLeaveOrganization": true},
                }),
                "InvalidParameter",
            ),
        ];
        for (input, code) in cases {
            assert_eq!(owner.refused(CREATE, &input).await, code, "{input}");
        }
        let tags: Vec<Value> = (0..51).map(|n| json!({"key": format!("k{n}"), "value": ""})).collect();
        assert_eq!(owner.refused(CREATE, &json!({"name": "n", "tags": tags})).await, "TagLimitExceeded");
        let resources: Vec<String> = (0..101).map(gateway).collect();
        let input = json!({"name": "n", "resourceArns": resources});
        assert_eq!(owner.refused(CREATE, &input).await, "ResourceShareLimitExceeded");
        assert!(share_arns(&owner, "SELF").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn organizations_are_unknown() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        for (principal, message) in [
            (
                format!("arn:aws:organizations::{OWNER}:organization/o-abcdefghij"),
                "Organization o-abcdefghij could not be found.",
            ),
            (
                format!("arn:aws:organizations::{OWNER}:ou/o-abcdefghij/ou-ab12-abcdefgh"),
                "OrganizationalUnit ou-ab12-abcdefgh could not be found.",
            ),
        ] {
            let reply = owner.call(CREATE, &json!({"name": "n", "principals": [principal]})).await;
            assert_eq!((reply.status, reply.error_code.as_str()), (400, "UnknownResourceException"));
            assert_eq!(reply.json, json!({"message": message}));
        }
    })
    .await;
}

#[tokio::test]
async fn one_bad_entity_among_good_ones_changes_nothing() {
    for_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let cases = [
            json!({"name": "n", "resourceArns": [gateway(1), "bad"], "principals": [CONSUMER]}),
            json!({"name": "n", "resourceArns": [gateway(1)], "principals": [CONSUMER, "bad"]}),
            json!({
                "name": "n", "resourceArns": [gateway(1), gateway(2).replace(OWNER, STRANGER)],
                "principals": [CONSUMER], "clientToken": "t",
            }),
        ];
        for input in cases {
            owner.refused(CREATE, &input).await;
        }
        assert!(share_arns(&owner, "SELF").await.is_empty());
        let received = consumer.ok("GetResourceShareInvitations", &json!({})).await;
        assert_eq!(received, json!({"resourceShareInvitations": []}));
    })
    .await;
}

#[tokio::test]
async fn only_what_one_owns_can_be_shared() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let foreign = gateway(1).replace(OWNER, STRANGER);
        let input = json!({"name": "n", "resourceArns": [foreign]});
        assert_eq!(owner.refused(CREATE, &input).await, "InvalidParameter");
    })
    .await;
}

#[tokio::test]
async fn a_share_holds_resources_of_its_region() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let abroad = owner.in_region("us-east-1");
        let network = format!("arn:aws:networkmanager::{OWNER}:core-network/core-network-0123456789abcdef0");
        let regional = json!({"name": "n", "resourceArns": [gateway(1)]});
        let global = json!({"name": "n", "resourceArns": [network]});
        assert_eq!(abroad.refused(CREATE, &regional).await, "InvalidParameter");
        assert_eq!(owner.refused(CREATE, &global).await, "InvalidParameter");
        let arn = create(&abroad, &global).await;
        assert!(arn.starts_with("arn:aws:ram:us-east-1:"), "{arn}");
        // A share is there in its own Region alone.
        assert_eq!(share_arns(&abroad, "SELF").await, [arn.as_str()]);
        assert!(share_arns(&owner, "SELF").await.is_empty());
        assert_eq!(crate::sharing::share_refused(&owner, "SELF", &arn).await, "UnknownResource");
        for (operation, input) in [
            ("AssociateResourceShare", json!({"resourceShareArn": arn, "principals": [CONSUMER]})),
            ("DisassociateResourceShare", json!({"resourceShareArn": arn, "principals": [CONSUMER]})),
            ("DeleteResourceShare", json!({"resourceShareArn": arn})),
            (
                "GetResourceShareAssociations",
                json!({"associationType": "RESOURCE", "resourceShareArns": [arn]}),
            ),
        ] {
            assert_eq!(owner.refused(operation, &input).await, "UnknownResource", "{operation}");
        }
    })
    .await;
}

#[tokio::test]
async fn without_external_principals_nothing_can_be_put_in() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let closed = |more: Value| {
            let mut input = json!({"name": "closed", "allowExternalPrincipals": false});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let arn = create(&owner, &closed(json!({}))).await;
        assert_eq!(share(&owner, "SELF", &arn).await["allowExternalPrincipals"], false);
        for entities in [json!({"principals": [CONSUMER]}), json!({"resourceArns": [gateway(1)]})] {
            assert_eq!(owner.refused(CREATE, &closed(entities.clone())).await, "OperationNotPermitted");
            let mut input = json!({"resourceShareArn": arn});
            input.as_object_mut().unwrap().extend(entities.as_object().unwrap().clone());
            let reply = owner.call("AssociateResourceShare", &input).await;
            assert_eq!(reply.error_code, "OperationNotPermittedException");
            let message = reply.json["message"].as_str().unwrap();
            assert!(message.starts_with("The resource you are attempting to share can only"), "{message}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_type_for_inside_the_organization_is_refused_with_the_same_text_and_another_code() {
    for_each_store(async |server| {
        let subnet = format!("arn:aws:ec2:eu-west-1:{OWNER}:subnet/subnet-0123456789abcdef0");
        let input = json!({"name": "n", "resourceArns": [subnet]});
        let reply = server.account(OWNER).call(CREATE, &input).await;
        assert_eq!(reply.error_code, "InvalidParameterException");
        let message = reply.json["message"].as_str().unwrap();
        assert!(message.starts_with("The resource you are attempting to share can only"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn the_owners_own_account_needs_no_invitation() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create(&owner, &json!({"name": "n", "principals": [OWNER]})).await;
        let rows = associations(&owner, "PRINCIPAL", &arn).await;
        assert_eq!(only(&rows)["status"], "ASSOCIATED");
        assert_eq!(only(&rows)["external"], false);
        let received = owner.ok("GetResourceShareInvitations", &json!({})).await;
        assert_eq!(received, json!({"resourceShareInvitations": []}));
        assert!(share_arns(&owner, "OTHER-ACCOUNTS").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_role_is_invited_through_its_account() {
    for_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let role = format!("arn:aws:iam::{CONSUMER}:role/path/Reader");
        let input = json!({"name": "n", "resourceArns": [component(1)], "principals": [role]});
        let arn = create(&owner, &input).await;
        let found = crate::sharing::invitations(&consumer, &arn).await;
        assert_eq!(found[0]["receiverAccountId"], CONSUMER);
        assert_eq!(found[0]["receiverArn"], role);
        let accept = json!({"resourceShareInvitationArn": found[0]["resourceShareInvitationArn"]});
        consumer.ok("AcceptResourceShareInvitation", &accept).await;
        assert_eq!(share_arns(&consumer, "OTHER-ACCOUNTS").await, [arn.as_str()]);
        let rows = associations(&owner, "PRINCIPAL", &arn).await;
        assert_eq!(texts(&rows, "associatedEntity"), [role]);
    })
    .await;
}
