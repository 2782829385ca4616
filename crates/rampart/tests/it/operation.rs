//! What an operator of `rampart serve` sees: the listener for probes, and the log.

use http::Request;
use rampart_testkit::client::Key;
use rampart_testkit::node::Node;
use rampart_testkit::server::REGION;
use rampart_testkit::{Client, Reply};
use serde_json::{Value, json};

use crate::program::Site;

const OWNER: &str = "111111111111";

async fn get(client: &Client, path: &str) -> Reply {
    client.send(Request::get(path).body(bytes::Bytes::new()).unwrap()).await
}

/// A client of the listener that the greeting names.
fn admin(server: &Node) -> Client {
    let line = server.greeting().lines().find_map(|line| line.trim().strip_prefix("admin")).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap().parse().unwrap();
    Client::of(address, Key { id: OWNER.to_owned(), secret: "x".to_owned() }, REGION)
}

#[tokio::test]
async fn probes_are_answered_on_their_own_listener_alone() {
    let site = Site::new();
    for mode in ["open", "strict"] {
        let server = site.serve(&["--auth", mode, "--admin-listen", "127.0.0.1:0"]);
        let (public, admin) = (server.client(OWNER, "x"), admin(&server));
        for path in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(get(&admin, path).await.status, 200, "{mode} {path}");
            assert_eq!(get(&public, path).await.status, 403, "{mode} {path}");
        }
        // Nothing else is: no operation, and not the clock.
        let call = admin.call("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
        assert_eq!(call.status, 404, "{}", call.text);
        assert_eq!(get(&admin, "/rampart/v1/clock").await.status, 404);
    }
}

#[tokio::test]
async fn a_line_for_each_request_when_asked() {
    let site = Site::new();
    let filter = "info,rampart_server::request=debug";
    let server = site.serve_logging_json(&["--log-level", filter]);
    let client = server.client(OWNER, "x");
    let answered = client.call("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
    client.refused("GetResourceShares", &json!({})).await;
    server.terminate();
    let log = site.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<_> = lines.iter().filter(|line| line["status"].is_u64()).collect();
    let [ok, refused] = requests[..] else { panic!("{log}") };
    let id = answered.headers["x-amzn-requestid"].to_str().unwrap();
    for (member, expected) in [
        ("message", json!("answered")),
        ("request_id", json!(id)),
        ("service", json!("ram")),
        ("operation", json!("GetResourceShares")),
        ("account", json!(OWNER)),
        ("method", json!("POST")),
        ("path", json!("/getresourceshares")),
        ("status", json!(200)),
    ] {
        assert_eq!(ok[member], expected, "{member}");
    }
    assert!(ok["micros"].as_u64().is_some_and(|micros| micros > 0), "{ok}");
    assert_eq!((&refused["status"], &refused["code"]), (&json!(400), &json!("InvalidParameterException")));
    assert!(refused["reason"].is_string(), "{refused}");
    // Without being asked it says nothing of them.
    let quiet = site.serve_logging_json(&["--store", "sqlite:quiet.db"]);
    quiet.client(OWNER, "x").ok("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
    quiet.terminate();
    assert_eq!(site.log().matches("\"path\"").count(), 2);
}

#[tokio::test]
async fn what_signs_is_not_in_the_log() {
    let site = Site::new();
    let key = site.json(&["key", "create", "--account", OWNER, "--output", "json"]);
    let (id, secret) = (key["AccessKeyId"].as_str().unwrap(), key["SecretAccessKey"].as_str().unwrap());
    let server = site.serve(&["--auth", "strict", "--log-level", "trace"]);
    let client = server.client(id, secret);
    let input = json!({"resourceOwner": "SELF"});
    client.ok("GetResourceShares", &input).await;
    let presigned = client.presigned("GetResourceShares", &input, 0);
    let query = presigned.uri().query().unwrap().to_owned();
    client.send(presigned).await;
    let session = client.sts("GetSessionToken").await;
    server.terminate();
    let log = site.log();
    assert!(log.contains("/getresourceshares"), "{log}");
    let signature = query.rsplit_once("X-Amz-Signature=").unwrap().1;
    for told in [secret, signature, &session.element("SecretAccessKey"), &session.element("SessionToken")] {
        assert!(told.is_empty() || !log.contains(told), "{told}");
    }
}
