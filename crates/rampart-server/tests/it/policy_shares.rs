//! Policies that owners put on their resources: what becomes of them, and their promotion (reference §7.7).

use std::time::Duration;

use http::Method;
use rampart_core::{Quotas, Timing};
use rampart_policy::{Document, same_grants};
use rampart_server::{AuthMode, Settings};
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::service_principals::authority;
use crate::sharing::{
    CONSUMER, OWNER, Offer, STRANGER, associations, component, create, gateway, only, share, share_arns,
    share_refused, text,
};

const SERVICE: &str = "pca-connector-ad.amazonaws.com";
const ROLE: &str = "arn:aws:iam::222222222222:role/path/deploy";
pub(crate) const PROMOTE_SHARE: &str = "PromoteResourceShareCreatedFromPolicy";
const PROMOTE_PERMISSION: &str = "PromotePermissionCreatedFromPolicy";

/// A policy of one statement for the consumer.
fn policy(actions: &[&str]) -> String {
    let principal = json!({"AWS": format!("arn:aws:iam::{CONSUMER}:root")});
    statement(&json!({"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}))
}

pub(crate) fn statement(statement: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Puts a policy and gives the ARNs of the shares that are made of it.
pub(crate) async fn put(owner: &Client, resource: &str, policy: &str) -> Vec<String> {
    let input = json!({"resourceArn": resource, "policy": policy});
    let reply = owner.resource_policy(Method::PUT, &input).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!((&reply.json["resourceArn"], &reply.json["policy"]), (&json!(resource), &json!(policy)));
    reply.json["resourceShareArns"].as_array().unwrap().iter().map(text).collect()
}

pub(crate) async fn refused(owner: &Client, method: Method, input: &Value) -> String {
    let reply = owner.resource_policy(method, input).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    reply.assert_error_envelope();
    reply.error_code.strip_suffix("Exception").unwrap().to_owned()
}

async fn permission_of(owner: &Client, share: &str) -> Value {
    let found = owner.ok("ListResourceSharePermissions", &json!({"resourceShareArn": share})).await;
    only(&found["permissions"]).clone()
}

async fn promote(owner: &Client, permission: &Value, name: &str) -> Value {
    let input = json!({"permissionArn": permission["arn"], "name": name});
    owner.ok(PROMOTE_PERMISSION, &input).await["permission"].clone()
}

/// The ARN of a permission that was made of a policy, and can be promoted.
pub(crate) async fn created_from_policy(owner: &Client) -> String {
    let shares = put(owner, &component(77), &policy(&["imagebuilder:GetComponent"])).await;
    text(&permission_of(owner, &shares[0]).await["arn"])
}

/// What GetResourcePolicies says of a resource.
pub(crate) async fn document(owner: &Client, resource: &str) -> Document {
    let found = owner.ok("GetResourcePolicies", &json!({"resourceArns": [resource]})).await;
    Document::parse(&text(only(&found["policies"]))).unwrap()
}

#[tokio::test]
async fn a_policy_becomes_a_share_and_a_permission_that_the_owner_alone_sees() {
    for_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let policy = policy(&["imagebuilder:ListComponents", "imagebuilder:GetComponent"]);
        let shares = put(&owner, &component(1), &policy).await;
        let found = share(&owner, "SELF", only(&json!(shares)).as_str().unwrap()).await;
        assert_eq!(
            (&found["featureSet"], &found["status"]),
            (&json!("CREATED_FROM_POLICY"), &json!("ACTIVE"))
        );
        assert_eq!(found["name"], json!(component(1)));
        for (kind, entity) in [("RESOURCE", component(1)), ("PRINCIPAL", CONSUMER.to_owned())] {
            let row = only(&associations(&owner, kind, &shares[0]).await).clone();
            assert_eq!((&row["associatedEntity"], &row["status"]), (&json!(entity), &json!("ASSOCIATED")));
        }
        let permission = permission_of(&owner, &shares[0]).await;
        assert_eq!(permission["featureSet"], "CREATED_FROM_POLICY");
        assert_eq!(permission["resourceType"], "imagebuilder:Component");
        let shown = owner.ok("GetPermission", &json!({"permissionArn": permission["arn"]})).await;
        let shown: Value = serde_json::from_str(&text(&shown["permission"]["permission"])).unwrap();
        let actions = json!(["imagebuilder:GetComponent", "imagebuilder:ListComponents"]);
        assert_eq!(shown, json!({"Effect": "Allow", "Action": actions}));
        let input = json!({"permissionType": "CUSTOMER_MANAGED", "resourceType": "imagebuilder:Component"});
        let listed = owner.ok("ListPermissions", &input).await;
        assert_eq!(only(&listed["permissions"])["featureSet"], "CREATED_FROM_POLICY");

        assert_eq!(share_arns(&consumer, "OTHER-ACCOUNTS").await, [] as [&str; 0]);
        assert_eq!(share_refused(&consumer, "OTHER-ACCOUNTS", &shares[0]).await, "UnknownResource");
        let invitations = consumer.ok("GetResourceShareInvitations", &json!({})).await;
        assert_eq!(invitations, json!({"resourceShareInvitations": []}));
        let resources = consumer.ok("ListResources", &json!({"resourceOwner": "OTHER-ACCOUNTS"})).await;
        assert_eq!(resources, json!({"resources": []}));
    })
    .await;
}

#[tokio::test]
async fn the_shares_of_a_policy_say_what_the_policy_says() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = authority();
        let source = |key: &str, value: &str| json!({"aws:SourceAccount": OWNER, key: value});
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": [CONSUMER, ROLE]}, "Action": "acm-pca:Get*", "Resource": arn},
            {"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": ["acm-pca:Get*"]},
            {"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": "acm-pca:IssueCertificate", "Resource": "*",
             "Condition": {"StringEquals": {"aws:PrincipalAccount": STRANGER, "acm-pca:Tier": ["1", "2"]},
                           "StringNotLike": {"aws:PrincipalArn": "*admin*"}}},
            {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "acm-pca:ListTags", "Resource": "*",
             "Condition": {"StringEquals": source("acm-pca:Tier", "1")}},
        ]});
        let shares = put(&owner, &arn, &policy.to_string()).await;
        assert_eq!(shares.len(), 3, "statements that allow the same are one grant");
        // Names of accounts and of resources are written in full by RAM.
        let mut full = policy.clone();
        let root = |account: &str| format!("arn:aws:iam::{account}:root");
        full["Statement"][0]["Principal"]["AWS"] = json!([root(CONSUMER), ROLE]);
        for statement in 0..4 {
            full["Statement"][statement]["Resource"] = json!(arn);
        }
        let made = document(&owner, &arn).await;
        assert!(same_grants(&made, &Document::parse(&full.to_string()).unwrap()), "{}", made.to_json());
        // What the language of 2008 calls a letter is one.
        let old = json!({"Version": "2008-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": CONSUMER}, "Action": "acm-pca:Get*",
             "Condition": {"StringLike": {"acm-pca:Tier": "${aws:username}*"}}}]});
        put(&owner, &arn, &old.to_string()).await;
        let made = document(&owner, &arn).await.to_json();
        assert!(made.contains(r#""acm-pca:Tier":"${$}{aws:username}*""#), "{made}");
    })
    .await;
}

#[tokio::test]
async fn what_was_made_of_a_policy_cannot_be_changed() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let shares = put(&owner, &component(1), &policy(&["imagebuilder:GetComponent"])).await;
        let arn = &shares[0];
        let permission = permission_of(&owner, arn).await["arn"].clone();
        let kept = (share(&owner, "SELF", arn).await, document(&owner, &component(1)).await);
        let managed = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionImageBuilderComponent";
        let of_share = |more: Value| {
            let mut input = json!({"resourceShareArn": arn});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        for (operation, input) in [
            ("UpdateResourceShare", of_share(json!({"name": "mine"}))),
            ("DeleteResourceShare", of_share(json!({}))),
            ("AssociateResourceShare", of_share(json!({"principals": [STRANGER]}))),
            ("AssociateResourceShare", of_share(json!({"resourceArns": [component(2)]}))),
            ("DisassociateResourceShare", of_share(json!({"principals": [CONSUMER]}))),
            ("DisassociateResourceShare", of_share(json!({"resourceArns": [component(1)]}))),
            (
                "AssociateResourceSharePermission",
                of_share(json!({"permissionArn": managed, "replace": true})),
            ),
            ("DisassociateResourceSharePermission", of_share(json!({"permissionArn": permission}))),
            ("DeletePermission", json!({"permissionArn": permission})),
            ("UpdatePermission", json!({"permissionArn": permission, "status": "DEPRECATED"})),
            (
                "CreatePermissionVersion",
                json!({"permissionArn": permission,
                       "policyTemplate": r#"{"Effect": "Allow", "Action": ["imagebuilder:GetComponent"]}"#}),
            ),
            (
                "ReplacePermissionAssociations",
                json!({"fromPermissionArn": permission, "toPermissionArn": managed}),
            ),
        ] {
            assert_eq!(owner.refused(operation, &input).await, "OperationNotPermitted", "{operation}");
        }
        // These do not model it.
        let of_permission = |member: &str, value: Value| json!({"resourceArn": permission, member: value});
        for (operation, input) in [
            ("TagResource", of_share(json!({"tags": [{"key": "k", "value": "v"}]}))),
            ("UntagResource", of_share(json!({"tagKeys": ["k"]}))),
            ("TagResource", of_permission("tags", json!([{"key": "k", "value": "v"}]))),
            ("UntagResource", of_permission("tagKeys", json!(["k"]))),
            ("SetDefaultPermissionVersion", json!({"permissionArn": permission, "permissionVersion": 1})),
        ] {
            assert_eq!(owner.refused(operation, &input).await, "InvalidParameter", "{operation}: {input}");
        }
        let version = json!({"permissionArn": permission, "permissionVersion": 1});
        assert_eq!(owner.refused("DeletePermissionVersion", &version).await, "OperationNotPermitted");
        let chosen = json!({"name": "n", "permissionArns": [permission]});
        assert_eq!(owner.refused("CreateResourceShare", &chosen).await, "OperationNotPermitted");
        // The principal has nothing to leave, and does not even see the share.
        let leave = of_share(json!({"principals": [CONSUMER]}));
        let consumer = server.account(CONSUMER);
        assert_eq!(consumer.refused("DisassociateResourceShare", &leave).await, "UnknownResource");
        assert_eq!((share(&owner, "SELF", arn).await, document(&owner, &component(1)).await), kept);
    })
    .await;
}

#[tokio::test]
async fn another_policy_takes_the_place_of_the_first_and_one_that_says_the_same_does_not() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let get = json!({"resourceArn": component(1)});
        assert_eq!(refused(&owner, Method::GET, &get).await, "ResourceArnNotFound");
        assert_eq!(refused(&owner, Method::DELETE, &get).await, "ResourceArnNotFound");
        let first =
            put(&owner, &component(1), &policy(&["imagebuilder:GetComponent", "imagebuilder:List*"])).await;
        let reordered =
            policy(&["imagebuilder:List*", "imagebuilder:getcomponent", "imagebuilder:ListComponents"]);
        assert_eq!(put(&owner, &component(1), &reordered).await, first);
        let found = owner.resource_policy(Method::GET, &get).await;
        let expected = json!({"resourceArn": component(1), "policy": reordered, "resourceShareArns": first});
        assert_eq!(found.json, expected);

        let old = permission_of(&owner, &first[0]).await["arn"].clone();
        let second = put(&owner, &component(1), &policy(&["imagebuilder:GetComponent"])).await;
        assert_ne!(second, first);
        assert_eq!(share(&owner, "SELF", &first[0]).await["status"], "DELETED");
        let gone = json!({"permissionArn": old, "name": "Late"});
        assert_eq!(owner.refused(PROMOTE_PERMISSION, &gone).await, "UnknownResource");
        assert_eq!(document(&owner, &component(1)).await.statements.len(), 1);

        let removed = owner.resource_policy(Method::DELETE, &get).await;
        assert_eq!((removed.status, removed.json), (200, json!({"returnValue": true})));
        assert_eq!(share(&owner, "SELF", &second[0]).await["status"], "DELETED");
        let policies = json!({"resourceArns": [component(1)]});
        assert_eq!(owner.refused("GetResourcePolicies", &policies).await, "ResourceArnNotFound");
        assert_eq!(refused(&owner, Method::GET, &get).await, "ResourceArnNotFound");
        server.advance(Duration::from_hours(3));
        server.sweep().await;
        for table in ["resource_policy", "permission", "permission_version"] {
            assert_eq!(server.count(table), 0, "{table}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_promoted_permission_is_another_one() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let shares = put(&owner, &component(1), &policy(&["imagebuilder:GetComponent"])).await;
        let made = permission_of(&owner, &shares[0]).await;
        let promoted = promote(&owner, &made, "Promoted").await;
        for (member, value) in [
            ("arn", json!(format!("arn:aws:ram:eu-west-1:{OWNER}:permission/Promoted"))),
            ("featureSet", json!("STANDARD")),
            ("version", json!("1")),
            ("status", json!("ATTACHABLE")),
            ("permissionType", json!("CUSTOMER_MANAGED")),
            ("resourceType", json!("imagebuilder:Component")),
        ] {
            assert_eq!(promoted[member], value, "{member}");
        }
        assert_eq!(permission_of(&owner, &shares[0]).await["arn"], made["arn"], "the share keeps its own");
        let managed = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionImageBuilderComponent";
        let own = &promoted["arn"];
        let absent = format!("arn:aws:ram:eu-west-1:{OWNER}:permission/Absent");
        for (arn, name, code) in [
            (&made["arn"], json!("Promoted"), "InvalidParameter"),
            (&made["arn"], json!("not a name"), "InvalidParameter"),
            (&made["arn"], Value::Null, "MissingRequiredParameter"),
            (&Value::Null, json!("New"), "MissingRequiredParameter"),
            (&json!("nonsense"), json!("New"), "MalformedArn"),
            (&json!(absent), json!("New"), "UnknownResource"),
            (&json!(managed), json!("New"), "InvalidParameter"),
            (own, json!("New"), "InvalidParameter"),
        ] {
            let input = json!({"permissionArn": arn, "name": name});
            assert_eq!(owner.refused(PROMOTE_PERMISSION, &input).await, code, "{input}");
        }
        let stranger = server.account(STRANGER);
        let input = json!({"permissionArn": made["arn"], "name": "Mine"});
        assert_eq!(stranger.refused(PROMOTE_PERMISSION, &input).await, "UnknownResource");
        // What no permission may say, or the type does not have, stays RAM's.
        let conditions = json!({"StringNotEquals": {"aws:PrincipalTag/x": "y"}});
        let negated = statement(&json!({"Effect": "Allow", "Principal": {"AWS": CONSUMER},
            "Action": "imagebuilder:GetComponent", "Condition": conditions}));
        for (resource, policy) in [(component(2), negated), (component(3), policy(&["kms:Decrypt"]))] {
            let shares = put(&owner, &resource, &policy).await;
            let input =
                json!({"permissionArn": permission_of(&owner, &shares[0]).await["arn"], "name": "Other"});
            assert_eq!(owner.refused(PROMOTE_PERMISSION, &input).await, "InvalidPolicy", "{policy}");
        }
        // Nor does a type that has no permissions of accounts' own.
        let shares = put(&owner, &gateway(1), &policy(&["ec2:DescribeTransitGateways"])).await;
        let input =
            json!({"permissionArn": permission_of(&owner, &shares[0]).await["arn"], "name": "Gateway"});
        assert_eq!(owner.refused(PROMOTE_PERMISSION, &input).await, "InvalidParameter");
    })
    .await;
}

#[tokio::test]
async fn the_quota_of_permissions_holds_for_promoted_ones() {
    let quotas = Quotas { customer_permissions: 1, ..Quotas::default() };
    for_each_store_with(Settings { quotas, ..settings() }, async |server| {
        let owner = server.account(OWNER);
        let shares = put(&owner, &component(1), &policy(&["imagebuilder:GetComponent"])).await;
        let made = permission_of(&owner, &shares[0]).await;
        promote(&owner, &made, "One").await;
        let input = json!({"permissionArn": made["arn"], "name": "Two"});
        assert_eq!(owner.refused(PROMOTE_PERMISSION, &input).await, "OperationNotPermitted");
    })
    .await;
}

#[tokio::test]
async fn a_promoted_share_is_a_standard_one_that_its_principals_see() {
    for_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let policy = policy(&["imagebuilder:GetComponent", "imagebuilder:GetComponentPolicy"]);
        let shares = put(&owner, &component(1), &policy).await;
        let named = json!({"resourceShareArn": shares[0]});
        assert_eq!(owner.refused(PROMOTE_SHARE, &named).await, "UnmatchedPolicyPermission");
        assert_eq!(share(&owner, "SELF", &shares[0]).await["featureSet"], "CREATED_FROM_POLICY");
        let made = permission_of(&owner, &shares[0]).await;
        let before = document(&owner, &component(1)).await;
        // By what it grants, not by its text.
        let template =
            r#"{"Action": ["imagebuilder:getcomponentpolicy", "imagebuilder:GetComponent"], "Effect": "Allow"}"#;
        let input =
            json!({"name": "Same", "resourceType": "imagebuilder:Component", "policyTemplate": template});
        let same = owner.ok("CreatePermission", &input).await["permission"]["arn"].clone();
        assert_eq!(owner.ok(PROMOTE_SHARE, &named).await, json!({"returnValue": true}));

        let seen = share(&owner, "SELF", &shares[0]).await;
        assert_eq!(seen["featureSet"], "STANDARD");
        assert_eq!(permission_of(&owner, &shares[0]).await["arn"], same);
        let gone = owner.ok("ListPermissions", &json!({"permissionStatus": "DELETED"})).await;
        assert_eq!(only(&gone["permissions"])["arn"], made["arn"], "no share has it any more");
        assert_eq!(share_arns(&consumer, "OTHER-ACCOUNTS").await, shares);
        let invitations = consumer.ok("GetResourceShareInvitations", &json!({})).await;
        assert_eq!(invitations, json!({"resourceShareInvitations": []}));
        assert!(same_grants(&document(&owner, &component(1)).await, &before));
        // It is the owner's now, and no longer the policy's.
        owner.ok("UpdateResourceShare", &json!({"resourceShareArn": shares[0], "name": "mine"})).await;
        assert_eq!(owner.refused(PROMOTE_SHARE, &named).await, "InvalidParameter");
        let removed = owner.resource_policy(Method::DELETE, &json!({"resourceArn": component(1)})).await;
        assert_eq!(removed.status, 200);
        assert_eq!(share(&owner, "SELF", &shares[0]).await["status"], "ACTIVE");
        owner.ok("DeleteResourceShare", &named).await;
        assert_eq!(owner.refused(PROMOTE_SHARE, &named).await, "InvalidStateTransition");
    })
    .await;
}

#[tokio::test]
async fn a_policy_is_made_anew_where_its_promoted_share_no_longer_says_it() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let statement = |principal: &str, action: &str| {
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action})
        };
        let policy = json!({"Version": "2012-10-17", "Statement": [
            statement(CONSUMER, "imagebuilder:ListComponents"), statement(STRANGER, "imagebuilder:GetComponent")]});
        let policy = policy.to_string();
        let mut shares = put(&owner, &component(1), &policy).await;
        let before = document(&owner, &component(1)).await;
        promote(&owner, &permission_of(&owner, &shares[1]).await, "Promoted").await;
        for (operation, more) in [
            ("DeleteResourceShare", json!({})),
            ("DisassociateResourceShare", json!({"principals": [STRANGER]})),
            ("DisassociateResourceShare", json!({"resourceArns": [component(1)]})),
        ] {
            let mut input = json!({"resourceShareArn": shares[1]});
            owner.ok(PROMOTE_SHARE, &input).await;
            // Promoted, it still says what the policy does, also of one resource of several.
            let another = json!({"resourceShareArn": shares[1], "resourceArns": [component(2)]});
            owner.ok("AssociateResourceShare", &another).await;
            assert_eq!(put(&owner, &component(1), &policy).await, shares, "{operation}");
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            owner.ok(operation, &input).await;
            assert_eq!(document(&owner, &component(1)).await.statements.len(), 1);
            let anew = put(&owner, &component(1), &policy).await;
            assert!(anew.iter().all(|share| !shares.contains(share)), "{operation}");
            assert!(same_grants(&document(&owner, &component(1)).await, &before), "{operation}");
            assert_eq!(put(&owner, &component(1), &policy).await, anew, "{operation}");
            shares = anew;
        }
    })
    .await;
}

#[tokio::test]
async fn a_permission_of_aws_matches_too() {
    for_each_store(async |server| {
        let (owner, consumer) = (server.account(OWNER), server.account(CONSUMER));
        let managed = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway";
        let shown = owner.ok("GetPermission", &json!({"permissionArn": managed})).await;
        let template: Value = serde_json::from_str(&text(&shown["permission"]["permission"])).unwrap();
        let mut allowed = template.clone();
        allowed["Principal"] = json!({"AWS": [CONSUMER]});
        let shares = put(&owner, &gateway(1), &statement(&allowed)).await;
        owner.ok(PROMOTE_SHARE, &json!({"resourceShareArn": shares[0]})).await;
        assert_eq!(permission_of(&owner, &shares[0]).await["arn"], managed);
        assert_eq!(share_arns(&consumer, "OTHER-ACCOUNTS").await, shares);
        // The share of a role is its account's to see.
        let mut allowed = template;
        allowed["Principal"] = json!({"AWS": format!("arn:aws:iam::{CONSUMER}:role/r")});
        allowed["Action"] = json!(["imagebuilder:GetComponent"]);
        let shares = put(&owner, &component(1), &statement(&allowed)).await;
        let made = permission_of(&owner, &shares[0]).await;
        promote(&owner, &made, "Component").await;
        owner.ok(PROMOTE_SHARE, &json!({"resourceShareArn": shares[0]})).await;
        assert_eq!(share_arns(&consumer, "OTHER-ACCOUNTS").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_permission_of_several_statements_matches_however_a_policy_says_it() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let project = format!("arn:aws:codebuild:eu-west-1:{OWNER}:project/demo");
        for (resource, name, split) in [
            (authority(), "AWSRAMDefaultPermissionCertificateAuthority", false),
            (project, "AWSRAMDefaultPermissionCodeBuildProject", true),
        ] {
            let managed = format!("arn:aws:ram::aws:permission/{name}");
            let shown = owner.ok("GetPermission", &json!({"permissionArn": managed})).await;
            let said: Value = serde_json::from_str(&text(&shown["permission"]["permission"])).unwrap();
            let mut statements = said.as_array().cloned().unwrap_or_else(|| vec![said.clone()]);
            if split {
                let actions = statements[0]["Action"].as_array().unwrap().clone();
                statements = actions.iter().map(|action| json!({"Effect": "Allow", "Action": action})).collect();
            }
            assert!(statements.len() > 1);
            for statement in &mut statements {
                statement["Principal"] = json!({"AWS": CONSUMER});
            }
            let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
            let shares = put(&owner, &resource, &policy).await;
            let before = document(&owner, &resource).await;
            let arn = permission_of(&owner, only(&json!(shares)).as_str().unwrap()).await["arn"].clone();
            let made = owner.ok("GetPermission", &json!({"permissionArn": arn})).await;
            let made: Value = serde_json::from_str(&text(&made["permission"]["permission"])).unwrap();
            assert_eq!(made.is_array(), !split, "{made}");
            if made.is_array() {
                // A permission of an account's own is one statement: only AWS's own says several.
                let input = json!({"permissionArn": arn, "name": "Several"});
                assert_eq!(owner.refused(PROMOTE_PERMISSION, &input).await, "InvalidPolicy");
            }
            owner.ok(PROMOTE_SHARE, &json!({"resourceShareArn": shares[0]})).await;
            assert_eq!(permission_of(&owner, &shares[0]).await["arn"], managed);
            assert!(same_grants(&document(&owner, &resource).await, &before), "{name}");
            assert_eq!(put(&owner, &resource, &policy).await, shares);
        }
        // Statements that no permission says together are grants of their own.
        let both = |principal: &str, action: &str, condition: Value| {
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Condition": condition})
        };
        let policy = json!({"Version": "2012-10-17", "Statement": [
            both(CONSUMER, "imagebuilder:GetComponent", json!({})),
            both(CONSUMER, "imagebuilder:ListComponents", json!({"StringEquals": {"aws:PrincipalTag/x": "y"}}))]});
        assert_eq!(put(&owner, &component(1), &policy.to_string()).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn only_what_was_made_of_a_policy_is_promoted() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let standard = create(&owner, &json!({"name": "n", "resourceArns": [component(1)]})).await;
        let shares = put(&owner, &component(1), &policy(&["imagebuilder:GetComponent"])).await;
        for (client, input, code) in [
            (&owner, json!({"resourceShareArn": standard}), "InvalidParameter"),
            (&owner, json!({}), "MissingRequiredParameter"),
            (&owner, json!({"resourceShareArn": "nonsense"}), "MalformedArn"),
            (&owner, json!({"resourceShareArn": crate::sharing::unknown(&shares[0])}), "UnknownResource"),
            (&server.account(CONSUMER), json!({"resourceShareArn": shares[0]}), "UnknownResource"),
            (&owner.in_region("us-east-1"), json!({"resourceShareArn": shares[0]}), "UnknownResource"),
        ] {
            assert_eq!(client.refused(PROMOTE_SHARE, &input).await, code, "{input}");
        }
    })
    .await;
}

#[tokio::test]
async fn promotion_takes_as_long_as_other_things() {
    let slow = Settings { timing: Timing { settle_delay_ms: 600_000, ..Timing::default() }, ..settings() };
    for_each_store_with(slow, async |server| {
        let owner = server.account(OWNER);
        let shares = put(&owner, &component(1), &policy(&["imagebuilder:GetComponent"])).await;
        server.advance(Duration::from_secs(601));
        let made = permission_of(&owner, &shares[0]).await;
        promote(&owner, &made, "Promoted").await;
        let named = json!({"resourceShareArn": shares[0]});
        owner.ok(PROMOTE_SHARE, &named).await;
        assert_eq!(share(&owner, "SELF", &shares[0]).await["featureSet"], "PROMOTING_TO_STANDARD");
        assert_eq!(owner.refused(PROMOTE_SHARE, &named).await, "InvalidStateTransition");
        assert_eq!(document(&owner, &component(1)).await.statements.len(), 1, "access is never lost");
        server.advance(Duration::from_secs(601));
        assert_eq!(share(&owner, "SELF", &shares[0]).await["featureSet"], "STANDARD");
    })
    .await;
}

#[tokio::test]
async fn what_no_share_could_say_is_refused_and_changes_nothing() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let first = put(&owner, &component(1), &policy(&["imagebuilder:GetComponent"])).await;
        let principal = json!({"AWS": CONSUMER});
        let with = |more: Value| {
            let mut made = json!({"Effect": "Allow", "Principal": principal, "Action": "imagebuilder:Get*"});
            for (name, value) in more.as_object().unwrap() {
                made[name] = value.clone();
            }
            made.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            statement(&made)
        };
        let service = json!({"Service": "acm.amazonaws.com"});
        let sources = json!({"StringEquals": {"aws:SourceAccount": OWNER, "aws:SourceOrgID": "o-abcdefghij"}});
        let many: Vec<_> = (0..501).map(|n| format!("{:012}", 400_000_000_000_u64 + n)).collect();
        let grants: Vec<_> = (0..21)
            .map(|n| {
                let condition = json!({"StringEquals": {"aws:PrincipalTag/n": n.to_string()}});
                json!({"Effect": "Allow", "Principal": principal, "Action": "a:B", "Condition": condition})
            })
            .collect();
        for (policy, code) in [
            ("nonsense".to_owned(), "InvalidPolicy"),
            (json!({"Version": "2012-10-17", "Statement": []}).to_string(), "InvalidPolicy"),
            (with(json!({"Effect": "Deny"})), "InvalidPolicy"),
            (with(json!({"Action": null, "NotAction": "imagebuilder:Get*"})), "InvalidPolicy"),
            (with(json!({"Resource": component(2)})), "InvalidPolicy"),
            (with(json!({"Principal": "*"})), "InvalidPolicy"),
            (with(json!({"Principal": {"AWS": "*"}})), "InvalidPolicy"),
            (with(json!({"Principal": null, "NotPrincipal": principal})), "InvalidPolicy"),
            (with(json!({"Principal": {"Federated": "cognito-identity.amazonaws.com"}})), "InvalidPolicy"),
            (
                with(json!({"Principal": {"AWS": format!("arn:aws:sts::{CONSUMER}:assumed-role/r/s")}})),
                "InvalidPolicy",
            ),
            (with(json!({"Principal": service})), "InvalidPolicy"),
            (with(json!({"Principal": service, "Condition": sources})), "InvalidPolicy"),
            // A type that is not for service principals.
            (
                with(json!({"Principal": service, "Condition": {"StringEquals": {"aws:SourceAccount": OWNER}}})),
                "InvalidParameter",
            ),
            (with(json!({"Principal": {"AWS": many}})), "ResourceShareLimitExceeded"),
            (json!({"Version": "2012-10-17", "Statement": grants}).to_string(), "ResourceShareLimitExceeded"),
            (with(json!({"Sid": "x".repeat(20 << 10)})), "InvalidPolicy"),
        ] {
            let input = json!({"resourceArn": component(1), "policy": policy});
            assert_eq!(refused(&owner, Method::PUT, &input).await, code, "{policy:.200}");
        }
        let role = with(json!({"Principal": {"AWS": ROLE}}));
        for (input, code) in [
            (json!({"policy": role}), "MissingRequiredParameter"),
            (json!({"resourceArn": component(1)}), "MissingRequiredParameter"),
            (json!({"resourceArn": "nonsense", "policy": role}), "MalformedArn"),
            (json!({"resourceArn": component(1).replace(OWNER, STRANGER), "policy": role}), "InvalidParameter"),
            (json!({"resourceArn": component(1).replace("eu-west", "us-west"), "policy": role}), "InvalidParameter"),
            (json!({"resourceArn": gateway(1), "policy": role}), "InvalidParameter"),
        ] {
            assert_eq!(refused(&owner, Method::PUT, &input).await, code, "{input}");
        }
        for (method, input, code) in [
            (Method::GET, json!({}), "MissingRequiredParameter"),
            (Method::GET, json!({"resourceArn": "nonsense"}), "MalformedArn"),
            (Method::DELETE, json!({}), "MissingRequiredParameter"),
        ] {
            assert_eq!(refused(&owner, method, &input).await, code, "{input}");
        }
        assert_eq!(share_arns(&owner, "SELF").await, first);
        assert_eq!(document(&owner, &component(1)).await.statements.len(), 1);
        let posted = owner.resource_policy(Method::POST, &json!({})).await;
        assert_eq!((posted.status, posted.error_code.as_str()), (403, "MissingAuthenticationTokenException"));
    })
    .await;
}

#[tokio::test]
async fn shares_of_policies_count_as_shares() {
    let quotas = Quotas { resource_shares: 2, principals_per_share: 2, ..Quotas::default() };
    for_each_store_with(Settings { quotas, ..settings() }, async |server| {
        let owner = server.account(OWNER);
        create(&owner, &json!({"name": "n"})).await;
        put(&owner, &component(1), &policy(&["imagebuilder:GetComponent"])).await;
        // In the place of the first there is room for another.
        put(&owner, &component(1), &policy(&["imagebuilder:ListComponents"])).await;
        let more = json!({"resourceArn": component(2), "policy": policy(&["imagebuilder:GetComponent"])});
        assert_eq!(refused(&owner, Method::PUT, &more).await, "ResourceShareLimitExceeded");
        let principal = json!({"AWS": [CONSUMER, STRANGER, "444444444444"]});
        let three = json!({"Effect": "Allow", "Principal": principal, "Action": "imagebuilder:GetComponent"});
        let three = json!({"resourceArn": component(1), "policy": statement(&three)});
        assert_eq!(refused(&owner, Method::PUT, &three).await, "ResourceShareLimitExceeded");
        owner.resource_policy(Method::DELETE, &json!({"resourceArn": component(1)})).await;
        let rows = server.sql("SELECT resource_shares, resources, principals FROM owner_usage");
        assert_eq!(rows, ["1|0|0"]);
    })
    .await;
}

#[tokio::test]
async fn a_receiver_of_a_standard_share_still_sees_that_one_alone() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[component(1)]).await;
        put(&offer.owner, &component(1), &policy(&["imagebuilder:GetComponent"])).await;
        assert_eq!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await, std::slice::from_ref(&offer.share));
        assert_eq!(document(&offer.owner, &component(1)).await.statements.len(), 2);
        assert_eq!(share_arns(&offer.owner, "SELF").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn in_strict_mode_the_owner_signs_and_its_users_need_a_policy() {
    let strict = Settings::new(AuthMode::Strict, OWNER.parse().unwrap());
    for_each_store_with(strict, async |server: TestServer| {
        let input = json!({"resourceArn": component(1), "policy": policy(&["imagebuilder:GetComponent"])});
        let unknown = server.account(OWNER).resource_policy(Method::PUT, &input).await;
        assert_eq!((unknown.status, unknown.error_code.as_str()), (403, "UnrecognizedClientException"));
        let root = server.client(server.create_key(OWNER, "").await);
        assert_eq!(put(&root, &component(1), input["policy"].as_str().unwrap()).await.len(), 1);
        let user = server.client(server.create_key(OWNER, "alice").await);
        let get = json!({"resourceArn": component(1)});
        for (method, input) in [(Method::PUT, &input), (Method::GET, &get), (Method::DELETE, &get)] {
            let denied = user.resource_policy(method, input).await;
            assert_eq!((denied.status, denied.error_code.as_str()), (403, "AccessDeniedException"));
            assert!(denied.text.contains("rampart:"), "{}", denied.text);
        }
        let may_read = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "rampart:Get*", "Resource": component(1)}]});
        let document = may_read.to_string();
        let inline = [("UserName", "alice"), ("PolicyName", "read"), ("PolicyDocument", &*document)];
        root.iam_ok("PutUserPolicy", &inline).await;
        assert_eq!(user.resource_policy(Method::GET, &get).await.status, 200);
        assert_eq!(user.resource_policy(Method::DELETE, &get).await.status, 403);
        let elsewhere = json!({"resourceArn": component(2)});
        assert_eq!(user.resource_policy(Method::GET, &elsewhere).await.status, 403);
        let other = server.client(server.create_key(CONSUMER, "").await);
        assert_eq!(refused(&other, Method::PUT, &input).await, "InvalidParameter");
    })
    .await;
}
