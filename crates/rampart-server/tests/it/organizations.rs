//! Organizations over HTTP, on both stores: every operation, what it refuses, and what stays when it does.

mod accounts;
mod file;
mod handshakes;
mod membership;
mod policies;
mod tree;

use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

pub(crate) const MANAGEMENT: &str = "111111111111";
pub(crate) const MEMBER: &str = "222222222222";
pub(crate) const OUTSIDER: &str = "333333333333";

/// Calls an operation of Organizations that must succeed.
pub(crate) async fn ok(client: &Client, operation: &str, input: &Value) -> Value {
    let reply = client.organizations(operation, input).await;
    assert_eq!(reply.status, 200, "{operation} {input}: {} {}", reply.error_code, reply.text);
    assert_eq!(reply.headers["content-type"], "application/x-amz-json-1.1");
    reply.json
}

/// Calls one that must be refused; gives the code without its `Exception`, and the reason if there is one.
pub(crate) async fn refused(client: &Client, operation: &str, input: &Value) -> String {
    let reply = client.organizations(operation, input).await;
    assert_eq!(reply.status, 400, "{operation} {input}: {}", reply.text);
    assert_eq!(reply.json["__type"], reply.error_code, "{}", reply.text);
    assert!(reply.json["Message"].as_str().is_some_and(|message| !message.is_empty()), "{}", reply.text);
    let code = reply.error_code.strip_suffix("Exception").unwrap().to_owned();
    match reply.json["Reason"].as_str() {
        Some(reason) => format!("{code} {reason}"),
        None => code,
    }
}

/// Makes an organization; gives its id and its root's.
pub(crate) async fn create(management: &Client) -> (String, String) {
    let made = ok(management, "CreateOrganization", &json!({})).await;
    let roots = ok(management, "ListRoots", &json!({})).await;
    (text(&made["Organization"]["Id"]), text(&roots["Roots"][0]["Id"]))
}

/// Makes an account; gives its id.
pub(crate) async fn create_account(management: &Client, name: &str) -> String {
    let email = format!("{name}@example.com");
    let begun = ok(management, "CreateAccount", &json!({"AccountName": name, "Email": email})).await;
    let id = &begun["CreateAccountStatus"]["Id"];
    let ended = ok(management, "DescribeCreateAccountStatus", &json!({"CreateAccountRequestId": id})).await;
    text(&ended["CreateAccountStatus"]["AccountId"])
}

/// Makes a unit; gives its id.
pub(crate) async fn create_unit(management: &Client, parent: &str, name: &str) -> String {
    let made = ok(management, "CreateOrganizationalUnit", &json!({"ParentId": parent, "Name": name})).await;
    text(&made["OrganizationalUnit"]["Id"])
}

/// Has an account that is there join.
pub(crate) async fn join(management: &Client, account: &Client) {
    let target = json!({"Target": {"Type": "ACCOUNT", "Id": account.id()}});
    let invited = ok(management, "InviteAccountToOrganization", &target).await;
    ok(account, "AcceptHandshake", &json!({"HandshakeId": invited["Handshake"]["Id"]})).await;
}

/// Moves an account from one parent to another.
pub(crate) async fn move_account(management: &Client, account: &str, source: &str, destination: &str) {
    let input = json!({"AccountId": account, "SourceParentId": source, "DestinationParentId": destination});
    ok(management, "MoveAccount", &input).await;
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The ids in a list.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| text(&item["Id"])).collect()
}

#[tokio::test]
async fn an_organization_is_made_described_and_deleted() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        assert_eq!(
            refused(&management, "DescribeOrganization", &json!({})).await,
            "AWSOrganizationsNotInUse"
        );
        let made = ok(&management, "CreateOrganization", &json!({"FeatureSet": "ALL"})).await;
        let organization = &made["Organization"];
        let id = text(&organization["Id"]);
        assert_eq!(organization["Arn"], format!("arn:aws:organizations::{MANAGEMENT}:organization/{id}"));
        assert_eq!(organization["FeatureSet"], "ALL");
        assert_eq!(organization["MasterAccountId"], MANAGEMENT);
        let account_arn = format!("arn:aws:organizations::{MANAGEMENT}:account/{id}/{MANAGEMENT}");
        assert_eq!(organization["MasterAccountArn"], account_arn);
        let types = json!([{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]);
        assert_eq!(organization["AvailablePolicyTypes"], types);
        assert_eq!(ok(&management, "DescribeOrganization", &json!({})).await, made);

        // AWS: no type of policies is enabled in a new root.
        let roots = ok(&management, "ListRoots", &json!({})).await;
        let root = text(&roots["Roots"][0]["Id"]);
        let arn = format!("arn:aws:organizations::{MANAGEMENT}:root/{id}/{root}");
        assert_eq!(roots, json!({"Roots": [{"Id": root, "Arn": arn, "Name": "Root", "PolicyTypes": []}]}));

        let again = refused(&management, "CreateOrganization", &json!({})).await;
        assert_eq!(again, "AlreadyInOrganization");
        ok(&management, "DeleteOrganization", &json!({})).await;
        assert_eq!(
            refused(&management, "DescribeOrganization", &json!({})).await,
            "AWSOrganizationsNotInUse"
        );
        assert_eq!(server.count("organization_member"), 0);
        // And another may be made.
        let next =
            ok(&management, "CreateOrganization", &json!({"FeatureSet": "CONSOLIDATED_BILLING"})).await;
        assert_ne!(next["Organization"]["Id"], id.as_str());
        assert_eq!(next["Organization"]["AvailablePolicyTypes"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn of_a_deleted_organization_nothing_is_left_for_the_next() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        let member = server.account(MEMBER);
        let (_, root) = create(&management).await;
        // More than one transaction removes.
        for number in 0..260 {
            let name = format!("unit {number}");
            let tags = json!([{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]);
            let input = json!({"ParentId": root, "Name": name, "Tags": tags});
            ok(&management, "CreateOrganizationalUnit", &input).await;
        }
        ok(&management, "EnableAWSServiceAccess", &json!({"ServicePrincipal": "ram.amazonaws.com"})).await;
        let scp = json!({"RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY"});
        ok(&management, "EnablePolicyType", &scp).await;
        let content =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}"#;
        let policy =
            json!({"Name": "p", "Description": "", "Content": content, "Type": "SERVICE_CONTROL_POLICY"});
        let made = ok(&management, "CreatePolicy", &policy).await;
        let id = text(&made["Policy"]["PolicySummary"]["Id"]);
        ok(&management, "AttachPolicy", &json!({"PolicyId": id, "TargetId": root})).await;
        let account = create_account(&management, "one").await;
        ok(&management, "RemoveAccountFromOrganization", &json!({"AccountId": account})).await;
        let target = json!({"Target": {"Type": "ACCOUNT", "Id": MEMBER}});
        let invited = ok(&management, "InviteAccountToOrganization", &target).await;
        let handshake = json!({"HandshakeId": invited["Handshake"]["Id"]});

        ok(&management, "DeleteOrganization", &json!({})).await;
        assert_eq!(server.count("organizational_unit"), 260, "they go in the background");
        let list = async || ok(&member, "ListHandshakesForAccount", &json!({})).await;
        assert_eq!(list().await, json!({"Handshakes": []}));
        for operation in ["DescribeHandshake", "AcceptHandshake"] {
            assert_eq!(refused(&member, operation, &handshake).await, "HandshakeNotFound");
        }
        assert_eq!(refused(&management, "ListRoots", &json!({})).await, "AWSOrganizationsNotInUse");

        let (_, root) = create(&management).await;
        let parent = json!({"ParentId": root});
        let units = ok(&management, "ListOrganizationalUnitsForParent", &parent).await;
        assert_eq!(units, json!({"OrganizationalUnits": []}));
        let listed = ok(&management, "ListPolicies", &json!({"Filter": "SERVICE_CONTROL_POLICY"})).await;
        assert_eq!(ids(&listed["Policies"]), ["p-FullAWSAccess"]);
        for (operation, empty) in [
            ("ListAWSServiceAccessForOrganization", "EnabledServicePrincipals"),
            ("ListCreateAccountStatus", "CreateAccountStatuses"),
            ("ListHandshakesForOrganization", "Handshakes"),
        ] {
            assert_eq!(ok(&management, operation, &json!({})).await, json!({ empty: [] }));
        }
        assert_eq!(list().await, json!({"Handshakes": []}));
        assert_eq!(refused(&member, "AcceptHandshake", &handshake).await, "HandshakeNotFound");
        for table in ["organizational_unit", "organization_tag", "organization_remains"] {
            assert_eq!(server.count(table), 0, "{table}");
        }
        // Background work leaves the new one alone, and takes what is left of it when it is gone, too.
        create_unit(&management, &root, "kept").await;
        server.sweep().await;
        assert_eq!(server.count("organizational_unit"), 1);
        ok(&management, "DeleteOrganization", &json!({})).await;
        server.sweep().await;
        assert_eq!((server.count("organizational_unit"), server.count("organization_remains")), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_named() {
    let server = TestServer::sqlite().await;
    let management = server.account(MANAGEMENT);
    let bad = json!({"FeatureSet": "SOME"});
    assert_eq!(refused(&management, "CreateOrganization", &bad).await, "InvalidInput INVALID_ENUM");
    create(&management).await;
    for (operation, input, reason) in [
        ("DescribeAccount", json!({}), "INPUT_REQUIRED"),
        ("DescribeAccount", json!({"AccountId": "1"}), "INVALID_PATTERN"),
        ("ListAccounts", json!({"MaxResults": 0}), "MIN_VALUE_EXCEEDED"),
        ("ListAccounts", json!({"MaxResults": 21}), "MAX_VALUE_EXCEEDED"),
        ("ListAccounts", json!({"NextToken": "abc"}), "INVALID_NEXT_TOKEN"),
        ("ListPolicies", json!({"Filter": "SOME_POLICY"}), "INVALID_ENUM"),
        ("CreateOrganizationalUnit", json!({"ParentId": "x", "Name": "n"}), "INVALID_PATTERN"),
        ("CreateAccount", json!({"AccountName": "n", "Email": "no address"}), "INVALID_PATTERN"),
        ("CreateAccount", json!({"Email": "a@example.com"}), "INPUT_REQUIRED"),
        ("EnableAWSServiceAccess", json!({"ServicePrincipal": "a b"}), "INVALID_PATTERN"),
        ("ListChildren", json!({"ParentId": "r-abcd", "ChildType": "LEAF"}), "INVALID_ENUM"),
        ("ListCreateAccountStatus", json!({"States": ["DONE"]}), "INVALID_ENUM"),
    ] {
        let expected = format!("InvalidInput {reason}");
        assert_eq!(refused(&management, operation, &input).await, expected, "{operation} {input}");
    }
    let reply = management.organizations("DescribeAccount", &json!({"AccountId": 1})).await;
    assert_eq!((reply.status, reply.error_code.as_str()), (400, "SerializationException"));
}

/// What only the management account may call, with input that it could succeed with.
fn managed(root: &str) -> Vec<(&'static str, Value)> {
    let unit = json!({"OrganizationalUnitId": "ou-abcd-12345678"});
    let policy = json!({"PolicyId": "p-1234567890", "TargetId": root});
    let service = json!({"ServicePrincipal": "ram.amazonaws.com"});
    let root_type = json!({"RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY"});
    let content = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    vec![
        ("AttachPolicy", policy.clone()),
        ("CloseAccount", json!({"AccountId": MEMBER})),
        ("CreateAccount", json!({"AccountName": "n", "Email": "n@example.com"})),
        ("CreateOrganizationalUnit", json!({"ParentId": root, "Name": "n"})),
        (
            "CreatePolicy",
            json!({"Name": "n", "Description": "", "Content": content, "Type": "SERVICE_CONTROL_POLICY"}),
        ),
        ("DeleteOrganization", json!({})),
        ("DeleteOrganizationalUnit", unit.clone()),
        ("DeletePolicy", policy.clone()),
        ("DescribeAccount", json!({"AccountId": MEMBER})),
        ("DescribeCreateAccountStatus", json!({"CreateAccountRequestId": "car-12345678"})),
        ("DescribeOrganizationalUnit", unit.clone()),
        ("DescribePolicy", policy.clone()),
        ("DetachPolicy", policy.clone()),
        ("DisableAWSServiceAccess", service.clone()),
        ("DisablePolicyType", root_type.clone()),
        ("EnableAWSServiceAccess", service),
        ("EnablePolicyType", root_type),
        ("InviteAccountToOrganization", json!({"Target": {"Type": "ACCOUNT", "Id": OUTSIDER}})),
        ("ListAWSServiceAccessForOrganization", json!({})),
        ("ListAccounts", json!({})),
        ("ListAccountsForParent", json!({"ParentId": root})),
        ("ListChildren", json!({"ParentId": root, "ChildType": "ACCOUNT"})),
        ("ListCreateAccountStatus", json!({})),
        ("ListHandshakesForOrganization", json!({})),
        ("ListOrganizationalUnitsForParent", json!({"ParentId": root})),
        ("ListParents", json!({"ChildId": MEMBER})),
        ("ListPolicies", json!({"Filter": "SERVICE_CONTROL_POLICY"})),
        ("ListPoliciesForTarget", json!({"TargetId": root, "Filter": "SERVICE_CONTROL_POLICY"})),
        ("ListRoots", json!({})),
        ("ListTagsForResource", json!({"ResourceId": root})),
        ("ListTargetsForPolicy", policy.clone()),
        (
            "MoveAccount",
            json!({"AccountId": MEMBER, "SourceParentId": root, "DestinationParentId": "r-abcd"}),
        ),
        ("RemoveAccountFromOrganization", json!({"AccountId": MEMBER})),
        ("TagResource", json!({"ResourceId": root, "Tags": [{"Key": "k", "Value": "v"}]})),
        ("UntagResource", json!({"ResourceId": root, "TagKeys": ["k"]})),
        ("UpdateOrganizationalUnit", unit),
        ("UpdatePolicy", policy),
    ]
}

#[tokio::test]
async fn the_management_account_alone_decides() {
    for_each_store(async |server| {
        let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
        let (_, root) = create(&management).await;
        join(&management, &member).await;
        let outsider = server.account(OUTSIDER);
        for (operation, input) in managed(&root) {
            assert_eq!(refused(&member, operation, &input).await, "AccessDenied", "{operation}");
            let stranger = refused(&outsider, operation, &input).await;
            assert_eq!(stranger, "AWSOrganizationsNotInUse", "{operation}");
        }
        // Any member may ask what it is a member of.
        let seen = ok(&member, "DescribeOrganization", &json!({})).await;
        assert_eq!(seen, ok(&management, "DescribeOrganization", &json!({})).await);
        let accounts = ok(&management, "ListAccounts", &json!({})).await;
        assert_eq!(ids(&accounts["Accounts"]), [MANAGEMENT, MEMBER]);
    })
    .await;
}

#[tokio::test]
async fn every_operation_that_is_built_is_among_these_tests() {
    let anybody = [
        "AcceptHandshake",
        "CancelHandshake",
        "CreateOrganization",
        "DeclineHandshake",
        "DescribeHandshake",
        "DescribeOrganization",
        "LeaveOrganization",
        "ListHandshakesForAccount",
    ];
    let operations = rampart_server::operations::ORGANIZATIONS.iter();
    let built: Vec<_> =
        operations.filter(|operation| operation.is_built()).map(|operation| operation.name).collect();
    let mut tried: Vec<_> =
        managed("r-abcd").into_iter().map(|(operation, _)| operation).chain(anybody).collect();
    tried.sort_unstable();
    assert_eq!(tried, built);
}

#[tokio::test]
async fn an_operation_that_is_not_built_says_so() {
    let server = TestServer::sqlite().await;
    let management = server.account(MANAGEMENT);
    create(&management).await;
    let reply = management.organizations("EnableAllFeatures", &json!({})).await;
    assert_eq!((reply.status, reply.error_code.as_str()), (400, "UnsupportedOperationException"));
}

#[tokio::test]
async fn a_call_that_is_sent_again_is_answered_again() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT).with_invocation("11111111-2222-4333-8444-555555555555");
        let made = ok(&management, "CreateOrganization", &json!({})).await;
        assert_eq!(ok(&management, "CreateOrganization", &json!({})).await, made);
        let input = json!({"AccountName": "one", "Email": "one@example.com"});
        let begun = ok(&management, "CreateAccount", &input).await;
        assert_eq!(ok(&management, "CreateAccount", &input).await, begun);
        assert_eq!(server.count("organization_member"), 2);
        assert_eq!(server.count("account"), 1);
    })
    .await;
}
