"""Organizations through boto3 and the AWS CLI. Every answer is held against the service's model."""

import json

import pytest
from botocore.exceptions import ClientError

from refusal import refused

DENY_RAM = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ram:*", "Resource": "*"}]}


@pytest.fixture
def management(server, new_account):
    """An account with an organization of its own."""
    account = new_account(server)
    account.client("organizations").create_organization(FeatureSet="ALL")
    return account


def root_of(account) -> str:
    [root] = account.client("organizations").list_roots()["Roots"]
    return root["Id"]


def create_account(organizations, name: str, email: str) -> str:
    begun = organizations.create_account(AccountName=name, Email=email)["CreateAccountStatus"]
    assert begun["State"] == "IN_PROGRESS"
    ended = organizations.describe_create_account_status(CreateAccountRequestId=begun["Id"])["CreateAccountStatus"]
    assert ended["State"] == "SUCCEEDED", ended
    return ended["AccountId"]


def test_the_story(server, new_account):
    """A company makes its organization, sorts its accounts into units, and sets bounds to them."""
    management = new_account(server)
    organizations = management.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]
    root = root_of(management)
    workloads = organizations.create_organizational_unit(ParentId=root, Name="Workloads")["OrganizationalUnit"]["Id"]
    prod = organizations.create_organizational_unit(ParentId=workloads, Name="Prod")["OrganizationalUnit"]
    assert prod["Path"] == f"{organization['Id']}/{root}/{workloads}/{prod['Id']}/"

    made = create_account(organizations, "Shop", f"shop@{management.id}.example.com")
    organizations.move_account(AccountId=made, SourceParentId=root, DestinationParentId=prod["Id"])
    invited = new_account(server)
    handshake = organizations.invite_account_to_organization(
        Target={"Type": "ACCOUNT", "Id": invited.id}, Notes="Welcome", Tags=[{"Key": "team", "Value": "data"}]
    )["Handshake"]
    [received] = invited.client("organizations").list_handshakes_for_account()["Handshakes"]
    assert received["Id"] == handshake["Id"]
    accepted = invited.client("organizations").accept_handshake(HandshakeId=handshake["Id"])["Handshake"]
    assert accepted["State"] == "ACCEPTED"
    seen = invited.client("organizations").describe_organization()["Organization"]
    assert seen["MasterAccountId"] == management.id
    pages = organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 1})
    accounts = {account["Id"]: account for page in pages for account in page["Accounts"]}
    assert accounts.keys() == {management.id, made, invited.id}
    assert accounts[made]["JoinedMethod"] == "CREATED"
    assert accounts[invited.id]["JoinedMethod"] == "INVITED"

    policy = organizations.create_policy(
        Name="No sharing", Description="", Content=json.dumps(DENY_RAM), Type="SERVICE_CONTROL_POLICY"
    )["Policy"]["PolicySummary"]["Id"]
    enabled = organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")["Root"]
    assert enabled["PolicyTypes"] == [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
    organizations.attach_policy(PolicyId=policy, TargetId=prod["Id"])
    [target] = organizations.list_targets_for_policy(PolicyId=policy)["Targets"]
    assert (target["TargetId"], target["Name"], target["Type"]) == (prod["Id"], "Prod", "ORGANIZATIONAL_UNIT")
    listed = organizations.list_policies_for_target(TargetId=prod["Id"], Filter="SERVICE_CONTROL_POLICY")["Policies"]
    assert {found["Id"] for found in listed} == {policy, "p-FullAWSAccess"}

    # And all of it is taken down again.
    organizations.detach_policy(PolicyId=policy, TargetId=prod["Id"])
    organizations.delete_policy(PolicyId=policy)
    invited.client("organizations").leave_organization()
    organizations.remove_account_from_organization(AccountId=made)
    for unit in (prod["Id"], workloads):
        organizations.delete_organizational_unit(OrganizationalUnitId=unit)
    organizations.delete_organization()
    with refused("AWSOrganizationsNotInUseException"):
        organizations.describe_organization()


def test_all_lists_and_small_calls(management):
    organizations = management.client("organizations")
    root = root_of(management)
    organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    [service] = organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert service["ServicePrincipal"] == "sso.amazonaws.com"
    organizations.disable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organizations.tag_resource(ResourceId=root, Tags=[{"Key": "a", "Value": "1"}])
    assert organizations.list_tags_for_resource(ResourceId=root)["Tags"] == [{"Key": "a", "Value": "1"}]
    organizations.untag_resource(ResourceId=root, TagKeys=["a"])
    assert organizations.list_create_account_status(States=["SUCCEEDED"])["CreateAccountStatuses"] == []
    assert organizations.list_handshakes_for_organization()["Handshakes"] == []
    assert organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"] == []
    [child] = organizations.list_children(ParentId=root, ChildType="ACCOUNT")["Children"]
    assert child == {"Id": management.id, "Type": "ACCOUNT"}
    assert organizations.list_parents(ChildId=management.id)["Parents"] == [{"Id": root, "Type": "ROOT"}]
    [account] = organizations.list_accounts_for_parent(ParentId=root)["Accounts"]
    assert account == organizations.describe_account(AccountId=management.id)["Account"]
    [full_access] = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    assert full_access["AwsManaged"] is True
    assert organizations.describe_policy(PolicyId=full_access["Id"])["Policy"]["PolicySummary"] == full_access


def test_refusals_are_modelled(management, stranger):
    organizations = management.client("organizations")
    root = root_of(management)
    unit = organizations.create_organizational_unit(ParentId=root, Name="a")["OrganizationalUnit"]["Id"]
    for code, call in {
        "AlreadyInOrganizationException": organizations.create_organization,
        "MasterCannotLeaveOrganizationException": organizations.leave_organization,
    }.items():
        with refused(code):
            call()
    for code, call, parameters in [
        ("DuplicateOrganizationalUnitException", "create_organizational_unit", {"ParentId": root, "Name": "a"}),
        ("ParentNotFoundException", "create_organizational_unit", {"ParentId": "r-zzzz", "Name": "b"}),
        ("AccountNotFoundException", "describe_account", {"AccountId": stranger.id}),
        ("ChildNotFoundException", "list_parents", {"ChildId": stranger.id}),
        ("HandshakeNotFoundException", "describe_handshake", {"HandshakeId": "h-12345678"}),
        ("InvalidInputException", "list_accounts", {"MaxResults": 21}),
        ("PolicyNotFoundException", "delete_policy", {"PolicyId": "p-12345678"}),
        ("TargetNotFoundException", "tag_resource", {"ResourceId": stranger.id, "Tags": []}),
        ("PolicyTypeNotEnabledException", "attach_policy", {"PolicyId": "p-FullAWSAccess", "TargetId": unit}),
    ]:
        with refused(code):
            getattr(organizations, call)(**parameters)
    with refused("AWSOrganizationsNotInUseException"):
        stranger.client("organizations").describe_organization()
    with pytest.raises(ClientError) as raised:
        organizations.describe_account(AccountId="1")
    assert raised.value.response["Reason"] == "INVALID_PATTERN"


def test_with_the_aws_cli(server, new_account):
    management = new_account(server)
    made = management.aws("organizations", "create-organization")["Organization"]
    assert management.aws("organizations", "describe-organization")["Organization"] == made
    [root] = management.aws("organizations", "list-roots")["Roots"]
    unit = management.aws(
        "organizations", "create-organizational-unit", "--parent-id", root["Id"], "--name", "Sandbox"
    )["OrganizationalUnit"]
    listed = management.aws("organizations", "list-organizational-units-for-parent", "--parent-id", root["Id"])
    assert listed["OrganizationalUnits"] == [unit]
