"""IAM and STS through boto3 and the AWS CLI. Every answer is held against the service's model."""

import json

import pytest

from refusal import refused

READ_RAM = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ram:Get*", "Resource": "*"}]}
MANAGED = "arn:aws:iam::aws:policy/AWSResourceAccessManagerFullAccess"
ROLE_OF_RAM = "AWSServiceRoleForResourceAccessManager"
OWNER, PARTNER = "111111111111", "222222222222"


def trusting(principal: str, **condition) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def strict(rampart, start_server, new_account):
    """The roots of two accounts of a server in strict mode."""
    for account in (OWNER, PARTNER):
        rampart.create_account(account)
    keys = {account: rampart.create_key(account) for account in (OWNER, PARTNER)}
    server = start_server(auth="strict")
    return [
        new_account(server, account, key=key["AccessKeyId"], secret=key["SecretAccessKey"])
        for account, key in keys.items()
    ]


def test_the_story(strict):
    """A partner's employee works in the owner's account, by a role, and no longer than she may."""
    owner, partner = strict
    partner.iam.create_user(UserName="alice", Path="/staff/", Tags=[{"Key": "team", "Value": "net"}])
    alice = partner.with_credentials(partner.iam.create_access_key(UserName="alice")["AccessKey"])
    assert alice.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{PARTNER}:user/staff/alice"
    with refused("AccessDeniedException", status=403) as denied:
        alice.ram.get_resource_shares(resourceOwner="SELF")
    assert denied.message == (
        f"User: arn:aws:iam::{PARTNER}:user/staff/alice is not authorized to perform: ram:GetResourceShares "
        "on resource: * because no identity-based policy allows the ram:GetResourceShares action"
    )

    trust = trusting(f"arn:aws:iam::{PARTNER}:root", StringEquals={"sts:ExternalId": "deal-7"})
    role = owner.iam.create_role(RoleName="networks", AssumeRolePolicyDocument=trust)["Role"]
    assert role["AssumeRolePolicyDocument"] == json.loads(trust)
    owner.iam.attach_role_policy(RoleName="networks", PolicyArn=MANAGED)
    assume = {"RoleArn": role["Arn"], "RoleSessionName": "alice"}
    with refused("AccessDenied", status=403):
        alice.sts.assume_role(**assume, ExternalId="deal-7")
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role["Arn"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    partner.iam.put_user_policy(UserName="alice", PolicyName="work", PolicyDocument=policy)
    with refused("AccessDenied", status=403):
        alice.sts.assume_role(**assume)
    assumed = alice.sts.assume_role(**assume, ExternalId="deal-7", DurationSeconds=900)
    assert assumed["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{OWNER}:assumed-role/networks/alice"

    at_work = alice.with_credentials(assumed["Credentials"], OWNER)
    share = at_work.share(partner)
    assert owner.visible_shares("SELF") == {share: "ACTIVE"}
    assert at_work.aws("sts", "get-caller-identity")["UserId"] == assumed["AssumedRoleUser"]["AssumedRoleId"]
    with refused("AccessDenied", status=403):
        at_work.iam.list_users()
    restricted = alice.sts.assume_role(**assume, ExternalId="deal-7", Policy=json.dumps(READ_RAM))
    reader = alice.with_credentials(restricted["Credentials"], OWNER)
    assert reader.visible_shares("SELF") == {share: "ACTIVE"}
    with refused("AccessDeniedException", status=403) as denied:
        reader.ram.delete_resource_share(resourceShareArn=share)
    assert "no session policy allows" in denied.message

    owner.iam.detach_role_policy(RoleName="networks", PolicyArn=MANAGED)
    owner.iam.delete_role(RoleName="networks")
    with refused("UnrecognizedClientException", status=403):
        at_work.ram.get_resource_shares(resourceOwner="SELF")


def test_any_role_in_open_mode(owner):
    role = f"arn:aws:iam::{owner.id}:role/Administrator"
    assumed = owner.sts.assume_role(RoleArn=role, RoleSessionName="terraform")
    session = owner.with_credentials(assumed["Credentials"])
    assert session.sts.get_caller_identity()["Account"] == owner.id
    share = session.share()
    assert share in owner.visible_shares("SELF")
    token = owner.with_credentials(owner.sts.get_session_token()["Credentials"])
    assert token.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{owner.id}:root"
    key = assumed["Credentials"]["AccessKeyId"]
    assert owner.sts.get_access_key_info(AccessKeyId=key)["Account"] == owner.id


def test_a_user_and_all_that_it_has(owner):
    """As Terraform makes, reads and removes aws_iam_user, aws_iam_access_key and aws_iam_user_policy."""
    iam = owner.iam
    made = iam.create_user(UserName="ci", Path="/", Tags=[{"Key": "a", "Value": "1"}])["User"]
    user = iam.get_user(UserName="ci")["User"]
    assert user == made and user["Tags"] == [{"Key": "a", "Value": "1"}]
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["ci"]
    iam.put_user_policy(UserName="ci", PolicyName="read", PolicyDocument=json.dumps(READ_RAM))
    assert iam.get_user_policy(UserName="ci", PolicyName="read")["PolicyDocument"] == READ_RAM
    assert iam.list_user_policies(UserName="ci")["PolicyNames"] == ["read"]
    iam.attach_user_policy(UserName="ci", PolicyArn=MANAGED)
    assert iam.list_attached_user_policies(UserName="ci")["AttachedPolicies"][0]["PolicyArn"] == MANAGED
    assert iam.list_groups_for_user(UserName="ci")["Groups"] == []
    iam.tag_user(UserName="ci", Tags=[{"Key": "b", "Value": "2"}])
    iam.untag_user(UserName="ci", TagKeys=["a"])
    assert iam.list_user_tags(UserName="ci")["Tags"] == [{"Key": "b", "Value": "2"}]
    key = iam.create_access_key(UserName="ci")["AccessKey"]
    iam.update_access_key(UserName="ci", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    [listed] = iam.list_access_keys(UserName="ci")["AccessKeyMetadata"]
    assert (listed["AccessKeyId"], listed["Status"]) == (key["AccessKeyId"], "Inactive")
    with refused("DeleteConflict", status=409):
        iam.delete_user(UserName="ci")
    iam.delete_access_key(UserName="ci", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="ci", PolicyName="read")
    iam.detach_user_policy(UserName="ci", PolicyArn=MANAGED)
    iam.delete_user(UserName="ci")
    with refused("NoSuchEntity", status=404):
        iam.get_user(UserName="ci")
    with refused("MalformedPolicyDocument"):
        iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")


def test_a_role_and_all_that_it_has(owner):
    """As Terraform makes, reads and removes aws_iam_role and what is attached to it."""
    iam = owner.iam
    name = {"RoleName": "deploy"}
    iam.create_role(**name, AssumeRolePolicyDocument=trusting(owner.id), Description="d", MaxSessionDuration=7200)
    iam.put_role_policy(**name, PolicyName="read", PolicyDocument=json.dumps(READ_RAM))
    assert iam.list_role_policies(**name)["PolicyNames"] == ["read"]
    assert iam.get_role_policy(**name, PolicyName="read")["PolicyDocument"] == READ_RAM
    iam.attach_role_policy(**name, PolicyArn=MANAGED)
    assert iam.list_attached_role_policies(**name)["AttachedPolicies"][0]["PolicyArn"] == MANAGED
    version = iam.get_policy(PolicyArn=MANAGED)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=MANAGED, VersionId=version)["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Action"] == "ram:*"
    assert iam.list_instance_profiles_for_role(**name)["InstanceProfiles"] == []
    iam.update_role(**name, MaxSessionDuration=3600)
    iam.update_role_description(**name, Description="e")
    other = trusting("arn:aws:iam::999999999999:root")
    iam.update_assume_role_policy(**name, PolicyDocument=other)
    iam.tag_role(**name, Tags=[{"Key": "a", "Value": "1"}])
    role = iam.get_role(**name)["Role"]
    assert (role["MaxSessionDuration"], role["Description"]) == (3600, "e")
    assert role["AssumeRolePolicyDocument"] == json.loads(other)
    assert iam.list_role_tags(**name)["Tags"] == role["Tags"] == [{"Key": "a", "Value": "1"}]
    iam.untag_role(**name, TagKeys=["a"])
    iam.delete_role_policy(**name, PolicyName="read")
    iam.detach_role_policy(**name, PolicyArn=MANAGED)
    iam.delete_role(**name)
    assert iam.list_roles()["Roles"] == []


def test_pages(owner):
    for number in range(5):
        owner.iam.create_user(UserName=f"user-{number}")
    pages = owner.iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2})
    found = [[user["UserName"] for user in page["Users"]] for page in pages]
    assert found == [["user-0", "user-1"], ["user-2", "user-3"], ["user-4"]]


def test_the_role_of_ram(owner):
    role = owner.iam.create_service_linked_role(AWSServiceName="ram.amazonaws.com")["Role"]
    assert (role["RoleName"], role["Path"]) == (ROLE_OF_RAM, "/aws-service-role/ram.amazonaws.com/")
    with refused("InvalidInput"):
        owner.iam.create_service_linked_role(AWSServiceName="ram.amazonaws.com")
    with refused("UnmodifiableEntity"):
        owner.iam.delete_role(RoleName=ROLE_OF_RAM)
    task = owner.iam.delete_service_linked_role(RoleName=ROLE_OF_RAM)["DeletionTaskId"]
    assert owner.iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    with refused("NoSuchEntity", status=404):
        owner.iam.get_role(RoleName=ROLE_OF_RAM)


def test_the_aws_cli(owner):
    made = owner.aws("iam", "create-user", "--user-name", "cli")["User"]
    assert owner.aws("iam", "get-user", "--user-name", "cli")["User"]["UserId"] == made["UserId"]
    role = f"arn:aws:iam::{owner.id}:role/any"
    assumed = owner.aws("sts", "assume-role", "--role-arn", role, "--role-session-name", "cli")
    session = owner.with_credentials(assumed["Credentials"])
    assert session.aws("sts", "get-caller-identity")["Arn"] == assumed["AssumedRoleUser"]["Arn"]
