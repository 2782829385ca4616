//! Who may assume a role in strict mode: each form in which a trust policy names callers, within an account and from
//! another.

use rampart_testkit::server::for_each_store_with;
use rampart_testkit::{Client, TestServer};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER};
use crate::sts::{assume, create_role, put_policy, session, strict, trust};

const STS: &str = r#"{"Effect":"Allow","Action":"sts:*","Resource":"*"}"#;

/// Those who try, all of one account.
struct Callers {
    /// May assume by her own policies.
    alice: Client,
    /// Has no policies.
    bob: Client,
    /// A session of a role below a path that may assume.
    worker: Client,
    /// A session of a role without policies.
    idler: Client,
    /// The role, in a session whose own policy is silent about assuming.
    bounded: Client,
}

impl Callers {
    async fn of(server: &TestServer) -> Self {
        let root = server.client(server.create_key(CONSUMER, "").await);
        let alice = server.client(server.create_key(CONSUMER, "alice").await);
        let bob = server.client(server.create_key(CONSUMER, "bob").await);
        put_policy(&root, ("UserName", "alice"), STS).await;
        let trusts = trust(&format!("arn:aws:iam::{CONSUMER}:user/alice"), "");
        for name in ["worker", "idler"] {
            let named = [("RoleName", name), ("Path", "/team/"), ("AssumeRolePolicyDocument", &*trusts)];
            root.iam_ok("CreateRole", &named).await;
        }
        put_policy(&root, ("RoleName", "worker"), STS).await;
        let worker = session(server, &assume(&alice, CONSUMER, "team/worker", &[]).await);
        let idler = session(server, &assume(&alice, CONSUMER, "team/idler", &[]).await);
        let silent =
            ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AWSResourceAccessManagerFullAccess");
        let bounded = session(server, &assume(&alice, CONSUMER, "team/idler", &[silent]).await);
        Self { alice, bob, worker, idler, bounded }
    }

    fn each(&self) -> [(&'static str, &Client); 5] {
        let Self { alice, bob, worker, idler, bounded } = self;
        [("alice", alice), ("bob", bob), ("worker", worker), ("idler", idler), ("bounded", bounded)]
    }

    async fn who_may(&self, account: &str, role: &str) -> Vec<&'static str> {
        let mut may = Vec::new();
        for (name, caller) in self.each() {
            let reply = assume(caller, account, role, &[("ExternalId", "id-1")]).await;
            match reply.status {
                200 => may.push(name),
                _ => {
                    assert_eq!(reply.xml_error(), (403, "AccessDenied".to_owned()), "{name}: {}", reply.text);
                }
            }
        }
        may
    }
}

/// A trust policy of one statement.
fn statement(principal: &Value, condition: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

/// Principal, condition, who may of the same account, and who may of another.
fn forms() -> Vec<(Value, Value, Vec<&'static str>, Vec<&'static str>)> {
    let iam = |rest: &str| format!("arn:aws:iam::{CONSUMER}:{rest}");
    let sts = |rest: &str| format!("arn:aws:sts::{CONSUMER}:assumed-role/{rest}");
    let aws = |name: String| json!({"AWS": name});
    let none = Value::Null;
    let with_policies = vec!["alice", "worker"];
    // The session's own policy bounds what the role is given, whoever gives it.
    let all_but_bounded = vec!["alice", "bob", "worker", "idler"];
    let equals = |key: &str, value: &str| json!({"StringEquals": {key: value}});
    vec![
        (aws(CONSUMER.to_owned()), none.clone(), with_policies.clone(), with_policies.clone()),
        (aws(iam("root")), none.clone(), with_policies.clone(), with_policies.clone()),
        (aws(iam("user/alice")), none.clone(), vec!["alice"], vec!["alice"]),
        (aws(iam("user/bob")), none.clone(), vec!["bob"], vec![]),
        (aws(iam("user/al")), none.clone(), vec![], vec![]),
        (aws(iam("role/team/worker")), none.clone(), vec!["worker"], vec!["worker"]),
        (aws(iam("role/worker")), none.clone(), vec![], vec![]),
        (aws(iam("role/team/idler")), none.clone(), vec!["idler"], vec![]),
        (aws(sts("worker/work")), none.clone(), vec!["worker"], vec!["worker"]),
        (aws(sts("worker/other")), none.clone(), vec![], vec![]),
        (aws("333333333333".to_owned()), none.clone(), vec![], vec![]),
        (json!({"Service": "ram.amazonaws.com"}), none.clone(), vec![], vec![]),
        (json!({"AWS": ["333333333333", iam("user/alice")]}), none.clone(), vec!["alice"], vec!["alice"]),
        (json!("*"), none.clone(), all_but_bounded.clone(), with_policies.clone()),
        (json!({"AWS": "*"}), none, all_but_bounded.clone(), with_policies.clone()),
        (
            json!("*"),
            equals("aws:PrincipalAccount", CONSUMER),
            all_but_bounded.clone(),
            with_policies.clone(),
        ),
        (json!("*"), equals("aws:PrincipalAccount", "333333333333"), vec![], vec![]),
        (
            json!("*"),
            json!({"ArnLike": {"aws:PrincipalArn": iam("role/team/*")}}),
            vec!["worker", "idler"],
            vec!["worker"],
        ),
        (json!("*"), json!({"ArnEquals": {"aws:PrincipalArn": iam("user/bob")}}), vec!["bob"], vec![]),
        (
            aws(CONSUMER.to_owned()),
            equals("sts:ExternalId", "id-1"),
            with_policies.clone(),
            with_policies.clone(),
        ),
        (aws(CONSUMER.to_owned()), equals("sts:ExternalId", "id-2"), vec![], vec![]),
        (json!("*"), equals("aws:username", "alice"), vec!["alice"], vec!["alice"]),
        (json!("*"), equals("sts:RoleSessionName", "work"), all_but_bounded, with_policies),
        (json!("*"), json!({"Null": {"aws:PrincipalOrgID": "false"}}), vec![], vec![]),
    ]
}

#[tokio::test]
async fn each_form_of_a_principal_means_whom_it_means() {
    for_each_store_with(strict(), async |server: TestServer| {
        let callers = Callers::of(&server).await;
        let owner = server.client(server.create_key(OWNER, "").await);
        let consumer = server.client(server.create_key(CONSUMER, "").await);
        for (n, (principal, condition, own, foreign)) in forms().into_iter().enumerate() {
            let document = json!({"Version": "2012-10-17", "Statement": statement(&principal, &condition)});
            let role = format!("r{n}");
            create_role(&consumer, &role, &document.to_string()).await;
            create_role(&owner, &role, &document.to_string()).await;
            assert_eq!(callers.who_may(CONSUMER, &role).await, own, "{principal} {condition} of the account");
            assert_eq!(callers.who_may(OWNER, &role).await, foreign, "{principal} {condition} of another");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_trust_policy_denies_nobody_gets() {
    for_each_store_with(strict(), async |server: TestServer| {
        let callers = Callers::of(&server).await;
        let consumer = server.client(server.create_key(CONSUMER, "").await);
        let allow = statement(&json!("*"), &Value::Null);
        for (n, (denied, may)) in [
            (json!({"AWS": format!("arn:aws:iam::{CONSUMER}:user/alice")}), vec!["bob", "worker", "idler"]),
            (json!({"AWS": CONSUMER}), vec![]),
            (
                json!({"AWS": format!("arn:aws:iam::{CONSUMER}:role/team/worker")}),
                vec!["alice", "bob", "idler"],
            ),
        ]
        .into_iter()
        .enumerate()
        {
            let deny = json!({"Effect": "Deny", "Principal": denied, "Action": "sts:AssumeRole"});
            let document = json!({"Version": "2012-10-17", "Statement": [allow, deny]});
            let role = format!("r{n}");
            create_role(&consumer, &role, &document.to_string()).await;
            assert_eq!(callers.who_may(CONSUMER, &role).await, may, "{denied}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_principal_that_is_none_is_refused_when_it_is_written() {
    for_each_store_with(strict(), async |server: TestServer| {
        let root = server.client(server.create_key(OWNER, "").await);
        create_role(&root, "kept", &trust(OWNER, "")).await;
        for principal in ["nonsense", "arn:aws:iam::111111111111:group/g", "arn:aws:iam::1:root", "12345"] {
            let document = trust(principal, "");
            let named = [("RoleName", "r"), ("AssumeRolePolicyDocument", &*document)];
            let refused = root.iam("CreateRole", &named).await;
            assert_eq!(refused.xml_error(), (400, "MalformedPolicyDocument".to_owned()), "{}", refused.text);
            assert!(refused.element("Message").contains("an AWS principal is"), "{}", refused.text);
            let named = [("RoleName", "kept"), ("PolicyDocument", &*document)];
            let refused = root.iam("UpdateAssumeRolePolicy", &named).await;
            assert_eq!(refused.xml_error(), (400, "MalformedPolicyDocument".to_owned()), "{}", refused.text);
        }
        assert_eq!(server.count("iam_identity"), 1);
    })
    .await;
}

#[tokio::test]
async fn the_tags_of_a_role_are_conditions_on_assuming_it() {
    for_each_store_with(strict(), async |server: TestServer| {
        let root = server.client(server.create_key(CONSUMER, "").await);
        let alice = server.client(server.create_key(CONSUMER, "alice").await);
        let trusts = trust(CONSUMER, "");
        for (name, team) in [("net", "net"), ("other", "other")] {
            let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", team)];
            let named = [("RoleName", name), ("AssumeRolePolicyDocument", &*trusts), tag[0], tag[1]];
            root.iam_ok("CreateRole", &named).await;
        }
        for key in ["aws:ResourceTag/team", "iam:ResourceTag/team"] {
            let condition = json!({"StringEquals": {key: "net"}});
            let allow = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*", "Condition": condition});
            put_policy(&root, ("UserName", "alice"), &allow.to_string()).await;
            session(&server, &assume(&alice, CONSUMER, "net", &[]).await);
            assert_eq!(assume(&alice, CONSUMER, "other", &[]).await.status, 403, "{key}");
        }
    })
    .await;
}
