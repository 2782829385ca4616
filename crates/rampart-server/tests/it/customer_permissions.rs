//! Customer managed permissions: made, versioned, deprecated, deleted, and what shares have of them (reference §7).

use std::time::Duration;

use rampart_core::Quotas;
use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{OWNER, Offer, STRANGER, create};

const TYPE: &str = "codebuild:Project";
const ACTION: &str = "codebuild:BatchGetProjects";
const AWS: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionCodeBuildProject";

pub(crate) fn template(actions: &[&str]) -> String {
    json!({"Effect": "Allow", "Action": actions}).to_string()
}

/// The input that makes a permission of that name.
pub(crate) fn permission(name: &str) -> Value {
    json!({"name": name, "resourceType": TYPE, "policyTemplate": template(&[ACTION])})
}

/// Makes a permission; answers its ARN.
pub(crate) async fn create_permission(client: &Client, name: &str) -> String {
    let made = client.ok("CreatePermission", &permission(name)).await;
    made["permission"]["arn"].as_str().unwrap().to_owned()
}

fn project(number: u32) -> String {
    format!("arn:aws:codebuild:eu-west-1:{OWNER}:project/p{number}")
}

async fn add_version(client: &Client, arn: &str) -> Value {
    let text = template(&[ACTION, "codebuild:BatchGetBuilds"]);
    let made =
        client.ok("CreatePermissionVersion", &json!({"permissionArn": arn, "policyTemplate": text})).await;
    made["permission"].clone()
}

async fn versions(client: &Client, arn: &str) -> Vec<(String, bool, String)> {
    let found = client.ok("ListPermissionVersions", &json!({"permissionArn": arn})).await;
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    let rows = found["permissions"].as_array().unwrap().iter();
    rows.map(|row| (text(row, "version"), row["defaultVersion"] == true, text(row, "status"))).collect()
}

fn version(number: &str, default: bool, status: &str) -> (String, bool, String) {
    (number.to_owned(), default, status.to_owned())
}

async fn own(client: &Client, more: Value) -> Vec<Value> {
    let mut input = json!({"permissionType": "CUSTOMER_MANAGED"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.ok("ListPermissions", &input).await["permissions"].as_array().unwrap().clone()
}

/// What a share has, as ARN and version.
async fn attached(client: &Client, share: &str) -> Vec<(String, String, bool)> {
    let found = client.ok("ListResourceSharePermissions", &json!({"resourceShareArn": share})).await;
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    let rows = found["permissions"].as_array().unwrap().iter();
    rows.map(|row| (text(row, "arn"), text(row, "version"), row["defaultVersion"] == true)).collect()
}

#[tokio::test]
async fn a_permission_is_made_and_shown_with_its_text_letter_by_letter() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let text = "{\n\t\"Effect\": \"Allow\",\n\t\"Action\": \"codebuild:BatchGetProjects\" }";
        let input = json!({"name": "Read_only.1-a", "resourceType": "CodeBuild:project", "policyTemplate": text,
            "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": ""}]});
        let made = owner.ok("CreatePermission", &input).await["permission"].clone();
        let arn = format!("arn:aws:ram:eu-west-1:{OWNER}:permission/Read_only.1-a");
        for (member, value) in [
            ("arn", json!(arn)),
            ("version", json!("1")),
            ("defaultVersion", json!(true)),
            ("name", json!("Read_only.1-a")),
            ("resourceType", json!(TYPE)),
            ("status", json!("ATTACHABLE")),
            ("isResourceTypeDefault", json!(false)),
            ("permissionType", json!("CUSTOMER_MANAGED")),
            ("featureSet", json!("STANDARD")),
            ("resourceOwner", json!("SELF")),
            ("tags", json!([{"key": "a", "value": ""}, {"key": "b", "value": "2"}])),
        ] {
            assert_eq!(made[member], value, "{member}");
        }
        assert!(made.get("permission").is_none() && made.get("permissionTemplateParameters").is_none());
        let found = owner.ok("GetPermission", &json!({"permissionArn": arn})).await["permission"].clone();
        assert_eq!(found["permission"], text);
        assert_eq!((&found["creationTime"], &found["tags"]), (&made["creationTime"], &made["tags"]));
        assert_eq!(own(&owner, json!({})).await, std::slice::from_ref(&made));
        // AWS's come first, and all of both.
        let all = owner.ok("ListPermissions", &json!({"resourceType": TYPE})).await["permissions"].clone();
        let all = all.as_array().unwrap();
        assert_eq!((all[0]["permissionType"].as_str(), all.last()), (Some("AWS_MANAGED"), Some(&made)));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_permission_is_refused() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let with = |member: &str, value: Value| {
            let mut input = permission("Name");
            input[member] = value;
            input
        };
        let long = "n".repeat(37);
        let statement = |more: Value| {
            let mut statement = json!({"Effect": "Allow", "Action": [ACTION]});
            statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            with("policyTemplate", json!(statement.to_string()))
        };
        let undeclared = json!({"Condition": {"StringEquals": {"aws:SourceVpc": "@{vpc}"}}});
        for (input, code) in [
            (with("name", json!("")), "InvalidParameter"),
            (with("name", json!("a b")), "InvalidParameter"),
            (with("name", json!(long)), "InvalidParameter"),
            (with("resourceType", json!("codebuild:Nothing")), "InvalidParameter"),
            (with("resourceType", json!("ec2:Subnet")), "InvalidParameter"),
            (with("policyTemplate", json!("{")), "MalformedPolicyTemplate"),
            (with("policyTemplate", json!("[]")), "MalformedPolicyTemplate"),
            (statement(json!({"Resource": "*"})), "MalformedPolicyTemplate"),
            (statement(json!({"Principal": "*"})), "MalformedPolicyTemplate"),
            (statement(json!({"Sid": "s"})), "MalformedPolicyTemplate"),
            (statement(json!({"Effect": "Deny"})), "InvalidPolicy"),
            (statement(json!({"Action": "s3:GetObject"})), "InvalidPolicy"),
            (statement(json!({"Action": "codebuild:Batch*"})), "InvalidPolicy"),
            (statement(json!({"Condition": {"StringNotEquals": {"aws:SourceVpc": "v"}}})), "InvalidPolicy"),
            (statement(json!({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o"}}})), "InvalidPolicy"),
            (
                statement(json!({"Condition": {"StringEquals": {"a:b": "c"}, "StringLike": {"a:b": "c"}}})),
                "InvalidPolicy",
            ),
            (statement(undeclared), "InvalidParameter"),
            (with("tags", json!([{"key": "aws:x", "value": ""}])), "InvalidParameter"),
        ] {
            assert_eq!(owner.refused("CreatePermission", &input).await, code, "{input}");
        }
        for member in ["name", "resourceType", "policyTemplate"] {
            let mut input = permission("Name");
            input.as_object_mut().unwrap().remove(member);
            assert_eq!(owner.refused("CreatePermission", &input).await, "InvalidParameter", "{member}");
        }
        assert_eq!((own(&owner, json!({})).await.len(), server.count("permission_version")), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_name_is_unique_for_account_and_region_and_free_again_after_deletion() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create_permission(&owner, "Name").await;
        let reply = owner.call("CreatePermission", &permission("Name")).await;
        assert_eq!((reply.status, reply.error_code.as_str()), (409, "PermissionAlreadyExistsException"));
        create_permission(&server.account(STRANGER), "Name").await;
        create_permission(&owner.in_region("us-east-1"), "Name").await;
        add_version(&owner, &arn).await;
        owner.ok("DeletePermission", &json!({"permissionArn": arn})).await;
        assert_eq!(create_permission(&owner, "Name").await, arn);
        assert_eq!(versions(&owner, &arn).await, [version("1", true, "ATTACHABLE")]);
    })
    .await;
}

#[tokio::test]
async fn a_new_version_is_the_default_and_shares_keep_theirs() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create_permission(&owner, "Name").await;
        let share =
            create(&owner, &json!({"name": "n", "permissionArns": [arn], "resourceArns": [project(1)]}))
                .await;
        assert_eq!(attached(&owner, &share).await, [(arn.clone(), "1".to_owned(), true)]);
        server.advance(Duration::from_mins(1));
        let made = add_version(&owner, &arn).await;
        assert_eq!((&made["version"], &made["defaultVersion"]), (&json!("2"), &json!(true)));
        assert!(made["permission"].as_str().unwrap().contains("BatchGetBuilds"));
        let expected = [version("1", false, "UNATTACHABLE"), version("2", true, "ATTACHABLE")];
        assert_eq!(versions(&owner, &arn).await, expected);
        // The share is pinned, until its owner says otherwise.
        assert_eq!(attached(&owner, &share).await, [(arn.clone(), "1".to_owned(), false)]);
        let mut attach =
            json!({"resourceShareArn": share, "permissionArn": arn, "permissionVersion": 1, "replace": true});
        assert_eq!(owner.refused("AssociateResourceSharePermission", &attach).await, "InvalidParameter");
        attach["permissionVersion"] = json!(2);
        owner.ok("AssociateResourceSharePermission", &attach).await;
        assert_eq!(attached(&owner, &share).await, [(arn.clone(), "2".to_owned(), true)]);
        // Texts of both are there.
        for (number, has) in [(1, false), (2, true)] {
            let input = json!({"permissionArn": arn, "permissionVersion": number});
            let found = owner.ok("GetPermission", &input).await;
            assert_eq!(found["permission"]["permission"].as_str().unwrap().contains("BatchGetBuilds"), has);
        }
        let input = json!({"permissionArn": arn, "permissionVersion": 3});
        assert_eq!(owner.refused("GetPermission", &input).await, "InvalidParameter");
    })
    .await;
}

#[tokio::test]
async fn the_default_moves_to_any_version_that_is_there() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create_permission(&owner, "Name").await;
        add_version(&owner, &arn).await;
        let default = |number: i64| json!({"permissionArn": arn, "permissionVersion": number});
        assert_eq!(owner.ok("SetDefaultPermissionVersion", &default(1)).await, json!({"returnValue": true}));
        let expected = [version("1", true, "ATTACHABLE"), version("2", false, "UNATTACHABLE")];
        assert_eq!(versions(&owner, &arn).await, expected);
        for number in [0, 3, -1, i64::MAX] {
            assert_eq!(
                owner.refused("SetDefaultPermissionVersion", &default(number)).await,
                "InvalidParameter"
            );
        }
        owner.ok("DeletePermissionVersion", &default(2)).await;
        assert_eq!(owner.refused("SetDefaultPermissionVersion", &default(2)).await, "InvalidParameter");
        let aws = json!({"permissionArn": AWS, "permissionVersion": 1});
        assert_eq!(owner.refused("SetDefaultPermissionVersion", &aws).await, "InvalidParameter");
        // A number is not used again.
        assert_eq!(add_version(&owner, &arn).await["version"], "3");
    })
    .await;
}

#[tokio::test]
async fn five_versions_are_the_most_and_a_deleted_one_makes_room() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create_permission(&owner, "Name").await;
        for _ in 0..4 {
            add_version(&owner, &arn).await;
        }
        let more = json!({"permissionArn": arn, "policyTemplate": template(&[ACTION])});
        assert_eq!(owner.refused("CreatePermissionVersion", &more).await, "PermissionVersionsLimitExceeded");
        let number = |number: u32| json!({"permissionArn": arn, "permissionVersion": number});
        assert_eq!(owner.refused("DeletePermissionVersion", &number(5)).await, "OperationNotPermitted");
        let deleted = owner.ok("DeletePermissionVersion", &number(2)).await;
        assert_eq!(deleted, json!({"returnValue": true, "permissionStatus": "DELETING"}));
        assert_eq!(owner.refused("DeletePermissionVersion", &number(2)).await, "InvalidParameter");
        assert_eq!(versions(&owner, &arn).await[1], version("2", false, "DELETED"));
        assert_eq!(add_version(&owner, &arn).await["version"], "6");
        // Two hours later it is gone, and its row too.
        server.advance(Duration::from_hours(2));
        assert_eq!(versions(&owner, &arn).await.len(), 5);
        assert_eq!(owner.refused("GetPermission", &number(2)).await, "InvalidParameter");
        assert_eq!(server.count("permission_version"), 6);
        server.sweep().await;
        assert_eq!(server.count("permission_version"), 5);
    })
    .await;
}

#[tokio::test]
async fn what_shares_have_is_not_deleted() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create_permission(&owner, "Name").await;
        let share = create(&owner, &json!({"name": "n", "permissionArns": [arn]})).await;
        add_version(&owner, &arn).await;
        let permission = json!({"permissionArn": arn});
        let first = json!({"permissionArn": arn, "permissionVersion": 1});
        assert_eq!(owner.refused("DeletePermission", &permission).await, "OperationNotPermitted");
        assert_eq!(owner.refused("DeletePermissionVersion", &first).await, "OperationNotPermitted");
        // A deleted share has nothing any more.
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        owner.ok("DeletePermissionVersion", &first).await;
        let deleted = owner.ok("DeletePermission", &permission).await;
        assert_eq!(deleted, json!({"returnValue": true, "permissionStatus": "DELETING"}));
        assert_eq!(own(&owner, json!({"permissionStatus": "DELETED"})).await[0]["arn"], arn);
        assert!(own(&owner, json!({"permissionStatus": "ATTACHABLE"})).await.is_empty());
        assert_eq!(owner.ok("GetPermission", &permission).await["permission"]["status"], "DELETED");
        for (operation, input) in [
            ("DeletePermission", permission.clone()),
            ("CreatePermissionVersion", json!({"permissionArn": arn, "policyTemplate": template(&[ACTION])})),
            ("UpdatePermission", json!({"permissionArn": arn, "status": "DEPRECATED"})),
            ("AssociateResourceSharePermission", json!({"resourceShareArn": share, "permissionArn": arn})),
        ] {
            assert_eq!(owner.refused(operation, &input).await, "UnknownResource", "{operation}");
        }
        server.advance(Duration::from_hours(2));
        assert!(own(&owner, json!({})).await.is_empty());
        assert_eq!(owner.refused("GetPermission", &permission).await, "UnknownResource");
        assert_eq!(owner.refused("ListPermissionVersions", &permission).await, "UnknownResource");
        server.sweep().await;
        assert_eq!((server.count("permission"), server.count("permission_version")), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_deprecated_permission_stays_where_it_is_and_goes_nowhere_new() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create_permission(&owner, "Name").await;
        let [has, has_not] = [create(&owner, &json!({"name": "n", "permissionArns": [arn]})).await, {
            create(&owner, &json!({"name": "n"})).await
        }];
        let status = |status: &str| json!({"permissionArn": arn, "status": status});
        let answer = owner.ok("UpdatePermission", &status("DEPRECATED")).await;
        assert_eq!(answer, json!({"permissionStatus": "DEPRECATED"}));
        owner.ok("UpdatePermission", &status("DEPRECATED")).await;
        assert_eq!(own(&owner, json!({"permissionStatus": "DEPRECATED"})).await.len(), 1);
        let attach = |share: &str| json!({"resourceShareArn": share, "permissionArn": arn});
        // What is there already is no new association.
        owner.ok("AssociateResourceSharePermission", &attach(&has)).await;
        let refused = owner.refused("AssociateResourceSharePermission", &attach(&has_not)).await;
        assert_eq!(refused, "OperationNotPermitted");
        let made = json!({"name": "n", "permissionArns": [arn]});
        assert_eq!(owner.refused("CreateResourceShare", &made).await, "OperationNotPermitted");
        owner.ok("UpdatePermission", &status("ATTACHABLE")).await;
        owner.ok("AssociateResourceSharePermission", &attach(&has_not)).await;
        assert_eq!(owner.refused("UpdatePermission", &status("DELETED")).await, "InvalidParameter");
        let aws = json!({"permissionArn": AWS, "status": "DEPRECATED"});
        assert_eq!(owner.refused("UpdatePermission", &aws).await, "OperationNotPermitted");
    })
    .await;
}

#[tokio::test]
async fn quotas_count_what_is_neither_deleted_nor_deprecated() {
    let quotas = Quotas { customer_permissions: 3, customer_permissions_per_type: 2, ..Quotas::default() };
    for_each_store_with(Settings { quotas, ..settings() }, async |server| {
        let owner = server.account(OWNER);
        let of_group = |name: &str| {
            let text = template(&["codebuild:BatchGetReportGroups"]);
            json!({"name": name, "resourceType": "codebuild:ReportGroup", "policyTemplate": text})
        };
        let first = create_permission(&owner, "A").await;
        create_permission(&owner, "B").await;
        assert_eq!(owner.refused("CreatePermission", &permission("C")).await, "PermissionLimitExceeded");
        owner.ok("CreatePermission", &of_group("D")).await;
        assert_eq!(owner.refused("CreatePermission", &of_group("E")).await, "PermissionLimitExceeded");
        let status = |status: &str| json!({"permissionArn": first, "status": status});
        owner.ok("UpdatePermission", &status("DEPRECATED")).await;
        let third = create_permission(&owner, "C").await;
        assert_eq!(owner.refused("UpdatePermission", &status("ATTACHABLE")).await, "PermissionLimitExceeded");
        owner.ok("DeletePermission", &json!({"permissionArn": third})).await;
        owner.ok("UpdatePermission", &status("ATTACHABLE")).await;
        // Elsewhere nothing is used.
        create_permission(&owner.in_region("us-east-1"), "A").await;
    })
    .await;
}

#[tokio::test]
async fn another_account_s_permission_is_unknown_and_aws_s_cannot_be_changed() {
    for_each_store(async |server| {
        let (owner, stranger) = (server.account(OWNER), server.account(STRANGER));
        let arn = create_permission(&owner, "Name").await;
        let share = create(&stranger, &json!({"name": "n"})).await;
        let calls = |arn: &str| {
            let permission = json!({"permissionArn": arn});
            let version = json!({"permissionArn": arn, "permissionVersion": 1});
            let text = json!({"permissionArn": arn, "policyTemplate": template(&[ACTION])});
            vec![
                ("GetPermission", permission.clone()),
                ("ListPermissionVersions", permission.clone()),
                ("CreatePermissionVersion", text),
                ("SetDefaultPermissionVersion", version.clone()),
                ("DeletePermissionVersion", version),
                ("DeletePermission", permission),
                ("UpdatePermission", json!({"permissionArn": arn, "status": "DEPRECATED"})),
                (
                    "AssociateResourceSharePermission",
                    json!({"resourceShareArn": share, "permissionArn": arn}),
                ),
            ]
        };
        for (operation, input) in calls(&arn) {
            assert_eq!(stranger.refused(operation, &input).await, "UnknownResource", "{operation}");
        }
        assert!(own(&stranger, json!({})).await.is_empty());
        for (operation, input) in &calls(AWS)[2..7] {
            let expected = match *operation {
                "SetDefaultPermissionVersion" => "InvalidParameter",
                _ => "OperationNotPermitted",
            };
            assert_eq!(owner.refused(operation, input).await, expected, "{operation}");
        }
        for (operation, input) in calls("arn:aws:iam::aws:policy/x") {
            assert_eq!(owner.refused(operation, &input).await, "MalformedArn", "{operation}");
        }
        assert_eq!(versions(&owner, &arn).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn tags_are_on_the_permission_not_on_its_versions() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create_permission(&owner, "Name").await;
        let tags = json!([{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]);
        owner.ok("TagResource", &json!({"resourceArn": arn, "tags": tags})).await;
        add_version(&owner, &arn).await;
        for number in [1, 2] {
            let input = json!({"permissionArn": arn, "permissionVersion": number});
            assert_eq!(owner.ok("GetPermission", &input).await["permission"]["tags"], tags);
        }
        owner.ok("UntagResource", &json!({"resourceArn": arn, "tagKeys": ["a", "z"]})).await;
        assert_eq!(own(&owner, json!({})).await[0]["tags"], json!([{"key": "b", "value": "2"}]));
        let many: Vec<_> = (0..50).map(|n| json!({"key": n.to_string(), "value": ""})).collect();
        let input = json!({"resourceArn": arn, "tags": many});
        assert_eq!(owner.refused("TagResource", &input).await, "TagLimitExceeded");
        for other in [AWS.to_owned(), arn.replace("Name", "Other")] {
            let input = json!({"resourceArn": other, "tags": []});
            assert!(
                ["ResourceArnNotFound", "UnknownResource"]
                    .contains(&owner.refused("TagResource", &input).await.as_str())
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_template_s_parameters_get_their_values_with_the_share() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let text = json!({"Effect": "Allow", "Action": [ACTION],
            "Condition": {"StringEquals": {"aws:SourceVpc": "@{vpcs}", "aws:PrincipalTag/@{key}": "x-@{key}"}}});
        let declared = json!([
            {"name": "vpcs", "type": "STRING_LIST", "description": "where from"},
            {"name": "key", "type": "STRING"},
        ]);
        let mut input = permission("Name");
        input["policyTemplate"] = json!(text.to_string());
        input["permissionTemplateParameters"] = declared.clone();
        let made = owner.ok("CreatePermission", &input).await["permission"].clone();
        assert_eq!(made["permissionTemplateParameters"], declared);
        let arn = made["arn"].as_str().unwrap();
        let values = |vpcs: &[&str], keys: &[&str]| json!([{"name": "vpcs", "values": vpcs}, {"name": "key", "values": keys}]);
        let rendered = |values: Value| json!({"permissionArn": arn, "permissionTemplateParameters": values});
        let found = owner.ok("GetPermission", &rendered(values(&["v1", "v2"], &["team"]))).await;
        let shown: Value = serde_json::from_str(found["permission"]["permission"].as_str().unwrap()).unwrap();
        let expected = json!({"aws:SourceVpc": ["v1", "v2"], "aws:PrincipalTag/team": "x-team"});
        assert_eq!(shown["Condition"]["StringEquals"], expected);
        let found = owner.ok("GetPermission", &rendered(values(&["v1"], &["team"]))).await;
        let shown: Value = serde_json::from_str(found["permission"]["permission"].as_str().unwrap()).unwrap();
        assert_eq!(shown["Condition"]["StringEquals"]["aws:SourceVpc"], json!(["v1"]), "a list is an array");
        let raw = owner.ok("GetPermission", &json!({"permissionArn": arn})).await["permission"].clone();
        assert_eq!((&raw["permission"], &raw["permissionTemplateParameters"]), (&json!(text.to_string()), &declared));
        let wrong = [
            json!([]),
            json!([{"name": "vpcs", "values": ["v"]}]),
            values(&[], &["k"]),
            values(&["v"], &["a", "b"]),
            json!([{"name": "vpcs", "values": ["v"]}, {"name": "key", "values": ["k"]}, {"name": "z", "values": ["z"]}]),
        ];
        for values in &wrong {
            let made = json!({"name": "n", "permissionArns": [arn],
                "permissionTemplateParameters": [{"permissionArn": arn, "permissionTemplateParameters": values}]});
            assert_eq!(owner.refused("CreateResourceShare", &made).await, "InvalidParameter", "{values}");
        }
        assert_eq!(owner.refused("GetPermission", &rendered(wrong[1].clone())).await, "InvalidParameter");
        let unattached = json!({"name": "n",
            "permissionTemplateParameters": [{"permissionArn": arn, "permissionTemplateParameters": values(&["v"], &["k"])}]});
        assert_eq!(owner.refused("CreateResourceShare", &unattached).await, "InvalidParameter");

        let made = json!({"name": "n", "permissionArns": [arn],
            "permissionTemplateParameters": [{"permissionArn": arn, "permissionTemplateParameters": values(&["v1"], &["k"])}]});
        let share = create(&owner, &made).await;
        let of_share = |list: &'static str, member: &'static str| {
            let (owner, share) = (owner.clone(), share.clone());
            async move {
                let found = owner.ok(list, &json!({ member: share })).await;
                found["permissions"][0]["permissionTemplateParameters"].clone()
            }
        };
        let expected = json!([
            {"name": "vpcs", "type": "STRING_LIST", "description": "where from", "values": ["v1"]},
            {"name": "key", "type": "STRING", "values": ["k"]},
        ]);
        assert_eq!(of_share("ListResourceSharePermissions", "resourceShareArn").await, expected);
        assert_eq!(of_share("ListPermissionAssociations", "resourceShareArn").await, expected);
        let mut attach = json!({"resourceShareArn": share, "permissionArn": arn, "replace": true,
            "permissionTemplateParameters": values(&["v2"], &["k"])});
        owner.ok("AssociateResourceSharePermission", &attach).await;
        let shown = of_share("ListResourceSharePermissions", "resourceShareArn").await;
        assert_eq!(shown[0]["values"], json!(["v2"]));
        attach["permissionTemplateParameters"] = json!([]);
        assert_eq!(owner.refused("AssociateResourceSharePermission", &attach).await, "InvalidParameter");
        // A permission that declares none takes none.
        let plain = create_permission(&owner, "Plain").await;
        let input = json!({"permissionArn": plain, "permissionTemplateParameters": values(&["v"], &["k"])});
        assert_eq!(owner.refused("GetPermission", &input).await, "InvalidParameter");
    })
    .await;
}

#[tokio::test]
async fn lists_find_shares_by_an_own_permission_and_its_version() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let arn = create_permission(&owner, "Name").await;
        let old = create(&owner, &json!({"name": "old", "permissionArns": [arn]})).await;
        add_version(&owner, &arn).await;
        let new = create(&owner, &json!({"name": "new", "permissionArns": [arn]})).await;
        create(&owner, &json!({"name": "other", "permissionArns": [AWS]})).await;
        let found = async |more: Value| {
            let mut input = json!({"permissionArn": arn});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let rows = owner.ok("ListPermissionAssociations", &input).await["permissions"].clone();
            let rows = rows.as_array().unwrap().iter();
            let listed: Vec<_> =
                rows.map(|row| row["resourceShareArn"].as_str().unwrap().to_owned()).collect();
            listed
        };
        assert_eq!(found(json!({})).await, [old.clone(), new.clone()]);
        assert_eq!(found(json!({"permissionVersion": 1})).await, std::slice::from_ref(&old));
        assert_eq!(found(json!({"defaultVersion": true})).await, std::slice::from_ref(&new));
        assert_eq!(found(json!({"featureSet": "STANDARD"})).await.len(), 2);
        assert!(found(json!({"featureSet": "CREATED_FROM_POLICY"})).await.is_empty());
        assert!(found(json!({"permissionVersion": 3})).await.is_empty());
        let shares = json!({"resourceOwner": "SELF", "permissionArn": arn, "permissionVersion": 2});
        let shares = owner.ok("GetResourceShares", &shares).await;
        assert_eq!(shares["resourceShares"].as_array().unwrap().len(), 1);
        assert_eq!(shares["resourceShares"][0]["resourceShareArn"], new);
        // Taken off, it is found no more.
        let detach = json!({"resourceShareArn": new, "permissionArn": arn});
        owner.ok("DisassociateResourceSharePermission", &detach).await;
        assert_eq!(found(json!({})).await, [old]);
    })
    .await;
}

#[tokio::test]
async fn permissions_are_listed_page_by_page_through_aws_s_and_one_s_own() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        for number in 0..5 {
            create_permission(&owner, &format!("P{number}")).await;
        }
        let all = crate::sharing::collect(&owner, ("ListPermissions", "permissions"), &json!({}), 500).await;
        let paged = crate::sharing::collect(&owner, ("ListPermissions", "permissions"), &json!({}), 3).await;
        assert_eq!(all.len(), paged.len());
        assert_eq!(all, paged);
        assert_eq!(all.last().unwrap()["name"], "P4");
        let versions = ("ListPermissionVersions", "permissions");
        let arn = all.last().unwrap()["arn"].clone();
        add_version(&owner, arn.as_str().unwrap()).await;
        let paged = crate::sharing::collect(&owner, versions, &json!({"permissionArn": arn}), 1).await;
        assert_eq!(paged.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_consumer_sees_which_permission_a_share_has_but_not_the_owner_s_tags() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[]).await;
        let mut input = permission("Name");
        input["tags"] = json!([{"key": "secret", "value": "1"}]);
        let arn = offer.owner.ok("CreatePermission", &input).await["permission"]["arn"].clone();
        let attach = json!({"resourceShareArn": offer.share, "permissionArn": arn});
        offer.owner.ok("AssociateResourceSharePermission", &attach).await;
        let list = json!({"resourceShareArn": offer.share});
        let found = offer.consumer.ok("ListResourceSharePermissions", &list).await["permissions"].clone();
        assert_eq!((&found[0]["arn"], &found[0]["resourceOwner"]), (&arn, &json!("OTHER-ACCOUNTS")));
        assert!(found[0].get("tags").is_none());
        let theirs = json!({"resourceOwner": "OTHER-ACCOUNTS", "permissionArn": arn});
        let shares = offer.consumer.ok("GetResourceShares", &theirs).await;
        assert_eq!(shares["resourceShares"][0]["resourceShareArn"], offer.share);
    })
    .await;
}

#[tokio::test]
async fn the_resource_s_policy_says_what_the_attached_version_allows() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[]).await;
        let text = json!({"Effect": "Allow", "Action": [ACTION],
            "Condition": {"StringEquals": {"aws:SourceVpc": "@{vpcs}"}}});
        let mut input = permission("Name");
        input["policyTemplate"] = json!(text.to_string());
        input["permissionTemplateParameters"] = json!([{"name": "vpcs", "type": "STRING_LIST"}]);
        let made = offer.owner.ok("CreatePermission", &input).await;
        let arn = made["permission"]["arn"].as_str().unwrap();
        let attach = json!({"resourceShareArn": offer.share, "permissionArn": arn,
            "permissionTemplateParameters": [{"name": "vpcs", "values": ["v1", "v2"]}]});
        offer.owner.ok("AssociateResourceSharePermission", &attach).await;
        let add = json!({"resourceShareArn": offer.share, "resourceArns": [project(1)]});
        offer.owner.ok("AssociateResourceShare", &add).await;
        // A later version changes nothing for this share.
        add_version(&offer.owner, arn).await;
        let found = offer.owner.ok("GetResourcePolicies", &json!({"resourceArns": [project(1)]})).await;
        let policy: Value = serde_json::from_str(found["policies"][0].as_str().unwrap()).unwrap();
        let statement = &policy["Statement"][0];
        assert_eq!(statement["Action"], ACTION, "{policy}");
        assert_eq!(
            statement["Condition"],
            json!({"StringEquals": {"aws:SourceVpc": ["v1", "v2"]}}),
            "{policy}"
        );
    })
    .await;
}

#[tokio::test]
async fn who_was_granted_a_share_sees_the_permissions_that_it_carries_and_no_more() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[]).await;
        let second = Offer::accepted(&server, &[]).await;
        let pending = Offer::pending(&server, &[]).await;
        let (owner, consumer) = (&offer.owner, &offer.consumer);
        let mut arns = Vec::new();
        for name in ["A", "B", "Pending", "Unused"] {
            arns.push(create_permission(owner, name).await);
        }
        add_version(owner, &arns[1]).await;
        for (share, arn) in [
            (&offer.share, &arns[0]),
            (&second.share, &arns[0]),
            (&pending.share, &arns[2]),
        ] {
            owner.ok("AssociateResourceSharePermission", &json!({"resourceShareArn": share, "permissionArn": arn})).await;
        }
        add_version(owner, &arns[0]).await;
        let prefixes = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionPrefixList";
        let attach = json!({"resourceShareArn": second.share, "permissionArn": prefixes});
        owner.ok("AssociateResourceSharePermission", &attach).await;

        let theirs = json!({"resourceOwner": "OTHER-ACCOUNTS"});
        let found = crate::sharing::collect(consumer, ("ListPermissions", "permissions"), &theirs, 1).await;
        assert_eq!(found.len(), 1, "{found:?}");
        for (member, value) in [
            ("arn", json!(arns[0])),
            ("version", json!("1")),
            ("defaultVersion", json!(false)),
            ("resourceOwner", json!("OTHER-ACCOUNTS")),
            ("permissionType", json!("CUSTOMER_MANAGED")),
        ] {
            assert_eq!(found[0][member], value, "{member}");
        }
        assert!(found[0].get("tags").is_none());
        assert!(own(consumer, json!({"resourceOwner": "SELF"})).await.is_empty());
        let associations = ("ListPermissionAssociations", "permissions");
        for size in [1, 2, 500] {
            let found = crate::sharing::collect(consumer, associations, &theirs, size).await;
            let mut rows: Vec<_> = found.iter().map(|row| (row["arn"].clone(), row["resourceShareArn"].clone())).collect();
            rows.sort_by_key(|(arn, share)| (arn.to_string(), share.to_string()));
            assert_eq!(rows.len(), 3, "{found:?}");
            assert_eq!(rows[0], (json!(prefixes), json!(second.share)));
            assert!(rows[1..].iter().all(|(arn, _)| *arn == arns[0]));
        }
        let of_share = json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceShareArn": pending.share});
        assert!(crate::sharing::collect(consumer, associations, &of_share, 500).await.is_empty());

        let get = |arn: &str, version: Option<u32>| json!({"permissionArn": arn, "permissionVersion": version});
        let shown = consumer.ok("GetPermission", &get(&arns[0], None)).await["permission"].clone();
        assert_eq!((&shown["version"], &shown["permission"]), (&json!("1"), &json!(template(&[ACTION]))));
        // The version that no share of the consumer's has is the owner's business.
        assert_eq!(consumer.refused("GetPermission", &get(&arns[0], Some(2))).await, "InvalidParameter");
        assert_eq!(versions(consumer, &arns[0]).await, [version("1", false, "UNATTACHABLE")]);
        for arn in &arns[1..] {
            assert_eq!(consumer.refused("GetPermission", &get(arn, None)).await, "UnknownResource");
            assert_eq!(consumer.refused("ListPermissionVersions", &get(arn, None)).await, "UnknownResource");
        }
        // What is deleted allows nothing, though it is still shown.
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": second.share})).await;
        assert_eq!(crate::sharing::collect(consumer, associations, &theirs, 500).await.len(), 1);
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": offer.share})).await;
        for list in [associations, ("ListPermissions", "permissions")] {
            assert!(crate::sharing::collect(consumer, list, &theirs, 500).await.is_empty());
        }
        // Seen is not owned.
        let attach = json!({"resourceShareArn": create(consumer, &json!({"name": "n"})).await, "permissionArn": arns[0]});
        assert_eq!(consumer.refused("AssociateResourceSharePermission", &attach).await, "UnknownResource");
    })
    .await;
}
