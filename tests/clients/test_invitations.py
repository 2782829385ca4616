"""Answering invitations: every element of the answers, what changes for both sides, and every refusal."""

import uuid

import pytest

from account import REGION
from refusal import refused

ACCEPT = "accept_resource_share_invitation"
REJECT = "reject_resource_share_invitation"
BOTH = pytest.mark.parametrize("operation", [ACCEPT, REJECT])
OUTCOME = {ACCEPT: "ACCEPTED", REJECT: "REJECTED"}
ALREADY = {
    ACCEPT: "ResourceShareInvitationAlreadyAcceptedException",
    REJECT: "ResourceShareInvitationAlreadyRejectedException",
}
INVITATION = {
    "resourceShareInvitationArn",
    "resourceShareName",
    "resourceShareArn",
    "senderAccountId",
    "receiverAccountId",
    "invitationTimestamp",
    "status",
}


def answer(account, operation, arn, **parameters):
    return getattr(account.ram, operation)(resourceShareInvitationArn=arn, **parameters)


@BOTH
def test_every_element_of_the_answer(owner, receiver, operation):
    share = owner.share(receiver, name="elements")
    before = receiver.invitation(share)
    assert set(before) == INVITATION
    arn = before["resourceShareInvitationArn"]
    assert arn.startswith(f"arn:aws:ram:{REGION}:{owner.id}:resource-share-invitation/")
    assert arn.rsplit("/", 1)[1] != share.rsplit("/", 1)[1]
    assert before["resourceShareName"] == "elements"
    assert (before["senderAccountId"], before["receiverAccountId"]) == (owner.id, receiver.id)

    result = answer(receiver, operation, arn)
    after = result["resourceShareInvitation"]
    assert "clientToken" not in result, "it is echoed to those who send one"
    assert after["status"] == OUTCOME[operation]
    assert after["invitationTimestamp"] >= before["invitationTimestamp"]
    unchanged = INVITATION - {"status", "invitationTimestamp"}
    assert set(after) == INVITATION
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}

    # What the call said is what lists say from now on.
    for filters in ({}, {"resourceShareArns": [share]}, {"resourceShareInvitationArns": [arn]}):
        assert receiver.ram.get_resource_share_invitations(**filters)["resourceShareInvitations"] == [after]


def test_accepting_opens_the_share(owner, receiver):
    share = owner.share(receiver)
    [before] = owner.associations(share)
    assert (before["status"], before["external"]) == ("ASSOCIATING", True)
    receiver.accept(share)
    [after] = owner.associations(share)
    assert after["status"] == "ASSOCIATED"
    assert after["creationTime"] == before["creationTime"]
    assert after["lastUpdatedTime"] >= before["lastUpdatedTime"]
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {share: "ACTIVE"}


def test_rejecting_ends_the_association(owner, receiver):
    share = owner.share(receiver)
    receiver.reject(share)
    [row] = owner.associations(share)
    assert row["status"] == "DISASSOCIATED"
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {}


def test_an_invitation_is_seen_by_its_receiver_alone(owner, receiver, stranger):
    share = owner.share(receiver)
    arn = receiver.invitation(share)["resourceShareInvitationArn"]
    for account in (owner, stranger):
        assert account.ram.get_resource_share_invitations()["resourceShareInvitations"] == []
        with refused("ResourceShareInvitationArnNotFoundException"):
            account.ram.get_resource_share_invitations(resourceShareInvitationArns=[arn])
        with refused("ResourceShareInvitationArnNotFoundException"):
            account.ram.list_pending_invitation_resources(resourceShareInvitationArn=arn)


@BOTH
@pytest.mark.parametrize(
    "arn",
    [
        "tgw-0123456789abcdef0",
        "arn:aws:ram:eu-west-1:111111111111",
        "arn:aws:ram:eu-west-1:111111111111:resource-share/6d7b1b7a-4f25-4b8e-8d7c-0f3d6a1f2b3c",
        "arn:aws:s3:::bucket",
        "",
    ],
)
def test_a_malformed_arn(receiver, operation, arn):
    with refused("MalformedArnException"):
        answer(receiver, operation, arn)


@BOTH
def test_an_unknown_arn(owner, receiver, operation):
    with refused("ResourceShareInvitationArnNotFoundException"):
        answer(receiver, operation, f"arn:aws:ram:{REGION}:{owner.id}:resource-share-invitation/{uuid.uuid4()}")


@BOTH
def test_the_wrong_account(owner, receiver, stranger, operation):
    share = owner.share(receiver)
    arn = receiver.invitation(share)["resourceShareInvitationArn"]
    for account in (owner, stranger):
        with refused("ResourceShareInvitationArnNotFoundException"):
            answer(account, operation, arn)
    assert receiver.invitation(share)["resourceShareInvitationArn"] == arn, "nothing has changed"


@BOTH
def test_no_arn_at_all(receiver, operation):
    with refused("MalformedArnException", "ValidationException", "SerializationException"):
        getattr(receiver.ram, operation)()


@BOTH
@pytest.mark.parametrize("first", [ACCEPT, REJECT])
def test_an_answer_is_final(owner, receiver, first, operation):
    arn = receiver.invitation(owner.share(receiver))["resourceShareInvitationArn"]
    answered = answer(receiver, first, arn)["resourceShareInvitation"]
    with refused(ALREADY[first]):
        answer(receiver, operation, arn)
    [still] = receiver.ram.get_resource_share_invitations()["resourceShareInvitations"]
    assert still == answered


def test_a_rejected_invitation_can_be_followed_by_another(owner, receiver):
    share = owner.share(receiver)
    first = receiver.reject(share)["resourceShareInvitationArn"]
    [row] = owner.ram.associate_resource_share(resourceShareArn=share, principals=[receiver.id])[
        "resourceShareAssociations"
    ]
    assert row["status"] == "ASSOCIATING"

    second = receiver.invitation(share)["resourceShareInvitationArn"]
    assert second != first
    with refused(ALREADY[REJECT]):
        answer(receiver, ACCEPT, first)
    assert answer(receiver, ACCEPT, second)["resourceShareInvitation"]["status"] == "ACCEPTED"
    [row] = owner.associations(share)
    assert row["status"] == "ASSOCIATED", "one row for a share and an entity, whatever has happened before"
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {share: "ACTIVE"}


@pytest.mark.parametrize("end", ["disassociate", "delete"])
def test_an_invitation_goes_with_what_it_was_for(owner, receiver, end):
    share = owner.share(receiver)
    arn = receiver.invitation(share)["resourceShareInvitationArn"]
    if end == "disassociate":
        owner.ram.disassociate_resource_share(resourceShareArn=share, principals=[receiver.id])
    else:
        owner.ram.delete_resource_share(resourceShareArn=share)
    found = receiver.ram.get_resource_share_invitations()["resourceShareInvitations"]
    assert [invitation for invitation in found if invitation["status"] == "PENDING"] == []
    with refused("ResourceShareInvitationArnNotFoundException", "ResourceShareInvitationExpiredException"):
        answer(receiver, ACCEPT, arn)


def test_the_resources_of_a_pending_invitation(owner, receiver):
    resources = [owner.transit_gateway(1), owner.transit_gateway(2), owner.component()]
    share = owner.share(receiver, resources=resources)
    arn = receiver.invitation(share)["resourceShareInvitationArn"]
    listed = receiver.ram.list_pending_invitation_resources(resourceShareInvitationArn=arn)["resources"]
    assert {row["arn"]: row["type"] for row in listed} == {
        owner.transit_gateway(1): "ec2:TransitGateway",
        owner.transit_gateway(2): "ec2:TransitGateway",
        owner.component(): "imagebuilder:Component",
    }
    for row in listed:
        assert (row["resourceShareArn"], row["status"]) == (share, "AVAILABLE")
        assert row["creationTime"] <= row["lastUpdatedTime"]

    for scope, expected in {"ALL": 3, "REGIONAL": 3, "GLOBAL": 0}.items():
        answered = receiver.ram.list_pending_invitation_resources(
            resourceShareInvitationArn=arn, resourceRegionScope=scope
        )
        assert len(answered["resources"]) == expected
    with refused("InvalidParameterException"):
        receiver.ram.list_pending_invitation_resources(resourceShareInvitationArn=arn, resourceRegionScope="WORLD")

    receiver.reject(share)
    with refused("ResourceShareInvitationAlreadyRejectedException"):
        receiver.ram.list_pending_invitation_resources(resourceShareInvitationArn=arn)
