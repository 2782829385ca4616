//! rampart's own endpoints: the manual clock and the reset, for open mode and for programs on this machine.

use bytes::Bytes;
use http::Request;
use rampart_server::{AuthMode, Settings};
use rampart_testkit::server::settings;
use rampart_testkit::{Client, Reply, StoreKind, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{OWNER, Offer, component, gateway, share_arns};

const CLOCK: &str = "/rampart/v1/clock";
const RESET: &str = "/rampart/v1/reset";

async fn call(client: &Client, method: &str, path: &str, body: &str, header: Option<(&str, &str)>) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let reply = client.send(request.body(Bytes::from(body.to_owned())).unwrap()).await;
    assert!(reply.headers.contains_key("x-amzn-requestid"));
    reply
}

async fn clock(client: &Client, body: &Value) -> Reply {
    call(client, "POST", CLOCK, &body.to_string(), None).await
}

#[tokio::test]
async fn the_clock_is_set_advanced_and_read() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let read = async || call(&client, "GET", CLOCK, "", None).await.json["now"].as_f64().unwrap();
    let began = read().await;
    assert_eq!(clock(&client, &json!({"advance": 3600.5})).await.status, 200);
    let later = read().await;
    assert!((3600.5..3700.0).contains(&(later - began)), "{began} {later}");
    let answer = clock(&client, &json!({"now": 2_000_000_000})).await;
    assert!(
        (2_000_000_000.0..2_000_000_100.0).contains(&answer.json["now"].as_f64().unwrap()),
        "{}",
        answer.text
    );
    // Back in time too, and the time of answers is the clock's; signatures are of the real time all the while.
    clock(&client, &json!({"now": 1_000_000_000.25})).await;
    let share = client.ok("CreateResourceShare", &json!({"name": "n"})).await;
    let made = share["resourceShare"]["creationTime"].as_f64().unwrap();
    assert!((1_000_000_000.25..1_000_000_100.0).contains(&made), "{made}");
}

#[tokio::test]
async fn an_invitation_expires_by_the_clock() {
    for_each_store(async |server| {
        let offer = Offer::pending(&server, &[component(1)]).await;
        let moved = clock(&offer.consumer, &json!({"advance": 12 * 3600})).await;
        assert_eq!(moved.status, 200, "{}", moved.text);
        let refused = offer.consumer.refused("AcceptResourceShareInvitation", &offer.named()).await;
        assert_eq!(refused, "ResourceShareInvitationExpired");
    })
    .await;
}

#[tokio::test]
async fn what_the_clock_does_not_take() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    for body in [
        "",
        "{}",
        "null",
        "[]",
        "{",
        "{\"now\":1,\"advance\":1}",
        "{\"advance\":-1}",
        "{\"advance\":1e300}",
        "{\"now\":-1}",
        "{\"now\":1e300}",
        "{\"now\":\"1\"}",
        "{\"later\":1}",
    ] {
        let reply = call(&client, "POST", CLOCK, body, None).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text);
        assert!(!reply.json["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(call(&client, "DELETE", CLOCK, "", None).await.status, 405);
    assert_eq!(call(&client, "GET", "/rampart/v1/nothing", "", None).await.status, 404);
    assert_eq!(call(&client, "GET", RESET, "", None).await.status, 405);
}

#[tokio::test]
async fn a_reset_leaves_nothing() {
    for_each_store(async |server| {
        let offer = Offer::accepted(&server, &[gateway(1)]).await;
        let key = server.client(server.create_key(OWNER, "alice").await);
        let with_token = json!({"name": "n", "clientToken": "once"});
        let first = offer.owner.ok("CreateResourceShare", &with_token).await;
        clock(&offer.owner, &json!({"advance": 86_400})).await;
        let refused = call(&offer.owner, "POST", RESET, "", None).await;
        assert_eq!(refused.status, 409);
        assert!(refused.text.contains("?force=true"), "{}", refused.text);
        assert_eq!(share_arns(&offer.owner, "SELF").await.len(), 2);
        let odd = call(&offer.owner, "POST", &format!("{RESET}?force=yes"), "", None).await;
        assert_eq!(odd.status, 400, "{}", odd.text);
        let forced = call(&offer.owner, "POST", &format!("{RESET}?force=true"), "", None).await;
        assert_eq!(forced.status, 204, "{}", forced.text);
        assert!(share_arns(&offer.owner, "SELF").await.is_empty());
        assert!(share_arns(&offer.consumer, "OTHER-ACCOUNTS").await.is_empty());
        let received = offer.consumer.ok("GetResourceShareInvitations", &json!({})).await;
        assert_eq!(received, json!({"resourceShareInvitations": []}));
        // The key is unknown again, so open mode takes it for the default account's.
        let identity = key.sts("GetCallerIdentity").await.text;
        assert!(identity.contains("<Account>123456789012</Account>"), "{identity}");
        let now = call(&offer.owner, "GET", CLOCK, "", None).await.json["offset"].as_f64().unwrap();
        assert!(now.abs() < 60.0, "{now}");
        let again = offer.owner.ok("CreateResourceShare", &with_token).await;
        assert_ne!(again, first);
        // Without a key nothing need be forced.
        assert_eq!(call(&offer.owner, "POST", RESET, "", None).await.status, 204);
        // And everything works as before.
        Offer::accepted(&server, &[gateway(1)]).await;
    })
    .await;
}

#[tokio::test]
async fn strict_mode_and_web_pages_are_refused() {
    let strict = Settings { auth: AuthMode::Strict, ..settings() };
    let strict = TestServer::start(StoreKind::Sqlite, strict).await;
    let open = TestServer::sqlite().await;
    let share = open.account(OWNER).ok("CreateResourceShare", &json!({"name": "kept"})).await;
    for (method, path, body) in [("GET", CLOCK, ""), ("POST", CLOCK, "{\"advance\":1}"), ("POST", RESET, "")]
    {
        let reply = call(&strict.account(OWNER), method, path, body, None).await;
        assert_eq!(reply.status, 403, "{method} {path}: {}", reply.text);
        assert!(reply.text.contains("open mode"), "{}", reply.text);
        for header in [("origin", "http://example.com"), ("origin", "null"), ("sec-fetch-site", "same-site")]
        {
            let reply = call(&open.account(OWNER), method, path, body, Some(header)).await;
            assert_eq!(reply.status, 403, "{method} {path} {header:?}: {}", reply.text);
        }
    }
    let kept = share_arns(&open.account(OWNER), "SELF").await;
    assert_eq!(kept, [share["resourceShare"]["resourceShareArn"].as_str().unwrap()]);
}
