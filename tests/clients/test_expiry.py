"""Invitations expire: after seven days for the older resource types, after twelve hours for all others."""

import pytest

from account import DAY, HOUR
from refusal import refused

MINUTE = 60


@pytest.fixture
def clocked(start_server):
    """A server whose clock the test may set."""
    return start_server()


@pytest.fixture
def owner(clocked, new_account):
    return new_account(clocked)


@pytest.fixture
def receiver(clocked, new_account):
    return new_account(clocked)


def resources_of(owner, kind: str) -> list[str]:
    return {
        "transit gateway": [owner.transit_gateway()],
        "component": [owner.component()],
        "both": [owner.transit_gateway(), owner.component()],
        "nothing": [],
    }[kind]


@pytest.mark.parametrize(
    ("kind", "lifetime"),
    [("transit gateway", 7 * DAY), ("component", 12 * HOUR), ("both", 12 * HOUR), ("nothing", 7 * DAY)],
)
def test_an_invitation_can_be_answered_until_it_expires(clocked, owner, receiver, kind, lifetime):
    shares = [owner.share(receiver, name=name, resources=resources_of(owner, kind)) for name in ("one", "two", "three")]
    arns = [receiver.invitation(share)["resourceShareInvitationArn"] for share in shares]

    clocked.advance_clock(lifetime - MINUTE)
    answered = receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=arns[0])
    assert answered["resourceShareInvitation"]["status"] == "ACCEPTED"

    clocked.advance_clock(2 * MINUTE)
    for answer in (receiver.ram.accept_resource_share_invitation, receiver.ram.reject_resource_share_invitation):
        with refused("ResourceShareInvitationExpiredException"):
            answer(resourceShareInvitationArn=arns[1])
    with refused("ResourceShareInvitationExpiredException"):
        receiver.ram.list_pending_invitation_resources(resourceShareInvitationArn=arns[2])

    listed = receiver.ram.get_resource_share_invitations()["resourceShareInvitations"]
    statuses = {invitation["resourceShareInvitationArn"]: invitation["status"] for invitation in listed}
    assert statuses == {arns[0]: "ACCEPTED", arns[1]: "EXPIRED", arns[2]: "EXPIRED"}
    assert [row["status"] for row in owner.associations(shares[0])] == ["ASSOCIATED"]
    assert [row["status"] for row in owner.associations(shares[1])] == ["DISASSOCIATED"]
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {shares[0]: "ACTIVE"}


def test_the_time_of_expiry_is_the_deadline(clocked, owner, receiver):
    share = owner.share(receiver, resources=[owner.component()])
    invited = receiver.invitation(share)["invitationTimestamp"]
    clocked.advance_clock(13 * HOUR)
    [expired] = receiver.ram.get_resource_share_invitations()["resourceShareInvitations"]
    assert expired["status"] == "EXPIRED"
    assert (expired["invitationTimestamp"] - invited).total_seconds() in (0, 12 * HOUR)


def test_an_expired_invitation_can_be_followed_by_another(clocked, owner, receiver):
    share = owner.share(receiver, resources=[owner.component()])
    first = receiver.invitation(share)["resourceShareInvitationArn"]
    clocked.advance_clock(13 * HOUR)
    owner.ram.associate_resource_share(resourceShareArn=share, principals=[receiver.id])
    second = receiver.invitation(share)["resourceShareInvitationArn"]
    assert second != first
    with refused("ResourceShareInvitationExpiredException"):
        receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=first)
    receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=second)
    assert [row["status"] for row in owner.associations(share)] == ["ASSOCIATED"]


def test_resources_that_come_later_do_not_move_the_deadline(clocked, owner, receiver):
    share = owner.share(receiver)
    arn = receiver.invitation(share)["resourceShareInvitationArn"]
    owner.ram.associate_resource_share(resourceShareArn=share, resourceArns=[owner.component()])
    clocked.advance_clock(13 * HOUR)
    answered = receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=arn)
    assert answered["resourceShareInvitation"]["status"] == "ACCEPTED"


def test_deleted_shares_are_seen_for_two_hours(clocked, owner, receiver):
    share = owner.share(receiver)
    receiver.accept(share)
    owner.ram.delete_resource_share(resourceShareArn=share)
    clocked.advance_clock(2 * HOUR - MINUTE)
    assert owner.visible_shares("SELF") == {share: "DELETED"}
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {share: "DELETED"}
    clocked.advance_clock(2 * MINUTE)
    assert owner.visible_shares("SELF") == {}
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {}
    with refused("UnknownResourceException") as refusal:
        owner.ram.get_resource_shares(resourceOwner="SELF", resourceShareArns=[share])
    assert refusal.message == f"ResourceShare {share} could not be found."
