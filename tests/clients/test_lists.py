"""What is shared, with whom, by whom and from where: lists, tags and updates as boto3 and the `aws` command see them."""

import pytest

from refusal import refused

SERVICE = "pca-connector-ad.amazonaws.com"
COUNT = 5


@pytest.fixture
def shared(owner, receiver):
    """A few shares that the receiver has joined, each of two transit gateways."""
    gateways = [owner.transit_gateway(number) for number in (1, 2)]
    shares = [owner.share(receiver, resources=gateways, name=f"net-{number}") for number in range(COUNT)]
    for share in shares:
        receiver.accept(share)
    return shares


def pages(account, operation, member, **parameters):
    """Every item by the paginator, two at a time: the same as on one page, each once."""
    paginator = account.ram.get_paginator(operation)
    found = []
    for page in paginator.paginate(PaginationConfig={"PageSize": 2}, **parameters):
        assert len(page[member]) <= 2
        found += page[member]
    assert found == getattr(account.ram, operation)(**parameters)[member]
    return found


def test_principals(owner, receiver, shared):
    mine = pages(owner, "list_principals", "principals", resourceOwner="SELF")
    assert [(row["id"], row["external"]) for row in mine] == [(receiver.id, True)] * COUNT
    assert [row["resourceShareArn"] for row in mine] == shared
    theirs = pages(receiver, "list_principals", "principals", resourceOwner="OTHER-ACCOUNTS")
    assert [(row["id"], row["resourceShareArn"]) for row in theirs] == [(owner.id, share) for share in shared]
    some = pages(
        owner,
        "list_principals",
        "principals",
        resourceOwner="SELF",
        resourceArn=owner.transit_gateway(1),
        principals=[receiver.id],
        resourceType="ec2:TransitGateway",
        resourceShareArns=shared[:3],
    )
    assert [row["resourceShareArn"] for row in some] == shared[:3]
    with refused("InvalidParameterException"):
        owner.ram.list_principals(resourceOwner="SELF", resourceType="ec2:Nothing")
    with refused("UnknownResourceException"):
        receiver.ram.list_principals(resourceOwner="SELF", resourceShareArns=shared[:1])
    with refused("MalformedArnException"):
        owner.ram.list_principals(resourceOwner="SELF", resourceArn="nonsense")


@pytest.mark.parametrize("view", ["SELF", "OTHER-ACCOUNTS"])
def test_resources(owner, receiver, shared, view):
    account, other = (owner, receiver) if view == "SELF" else (receiver, owner)
    found = pages(account, "list_resources", "resources", resourceOwner=view)
    assert len(found) == 2 * COUNT
    for row in found:
        assert (row["type"], row["resourceRegionScope"]) == ("ec2:TransitGateway", "REGIONAL")
        assert row.get("status") == (None if view == "SELF" else "AVAILABLE")
    some = pages(
        account,
        "list_resources",
        "resources",
        resourceOwner=view,
        principal=other.id,
        resourceType="ec2:TransitGateway",
        resourceArns=[owner.transit_gateway(1)],
        resourceShareArns=shared[:3],
        resourceRegionScope="REGIONAL",
    )
    assert [row["resourceShareArn"] for row in some] == shared[:3]
    with refused("InvalidResourceTypeException"):
        account.ram.list_resources(resourceOwner=view, resourceType="ec2:Nothing")
    with refused("InvalidNextTokenException"):
        account.ram.list_resources(resourceOwner=view, nextToken="AAAA")


def test_shares(owner, receiver, shared):
    for account, view in ((owner, "SELF"), (receiver, "OTHER-ACCOUNTS")):
        found = pages(account, "get_resource_shares", "resourceShares", resourceOwner=view)
        assert [share["resourceShareArn"] for share in found] == shared


def test_source_associations(owner, stranger):
    shares = [
        owner.ram.create_resource_share(name=f"ca-{number}", principals=[SERVICE])["resourceShare"]["resourceShareArn"]
        for number in range(3)
    ]
    for share in shares:
        owner.ram.associate_resource_share(resourceShareArn=share, sources=[stranger.id])
    found = pages(owner, "list_source_associations", "sourceAssociations")
    expected = [(share, source) for share in shares for source in (owner.id, stranger.id)]
    assert sorted((row["resourceShareArn"], row["sourceId"]) for row in found) == sorted(expected)
    assert {(row["sourceType"], row["status"]) for row in found} == {("ACCOUNT", "ASSOCIATED")}
    some = pages(
        owner,
        "list_source_associations",
        "sourceAssociations",
        resourceShareArns=shares[:2],
        sourceId=stranger.id,
        sourceType="ACCOUNT",
        associationStatus="ASSOCIATED",
    )
    assert sorted(row["resourceShareArn"] for row in some) == sorted(shares[:2])
    with refused("InvalidParameterException"):
        owner.ram.disassociate_resource_share(resourceShareArn=shares[0], sources=[owner.id, stranger.id])


def test_resource_types(owner):
    found, token = [], {}
    while True:
        page = owner.ram.list_resource_types(maxResults=40, **token)
        found += page["resourceTypes"]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert found == owner.ram.list_resource_types()["resourceTypes"]
    assert {"resourceType": "ec2:Subnet", "serviceName": "ec2", "resourceRegionScope": "REGIONAL"} in found
    scopes = {scope: owner.ram.list_resource_types(resourceRegionScope=scope) for scope in ("REGIONAL", "GLOBAL")}
    assert len(found) == sum(len(page["resourceTypes"]) for page in scopes.values())


def test_tags(owner, receiver):
    share = owner.share(receiver)
    owner.ram.tag_resource(resourceShareArn=share, tags=[{"key": "team", "value": "net"}, {"key": "empty", "value": ""}])
    by_tag = {"resourceOwner": "SELF", "tagFilters": [{"tagKey": "team", "tagValues": ["net"]}]}
    [found] = owner.ram.get_resource_shares(**by_tag)["resourceShares"]
    assert found["tags"] == [{"key": "empty", "value": ""}, {"key": "team", "value": "net"}]
    owner.ram.untag_resource(resourceShareArn=share, tagKeys=["team", "absent"])
    assert owner.ram.get_resource_shares(**by_tag)["resourceShares"] == []
    with refused("TagPolicyViolationException"):
        owner.ram.tag_resource(resourceShareArn=share, tags=[{"key": "aws:x", "value": ""}])
    with refused("TagLimitExceededException"):
        owner.ram.tag_resource(resourceShareArn=share, tags=[{"key": str(n), "value": ""} for n in range(50)])
    with refused("ResourceArnNotFoundException"):
        owner.ram.tag_resource(resourceArn=owner.transit_gateway(), tags=[{"key": "k", "value": ""}])
    with refused("UnknownResourceException"):
        receiver.ram.tag_resource(resourceShareArn=share, tags=[{"key": "k", "value": ""}])


def test_update(owner, receiver):
    share = owner.share(receiver, name="before")
    answer = owner.ram.update_resource_share(resourceShareArn=share, name="after", clientToken="update-1")
    assert (answer["resourceShare"]["name"], answer["clientToken"]) == ("after", "update-1")
    assert answer["resourceShare"]["allowExternalPrincipals"] is True
    with refused("IdempotentParameterMismatchException"):
        owner.ram.update_resource_share(resourceShareArn=share, name="other", clientToken="update-1")
    with refused("MissingRequiredParameterException"):
        owner.ram.update_resource_share(resourceShareArn=share)
    with refused("OperationNotPermittedException"):
        owner.ram.update_resource_share(resourceShareArn=share, allowExternalPrincipals=False)
    with refused("UnknownResourceException"):
        receiver.ram.update_resource_share(resourceShareArn=share, name="mine")


def test_the_aws_command(owner, receiver, shared):
    answer = owner.aws("ram", "list-principals", "--resource-owner", "SELF", "--page-size", "2")
    assert [row["resourceShareArn"] for row in answer["principals"]] == shared
    answer = receiver.aws("ram", "list-resources", "--resource-owner", "OTHER-ACCOUNTS", "--page-size", "3")
    assert len(answer["resources"]) == 2 * COUNT
    answer = owner.aws("ram", "list-resource-types", "--resource-region-scope", "GLOBAL")
    assert answer["resourceTypes"]
