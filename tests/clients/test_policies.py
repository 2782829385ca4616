"""What a resource's shares allow, as policy documents."""

import json

import pytest

from refusal import refused


@pytest.fixture
def gateways(owner, receiver):
    """Three transit gateways in a share that the receiver has joined, the first in another one too, of the owner's."""
    gateways = [owner.transit_gateway(number) for number in (1, 2, 3)]
    receiver.accept(owner.share(receiver, resources=gateways))
    owner.ram.create_resource_share(name="own", resourceArns=gateways[:1], principals=[owner.id])
    return gateways


def documents(owner, **parameters):
    pages = owner.ram.get_paginator("get_resource_policies").paginate(PaginationConfig={"PageSize": 2}, **parameters)
    found = [policy for page in pages for policy in page["policies"]]
    assert found == owner.ram.get_resource_policies(**parameters)["policies"]
    return [json.loads(policy) for policy in found]


def test_each_resource_has_one_document(owner, receiver, gateways):
    found = documents(owner, resourceArns=gateways)
    assert [{statement["Resource"] for statement in policy["Statement"]} for policy in found] == [{g} for g in gateways]
    principals = [[statement["Principal"]["AWS"] for statement in policy["Statement"]] for policy in found]
    root = "arn:aws:iam::{}:root".format
    assert principals == [[root(receiver.id), root(owner.id)], [root(receiver.id)], [root(receiver.id)]]
    arn = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway"
    template = json.loads(owner.ram.get_permission(permissionArn=arn)["permission"]["permission"])
    assert found[0]["Statement"][0]["Action"] == template["Action"]


def test_one_principals_statements(owner, receiver, stranger, gateways):
    [found] = documents(owner, resourceArns=gateways, principal=owner.id)
    assert [statement["Sid"] for statement in found["Statement"]] == ["RamStatement1"]
    assert documents(owner, resourceArns=gateways, principal=stranger.id) == []
    with refused("InvalidParameterException"):
        owner.ram.get_resource_policies(resourceArns=gateways, principal="nobody")


def test_what_is_not_shared(owner, receiver, gateways):
    with refused("ResourceArnNotFoundException"):
        receiver.ram.get_resource_policies(resourceArns=gateways)
    with refused("MalformedArnException"):
        owner.ram.get_resource_policies(resourceArns=["gateway"])
    with refused("InvalidNextTokenException"):
        owner.ram.get_resource_policies(resourceArns=gateways, nextToken="AAAA")


def test_the_aws_command(owner, gateways):
    answer = owner.aws("ram", "get-resource-policies", "--resource-arns", *gateways, "--page-size", "1")
    assert len(answer["policies"]) == 3
