//! Service control policies: made, attached, enabled, and what bears on an account then.

use rampart_core::organization::policy::Policy;
use rampart_server::membership::service_control_policies;
use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use super::{MANAGEMENT, MEMBER, create, create_unit, ids, join, move_account, ok, refused, text};

const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ram:*","Resource":"*"}]}"#;
const FULL: &str = "p-FullAWSAccess";
const SCP: &str = "SERVICE_CONTROL_POLICY";

async fn create_policy(management: &Client, name: &str, content: &str) -> String {
    let input = json!({"Name": name, "Description": "d", "Content": content, "Type": SCP});
    let made = ok(management, "CreatePolicy", &input).await;
    text(&made["Policy"]["PolicySummary"]["Id"])
}

fn attachment(policy: &str, target: &str) -> Value {
    json!({"PolicyId": policy, "TargetId": target})
}

fn of_type(root: &str) -> Value {
    json!({"RootId": root, "PolicyType": SCP})
}

async fn attached(management: &Client, target: &str) -> Vec<String> {
    let input = json!({"TargetId": target, "Filter": SCP});
    let mut ids = ids(&ok(management, "ListPoliciesForTarget", &input).await["Policies"]);
    ids.sort_by_key(|id| id == FULL);
    ids
}

async fn targets(management: &Client, policy: &str) -> Vec<String> {
    let listed = ok(management, "ListTargetsForPolicy", &json!({"PolicyId": policy})).await;
    listed["Targets"].as_array().unwrap().iter().map(|target| text(&target["TargetId"])).collect()
}

/// The documents that bear on an account, level by level.
async fn bearing_on(server: &TestServer, account: &str) -> Vec<Vec<String>> {
    let reader = server.reader().await;
    let membership = reader.membership(account.parse().unwrap()).await.unwrap().unwrap();
    service_control_policies(&reader, &membership).await.unwrap()
}

#[tokio::test]
async fn a_policy_is_made_changed_and_deleted() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        let (organization, _) = create(&management).await;
        let tags = json!([{"Key": "k", "Value": "v"}]);
        let input = json!({"Name": "n", "Description": "d", "Content": DENY, "Type": SCP, "Tags": tags});
        let made = ok(&management, "CreatePolicy", &input).await;
        let summary = &made["Policy"]["PolicySummary"];
        let id = text(&summary["Id"]);
        let arn =
            format!("arn:aws:organizations::{MANAGEMENT}:policy/{organization}/service_control_policy/{id}");
        let expected =
            json!({"Id": id, "Arn": arn, "Name": "n", "Description": "d", "Type": SCP, "AwsManaged": false});
        assert_eq!(*summary, expected);
        assert_eq!(made["Policy"]["Content"], DENY);
        let named = json!({"PolicyId": id});
        assert_eq!(ok(&management, "DescribePolicy", &named).await, made);
        assert_eq!(refused(&management, "CreatePolicy", &input).await, "DuplicatePolicy");

        let allow = DENY.replace("Deny", "Allow");
        let change = json!({"PolicyId": id, "Name": "m", "Content": allow});
        let changed = ok(&management, "UpdatePolicy", &change).await;
        assert_eq!(changed["Policy"]["PolicySummary"]["Name"], "m");
        assert_eq!(changed["Policy"]["PolicySummary"]["Description"], "d");
        assert_eq!(changed["Policy"]["Content"], allow);
        create_policy(&management, "n", DENY).await;
        let taken = json!({"PolicyId": id, "Name": "n"});
        assert_eq!(refused(&management, "UpdatePolicy", &taken).await, "DuplicatePolicy");

        ok(&management, "DeletePolicy", &named).await;
        for operation in ["DeletePolicy", "DescribePolicy", "UpdatePolicy", "ListTargetsForPolicy"] {
            assert_eq!(refused(&management, operation, &named).await, "PolicyNotFound", "{operation}");
        }
        assert_eq!(server.count("organization_tag"), 0);

        let full = json!({"PolicyId": FULL});
        let aws = ok(&management, "DescribePolicy", &full).await;
        assert_eq!(aws["Policy"]["PolicySummary"]["AwsManaged"], true);
        let arn = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess";
        assert_eq!(aws["Policy"]["PolicySummary"]["Arn"], arn);
        for operation in ["DeletePolicy", "UpdatePolicy"] {
            let code = refused(&management, operation, &full).await;
            assert_eq!(code, "InvalidInput IMMUTABLE_POLICY");
        }
        let listed = ok(&management, "ListPolicies", &json!({"Filter": SCP})).await;
        let all = listed["Policies"].as_array().unwrap();
        let mut found: Vec<_> = all.iter().map(|policy| text(&policy["Name"])).collect();
        found.sort();
        assert_eq!(found, ["FullAWSAccess", "n"]);
        let others = ok(&management, "ListPolicies", &json!({"Filter": "TAG_POLICY"})).await;
        assert_eq!(others, json!({"Policies": []}));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_policy_is_refused() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        create(&management).await;
        let with_principal =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#;
        let without_resource = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*"}}"#;
        let long = format!("{DENY}{}", " ".repeat(5_121 - DENY.len()));
        for (content, code) in [
            ("no json", "MalformedPolicyDocument"),
            ("{}", "MalformedPolicyDocument"),
            (with_principal, "MalformedPolicyDocument"),
            (without_resource, "MalformedPolicyDocument"),
            (&long, "ConstraintViolation POLICY_CONTENT_LIMIT_EXCEEDED"),
        ] {
            let input = json!({"Name": "n", "Description": "", "Content": content, "Type": SCP});
            assert_eq!(refused(&management, "CreatePolicy", &input).await, code, "{content}");
        }
        let input = json!({"Name": "n", "Description": "", "Content": DENY, "Type": "TAG_POLICY"});
        let code = refused(&management, "CreatePolicy", &input).await;
        assert_eq!(code, "PolicyTypeNotAvailableForOrganization");
        assert_eq!(server.count("organization_policy"), 0);
        let id = create_policy(&management, "n", &long[..5_120]).await;
        let code = refused(&management, "UpdatePolicy", &json!({"PolicyId": id, "Content": "{}"})).await;
        assert_eq!(code, "MalformedPolicyDocument");

        let billing = server.account(MEMBER);
        let set = json!({"FeatureSet": "CONSOLIDATED_BILLING"});
        ok(&billing, "CreateOrganization", &set).await;
        let root = ids(&ok(&billing, "ListRoots", &json!({})).await["Roots"]).remove(0);
        let input = json!({"Name": "n", "Description": "", "Content": DENY, "Type": SCP});
        for (operation, input) in [("CreatePolicy", input), ("EnablePolicyType", of_type(&root))] {
            let code = refused(&billing, operation, &input).await;
            assert_eq!(code, "PolicyTypeNotAvailableForOrganization", "{operation}");
        }
    })
    .await;
}

#[tokio::test]
async fn policies_are_attached_and_detached() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        let (_, root) = create(&management).await;
        let unit = create_unit(&management, &root, "unit").await;
        let policy = create_policy(&management, "n", DENY).await;
        let code = refused(&management, "AttachPolicy", &attachment(&policy, &root)).await;
        assert_eq!(code, "PolicyTypeNotEnabled");
        assert_eq!(attached(&management, &root).await, [""; 0]);

        let enabled = ok(&management, "EnablePolicyType", &of_type(&root)).await;
        assert_eq!(enabled["Root"]["PolicyTypes"], json!([{"Type": SCP, "Status": "ENABLED"}]));
        let roots = ok(&management, "ListRoots", &json!({})).await;
        assert_eq!(roots["Roots"][0], enabled["Root"]);
        let code = refused(&management, "EnablePolicyType", &of_type(&root)).await;
        assert_eq!(code, "PolicyTypeAlreadyEnabled");
        assert_eq!(refused(&management, "EnablePolicyType", &of_type("r-zzzz")).await, "RootNotFound");
        let every = [MANAGEMENT.to_owned(), unit.clone(), root.clone()];
        assert_eq!(targets(&management, FULL).await, every);

        for target in [&root, &unit, MANAGEMENT] {
            assert_eq!(attached(&management, target).await, [FULL]);
            let last = refused(&management, "DetachPolicy", &attachment(FULL, target)).await;
            assert_eq!(last, "ConstraintViolation MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
            ok(&management, "AttachPolicy", &attachment(&policy, target)).await;
            let again = refused(&management, "AttachPolicy", &attachment(&policy, target)).await;
            assert_eq!(again, "DuplicatePolicyAttachment");
            assert_eq!(attached(&management, target).await, [policy.as_str(), FULL]);
        }
        assert_eq!(targets(&management, &policy).await, every);
        assert_eq!(refused(&management, "DeletePolicy", &json!({"PolicyId": policy})).await, "PolicyInUse");
        ok(&management, "DetachPolicy", &attachment(FULL, &unit)).await;
        assert_eq!(targets(&management, FULL).await, [MANAGEMENT, &root]);
        assert_eq!(attached(&management, &unit).await, [policy.as_str()]);
        ok(&management, "AttachPolicy", &attachment(FULL, &unit)).await;
        assert_eq!(targets(&management, FULL).await, every);

        for n in 0..3 {
            let more = create_policy(&management, &format!("more {n}"), DENY).await;
            ok(&management, "AttachPolicy", &attachment(&more, &root)).await;
        }
        let sixth = create_policy(&management, "sixth", DENY).await;
        let code = refused(&management, "AttachPolicy", &attachment(&sixth, &root)).await;
        assert_eq!(code, "ConstraintViolation MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
        for (input, code) in [
            (attachment("p-1234567890", &root), "PolicyNotFound"),
            (attachment(&policy, "999999999999"), "TargetNotFound"),
            (attachment(&policy, "r-zzzz"), "TargetNotFound"),
            (attachment(&sixth, &root), "PolicyNotAttached"),
        ] {
            assert_eq!(refused(&management, "DetachPolicy", &input).await, code, "{input}");
        }

        // Disabling detaches all, and enabling begins anew.
        ok(&management, "DisablePolicyType", &of_type(&root)).await;
        let code = refused(&management, "DisablePolicyType", &of_type(&root)).await;
        assert_eq!(code, "PolicyTypeNotEnabled");
        assert_eq!(targets(&management, &policy).await, [""; 0]);
        assert!(server.count("organization_attachment") > 0, "they go in the background");
        server.sweep().await;
        assert_eq!(server.count("organization_attachment"), 0);
        ok(&management, "DeletePolicy", &json!({"PolicyId": policy})).await;
        ok(&management, "EnablePolicyType", &of_type(&root)).await;
        assert_eq!(attached(&management, &root).await, [FULL]);
        // What is attached after that stays when what was attached before is removed late.
        let kept = create_policy(&management, "kept", DENY).await;
        ok(&management, "AttachPolicy", &attachment(&kept, &root)).await;
        ok(&management, "DisablePolicyType", &of_type(&root)).await;
        ok(&management, "EnablePolicyType", &of_type(&root)).await;
        ok(&management, "AttachPolicy", &attachment(&kept, &root)).await;
        server.sweep().await;
        assert_eq!(attached(&management, &root).await, [kept.as_str(), FULL]);
    })
    .await;
}

#[tokio::test]
async fn what_bears_on_an_account_is_read_level_by_level() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        let (_, root) = create(&management).await;
        let outer = create_unit(&management, &root, "outer").await;
        let inner = create_unit(&management, &outer, "inner").await;
        join(&management, &server.account(MEMBER)).await;
        move_account(&management, MEMBER, &root, &inner).await;
        assert!(bearing_on(&server, MEMBER).await.is_empty());
        ok(&management, "EnablePolicyType", &of_type(&root)).await;
        let full = Policy::full_access(MANAGEMENT.parse().unwrap()).content;
        let level = || vec![full.clone()];
        assert_eq!(bearing_on(&server, MEMBER).await, [level(), level(), level(), level()]);
        // The management account is free of them.
        assert!(bearing_on(&server, MANAGEMENT).await.is_empty());

        let allow = DENY.replace("Deny", "Allow");
        let (deny, allows) = (
            create_policy(&management, "deny", DENY).await,
            create_policy(&management, "allow", &allow).await,
        );
        ok(&management, "AttachPolicy", &attachment(&deny, MEMBER)).await;
        ok(&management, "AttachPolicy", &attachment(&allows, &outer)).await;
        ok(&management, "DetachPolicy", &attachment(FULL, &outer)).await;
        let account = vec![full.clone(), DENY.to_owned()];
        assert_eq!(bearing_on(&server, MEMBER).await, [level(), vec![allow], level(), account.clone()]);
        move_account(&management, MEMBER, &inner, &root).await;
        assert_eq!(bearing_on(&server, MEMBER).await, [level(), account]);
        // What was attached to an account that left is gone when it is back.
        ok(&server.account(MEMBER), "LeaveOrganization", &json!({})).await;
        join(&management, &server.account(MEMBER)).await;
        assert_eq!(bearing_on(&server, MEMBER).await, [level(), level()]);
    })
    .await;
}
