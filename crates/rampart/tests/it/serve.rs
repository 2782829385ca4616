//! `rampart serve` from its first line to its last.

use rampart_testkit::postgres::PostgresCluster;
use serde_json::json;

use crate::program::Site;

const OWNER: &str = "111111111111";
const CONSUMER: &str = "222222222222";

#[test]
fn it_says_where_it_is_and_how_to_call_it() {
    let site = Site::new();
    let server = site.serve(&[]);
    let endpoint = format!("http://{}", server.address());
    for line in [
        format!("  endpoint  {endpoint}"),
        "  store     sqlite:./rampart.db".to_owned(),
        "  auth      open: any key is taken, a 12-digit access key id is the account".to_owned(),
        format!("export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION=eu-west-1"),
        format!("export AWS_ACCESS_KEY_ID={OWNER} AWS_SECRET_ACCESS_KEY=x"),
        "aws ram get-resource-shares --resource-owner SELF".to_owned(),
    ] {
        assert!(
            server.greeting().lines().any(|said| said == line),
            "{line} is not in: {}",
            server.greeting()
        );
    }
    let strict = site.serve(&["--auth", "strict", "--store", "sqlite:strict.db"]);
    assert!(strict.greeting().contains("  auth      strict: rampart key create"), "{}", strict.greeting());
}

#[tokio::test]
async fn it_stops_when_asked_and_keeps_what_it_was_told() {
    let site = Site::new();
    let server = site.serve(&[]);
    let input = json!({"name": "kept", "principals": [CONSUMER]});
    let made = server.client(OWNER, "x").ok("CreateResourceShare", &input).await;
    let (status, rest) = server.terminate();
    assert!(status.success(), "{status}");
    assert_eq!(rest.trim(), "");

    let server = site.serve(&[]);
    let found = server.client(OWNER, "x").ok("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
    let arn = &made["resourceShare"]["resourceShareArn"];
    assert_eq!(&found["resourceShares"][0]["resourceShareArn"], arn);
    let received = server.client(CONSUMER, "x").ok("GetResourceShareInvitations", &json!({})).await;
    assert_eq!(&received["resourceShareInvitations"][0]["resourceShareArn"], arn);
}

#[tokio::test]
async fn page_tokens_outlive_a_restart() {
    let site = Site::new();
    let server = site.serve(&[]);
    let owner = server.client(OWNER, "x");
    for name in ["a", "b"] {
        owner.ok("CreateResourceShare", &json!({"name": name})).await;
    }
    let mut input = json!({"resourceOwner": "SELF", "maxResults": 1});
    let first = owner.ok("GetResourceShares", &input).await;
    server.kill();
    let server = site.serve(&[]);
    input["nextToken"] = first["nextToken"].clone();
    let second = server.client(OWNER, "x").ok("GetResourceShares", &input).await;
    assert_eq!(second["resourceShares"].as_array().unwrap().len(), 1);
    assert_ne!(first["resourceShares"], second["resourceShares"]);
    assert!(second.get("nextToken").is_none());
}

#[tokio::test]
async fn the_default_account_and_the_delay_are_those_that_were_set() {
    let site = Site::new();
    let server = site.serve(&["--default-account", CONSUMER, "--settle-delay", "10m"]);
    let client = server.client("test", "x");
    let identity = client.sts("GetCallerIdentity").await.text;
    assert!(identity.contains(&format!("<Account>{CONSUMER}</Account>")), "{identity}");
    let input = json!({"name": "n", "principals": [CONSUMER]});
    client.ok("CreateResourceShare", &input).await;
    let rows = client.ok("GetResourceShareAssociations", &json!({"associationType": "PRINCIPAL"})).await;
    assert_eq!(rows["resourceShareAssociations"][0]["status"], "ASSOCIATING");
}

#[tokio::test]
async fn two_servers_on_one_postgresql_store_see_one_state() {
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    let site = Site::new();
    let first = site.serve(&["--store", database.url()]);
    let second = site.serve(&["--store", database.url()]);
    let input = json!({"name": "n", "principals": [CONSUMER], "clientToken": "once"});
    let made = first.client(OWNER, "x").call("CreateResourceShare", &input).await;
    let again = second.client(OWNER, "x").call("CreateResourceShare", &input).await;
    assert_eq!((made.status, &made.text), (200, &again.text));
    let received = second.client(CONSUMER, "x").ok("GetResourceShareInvitations", &json!({})).await;
    let invitation = &received["resourceShareInvitations"][0]["resourceShareInvitationArn"];
    let named = json!({"resourceShareInvitationArn": invitation});
    first.client(CONSUMER, "x").ok("AcceptResourceShareInvitation", &named).await;
    let refused = second.client(CONSUMER, "x").refused("RejectResourceShareInvitation", &named).await;
    assert_eq!(refused, "ResourceShareInvitationAlreadyAccepted");
    // Page tokens of one are good at the other.
    first.client(OWNER, "x").ok("CreateResourceShare", &json!({"name": "m"})).await;
    let mut input = json!({"resourceOwner": "SELF", "maxResults": 1});
    let page = first.client(OWNER, "x").ok("GetResourceShares", &input).await;
    input["nextToken"] = page["nextToken"].clone();
    second.client(OWNER, "x").ok("GetResourceShares", &input).await;
}

#[test]
fn the_log_is_lines_of_json_when_asked() {
    let site = Site::new();
    let server = site.serve_logging_json(&["--admin-listen", "127.0.0.1:0"]);
    let serving: serde_json::Value = serde_json::from_str(server.greeting()).unwrap();
    assert_eq!(serving["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(serving["endpoint"], format!("http://{}", server.address()));
    assert!(
        serving["admin"].as_str().is_some_and(|admin| admin.starts_with("http://127.0.0.1:")),
        "{serving}"
    );
    assert_eq!((&serving["store"], &serving["auth"]), (&json!("sqlite:./rampart.db"), &json!("open")));
    let (status, output) = server.terminate();
    assert!(status.success());
    // A container's log has both in one.
    assert_eq!(output, "");
    for line in site.log().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string() && line["level"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn a_caller_writes_no_log_lines_of_its_own() {
    let site = Site::new();
    let forged = json!({"resourceOwner": "SELF", "resourceShareStatus": "x\nFORGED \u{1b}[2J"});
    for format in ["text", "json"] {
        let debug = ["--log-level", "debug"];
        let server = if format == "json" { site.serve_logging_json(&debug) } else { site.serve(&debug) };
        let reply = server.client(OWNER, "x").call("GetResourceShares", &forged).await;
        assert!(reply.status == 400 && reply.text.contains("FORGED"), "{}", reply.text);
        server.terminate();
    }
    let log = site.log();
    assert_eq!(log.matches("FORGED").count(), 2, "{log}");
    for line in log.lines().filter(|line| line.contains("FORGED")) {
        assert!(line.contains("a request was refused") && !line.contains('\u{1b}'), "{line}");
        assert!(line.matches("\"message\"").count() <= 1, "{line}");
    }
}

#[tokio::test]
async fn more_connections_than_descriptors_are_waited_out() {
    let site = Site::new();
    let server = site.serve_with_descriptors(64);
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(tokio::net::TcpStream::connect(server.address()).await.unwrap());
    }
    // They stay in the backlog while none of those before them ends.
    let mut looks = 0;
    while !site.log().contains("a connection could not be accepted") {
        looks += 1;
        assert!(looks < 1_000_000, "{}", site.log());
        tokio::task::yield_now().await;
    }
    drop(held);
    let shares = server.client(OWNER, "x").ok("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
    assert_eq!(shares, json!({"resourceShares": []}));
    // It did not spin in the meantime.
    let warnings = site.log().lines().count();
    assert!(warnings < 200, "{warnings} lines");
}
