//! What an account is in an organization: one read, kept right by every change.

use rampart_core::organization::Sharing;
use rampart_testkit::{TestServer, for_each_store};
use serde_json::json;

use super::{MANAGEMENT, MEMBER, create, create_unit, join, move_account, ok};

/// Path and epoch of an account's membership.
async fn place(server: &TestServer, account: &str) -> Option<(Vec<String>, i64)> {
    let reader = server.reader().await;
    let membership = reader.membership(account.parse().unwrap()).await.unwrap()?;
    Some((membership.path_ids().map(str::to_owned).collect(), membership.member.epoch))
}

#[tokio::test]
async fn it_follows_the_account() {
    for_each_store(async |server| {
        let (management, member) = (server.account(MANAGEMENT), server.account(MEMBER));
        assert_eq!(place(&server, MANAGEMENT).await, None);
        let (organization, root) = create(&management).await;
        let unit = create_unit(&management, &root, "unit").await;
        let in_root = vec![organization.clone(), root.clone()];
        assert_eq!(place(&server, MANAGEMENT).await, Some((in_root.clone(), 1)));
        join(&management, &member).await;
        assert_eq!(place(&server, MEMBER).await, Some((in_root.clone(), 1)));
        move_account(&management, MEMBER, &root, &unit).await;
        assert_eq!(place(&server, MEMBER).await, Some((vec![organization, root, unit], 1)));
        ok(&member, "LeaveOrganization", &json!({})).await;
        assert_eq!(place(&server, MEMBER).await, None);
        // Another time of being a member has another number.
        join(&management, &member).await;
        assert_eq!(place(&server, MEMBER).await, Some((in_root, 2)));
    })
    .await;
}

#[tokio::test]
async fn trusting_ram_through_organizations_is_half_of_sharing() {
    for_each_store(async |server| {
        let management = server.account(MANAGEMENT);
        create(&management).await;
        let sharing = async || {
            let membership = server.reader().await.membership(MANAGEMENT.parse().unwrap()).await.unwrap();
            membership.unwrap().organization.sharing
        };
        assert_eq!(sharing().await, Sharing::Off);
        let ram = json!({"ServicePrincipal": "ram.amazonaws.com"});
        ok(&management, "EnableAWSServiceAccess", &ram).await;
        assert_eq!(sharing().await, Sharing::Half);
        ok(&management, "DisableAWSServiceAccess", &ram).await;
        assert_eq!(sharing().await, Sharing::Off);
    })
    .await;
}
