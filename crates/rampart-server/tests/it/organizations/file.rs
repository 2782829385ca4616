//! A whole organization from a file, on both stores, under a server that runs.

use rampart_core::TimestampMs;
use rampart_core::organization::plan::OrganizationFile;
use rampart_server::Entropy;
use rampart_server::organization_file::{apply, plan_file};
use rampart_testkit::server::for_each_store_with;
use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use super::{MANAGEMENT, MEMBER, OUTSIDER, create, ids, join, ok, text};
use crate::sharing::{create as create_share, share_arns};
use crate::sts::strict;

/// Applies a file, pruning; says how many steps it took.
async fn apply_file(server: &TestServer, file: Value) -> Result<usize, String> {
    let file: OrganizationFile = serde_json::from_value(file).unwrap();
    let (entropy, now) = (Entropy::system(), TimestampMs(1_800_000_000_000));
    let steps = plan_file(server.store(), &file, true, &entropy, now).await.map_err(|e| e.to_string())?;
    let count = steps.len();
    let done = apply(server.store(), file.management_account.id, steps, &entropy, now).await;
    done.map(|()| count).map_err(|error| error.to_string())
}

fn acme(accounts: &[&str]) -> Value {
    let accounts: Vec<_> = accounts.iter().map(|id| json!({"id": id})).collect();
    json!({
        "managementAccount": {"id": MANAGEMENT},
        "sharing": true,
        "root": {"units": [{"name": "Workloads", "accounts": accounts}]},
    })
}

#[tokio::test]
async fn what_a_file_makes_works_and_what_it_takes_away_does_not() {
    for_each_store(async |server| {
        assert_eq!(apply_file(&server, acme(&[MEMBER, OUTSIDER])).await, Ok(5));
        assert_eq!(apply_file(&server, acme(&[MEMBER, OUTSIDER])).await, Ok(0));
        let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
        let roots = ok(&management, "ListRoots", &json!({})).await;
        let parent = json!({"ParentId": roots["Roots"][0]["Id"]});
        let units = ok(&management, "ListOrganizationalUnitsForParent", &parent).await;
        let [unit] = &ids(&units["OrganizationalUnits"])[..] else { panic!("{units}") };
        let listed = ok(&management, "ListAccountsForParent", &json!({"ParentId": unit})).await;
        assert_eq!(ids(&listed["Accounts"]), [MEMBER, OUTSIDER]);
        let arn = text(&units["OrganizationalUnits"][0]["Arn"]);
        let share = create_share(&management, &json!({"name": "n", "principals": [arn]})).await;
        assert_eq!(share_arns(&member, "OTHER-ACCOUNTS").await, std::slice::from_ref(&share));

        assert_eq!(apply_file(&server, acme(&[OUTSIDER])).await, Ok(1));
        assert!(share_arns(&member, "OTHER-ACCOUNTS").await.is_empty());
        assert_eq!(share_arns(&server.account(OUTSIDER), "OTHER-ACCOUNTS").await, [share]);
        // Counts are kept as the operations keep them: the organization can be emptied and deleted.
        assert_eq!(apply_file(&server, acme(&[])).await, Ok(1));
        ok(&management, "DeleteOrganization", &json!({})).await;
        assert_eq!(server.count("organization"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_file_takes_no_account_from_another_organization() {
    for_each_store(async |server| {
        let other = server.account(OUTSIDER);
        create(&other).await;
        join(&other, &server.account(MEMBER)).await;
        let refused = apply_file(&server, acme(&[MEMBER])).await.unwrap_err();
        assert!(refused.contains("member of another organization"), "{refused}");
        assert_eq!(server.count("organization"), 1);
        // Nor does a management account get a second one.
        let file = json!({"managementAccount": {"id": MEMBER}});
        assert!(apply_file(&server, file).await.is_err());
    })
    .await;
}

const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"ram:*","Resource":"*"}}"#;

/// Has the server read callers again, as it does after each change of an organization by an operation.
async fn forget_callers(management: &Client) {
    let input = json!({"ResourceId": MANAGEMENT, "TagKeys": ["none"]});
    ok(management, "UntagResource", &input).await;
}

/// A file whose only account is denied RAM, and whose things have tags.
fn bounded() -> Value {
    json!({
        "managementAccount": {"id": MANAGEMENT, "tags": {"kind": "payer"}},
        "policies": [{"name": "NoRam", "content": serde_json::from_str::<Value>(DENY).unwrap(), "tags": {"owner": "sec"}}],
        "root": {
            "tags": {"company": "acme"},
            "units": [{
                "name": "Bounded", "policies": ["NoRam"], "tags": {"team": "net"},
                "accounts": [{"id": MEMBER, "tags": {"stage": "prod"}}],
            }],
        },
    })
}

#[tokio::test]
async fn policies_and_tags_of_a_file_are_those_of_the_operations() {
    for_each_store_with(strict(), async |server: TestServer| {
        let management = server.client(server.create_key(MANAGEMENT, "").await);
        let member = server.client(server.create_key(MEMBER, "").await);
        assert_eq!(member.call("ListPermissions", &json!({})).await.status, 200);
        // The organization, a unit, an account, the policy, its type and attachment, and five resources with tags.
        assert_eq!(apply_file(&server, bounded()).await, Ok(11));
        assert_eq!(apply_file(&server, bounded()).await, Ok(0));
        forget_callers(&management).await;
        let denied = member.call("ListPermissions", &json!({})).await;
        assert!(denied.text.contains("with an explicit deny in a service control policy"), "{}", denied.text);
        let listed = ok(&management, "ListPolicies", &json!({"Filter": "SERVICE_CONTROL_POLICY"})).await;
        let policies = listed["Policies"].as_array().unwrap();
        let own = policies.iter().find(|policy| policy["Name"] == "NoRam").unwrap()["Id"].clone();
        let targets = ok(&management, "ListTargetsForPolicy", &json!({"PolicyId": own})).await;
        assert_eq!(targets["Targets"][0]["Name"], "Bounded");
        let root = ok(&management, "ListRoots", &json!({})).await["Roots"][0]["Id"].clone();
        for (resource, key) in [
            (json!(MANAGEMENT), "kind"),
            (json!(MEMBER), "stage"),
            (own.clone(), "owner"),
            (root, "company"),
            (targets["Targets"][0]["TargetId"].clone(), "team"),
        ] {
            let tags = ok(&management, "ListTagsForResource", &json!({"ResourceId": resource})).await;
            assert_eq!(tags["Tags"][0]["Key"], key);
        }

        // Another document is another version of the same policy; then nothing of it is left.
        let mut changed = bounded();
        changed["policies"][0]["content"] = json!(DENY.replace("ram:*", "s3:*"));
        assert_eq!(apply_file(&server, changed).await, Ok(1));
        forget_callers(&management).await;
        assert_eq!(member.call("ListPermissions", &json!({})).await.status, 200);
        let mut gone = bounded();
        gone["policies"] = json!([]);
        gone["root"]["tags"] = json!({});
        gone["root"]["units"][0]["policies"] = json!([]);
        assert_eq!(apply_file(&server, gone.clone()).await, Ok(3));
        assert_eq!(apply_file(&server, gone).await, Ok(0));
        assert_eq!(server.count("organization_policy"), 0);
        let kept = server.sql("SELECT resource FROM organization_tag WHERE resource LIKE 'p-%'");
        assert!(kept.is_empty(), "{kept:?}");
        // As many as the organization counts.
        let body = server.sql("SELECT body FROM organization").join("");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["policies"], 0);
    })
    .await;
}
