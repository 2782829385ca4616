//! Units, accounts in them, tags and trusted services.

use std::time::Duration;

use rampart_core::Quotas;
use rampart_server::Settings;
use rampart_testkit::server::{for_each_store_with, settings};
use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use super::{
    MANAGEMENT, MEMBER, create, create_account, create_unit, ids, join, move_account, ok, refused, text,
};

#[tokio::test]
async fn units_are_made_renamed_and_deleted() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        let (organization, root) = create(&management).await;
        let input = json!({"ParentId": root, "Name": "Workloads", "Tags": [{"Key": "k", "Value": "v"}]});
        let made = ok(&management, "CreateOrganizationalUnit", &input).await;
        let id = text(&made["OrganizationalUnit"]["Id"]);
        assert_eq!(made["OrganizationalUnit"]["Name"], "Workloads");
        assert_eq!(made["OrganizationalUnit"]["Path"], format!("{organization}/{root}/{id}/"));
        let arn = format!("arn:aws:organizations::{MANAGEMENT}:ou/{organization}/{id}");
        assert_eq!(made["OrganizationalUnit"]["Arn"], arn);
        assert!(id.starts_with(&root.replace("r-", "ou-")), "{id}");
        let unit = json!({"OrganizationalUnitId": id});
        assert_eq!(ok(&management, "DescribeOrganizationalUnit", &unit).await, made);
        let tags = ok(&management, "ListTagsForResource", &json!({"ResourceId": id})).await;
        assert_eq!(tags, json!({"Tags": [{"Key": "k", "Value": "v"}]}));

        let twin = json!({"ParentId": root, "Name": "Workloads"});
        let code = refused(&management, "CreateOrganizationalUnit", &twin).await;
        assert_eq!(code, "DuplicateOrganizationalUnit");
        // Elsewhere in the tree the name is free.
        let inner = create_unit(&management, &id, "Workloads").await;
        let renamed = json!({"OrganizationalUnitId": inner, "Name": "Prod"});
        let renamed = ok(&management, "UpdateOrganizationalUnit", &renamed).await;
        assert_eq!(renamed["OrganizationalUnit"]["Name"], "Prod");
        let sibling = create_unit(&management, &id, "Test").await;
        let taken = json!({"OrganizationalUnitId": sibling, "Name": "Prod"});
        let code = refused(&management, "UpdateOrganizationalUnit", &taken).await;
        assert_eq!(code, "DuplicateOrganizationalUnit");
        let same = json!({"OrganizationalUnitId": sibling, "Name": "Test"});
        ok(&management, "UpdateOrganizationalUnit", &same).await;

        let listed = ok(&management, "ListOrganizationalUnitsForParent", &json!({"ParentId": id})).await;
        let mut expected = [inner.clone(), sibling.clone()];
        expected.sort();
        assert_eq!(ids(&listed["OrganizationalUnits"]), expected);
        let code = refused(&management, "DeleteOrganizationalUnit", &unit).await;
        assert_eq!(code, "OrganizationalUnitNotEmpty");
        for id in [inner, sibling, id.clone()] {
            ok(&management, "DeleteOrganizationalUnit", &json!({"OrganizationalUnitId": id})).await;
        }
        for operation in
            ["DeleteOrganizationalUnit", "DescribeOrganizationalUnit", "UpdateOrganizationalUnit"]
        {
            let code = refused(&management, operation, &unit).await;
            assert_eq!(code, "OrganizationalUnitNotFound", "{operation}");
        }
        assert_eq!(server.count("organization_tag"), 0);
        let nowhere = json!({"ParentId": id, "Name": "n"});
        assert_eq!(refused(&management, "CreateOrganizationalUnit", &nowhere).await, "ParentNotFound");
        let nowhere = json!({"ParentId": "r-zzzz", "Name": "n"});
        assert_eq!(refused(&management, "CreateOrganizationalUnit", &nowhere).await, "ParentNotFound");
    })
    .await;
}

#[tokio::test]
async fn units_are_five_deep_and_counted() {
    let quotas = Quotas { organizational_units: 6, ..Quotas::default() };
    for_each_store_with(Settings { quotas, ..settings() }, async |server| {
        let management = server.account(MANAGEMENT);
        let (_, root) = create(&management).await;
        let mut parent = root.clone();
        for depth in 1..=5 {
            parent = create_unit(&management, &parent, &format!("level {depth}")).await;
        }
        let sixth = json!({"ParentId": parent, "Name": "n"});
        let code = refused(&management, "CreateOrganizationalUnit", &sixth).await;
        assert_eq!(code, "ConstraintViolation OU_DEPTH_LIMIT_EXCEEDED");
        let last = create_unit(&management, &root, "beside").await;
        let more = json!({"ParentId": root, "Name": "n"});
        let code = refused(&management, "CreateOrganizationalUnit", &more).await;
        assert_eq!(code, "ConstraintViolation OU_NUMBER_LIMIT_EXCEEDED");
        ok(&management, "DeleteOrganizationalUnit", &json!({"OrganizationalUnitId": last})).await;
        ok(&management, "CreateOrganizationalUnit", &more).await;
    })
    .await;
}

#[tokio::test]
async fn accounts_move_and_relatives_are_listed() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        let (organization, root) = create(&management).await;
        let outer = create_unit(&management, &root, "outer").await;
        let inner = create_unit(&management, &outer, "inner").await;
        join(&management, &server.account(MEMBER)).await;
        move_account(&management, MEMBER, &root, &inner).await;

        let account = ok(&management, "DescribeAccount", &json!({"AccountId": MEMBER})).await;
        let path = format!("{organization}/{root}/{outer}/{inner}/{MEMBER}/");
        assert_eq!(account["Account"]["Paths"], json!([path]));
        let parents = ok(&management, "ListParents", &json!({"ChildId": MEMBER})).await;
        assert_eq!(parents, json!({"Parents": [{"Id": inner, "Type": "ORGANIZATIONAL_UNIT"}]}));
        let parents = ok(&management, "ListParents", &json!({"ChildId": outer})).await;
        assert_eq!(parents, json!({"Parents": [{"Id": root, "Type": "ROOT"}]}));
        let children = |parent: &str, kind: &str| json!({"ParentId": parent, "ChildType": kind});
        let units = ok(&management, "ListChildren", &children(&outer, "ORGANIZATIONAL_UNIT")).await;
        assert_eq!(units, json!({"Children": [{"Id": inner, "Type": "ORGANIZATIONAL_UNIT"}]}));
        let accounts = ok(&management, "ListChildren", &children(&inner, "ACCOUNT")).await;
        assert_eq!(accounts, json!({"Children": [{"Id": MEMBER, "Type": "ACCOUNT"}]}));
        let listed = ok(&management, "ListAccountsForParent", &json!({"ParentId": root})).await;
        assert_eq!(ids(&listed["Accounts"]), [MANAGEMENT]);
        let code = refused(&management, "DeleteOrganizationalUnit", &json!({"OrganizationalUnitId": inner})).await;
        assert_eq!(code, "OrganizationalUnitNotEmpty");

        let step = |account: &str, source: &str, destination: &str| {
            json!({"AccountId": account, "SourceParentId": source, "DestinationParentId": destination})
        };
        for (input, code) in [
            (step("999999999999", &root, &outer), "AccountNotFound"),
            (step(MEMBER, &root, &outer), "SourceParentNotFound"),
            (step(MEMBER, &inner, "ou-zzzz-12345678"), "DestinationParentNotFound"),
            (step(MEMBER, &inner, &inner), "DuplicateAccount"),
        ] {
            assert_eq!(refused(&management, "MoveAccount", &input).await, code, "{input}");
        }
        for (operation, input, code) in [
            ("ListParents", json!({"ChildId": "999999999999"}), "ChildNotFound"),
            ("ListParents", json!({"ChildId": "ou-zzzz-12345678"}), "ChildNotFound"),
            ("ListChildren", children("ou-zzzz-12345678", "ACCOUNT"), "ParentNotFound"),
            ("ListAccountsForParent", json!({"ParentId": "r-zzzz"}), "ParentNotFound"),
            ("ListOrganizationalUnitsForParent", json!({"ParentId": "r-zzzz"}), "ParentNotFound"),
        ] {
            assert_eq!(refused(&management, operation, &input).await, code, "{operation} {input}");
        }
    })
    .await;
}

/// Walks a list in pages of `size`.
async fn walk(client: &Client, operation: &str, input: &Value, list: &str, size: u32) -> Vec<Vec<String>> {
    let (mut pages, mut input) = (Vec::new(), input.clone());
    input["MaxResults"] = json!(size);
    loop {
        let page = ok(client, operation, &input).await;
        let id = |item: &Value| {
            let id = ["Id", "TargetId", "ServicePrincipal"].iter().find_map(|name| item[*name].as_str());
            id.unwrap().to_owned()
        };
        pages.push(page[list].as_array().unwrap().iter().map(id).collect());
        match page["NextToken"].as_str() {
            Some(token) => input["NextToken"] = json!(token),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let quotas = Quotas { organization_accounts: 30, ..Quotas::default() };
    for_each_store_with(Settings { quotas, ..settings() }, async |server| {
        let management = server.account(MANAGEMENT);
        let (_, root) = create(&management).await;
        let mut accounts = vec![MANAGEMENT.to_owned()];
        for number in 0..4 {
            accounts.push(create_account(&management, &format!("account-{number}")).await);
            create_unit(&management, &root, &format!("unit {number}")).await;
            let service = json!({"ServicePrincipal": format!("service{number}.amazonaws.com")});
            ok(&management, "EnableAWSServiceAccess", &service).await;
        }
        accounts.sort();
        let pages = walk(&management, "ListAccounts", &json!({}), "Accounts", 2).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(pages.concat(), accounts);
        let in_root = json!({"ParentId": root});
        let pages = walk(&management, "ListAccountsForParent", &in_root, "Accounts", 5).await;
        assert_eq!(pages, std::slice::from_ref(&accounts));
        let children = json!({"ParentId": root, "ChildType": "ACCOUNT"});
        assert_eq!(walk(&management, "ListChildren", &children, "Children", 3).await.concat(), accounts);
        let units = "ListOrganizationalUnitsForParent";
        let units = walk(&management, units, &in_root, "OrganizationalUnits", 3).await;
        assert_eq!(units.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
        let statuses =
            walk(&management, "ListCreateAccountStatus", &json!({}), "CreateAccountStatuses", 3).await;
        assert_eq!(statuses.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
        let services = "ListAWSServiceAccessForOrganization";
        let services = walk(&management, services, &json!({}), "EnabledServicePrincipals", 3).await;
        assert_eq!(
            services.concat(),
            (0..4).map(|n| format!("service{n}.amazonaws.com")).collect::<Vec<_>>()
        );

        // Accounts come before units, and these before the root.
        let enable = json!({"RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY"});
        ok(&management, "EnablePolicyType", &enable).await;
        let policy = json!({"PolicyId": "p-FullAWSAccess"});
        for size in [1, 2, 4, 9, 20] {
            let targets = walk(&management, "ListTargetsForPolicy", &policy, "Targets", size).await.concat();
            assert_eq!(targets, [accounts.clone(), units.concat(), vec![root.clone()]].concat(), "{size}");
        }
        // A token is good for its own list alone.
        let first = ok(&management, "ListAccounts", &json!({"MaxResults": 1})).await;
        let elsewhere = json!({"ParentId": root, "NextToken": first["NextToken"]});
        let code = refused(&management, "ListAccountsForParent", &elsewhere).await;
        assert_eq!(code, "InvalidInput INVALID_NEXT_TOKEN");
    })
    .await;
}

#[tokio::test]
async fn lists_may_begin_with_an_empty_page() {
    for_each_store_with(Settings { empty_pages: true, ..settings() }, async |server| {
        let management = server.account(MANAGEMENT);
        ok(&management, "CreateOrganization", &json!({})).await;
        let pages = walk(&management, "ListAccounts", &json!({}), "Accounts", 20).await;
        assert_eq!(pages, [vec![], vec![MANAGEMENT.to_owned()]]);
        let roots = walk(&management, "ListRoots", &json!({}), "Roots", 20).await;
        assert_eq!(roots.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1]);
    })
    .await;
}

#[tokio::test]
async fn tags_are_on_roots_units_accounts_and_policies() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        let (_, root) = create(&management).await;
        let unit = create_unit(&management, &root, "unit").await;
        let content = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
        let policy = ok(
            &management,
            "CreatePolicy",
            &json!({"Name": "n", "Description": "", "Content": content, "Type": "SERVICE_CONTROL_POLICY"}),
        )
        .await;
        let policy = text(&policy["Policy"]["PolicySummary"]["Id"]);
        for resource in [&root, &unit, MANAGEMENT, &policy] {
            let tags = json!([{"Key": "b", "Value": ""}, {"Key": "a", "Value": "1"}]);
            ok(&management, "TagResource", &json!({"ResourceId": resource, "Tags": tags})).await;
            let more = json!([{"Key": "a", "Value": "2"}]);
            ok(&management, "TagResource", &json!({"ResourceId": resource, "Tags": more})).await;
            let list = json!({"ResourceId": resource});
            let listed = ok(&management, "ListTagsForResource", &list).await;
            assert_eq!(listed, json!({"Tags": [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]}));
            let keys = json!({"ResourceId": resource, "TagKeys": ["a", "absent"]});
            ok(&management, "UntagResource", &keys).await;
            let listed = ok(&management, "ListTagsForResource", &list).await;
            assert_eq!(listed, json!({"Tags": [{"Key": "b", "Value": ""}]}));
        }
        let tag = |resource: &str, tags: Value| json!({"ResourceId": resource, "Tags": tags});
        let one = json!([{"Key": "k", "Value": "v"}]);
        let many: Vec<_> = (0..50).map(|n| json!({"Key": format!("k{n}"), "Value": ""})).collect();
        for (input, code) in [
            (tag("999999999999", one.clone()), "TargetNotFound"),
            (tag("ou-zzzz-12345678", one.clone()), "TargetNotFound"),
            (tag("p-1234567890", one.clone()), "TargetNotFound"),
            (tag("p-FullAWSAccess", one.clone()), "InvalidInput IMMUTABLE_POLICY"),
            (tag("nothing", one), "InvalidInput INVALID_PATTERN"),
            (
                tag(&root, json!([{"Key": "aws:k", "Value": ""}])),
                "InvalidInput INVALID_SYSTEM_TAGS_PARAMETER",
            ),
            (tag(&root, json!([{"Key": "k"}])), "InvalidInput INPUT_REQUIRED"),
            (tag(&root, json!(many)), "ConstraintViolation MAX_TAG_LIMIT_EXCEEDED"),
        ] {
            assert_eq!(refused(&management, "TagResource", &input).await, code, "{input}");
        }
        let listed = ok(&management, "ListTagsForResource", &json!({"ResourceId": root})).await;
        assert_eq!(listed, json!({"Tags": [{"Key": "b", "Value": ""}]}));
    })
    .await;
}

#[tokio::test]
async fn services_are_trusted_and_no_more() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        create(&management).await;
        let now = server.now_s();
        let service = json!({"ServicePrincipal": "sso.amazonaws.com"});
        ok(&management, "EnableAWSServiceAccess", &service).await;
        server.advance(Duration::from_hours(1));
        // Once more changes nothing.
        ok(&management, "EnableAWSServiceAccess", &service).await;
        let listed = ok(&management, "ListAWSServiceAccessForOrganization", &json!({})).await;
        let [enabled] = &listed["EnabledServicePrincipals"].as_array().unwrap()[..] else {
            panic!("{listed}")
        };
        assert_eq!(enabled["ServicePrincipal"], "sso.amazonaws.com");
        assert!((enabled["DateEnabled"].as_f64().unwrap() - now).abs() < 60.0, "{listed}");
        for _ in 0..2 {
            ok(&management, "DisableAWSServiceAccess", &service).await;
        }
        let listed = ok(&management, "ListAWSServiceAccessForOrganization", &json!({})).await;
        assert_eq!(listed, json!({"EnabledServicePrincipals": []}));

        let billing = server.account(MEMBER);
        ok(&billing, "CreateOrganization", &json!({"FeatureSet": "CONSOLIDATED_BILLING"})).await;
        for operation in ["EnableAWSServiceAccess", "DisableAWSServiceAccess"] {
            let code = refused(&billing, operation, &service).await;
            assert_eq!(code, "ConstraintViolation ORGANIZATION_NOT_IN_ALL_FEATURES_MODE");
        }
    })
    .await;
}
