//! Several services behind one address: each is told by the credential scope, and refuses in its own form.

use bytes::Bytes;
use http::Request;
use rampart_server::operations::{Operation, Service};
use rampart_testkit::{Client, Reply, TestServer};
use serde_json::json;

use crate::sharing::OWNER;

/// Sends a request for Organizations with these headers.
async fn targeted(client: &Client, headers: &[(&str, &str)], body: &'static str) -> Reply {
    let mut request = Request::post("/").header("content-type", "application/x-amz-json-1.1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client
        .send(client.signed("organizations", request.body(Bytes::from_static(body.as_bytes())).unwrap()))
        .await
}

#[track_caller]
fn assert_json_rpc_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.error_code.as_str()), (status, code), "{}", reply.text);
    assert_eq!(reply.headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(reply.json["__type"], code);
    assert!(reply.json["Message"].as_str().is_some_and(|message| !message.is_empty()), "{}", reply.text);
    assert!(reply.headers.contains_key("x-amzn-requestid"));
}

#[test]
fn operations_are_named_once_and_sorted() {
    for service in Service::ALL {
        let names: Vec<_> = service.operations().iter().map(|operation| operation.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{}: {names:?}", service.name());
        assert!(service.operations().iter().all(|operation| operation.service == service));
    }
    assert_eq!(Operation::all().count(), Service::ALL.iter().map(|s| s.operations().len()).sum::<usize>());
}

#[tokio::test]
async fn a_target_that_nobody_knows() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    for target in [
        "AWSOrganizationsV20161128.Nothing",
        "AWSOrganizationsV20161128.",
        "AWSOrganizationsV20161128",
        "AWSOrganizationsV20161128.GetResourceShares",
        "AWSOrganizationsV20161128X.DescribeOrganization",
        "DynamoDB_20120810.ListTables",
        "",
    ] {
        let reply = targeted(&client, &[("x-amz-target", target)], "{}").await;
        assert_json_rpc_refused(&reply, 400, "UnknownOperationException");
    }
    let reply = targeted(&client, &[], "{}").await;
    // Without a target nothing says which protocol was meant, but the signature says the service.
    assert_json_rpc_refused(&reply, 400, "UnknownOperationException");
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so_in_the_service_s_form() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let unsigned =
        Request::post("/").header("x-amz-target", "AWSOrganizationsV20161128.DescribeOrganization");
    let reply = client.send(unsigned.body(Bytes::from_static(b"{}")).unwrap()).await;
    assert_json_rpc_refused(&reply, 400, "MissingAuthenticationTokenException");
    let page = [
        ("x-amz-target", "AWSOrganizationsV20161128.DescribeOrganization"),
        ("origin", "https://page.example"),
    ];
    assert_json_rpc_refused(&targeted(&client, &page, "{}").await, 400, "AccessDeniedException");
}

#[tokio::test]
async fn an_action_that_nobody_knows() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    for (service, namespace) in [
        ("sts", "https://sts.amazonaws.com/doc/2011-06-15/"),
        ("iam", "https://iam.amazonaws.com/doc/2010-05-08/"),
    ] {
        for body in ["Action=Nothing&Version=2010-05-08", "Version=2010-05-08", ""] {
            let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
            let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
            let reply = client.send(client.signed(service, request)).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
            assert!(
                reply.text.starts_with(&format!("<ErrorResponse xmlns=\"{namespace}\">")),
                "{}",
                reply.text
            );
            assert!(reply.text.contains("<Code>InvalidAction</Code>"), "{}", reply.text);
        }
    }
}

#[tokio::test]
async fn a_service_that_is_not_spoken_here() {
    let server = TestServer::sqlite().await;
    let client = server.account(OWNER);
    let request = Request::post("/").header("x-amz-target", "DynamoDB_20120810.ListTables");
    let reply =
        client.send(client.signed("dynamodb", request.body(Bytes::from_static(b"{}")).unwrap())).await;
    assert_json_rpc_refused(&reply, 400, "UnknownOperationException");
    let reply = client.send(client.signed("s3", Request::get("/").body(Bytes::new()).unwrap())).await;
    assert_eq!(
        (reply.status, reply.json),
        (
            400,
            json!({
                "message": "rampart does not speak 's3'. It speaks ram, sts, iam, organizations and rampart."
            })
        )
    );
}
