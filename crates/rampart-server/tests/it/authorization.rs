//! What policies allow in strict mode: actions, resources, and all of RAM's condition keys (reference §12).

use rampart_testkit::server::for_each_store_with;
use rampart_testkit::{Client, Reply, TestServer};
use serde_json::{Value, json};

use crate::organizations;
use crate::sharing::{CONSUMER, OWNER, create};
use crate::sts::{assume, create_role, put_policy, session, strict, trust};

const GATEWAY: &str = "arn:aws:ec2:eu-west-1:111111111111:transit-gateway/tgw-0123456789abcdef0";
const USER: (&str, &str) = ("UserName", "alice");

#[track_caller]
fn assert_denied(reply: &Reply) -> String {
    assert_eq!((reply.status, reply.error_code.as_str()), (403, "AccessDeniedException"), "{}", reply.text);
    reply.assert_error_envelope();
    reply.json["message"].as_str().unwrap().to_owned()
}

/// The owner's root, and a user of the owner who may do nothing yet.
async fn root_and_alice(server: &TestServer) -> (Client, Client) {
    let root = server.client(server.create_key(OWNER, "").await);
    (root, server.client(server.create_key(OWNER, "alice").await))
}

fn allow(actions: &str, condition: &str) -> String {
    let condition =
        if condition.is_empty() { String::new() } else { format!(r#","Condition":{{{condition}}}"#) };
    format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"*"{condition}}}"#)
}

#[tokio::test]
async fn a_denial_names_the_caller_the_action_the_resource_and_the_reason() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let user = format!("User: arn:aws:iam::{OWNER}:user/alice is not authorized to perform: ");
        let share = create(&root, &json!({"name": "n"})).await;
        let make = json!({"name": "m"});
        let denied = assert_denied(&alice.call("CreateResourceShare", &make).await);
        let on =
            format!("ram:CreateResourceShare on resource: arn:aws:ram:eu-west-1:{OWNER}:resource-share/* ");
        assert_eq!(
            denied,
            format!("{user}{on}because no identity-based policy allows the ram:CreateResourceShare action")
        );
        let denied =
            assert_denied(&alice.call("DeleteResourceShare", &json!({"resourceShareArn": share})).await);
        let on = format!("ram:DeleteResourceShare on resource: {share} ");
        assert_eq!(
            denied,
            format!("{user}{on}because no identity-based policy allows the ram:DeleteResourceShare action")
        );
        let denied = alice.iam("CreateUser", &[("UserName", "bob"), ("Path", "/x/")]).await;
        assert_eq!(denied.xml_error(), (403, "AccessDenied".to_owned()));
        let on = format!("iam:CreateUser on resource: arn:aws:iam::{OWNER}:user/x/bob because");
        assert!(denied.element("Message").starts_with(&format!("{user}{on}")), "{}", denied.text);

        let denial = r#"{"Effect":"Deny","Action":"ram:Create*","Resource":"*"}"#;
        put_policy(&root, USER, &format!("{},{denial}", allow("\"ram:*\"", ""))).await;
        let denied = assert_denied(&alice.call("CreateResourceShare", &make).await);
        assert!(
            denied.ends_with("resource-share/* with an explicit deny in an identity-based policy"),
            "{denied}"
        );
        alice.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        assert_eq!(server.count("resource_share"), 1);

        // A session is named as one.
        create_role(&root, "r", &trust(&format!("arn:aws:iam::{OWNER}:user/alice"), "")).await;
        let role = session(&server, &assume(&alice, OWNER, "r", &[]).await);
        let denied = assert_denied(&role.call("ListPermissions", &json!({})).await);
        assert!(
            denied.starts_with(&format!("User: arn:aws:sts::{OWNER}:assumed-role/r/work is not")),
            "{denied}"
        );
        assert!(denied.contains("ram:ListPermissions on resource: * because no identity-based"), "{denied}");
    })
    .await;
}

#[tokio::test]
async fn permission_comes_before_existence() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let absent =
            format!("arn:aws:ram:eu-west-1:{OWNER}:resource-share/00000000-0000-0000-0000-000000000000");
        let input = json!({"resourceShareArn": absent});
        assert_denied(&alice.call("DeleteResourceShare", &input).await);
        assert_eq!(root.refused("DeleteResourceShare", &input).await, "UnknownResource");
        assert_eq!(alice.iam("GetUser", &[("UserName", "nobody")]).await.xml_error().0, 403);
        // What is not built is not told of either.
        assert_denied(&alice.call("PromoteResourceShareCreatedFromPolicy", &input).await);
    })
    .await;
}

#[tokio::test]
async fn a_policy_counts_at_once() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let list = async || alice.call("ListPermissions", &json!({})).await;
        for _ in 0..3 {
            assert_denied(&list().await);
            put_policy(&root, USER, &allow("\"ram:List*\"", "")).await;
            assert_eq!(list().await.status, 200);
            root.iam_ok("DeleteUserPolicy", &[USER, ("PolicyName", "p")]).await;
        }
        let read = ("PolicyArn", "arn:aws:iam::aws:policy/AWSResourceAccessManagerReadOnlyAccess");
        root.iam_ok("AttachUserPolicy", &[USER, read]).await;
        assert_eq!(list().await.status, 200);
        assert_denied(&alice.call("CreateResourceShare", &json!({"name": "n"})).await);
        root.iam_ok("DetachUserPolicy", &[USER, read]).await;
        assert_denied(&list().await);
    })
    .await;
}

#[tokio::test]
async fn resources_bound_what_is_allowed() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let (one, other) = (create(&root, &json!({"name": "a"})).await, create(&root, &json!({"name": "b"})).await);
        let statement = format!(r#"{{"Effect":"Allow","Action":["ram:UpdateResourceShare","iam:*"],"Resource":["{one}","arn:aws:iam::{OWNER}:user/staff/*"]}}"#);
        put_policy(&root, USER, &statement).await;
        let rename = |share: &str| json!({"resourceShareArn": share, "name": "c"});
        alice.ok("UpdateResourceShare", &rename(&one)).await;
        assert_denied(&alice.call("UpdateResourceShare", &rename(&other)).await);
        assert_denied(&alice.call("UpdateResourceShare", &json!({"name": "c"})).await);
        // A user is known by the path that it has, not by one that the call names.
        alice.iam_ok("CreateUser", &[("UserName", "bob"), ("Path", "/staff/")]).await;
        alice.iam_ok("GetUser", &[("UserName", "bob")]).await;
        assert_eq!(alice.iam("CreateUser", &[("UserName", "eve")]).await.status, 403);
        assert_eq!(alice.iam("PutUserPolicy", &[USER, ("PolicyName", "p"), ("PolicyDocument", "{}")]).await.status, 403);
        assert_eq!(alice.iam("ListUsers", &[]).await.status, 403);
        alice.iam_ok("ListUsers", &[("PathPrefix", "/staff/")]).await;
    })
    .await;
}

/// Calls as a user with that one statement.
async fn attempt(root: &Client, alice: &Client, statement: &str, operation: &str, input: &Value) -> bool {
    put_policy(root, USER, statement).await;
    let reply = alice.call(operation, input).await;
    if reply.status == 200 {
        return true;
    }
    assert_denied(&reply);
    false
}

#[tokio::test]
async fn every_principal_and_every_resource_is_asked_for() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let (ram, create) = ("[\"ram:CreateResourceShare\",\"ram:AssociateResourceShare\"]", "CreateResourceShare");
        let with = |principals: &[&str], resources: &[&str]| json!({"name": "n", "principals": principals, "resourceArns": resources});
        let principal = format!(r#""StringEquals":{{"ram:Principal":"{CONSUMER}"}}"#);
        let if_exists = principal.replace("StringEquals", "StringEqualsIfExists");
        let typed = r#""StringEqualsIfExists":{"ram:RequestedResourceType":"ec2:TransitGateway"}"#;
        let arn = format!(r#""ArnLikeIfExists":{{"ram:ResourceArn":"{GATEWAY}"}}"#);
        let other = "arn:aws:route53resolver:eu-west-1:111111111111:resolver-rule/rslvr-rr-0123456789abcdef0";
        for (condition, input, is_allowed) in [
            // Without the key in the ask about the share itself, a plain comparison fails (§12.3).
            (principal.as_str(), with(&[CONSUMER], &[]), false),
            (&if_exists, with(&[CONSUMER], &[]), true),
            (&if_exists, with(&[CONSUMER, "333333333333"], &[]), false),
            (&if_exists, with(&[], &[GATEWAY]), true),
            (typed, with(&[CONSUMER], &[GATEWAY]), true),
            (typed, with(&[CONSUMER], &[GATEWAY, other]), false),
            (&arn, with(&[CONSUMER], &[GATEWAY]), true),
            (&arn, with(&[CONSUMER], &[other]), false),
        ] {
            let allowed = attempt(&root, &alice, &allow(ram, condition), create, &input).await;
            assert_eq!(allowed, is_allowed, "{condition} {input}");
        }
        // A denial that names what may not be shared catches it among others, and nothing else.
        let denial = r#"{"Effect":"Deny","Action":"ram:*","Resource":"*","Condition":{"StringNotEquals":{"ram:RequestedResourceType":"route53resolver:ResolverRule"},"Null":{"ram:RequestedResourceType":"false"}}}"#;
        let statement = format!("{},{denial}", allow(ram, ""));
        assert!(attempt(&root, &alice, &statement, create, &with(&[CONSUMER], &[other])).await);
        assert!(!attempt(&root, &alice, &statement, create, &with(&[CONSUMER], &[other, GATEWAY])).await);
        let shares = server.count("resource_share");
        assert_eq!(shares, 5, "a denied call made a share");
    })
    .await;
}

#[tokio::test]
async fn making_a_share_needs_what_it_does_besides() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let only = allow("\"ram:CreateResourceShare\"", "");
        let create = "CreateResourceShare";
        let tagged = json!({"name": "n", "tags": [{"key": "team", "value": "net"}]});
        assert!(attempt(&root, &alice, &only, create, &json!({"name": "n"})).await);
        assert!(attempt(&root, &alice, &only, create, &json!({"name": "n", "principals": [], "tags": []})).await);
        assert!(!attempt(&root, &alice, &only, create, &json!({"name": "n", "principals": [CONSUMER]})).await);
        assert!(!attempt(&root, &alice, &only, create, &json!({"name": "n", "resourceArns": [GATEWAY]})).await);
        assert!(!attempt(&root, &alice, &only, create, &tagged).await);
        let tags = allow("[\"ram:CreateResourceShare\",\"ram:TagResource\"]", "");
        assert!(attempt(&root, &alice, &tags, create, &tagged).await);
        let template = r#"{"Effect":"Allow","Action":["codebuild:BatchGetProjects"]}"#;
        let make = json!({"name": "p", "resourceType": "codebuild:Project", "policyTemplate": template, "tags": [{"key": "a", "value": "b"}]});
        let only = allow("\"ram:CreatePermission\"", "");
        assert!(!attempt(&root, &alice, &only, "CreatePermission", &make).await);
        let tags = allow("[\"ram:CreatePermission\",\"ram:TagResource\"]", "");
        assert!(attempt(&root, &alice, &tags, "CreatePermission", &make).await);
        // A denial of a type holds however the call spells it.
        let denial = r#"{"Effect":"Deny","Action":"ram:CreatePermission","Resource":"*","Condition":{"StringEquals":{"ram:PermissionResourceType":"codebuild:Project"}}}"#;
        let spelled = json!({"name": "q", "resourceType": "CodeBuild:PROJECT", "policyTemplate": template});
        let statement = format!("{},{denial}", allow("\"ram:*\"", ""));
        assert!(!attempt(&root, &alice, &statement, "CreatePermission", &spelled).await);
        // What a permission of one's own is.
        let arn = format!("arn:aws:ram:eu-west-1:{OWNER}:permission/p");
        let input = json!({"permissionArn": arn});
        for (condition, is_allowed) in [
            (r#""StringEquals":{"ram:PermissionResourceType":"codebuild:Project"}"#, true),
            (r#""StringEquals":{"ram:PermissionResourceType":"ec2:Subnet"}"#, false),
            (r#""StringEquals":{"aws:ResourceTag/a":"b"}"#, true),
            (r#""StringEquals":{"aws:ResourceTag/a":"c"}"#, false),
            (r#""ArnLike":{"ram:PermissionArn":"arn:aws:ram:*:*:permission/p"}"#, true),
        ] {
            let statement = allow("\"ram:*\"", condition);
            let allowed = attempt(&root, &alice, &statement, "GetPermission", &input).await;
            assert_eq!(allowed, is_allowed, "{condition}");
        }
    })
    .await;
}

#[tokio::test]
async fn conditions_on_the_share_and_on_the_request() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let share = create(&root, &json!({"name": "net", "tags": [{"key": "team", "value": "net"}]})).await;
        let named = |more: Value| {
            let mut input = json!({"resourceShareArn": share});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let tag = named(json!({"tags": [{"key": "k", "value": "v"}]}));
        for (operation, input, condition, is_allowed) in [
            ("TagResource", tag.clone(), r#""StringEquals":{"aws:ResourceTag/team":"net"}"#, true),
            ("TagResource", tag.clone(), r#""StringEquals":{"ram:ResourceTag/team":"other"}"#, false),
            ("TagResource", tag.clone(), r#""StringEquals":{"aws:RequestTag/k":"v"}"#, true),
            ("TagResource", tag.clone(), r#""StringEquals":{"aws:RequestTag/k":"w"}"#, false),
            ("TagResource", tag.clone(), r#""ForAllValues:StringEquals":{"aws:TagKeys":["k","l"]}"#, true),
            ("TagResource", tag, r#""ForAllValues:StringEquals":{"aws:TagKeys":["l"]}"#, false),
            ("UntagResource", named(json!({"tagKeys": ["k"]})), r#""ForAnyValue:StringEquals":{"aws:TagKeys":"k"}"#, true),
            ("UpdateResourceShare", named(json!({"name": "net"})), r#""StringEquals":{"ram:ResourceShareName":"net"}"#, true),
            ("UpdateResourceShare", named(json!({"name": "x"})), r#""StringEquals":{"ram:ResourceShareName":"x"}"#, false),
            ("UpdateResourceShare", named(json!({"name": "net"})), r#""Bool":{"ram:AllowsExternalPrincipals":"true"}"#, true),
            ("UpdateResourceShare", named(json!({"name": "net"})), r#""Bool":{"ram:RequestedAllowsExternalPrincipals":"true"}"#, false),
            ("UpdateResourceShare", named(json!({"allowExternalPrincipals": true})), r#""Bool":{"ram:RequestedAllowsExternalPrincipals":"true"}"#, true),
            ("UpdateResourceShare", named(json!({"name": "net"})), r#""Bool":{"ram:RetainSharingOnAccountLeaveOrganization":"false"}"#, true),
            // What an operation has no use for is no key of it.
            ("UpdateResourceShare", named(json!({"name": "net", "tags": [{"key": "k", "value": "v"}]})), r#""StringEquals":{"aws:RequestTag/k":"v"}"#, false),
            ("CreateResourceShare", json!({"name": "n"}), r#""Bool":{"ram:RequestedAllowsExternalPrincipals":"true"}"#, true),
            ("CreateResourceShare", json!({"name": "n", "allowExternalPrincipals": false}), r#""Bool":{"ram:RequestedAllowsExternalPrincipals":"true"}"#, false),
            ("GetPermission", json!({"permissionArn": "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet"}), r#""ArnEquals":{"ram:PermissionArn":"arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet"}"#, true),
            ("GetPermission", json!({"permissionArn": "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet"}), r#""StringEquals":{"ram:PermissionResourceType":"ec2:Subnet"}"#, true),
            ("GetPermission", json!({"permissionArn": "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet"}), r#""StringEquals":{"ram:PermissionResourceType":"ec2:TransitGateway"}"#, false),
        ] {
            let allowed = attempt(&root, &alice, &allow("\"ram:*\"", condition), operation, &input).await;
            assert_eq!(allowed, is_allowed, "{operation} {input} {condition}");
        }
    })
    .await;
}

#[tokio::test]
async fn conditions_on_an_invitation() {
    for_each_store_with(strict(), async |server: TestServer| {
        let root = server.client(server.create_key(OWNER, "").await);
        let receiver = server.client(server.create_key(CONSUMER, "").await);
        let alice = server.client(server.create_key(CONSUMER, "alice").await);
        create(&root, &json!({"name": "net", "principals": [CONSUMER], "resourceArns": [GATEWAY]})).await;
        let invitations = receiver.ok("GetResourceShareInvitations", &json!({})).await;
        let arn = &invitations["resourceShareInvitations"][0]["resourceShareInvitationArn"];
        let input = json!({"resourceShareInvitationArn": arn});
        for (condition, is_allowed) in [
            (r#""StringEquals":{"ram:ShareOwnerAccountId":"333333333333"}"#, false),
            (r#""StringEquals":{"ram:ResourceShareName":"other"}"#, false),
            (
                r#""StringEquals":{"ram:ShareOwnerAccountId":"111111111111","ram:ResourceShareName":"net"}"#,
                true,
            ),
        ] {
            for operation in ["ListPendingInvitationResources", "AcceptResourceShareInvitation"] {
                let allowed =
                    attempt(&receiver, &alice, &allow("\"ram:*\"", condition), operation, &input).await;
                assert_eq!(allowed, is_allowed, "{operation} {condition}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn conditions_on_the_caller_and_the_call() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        root.iam_ok("TagUser", &[USER, ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "net")]).await;
        let id = root.iam_ok("GetUser", &[USER]).await.element("UserId");
        let by_id = format!(r#""StringEquals":{{"aws:userid":"{id}"}}"#);
        for (condition, is_allowed) in [
            (by_id.as_str(), true),
            (r#""StringEquals":{"aws:username":"alice"}"#, true),
            (r#""StringEquals":{"aws:username":"bob"}"#, false),
            (r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:user/*"}"#, true),
            (r#""StringEquals":{"aws:PrincipalAccount":"111111111111"}"#, true),
            (r#""StringEquals":{"aws:PrincipalType":"User"}"#, true),
            (r#""StringEquals":{"aws:PrincipalTag/team":"net"}"#, true),
            (r#""StringEquals":{"aws:PrincipalTag/team":"other"}"#, false),
            (r#""StringEquals":{"aws:RequestedRegion":"eu-west-1"}"#, true),
            (r#""StringEquals":{"aws:RequestedRegion":"us-east-1"}"#, false),
            (r#""IpAddress":{"aws:SourceIp":"127.0.0.0/8"}"#, true),
            (r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#, false),
            (r#""Bool":{"aws:SecureTransport":"true"}"#, false),
            (r#""DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}"#, true),
            (r#""DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}"#, false),
            (r#""NumericGreaterThan":{"aws:EpochTime":"1600000000"}"#, true),
            (r#""Null":{"aws:TokenIssueTime":"true"}"#, true),
            (r#""Null":{"aws:MultiFactorAuthPresent":"false"}"#, false),
        ] {
            let allowed = attempt(&root, &alice, &allow("\"ram:*\"", condition), "ListPermissions", &json!({})).await;
            assert_eq!(allowed, is_allowed, "{condition}");
        }
        // A variable in a resource, and a session's own keys.
        let own = format!(r#"{{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::{OWNER}:user/${{aws:username}}"}}"#);
        put_policy(&root, USER, &own).await;
        alice.iam_ok("ListAccessKeys", &[]).await;
        assert_eq!(alice.iam("ListAccessKeys", &[("UserName", "bob")]).await.status, 403);
        create_role(&root, "r", &trust(&format!("arn:aws:iam::{OWNER}:user/alice"), "")).await;
        let role = session(&server, &assume(&alice, OWNER, "r", &[]).await);
        let condition = r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/r"},"Null":{"aws:TokenIssueTime":"false","aws:username":"true"},"StringLike":{"aws:userid":"AROA*:work"}"#;
        put_policy(&root, ("RoleName", "r"), &allow("\"ram:*\"", condition)).await;
        role.ok("ListPermissions", &json!({})).await;
    })
    .await;
}

#[tokio::test]
async fn conditions_on_what_is_attached() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let read = "arn:aws:iam::aws:policy/AWSResourceAccessManagerReadOnlyAccess";
        let full = "arn:aws:iam::aws:policy/AWSResourceAccessManagerFullAccess";
        put_policy(&root, USER, &allow("\"iam:*\"", &format!(r#""ArnEquals":{{"iam:PolicyARN":"{read}"}}"#)))
            .await;
        alice.iam_ok("AttachUserPolicy", &[USER, ("PolicyArn", read)]).await;
        assert_eq!(alice.iam("AttachUserPolicy", &[USER, ("PolicyArn", full)]).await.status, 403);
        // The key is the attachment's alone.
        assert_eq!(alice.iam("GetUser", &[USER, ("PolicyArn", read)]).await.status, 403);
        put_policy(
            &root,
            USER,
            &allow("\"iam:*\"", r#""StringEquals":{"iam:AWSServiceName":"ec2.amazonaws.com"}"#),
        )
        .await;
        assert_eq!(
            alice.iam("CreateServiceLinkedRole", &[("AWSServiceName", "ram.amazonaws.com")]).await.status,
            403
        );
    })
    .await;
}

const SCP: &str = "SERVICE_CONTROL_POLICY";

/// An organization of the owner, with the consumer in it and service control policies in force; gives its root's id.
async fn organize(management: &Client, member: &Client) -> String {
    let (_, root) = organizations::create(management).await;
    let target = json!({"Target": {"Type": "ACCOUNT", "Id": CONSUMER}});
    let invited = organizations::ok(management, "InviteAccountToOrganization", &target).await;
    let handshake = json!({"HandshakeId": invited["Handshake"]["Id"]});
    organizations::ok(member, "AcceptHandshake", &handshake).await;
    organizations::ok(management, "EnablePolicyType", &json!({"RootId": root, "PolicyType": SCP})).await;
    root
}

/// Attaches a new service control policy of that one statement; gives its id.
async fn control(management: &Client, target: &str, statement: &str) -> String {
    let content = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let name = format!("on {target} {}", statement.len());
    let input = json!({"Name": name, "Description": "", "Content": content, "Type": SCP});
    let made = organizations::ok(management, "CreatePolicy", &input).await;
    let id = made["Policy"]["PolicySummary"]["Id"].as_str().unwrap().to_owned();
    organizations::ok(management, "AttachPolicy", &json!({"PolicyId": id, "TargetId": target})).await;
    id
}

#[tokio::test]
async fn service_control_policies_bound_all_of_a_member() {
    for_each_store_with(strict(), async |server: TestServer| {
        let management = server.client(server.create_key(OWNER, "").await);
        let member = server.client(server.create_key(CONSUMER, "").await);
        let alice = server.client(server.create_key(CONSUMER, "alice").await);
        put_policy(&member, USER, &allow("\"*\"", "")).await;
        let root = organize(&management, &member).await;
        let make = json!({"name": "n"});
        for caller in [&management, &member, &alice] {
            caller.ok("CreateResourceShare", &make).await;
        }
        let denial = r#"{"Effect":"Deny","Action":"ram:CreateResourceShare","Resource":"*"}"#;
        let policy = control(&management, CONSUMER, denial).await;
        for caller in [&member, &alice] {
            let denied = assert_denied(&caller.call("CreateResourceShare", &make).await);
            assert!(denied.ends_with("with an explicit deny in a service control policy"), "{denied}");
            caller.ok("ListPermissions", &json!({})).await;
        }
        // The management account is free of them, wherever they are attached.
        organizations::ok(&management, "AttachPolicy", &json!({"PolicyId": policy, "TargetId": root})).await;
        management.ok("CreateResourceShare", &make).await;
        organizations::ok(&management, "DetachPolicy", &json!({"PolicyId": policy, "TargetId": root})).await;
        organizations::ok(&management, "DetachPolicy", &json!({"PolicyId": policy, "TargetId": CONSUMER}))
            .await;
        member.ok("CreateResourceShare", &make).await;

        // Every level must allow.
        control(&management, CONSUMER, r#"{"Effect":"Allow","Action":"ram:List*","Resource":"*"}"#).await;
        member.ok("CreateResourceShare", &make).await;
        let full = json!({"PolicyId": "p-FullAWSAccess", "TargetId": CONSUMER});
        organizations::ok(&management, "DetachPolicy", &full).await;
        for caller in [&member, &alice] {
            let denied = assert_denied(&caller.call("CreateResourceShare", &make).await);
            let why = "because no service control policy allows the ram:CreateResourceShare action";
            assert!(denied.ends_with(why), "{denied}");
            caller.ok("ListPermissions", &json!({})).await;
        }
        // Nobody is kept from asking who they are.
        assert_eq!(member.sts("GetCallerIdentity").await.status, 200);
        assert_eq!(server.count("resource_share"), 6);
    })
    .await;
}

#[tokio::test]
async fn conditions_on_the_organization() {
    for_each_store_with(strict(), async |server: TestServer| {
        let management = server.client(server.create_key(OWNER, "").await);
        let member = server.client(server.create_key(CONSUMER, "").await);
        let alice = server.client(server.create_key(CONSUMER, "alice").await);
        let list = "ListPermissions";
        let outside = allow("\"ram:*\"", r#""Null":{"aws:PrincipalOrgID":"true"}"#);
        assert!(attempt(&member, &alice, &outside, list, &json!({})).await);
        let root = organize(&management, &member).await;
        assert!(!attempt(&member, &alice, &outside, list, &json!({})).await);
        let made = organizations::ok(&management, "DescribeOrganization", &json!({})).await;
        let id = made["Organization"]["Id"].as_str().unwrap();
        let unit = organizations::create_unit(&management, &root, "unit").await;
        organizations::move_account(&management, CONSUMER, &root, &unit).await;
        for (condition, is_allowed) in [
            (format!(r#""StringEquals":{{"aws:PrincipalOrgID":"{id}"}}"#), true),
            (r#""StringEquals":{"aws:PrincipalOrgID":"o-other"}"#.to_owned(), false),
            (format!(r#""StringLike":{{"aws:PrincipalOrgPaths":"{id}/{root}/{unit}/*"}}"#), true),
            (format!(r#""StringEquals":{{"aws:PrincipalOrgPaths":"{id}/{root}/{unit}/"}}"#), true),
            (format!(r#""StringLike":{{"aws:PrincipalOrgPaths":"{id}/{root}/ou-other/*"}}"#), false),
        ] {
            let allowed = attempt(&member, &alice, &allow("\"ram:*\"", &condition), list, &json!({})).await;
            assert_eq!(allowed, is_allowed, "{condition}");
        }
    })
    .await;
}

#[tokio::test]
async fn accounts_units_and_policies_of_an_organization_are_resources() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let (organization, top) = organizations::create(&root).await;
        let unit = organizations::create_unit(&root, &top, "unit").await;
        let arn = |kind: &str, id: &str| format!("arn:aws:organizations::{OWNER}:{kind}/{organization}/{id}");
        let describe = json!({"OrganizationalUnitId": unit});
        for (resource, is_allowed) in [
            ("*".to_owned(), true),
            (arn("ou", &unit), true),
            (arn("ou", "ou-other"), false),
            (arn("root", &top), false),
        ] {
            let statement =
                format!(r#"{{"Effect":"Allow","Action":"organizations:*","Resource":"{resource}"}}"#);
            put_policy(&root, USER, &statement).await;
            let reply = alice.organizations("DescribeOrganizationalUnit", &describe).await;
            assert_eq!(reply.status == 200, is_allowed, "{resource}: {}", reply.text);
        }
        // What a denial protects is protected under every name that a call has for it.
        let protects = format!(
            r#"{{"Effect":"Deny","Action":"organizations:*","Resource":["{}","{}"]}}"#,
            arn("account", OWNER),
            arn("root", &top)
        );
        put_policy(&root, USER, &format!("{},{protects}", allow("\"organizations:*\"", ""))).await;
        for (operation, input) in [
            ("DescribeAccount", json!({"AccountId": OWNER})),
            ("ListParents", json!({"ChildId": OWNER})),
            ("MoveAccount", json!({"AccountId": OWNER, "SourceParentId": top, "DestinationParentId": unit})),
            (
                "MoveAccount",
                json!({"AccountId": CONSUMER, "SourceParentId": unit, "DestinationParentId": top}),
            ),
            ("EnablePolicyType", json!({"RootId": top, "PolicyType": SCP})),
            ("AttachPolicy", json!({"PolicyId": "p-FullAWSAccess", "TargetId": top})),
            ("TagResource", json!({"ResourceId": top, "Tags": [{"Key": "k", "Value": "v"}]})),
        ] {
            let reply = alice.organizations(operation, &input).await;
            assert_eq!(reply.error_code, "AccessDeniedException", "{operation} {input}: {}", reply.text);
            assert!(
                reply.text.contains("with an explicit deny in an identity-based policy"),
                "{}",
                reply.text
            );
        }
        organizations::ok(&alice, "DescribeOrganizationalUnit", &describe).await;
        let of_ram = r#""StringEquals":{"organizations:ServicePrincipal":"ram.amazonaws.com"}"#;
        put_policy(&root, USER, &allow("\"organizations:*\"", of_ram)).await;
        let enable = |service: &str| json!({"ServicePrincipal": service});
        organizations::ok(&alice, "EnableAWSServiceAccess", &enable("ram.amazonaws.com")).await;
        let refused =
            organizations::refused(&alice, "EnableAWSServiceAccess", &enable("sso.amazonaws.com")).await;
        assert_eq!(refused, "AccessDenied");
    })
    .await;
}

#[tokio::test]
async fn handshakes_are_resources_of_both_parties() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        let invited = server.client(server.create_key(CONSUMER, "").await);
        let bob = server.client(server.create_key(CONSUMER, "bob").await);
        organizations::create(&root).await;
        let input = json!({"Target": {"Type": "ACCOUNT", "Id": CONSUMER}});
        let made = organizations::ok(&root, "InviteAccountToOrganization", &input).await;
        let arn = made["Handshake"]["Arn"].as_str().unwrap().to_owned();
        let input = json!({"HandshakeId": made["Handshake"]["Id"]});
        let on = |resource: &str| {
            format!(r#"{{"Effect":"Allow","Action":"organizations:*","Resource":"{resource}"}}"#)
        };
        let other = arn.replace("/invite/h-", "/invite/h-0");
        for (account, user, name) in [(&root, &alice, "alice"), (&invited, &bob, "bob")] {
            for (resource, is_allowed) in [(&other, false), (&arn, true)] {
                put_policy(account, ("UserName", name), &on(resource)).await;
                let reply = user.organizations("DescribeHandshake", &input).await;
                assert_eq!(reply.status == 200, is_allowed, "{name} {resource}: {}", reply.text);
            }
            // What else a call says does not lead elsewhere.
            let mut more = input.clone();
            more["PolicyId"] = json!("p-FullAWSAccess");
            assert_eq!(organizations::refused(user, "DescribePolicy", &more).await, "AccessDenied");
        }
        // Who is no party is not told of it.
        let stranger = server.client(server.create_key("333333333333", "").await);
        let eve = server.client(server.create_key("333333333333", "eve").await);
        put_policy(&stranger, ("UserName", "eve"), &on(&arn)).await;
        let denied = eve.organizations("DescribeHandshake", &input).await;
        assert!(
            denied.text.contains("organizations:DescribeHandshake on resource: * because"),
            "{}",
            denied.text
        );
        organizations::ok(&bob, "AcceptHandshake", &input).await;
    })
    .await;
}

#[tokio::test]
async fn enabling_sharing_needs_what_ram_does_in_the_callers_name() {
    for_each_store_with(strict(), async |server: TestServer| {
        let (root, alice) = root_and_alice(&server).await;
        organizations::create(&root).await;
        let enable = "EnableSharingWithAwsOrganization";
        let mut actions = vec!["ram:EnableSharingWithAwsOrganization"];
        for missing in [
            "iam:CreateServiceLinkedRole",
            "organizations:DescribeOrganization",
            "organizations:EnableAWSServiceAccess",
        ] {
            put_policy(&root, USER, &allow(&json!(actions).to_string(), "")).await;
            let denied = assert_denied(&alice.call(enable, &json!({})).await);
            assert!(
                denied.contains(&format!("is not authorized to perform: {missing} on resource")),
                "{denied}"
            );
            actions.push(missing);
        }
        assert_eq!(server.count("organization_service_access"), 0);
        put_policy(&root, USER, &allow(&json!(actions).to_string(), "")).await;
        alice.ok(enable, &json!({})).await;
    })
    .await;
}
