//! Invitations to an organization.

use std::time::Duration;

use futures_util::future::{join as join2, join_all, join3};
use rampart_core::Timing;
use rampart_core::timing::DAY_MS;
use rampart_server::Settings;
use rampart_testkit::server::{StoreKind, for_each_store_with, settings};
use rampart_testkit::{TestServer, for_each_store};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{MANAGEMENT, MEMBER, OUTSIDER, create, create_account, ids, join, ok, refused, text};

const DAY: Duration = Duration::from_hours(24);

fn invitation(account: &str) -> Value {
    json!({"Target": {"Type": "ACCOUNT", "Id": account}})
}

#[tokio::test]
async fn an_account_is_invited_and_accepts() {
    for_each_store(async |server| {
        let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
        let (organization, root) = create(&management).await;
        let mut input = invitation(MEMBER);
        input["Notes"] = json!("Welcome");
        input["Tags"] = json!([{"Key": "team", "Value": "core"}]);
        let invited = ok(&management, "InviteAccountToOrganization", &input).await;
        let handshake = &invited["Handshake"];
        let id = text(&handshake["Id"]);
        let arn = format!("arn:aws:organizations::{MANAGEMENT}:handshake/{organization}/invite/{id}");
        assert_eq!(handshake["Arn"], arn);
        assert_eq!((&handshake["State"], &handshake["Action"]), (&json!("OPEN"), &json!("INVITE")));
        let parties =
            json!([{"Id": organization, "Type": "ORGANIZATION"}, {"Id": MEMBER, "Type": "ACCOUNT"}]);
        assert_eq!(handshake["Parties"], parties);
        assert_eq!(handshake["Resources"][2], json!({"Type": "NOTES", "Value": "Welcome"}));
        let (from, to) = (&handshake["RequestedTimestamp"], &handshake["ExpirationTimestamp"]);
        assert!((to.as_f64().unwrap() - from.as_f64().unwrap() - 15.0 * 86_400.0).abs() < 0.01);

        // Both sides see it, and nobody else.
        let input = json!({"HandshakeId": id});
        for client in [&management, &member] {
            assert_eq!(ok(client, "DescribeHandshake", &input).await, invited);
        }
        let received = ok(&member, "ListHandshakesForAccount", &json!({})).await;
        assert_eq!(received["Handshakes"], json!([handshake]));
        let sent = ok(&management, "ListHandshakesForOrganization", &json!({})).await;
        assert_eq!(sent["Handshakes"], json!([handshake]));
        let outsider = server.account(OUTSIDER);
        assert_eq!(refused(&outsider, "DescribeHandshake", &input).await, "AccessDenied");
        assert_eq!(ok(&outsider, "ListHandshakesForAccount", &json!({})).await, json!({"Handshakes": []}));

        let again = refused(&management, "InviteAccountToOrganization", &invitation(MEMBER)).await;
        assert_eq!(again, "DuplicateHandshake");
        for (client, operation) in [
            (&management, "AcceptHandshake"),
            (&outsider, "AcceptHandshake"),
            (&management, "DeclineHandshake"),
            (&member, "CancelHandshake"),
        ] {
            assert_eq!(refused(client, operation, &input).await, "AccessDenied", "{operation}");
        }
        let accepted = ok(&member, "AcceptHandshake", &input).await;
        assert_eq!(accepted["Handshake"]["State"], "ACCEPTED");
        let account = ok(&management, "DescribeAccount", &json!({"AccountId": MEMBER})).await;
        assert_eq!(account["Account"]["JoinedMethod"], "INVITED");
        assert_eq!(account["Account"]["Paths"], json!([format!("{organization}/{root}/{MEMBER}/")]));
        let tags = ok(&management, "ListTagsForResource", &json!({"ResourceId": MEMBER})).await;
        assert_eq!(tags, json!({"Tags": [{"Key": "team", "Value": "core"}]}));

        assert_eq!(refused(&member, "AcceptHandshake", &input).await, "HandshakeAlreadyInState");
        assert_eq!(refused(&member, "DeclineHandshake", &input).await, "InvalidHandshakeTransition");
        let code = refused(&management, "InviteAccountToOrganization", &invitation(MEMBER)).await;
        assert_eq!(code, "HandshakeConstraintViolation ALREADY_IN_AN_ORGANIZATION");
    })
    .await;
}

#[tokio::test]
async fn a_handshake_ends_in_other_ways_too() {
    for_each_store(async |server| {
        let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
        create(&management).await;
        let invite = async || {
            let invited = ok(&management, "InviteAccountToOrganization", &invitation(MEMBER)).await;
            json!({"HandshakeId": invited["Handshake"]["Id"]})
        };
        let state =
            async |input: &Value| text(&ok(&member, "DescribeHandshake", input).await["Handshake"]["State"]);
        let declined = invite().await;
        ok(&member, "DeclineHandshake", &declined).await;
        let canceled = invite().await;
        ok(&management, "CancelHandshake", &canceled).await;
        let expired = invite().await;
        server.advance(DAY * 15);
        for (input, word) in [(&declined, "DECLINED"), (&canceled, "CANCELED"), (&expired, "EXPIRED")] {
            assert_eq!(state(input).await, word);
            assert_eq!(refused(&member, "AcceptHandshake", input).await, "InvalidHandshakeTransition");
        }
        assert_eq!(refused(&management, "CancelHandshake", &expired).await, "InvalidHandshakeTransition");
        assert_eq!(refused(&member, "DescribeOrganization", &json!({})).await, "AWSOrganizationsNotInUse");
        // An expired one is not in the way of another.
        let open = invite().await;
        let listed = ok(&member, "ListHandshakesForAccount", &json!({})).await;
        assert_eq!(listed["Handshakes"].as_array().unwrap().len(), 4);
        let filter = json!({"Filter": {"ActionType": "ENABLE_ALL_FEATURES"}});
        assert_eq!(ok(&member, "ListHandshakesForAccount", &filter).await, json!({"Handshakes": []}));
        server.advance(DAY * 30);
        let listed = ok(&management, "ListHandshakesForOrganization", &json!({})).await;
        assert_eq!(ids(&listed["Handshakes"]), [text(&open["HandshakeId"])]);
        for operation in ["DescribeHandshake", "AcceptHandshake", "DeclineHandshake"] {
            assert_eq!(refused(&member, operation, &declined).await, "HandshakeNotFound", "{operation}");
        }
        // What nobody is shown any more is removed, and nothing else.
        server.sweep().await;
        let kept = server.sql("SELECT handshake_id FROM organization_handshake");
        assert_eq!(kept, [text(&open["HandshakeId"])]);
    })
    .await;
}

#[tokio::test]
async fn how_long_requests_are_shown_is_configured() {
    let timing = Timing {
        handshake_visible_ms: 60 * DAY_MS,
        account_creation_visible_ms: 2 * DAY_MS,
        ..Timing::default()
    };
    for_each_store_with(Settings { timing, ..settings() }, async |server| {
        let management = server.account(MANAGEMENT);
        create(&management).await;
        create_account(&management, "one").await;
        let invited = ok(&management, "InviteAccountToOrganization", &invitation(MEMBER)).await;
        let input = json!({"HandshakeId": invited["Handshake"]["Id"]});
        ok(&management, "CancelHandshake", &input).await;
        let seen = async || {
            server.sweep().await;
            let statuses = ok(&management, "ListCreateAccountStatus", &json!({})).await;
            let sent = ok(&management, "ListHandshakesForOrganization", &json!({})).await;
            let seen = (ids(&statuses["CreateAccountStatuses"]).len(), ids(&sent["Handshakes"]).len());
            let (creations, handshakes) =
                (server.count("account_creation"), server.count("organization_handshake"));
            assert_eq!(seen, (creations as usize, handshakes as usize));
            seen
        };
        assert_eq!(seen().await, (1, 1));
        server.advance(DAY * 2);
        assert_eq!(seen().await, (0, 1));
        server.advance(DAY * 57);
        assert_eq!(seen().await, (0, 1));
        server.advance(DAY * 2);
        assert_eq!(seen().await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn an_account_is_in_one_organization_at_a_time() {
    for_each_store(async |server| {
        let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
        let other = server.account(OUTSIDER);
        create(&management).await;
        create(&other).await;
        let invited = ok(&other, "InviteAccountToOrganization", &invitation(MEMBER)).await;
        let input = json!({"HandshakeId": invited["Handshake"]["Id"]});
        join(&management, &member).await;
        let taken = "HandshakeConstraintViolation ALREADY_IN_AN_ORGANIZATION";
        assert_eq!(refused(&member, "AcceptHandshake", &input).await, taken);
        assert_eq!(refused(&member, "CreateOrganization", &json!({})).await, "AlreadyInOrganization");
        ok(&member, "LeaveOrganization", &json!({})).await;
        ok(&member, "AcceptHandshake", &input).await;
        // Management accounts cannot be taken.
        let invited = ok(&management, "InviteAccountToOrganization", &invitation(OUTSIDER)).await;
        let input = json!({"HandshakeId": invited["Handshake"]["Id"]});
        assert_eq!(refused(&other, "AcceptHandshake", &input).await, taken);
    })
    .await;
}

#[tokio::test]
async fn of_two_organizations_one_gets_the_account() {
    for_each_store(async |server| {
        let member = server.account(MEMBER);
        let mut handshakes = Vec::new();
        for management in [MANAGEMENT, OUTSIDER, "444444444444", "555555555555"] {
            let management = server.account(management);
            create(&management).await;
            let invited = ok(&management, "InviteAccountToOrganization", &invitation(MEMBER)).await;
            handshakes.push(json!({"HandshakeId": invited["Handshake"]["Id"]}));
        }
        let accept = handshakes.iter().map(|input| member.organizations("AcceptHandshake", input));
        let replies = join_all(accept).await;
        let accepted = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(accepted, 1, "{:?}", replies.iter().map(|reply| &reply.text).collect::<Vec<_>>());
        let rows = server.sql("SELECT management FROM organization_member WHERE account = '222222222222'");
        assert_eq!(rows.len(), 1, "{rows:?}");
    })
    .await;
}

/// Keeps everybody from changing an organization until dropped: a node that is at it stands still so long.
async fn hold(server: &TestServer, management: &str) -> (tokio_postgres::Client, JoinHandle<()>) {
    let url = server.postgres_url().unwrap();
    let (other, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(async move { connection.await.unwrap() });
    let hold = format!(
        "BEGIN; UPDATE log_head SET seq = seq
         WHERE part = (SELECT part FROM organization WHERE management = '{management}')"
    );
    other.batch_execute(&hold).await.unwrap();
    (other, connection)
}

/// The accounts that are claimed for the organization of `management`, with the number of the claim.
fn claims(server: &TestServer, management: &str) -> Vec<String> {
    let claimed = format!(
        "SELECT account || ' ' || (body::json->>'epoch') FROM organization_claim
         WHERE account <> '{management}' AND body::json->>'management' = '{management}'"
    );
    server.sql(&claimed)
}

/// Waits until there are so many.
async fn until_claimed(server: &TestServer, management: &str, many: usize) {
    let claimed = async {
        while claims(server, management).len() < many {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), claimed).await.unwrap();
}

const LAPSES: Duration = Duration::from_secs(61);

/// Between the claim and the joining a node may stand still for as long as it likes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_lapsed_lets_nobody_join() {
    let server = TestServer::start(StoreKind::Postgres, settings()).await;
    let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
    let other = server.account(OUTSIDER);
    let mut handshakes = Vec::new();
    for management in [&management, &other] {
        create(management).await;
        let invited = ok(management, "InviteAccountToOrganization", &invitation(MEMBER)).await;
        handshakes.push(json!({"HandshakeId": invited["Handshake"]["Id"]}));
    }
    let (holding, connection) = hold(&server, MANAGEMENT).await;
    let accepting = refused(&member, "AcceptHandshake", &handshakes[0]);
    let meanwhile = async {
        until_claimed(&server, MANAGEMENT, 1).await;
        server.advance(LAPSES);
        ok(&member, "AcceptHandshake", &handshakes[1]).await;
        drop(holding);
    };
    let (code, ()) = join2(accepting, meanwhile).await;
    connection.await.unwrap();
    assert_eq!(code, "ConcurrentModification");
    let rows = server.sql("SELECT management FROM organization_member WHERE account = '222222222222'");
    assert_eq!(rows, [OUTSIDER]);
    assert_eq!(
        refused(&member, "AcceptHandshake", &handshakes[0]).await,
        "HandshakeConstraintViolation ALREADY_IN_AN_ORGANIZATION"
    );
}

/// Also when nobody else has claimed it yet: somebody may at any moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_claimed_in_time_is_claimed_anew() {
    let server = TestServer::start(StoreKind::Postgres, settings()).await;
    let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
    create(&management).await;
    let invited = ok(&management, "InviteAccountToOrganization", &invitation(MEMBER)).await;
    let input = json!({"HandshakeId": invited["Handshake"]["Id"]});
    let new = json!({"AccountName": "new", "Email": "new@example.com"});
    let (holding, connection) = hold(&server, MANAGEMENT).await;
    let meanwhile = async {
        until_claimed(&server, MANAGEMENT, 2).await;
        server.advance(LAPSES);
        drop(holding);
    };
    let accepting = refused(&member, "AcceptHandshake", &input);
    let creating = refused(&management, "CreateAccount", &new);
    let (accepted, created, ()) = join3(accepting, creating, meanwhile).await;
    connection.await.unwrap();
    assert_eq!((accepted.as_str(), created.as_str()), ("ConcurrentModification", "ConcurrentModification"));
    assert_eq!(server.count("organization_member"), 1);
    assert_eq!(server.count("account_creation"), 0);
    ok(&member, "AcceptHandshake", &input).await;
    assert_eq!(claims(&server, MANAGEMENT).iter().filter(|claim| claim.ends_with(" 2")).count(), 1);
    create_account(&management, "new").await;
    assert_eq!(server.count("organization_member"), 3);
}

#[tokio::test]
async fn who_cannot_be_invited() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        create(&management).await;
        for (target, reason) in [
            (json!({"Type": "EMAIL", "Id": "a@example.com"}), "INVALID_PARTY_TYPE_TARGET"),
            (json!({"Type": "ACCOUNT", "Id": "12"}), "INVALID_PATTERN"),
            (json!({"Type": "PERSON", "Id": MEMBER}), "INVALID_ENUM"),
            (json!({"Id": MEMBER}), "INPUT_REQUIRED"),
        ] {
            let code = refused(&management, "InviteAccountToOrganization", &json!({"Target": target})).await;
            assert_eq!(code, format!("InvalidInput {reason}"));
        }
        let own = refused(&management, "InviteAccountToOrganization", &invitation(MANAGEMENT)).await;
        assert_eq!(own, "HandshakeConstraintViolation ALREADY_IN_AN_ORGANIZATION");
        assert_eq!(server.count("organization_handshake"), 0);
    })
    .await;
}

/// A founder whose organization is gone is as free as anybody.
#[tokio::test]
async fn who_deleted_an_organization_may_join_another_at_once() {
    for_each_store(async |server| {
        let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
        create(&management).await;
        create(&member).await;
        ok(&member, "DeleteOrganization", &json!({})).await;
        join(&management, &member).await;
    })
    .await;
}
