//! Users and roles: made, found, tagged, changed, let go.

use rampart_testkit::server::for_each_store_with;
use rampart_testkit::{Client, TestServer, for_each_store};

use crate::sharing::{CONSUMER, OWNER};

pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}"#;

#[track_caller]
fn assert_refused(reply: &rampart_testkit::Reply, status: u16, code: &str) {
    assert_eq!(reply.xml_error(), (status, code.to_owned()), "{}", reply.text);
    assert_eq!(reply.element("Type"), "Sender");
    assert!(!reply.element("Message").is_empty(), "{}", reply.text);
    assert!(reply.text.starts_with("<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"));
}

async fn user_names(client: &Client, parameters: &[(&str, &str)]) -> Vec<String> {
    client.iam_ok("ListUsers", parameters).await.elements("UserName")
}

#[tokio::test]
async fn a_user_from_its_making_to_its_end() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        let made = owner
            .iam_ok(
                "CreateUser",
                &[
                    ("UserName", "alice"),
                    ("Path", "/staff/"),
                    ("Tags.member.1.Key", "team"),
                    ("Tags.member.1.Value", "net & co"),
                ],
            )
            .await;
        assert_eq!(made.element("Arn"), format!("arn:aws:iam::{OWNER}:user/staff/alice"));
        let id = made.element("UserId");
        assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");
        assert_eq!(made.element("Value"), "net & co");
        assert!(made.text.starts_with("<CreateUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateUserResult><User><Path>"));

        let found = owner.iam_ok("GetUser", &[("UserName", "alice")]).await;
        assert_eq!((found.element("UserId"), found.element("Path")), (id, "/staff/".to_owned()));
        assert_eq!(user_names(&owner, &[]).await, ["alice"]);
        assert_eq!(user_names(&owner, &[("PathPrefix", "/other/")]).await, [""; 0]);
        assert_eq!(user_names(&server.account(CONSUMER), &[]).await, [""; 0], "an account's own");

        for name in ["alice", "ALICE"] {
            assert_refused(&owner.iam("CreateUser", &[("UserName", name)]).await, 409, "EntityAlreadyExists");
        }
        assert_refused(&owner.iam("GetUser", &[("UserName", "bob")]).await, 404, "NoSuchEntity");
        assert_refused(&owner.iam("DeleteUser", &[("UserName", "bob")]).await, 404, "NoSuchEntity");
        let deleted = owner.iam_ok("DeleteUser", &[("UserName", "alice")]).await;
        assert!(deleted.text.contains("\"><ResponseMetadata><RequestId>"), "{}", deleted.text);
        assert_refused(&owner.iam("GetUser", &[("UserName", "alice")]).await, 404, "NoSuchEntity");
        owner.iam_ok("CreateUser", &[("UserName", "ALICE")]).await;
    })
    .await;
}

#[tokio::test]
async fn a_role_and_its_terms() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        let role = [("RoleName", "reader")];
        let made = owner
            .iam_ok(
                "CreateRole",
                &[
                    role[0],
                    ("AssumeRolePolicyDocument", TRUST),
                    ("Description", "reads"),
                    ("MaxSessionDuration", "7200"),
                ],
            )
            .await;
        assert_eq!(made.element("Arn"), format!("arn:aws:iam::{OWNER}:role/reader"));
        assert!(made.element("RoleId").starts_with("AROA"));
        assert!(made.element("AssumeRolePolicyDocument").starts_with("%7B%22Version%22%3A%222012-10-17%22"));

        owner.iam_ok("UpdateRole", &[role[0], ("MaxSessionDuration", "3600")]).await;
        let found = owner.iam_ok("GetRole", &role).await;
        let terms = (found.element("MaxSessionDuration"), found.element("Description"));
        assert_eq!(terms, ("3600".to_owned(), "reads".to_owned()));
        let updated = owner.iam_ok("UpdateRoleDescription", &[role[0], ("Description", "writes")]).await;
        assert_eq!(updated.element("Description"), "writes");
        let other = TRUST.replace("111111111111", "222222222222");
        owner.iam_ok("UpdateAssumeRolePolicy", &[role[0], ("PolicyDocument", &other)]).await;
        let found = owner.iam_ok("GetRole", &role).await;
        assert!(found.element("AssumeRolePolicyDocument").contains("222222222222"));

        for (document, code) in [("{}", "MalformedPolicyDocument"), ("", "MalformedPolicyDocument")] {
            let refused = owner.iam("UpdateAssumeRolePolicy", &[role[0], ("PolicyDocument", document)]).await;
            assert_refused(&refused, 400, code);
        }
        let place =
            owner.iam("UpdateAssumeRolePolicy", &[role[0], ("PolicyDocument", "{\n\"Statement\": 1}")]).await;
        assert!(place.element("Message").contains("line 2"), "{}", place.text);
        assert_eq!(
            owner.iam_ok("GetRole", &role).await.text.split("<Res").next(),
            found.text.split("<Res").next()
        );
        assert_eq!(owner.iam_ok("ListRoles", &[]).await.elements("RoleName"), ["reader"]);
        assert_eq!(owner.iam_ok("ListInstanceProfilesForRole", &role).await.element("InstanceProfiles"), "");
        owner.iam_ok("DeleteRole", &role).await;
        assert_refused(&owner.iam("ListInstanceProfilesForRole", &role).await, 404, "NoSuchEntity");
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        let long = "a".repeat(65);
        let trust = ("AssumeRolePolicyDocument", TRUST);
        for (action, parameters, code) in [
            ("CreateUser", vec![], "ValidationError"),
            ("CreateUser", vec![("UserName", "a b")], "ValidationError"),
            ("CreateUser", vec![("UserName", long.as_str())], "ValidationError"),
            ("CreateUser", vec![("UserName", "a"), ("Path", "x")], "ValidationError"),
            (
                "CreateUser",
                vec![("UserName", "a"), ("PermissionsBoundary", "arn:aws:iam::aws:policy/X")],
                "InvalidInput",
            ),
            ("CreateUser", vec![("UserName", "a"), ("Tags.member.1.Key", "k")], "ValidationError"),
            (
                "CreateUser",
                vec![("UserName", "a"), ("Tags.member.1.Key", "aws:k"), ("Tags.member.1.Value", "")],
                "InvalidInput",
            ),
            ("CreateRole", vec![("RoleName", "a")], "ValidationError"),
            ("CreateRole", vec![("RoleName", "a"), trust, ("MaxSessionDuration", "60")], "ValidationError"),
            (
                "CreateRole",
                vec![("RoleName", "a"), trust, ("Path", "/aws-service-role/x/")],
                "ValidationError",
            ),
            ("ListUsers", vec![("MaxItems", "0")], "ValidationError"),
            ("ListUsers", vec![("MaxItems", "x")], "ValidationError"),
            ("ListUsers", vec![("Marker", "x!")], "ValidationError"),
            ("ListUsers", vec![("PathPrefix", "x")], "ValidationError"),
        ] {
            assert_refused(&owner.iam(action, &parameters).await, 400, code);
        }
        assert_eq!((server.count("iam_identity"), server.count("change_log")), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn pages_of_users() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        for n in 0..5 {
            let path = if n < 2 { "/a/" } else { "/" };
            owner.iam_ok("CreateUser", &[("UserName", &format!("u{n}")), ("Path", path)]).await;
        }
        let (mut marker, mut seen) = (String::new(), Vec::new());
        loop {
            let mut parameters = vec![("MaxItems", "2")];
            if !marker.is_empty() {
                parameters.push(("Marker", &marker));
            }
            let page = owner.iam_ok("ListUsers", &parameters).await;
            seen.extend(page.elements("UserName"));
            let next = page.element("Marker");
            assert_eq!(page.element("IsTruncated"), if next.is_empty() { "false" } else { "true" });
            if next.is_empty() {
                break;
            }
            marker = next;
        }
        assert_eq!(seen, ["u2", "u3", "u4", "u0", "u1"], "ordered by path and name");
    })
    .await;
}

#[tokio::test]
async fn tags_of_users_and_roles() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        owner.iam_ok("CreateUser", &[("UserName", "x")]).await;
        owner.iam_ok("CreateRole", &[("RoleName", "x"), ("AssumeRolePolicyDocument", TRUST)]).await;
        for (kind, name) in [("User", "UserName"), ("Role", "RoleName")] {
            let one = [(name, "x"), ("Tags.member.1.Key", "b"), ("Tags.member.1.Value", "1")];
            owner.iam_ok(&format!("Tag{kind}"), &one).await;
            let two = [(name, "x"), ("Tags.member.1.Key", "B"), ("Tags.member.1.Value", "2")];
            owner.iam_ok(&format!("Tag{kind}"), &two).await;
            let three = [(name, "x"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "")];
            owner.iam_ok(&format!("Tag{kind}"), &three).await;
            let list = format!("List{kind}Tags");
            let tags = owner.iam_ok(&list, &[(name, "x")]).await;
            assert_eq!(
                (tags.elements("Key"), tags.elements("Value")),
                (vec!["B".into(), "a".into()], vec!["2".into(), String::new()])
            );
            let page = owner.iam_ok(&list, &[(name, "x"), ("MaxItems", "1")]).await;
            assert_eq!(page.elements("Key"), ["B"]);
            let marker = page.element("Marker");
            let page = owner.iam_ok(&list, &[(name, "x"), ("MaxItems", "1"), ("Marker", &marker)]).await;
            assert_eq!(
                (page.elements("Key"), page.element("IsTruncated")),
                (vec!["a".to_owned()], "false".to_owned())
            );
            owner
                .iam_ok(
                    &format!("Untag{kind}"),
                    &[(name, "x"), ("TagKeys.member.1", "b"), ("TagKeys.member.2", "none")],
                )
                .await;
            assert_eq!(owner.iam_ok(&list, &[(name, "x")]).await.elements("Key"), ["a"]);
        }
    })
    .await;
}

#[tokio::test]
async fn the_quotas_of_users_and_roles_are_kept() {
    let mut settings = rampart_testkit::server::settings();
    (settings.iam_quotas.users, settings.iam_quotas.roles) = (2, 1);
    for_each_store_with(settings, async |server: TestServer| {
        let owner = server.account(OWNER);
        for name in ["a", "b"] {
            owner.iam_ok("CreateUser", &[("UserName", name)]).await;
        }
        let refused = owner.iam("CreateUser", &[("UserName", "c")]).await;
        assert_refused(&refused, 409, "LimitExceeded");
        assert_eq!(refused.element("Message"), "Cannot exceed quota for UsersPerAccount: 2");
        owner.iam_ok("DeleteUser", &[("UserName", "a")]).await;
        owner.iam_ok("CreateUser", &[("UserName", "c")]).await;
        let role = |name| [("RoleName", name), ("AssumeRolePolicyDocument", TRUST)];
        owner.iam_ok("CreateRole", &role("a")).await;
        assert_refused(&owner.iam("CreateRole", &role("b")).await, 409, "LimitExceeded");
        // Another account has its own.
        server.account(CONSUMER).iam_ok("CreateUser", &[("UserName", "a")]).await;
    })
    .await;
}

#[tokio::test]
async fn who_am_i() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        let root = owner.iam_ok("GetUser", &[]).await;
        assert_eq!(root.element("Arn"), format!("arn:aws:iam::{OWNER}:root"));
        let alice = server.client(server.create_key(OWNER, "alice").await);
        let me = alice.iam_ok("GetUser", &[]).await;
        assert_eq!(
            (me.element("UserName"), alice.sts("GetCallerIdentity").await.element("UserId")),
            ("alice".to_owned(), me.element("UserId"))
        );
        assert_eq!(owner.iam_ok("ListGroupsForUser", &[("UserName", "alice")]).await.element("Groups"), "");
    })
    .await;
}

#[tokio::test]
async fn the_role_of_ram_comes_and_goes() {
    for_each_store(async |server: TestServer| {
        let owner = server.account(OWNER);
        let service = [("AWSServiceName", "ram.amazonaws.com")];
        let name = ("RoleName", "AWSServiceRoleForResourceAccessManager");
        let made = owner.iam_ok("CreateServiceLinkedRole", &service).await;
        assert_eq!(made.element("Path"), "/aws-service-role/ram.amazonaws.com/");
        assert_eq!(made.element("RoleName"), name.1);
        assert_refused(&owner.iam("CreateServiceLinkedRole", &service).await, 400, "InvalidInput");
        let other = [("AWSServiceName", "ec2.amazonaws.com")];
        assert_refused(&owner.iam("CreateServiceLinkedRole", &other).await, 400, "InvalidInput");
        let attached = owner.iam_ok("ListAttachedRolePolicies", &[name]).await;
        assert_eq!(attached.element("PolicyName"), "AWSResourceAccessManagerServiceRolePolicy");

        for (action, parameters) in [
            ("DeleteRole", vec![name]),
            ("UpdateAssumeRolePolicy", vec![name, ("PolicyDocument", TRUST)]),
            ("UpdateRole", vec![name, ("MaxSessionDuration", "7200")]),
            ("TagRole", vec![name, ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
            (
                "AttachRolePolicy",
                vec![name, ("PolicyArn", "arn:aws:iam::aws:policy/AWSResourceAccessManagerFullAccess")],
            ),
            (
                "DetachRolePolicy",
                vec![
                    name,
                    (
                        "PolicyArn",
                        "arn:aws:iam::aws:policy/aws-service-role/AWSResourceAccessManagerServiceRolePolicy",
                    ),
                ],
            ),
        ] {
            assert_refused(&owner.iam(action, &parameters).await, 400, "UnmodifiableEntity");
        }

        let task = owner.iam_ok("DeleteServiceLinkedRole", &[name]).await.element("DeletionTaskId");
        assert!(task.starts_with(&format!("task/aws-service-role/ram.amazonaws.com/{}/", name.1)), "{task}");
        let status = owner.iam_ok("GetServiceLinkedRoleDeletionStatus", &[("DeletionTaskId", &task)]).await;
        assert_eq!(status.element("Status"), "SUCCEEDED");
        let forged = format!("{}0", &task[..task.len() - 1]);
        let forged = if forged == task { format!("{}1", &task[..task.len() - 1]) } else { forged };
        for (client, task) in [(&owner, forged.as_str()), (&owner, "x"), (&server.account(CONSUMER), &task)] {
            let status = client.iam("GetServiceLinkedRoleDeletionStatus", &[("DeletionTaskId", task)]).await;
            assert_refused(&status, 404, "NoSuchEntity");
        }
        assert_refused(&owner.iam("GetRole", &[name]).await, 404, "NoSuchEntity");
        assert_refused(&owner.iam("DeleteServiceLinkedRole", &[name]).await, 404, "NoSuchEntity");
        assert_eq!((server.count("iam_identity"), server.count("iam_policy")), (0, 0));
        owner.iam_ok("CreateRole", &[("RoleName", "mine"), ("AssumeRolePolicyDocument", TRUST)]).await;
        assert_refused(
            &owner.iam("DeleteServiceLinkedRole", &[("RoleName", "mine")]).await,
            404,
            "NoSuchEntity",
        );
    })
    .await;
}
