//! Policies for everybody of an organization, or of units of it: shares that rest on the membership (reference §7.7, §8).

use http::Method;
use rampart_policy::{Document, same_grants};
use rampart_testkit::{Client, for_each_store};
use serde_json::{Value, json};

use crate::organization_sharing::{Company, MEMBER, SUBNET};
use crate::organizations::{MANAGEMENT, create_unit, move_account};
use crate::policy_shares::{PROMOTE_SHARE, document, put, refused, statement};
use crate::sharing::{associations, component, create, list, only, share_arns};

/// A statement for everybody under a condition.
fn for_everybody(operator: &str, key: &str, value: &Value) -> String {
    let condition = json!({operator: {key: value}});
    statement(&json!({"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:GetComponent",
                      "Resource": "*", "Condition": condition}))
}

fn of_organization(id: &str) -> String {
    for_everybody("StringEquals", "aws:PrincipalOrgID", &json!(id))
}

fn of_paths(paths: &[String]) -> String {
    for_everybody("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", &json!(paths))
}

async fn principals(owner: &Client, share: &str) -> Vec<Value> {
    let rows = list(&associations(owner, "PRINCIPAL", share).await);
    rows.iter()
        .filter(|row| row["status"] == "ASSOCIATED")
        .map(|row| row["associatedEntity"].clone())
        .collect()
}

#[tokio::test]
async fn a_policy_for_the_organization_is_a_share_with_it() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let owner = &company.management;
        let policy = of_organization(&company.id);
        let shares = put(owner, &component(1), &policy).await;
        let share = only(&json!(shares)).as_str().unwrap().to_owned();
        let row = only(&associations(owner, "PRINCIPAL", &share).await).clone();
        assert_eq!(row["associatedEntity"], company.arn());
        assert_eq!((&row["status"], &row["external"]), (&json!("ASSOCIATED"), &json!(false)));
        let made = document(owner, &component(1)).await;
        let mut full: Value = serde_json::from_str(&policy).unwrap();
        full["Statement"][0]["Resource"] = json!(component(1));
        assert!(same_grants(&made, &Document::parse(&full.to_string()).unwrap()), "{}", made.to_json());
        // What RAM shows of it says the same, and so does the other way to say everybody.
        assert_eq!(put(owner, &component(1), &made.to_json()).await, shares);
        let other = policy.replace(r#""Principal":"*""#, r#""Principal":{"AWS":"*"}"#);
        assert_ne!(other, policy);
        assert_eq!(put(owner, &component(1), &other).await, shares);

        // Members see it once it is promoted.
        assert_eq!(share_arns(&company.member, "OTHER-ACCOUNTS").await, [] as [&str; 0]);
        let template = r#"{"Effect": "Allow", "Action": "imagebuilder:GetComponent"}"#;
        let input =
            json!({"name": "Same", "resourceType": "imagebuilder:Component", "policyTemplate": template});
        owner.ok("CreatePermission", &input).await;
        owner.ok(PROMOTE_SHARE, &json!({"resourceShareArn": share})).await;
        for member in [&company.member, &company.other] {
            assert_eq!(share_arns(member, "OTHER-ACCOUNTS").await, shares);
        }
        assert_eq!(share_arns(&company.outsider, "OTHER-ACCOUNTS").await, [] as [&str; 0]);
        assert_eq!(document(owner, &component(1)).await, made);
        assert_eq!(put(owner, &component(1), &policy).await, shares);
    })
    .await;
}

#[tokio::test]
async fn a_policy_for_units_is_a_share_with_them() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let owner = &company.management;
        let outer = create_unit(owner, &company.root, "outer").await;
        let inner = create_unit(owner, &outer, "inner").await;
        let whole = format!("{}/{}/{outer}/{inner}/*", company.id, company.root);
        let shares = put(owner, &component(1), &of_paths(&[format!("{}/*/{inner}/*", company.id)])).await;
        assert_eq!(principals(owner, &shares[0]).await, [company.unit_arn(&inner)]);
        // With its whole path it is the same unit, and with another path it is none.
        assert_eq!(put(owner, &component(1), &of_paths(std::slice::from_ref(&whole))).await, shares);
        for path in [
            whole.replace(&format!("{outer}/"), ""),
            whole.replace(&company.root, "r-zzzz"),
            format!("{}/*/ou-zzzz-12345678/*", company.id),
        ] {
            let input = json!({"resourceArn": component(1), "policy": of_paths(&[path])});
            assert_eq!(refused(owner, Method::PUT, &input).await, "UnknownResource", "{input}");
        }
        let both = of_paths(&[whole, format!("{}/*/{outer}/*", company.id)]);
        let shares = put(owner, &component(1), &both).await;
        let mut units = [company.unit_arn(&outer), company.unit_arn(&inner)];
        units.sort();
        let mut found = principals(owner, &shares[0]).await;
        found.sort_by_key(Value::to_string);
        assert_eq!(found, units);
        // Who is in a unit sees what is shared with it once that is promoted.
        move_account(owner, MEMBER, &company.root, &inner).await;
        let input = json!({"name": "Same", "resourceType": "imagebuilder:Component",
            "policyTemplate": r#"{"Effect": "Allow", "Action": "imagebuilder:GetComponent"}"#});
        owner.ok("CreatePermission", &input).await;
        owner.ok(PROMOTE_SHARE, &json!({"resourceShareArn": shares[0]})).await;
        assert_eq!(share_arns(&company.member, "OTHER-ACCOUNTS").await, shares);
        assert_eq!(share_arns(&company.other, "OTHER-ACCOUNTS").await, [] as [&str; 0]);
    })
    .await;
}

#[tokio::test]
async fn what_ram_shows_of_any_share_can_be_put_back() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let owner = &company.management;
        let unit = create_unit(owner, &company.root, "unit").await;
        let principals = [MEMBER, &company.arn(), &company.unit_arn(&unit)];
        // A type that is shared inside the organization alone.
        let input = json!({"name": "n", "resourceArns": [SUBNET], "principals": principals});
        let share = create(owner, &input).await;
        let shown = document(owner, SUBNET).await;
        assert_eq!(shown.statements.len(), 3);
        owner.ok("DeleteResourceShare", &json!({"resourceShareArn": share})).await;
        put(owner, SUBNET, &shown.to_json()).await;
        assert!(same_grants(&document(owner, SUBNET).await, &shown));
    })
    .await;
}

#[tokio::test]
async fn such_a_share_ends_with_what_it_rests_on() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let owner = &company.management;
        let policy = of_organization(&company.id);
        let shares = put(owner, &component(1), &policy).await;
        let disable = json!({"ServicePrincipal": "ram.amazonaws.com"});
        company.call("DisableAWSServiceAccess", disable).await;
        assert_eq!(principals(owner, &shares[0]).await, [] as [&str; 0]);
        let policies = json!({"resourceArns": [component(1)]});
        assert_eq!(owner.ok("GetResourcePolicies", &policies).await["policies"], json!([]));
        // Promoted now, it is shared with nobody, and nobody is told that it is.
        let template = r#"{"Effect": "Allow", "Action": "imagebuilder:GetComponent"}"#;
        let input =
            json!({"name": "Same", "resourceType": "imagebuilder:Component", "policyTemplate": template});
        owner.ok("CreatePermission", &input).await;
        owner.ok(PROMOTE_SHARE, &json!({"resourceShareArn": shares[0]})).await;
        let told: Vec<_> = server
            .events(MANAGEMENT)
            .await
            .into_iter()
            .filter(|event| event.entity == company.arn())
            .collect();
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(principals(owner, &shares[0]).await, [] as [&str; 0]);
        server.sweep().await;
        assert_eq!(server.sql("SELECT resources, principals FROM owner_usage"), ["1|0"]);
        // It is not shared with while RAM may not, and made anew once it may.
        let input = json!({"resourceArn": component(1), "policy": policy});
        assert_eq!(refused(owner, Method::PUT, &input).await, "UnknownResource");
        company.enable().await;
        let anew = put(owner, &component(1), &policy).await;
        assert_ne!(anew, shares);
        assert_eq!(principals(owner, &anew[0]).await, [company.arn()]);
    })
    .await;
}

#[tokio::test]
async fn another_organization_is_not_found_and_everybody_is_too_many() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let (strange, id) = ("o-zzzzzzzzzz", &company.id);
        let unit = "ou-zzzz-12345678";
        let unconfined = of_organization(id).replace("aws:PrincipalOrgID", "aws:PrincipalTag/x");
        let negated = of_organization(id).replace("StringEquals", "StringNotEquals");
        for (client, policy, code) in [
            (&company.management, of_organization(strange), "UnknownResource"),
            (&company.management, of_paths(&[format!("{strange}/*/{unit}/*")]), "UnknownResource"),
            (&company.outsider, of_organization(id), "UnknownResource"),
            (&company.outsider, of_paths(&[format!("{id}/*/{unit}/*")]), "UnknownResource"),
            (&company.management, of_organization("o-*"), "InvalidPolicy"),
            (&company.management, of_paths(&[format!("{id}/*")]), "InvalidPolicy"),
            (&company.management, unconfined, "InvalidPolicy"),
            (&company.management, negated, "InvalidPolicy"),
        ] {
            let resource = component(1).replace(MANAGEMENT, client.id());
            let input = json!({"resourceArn": resource, "policy": policy});
            assert_eq!(refused(client, Method::PUT, &input).await, code, "{policy}");
            assert_eq!(share_arns(client, "SELF").await, [] as [&str; 0]);
        }
    })
    .await;
}
