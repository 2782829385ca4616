//! Requests that are well-framed HTTP and yet no good: each gets an answer that says what is wrong with it.

use bytes::Bytes;
use http::{Method, Request};
use rampart_server::operations::{Operation, RAM};
use rampart_testkit::wire::{Wire, bytes_of};
use rampart_testkit::{Client, Reply, TestServer, for_each_store};
use serde_json::json;

use crate::sharing::OWNER;

/// The operations of that method whose parameters stand where most of that method have them.
fn built(method: &str) -> impl Iterator<Item = &'static Operation> {
    // The one that is posted and has its parameter in the query.
    let is_odd = |operation: &Operation| operation.name == "PromoteResourceShareCreatedFromPolicy";
    RAM.iter()
        .filter(move |operation| operation.is_built() && operation.method == method && !is_odd(operation))
}

/// Those that read a body: of one the parameter stands in the query although it is posted.
fn with_body() -> impl Iterator<Item = &'static Operation> {
    built("POST").filter(|operation| operation.name != "PromoteResourceShareCreatedFromPolicy")
}

/// Posts any bytes to an operation, signed.
async fn post(client: &Client, operation: &Operation, body: impl Into<Bytes>) -> Reply {
    let request = Request::post(operation.path()).header("content-type", "application/json");
    client.send(client.signed("ram", request.body(body.into()).unwrap())).await
}

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.error_code.as_str()), (status, code), "{}", reply.text);
    reply.assert_error_envelope();
}

#[tokio::test]
async fn a_body_that_is_no_json_object() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let deep = |opening: &str| opening.repeat(100_000);
    let mut bodies: Vec<Bytes> = [
        "{",
        "}",
        "nul",
        "{\"a\":}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":1}{",
        "[]",
        "null",
        "1",
        "\"text\"",
        "\u{feff}{}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":01}",
        "<xml/>",
        "Action=CreateResourceShare",
    ]
    .iter()
    .map(|text| Bytes::from_static(text.as_bytes()))
    .collect();
    bodies.extend(
        [deep("["), deep("{\"a\":"), format!("{{\"x\":{}{}}}", deep("["), deep("]"))].map(Bytes::from),
    );
    bodies.extend(
        [&b"{\"name\":\"\xff\"}"[..], b"\xc0\xaf", b"\0", b"{\"a\":\"\xed\xa0\x80\"}"]
            .map(Bytes::from_static),
    );
    for operation in with_body() {
        for body in &bodies {
            let reply = post(&client, operation, body.clone()).await;
            assert_refused(&reply, 400, "SerializationException");
        }
    }
}

#[tokio::test]
async fn a_member_of_the_wrong_type() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let members = [
        "name",
        "resourceArns",
        "principals",
        "tags",
        "allowExternalPrincipals",
        "clientToken",
        "permissionArns",
        "sources",
        "resourceShareConfiguration",
        "resourceShareArn",
        "resourceShareInvitationArn",
        "resourceOwner",
        "resourceShareArns",
        "resourceShareStatus",
        "tagFilters",
        "nextToken",
        "maxResults",
        "associationType",
        "resourceArn",
        "principal",
        "associationStatus",
        "resourceShareInvitationArns",
        "resourceRegionScope",
        "permissionTemplateParameters",
        "permissionArn",
        "permissionVersion",
    ];
    let values = [
        json!(true),
        json!(1),
        json!(1.5),
        json!("text"),
        json!([1]),
        json!([[]]),
        json!({"a": [1]}),
        json!([{"key": 1}]),
    ];
    for operation in built("POST") {
        for member in members {
            for value in &values {
                let body = json!({member: value}).to_string();
                let reply = post(&client, operation, body.clone()).await;
                // An empty list and the like may be what the operation takes; a wrong type never is.
                assert!(matches!(reply.status, 200 | 400), "{body}: {} {}", reply.status, reply.text);
                if reply.status == 400 {
                    reply.assert_error_envelope();
                }
            }
        }
    }
    let reply =
        post(&client, RAM.iter().find(|o| o.name == "GetResourceShares").unwrap(), "{\"maxResults\":\"9\"}");
    let reply = reply.await;
    assert_refused(&reply, 400, "SerializationException");
    assert_eq!(reply.json, json!({"message": "STRING_VALUE can not be converted to a Long"}));
}

#[tokio::test]
async fn unknown_members_and_nulls_do_not_matter() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let input = json!({"resourceOwner": "SELF", "name": null, "nextToken": null, "later": {"a": [1, {}]}});
    assert_eq!(client.ok("GetResourceShares", &input).await, json!({"resourceShares": []}));
    // A body may be absent where nothing is required.
    let invitations = RAM.iter().find(|o| o.name == "GetResourceShareInvitations").unwrap();
    let reply = post(&client, invitations, Bytes::new()).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "{\"resourceShareInvitations\":[]}\n"));
}

#[tokio::test]
async fn an_operation_that_is_not_built_names_itself() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let unbuilt: Vec<&Operation> = RAM.iter().filter(|operation| !operation.is_built()).collect();
    assert_eq!(RAM.len(), 36);
    for operation in unbuilt {
        let method: Method = operation.method.parse().unwrap();
        let request = Request::builder().method(method).uri(operation.path()).body(Bytes::new()).unwrap();
        let reply = client.send(client.signed("ram", request)).await;
        assert_refused(&reply, 400, "UnsupportedOperationException");
        assert!(reply.text.contains(operation.name), "{}", reply.text);
    }
}

#[tokio::test]
async fn an_unknown_path_or_method() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let mut wrong: Vec<(Method, String)> = [
        "/",
        "/nothing",
        "/GetResourceShares",
        "/getresourceshares/",
        "//getresourceshares",
        "/%67etresourceshares",
    ]
    .iter()
    .map(|path| (Method::POST, (*path).to_owned()))
    .collect();
    for operation in RAM {
        for method in [
            Method::GET,
            Method::PUT,
            Method::HEAD,
            Method::PATCH,
            Method::OPTIONS,
            Method::POST,
            Method::DELETE,
        ] {
            if method.as_str() != operation.method {
                wrong.push((method, operation.path()));
            }
        }
    }
    for (method, path) in wrong {
        let request = Request::builder().method(&method).uri(&path).body(Bytes::new()).unwrap();
        let reply = client.send(client.signed("ram", request)).await;
        assert_eq!(
            (reply.status, reply.error_code.as_str()),
            (403, "MissingAuthenticationTokenException"),
            "{method} {path}"
        );
        assert!(reply.headers.contains_key("x-amzn-requestid"));
        if method != Method::HEAD {
            reply.assert_error_envelope();
            assert!(reply.text.contains(method.as_str()), "{}", reply.text);
        }
    }
}

#[tokio::test]
async fn odd_targets() {
    let server = TestServer::sqlite().await;
    for line in [
        "OPTIONS *",
        "CONNECT example.com:443",
        "GET http://example.com/x",
        "TRACE /",
        "BREW /pot",
        "GET /?%ff=%zz",
    ] {
        let mut wire = Wire::connect(server.address()).await;
        wire.send(format!("{line} HTTP/1.1\r\nhost: h\r\n\r\n").as_bytes()).await;
        let reply = wire.answer().await;
        assert_eq!(
            (reply.status, reply.error_code.as_str()),
            (403, "MissingAuthenticationTokenException"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_delete_operation_reads_its_query() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let share = crate::sharing::create(&client, &json!({"name": "n"})).await;
    for query in [
        "",
        "?resourceShareArn",
        "?resourceShareArn=%ff",
        "?resourceShareArn=%z",
        "?resourceShareArn=a&resourceShareArn=b",
        "?=&&=",
        "?resourceShareArn=%00",
    ] {
        let request = Request::delete(format!("/deleteresourceshare{query}")).body(Bytes::new()).unwrap();
        let reply = client.send(client.signed("ram", request)).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.text);
        reply.assert_error_envelope();
    }
    assert_eq!(crate::sharing::share_arns(&client, "SELF").await, [share]);
}

#[tokio::test]
async fn no_string_reaches_the_store_with_a_character_that_it_cannot_hold() {
    for_each_store(async |server| {
        let client = server.account(OWNER);
        for (operation, input) in [
            ("CreateResourceShare", json!({"name": "a\0b"})),
            ("GetResourceShares", json!({"resourceOwner": "SELF", "name": "a\0b"})),
            ("GetResourceShares", json!({"resourceOwner": "SELF", "tagFilters": [{"tagKey": "\0"}]})),
            ("GetResourceShareAssociations", json!({"associationType": "PRINCIPAL", "principal": "\0"})),
            ("ListResources", json!({"resourceOwner": "SELF", "resourceArns": ["\0"]})),
            ("DeleteResourceShare", json!({"resourceShareArn": "\0"})),
        ] {
            assert_eq!(client.refused(operation, &input).await, "Serialization", "{operation} {input}");
        }
        let form = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let form = form.body(Bytes::from_static(b"Action=GetCallerIdentity&a=%00")).unwrap();
        let reply = client.send(client.signed("sts", form)).await;
        assert!(
            reply.status == 400 && reply.text.contains("<Code>MalformedQueryString</Code>"),
            "{}",
            reply.text
        );
    })
    .await;
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let mut ids = Vec::new();
    for (operation, input) in [
        ("GetResourceShares", json!({"resourceOwner": "SELF"})),
        ("GetResourceShares", json!({})),
        ("CreatePermission", json!({})),
        ("NoSuchOperation", json!({})),
    ] {
        let reply = client.call(operation, &input).await;
        ids.push(reply.headers["x-amzn-requestid"].to_str().unwrap().to_owned());
    }
    let unsigned = client.send(Request::get("/").body(Bytes::new()).unwrap()).await;
    ids.push(unsigned.headers["x-amzn-requestid"].to_str().unwrap().to_owned());
    assert!(ids.iter().all(|id| id.len() == 36), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn every_success_ends_with_a_newline() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let reply = client.call("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
    assert_eq!(reply.text, "{\"resourceShares\":[]}\n");
    let refused = client.call("GetResourceShares", &json!({})).await;
    assert!(refused.text.ends_with("}\n"), "{:?}", refused.text);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let good = bytes_of(&client.request("GetResourceShares", &json!({"resourceOwner": "SELF"})));
    let bad = bytes_of(&client.request("GetResourceShares", &json!({"resourceOwner": "ME"})));
    let mut wire = Wire::connect(server.address()).await;
    // A refusal does not end the connection, and requests may be sent ahead of their answers.
    wire.send(&[good.clone(), bad.clone(), good.clone(), bad].concat()).await;
    for status in [200, 400, 200, 400] {
        assert_eq!(wire.answer().await.status, status);
    }
    wire.send(&good).await;
    assert_eq!(wire.answer().await.status, 200);
}

#[tokio::test]
async fn a_web_page_does_not_act_for_who_looks_at_it() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    for (name, value) in
        [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        let mut request = client.request("CreateResourceShare", &json!({"name": "n"}));
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_refused(&client.send(request).await, 403, "AccessDeniedException");
    }
    let shares = client.ok("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
    assert_eq!(shares["resourceShares"], json!([]));
}
