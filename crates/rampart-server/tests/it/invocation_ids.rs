//! The id that an SDK gives all attempts of one call serves as a client token for a while: the Go SDK sends calls again
//! that had gone through (clients §4a).

use std::time::Duration;

use http::HeaderValue;
use rampart_testkit::client::Key;
use rampart_testkit::server::for_each_store_with;
use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, Offer, STRANGER, create, gateway, share, share_arns};
use crate::sts::{put_policy, strict, trust};

const CREATE: &str = "CreateResourceShare";
const ID: &str = "5f2c7a1e-6a0b-4c1e-9d0e-3b8a5f0c9a11";

async fn shares(owner: &Client) -> usize {
    share_arns(owner, "SELF").await.len()
}

#[tokio::test]
async fn a_call_that_is_sent_again_makes_one_share() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let attempt = owner.with_invocation(ID);
        let input = json!({"name": "n", "principals": [CONSUMER]});
        let first = attempt.call(CREATE, &input).await;
        let again = attempt.call(CREATE, &input).await;
        assert_eq!((again.status, &again.text), (200, &first.text));
        assert_eq!((shares(&owner).await, server.count("invitation")), (1, 1));
        // Nothing was asked for by a token, so none is told.
        assert_eq!(first.json.get("clientToken"), None);

        // Other content, account, Region or operation is another call.
        create(&attempt, &json!({"name": "m"})).await;
        assert_eq!(shares(&owner).await, 2);
        let stranger = server.account(STRANGER).with_invocation(ID);
        create(&stranger, &input).await;
        let abroad = attempt.in_region("us-east-1");
        create(&abroad, &input).await;
        assert_eq!((shares(&stranger).await, shares(&abroad).await), (1, 1));
        // And so is the same content with another id, or with none.
        create(&owner.with_invocation("other"), &input).await;
        create(&owner, &input).await;
        create(&owner, &input).await;
        assert_eq!(shares(&owner).await, 5);
    })
    .await;
}

#[tokio::test]
async fn it_is_remembered_for_ten_minutes() {
    for_each_store(async |server| {
        let owner = server.account(OWNER).with_invocation(ID);
        let input = json!({"name": "n"});
        let first = create(&owner, &input).await;
        server.advance(Duration::from_mins(9));
        assert_eq!(create(&owner, &input).await, first);
        server.advance(Duration::from_mins(1));
        assert_ne!(create(&owner, &input).await, first);
    })
    .await;
}

#[tokio::test]
async fn an_id_that_nobody_signed_or_that_is_too_long_is_none() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        for _ in 0..2 {
            let mut request = owner.request(CREATE, &json!({"name": "n"}));
            request.headers_mut().insert("amz-sdk-invocation-id", HeaderValue::from_static(ID));
            assert_eq!(owner.send(request).await.status, 200);
            create(&owner.with_invocation(&"i".repeat(65)), &json!({"name": "n"})).await;
        }
        assert_eq!((shares(&owner).await, server.count("client_token")), (4, 0));
        let longest = owner.with_invocation(&"i".repeat(64));
        assert_eq!(
            create(&longest, &json!({"name": "n"})).await,
            create(&longest, &json!({"name": "n"})).await
        );
    })
    .await;
}

#[tokio::test]
async fn a_client_token_comes_first() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let input = json!({"name": "n", "clientToken": "t"});
        let first = create(&owner.with_invocation("a"), &input).await;
        assert_eq!(create(&owner.with_invocation("b"), &input).await, first);
        // A token that reads like an id is not one.
        let attempt = owner.with_invocation("c");
        create(&attempt, &json!({"name": "n"})).await;
        let reply = attempt.refused(CREATE, &json!({"name": "n", "clientToken": "invocation c x"})).await;
        assert_eq!(reply, "InvalidClientToken");
        assert_eq!(shares(&owner).await, 2);
    })
    .await;
}

/// What would be refused, or would undo what came between, is answered as the first time.
#[tokio::test]
async fn every_call_that_changes_something_may_be_sent_again() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let accepts = Offer::pending(&server, &[]).await;
        let rejects = Offer::pending(&server, &[]).await;
        let leaves = Offer::accepted(&server, &[]).await;
        let arn = create(&owner, &json!({"name": "n"})).await;
        let gone = create(&owner, &json!({"name": "n"})).await;
        let resource = json!({"resourceShareArn": arn, "resourceArns": [gateway(1)]});
        let tag = json!({"resourceShareArn": arn, "tags": [{"key": "k", "value": "v"}]});
        let untag = json!({"resourceShareArn": arn, "tagKeys": ["k"]});
        let leave = json!({"resourceShareArn": leaves.share, "principals": [CONSUMER]});
        let calls: Vec<(&Client, &str, Value)> = vec![
            (&accepts.consumer, "AcceptResourceShareInvitation", accepts.named()),
            (&rejects.consumer, "RejectResourceShareInvitation", rejects.named()),
            (&leaves.consumer, "DisassociateResourceShare", leave),
            (&owner, "AssociateResourceShare", resource.clone()),
            (&owner, "DisassociateResourceShare", resource),
            (&owner, "UpdateResourceShare", json!({"resourceShareArn": arn, "name": "m"})),
            (&owner, "TagResource", tag),
            (&owner, "UntagResource", untag),
            (&owner, "DeleteResourceShare", json!({"resourceShareArn": gone})),
        ];
        let mut answers = Vec::new();
        for (client, operation, input) in &calls {
            let reply = client.with_invocation(ID).call(operation, input).await;
            assert_eq!(reply.status, 200, "{operation}: {}", reply.text);
            answers.push(reply.text);
        }
        server.advance(Duration::from_mins(1));
        let (before, events) = (share(&owner, "SELF", &arn).await, server.count("sharing_event"));
        for ((client, operation, input), answer) in calls.iter().zip(&answers) {
            let again = client.with_invocation(ID).call(operation, input).await;
            assert_eq!((again.status, &again.text), (200, answer), "{operation}");
        }
        assert_eq!(share(&owner, "SELF", &arn).await, before);
        assert_eq!(before["tags"], json!([]));
        assert_eq!(server.count("sharing_event"), events);
    })
    .await;
}

/// Attempts that overlap, as when a client gives up waiting.
#[tokio::test]
async fn attempts_at_the_same_time_are_one_call() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let attempts: Vec<_> = (0..8)
            .map(|_| {
                let client = owner.with_invocation(ID);
                tokio::spawn(async move { client.call(CREATE, &json!({"name": "n"})).await })
            })
            .collect();
        let mut answers = Vec::new();
        for attempt in attempts {
            let reply = attempt.await.unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text);
            answers.push(reply.text);
        }
        answers.dedup();
        assert_eq!((answers.len(), shares(&owner).await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn what_iam_makes_it_makes_once() {
    for_each_store_with(strict(), async |server: TestServer| {
        let root = server.client(server.create_key(OWNER, "").await);
        let attempt = root.with_invocation(ID);
        let trust = trust(CONSUMER, "");
        let again = async |action: &str, parameters: &[(&str, &str)]| {
            let first = attempt.iam_ok(action, parameters).await;
            assert_eq!(attempt.iam_ok(action, parameters).await.text, first.text, "{action}");
            first
        };
        again("CreateUser", &[("UserName", "u"), ("Path", "/p/")]).await;
        again("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &trust)]).await;
        let service = [("AWSServiceName", "ram.amazonaws.com")];
        again("CreateServiceLinkedRole", &service).await;
        assert_eq!(server.sql("SELECT name FROM iam_identity WHERE kind = 1 ORDER BY name").len(), 2);
        let key = again("CreateAccessKey", &[("UserName", "u")]).await;
        assert_eq!(server.sql("SELECT user_name FROM access_key WHERE user_name = 'u'"), ["u"]);
        let role = [("RoleName", "AWSServiceRoleForResourceAccessManager")];
        let task = again("DeleteServiceLinkedRole", &role).await.element("DeletionTaskId");
        attempt.iam_ok("GetServiceLinkedRoleDeletionStatus", &[("DeletionTaskId", &task)]).await;

        // The secret that is given again is good, and the store does not have it in clear.
        let secret = key.element("SecretAccessKey");
        let user = server.client(Key { id: key.element("AccessKeyId"), secret: secret.clone() });
        assert_eq!(user.sts("GetCallerIdentity").await.status, 200);
        let kept = server.sql("SELECT answer FROM client_token").join("");
        assert_eq!(server.count("client_token"), 5);
        assert!(!kept.contains(&secret) && !kept.contains("SecretAccessKey"));

        // Another call of the same content is refused or makes another, as it always was.
        let exists = root.with_invocation("other").iam("CreateUser", &[("UserName", "u")]).await;
        assert_eq!(exists.xml_error(), (409, "EntityAlreadyExists".to_owned()));
        let other = root.with_invocation("other").iam_ok("CreateAccessKey", &[("UserName", "u")]).await;
        assert_ne!(other.element("AccessKeyId"), key.element("AccessKeyId"));
        // So is what somebody else calls, about themselves.
        let policy = r#"{"Effect":"Allow","Action":"iam:*","Resource":"*"}"#;
        let mut made = Vec::new();
        for name in ["alice", "bob"] {
            let own = server.client(server.create_key(OWNER, name).await);
            put_policy(&root, ("UserName", name), policy).await;
            made.push(own.with_invocation(ID).iam_ok("CreateAccessKey", &[]).await.element("UserName"));
        }
        assert_eq!(made, ["alice", "bob"]);
    })
    .await;
}
