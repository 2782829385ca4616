//! Every operation of every service, tried in strict mode by those who may not: nothing but the documented refusals
//! comes back, and nothing changes.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use rampart_aws::query::percent_encode;
use rampart_server::operations::{Operation, Service};
use rampart_testkit::client::Key;
use rampart_testkit::server::for_each_store_with;
use rampart_testkit::{Client, Reply, TestServer};
use serde_json::{Value, json};

use crate::organizations;
use crate::sharing::{CONSUMER, OWNER, STRANGER, component, create, gateway};
use crate::sts::{assume, create_role, put_policy, session, strict, trust};

/// Stands in all that the owner has and no call of these tests names: nobody else may get to see it.
const SECRET: &str = "topsecret";

/// An account with something of everything, and the ids of it.
struct World {
    root: Client,
    key: Key,
    share: String,
    invitation: String,
    organization_root: String,
    unit: String,
    policy: String,
    handshake: String,
    user_key: String,
}

impl World {
    async fn make(server: &TestServer) -> Self {
        let key = server.create_key(OWNER, "").await;
        let root = server.client(key.clone());
        let receiver = server.client(server.create_key(CONSUMER, "").await);
        let tags = json!([{"key": "k", "value": SECRET}]);
        let share = json!({"name": SECRET, "tags": tags.clone(), "resourceArns": [gateway(1)], "principals": [CONSUMER]});
        let share = create(&root, &share).await;
        let invitations = receiver.ok("GetResourceShareInvitations", &json!({})).await;
        let invitation = &invitations["resourceShareInvitations"][0]["resourceShareInvitationArn"];
        let template = json!({"Effect": "Allow", "Action": ["codebuild:BatchGetProjects"]});
        let permission = json!({"name": "mine", "resourceType": "codebuild:Project", "policyTemplate": template.to_string(), "tags": tags});
        root.ok("CreatePermission", &permission).await;
        let grant = json!({"Sid": SECRET, "Effect": "Allow", "Principal": {"AWS": CONSUMER}, "Action": "imagebuilder:GetComponent"});
        let policy = json!({"Version": "2012-10-17", "Statement": grant}).to_string();
        let put = json!({"resourceArn": component(1), "policy": policy});
        assert_eq!(root.resource_policy(Method::PUT, &put).await.status, 200);

        let tagged = ("Tags.member.1.Key", "Tags.member.1.Value");
        root.iam_ok("CreateUser", &[("UserName", "u"), (tagged.0, "k"), (tagged.1, SECRET)]).await;
        put_policy(
            &root,
            ("UserName", "u"),
            &format!(r#"{{"Sid":"{SECRET}","Effect":"Allow","Action":"s3:*","Resource":"*"}}"#),
        )
        .await;
        create_role(&root, "r", &trust(OWNER, "")).await;
        root.iam_ok("UpdateRoleDescription", &[("RoleName", "r"), ("Description", SECRET)]).await;
        let user_key = root.iam_ok("CreateAccessKey", &[("UserName", "u")]).await.element("AccessKeyId");

        let (_, organization_root) = organizations::create(&root).await;
        let unit = organizations::create_unit(&root, &organization_root, SECRET).await;
        let document =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let policy = json!({"Name": SECRET, "Description": SECRET, "Content": document, "Type": "SERVICE_CONTROL_POLICY"});
        let policy = organizations::ok(&root, "CreatePolicy", &policy).await;
        let target = json!({"Target": {"Type": "ACCOUNT", "Id": CONSUMER}, "Notes": SECRET});
        let invited = organizations::ok(&root, "InviteAccountToOrganization", &target).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            share,
            invitation: text(invitation),
            organization_root,
            unit,
            policy: text(&policy["Policy"]["PolicySummary"]["Id"]),
            handshake: text(&invited["Handshake"]["Id"]),
            user_key,
            key,
            root,
        }
    }

    /// An input that names the owner's things, wherever the operation takes one.
    fn input(&self, operation: &Operation) -> Input {
        match operation.service {
            Service::Ram => Input::Json(self.of_ram(operation.name)),
            Service::Organizations => Input::Json(self.of_organizations(operation.name)),
            Service::Sts | Service::Iam => Input::Form(self.of_forms()),
            Service::Rampart if operation.method == "PUT" => {
                let grant = json!({"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": "imagebuilder:GetComponent"});
                let policy = json!({"Version": "2012-10-17", "Statement": grant}).to_string();
                Input::Json(json!({"resourceArn": component(1), "policy": policy}))
            }
            Service::Rampart => Input::Query(vec![
                ("resourceShareInvitationArn", self.invitation.clone()),
                ("resourceArn", component(1)),
            ]),
        }
    }

    fn of_ram(&self, operation: &str) -> Value {
        let permission = format!("arn:aws:ram:eu-west-1:{OWNER}:permission/mine");
        let template = json!({"Effect": "Allow", "Action": ["codebuild:BatchGetProjects"]}).to_string();
        let mut input = json!({
            "resourceShareArn": self.share, "resourceShareArns": [self.share],
            "resourceShareInvitationArn": self.invitation, "resourceShareInvitationArns": [self.invitation],
            "permissionArn": permission, "fromPermissionArn": permission, "toPermissionArn": permission,
            "permissionVersion": 1, "resourceOwner": "OTHER-ACCOUNTS", "associationType": "PRINCIPAL",
            "name": "n", "resourceType": "codebuild:Project", "policyTemplate": template, "status": "DEPRECATED",
            "principals": [STRANGER], "tags": [{"key": "k", "value": "v"}], "tagKeys": ["k"],
        });
        let members = input.as_object_mut().unwrap();
        if operation.starts_with("Delete") {
            // What stands in a query is text.
            members.retain(|_, value| !value.is_array());
        }
        if operation == "GetResourcePolicies" {
            members.insert("resourceArns".to_owned(), json!([gateway(1)]));
        }
        input
    }

    fn of_organizations(&self, operation: &str) -> Value {
        let mut input = json!({
            "AccountId": OWNER, "ChildId": self.unit, "ParentId": self.organization_root,
            "OrganizationalUnitId": self.unit, "RootId": self.organization_root, "TargetId": self.unit,
            "PolicyId": self.policy, "ResourceId": self.unit, "HandshakeId": self.handshake,
            "SourceParentId": self.organization_root, "DestinationParentId": self.unit,
            "CreateAccountRequestId": "car-00000000000000000000000000000000", "ChildType": "ORGANIZATIONAL_UNIT",
            "ServicePrincipal": "ram.amazonaws.com", "PolicyType": "SERVICE_CONTROL_POLICY",
            "Filter": "SERVICE_CONTROL_POLICY", "Type": "SERVICE_CONTROL_POLICY", "Name": "n",
            "AccountName": "n", "Email": "n@example.com", "Description": "",
            "Content": r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#, "Tags": [{"Key": "k", "Value": "v"}],
            "TagKeys": ["k"], "Target": {"Type": "ACCOUNT", "Id": STRANGER},
        });
        if operation.starts_with("ListHandshakes") {
            // There the filter is another thing.
            input.as_object_mut().unwrap().remove("Filter");
        }
        input
    }

    fn of_forms(&self) -> Vec<(String, String)> {
        let document =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let (trust, role) = (trust(STRANGER, ""), format!("arn:aws:iam::{OWNER}:role/r"));
        let managed = "arn:aws:iam::aws:policy/AWSResourceAccessManagerFullAccess";
        [
            ("UserName", "u"),
            ("RoleName", "r"),
            ("PolicyName", "p"),
            ("PolicyDocument", document),
            ("AssumeRolePolicyDocument", &trust),
            ("PolicyArn", managed),
            ("VersionId", "v1"),
            ("AccessKeyId", &self.user_key),
            ("Status", "Inactive"),
            ("Description", "d"),
            ("AWSServiceName", "ram.amazonaws.com"),
            ("DeletionTaskId", "task/x"),
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", "v"),
            ("TagKeys.member.1", "k"),
            ("RoleArn", &role),
            ("RoleSessionName", "work"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

enum Input {
    Json(Value),
    Form(Vec<(String, String)>),
    Query(Vec<(&'static str, String)>),
}

/// The signed request for an operation.
fn request(client: &Client, operation: &Operation, input: &Input) -> Request<Bytes> {
    match input {
        Input::Json(input) if operation.service == Service::Ram => client.request(operation.name, input),
        Input::Json(input) if operation.service == Service::Rampart => {
            let request = Request::builder().method(operation.method).uri(operation.path());
            client.signed("rampart", request.body(Bytes::from(input.to_string())).unwrap())
        }
        Input::Json(input) => {
            let request = Request::post("/")
                .header("content-type", "application/x-amz-json-1.1")
                .header("x-amz-target", format!("AWSOrganizationsV20161128.{}", operation.name));
            client.signed("organizations", request.body(Bytes::from(input.to_string())).unwrap())
        }
        Input::Query(parameters) => {
            let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", percent_encode(value)));
            let uri = format!("{}?{}", operation.path(), pairs.collect::<Vec<_>>().join("&"));
            let request = Request::builder().method(operation.method).uri(uri);
            client.signed("rampart", request.body(Bytes::new()).unwrap())
        }
        Input::Form(parameters) => {
            let mut body = format!("Action={}&Version=any", operation.name);
            // AssumeRole has no tags, and says so before anything else.
            for (name, value) in parameters
                .iter()
                .filter(|(name, _)| operation.service == Service::Iam || !name.starts_with("Tag"))
            {
                write!(body, "&{name}={}", percent_encode(value)).unwrap();
            }
            let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
            client.signed(operation.service.name(), request.body(Bytes::from(body)).unwrap())
        }
    }
}

/// The code of an error, in whatever protocol.
fn code(reply: &Reply) -> String {
    if reply.error_code.is_empty() { reply.element("Code") } else { reply.error_code.clone() }
}

/// The code of a common error in the words of the operation's service, and its status.
fn common(operation: &Operation, json: &str, query: &str) -> (u16, String) {
    match operation.service {
        Service::Ram | Service::Rampart => (403, json.to_owned()),
        Service::Organizations => (400, json.to_owned()),
        Service::Sts | Service::Iam => (403, query.to_owned()),
    }
}

/// All that the store holds, as far as it is text and numbers.
const EVERYTHING: [&str; 20] = [
    "SELECT account FROM account ORDER BY account",
    "SELECT access_key_id, user_name, active FROM access_key ORDER BY access_key_id",
    "SELECT owner, name, tags, updated_ms, deleted_ms, contents FROM resource_share ORDER BY owner, created_ms, name",
    "SELECT owner, entity, standing, since_ms, receiver, member FROM association ORDER BY owner, entity",
    "SELECT sender, receiver, deadline_ms, accepted FROM invitation ORDER BY sender, receiver",
    "SELECT owner, permission, version FROM share_permission ORDER BY owner, permission",
    "SELECT owner, name, tags, deprecated, default_version, versions, deleted_ms FROM permission ORDER BY owner, name",
    "SELECT owner, name, number, template, deleted_ms FROM permission_version ORDER BY owner, name, number",
    "SELECT owner, resource, policy FROM resource_policy ORDER BY owner, resource",
    "SELECT owner, resource_shares, resources, principals, pending_invitations FROM owner_usage ORDER BY owner",
    "SELECT account, kind, name, path, identity_id, tags, role FROM iam_identity ORDER BY account, kind, name",
    "SELECT account, kind, identity_name, inline, policy, document FROM iam_policy ORDER BY account, kind, identity_name, inline, policy",
    "SELECT management, body FROM organization ORDER BY management",
    "SELECT management, account, parent_id, body FROM organization_member ORDER BY management, account",
    "SELECT management, unit_id, name, body FROM organizational_unit ORDER BY management, unit_id",
    "SELECT management, handshake_id, body FROM organization_handshake ORDER BY management, handshake_id",
    "SELECT management, service FROM organization_service_access ORDER BY management, service",
    "SELECT management, policy_id, name, body FROM organization_policy ORDER BY management, policy_id",
    "SELECT management, target, policy_id, attached FROM organization_attachment ORDER BY management, target, policy_id",
    "SELECT management, resource, tag_key, tag_value FROM organization_tag ORDER BY management, resource, tag_key",
];

/// The rows that the owner has: each begins with whose it is.
fn of_owner(server: &TestServer) -> Vec<String> {
    let rows = EVERYTHING.iter().flat_map(|query| server.sql(query));
    rows.filter(|row| row.starts_with(OWNER)).collect()
}

fn everything(server: &TestServer) -> Vec<String> {
    let rows = EVERYTHING.iter().flat_map(|query| server.sql(query));
    rows.chain(server.sql("SELECT count(*) FROM change_log")).collect()
}

#[tokio::test]
async fn who_is_not_let_in_gets_nothing_and_changes_nothing() {
    for_each_store_with(strict(), async |server: TestServer| {
        let world = World::make(&server).await;
        let given = world.root.sts_with("GetSessionToken", &[("DurationSeconds", "900")]).await;
        let expired = session(&server, &given);
        let altered = given.element("SessionToken").replace("rampart1", "rampart1AAAA");
        let id = Key { id: given.element("AccessKeyId"), secret: given.element("SecretAccessKey") };
        let forged = server.client(id).with_session_token(&altered);
        let disabled_key = server.create_key(OWNER, "").await;
        let disabled = server.client(disabled_key.clone());
        server.disable_key(&disabled_key).await;
        let wrong = server.client(Key { secret: "wrong".to_owned(), ..world.key.clone() });
        let unknown = server.client(Key { id: OWNER.to_owned(), ..world.key.clone() });
        server.advance(Duration::from_secs(901));
        let before = everything(&server);
        for operation in Operation::all() {
            let (name, input) = (operation.name, world.input(operation));
            let send = async |client: &Client| client.send(request(client, operation, &input)).await;
            let expect = |reply: &Reply, json: &str, query: &str| {
                let expected = common(operation, json, query);
                assert_eq!((reply.status, code(reply)), expected, "{name}: {}", reply.text);
                assert!(!reply.text.contains(SECRET), "{name}: {}", reply.text);
            };
            expect(&send(&expired).await, "ExpiredTokenException", "ExpiredToken");
            for nobody in [&disabled, &forged, &unknown] {
                expect(&send(nobody).await, "UnrecognizedClientException", "InvalidClientTokenId");
            }
            expect(&send(&wrong).await, "InvalidSignatureException", "SignatureDoesNotMatch");
            let mut tampered = request(&world.root, operation, &input);
            let signed = tampered.headers()["authorization"].to_str().unwrap().to_owned();
            let last = if signed.ends_with('0') { "1" } else { "0" };
            let forged_signature = format!("{}{last}", &signed[..signed.len() - 1]);
            tampered.headers_mut().insert("authorization", forged_signature.parse().unwrap());
            let reply = world.root.send(tampered).await;
            expect(&reply, "InvalidSignatureException", "SignatureDoesNotMatch");
            let mut unsigned = request(&world.root, operation, &input);
            unsigned.headers_mut().remove("authorization");
            let reply = world.root.send(unsigned).await;
            expect(&reply, "MissingAuthenticationTokenException", "MissingAuthenticationToken");
        }
        assert_eq!(everything(&server), before);
        // The owner is let in all the while.
        assert_eq!(world.root.sts("GetCallerIdentity").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn who_has_no_policies_may_do_nothing() {
    for_each_store_with(strict(), async |server: TestServer| {
        let world = World::make(&server).await;
        let nobody = server.client(server.create_key(OWNER, "nobody").await);
        let arn = format!("arn:aws:iam::{OWNER}:user/nobody");
        create_role(&world.root, "nothing", &trust(&arn, "")).await;
        let session = session(&server, &assume(&nobody, OWNER, "nothing", &[]).await);
        let before = everything(&server);
        for operation in Operation::all() {
            let (name, input) = (operation.name, world.input(operation));
            for caller in [&nobody, &session] {
                let reply = caller.send(request(caller, operation, &input)).await;
                assert!(!reply.text.contains(SECRET), "{name}: {}", reply.text);
                match (operation.service, name) {
                    (Service::Sts, "GetCallerIdentity") => assert_eq!(reply.status, 200, "{}", reply.text),
                    // What a user has anyway, for a while; a session has no more than itself.
                    (Service::Sts, "GetSessionToken") if reply.status == 200 => {
                        assert!(std::ptr::eq(caller, &raw const nobody), "{}", reply.text);
                    }
                    _ => {
                        let expected = common(operation, "AccessDeniedException", "AccessDenied");
                        assert_eq!((reply.status, code(&reply)), expected, "{name}: {}", reply.text);
                    }
                }
            }
        }
        assert_eq!(everything(&server), before);
    })
    .await;
}

/// Inputs that ask for all there is.
fn unfiltered(operation: &Operation) -> Vec<Input> {
    match operation.service {
        Service::Ram => ["SELF", "OTHER-ACCOUNTS"]
            .map(|owner| Input::Json(json!({"resourceOwner": owner, "associationType": "RESOURCE"})))
            .into(),
        Service::Organizations => vec![Input::Json(json!({}))],
        Service::Sts | Service::Iam => vec![Input::Form(Vec::new())],
        Service::Rampart => vec![Input::Query(Vec::new())],
    }
}

/// What front ends say to callers who are who they say they are.
const FRONT: [&str; 4] =
    ["AccessDenied", "AccessDeniedException", "UnsupportedOperationException", "ValidationError"];

#[tokio::test]
async fn another_account_sees_nothing_and_touches_nothing() {
    for_each_store_with(strict(), async |server: TestServer| {
        let world = World::make(&server).await;
        let stranger = server.client(server.create_key(STRANGER, "").await);
        let before = of_owner(&server);
        let mut reached = Vec::new();
        for service in Service::ALL {
            for operation in service.operations() {
                let name = operation.name;
                let inputs = [world.input(operation)].into_iter().chain(unfiltered(operation));
                for (n, input) in inputs.enumerate() {
                    let reply = stranger.send(request(&stranger, operation, &input)).await;
                    assert!(reply.status < 500, "{name}: {}", reply.text);
                    assert!(!reply.text.contains(SECRET), "{name}: {}", reply.text);
                    if reply.status == 200 {
                        reached.extend((n == 0).then_some(name));
                    } else {
                        let code = code(&reply);
                        let is_documented =
                            operation.codes().any(|known| known == code) || FRONT.contains(&&*code);
                        assert!(is_documented, "{name} is refused with {code}: {}", reply.text);
                    }
                }
            }
            assert_eq!(of_owner(&server), before, "{}", service.name());
        }
        assert_eq!(reached, OWN);
    })
    .await;
}

/// What answers a stranger: about what is its own, whatever the names in the call; and what is everybody's.
const OWN: [&str; 23] = [
    "CreatePermission",
    "CreateResourceShare",
    "ListPermissionAssociations",
    "ListPermissions",
    "ListResourceTypes",
    "GetAccessKeyInfo",
    "GetCallerIdentity",
    "GetSessionToken",
    "CreateRole",
    "CreateServiceLinkedRole",
    "CreateUser",
    "DeleteRole",
    "DeleteUser",
    "GetPolicy",
    "GetPolicyVersion",
    "ListRoles",
    "ListUsers",
    "CreateOrganization",
    "CreatePolicy",
    "DeleteOrganization",
    "ListHandshakesForAccount",
    "GetOrganizationSharing",
    "GetSentInvitations",
];
