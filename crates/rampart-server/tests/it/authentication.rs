//! Who may call: open mode, strict mode, and what is said to those who may not.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use rampart_server::{AuthMode, Settings};
use rampart_testkit::client::Key;
use rampart_testkit::server::{DEFAULT_ACCOUNT, for_each_store_with, settings};
use rampart_testkit::{Client, Reply, TestServer, for_each_store};
use serde_json::json;

use crate::sharing::{CONSUMER, OWNER, create, share_arns};

const SHARES: &str = "GetResourceShares";

fn strict() -> Settings {
    Settings { auth: AuthMode::Strict, ..settings() }
}

fn own() -> serde_json::Value {
    json!({"resourceOwner": "SELF"})
}

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.error_code.as_str()), (status, code), "{}", reply.text);
    reply.assert_error_envelope();
}

/// The account and the ARN that GetCallerIdentity answers.
async fn identity(client: &Client) -> (String, String) {
    let reply = client.sts("GetCallerIdentity").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    (element(&reply.text, "Account"), element(&reply.text, "Arn"))
}

fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap();
    rest.split_once(&format!("</{name}>")).unwrap().0.to_owned()
}

#[tokio::test]
async fn strict_mode_takes_registered_keys_alone() {
    for_each_store_with(strict(), async |server| {
        let key = server.create_key(OWNER, "").await;
        let client = server.client(key.clone());
        let share = create(&client, &json!({"name": "n"})).await;
        assert!(share.contains(OWNER));
        assert_eq!(identity(&client).await, (OWNER.to_owned(), format!("arn:aws:iam::{OWNER}:root")));

        let wrong = server.client(Key { secret: "wrong".to_owned(), ..key.clone() });
        assert_refused(&wrong.call(SHARES, &own()).await, 403, "InvalidSignatureException");
        let other_id = format!("{}A", &key.id[..19]);
        let id = if other_id == key.id { format!("{}B", &key.id[..19]) } else { other_id };
        for id in [id.as_str(), OWNER, "AKIAIOSFODNN7EXAMPLE", "x"] {
            let unknown = server.client(Key { id: id.to_owned(), ..key.clone() });
            assert_refused(&unknown.call(SHARES, &own()).await, 403, "UnrecognizedClientException");
        }
        let token = client.with_session_token("token");
        assert_refused(&token.call(SHARES, &own()).await, 403, "UnrecognizedClientException");
    })
    .await;
}

#[tokio::test]
async fn a_users_key_acts_for_the_account_in_the_users_name() {
    for_each_store_with(strict(), async |server| {
        let root = server.client(server.create_key(OWNER, "").await);
        let user = server.client(server.create_key(OWNER, "alice").await);
        assert_eq!(identity(&user).await, (OWNER.to_owned(), format!("arn:aws:iam::{OWNER}:user/alice")));
        let share = create(&root, &json!({"name": "n"})).await;
        let full = "arn:aws:iam::aws:policy/AWSResourceAccessManagerFullAccess";
        root.iam_ok("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", full)]).await;
        assert_eq!(share_arns(&user, "SELF").await, [share]);
        let other = server.client(server.create_key(CONSUMER, "").await);
        assert!(share_arns(&other, "SELF").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_disabled_key_is_refused_within_two_seconds() {
    for settings in [strict(), settings()] {
        for_each_store_with(settings, async |server| {
            let key = server.create_key(OWNER, "").await;
            let client = server.client(key.clone());
            client.ok(SHARES, &own()).await;
            server.disable_key(&key).await;
            let disabled = Instant::now();
            // Nothing tells when the server reads the key again, so it is asked until it has.
            let refused = loop {
                let reply = client.call(SHARES, &own()).await;
                if reply.status != 200 {
                    break reply;
                }
                assert!(disabled.elapsed() < Duration::from_secs(2), "still taken");
                tokio::task::yield_now().await;
            };
            assert_refused(&refused, 403, "UnrecognizedClientException");
        })
        .await;
    }
}

#[tokio::test]
async fn an_altered_request_is_refused() {
    let server = TestServer::start(rampart_testkit::StoreKind::Sqlite, strict()).await;
    let client = server.client(server.create_key(OWNER, "").await);
    let genuine = || client.request(SHARES, &own());
    let altered = |alter: &dyn Fn(&mut Request<Bytes>)| {
        let mut request = genuine();
        alter(&mut request);
        client.send(request)
    };
    assert_eq!(client.send(genuine()).await.status, 200);
    let header = |request: &mut Request<Bytes>, name: &'static str, from: &str, to: &str| {
        let value = request.headers()[name].to_str().unwrap().replace(from, to);
        request.headers_mut().insert(name, value.parse().unwrap());
    };
    for (what, reply) in [
        ("body", altered(&|r| *r.body_mut() = Bytes::from_static(br#"{"resourceOwner":"SELF" }"#)).await),
        ("path", altered(&|r| *r.uri_mut() = "/getresourceshareinvitations".parse().unwrap()).await),
        ("query", altered(&|r| *r.uri_mut() = "/getresourceshares?a=b".parse().unwrap()).await),
        ("method", altered(&|r| *r.method_mut() = http::Method::PUT).await),
        ("content-type", altered(&|r| header(r, "content-type", "json", "xml")).await),
        ("host", altered(&|r| header(r, "host", "127.0.0.1", "127.0.0.2")).await),
        ("region", altered(&|r| header(r, "authorization", "eu-west-1", "us-east-1")).await),
        ("service", altered(&|r| header(r, "authorization", "/ram/", "/sts/")).await),
    ] {
        assert_eq!(reply.status, 403, "{what}: {}", reply.text);
        let codes = ["InvalidSignatureException", ""];
        assert!(codes.contains(&reply.error_code.as_str()), "{what}: {}", reply.error_code);
    }
    let old = "20200101T000000Z";
    let reply = altered(&|r| {
        let now = r.headers()["x-amz-date"].to_str().unwrap().to_owned();
        header(r, "authorization", &now[..8], &old[..8]);
        r.headers_mut().insert("x-amz-date", old.parse().unwrap());
    });
    let reply = reply.await;
    assert_refused(&reply, 403, "InvalidSignatureException");
    assert!(reply.text.contains("Signature expired"), "{}", reply.text);
}

#[tokio::test]
async fn an_unsigned_or_half_signed_request_is_told_what_is_missing() {
    for settings in [strict(), settings()] {
        let server = TestServer::start(rampart_testkit::StoreKind::Sqlite, settings).await;
        let client = server.account(OWNER);
        let with = |authorization: Option<&str>| {
            let mut request = client.request(SHARES, &own());
            match authorization {
                Some(text) => request.headers_mut().insert("authorization", text.parse().unwrap()),
                None => request.headers_mut().remove("authorization"),
            };
            client.send(request)
        };
        let unsigned = with(None).await;
        assert_refused(&unsigned, 403, "MissingAuthenticationTokenException");
        assert_eq!(unsigned.json, json!({"message": "Missing Authentication Token"}));
        for text in [
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=a",
            "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0",
            "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0",
        ] {
            let reply = with(Some(text)).await;
            assert_refused(&reply, 403, "IncompleteSignatureException");
        }
    }
}

#[tokio::test]
async fn open_mode_takes_anybody_for_whom_they_say_they_are() {
    for_each_store(async |server| {
        let digits = server.account(OWNER);
        assert_eq!(identity(&digits).await, (OWNER.to_owned(), format!("arn:aws:iam::{OWNER}:root")));
        let by_default = (DEFAULT_ACCOUNT.to_owned(), format!("arn:aws:iam::{DEFAULT_ACCOUNT}:root"));
        for id in ["test", "AKIAIOSFODNN7EXAMPLE", "11111111111", "1111111111111"] {
            let client = server.client(Key { id: id.to_owned(), secret: "any".to_owned() });
            assert_eq!(identity(&client).await, by_default, "{id}");
        }
        // A key that is registered is verified all the same.
        let key = server.create_key(CONSUMER, "bob").await;
        let known = server.client(key.clone());
        let bob = (CONSUMER.to_owned(), format!("arn:aws:iam::{CONSUMER}:user/bob"));
        assert_eq!(identity(&known).await, bob);
        let wrong = server.client(Key { secret: "wrong".to_owned(), ..key });
        assert_refused(&wrong.call(SHARES, &own()).await, 403, "InvalidSignatureException");
        // Session tokens that nobody issued do not matter to those who are taken at their word.
        assert_eq!(identity(&digits.with_session_token("token")).await.0, OWNER);
    })
    .await;
}

#[tokio::test]
async fn the_caller_of_another_partition_has_an_arn_of_it() {
    let server = TestServer::sqlite().await;
    let china = server.account(OWNER).in_region("cn-north-1");
    assert_eq!(identity(&china).await.1, format!("arn:aws-cn:iam::{OWNER}:root"));
    let share = create(&china, &json!({"name": "n"})).await;
    assert!(share.starts_with("arn:aws-cn:ram:cn-north-1:"), "{share}");
}

#[tokio::test]
async fn get_caller_identity_speaks_xml() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let reply = client.sts("GetCallerIdentity").await;
    assert_eq!(reply.headers["content-type"], "text/xml");
    let id = reply.headers["x-amzn-requestid"].to_str().unwrap();
    assert_eq!(element(&reply.text, "RequestId"), id);
    assert_eq!(element(&reply.text, "UserId"), OWNER);
    let root = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">";
    assert!(reply.text.contains(root), "{}", reply.text);

    // The parameters may stand in the query as well.
    let request = Request::get("/?Action=GetCallerIdentity&Version=2011-06-15").body(Bytes::new()).unwrap();
    let reply = client.send(client.signed("sts", request)).await;
    assert_eq!((reply.status, element(&reply.text, "Account").as_str()), (200, OWNER), "{}", reply.text);

    let unknown = client.sts("AssumeRoleWithSAML").await;
    assert_eq!((unknown.status, element(&unknown.text, "Code").as_str()), (400, "InvalidAction"));
    assert_eq!(element(&unknown.text, "Type"), "Sender");
    assert_eq!(unknown.headers["content-type"], "text/xml");

    let strict = TestServer::start(rampart_testkit::StoreKind::Sqlite, strict()).await;
    let refused = strict.account(OWNER).sts("GetCallerIdentity").await;
    assert_eq!((refused.status, element(&refused.text, "Code").as_str()), (403, "InvalidClientTokenId"));
    let key = strict.create_key(OWNER, "").await;
    let wrong = strict.client(Key { secret: "wrong".to_owned(), ..key });
    let refused = wrong.sts("GetCallerIdentity").await;
    assert_eq!((refused.status, element(&refused.text, "Code").as_str()), (403, "SignatureDoesNotMatch"));
}

#[tokio::test]
async fn another_service_or_region_than_there_is() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let request = Request::post("/getresourceshares").body(Bytes::from_static(b"{}")).unwrap();
    let reply = client.send(client.signed("s3", request)).await;
    assert_refused(&reply, 400, "UnknownOperationException");
    assert!(reply.text.contains("'s3'"), "{}", reply.text);
    let reply = client.in_region("Atlantis").call(SHARES, &own()).await;
    assert_refused(&reply, 403, "InvalidSignatureException");
    assert!(reply.text.contains("'Atlantis'"), "{}", reply.text);
}

#[tokio::test]
async fn a_presigned_request() {
    let server = TestServer::start(rampart_testkit::StoreKind::Sqlite, strict()).await;
    let client = server.client(server.create_key(OWNER, "").await);
    let share = create(&client, &json!({"name": "n"})).await;
    let stale = client.presigned("DeleteResourceShare", &json!({"resourceShareArn": share}), -400);
    assert_refused(&client.send(stale).await, 403, "InvalidSignatureException");
    let request = client.presigned("DeleteResourceShare", &json!({"resourceShareArn": share}), 0);
    let mut altered = request.clone();
    let uri = request.uri().to_string();
    *altered.uri_mut() = uri.replace("X-Amz-Expires=60", "X-Amz-Expires=61").parse().unwrap();
    assert_refused(&client.send(altered).await, 403, "InvalidSignatureException");
    let reply = client.send(request).await;
    assert_eq!((reply.status, reply.json), (200, json!({"returnValue": true})));
    // Both forms at once are neither.
    let mut both = client.presigned("GetResourceShares", &own(), 0);
    let header = client.request(SHARES, &own()).headers()["authorization"].clone();
    both.headers_mut().insert("authorization", header);
    assert_refused(&client.send(both).await, 403, "IncompleteSignatureException");
}

#[tokio::test]
async fn a_body_that_is_not_signed_is_refused() {
    for settings in [strict(), settings()] {
        let server = TestServer::start(rampart_testkit::StoreKind::Sqlite, settings).await;
        let mut clients = vec![server.client(server.create_key(OWNER, "").await)];
        if settings.auth == AuthMode::Open {
            clients.push(server.account(OWNER));
            clients.push(server.client(Key { id: "test".to_owned(), secret: "any".to_owned() }));
        }
        for client in clients {
            let request = |hash: &str| {
                let request = Request::post("/getresourceshares").header("x-amz-content-sha256", hash);
                client.signed("ram", request.body(Bytes::from(own().to_string())).unwrap())
            };
            for hash in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", &"0".repeat(64)] {
                let reply = client.send(request(hash)).await;
                assert_refused(&reply, 403, "InvalidSignatureException");
            }
            let right = rampart_aws::sigv4::sign::payload_hash(own().to_string().as_bytes());
            assert_eq!(client.send(request(&right)).await.status, 200);
        }
    }
}
