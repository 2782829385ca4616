//! `rampart org`: a whole organization from a file, and from another endpoint.

use serde_json::{Value, json};

use crate::program::Site;

const FILE: &str = "
managementAccount: {id: '111111111111', name: Acme, email: root@acme.example}
trustedServices: [sso.amazonaws.com, ram.amazonaws.com]
sharing: true
policies:
  - name: NoS3
    description: Keep out
    tags: {owner: sec}
    content:
      Version: '2012-10-17'
      Statement: {Effect: Deny, Action: 's3:*', Resource: '*'}
root:
  units:
    - name: Workloads
      tags: {team: net}
      policies: [NoS3]
      accounts:
        - {id: '222222222222', name: Shop, email: shop@acme.example, tags: {stage: prod}}
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
    // The organization, two units, two accounts, two services, sharing, the policy, its type and attachment, three tags.
    assert_eq!(done.last().unwrap(), "Done: 14 changes.", "{done:?}");
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
    let endpoint = format!("http://{}", server.address());
    let mirror = |key: &str, arguments: &[&str]| {
        let mut command = target.command(&["org", "mirror", "--endpoint", &endpoint]);
        command.args(arguments).env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", "x");
        crate::program::Outcome::of(&mut command)
    };
    let first = mirror("111111111111", &[]);
    assert!(first.succeeded && first.stdout.ends_with("Done: 14 changes.\n"), "{first:?}");
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
        let filter = json!({"Filter": "SERVICE_CONTROL_POLICY"});
        seen.push(client.organizations("ListPolicies", &filter).await.json);
        for policy in seen[2]["Policies"].as_array().unwrap().clone() {
            for operation in ["DescribePolicy", "ListTargetsForPolicy"] {
                let input = json!({"PolicyId": policy["Id"]});
                seen.push(client.organizations(operation, &input).await.json);
            }
        }
        let tags = json!({"ResourceId": "222222222222"});
        seen.push(client.organizations("ListTagsForResource", &tags).await.json);
        assert_eq!(seen.last().unwrap()["Tags"][0]["Value"], "prod");
        let root = seen[1]["Roots"][0]["Id"].clone();
        let units = json!({"ParentId": root});
        seen.push(client.organizations("ListOrganizationalUnitsForParent", &units).await.json);
        seen
    };
    assert_eq!(describe(server.address()).await, describe(copy.address()).await);
    for (endpoint, words) in
        [("ftp://127.0.0.1", "http://HOST:PORT"), ("https://127.0.0.1:1", "cannot reach https://127.0.0.1:1")]
    {
        let key = ["--access-key-id", "x", "--secret-access-key", "x"];
        let outcome = Site::new().run(&[&["org", "mirror", "--endpoint", endpoint][..], &key].concat());
        assert!(!outcome.succeeded && outcome.stderr.contains(words), "{outcome:?}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let site = Site::new();
    let wrong = |from: &str, to: &str| {
        site.write("bad.yaml", &FILE.replacen(from, to, 1));
        let outcome = site.run(&["org", "apply", "bad.yaml"]);
        assert!(!outcome.succeeded, "{to}: {outcome:?}");
        outcome.stderr
    };
    for (from, to, words) in [
        ("'333333333333'", "'222222222222'", "bad.yaml, line 21"),
        ("policies: [NoS3]", "policies: [NoS4]", "bad.yaml, line 16"),
        ("shop@acme.example", "shop", "bad.yaml, line 18"),
        ("Effect: Deny", "Effect: Maybe", "bad.yaml, line 6"),
        ("id: '222222222222'", "id: '2222'", "line 18"),
        ("tags: {team: net}", "tagss: {team: net}", "line 15"),
    ] {
        let told = wrong(from, to);
        assert!(told.contains(words), "{to}: {told}");
    }
}

#[test]
fn the_accounts_that_the_store_knows_are_listed() {
    let site = Site::new();
    assert_eq!(site.run(&["account", "list"]).stdout, "");
    site.write("acme.yaml", FILE);
    org(&site, &["apply", "acme.yaml"]);
    for arguments in [
        &["account", "create", "444444444444", "--name", "Alone"][..],
        &["key", "create", "--account", "222222222222"],
        &["key", "create", "--account", "222222222222", "--user", "alice"],
        &["key", "create", "--account", "555555555555"],
    ] {
        assert!(site.run(arguments).succeeded, "{arguments:?}");
    }
    let listed = site.run(&["account", "list", "--output", "json"]);
    let listed: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    let of = |member: &str| listed.iter().map(|line| line[member].clone()).collect::<Vec<_>>();
    let ids = ["111111111111", "222222222222", "333333333333", "444444444444", "555555555555"];
    assert_eq!(of("AccountId"), ids);
    assert_eq!(of("Name"), ["Acme", "Shop", "333333333333", "Alone", ""]);
    assert_eq!(of("ActiveKeys"), [0, 2, 0, 0, 1]);
    let depths = listed.iter().map(|line| line["Path"].as_str().map_or(0, |path| path.matches('/').count()));
    assert_eq!(depths.collect::<Vec<_>>(), [2, 3, 4, 0, 0]);
    let text = site.run(&["account", "list"]).stdout;
    assert!(
        text.starts_with("111111111111  ACTIVE     keys 0    o-") && text.contains("/  Shop\n"),
        "{text}"
    );
}

#[tokio::test]
async fn an_organization_for_one_bill_is_mirrored() {
    let (source, target) = (Site::new(), Site::new());
    source.write("bill.yaml", "{managementAccount: {id: '111111111111'}, featureSet: CONSOLIDATED_BILLING}");
    org(&source, &["apply", "bill.yaml"]);
    let server = source.serve(&[]);
    let endpoint = format!("http://{}", server.address());
    for words in ["Done: 1 changes.", "Nothing changes."] {
        let mut command = target.command(&["org", "mirror", "--endpoint", &endpoint, "--prune"]);
        command.env("AWS_ACCESS_KEY_ID", "111111111111").env("AWS_SECRET_ACCESS_KEY", "x");
        let outcome = crate::program::Outcome::of(&mut command);
        assert!(outcome.succeeded && outcome.stdout.contains(words), "{outcome:?}");
    }
}
