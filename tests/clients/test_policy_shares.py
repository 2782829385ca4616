"""Shares and permissions that are made of a resource's own policy, and their promotion."""

import json

import pytest

from refusal import refused


@pytest.fixture
def made(owner, receiver):
    """A share that was made of a policy, and its permission."""
    [share] = put(owner, owner.component(), receiver, ["imagebuilder:GetComponent", "imagebuilder:GetComponentPolicy"])
    [permission] = owner.ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    return share, permission["arn"]


def put(owner, resource, receiver, actions) -> list[str]:
    statement = {"Effect": "Allow", "Principal": {"AWS": receiver.id}, "Action": actions, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    status, answer = owner.own_api("PUT", "resource-policies", body={"resourceArn": resource, "policy": policy})
    assert status == 200, answer
    return answer["resourceShareArns"]


def feature_set(owner, share) -> str:
    [found] = owner.ram.get_resource_shares(resourceOwner="SELF", resourceShareArns=[share])["resourceShares"]
    return found["featureSet"]


def test_the_owner_alone_sees_them(owner, receiver, made):
    share, permission = made
    assert feature_set(owner, share) == "CREATED_FROM_POLICY"
    assert owner.ram.get_permission(permissionArn=permission)["permission"]["featureSet"] == "CREATED_FROM_POLICY"
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {}
    with refused("OperationNotPermittedException"):
        owner.ram.delete_resource_share(resourceShareArn=share)
    query = {"resourceArn": owner.component()}
    status, answer = owner.own_api("GET", "resource-policies", query=query)
    assert (status, answer["resourceShareArns"]) == (200, [share])
    assert owner.own_api("DELETE", "resource-policies", query=query)[0] == 200
    assert owner.visible_shares("SELF") == {share: "DELETED"}


def test_promotion(owner, receiver, made):
    share, permission = made
    with refused("UnmatchedPolicyPermissionException"):
        owner.ram.promote_resource_share_created_from_policy(resourceShareArn=share)
    answer = owner.ram.promote_permission_created_from_policy(permissionArn=permission, name="mine", clientToken="t")
    assert (answer["permission"]["featureSet"], answer["clientToken"]) == ("STANDARD", "t")
    assert owner.ram.promote_resource_share_created_from_policy(resourceShareArn=share)["returnValue"] is True
    assert feature_set(owner, share) == "STANDARD"
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {share: "ACTIVE"}
    [attached] = owner.ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    assert attached["arn"] == answer["permission"]["arn"]
    with refused("InvalidParameterException"):
        owner.ram.promote_resource_share_created_from_policy(resourceShareArn=share)


def test_a_policy_for_the_organization(owner):
    organization = owner.client("organizations").create_organization()["Organization"]
    owner.ram.enable_sharing_with_aws_organization()
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "imagebuilder:GetComponent",
        "Resource": owner.component(),
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization["Id"]}},
    }
    body = {"resourceArn": owner.component(), "policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    status, answer = owner.own_api("PUT", "resource-policies", body=body)
    assert status == 200, answer
    [share] = answer["resourceShareArns"]
    [row] = owner.associations(share)
    assert (row["associatedEntity"], row["status"]) == (organization["Arn"], "ASSOCIATED")
    [policy] = owner.ram.get_resource_policies(resourceArns=[owner.component()])["policies"]
    [shown] = json.loads(policy)["Statement"]
    assert {name: shown[name] for name in statement} == statement
    # What RAM shows can be put back.
    status, answer = owner.own_api("PUT", "resource-policies", body=body | {"policy": policy})
    assert (status, answer["resourceShareArns"]) == (200, [share])
    elsewhere = policy.replace(organization["Id"], "o-elsewhere00")
    status, _ = owner.own_api("PUT", "resource-policies", body=body | {"policy": elsewhere})
    assert status == 400


def test_what_is_not_signed_is_refused(server, owner):
    status, _ = server.request("GET", f"/rampart/v1/resource-policies?resourceArn={owner.component()}")
    assert status == 403


def test_in_strict_mode(rampart, start_server, new_account):
    server = start_server(auth="strict")
    key = rampart.create_key("111111111111")
    owner = new_account(server, "111111111111", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    [share] = put(owner, owner.component(), new_account(server), ["imagebuilder:GetComponent"])
    assert owner.visible_shares("SELF") == {share: "ACTIVE"}
