"""What was answered is kept: by a server that is asked to stop, and by one that is killed."""

import pytest

from refusal import refused


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_everything_survives(start_server, new_account, end):
    server = start_server()
    owner, receiver, late = (new_account(server) for _ in range(3))
    accepted = owner.share(receiver, late, name="kept", tags=[{"key": "team", "value": "net"}])
    answered = receiver.invitation(accepted)["resourceShareInvitationArn"]
    first = receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=answered, clientToken="t")
    before = snapshot(owner, receiver, late)

    getattr(server, end)()
    server.start()

    assert snapshot(owner, receiver, late) == before
    again = receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=answered, clientToken="t")
    assert again["resourceShareInvitation"] == first["resourceShareInvitation"], "client tokens are kept, too"
    with refused("ResourceShareInvitationAlreadyAcceptedException"):
        receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=answered)
    assert late.accept(accepted)["status"] == "ACCEPTED"


def test_page_tokens_survive(start_server, new_account):
    server = start_server()
    owner = new_account(server)
    shares = {owner.share(name=f"net-{number}") for number in range(3)}
    page = owner.ram.get_resource_shares(resourceOwner="SELF", maxResults=1)
    server.kill()
    server.start()
    rest = owner.ram.get_resource_shares(resourceOwner="SELF", nextToken=page["nextToken"])
    found = page["resourceShares"] + rest["resourceShares"]
    assert sorted(share["resourceShareArn"] for share in found) == sorted(shares)


def test_killed_again_and_again(start_server, new_account):
    server = start_server()
    owner = new_account(server)
    made = set()
    for number in range(5):
        made.add(owner.share(name=f"net-{number}"))
        server.kill()
        server.start()
        assert set(owner.visible_shares("SELF")) == made


def test_a_server_that_is_asked_to_stop_ends_well(start_server):
    assert start_server().stop() == 0


def test_keys_survive(rampart, start_server, new_account):
    rampart.create_account("111111111111")
    key = rampart.create_key("111111111111")
    server = start_server(auth="strict")
    holder = new_account(server, key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert holder.sts.get_caller_identity()["Account"] == "111111111111"
    server.kill()
    server.start()
    assert holder.sts.get_caller_identity()["Account"] == "111111111111"


def snapshot(owner, *receivers) -> list:
    """All that the accounts can see."""
    seen = [owner.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]]
    for kind in ("PRINCIPAL", "RESOURCE"):
        answer = owner.ram.get_resource_share_associations(associationType=kind)
        seen.append(answer["resourceShareAssociations"])
    for receiver in receivers:
        seen.append(receiver.ram.get_resource_share_invitations()["resourceShareInvitations"])
        seen.append(receiver.ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"])
    return seen
