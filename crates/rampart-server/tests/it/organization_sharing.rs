//! RAM within an organization: who is reached without an invitation, and what ends it (reference §4, §12.5).

use rampart_testkit::{Client, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::organizations::{self, MANAGEMENT, create_unit, join, move_account};
use crate::sharing::{accept, associations, create, only, pending_invitation, share_arns};

const ENABLE: &str = "EnableSharingWithAwsOrganization";
pub(crate) const MEMBER: &str = "222222222222";
pub(crate) const OTHER: &str = "333333333333";
const OUTSIDER: &str = "444444444444";
pub(crate) const SUBNET: &str = "arn:aws:ec2:eu-west-1:111111111111:subnet/subnet-0123456789abcdef0";

/// An organization that shares: its management account, two members, and who is not in it.
pub(crate) struct Company {
    pub(crate) management: Client,
    pub(crate) member: Client,
    pub(crate) other: Client,
    pub(crate) outsider: Client,
    pub(crate) id: String,
    pub(crate) root: String,
}

impl Company {
    pub(crate) async fn new(server: &TestServer) -> Self {
        let company = Self::without_sharing(server).await;
        company.enable().await;
        company
    }

    pub(crate) async fn without_sharing(server: &TestServer) -> Self {
        let [management, member, other, outsider] =
            [MANAGEMENT, MEMBER, OTHER, OUTSIDER].map(|account| server.account(account));
        let (id, root) = organizations::create(&management).await;
        join(&management, &member).await;
        join(&management, &other).await;
        Self { management, member, other, outsider, id, root }
    }

    pub(crate) async fn enable(&self) {
        assert_eq!(self.management.ok(ENABLE, &json!({})).await, json!({"returnValue": true}));
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:organizations::{MANAGEMENT}:organization/{}", self.id)
    }

    pub(crate) fn unit_arn(&self, unit: &str) -> String {
        format!("arn:aws:organizations::{MANAGEMENT}:ou/{}/{unit}", self.id)
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Value {
        organizations::ok(&self.management, operation, &input).await
    }

    async fn leave(&self, account: &Client) {
        organizations::ok(account, "LeaveOrganization", &json!({})).await;
    }
}

/// A share of the management account with these principals.
async fn share_with(owner: &Client, principals: &[&str]) -> String {
    create(owner, &json!({"name": "inside", "resourceArns": [SUBNET], "principals": principals})).await
}

async fn sees(account: &Client, share: &str) -> bool {
    let listed = share_arns(account, "OTHER-ACCOUNTS").await.iter().any(|arn| arn == share);
    let input = json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [share]});
    let named = account.call("GetResourceShares", &input).await.status == 200;
    let resources = account.ok("ListResources", &json!({"resourceOwner": "OTHER-ACCOUNTS"})).await;
    let holds = |resource: &Value| resource["resourceShareArn"] == share;
    let holds = resources["resources"].as_array().unwrap().iter().any(holds);
    let owners = account.ok("ListPrincipals", &json!({"resourceOwner": "OTHER-ACCOUNTS"})).await;
    let told = owners["principals"].as_array().unwrap().iter().any(|row| row["resourceShareArn"] == share);
    assert_eq!((listed, holds, told), (named, named, named), "readers disagree about {share}");
    named
}

async fn status(owner: &Client, share: &str) -> String {
    only(&associations(owner, "PRINCIPAL", share).await)["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn sharing_is_enabled_by_the_management_account_of_all_features() {
    for_each_store(async |server| {
        let company = Company::without_sharing(&server).await;
        for account in [&company.member, &company.outsider] {
            let reply = account.call(ENABLE, &json!({})).await;
            assert_eq!((reply.status, &*reply.error_code), (400, "OperationNotPermittedException"));
            let text = "Received AccessDeniedException from AWSOrganizations";
            assert!(reply.text.contains(text), "{}", reply.text);
        }
        let billing = server.account("555555555555");
        let set = json!({"FeatureSet": "CONSOLIDATED_BILLING"});
        organizations::ok(&billing, "CreateOrganization", &set).await;
        assert_eq!(billing.refused(ENABLE, &json!({})).await, "OperationNotPermitted");
        for _ in 0..2 {
            company.enable().await;
        }
        let trusted = company.call("ListAWSServiceAccessForOrganization", json!({})).await;
        let service = &trusted["EnabledServicePrincipals"][0]["ServicePrincipal"];
        assert_eq!(service, "ram.amazonaws.com");
        let roles = server.sql("SELECT account, name FROM iam_identity");
        assert_eq!(roles, [format!("{MANAGEMENT}|AWSServiceRoleForResourceAccessManager")]);
    })
    .await;
}

#[tokio::test]
async fn who_is_inside_is_not_invited() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let role = format!("arn:aws:iam::{OTHER}:role/Reader");
        let resource = "arn:aws:imagebuilder:eu-west-1:111111111111:component/c/1.0.0/1";
        let input = json!({"name": "n", "resourceArns": [resource], "principals": [MEMBER, role]});
        let share = create(&company.management, &input).await;
        assert!(sees(&company.member, &share).await && sees(&company.other, &share).await);
        assert!(!sees(&company.outsider, &share).await);
        for row in associations(&company.management, "PRINCIPAL", &share).await.as_array().unwrap() {
            assert_eq!((&row["status"], &row["external"]), (&json!("ASSOCIATED"), &json!(false)), "{row}");
        }
        assert_eq!(server.count("invitation"), 0);
        // Outside it is as ever.
        let input = json!({"resourceShareArn": share, "principals": [OUTSIDER]});
        company.management.ok("AssociateResourceShare", &input).await;
        accept(&company.outsider, &share).await;
        // Each is told whether the owner is of its organization, however it asks.
        for (account, external) in [(&company.member, false), (&company.outsider, true)] {
            for named in [json!({}), json!({"resourceShareArns": [share]})] {
                let mut input = json!({"resourceOwner": "OTHER-ACCOUNTS"});
                input.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
                let owners = account.ok("ListPrincipals", &input).await;
                let row = only(&owners["principals"]);
                assert_eq!((&row["id"], &row["external"]), (&json!(MANAGEMENT), &json!(external)));
            }
        }
        // AWS: who was not invited cannot leave.
        let input = json!({"resourceShareArn": share, "principals": [MEMBER]});
        let code = company.member.refused("DisassociateResourceShare", &input).await;
        assert_eq!(code, "OperationNotPermitted");
        company.management.ok("DisassociateResourceShare", &input).await;
        assert!(!sees(&company.member, &share).await);
    })
    .await;
}

#[tokio::test]
async fn the_organization_and_its_units_are_principals() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let outer = create_unit(&company.management, &company.root, "outer").await;
        let inner = create_unit(&company.management, &outer, "inner").await;
        let whole = share_with(&company.management, &[&company.arn()]).await;
        let of_outer = share_with(&company.management, &[&company.unit_arn(&outer)]).await;
        let of_inner = share_with(&company.management, &[&company.unit_arn(&inner)]).await;
        let row = only(&associations(&company.management, "PRINCIPAL", &whole).await).clone();
        assert_eq!(row["associatedEntity"], company.arn());
        assert_eq!((&row["status"], &row["external"]), (&json!("ASSOCIATED"), &json!(false)));
        let seen = async |account: &Client| {
            (sees(account, &whole).await, sees(account, &of_outer).await, sees(account, &of_inner).await)
        };
        assert_eq!(seen(&company.member).await, (true, false, false));
        assert_eq!(seen(&company.outsider).await, (false, false, false));
        // Who moves sees at once what is shared with where it is now.
        move_account(&company.management, MEMBER, &company.root, &inner).await;
        assert_eq!(seen(&company.member).await, (true, true, true));
        move_account(&company.management, MEMBER, &inner, &outer).await;
        assert_eq!(seen(&company.member).await, (true, true, false));
        // So does who joins.
        join(&company.management, &company.outsider).await;
        assert_eq!(seen(&company.outsider).await, (true, false, false));
        // Other members share with all, too; the owner does not see its own as another's.
        let resource = format!("arn:aws:ec2:eu-west-1:{MEMBER}:subnet/subnet-1");
        let input = json!({"name": "n", "resourceArns": [resource], "principals": [company.arn()]});
        let of_member = create(&company.member, &input).await;
        assert!(sees(&company.management, &of_member).await && sees(&company.other, &of_member).await);
        assert!(!share_arns(&company.member, "OTHER-ACCOUNTS").await.contains(&of_member));
        let policies = json!({"resourceArns": [SUBNET]});
        let policies = company.management.ok("GetResourcePolicies", &policies).await.to_string();
        assert!(policies.contains("aws:PrincipalOrgID"), "{policies}");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_of_the_own_organization_is_not_found() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let strange = "o-zzzzzzzzzz";
        for (principal, text) in [
            (
                format!("arn:aws:organizations::{MANAGEMENT}:organization/{strange}"),
                format!("Organization {strange} could not be found."),
            ),
            (
                company.unit_arn("ou-zzzz-12345678"),
                "OrganizationalUnit ou-zzzz-12345678 could not be found.".to_owned(),
            ),
            (
                format!("arn:aws:organizations::{MANAGEMENT}:ou/{strange}/ou-zzzz-12345678"),
                "OrganizationalUnit ou-zzzz-12345678 in unknown organization could not be found.".to_owned(),
            ),
        ] {
            let input = json!({"name": "n", "principals": [principal]});
            let reply = company.management.call("CreateResourceShare", &input).await;
            assert_eq!(reply.error_code, "UnknownResourceException");
            assert_eq!(reply.json["message"], text);
        }
        // An outsider cannot share with an organization that it is not in.
        let input = json!({"name": "n", "principals": [company.arn()]});
        let code = company.outsider.refused("CreateResourceShare", &input).await;
        assert_eq!(code, "UnknownResource");
        assert_eq!(server.count("resource_share"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_share_may_be_confined_to_the_organization() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let owner = &company.management;
        let input = json!({"name": "n", "principals": [MEMBER], "allowExternalPrincipals": false});
        let share = create(owner, &input).await;
        assert!(share_arns(&company.member, "OTHER-ACCOUNTS").await.contains(&share));
        let outside = json!({"resourceShareArn": share, "principals": [OUTSIDER]});
        let reply = owner.call("AssociateResourceShare", &outside).await;
        assert_eq!(reply.error_code, "InvalidParameterException");
        let text = format!(
            "Principal {OUTSIDER} is not in your AWS organization. You do not have permission to add"
        );
        assert!(reply.text.contains(&text), "{}", reply.text);
        let set = |allow: bool| json!({"resourceShareArn": share, "allowExternalPrincipals": allow});
        owner.ok("UpdateResourceShare", &set(true)).await;
        owner.ok("AssociateResourceShare", &outside).await;
        assert_eq!(owner.refused("UpdateResourceShare", &set(false)).await, "OperationNotPermitted");
        owner.ok("DisassociateResourceShare", &outside).await;
        owner.ok("UpdateResourceShare", &set(false)).await;
        // A type that is for inside alone, and somebody outside, do not go together.
        let share = share_with(owner, &[MEMBER]).await;
        let outside = json!({"resourceShareArn": share, "principals": [OUTSIDER]});
        assert_eq!(owner.refused("AssociateResourceShare", &outside).await, "InvalidParameter");
    })
    .await;
}

#[tokio::test]
async fn retained_sharing_invites_and_outlasts_the_membership() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let owner = &company.management;
        let retain = json!({"retainSharingOnAccountLeaveOrganization": true});
        let gateway = "arn:aws:ec2:eu-west-1:111111111111:transit-gateway/tgw-0123456789abcdef0";
        let input = json!({
            "name": "n",
            "resourceArns": [gateway],
            "principals": [MEMBER],
            "resourceShareConfiguration": retain,
        });
        let share = create(owner, &input).await;
        assert!(!sees(&company.member, &share).await);
        let invitation = pending_invitation(&company.member, &share).await;
        let accept = json!({"resourceShareInvitationArn": invitation});
        company.member.ok("AcceptResourceShareInvitation", &accept).await;
        company.leave(&company.member).await;
        assert!(sees(&company.member, &share).await);
        let input = json!({"name": "n", "principals": [company.arn()], "resourceShareConfiguration": retain});
        assert_eq!(owner.refused("CreateResourceShare", &input).await, "InvalidParameter");
    })
    .await;
}

#[tokio::test]
async fn an_account_that_leaves_loses_what_it_had_by_being_inside() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let (owner, member) = (&company.management, &company.member);
        let whole = share_with(owner, &[&company.arn()]).await;
        let direct = share_with(owner, &[MEMBER]).await;
        assert!(sees(member, &whole).await && sees(member, &direct).await);
        company.leave(member).await;
        assert!(!sees(member, &whole).await && !sees(member, &direct).await);
        // The owner's readers agree at once: the account's row is over, the organization's is not.
        assert_eq!(status(owner, &direct).await, "DISASSOCIATED");
        assert_eq!(status(owner, &whole).await, "ASSOCIATED");
        assert!(sees(&company.other, &whole).await);
        // Nothing is written down yet, and still it is found by its status.
        let input = json!({"associationType": "PRINCIPAL", "associationStatus": "DISASSOCIATED"});
        let found = owner.ok("GetResourceShareAssociations", &input).await;
        assert_eq!(found["resourceShareAssociations"].as_array().unwrap().len(), 1, "{found}");
        // Joining again brings the organization's shares, not the old association.
        join(owner, member).await;
        assert!(sees(member, &whole).await && !sees(member, &direct).await);
        assert_eq!(status(owner, &direct).await, "DISASSOCIATED");
        // Background work then writes it down, with its event, and counts it out.
        let before = server.events(MANAGEMENT).await.len();
        assert!(server.sweep().await > 0);
        let events = server.events(MANAGEMENT).await;
        assert_eq!((events.len(), events[before].status.as_str()), (before + 1, "disassociated"));
        assert_eq!(status(owner, &direct).await, "DISASSOCIATED");
        assert_eq!(server.count("organization_tidying"), 0);
        assert_eq!(server.sql("SELECT principals FROM owner_usage"), ["1"]);
        // It can be associated anew.
        let input = json!({"resourceShareArn": direct, "principals": [MEMBER]});
        owner.ok("AssociateResourceShare", &input).await;
        assert!(sees(member, &direct).await);
        assert_eq!(server.sweep().await, 0);
        assert!(sees(member, &direct).await);
    })
    .await;
}

#[tokio::test]
async fn an_association_is_made_anew_before_it_was_tidied() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let (owner, member) = (&company.management, &company.member);
        let direct = share_with(owner, &[MEMBER]).await;
        company.leave(member).await;
        join(owner, member).await;
        let input = json!({"resourceShareArn": direct, "principals": [MEMBER]});
        owner.ok("AssociateResourceShare", &input).await;
        assert!(sees(member, &direct).await);
        assert_eq!(server.sql("SELECT principals FROM owner_usage"), ["1"]);
        server.sweep().await;
        assert!(sees(member, &direct).await);
        assert_eq!(server.sql("SELECT principals FROM owner_usage"), ["1"]);
    })
    .await;
}

#[tokio::test]
async fn an_owner_that_leaves_or_is_removed_shares_inside_no_more() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let (owner, other) = (&company.member, &company.other);
        let resource = format!("arn:aws:ec2:eu-west-1:{MEMBER}:subnet/subnet-1");
        let input = json!({"name": "n", "resourceArns": [resource], "principals": [company.arn()]});
        let whole = create(owner, &input).await;
        let input = json!({"name": "n", "resourceArns": [resource], "principals": [OTHER]});
        let direct = create(owner, &input).await;
        assert!(sees(other, &whole).await && sees(other, &direct).await);
        company.call("RemoveAccountFromOrganization", json!({"AccountId": MEMBER})).await;
        for _ in 0..2 {
            assert!(!sees(other, &whole).await && !sees(other, &direct).await);
            assert_eq!(status(owner, &whole).await, "DISASSOCIATED");
            assert_eq!(status(owner, &direct).await, "DISASSOCIATED");
            join(&company.management, owner).await;
            assert!(!sees(other, &whole).await && !sees(other, &direct).await);
            company.leave(owner).await;
            server.sweep().await;
        }
        assert_eq!(server.count("association_basis"), 0);
        let rows = server.sql("SELECT principals FROM owner_usage WHERE owner = '222222222222'");
        assert_eq!(rows, ["0"]);
    })
    .await;
}

#[tokio::test]
async fn disabling_trusted_access_takes_all_of_it_and_enabling_brings_nothing_back() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let (owner, member) = (&company.management, &company.member);
        let whole = share_with(owner, &[&company.arn()]).await;
        let direct = share_with(owner, &[MEMBER]).await;
        let ram = json!({"ServicePrincipal": "ram.amazonaws.com"});
        company.call("DisableAWSServiceAccess", ram.clone()).await;
        let check = async || {
            assert!(!sees(member, &whole).await && !sees(member, &direct).await);
            assert_eq!(status(owner, &whole).await, "DISASSOCIATED");
            assert_eq!(status(owner, &direct).await, "DISASSOCIATED");
        };
        check().await;
        // Trusted access alone is half of it: what the role is missing for stays unknown.
        company.call("EnableAWSServiceAccess", ram).await;
        let input = json!({"name": "n", "principals": [company.arn()]});
        assert_eq!(owner.refused("CreateResourceShare", &input).await, "UnknownResource");
        let input = json!({"name": "n", "resourceArns": [SUBNET]});
        assert_eq!(owner.refused("CreateResourceShare", &input).await, "InvalidParameter");
        check().await;
        company.enable().await;
        check().await;
        server.sweep().await;
        check().await;
        assert_eq!(server.count("association_basis"), 0);
        let anew = share_with(owner, &[&company.arn()]).await;
        assert!(sees(member, &anew).await);
    })
    .await;
}

/// The management account deletes RAM's role; gives what IAM says of the deletion.
async fn delete_role(company: &Company) -> String {
    let named = [("RoleName", "AWSServiceRoleForResourceAccessManager")];
    let deleted = company.management.iam_ok("DeleteServiceLinkedRole", &named).await;
    let task = deleted.element("DeletionTaskId");
    let asked = [("DeletionTaskId", &*task)];
    company.management.iam_ok("GetServiceLinkedRoleDeletionStatus", &asked).await.element("Status")
}

#[tokio::test]
async fn deleting_the_role_of_ram_leaves_half_of_sharing_and_enabling_repairs_it() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        // A member's role of that name is its own business.
        company.member.iam_ok("CreateServiceLinkedRole", &[("AWSServiceName", "ram.amazonaws.com")]).await;
        let named = [("RoleName", "AWSServiceRoleForResourceAccessManager")];
        company.member.iam_ok("DeleteServiceLinkedRole", &named).await;
        let share = share_with(&company.management, &[&company.arn()]).await;
        assert!(sees(&company.member, &share).await);

        assert_eq!(delete_role(&company).await, "SUCCEEDED");
        assert!(!sees(&company.member, &share).await && !sees(&company.other, &share).await);
        assert_eq!(status(&company.management, &share).await, "DISASSOCIATED");
        let trusted = company.call("ListAWSServiceAccessForOrganization", json!({})).await;
        assert_eq!(trusted["EnabledServicePrincipals"][0]["ServicePrincipal"], "ram.amazonaws.com");
        let again = json!({"name": "n", "principals": [company.arn()]});
        let refused = company.management.refused("CreateResourceShare", &again).await;
        assert_eq!(refused, "UnknownResource");

        for _ in 0..2 {
            company.enable().await;
            assert_eq!(server.count("iam_identity"), 1);
        }
        assert!(!sees(&company.member, &share).await, "what ended does not come back");
        server.sweep().await;
        assert_eq!(server.count("organization_tidying"), 0);
        assert_eq!(server.count("association_basis"), 0);
        let anew = share_with(&company.management, &[&company.arn()]).await;
        assert!(sees(&company.member, &anew).await);
        assert_eq!(status(&company.management, &share).await, "DISASSOCIATED");
    })
    .await;
}

#[tokio::test]
async fn without_sharing_members_are_strangers() {
    for_each_store(async |server| {
        let company = Company::without_sharing(&server).await;
        let owner = &company.management;
        let gateway = "arn:aws:ec2:eu-west-1:111111111111:transit-gateway/tgw-0123456789abcdef0";
        let input = json!({"name": "n", "resourceArns": [gateway], "principals": [MEMBER]});
        let share = create(owner, &input).await;
        pending_invitation(&company.member, &share).await;
        assert_eq!(only(&associations(owner, "PRINCIPAL", &share).await)["external"], true);
        // What was accepted by an invitation does not depend on the organization.
        let invitation = pending_invitation(&company.member, &share).await;
        let accept = json!({"resourceShareInvitationArn": invitation});
        company.member.ok("AcceptResourceShareInvitation", &accept).await;
        company.enable().await;
        company.leave(&company.member).await;
        assert!(sees(&company.member, &share).await);
    })
    .await;
}

#[tokio::test]
async fn pages_of_shares_by_several_ways_have_each_share_once() {
    for_each_store(async |server| {
        let company = Company::new(&server).await;
        let (owner, member) = (&company.management, &company.member);
        let unit = create_unit(owner, &company.root, "unit").await;
        move_account(owner, MEMBER, &company.root, &unit).await;
        let mut shares = Vec::new();
        for number in 0..7 {
            let (whole, part) = (company.arn(), company.unit_arn(&unit));
            let ways: &[&str] = match number % 3 {
                0 => &[&whole],
                1 => &[MEMBER, &part],
                _ => &[&whole, MEMBER, &part],
            };
            shares.push(share_with(owner, ways).await);
            server.advance(std::time::Duration::from_millis(5));
        }
        for size in [1, 2, 3, 10] {
            let (mut seen, mut input) =
                (Vec::new(), json!({"resourceOwner": "OTHER-ACCOUNTS", "maxResults": size}));
            loop {
                let page = member.ok("GetResourceShares", &input).await;
                let page_of = page["resourceShares"].as_array().unwrap();
                seen.extend(
                    page_of.iter().map(|share| share["resourceShareArn"].as_str().unwrap().to_owned()),
                );
                match page["nextToken"].as_str() {
                    Some(token) => input["nextToken"] = json!(token),
                    None => break,
                }
            }
            assert_eq!(seen, shares, "{size}");
        }
    })
    .await;
}

/// Calls rampart's own API as an account.
async fn own(account: &Client, method: &str, path: &str) -> rampart_testkit::Reply {
    let request = http::Request::builder().method(method).uri(format!("/rampart/v1/{path}"));
    account.send(account.signed("rampart", request.body(bytes::Bytes::new()).unwrap())).await
}

#[tokio::test]
async fn whether_sharing_is_on_is_told_and_it_is_turned_off_in_order() {
    for_each_store(async |server| {
        let company = Company::without_sharing(&server).await;
        let told = async |account: &Client| {
            let reply = own(account, "GET", "organization-sharing").await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            (reply.json["enabled"].as_bool().unwrap(), reply.json["reason"].as_str().unwrap().to_owned())
        };
        let says = |told: (bool, String), enabled: bool, words: &str| {
            assert!(told.0 == enabled && told.1.contains(words), "{told:?}");
        };
        says(told(&company.outsider).await, false, "not a member");
        says(told(&company.member).await, false, "not enabled");
        company.call("EnableAWSServiceAccess", json!({"ServicePrincipal": "ram.amazonaws.com"})).await;
        says(told(&company.member).await, false, "the role was deleted");
        company.enable().await;
        says(told(&company.member).await, true, "enabled it");
        let share = share_with(&company.management, &[&company.arn()]).await;
        let refused = own(&company.member, "DELETE", "organization-sharing").await;
        assert_eq!(refused.error_code, "OperationNotPermittedException");
        assert!(sees(&company.member, &share).await);
        for _ in 0..2 {
            let reply = own(&company.management, "DELETE", "organization-sharing").await;
            assert_eq!((reply.status, &reply.json["enabled"]), (200, &json!(false)), "{}", reply.text);
        }
        assert!(!sees(&company.member, &share).await);
        let trusted = company.call("ListAWSServiceAccessForOrganization", json!({})).await;
        assert_eq!(trusted, json!({"EnabledServicePrincipals": []}));
        assert_eq!(server.count("iam_identity"), 0);
        company.enable().await;
        says(told(&company.management).await, true, "enabled it");
    })
    .await;
}

#[tokio::test]
async fn a_sender_sees_and_withdraws_what_it_sent() {
    for_each_store(async |server| {
        let (owner, receiver) = (server.account(MANAGEMENT), server.account(OUTSIDER));
        let role = format!("arn:aws:iam::{OUTSIDER}:role/Reader");
        let share = create(&owner, &json!({"name": "n", "principals": [OUTSIDER, MEMBER, role]})).await;
        let sent = own(&owner, "GET", "sent-invitations").await;
        let sent = sent.json["resourceShareInvitations"].as_array().unwrap().clone();
        assert_eq!(sent.len(), 2);
        assert!(
            sent.iter().all(|one| one["status"] == "PENDING" && one["resourceShareArn"] == share.as_str())
        );
        let first = own(&owner, "GET", "sent-invitations?maxResults=1").await;
        let token = first.json["nextToken"].as_str().unwrap();
        let second = own(&owner, "GET", &format!("sent-invitations?maxResults=1&nextToken={token}")).await;
        assert_eq!(second.json["resourceShareInvitations"], json!([sent[1]]));

        let arn = pending_invitation(&receiver, &share).await;
        let path = format!(
            "sent-invitations?resourceShareInvitationArn={}",
            arn.replace(':', "%3A").replace('/', "%2F")
        );
        let strange = own(&receiver, "DELETE", &path).await;
        assert_eq!(strange.error_code, "ResourceShareInvitationArnNotFoundException");
        let withdrawn = own(&owner, "DELETE", &path).await;
        assert_eq!((withdrawn.status, withdrawn.json), (200, json!({"returnValue": true})));
        let invitations = receiver.ok("GetResourceShareInvitations", &json!({})).await;
        assert_eq!(invitations, json!({"resourceShareInvitations": []}));
        let rows = associations(&owner, "PRINCIPAL", &share).await;
        let of_receiver = rows.as_array().unwrap().iter().filter(|row| row["associatedEntity"] != MEMBER);
        assert!(
            of_receiver.clone().count() == 2
                && of_receiver.clone().all(|row| row["status"] == "DISASSOCIATED")
        );
        assert_eq!(server.sql("SELECT principals, pending_invitations FROM owner_usage"), ["1|1"]);
        let again = own(&owner, "DELETE", &path).await;
        assert_eq!(again.error_code, "ResourceShareInvitationArnNotFoundException");
        // One that was answered stays.
        let member = server.account(MEMBER);
        let arn = pending_invitation(&member, &share).await;
        member.ok("AcceptResourceShareInvitation", &json!({"resourceShareInvitationArn": arn})).await;
        let path = format!(
            "sent-invitations?resourceShareInvitationArn={}",
            arn.replace(':', "%3A").replace('/', "%2F")
        );
        let late = own(&owner, "DELETE", &path).await;
        assert_eq!(late.error_code, "ResourceShareInvitationAlreadyAcceptedException");
    })
    .await;
}

#[tokio::test]
async fn what_is_for_an_account_is_signed() {
    let server = TestServer::sqlite().await;
    let client = server.account(MANAGEMENT);
    for path in ["organization-sharing", "sent-invitations"] {
        let request = http::Request::get(format!("/rampart/v1/{path}"));
        let reply = client.send(request.body(bytes::Bytes::new()).unwrap()).await;
        assert_eq!((reply.status, &*reply.error_code), (403, "MissingAuthenticationTokenException"));
        let other = own(&client, "PUT", path).await;
        assert_eq!(other.status, 403, "{}", other.text);
    }
    assert_eq!(own(&client, "GET", "nothing").await.status, 404);
    let request = http::Request::get("/rampart/v1/organization-sharing").body(bytes::Bytes::new()).unwrap();
    assert_eq!(client.send(client.signed("ram", request)).await.status, 200);
}
