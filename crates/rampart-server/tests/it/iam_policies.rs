//! Policies and access keys of users and roles.

use rampart_testkit::client::Key;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Reply, TestServer, for_each_store};

use crate::iam_identities::TRUST;
use crate::sharing::{CONSUMER, OWNER};

const FULL: &str = "arn:aws:iam::aws:policy/AWSResourceAccessManagerFullAccess";
const READ: &str = "arn:aws:iam::aws:policy/AWSResourceAccessManagerReadOnlyAccess";
const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ram:*","Resource":"*"}]}"#;

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.xml_error(), (status, code.to_owned()), "{}", reply.text);
}

#[tokio::test]
async fn inline_policies() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        owner.iam_ok("CreateUser", &[("UserName", "x")]).await;
        owner.iam_ok("CreateRole", &[("RoleName", "x"), ("AssumeRolePolicyDocument", TRUST)]).await;
        for (kind, name) in [("User", ("UserName", "x")), ("Role", ("RoleName", "x"))] {
            let call = |verb: &str| format!("{verb}{kind}Policy");
            let (list, one) = (format!("List{kind}Policies"), ("PolicyName", "one"));
            for policy in [one, ("PolicyName", "two")] {
                owner.iam_ok(&call("Put"), &[name, policy, ("PolicyDocument", DOCUMENT)]).await;
            }
            let found = owner.iam_ok(&call("Get"), &[name, one]).await;
            assert_eq!(found.element("PolicyName"), "one");
            assert_eq!(found.element(name.0), "x");
            assert!(found.element("PolicyDocument").starts_with("%7B%22Version%22"));
            assert_eq!(owner.iam_ok(&list, &[name]).await.elements("member"), ["one", "two"]);
            let page = owner.iam_ok(&list, &[name, ("MaxItems", "1")]).await;
            let rest = owner.iam_ok(&list, &[name, ("Marker", &page.element("Marker"))]).await;
            assert_eq!(
                (page.elements("member"), rest.elements("member")),
                (vec!["one".to_owned()], vec!["two".to_owned()])
            );

            let malformed = owner.iam(&call("Put"), &[name, one, ("PolicyDocument", TRUST)]).await;
            assert_refused(&malformed, 400, "MalformedPolicyDocument");
            assert_refused(
                &owner.iam(&call("Get"), &[name, ("PolicyName", "no")]).await,
                404,
                "NoSuchEntity",
            );
            assert_refused(
                &owner.iam(&call("Delete"), &[name, ("PolicyName", "no")]).await,
                404,
                "NoSuchEntity",
            );
            let nobody = (name.0, "nobody");
            let put = owner.iam(&call("Put"), &[nobody, one, ("PolicyDocument", DOCUMENT)]).await;
            assert_refused(&put, 404, "NoSuchEntity");
            assert_refused(&owner.iam(&list, &[nobody]).await, 404, "NoSuchEntity");
            assert_refused(&owner.iam(&format!("Delete{kind}"), &[name]).await, 409, "DeleteConflict");
            for policy in [one, ("PolicyName", "two")] {
                owner.iam_ok(&call("Delete"), &[name, policy]).await;
            }
            owner.iam_ok(&format!("Delete{kind}"), &[name]).await;
        }
        assert_eq!((server.count("iam_identity"), server.count("iam_policy")), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn inline_policies_of_one_identity_have_one_size() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        let name = ("UserName", "x");
        owner.iam_ok("CreateUser", &[name]).await;
        let sids =
            |n: usize| DOCUMENT.replace("\"Effect\"", &format!("\"Sid\":\"{}\",\"Effect\"", "a".repeat(n)));
        let (half, rest) = (sids(950), sids(880));
        let put = async |policy, document: &str| {
            owner.iam("PutUserPolicy", &[name, ("PolicyName", policy), ("PolicyDocument", document)]).await
        };
        assert_eq!(put("one", &half).await.status, 200);
        let refused = put("two", &sids(1_000)).await;
        assert_refused(&refused, 409, "LimitExceeded");
        assert_eq!(refused.element("Message"), "Maximum policy size of 2048 bytes exceeded for user x");
        assert_eq!(put("two", &rest.replace(',', " ,\n ")).await.status, 200, "white space does not count");
        assert_eq!(put("one", &half).await.status, 200, "it replaces itself");
    })
    .await;
}

#[tokio::test]
async fn managed_policies() {
    let mut settings = settings();
    (settings.iam_quotas.managed_policies_per_user, settings.iam_quotas.managed_policies_per_role) = (2, 2);
    for_each_store_with(settings, async |server: TestServer| {
        let owner = server.account(OWNER);
        owner.iam_ok("CreateUser", &[("UserName", "x")]).await;
        owner.iam_ok("CreateRole", &[("RoleName", "x"), ("AssumeRolePolicyDocument", TRUST)]).await;
        for (kind, name) in [("User", ("UserName", "x")), ("Role", ("RoleName", "x"))] {
            let (attach, detach) = (format!("Attach{kind}Policy"), format!("Detach{kind}Policy"));
            let list = format!("ListAttached{kind}Policies");
            for arn in [FULL, READ, READ] {
                owner.iam_ok(&attach, &[name, ("PolicyArn", arn)]).await;
            }
            assert_eq!(owner.iam_ok(&list, &[name]).await.elements("PolicyArn"), [FULL, READ]);
            let page = owner.iam_ok(&list, &[name, ("MaxItems", "1")]).await;
            assert_eq!(
                (page.elements("PolicyArn"), page.element("IsTruncated")),
                (vec![FULL.to_owned()], "true".to_owned())
            );
            let more = "arn:aws:iam::aws:policy/AWSResourceAccessManagerResourceShareParticipantAccess";
            assert_refused(&owner.iam(&attach, &[name, ("PolicyArn", more)]).await, 409, "LimitExceeded");
            let service =
                "arn:aws:iam::aws:policy/aws-service-role/AWSResourceAccessManagerServiceRolePolicy";
            assert_refused(
                &owner.iam(&attach, &[name, ("PolicyArn", service)]).await,
                400,
                "PolicyNotAttachable",
            );
            for (arn, status, code) in [
                ("x", 400, "InvalidInput"),
                ("arn:aws:iam::aws:policy/Nothing", 404, "NoSuchEntity"),
                ("arn:aws-cn:iam::aws:policy/AWSResourceAccessManagerFullAccess", 404, "NoSuchEntity"),
                ("arn:aws:iam::111111111111:policy/AWSResourceAccessManagerFullAccess", 404, "NoSuchEntity"),
            ] {
                assert_refused(&owner.iam(&attach, &[name, ("PolicyArn", arn)]).await, status, code);
            }
            assert_refused(&owner.iam(&format!("Delete{kind}"), &[name]).await, 409, "DeleteConflict");
            owner.iam_ok(&detach, &[name, ("PolicyArn", READ)]).await;
            assert_refused(&owner.iam(&detach, &[name, ("PolicyArn", READ)]).await, 404, "NoSuchEntity");
            owner.iam_ok(&detach, &[name, ("PolicyArn", FULL)]).await;
            owner.iam_ok(&format!("Delete{kind}"), &[name]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_managed_policy_says() {
    let server = TestServer::sqlite().await;
    let owner = server.account(OWNER);
    let policy = owner.iam_ok("GetPolicy", &[("PolicyArn", READ)]).await;
    assert_eq!(policy.element("DefaultVersionId"), "v1");
    assert_eq!((policy.element("Arn"), policy.element("IsAttachable")), (READ.to_owned(), "true".to_owned()));
    let version = owner.iam_ok("GetPolicyVersion", &[("PolicyArn", READ), ("VersionId", "v1")]).await;
    assert!(version.element("Document").contains("ram%3AGet%2A"), "{}", version.text);
    for version in ["v2", "v0", ""] {
        let refused = owner.iam("GetPolicyVersion", &[("PolicyArn", READ), ("VersionId", version)]).await;
        assert_refused(&refused, 404, "NoSuchEntity");
    }
}

#[tokio::test]
async fn access_keys() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        let name = ("UserName", "alice");
        owner.iam_ok("CreateUser", &[name]).await;
        let made = owner.iam_ok("CreateAccessKey", &[name]).await;
        let key = Key { id: made.element("AccessKeyId"), secret: made.element("SecretAccessKey") };
        assert_eq!((key.secret.len(), made.element("Status")), (40, "Active".to_owned()));
        let alice = server.client(key.clone());
        let me = || alice.sts("GetCallerIdentity");
        assert_eq!(me().await.element("Arn"), format!("arn:aws:iam::{OWNER}:user/alice"));

        let second = owner.iam_ok("CreateAccessKey", &[name]).await.element("AccessKeyId");
        assert_refused(&owner.iam("CreateAccessKey", &[name]).await, 409, "LimitExceeded");
        let listed = owner.iam_ok("ListAccessKeys", &[name]).await;
        let mut ids = [key.id.clone(), second.clone()];
        ids.sort();
        assert_eq!(listed.elements("AccessKeyId"), ids);
        assert!(!listed.text.contains(&key.secret));
        assert_eq!(
            alice.iam_ok("ListAccessKeys", &[]).await.elements("AccessKeyId"),
            ids,
            "the caller's own"
        );
        assert_eq!(owner.iam_ok("ListAccessKeys", &[]).await.elements("AccessKeyId"), [""; 0], "the root's");

        let id = ("AccessKeyId", key.id.as_str());
        owner.iam_ok("UpdateAccessKey", &[name, id, ("Status", "Inactive")]).await;
        // At once: the server that changed it reads it again.
        assert_refused(&me().await, 403, "InvalidClientTokenId");
        owner.iam_ok("UpdateAccessKey", &[name, id, ("Status", "Active")]).await;
        assert_eq!(me().await.status, 200);
        assert_refused(
            &owner.iam("UpdateAccessKey", &[name, id, ("Status", "x")]).await,
            400,
            "ValidationError",
        );
        for (client, parameters) in [
            (&owner, vec![id]),
            (&server.account(CONSUMER), vec![id]),
            (&owner, vec![name, ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE")]),
            (&owner, vec![("UserName", "bob"), id]),
        ] {
            assert_refused(&client.iam("DeleteAccessKey", &parameters).await, 404, "NoSuchEntity");
        }
        assert_refused(&owner.iam("DeleteUser", &[name]).await, 409, "DeleteConflict");
        owner.iam_ok("DeleteAccessKey", &[name, id]).await;
        // Open mode takes a key that nobody knows for the default account's.
        assert_ne!(me().await.element("Account"), OWNER);
        owner.iam_ok("DeleteAccessKey", &[name, ("AccessKeyId", &second)]).await;
        owner.iam_ok("DeleteUser", &[name]).await;
    })
    .await;
}

#[tokio::test]
async fn secrets_are_not_in_the_store() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        let made = owner.iam_ok("CreateAccessKey", &[]).await;
        let log = server.sql("SELECT payload FROM change_log");
        assert!(
            log[0].contains(&made.element("AccessKeyId"))
                && !log[0].contains(&made.element("SecretAccessKey"))
        );
        assert_eq!(server.sql("SELECT count(*) FROM access_key")[0], "1");
    })
    .await;
}
