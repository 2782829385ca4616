//! Temporary credentials: who gets them, and what they are good for.

use std::time::Duration;

use rampart_server::{AuthMode, Settings};
use rampart_testkit::client::Key;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, Reply, TestServer, for_each_store};

use crate::sharing::{CONSUMER, OWNER};

pub(crate) fn strict() -> Settings {
    Settings { auth: AuthMode::Strict, ..settings() }
}

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.xml_error(), (status, code.to_owned()), "{}", reply.text);
}

/// The caller of the credentials in an answer.
pub(crate) fn session(server: &TestServer, reply: &Reply) -> Client {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let key = Key { id: reply.element("AccessKeyId"), secret: reply.element("SecretAccessKey") };
    server.client(key).with_session_token(&reply.element("SessionToken"))
}

fn role_arn(account: &str, role: &str) -> String {
    format!("arn:aws:iam::{account}:role/{role}")
}

pub(crate) async fn assume(client: &Client, account: &str, role: &str, more: &[(&str, &str)]) -> Reply {
    let arn = role_arn(account, role);
    let mut parameters = vec![("RoleArn", arn.as_str()), ("RoleSessionName", "work")];
    parameters.extend_from_slice(more);
    client.sts_with("AssumeRole", &parameters).await
}

async fn arn_of(client: &Client) -> String {
    client.sts("GetCallerIdentity").await.element("Arn")
}

pub(crate) fn trust(principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"{condition}}}]}}"#
    )
}

pub(crate) async fn create_role(client: &Client, role: &str, trust: &str) {
    client.iam_ok("CreateRole", &[("RoleName", role), ("AssumeRolePolicyDocument", trust)]).await;
}

pub(crate) async fn put_policy(client: &Client, name: (&str, &str), statement: &str) {
    let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let action = if name.0 == "UserName" { "PutUserPolicy" } else { "PutRolePolicy" };
    client.iam_ok(action, &[name, ("PolicyName", "p"), ("PolicyDocument", &document)]).await;
}

#[tokio::test]
async fn in_open_mode_anybody_assumes_any_role() {
    for_each_store(async |server: TestServer| {
        let consumer = server.account(CONSUMER);
        let made_up = assume(&consumer, OWNER, "a/b/any", &[]).await;
        let arn = format!("arn:aws:sts::{OWNER}:assumed-role/any/work");
        let role = session(&server, &made_up);
        assert_eq!(arn_of(&role).await, arn);
        assert_eq!(made_up.elements("Arn"), std::slice::from_ref(&arn));
        let id = made_up.element("AssumedRoleId");
        assert!(id.starts_with("AROA") && id.ends_with(":work"), "{id}");
        assert_eq!(role.sts("GetCallerIdentity").await.element("UserId"), id);
        assert_eq!(
            assume(&consumer, OWNER, "a/b/any", &[]).await.element("AssumedRoleId"),
            id,
            "the same each time"
        );

        // What the role makes is its account's.
        role.ok("CreateResourceShare", &serde_json::json!({"name": "n"})).await;
        assert_eq!(server.count("resource_share"), 1);
        assert_eq!(crate::sharing::share_arns(&server.account(OWNER), "SELF").await.len(), 1);

        let owner = server.account(OWNER);
        create_role(&owner, "real", &trust(OWNER, "")).await;
        let real_id = owner.iam_ok("GetRole", &[("RoleName", "real")]).await.element("RoleId");
        let real = assume(&consumer, OWNER, "real", &[]).await;
        assert_eq!(real.element("AssumedRoleId"), format!("{real_id}:work"));
        let too_long = assume(&consumer, OWNER, "real", &[("DurationSeconds", "3601")]).await;
        assert_refused(&too_long, 400, "ValidationError");
        // Who was deleted is nobody any more, in open mode neither.
        let real = session(&server, &real);
        assert_eq!(real.sts("GetCallerIdentity").await.status, 200);
        owner.iam_ok("DeleteRole", &[("RoleName", "real")]).await;
        assert_refused(&real.sts("GetCallerIdentity").await, 403, "InvalidClientTokenId");
        create_role(&owner, "real", &trust(OWNER, "")).await;
        assert_refused(&real.sts("GetCallerIdentity").await, 403, "InvalidClientTokenId");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_told() {
    let server = TestServer::sqlite().await;
    let owner = server.account(OWNER);
    let role = role_arn(OWNER, "r");
    let with = |more: &[(&'static str, &'static str)]| {
        let mut parameters = vec![("RoleArn", role.clone()), ("RoleSessionName", "work".to_owned())];
        for (name, value) in more {
            parameters.retain(|(known, _)| known != name);
            parameters.push((name, (*value).to_owned()));
        }
        parameters
    };
    for (parameters, code) in [
        (with(&[("RoleArn", "arn:aws:iam::111111111111:user/r")]), "ValidationError"),
        (with(&[("RoleArn", "arn:aws-cn:iam::111111111111:role/r")]), "ValidationError"),
        (with(&[("RoleArn", "arn:aws:iam::111111111111:role/")]), "ValidationError"),
        (with(&[("RoleArn", "x")]), "ValidationError"),
        (with(&[("RoleSessionName", "x")]), "ValidationError"),
        (with(&[("RoleSessionName", "x y")]), "ValidationError"),
        (with(&[("DurationSeconds", "899")]), "ValidationError"),
        (with(&[("DurationSeconds", "43201")]), "ValidationError"),
        (with(&[("ExternalId", "x")]), "ValidationError"),
        (with(&[("Policy", "{}")]), "MalformedPolicyDocument"),
        (with(&[("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/None")]), "NoSuchEntity"),
        (with(&[("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]), "ValidationError"),
        (with(&[("SerialNumber", "123456789"), ("TokenCode", "123456")]), "ValidationError"),
    ] {
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = owner.sts_with("AssumeRole", &parameters).await;
        assert_eq!(reply.element("Code"), code, "{parameters:?}: {}", reply.text);
    }
    let large = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Sid":"{}"}}]}}"#,
        "a".repeat(2_000)
    );
    let reply = assume(&owner, OWNER, "r", &[("Policy", &large)]).await;
    assert_refused(&reply, 400, "PackedPolicyTooLarge");
}

#[tokio::test]
async fn sessions_end_and_cannot_be_forged() {
    for settings in [settings(), strict()] {
        for_each_store_with(settings, async |server: TestServer| {
            let root = server.client(server.create_key(OWNER, "").await);
            let given = root.sts_with("GetSessionToken", &[("DurationSeconds", "900")]).await;
            let session = session(&server, &given);
            let identity = session.sts("GetCallerIdentity").await;
            assert_eq!(identity.element("Arn"), format!("arn:aws:iam::{OWNER}:root"));

            let key = Key { id: given.element("AccessKeyId"), secret: given.element("SecretAccessKey") };
            let token = given.element("SessionToken");
            let forged = [
                server.client(key.clone()).with_session_token(&token.replace("rampart1", "rampart1A")),
                server.client(key.clone()).with_session_token(&format!("{}AAAA", &token[..token.len() - 4])),
                server.client(key.clone()).with_session_token("rampart1"),
                server
                    .client(Key { id: key.id.replace("ASIA", "AKIA"), ..key.clone() })
                    .with_session_token(&token),
            ];
            for client in forged {
                assert_refused(&client.sts("GetCallerIdentity").await, 403, "InvalidClientTokenId");
            }
            let wrong =
                server.client(Key { secret: "wrong".to_owned(), ..key.clone() }).with_session_token(&token);
            assert_refused(&wrong.sts("GetCallerIdentity").await, 403, "SignatureDoesNotMatch");
            // Another session's token does not fit, although it is ours.
            let other = root.sts("GetSessionToken").await;
            let mixed = server.client(key).with_session_token(&other.element("SessionToken"));
            assert_refused(&mixed.sts("GetCallerIdentity").await, 403, "InvalidClientTokenId");
            assert_eq!(session.sts("GetCallerIdentity").await.status, 200);

            server.advance(Duration::from_secs(899));
            assert_eq!(session.sts("GetCallerIdentity").await.status, 200);
            server.advance(Duration::from_secs(2));
            assert_refused(&session.sts("GetCallerIdentity").await, 403, "ExpiredToken");
            let reply =
                session.call("GetResourceShares", &serde_json::json!({"resourceOwner": "SELF"})).await;
            assert_eq!((reply.status, reply.error_code.as_str()), (403, "ExpiredTokenException"));
        })
        .await;
    }
}

#[tokio::test]
async fn sessions_of_users_may_not_call_iam_and_make_no_sessions() {
    for_each_store_with(strict(), async |server: TestServer| {
        let root = server.client(server.create_key(OWNER, "").await);
        let own = session(&server, &root.sts("GetSessionToken").await);
        assert_refused(&own.iam("ListUsers", &[]).await, 403, "InvalidClientTokenId");
        assert_refused(&own.sts("GetSessionToken").await, 403, "AccessDenied");
        let alice = server.client(server.create_key(OWNER, "alice").await);
        let own = session(&server, &alice.sts("GetSessionToken").await);
        assert_eq!(arn_of(&own).await, format!("arn:aws:iam::{OWNER}:user/alice"));
        put_policy(&root, ("UserName", "alice"), r#"{"Effect":"Allow","Action":"ram:*","Resource":"*"}"#)
            .await;
        own.ok("GetResourceShares", &serde_json::json!({"resourceOwner": "SELF"})).await;
    })
    .await;
}

#[tokio::test]
async fn whose_a_key_is() {
    let server = TestServer::sqlite().await;
    let owner = server.account(OWNER);
    let key = server.create_key(CONSUMER, "").await;
    let session = assume(&owner, CONSUMER, "r", &[]).await.element("AccessKeyId");
    for id in [&key.id, &session] {
        let info = owner.sts_with("GetAccessKeyInfo", &[("AccessKeyId", id)]).await;
        assert_eq!(info.element("Account"), CONSUMER);
    }
    for id in ["", "AKIAIOSFODNN7EXAMPLE0", "111111111111"] {
        let info = owner.sts_with("GetAccessKeyInfo", &[("AccessKeyId", id)]).await;
        assert_refused(&info, 400, "ValidationError");
    }
}

/// A server with a root of each account and a user `alice` of the consumer, who may assume any role.
struct Cast {
    owner: Client,
    consumer: Client,
    alice: Client,
}

impl Cast {
    async fn of(server: &TestServer) -> Self {
        let owner = server.client(server.create_key(OWNER, "").await);
        let consumer = server.client(server.create_key(CONSUMER, "").await);
        let alice = server.client(server.create_key(CONSUMER, "alice").await);
        put_policy(&consumer, ("UserName", "alice"), r#"{"Effect":"Allow","Action":"sts:*","Resource":"*"}"#)
            .await;
        Self { owner, consumer, alice }
    }
}

#[tokio::test]
async fn in_strict_mode_the_role_says_who_may_assume_it() {
    for_each_store_with(strict(), async |server: TestServer| {
        let Cast { owner, consumer, alice } = Cast::of(&server).await;
        create_role(&owner, "open", &trust(CONSUMER, "")).await;
        create_role(&owner, "closed", &trust("333333333333", "")).await;
        create_role(&owner, "named", &trust(&format!("arn:aws:iam::{CONSUMER}:user/alice"), "")).await;
        let external = r#","Condition":{"StringEquals":{"sts:ExternalId":"secret-1"}}"#;
        create_role(&owner, "external", &trust(CONSUMER, external)).await;

        let assumed = session(&server, &assume(&alice, OWNER, "open", &[]).await);
        assert_eq!(arn_of(&assumed).await, format!("arn:aws:sts::{OWNER}:assumed-role/open/work"));
        session(&server, &assume(&alice, OWNER, "named", &[]).await);
        session(&server, &assume(&alice, OWNER, "external", &[("ExternalId", "secret-1")]).await);

        let closed = assume(&alice, OWNER, "closed", &[]).await;
        assert_refused(&closed, 403, "AccessDenied");
        let alice_arn = format!("arn:aws:iam::{CONSUMER}:user/alice");
        let message = format!(
            "User: {alice_arn} is not authorized to perform: sts:AssumeRole on resource: {}",
            role_arn(OWNER, "closed")
        );
        assert_eq!(closed.element("Message"), message);
        // One that is not there is not told from one that is closed.
        let absent = assume(&alice, OWNER, "absent", &[]).await;
        assert_eq!(absent.element("Message"), message.replace("closed", "absent"));
        for (role, more) in
            [("external", vec![]), ("external", vec![("ExternalId", "secret-2")]), ("x/open", vec![])]
        {
            assert_refused(&assume(&alice, OWNER, role, &more).await, 403, "AccessDenied");
        }
        // A root assumes no role.
        assert_refused(&assume(&consumer, OWNER, "open", &[]).await, 403, "AccessDenied");
        // Without a policy of one's own, being trusted is not enough in another account.
        let bob = server.client(server.create_key(CONSUMER, "bob").await);
        assert_refused(&assume(&bob, OWNER, "open", &[]).await, 403, "AccessDenied");
    })
    .await;
}

#[tokio::test]
async fn within_an_account_a_trust_that_names_the_caller_is_enough() {
    for_each_store_with(strict(), async |server: TestServer| {
        let Cast { consumer, .. } = Cast::of(&server).await;
        let bob = server.client(server.create_key(CONSUMER, "bob").await);
        create_role(&consumer, "named", &trust(&format!("arn:aws:iam::{CONSUMER}:user/bob"), "")).await;
        create_role(&consumer, "account", &trust(CONSUMER, "")).await;
        session(&server, &assume(&bob, CONSUMER, "named", &[]).await);
        assert_refused(&assume(&bob, CONSUMER, "account", &[]).await, 403, "AccessDenied");
        put_policy(
            &consumer,
            ("UserName", "bob"),
            r#"{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}"#,
        )
        .await;
        let denied = assume(&bob, CONSUMER, "named", &[]).await;
        assert_refused(&denied, 403, "AccessDenied");
        assert!(
            denied.element("Message").ends_with("with an explicit deny in an identity-based policy"),
            "{}",
            denied.text
        );
    })
    .await;
}

#[tokio::test]
async fn a_session_is_bounded_by_its_own_policies_and_in_time() {
    for_each_store_with(strict(), async |server: TestServer| {
        let Cast { owner, alice, .. } = Cast::of(&server).await;
        create_role(&owner, "admin", &trust(CONSUMER, "")).await;
        put_policy(&owner, ("RoleName", "admin"), r#"{"Effect":"Allow","Action":["ram:*","sts:*"],"Resource":"*"}"#).await;
        let own = serde_json::json!({"resourceOwner": "SELF"});
        let make = serde_json::json!({"name": "n"});
        let admin = session(&server, &assume(&alice, OWNER, "admin", &[]).await);
        admin.ok("CreateResourceShare", &make).await;

        let reading = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ram:Get*","iam:*"],"Resource":"*"}]}"#;
        for restriction in [
            ("Policy", reading),
            ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AWSResourceAccessManagerReadOnlyAccess"),
        ] {
            let reader = session(&server, &assume(&alice, OWNER, "admin", &[restriction]).await);
            reader.ok("GetResourceShares", &own).await;
            let denied = reader.call("CreateResourceShare", &make).await;
            assert_eq!((denied.status, denied.error_code.as_str()), (403, "AccessDeniedException"));
            let message = denied.json["message"].as_str().unwrap();
            assert!(message.ends_with("because no session policy allows the ram:CreateResourceShare action"), "{message}");
            // It is an intersection: the session's policy alone gives nothing.
            assert_refused(&reader.iam("ListUsers", &[]).await, 403, "AccessDenied");
        }

        let longer = assume(&alice, OWNER, "admin", &[("DurationSeconds", "7200")]).await;
        assert_refused(&longer, 400, "ValidationError");
        owner.iam_ok("UpdateRole", &[("RoleName", "admin"), ("MaxSessionDuration", "7200")]).await;
        session(&server, &assume(&alice, OWNER, "admin", &[("DurationSeconds", "7200")]).await);
        create_role(&owner, "next", &trust(OWNER, "")).await;
        session(&server, &assume(&admin, OWNER, "next", &[]).await);
        let chained = assume(&admin, OWNER, "next", &[("DurationSeconds", "3601")]).await;
        assert_refused(&chained, 400, "ValidationError");
    })
    .await;
}

#[tokio::test]
async fn who_is_deleted_is_refused() {
    for_each_store_with(strict(), async |server: TestServer| {
        let Cast { owner, consumer, alice } = Cast::of(&server).await;
        create_role(&owner, "r", &trust(CONSUMER, "")).await;
        let role = session(&server, &assume(&alice, OWNER, "r", &[]).await);
        assert_eq!(role.sts("GetCallerIdentity").await.status, 200);
        owner.iam_ok("DeleteRole", &[("RoleName", "r")]).await;
        assert_refused(&role.sts("GetCallerIdentity").await, 403, "InvalidClientTokenId");

        let own = session(&server, &alice.sts("GetSessionToken").await);
        assert_eq!(own.sts("GetCallerIdentity").await.status, 200);
        consumer.iam_ok("DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "p")]).await;
        let key = consumer.iam_ok("ListAccessKeys", &[("UserName", "alice")]).await.element("AccessKeyId");
        consumer.iam_ok("DeleteAccessKey", &[("UserName", "alice"), ("AccessKeyId", &key)]).await;
        assert_refused(&alice.sts("GetCallerIdentity").await, 403, "InvalidClientTokenId");
        assert_eq!(
            own.sts("GetCallerIdentity").await.status,
            200,
            "a session outlives the key it was asked for with"
        );
        consumer.iam_ok("DeleteUser", &[("UserName", "alice")]).await;
        assert_refused(&own.sts("GetCallerIdentity").await, 403, "InvalidClientTokenId");
        consumer.iam_ok("CreateUser", &[("UserName", "alice")]).await;
        assert_refused(&own.sts("GetCallerIdentity").await, 403, "InvalidClientTokenId");
    })
    .await;
}
