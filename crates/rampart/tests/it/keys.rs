//! Accounts and access keys: made, listed and disabled beside a running server.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rampart_testkit::node::Node;
use rampart_testkit::postgres::PostgresCluster;
use serde_json::json;

use crate::program::{Outcome, Site};

const ACCOUNT: &str = "111111111111";
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn a_key_is_made_listed_and_disabled() {
    let site = Site::new();
    let account = site.json(&["account", "create", ACCOUNT, "--name", "network", "--output", "json"]);
    assert_eq!((&account["AccountId"], &account["Name"]), (&json!(ACCOUNT), &json!("network")));
    let made = site.json(&["key", "create", "--account", ACCOUNT, "--user", "alice", "--output", "json"]);
    let id = made["AccessKeyId"].as_str().unwrap();
    assert!(id.starts_with("AKIA") && id.len() == 20, "{made}");
    assert_eq!(made["SecretAccessKey"].as_str().unwrap().len(), 40);
    assert_eq!((&made["UserName"], &made["Status"]), (&json!("alice"), &json!("Active")));

    let mut line = made.clone();
    line.as_object_mut().unwrap().remove("SecretAccessKey");
    let of_account = ["key", "list", "--account", ACCOUNT, "--output", "json"];
    assert_eq!(site.json(&of_account), json!([line]));
    line["Status"] = json!("Inactive");
    assert_eq!(site.json(&["key", "disable", id, "--output", "json"]), line);
    assert_eq!(site.json(&of_account), json!([line]));

    let other = ["key", "list", "--account", "222222222222"];
    assert!(site.run(&other).stdout.contains("rampart key create --account 222222222222"));
    let last = if id.ends_with('A') { 'B' } else { 'A' };
    let unknown = format!("{}{last}", &id[..19]);
    site.run(&["key", "disable", &unknown]).assert_failed(&[&unknown, "sqlite:./rampart.db"]);
}

#[tokio::test]
async fn a_users_key_makes_the_user_once() {
    let site = Site::new();
    let of = |user| ["key", "create", "--account", ACCOUNT, "--user", user, "--output", "json"];
    site.json(&of("Alice"));
    let made = site.json(&of("Alice"));
    site.run(&of("ALICE")).assert_failed(&["Alice", "letters"]);
    site.run(&of("a b")).assert_failed(&["letters, digits"]);
    assert_eq!(
        site.json(&["key", "list", "--account", ACCOUNT, "--output", "json"]).as_array().unwrap().len(),
        2
    );
    let server = site.serve(&["--auth", "strict"]);
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    let alice = server.client(&text("AccessKeyId"), &text("SecretAccessKey"));
    let identity = alice.sts("GetCallerIdentity").await;
    assert_eq!(identity.element("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/Alice"));
    assert!(identity.element("UserId").starts_with("AIDA"));
}

#[test]
fn secrets_are_for_their_owners_eyes() {
    let site = Site::new();
    let made = site.json(&["key", "create", "--account", ACCOUNT, "--output", "json"]);
    let secret = made["SecretAccessKey"].as_str().unwrap().as_bytes();
    for name in ["rampart.db", "rampart.db.key"] {
        let path = site.path().join(name);
        let permissions = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(permissions & 0o777, 0o600, "{name}");
    }
    for entry in std::fs::read_dir(site.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{}", path.display());
    }
}

#[tokio::test]
async fn a_key_made_beside_a_running_server_works_at_once_and_ends_soon_after_it_is_disabled() {
    let site = Site::new();
    let server = site.serve(&["--auth", "strict"]);
    made_used_and_disabled(&site, &server, &[]).await;
}

#[tokio::test]
async fn open_mode_verifies_a_key_made_after_it_started() {
    let site = Site::new();
    let server = site.serve(&[]);
    made_used_and_disabled(&site, &server, &[]).await;
}

#[tokio::test]
async fn on_postgresql_too() {
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    let site = Site::new();
    let store = ["--store", database.url()];
    let without = site.command(&["key", "create", "--account", ACCOUNT]).args(store).output().unwrap();
    let told = String::from_utf8(without.stderr).unwrap();
    assert!(
        !without.status.success() && told.contains("RAMPART_MASTER_KEY") && told.contains("openssl rand"),
        "{told}"
    );

    site.write("master.key", MASTER_KEY);
    let arguments = [store[0], store[1], "--master-key-file", "master.key"];
    let server = site.serve(&[&arguments[..], &["--auth", "strict"]].concat());
    made_used_and_disabled(&site, &server, &arguments).await;
    // Another master key is refused before it seals or opens anything.
    for command in [&["key", "create", "--account", ACCOUNT][..], &["serve"], &["serve", "--auth", "strict"]]
    {
        let mut other = site.command(&[command, &store].concat());
        let other = Outcome::of(other.env("RAMPART_MASTER_KEY", MASTER_KEY.replace("AAEC", "BBEC")));
        other.assert_failed(&["RAMPART_MASTER_KEY", "is not the one", "give the right one"]);
    }
    // Without any, open mode alone goes on.
    site.run(&[&["serve", "--auth", "strict"][..], &store].concat()).assert_failed(&["RAMPART_MASTER_KEY"]);
    site.serve(&store);
}

#[tokio::test]
async fn a_master_key_that_is_gone_is_not_made_anew() {
    let site = Site::new();
    let made = site.json(&["key", "create", "--account", ACCOUNT, "--output", "json"]);
    let (file, kept) = (site.path().join("rampart.db.key"), site.path().join("kept"));
    std::fs::rename(&file, &kept).unwrap();
    let words = ["rampart.db.key", "RAMPART_MASTER_KEY"];
    site.run(&["serve", "--auth", "strict"]).assert_failed(&words);
    site.run(&["key", "create", "--account", ACCOUNT]).assert_failed(&words);
    let open = site.serve(&[]);
    assert!(site.log().contains("rampart.db.key"), "{}", site.log());
    assert!(!file.exists());
    open.kill();
    // A file with another key is no better.
    site.write("rampart.db.key", MASTER_KEY);
    site.run(&["serve", "--auth", "strict"]).assert_failed(&["rampart.db.key", "is not the one"]);

    std::fs::rename(&kept, &file).unwrap();
    let server = site.serve(&["--auth", "strict"]);
    let client =
        server.client(made["AccessKeyId"].as_str().unwrap(), made["SecretAccessKey"].as_str().unwrap());
    client.ok("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
}

async fn made_used_and_disabled(site: &Site, server: &Node, store: &[&str]) {
    let own = json!({"resourceOwner": "SELF"});
    let create = ["key", "create", "--account", ACCOUNT, "--output", "json"];
    let made = site.json(&[&create[..], store].concat());
    let (id, secret) = (made["AccessKeyId"].as_str().unwrap(), made["SecretAccessKey"].as_str().unwrap());
    let client = server.client(id, secret);
    client.ok("CreateResourceShare", &json!({"name": "n"})).await;
    let wrong = server.client(id, "wrong").call("GetResourceShares", &own).await;
    assert_eq!((wrong.status, wrong.error_code.as_str()), (403, "InvalidSignatureException"));

    let disabled = site.run(&[&["key", "disable", id][..], store].concat());
    assert!(disabled.succeeded && disabled.stdout.contains("within a second"), "{disabled:?}");
    let since = Instant::now();
    // Nothing tells when the server reads the key again, so it is asked until it has.
    let refused = loop {
        let reply = client.call("GetResourceShares", &own).await;
        if reply.status != 200 {
            break reply;
        }
        assert!(since.elapsed() < Duration::from_secs(2), "still taken");
    };
    assert_eq!((refused.status, refused.error_code.as_str()), (403, "UnrecognizedClientException"));
}
