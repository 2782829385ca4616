//! Accounts that an organization makes, and how accounts go.

use std::time::Duration;

use rampart_core::Quotas;
use rampart_server::Settings;
use rampart_testkit::for_each_store;
use rampart_testkit::server::{for_each_store_with, settings};
use serde_json::json;

use super::{MANAGEMENT, MEMBER, OUTSIDER, create, create_account, ids, join, ok, refused, text};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn an_account_is_made() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        let (organization, root) = create(&management).await;
        let input = json!({
            "AccountName": "Log archive",
            "Email": "logs@example.com",
            "RoleName": "Access",
            "IamUserAccessToBilling": "DENY",
            "Tags": [{"Key": "team", "Value": "core"}],
        });
        let begun = ok(&management, "CreateAccount", &input).await;
        let begun = &begun["CreateAccountStatus"];
        assert_eq!((&begun["State"], &begun["AccountName"]), (&json!("IN_PROGRESS"), &json!("Log archive")));
        let request = json!({"CreateAccountRequestId": begun["Id"]});
        let ended = ok(&management, "DescribeCreateAccountStatus", &request).await;
        assert_eq!(ended["CreateAccountStatus"]["State"], "SUCCEEDED");
        let id = text(&ended["CreateAccountStatus"]["AccountId"]);

        let account = ok(&management, "DescribeAccount", &json!({"AccountId": id})).await;
        let account = &account["Account"];
        let arn = format!("arn:aws:organizations::{MANAGEMENT}:account/{organization}/{id}");
        assert_eq!(account["Arn"], arn);
        assert_eq!(
            (&account["Name"], &account["Email"]),
            (&json!("Log archive"), &json!("logs@example.com"))
        );
        assert_eq!((&account["Status"], &account["State"]), (&json!("ACTIVE"), &json!("ACTIVE")));
        assert_eq!(account["JoinedMethod"], "CREATED");
        assert_eq!(account["Paths"], json!([format!("{organization}/{root}/{id}/")]));
        let tags = ok(&management, "ListTagsForResource", &json!({"ResourceId": id})).await;
        assert_eq!(tags, json!({"Tags": [{"Key": "team", "Value": "core"}]}));
        // It is an account like others, and a member.
        assert_eq!(server.sql("SELECT account, name FROM account"), [format!("{id}|Log archive")]);
        ok(&server.account(&id), "DescribeOrganization", &json!({})).await;

        let roles = server.sql(&format!("SELECT name FROM iam_identity WHERE account = '{id}'"));
        assert_eq!(roles, ["Access"]);
        let role = server.sql(&format!("SELECT roles FROM iam_usage WHERE account = '{id}'"));
        assert_eq!(role, ["1"]);

        // An address is of one account: the request fails, and says so to who asks.
        let begun = ok(&management, "CreateAccount", &input).await;
        let request = json!({"CreateAccountRequestId": begun["CreateAccountStatus"]["Id"]});
        let failed = ok(&management, "DescribeCreateAccountStatus", &request).await;
        assert_eq!(failed["CreateAccountStatus"]["State"], "FAILED");
        assert_eq!(failed["CreateAccountStatus"]["FailureReason"], "EMAIL_ALREADY_EXISTS");
        let failed = ok(&management, "ListCreateAccountStatus", &json!({"States": ["FAILED"]})).await;
        assert_eq!(failed["CreateAccountStatuses"].as_array().unwrap().len(), 1);
        let working = ok(&management, "ListCreateAccountStatus", &json!({"States": ["IN_PROGRESS"]})).await;
        assert_eq!(working, json!({"CreateAccountStatuses": []}));
        let all = ok(&management, "ListCreateAccountStatus", &json!({})).await;
        assert_eq!(all["CreateAccountStatuses"].as_array().unwrap().len(), 2);
        server.advance(DAY * 90);
        let all = ok(&management, "ListCreateAccountStatus", &json!({})).await;
        assert_eq!(all, json!({"CreateAccountStatuses": []}));
        let code = refused(&management, "DescribeCreateAccountStatus", &request).await;
        assert_eq!(code, "CreateAccountStatusNotFound");
        assert_eq!(server.count("account_creation"), 2);
        server.sweep().await;
        assert_eq!(server.count("account_creation"), 0);
    })
    .await;
}

#[tokio::test]
async fn accounts_have_a_limit() {
    let quotas = Quotas { organization_accounts: 2, ..Quotas::default() };
    for_each_store_with(Settings { quotas, ..settings() }, async |server| {
        let management = server.account(MANAGEMENT);
        create(&management).await;
        let open = json!({"Target": {"Type": "ACCOUNT", "Id": OUTSIDER}});
        let open = ok(&management, "InviteAccountToOrganization", &open).await;
        let account = create_account(&management, "last").await;
        let input = json!({"AccountName": "more", "Email": "more@example.com"});
        let code = refused(&management, "CreateAccount", &input).await;
        assert_eq!(code, "ConstraintViolation ACCOUNT_NUMBER_LIMIT_EXCEEDED");
        let exceeded = "HandshakeConstraintViolation ACCOUNT_NUMBER_LIMIT_EXCEEDED";
        let target = json!({"Target": {"Type": "ACCOUNT", "Id": MEMBER}});
        assert_eq!(refused(&management, "InviteAccountToOrganization", &target).await, exceeded);
        let accept = json!({"HandshakeId": open["Handshake"]["Id"]});
        assert_eq!(refused(&server.account(OUTSIDER), "AcceptHandshake", &accept).await, exceeded);
        assert_eq!(server.count("account"), 1);
        ok(&management, "RemoveAccountFromOrganization", &json!({"AccountId": account})).await;
        ok(&server.account(OUTSIDER), "AcceptHandshake", &accept).await;
    })
    .await;
}

#[tokio::test]
async fn accounts_are_removed_and_leave() {
    for_each_store(async |server| {
        let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
        create(&management).await;
        let code = refused(&member, "LeaveOrganization", &json!({})).await;
        assert_eq!(code, "AWSOrganizationsNotInUse");
        for _ in 0..2 {
            join(&management, &member).await;
            let tags = json!({"ResourceId": MEMBER, "Tags": [{"Key": "k", "Value": "v"}]});
            ok(&management, "TagResource", &tags).await;
            assert_eq!(refused(&management, "DeleteOrganization", &json!({})).await, "OrganizationNotEmpty");
            ok(&management, "RemoveAccountFromOrganization", &json!({"AccountId": MEMBER})).await;
            assert_eq!(
                refused(&member, "DescribeOrganization", &json!({})).await,
                "AWSOrganizationsNotInUse"
            );
            assert_eq!(server.count("organization_tag"), 0);
            join(&management, &member).await;
            ok(&member, "LeaveOrganization", &json!({})).await;
            assert_eq!(
                refused(&member, "DescribeOrganization", &json!({})).await,
                "AWSOrganizationsNotInUse"
            );
        }
        let gone = json!({"AccountId": MEMBER});
        let code = refused(&management, "RemoveAccountFromOrganization", &gone).await;
        assert_eq!(code, "AccountNotFound");
        let own = json!({"AccountId": MANAGEMENT});
        let code = refused(&management, "RemoveAccountFromOrganization", &own).await;
        assert_eq!(code, "MasterCannotLeaveOrganization");
        let code = refused(&management, "LeaveOrganization", &json!({})).await;
        assert_eq!(code, "MasterCannotLeaveOrganization");
        let accounts = ok(&management, "ListAccounts", &json!({})).await;
        assert_eq!(ids(&accounts["Accounts"]), [MANAGEMENT]);
        ok(&management, "DeleteOrganization", &json!({})).await;
    })
    .await;
}

#[tokio::test]
async fn an_account_is_closed() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        create(&management).await;
        let account = create_account(&management, "short-lived").await;
        let input = json!({"AccountId": account});
        ok(&management, "CloseAccount", &input).await;
        let closed = ok(&management, "DescribeAccount", &input).await;
        assert_eq!(closed["Account"]["Status"], "SUSPENDED");
        assert_eq!(closed["Account"]["State"], "CLOSED");
        assert_eq!(refused(&management, "CloseAccount", &input).await, "AccountAlreadyClosed");
        for (account, code) in [
            (MANAGEMENT, "ConstraintViolation CANNOT_CLOSE_MANAGEMENT_ACCOUNT"),
            (OUTSIDER, "AccountNotFound"),
        ] {
            let code_found = refused(&management, "CloseAccount", &json!({"AccountId": account})).await;
            assert_eq!(code_found, code);
        }
    })
    .await;
}
