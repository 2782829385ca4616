"""What open mode offers to a user's own test-suite: a clock to set, and a reset between two tests."""

import pytest

from account import DAY


@pytest.fixture
def server(start_server):
    """A server of the test's own: these calls are felt by everybody."""
    return start_server()


def test_the_clock_advances(server, owner):
    before = server.now()
    server.advance_clock(DAY)
    assert DAY <= server.now() - before < DAY + 600
    share = owner.ram.create_resource_share(name="later")["resourceShare"]
    assert DAY <= share["creationTime"].timestamp() - before < DAY + 600


def test_the_clock_can_be_set(server, owner):
    target = server.now() + 30 * DAY
    status, answer = server.request("POST", "/rampart/v1/clock", {"now": target})
    assert status == 200, answer
    assert 0 <= server.now() - target < 600
    # Signatures are made with the real time, and checked against it.
    assert owner.sts.get_caller_identity()["Account"] == owner.id


@pytest.mark.parametrize(
    "body", [{}, {"advance": "soon"}, {"now": None}, {"now": 1, "advance": 1}, {"later": 1}, [], 7]
)
def test_what_is_no_time_is_refused(server, body):
    before = server.now()
    status, answer = server.request("POST", "/rampart/v1/clock", body)
    assert 400 <= status < 500, answer
    assert 0 <= server.now() - before < 600


def test_the_delay_of_aws_can_be_rehearsed(start_server, new_account):
    server = start_server("--settle-delay", "5m")
    owner, receiver = new_account(server), new_account(server)
    share = owner.share(receiver)
    receiver.accept(share)

    def statuses() -> set[str]:
        return {row["status"] for kind in ("PRINCIPAL", "RESOURCE") for row in owner.associations(share, kind)}

    assert statuses() == {"ASSOCIATING"}
    server.advance_clock(301)
    assert statuses() == {"ASSOCIATED"}
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {share: "ACTIVE"}
    owner.ram.disassociate_resource_share(
        resourceShareArn=share, principals=[receiver.id], resourceArns=[owner.transit_gateway()]
    )
    assert statuses() == {"DISASSOCIATING"}
    server.advance_clock(301)
    assert statuses() <= {"DISASSOCIATED"}


def test_reset_empties_the_store(server, owner, receiver):
    share = owner.share(receiver)
    status, answer = server.request("POST", "/rampart/v1/reset")
    assert 200 <= status < 300, answer
    assert owner.visible_shares("SELF") == {}
    assert receiver.ram.get_resource_share_invitations()["resourceShareInvitations"] == []
    again = owner.share(receiver)
    assert again != share
    assert receiver.accept(again)["status"] == "ACCEPTED"


def test_reset_spares_a_store_with_keys(rampart, start_server):
    server = start_server()
    rampart.create_key("111111111111")
    status, answer = server.request("POST", "/rampart/v1/reset")
    assert status == 409 and "force=true" in answer["message"], answer
    status, answer = server.request("POST", "/rampart/v1/reset?force=true")
    assert status == 204, answer
    status, answer = server.request("POST", "/rampart/v1/reset")
    assert status == 204, answer
