//! A whole organization from a file, on both stores, under a server that runs.

use rampart_core::TimestampMs;
use rampart_core::organization::plan::OrganizationFile;
use rampart_server::Entropy;
use rampart_server::organization_file::{apply, plan_file};
use rampart_testkit::{TestServer, for_each_store};
use serde_json::{Value, json};

use super::{MANAGEMENT, MEMBER, OUTSIDER, create, ids, join, ok, text};
use crate::sharing::{create as create_share, share_arns};

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
