//! `rampart org`: a whole organization from a file, and from another endpoint.

use serde_json::{Value, json};

use crate::program::Site;

const FILE: &str = "
managementAccount: {id: '111111111111', name: Acme, email: root@acme.example}
trustedServices: [sso.amazonaws.com, ram.amazonaws.com]
sharing: true
root:
  units:
    - name: Workloads
      accounts:
        - {id: '222222222222', name: Shop, email: shop@acme.example}
      units:
        - name: Prod
          accounts: [{id: '333333333333'}]
";

/// Runs an org command that must succeed; gives what it printed.
fn org(site: &Site, arguments: &[&str]) -> Vec<String> {
    let outcome = site.run(&[&["org"], arguments].concat());
    assert!(outcome.succeeded, "{arguments:?}: {outcome:?}");
    outcome.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_file_is_applied_and_applied_again() {
    let site = Site::new();
    site.write("acme.yaml", FILE);
    let planned = org(&site, &["apply", "acme.yaml", "--dry-run"]);
    assert!(planned[0].starts_with("create organization o-"), "{planned:?}");
    let done = org(&site, &["apply", "acme.yaml"]);
    // The organization, two units, two accounts, two services, and sharing.
    assert_eq!(done.last().unwrap(), "Done: 8 changes.", "{done:?}");
    assert_eq!(org(&site, &["apply", "acme.yaml"]), ["Nothing changes."]);

    // JSON does as well; what it does not name stays until it is pruned.
    let json = json!({
        "managementAccount": {"id": "111111111111"},
        "root": {"accounts": [{"id": "222222222222", "name": "Store"}]},
    });
    site.write("acme.json", &json.to_string());
    let moved = org(&site, &["apply", "acme.json"]);
    assert!(moved[0].starts_with("move account 222222222222 (r-"), "{moved:?}");
    let pruned = org(&site, &["apply", "acme.json", "--prune"]);
    assert_eq!(pruned.last().unwrap(), "Done: 3 changes.", "{pruned:?}");
    assert_eq!(org(&site, &["apply", "acme.json", "--prune"]), ["Nothing changes."]);
}

#[test]
fn a_wrong_file_changes_nothing_and_says_why() {
    let site = Site::new();
    for (text, words) in [
        ("managementAccount: {id: '12'}", "twelve digits"),
        ("managementAccount: {id: '111111111111'}\nrots: {}", "rots"),
        (
            "managementAccount: {id: '111111111111'}\nroot: {accounts: [{id: '222222222222'}, {id: '222222222222'}]}",
            "more than once",
        ),
        (
            "managementAccount: {id: '111111111111'}\nsharing: true\nfeatureSet: CONSOLIDATED_BILLING",
            "all features",
        ),
    ] {
        site.write("bad.yaml", text);
        let outcome = site.run(&["org", "apply", "bad.yaml"]);
        assert!(!outcome.succeeded && outcome.stderr.contains(words), "{text}: {outcome:?}");
    }
    let absent = site.run(&["org", "apply", "absent.yaml"]);
    assert!(!absent.succeeded && absent.stderr.contains("cannot read absent.yaml"), "{absent:?}");
}

#[tokio::test]
async fn another_endpoint_is_mirrored() {
    let (source, target) = (Site::new(), Site::new());
    source.write("acme.yaml", FILE);
    org(&source, &["apply", "acme.yaml"]);
    let server = source.serve(&[]);
    let endpoint = format!("http://{}", server.address);
    let mirror = |key: &str, arguments: &[&str]| {
        let mut command = target.command(&["org", "mirror", "--endpoint", &endpoint]);
        command.args(arguments).env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", "x");
        crate::program::Outcome::of(&mut command)
    };
    let first = mirror("111111111111", &[]);
    assert!(first.succeeded && first.stdout.ends_with("Done: 8 changes.\n"), "{first:?}");
    let again = mirror("111111111111", &["--prune"]);
    assert!(again.succeeded && again.stdout == "Nothing changes.\n", "{again:?}");
    let member = mirror("222222222222", &[]);
    assert!(!member.succeeded && member.stderr.contains("AccessDeniedException"), "{member:?}");

    // The ids are the same, so that what names them means the same here.
    let copy = target.serve(&[]);
    let describe = async |address| {
        let key = rampart_testkit::client::Key { id: "111111111111".to_owned(), secret: "x".to_owned() };
        let client = rampart_testkit::Client::of(address, key, "us-east-1");
        let mut seen: Vec<Value> = Vec::new();
        for operation in ["DescribeOrganization", "ListRoots"] {
            seen.push(client.organizations(operation, &json!({})).await.json);
        }
        let root = seen[1]["Roots"][0]["Id"].clone();
        let units = json!({"ParentId": root});
        seen.push(client.organizations("ListOrganizationalUnitsForParent", &units).await.json);
        seen
    };
    assert_eq!(describe(server.address).await, describe(copy.address).await);
    let unreachable = Site::new().run(&[
        "org",
        "mirror",
        "--endpoint",
        "https://organizations.us-east-1.amazonaws.com",
        "--access-key-id",
        "x",
        "--secret-access-key",
        "x",
    ]);
    assert!(!unreachable.succeeded && unreachable.stderr.contains("TLS is not built in"), "{unreachable:?}");
}
