"""Paging: every item once, tokens that only their own list understands, and bounds on the page size."""

import pytest

from refusal import refused

COUNT = 5


@pytest.fixture
def lists(owner, receiver):
    """The list operations that boto3 pages, with a few items each, and how to recognise an item."""
    for number in range(COUNT):
        owner.share(receiver, name=f"net-{number}")
    return {
        "get_resource_shares": (owner, {"resourceOwner": "SELF"}, "resourceShares", "resourceShareArn"),
        "get_resource_share_associations": (
            owner,
            {"associationType": "PRINCIPAL"},
            "resourceShareAssociations",
            "resourceShareArn",
        ),
        "get_resource_share_invitations": (
            receiver,
            {},
            "resourceShareInvitations",
            "resourceShareInvitationArn",
        ),
    }


LISTS = pytest.mark.parametrize(
    "operation", ["get_resource_shares", "get_resource_share_associations", "get_resource_share_invitations"]
)


@LISTS
@pytest.mark.parametrize("size", [1, 2, COUNT, 500])
def test_every_item_once(lists, operation, size):
    account, parameters, member, key = lists[operation]
    everything = getattr(account.ram, operation)(**parameters)
    assert "nextToken" not in everything
    pages = account.ram.get_paginator(operation).paginate(PaginationConfig={"PageSize": size}, **parameters)
    found = []
    for page in pages:
        assert len(page[member]) <= size
        found += page[member]
    assert found == everything[member], "the same items in the same order as on one page"
    assert len({item[key] for item in found}) == COUNT


def test_pending_resources_page_too(owner, receiver):
    share = owner.share(receiver, resources=[owner.transit_gateway(number) for number in range(COUNT)])
    arn = receiver.invitation(share)["resourceShareInvitationArn"]
    found, token = [], {}
    while True:
        page = receiver.ram.list_pending_invitation_resources(resourceShareInvitationArn=arn, maxResults=2, **token)
        found += [resource["arn"] for resource in page["resources"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert sorted(found) == [owner.transit_gateway(number) for number in range(COUNT)]


@LISTS
def test_paging_goes_on_where_it_was_although_items_come_and_go(lists, owner, receiver, operation):
    account, parameters, member, key = lists[operation]
    call = getattr(account.ram, operation)
    before = call(**parameters)[member]
    first = call(maxResults=2, **parameters)
    owner.share(receiver, name="late")
    rest, token = [], first["nextToken"]
    while token:
        page = call(maxResults=2, nextToken=token, **parameters)
        rest, token = rest + page[member], page.get("nextToken")
    found = [item[key] for item in first[member] + rest]
    assert [item[key] for item in before] == found[:COUNT]
    assert len(found) == len(set(found))


@LISTS
def test_forged_tokens(lists, operation):
    account, parameters, _, _ = lists[operation]
    call = getattr(account.ram, operation)
    token = call(maxResults=1, **parameters)["nextToken"]
    middle = len(token) // 2
    flipped = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    for forged in ("AAAA", "no token at all", "é", token[:-4], token + token, flipped, "x" * 5000):
        with refused("InvalidNextTokenException"):
            call(maxResults=1, nextToken=forged, **parameters)
    call(maxResults=1, nextToken=token, **parameters)


def test_a_token_is_for_its_own_list(lists, owner, stranger):
    shares = {"resourceOwner": "SELF"}
    token = owner.ram.get_resource_shares(maxResults=1, **shares)["nextToken"]
    with refused("InvalidNextTokenException"):
        stranger.ram.get_resource_shares(nextToken=token, **shares)
    with refused("InvalidNextTokenException"):
        owner.ram.get_resource_share_associations(associationType="PRINCIPAL", nextToken=token)
    with refused("InvalidNextTokenException"):
        owner.ram.get_resource_shares(nextToken=token, resourceOwner="SELF", name="net-1")


@LISTS
@pytest.mark.parametrize("size", [0, -1, 501, 2**31])
def test_page_sizes_out_of_range(lists, operation, size):
    account, parameters, _, _ = lists[operation]
    code = "InvalidMaxResultsException" if "invitations" in operation else "InvalidParameterException"
    with refused(code):
        getattr(account.ram, operation)(maxResults=size, **parameters)
