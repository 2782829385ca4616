"""clientToken: the same call again gives the first answer, another call is refused, and bad tokens are told apart."""

import pytest

from refusal import refused

ACCEPT = "accept_resource_share_invitation"
REJECT = "reject_resource_share_invitation"
BOTH = pytest.mark.parametrize("operation", [ACCEPT, REJECT])


def without_metadata(answer: dict) -> dict:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def twice(call, **parameters) -> dict:
    """Makes a call twice and returns the answer, which must be the same."""
    first, second = without_metadata(call(**parameters)), without_metadata(call(**parameters))
    assert first == second
    assert first["clientToken"] == parameters["clientToken"]
    return first


@BOTH
def test_the_same_answer_again(owner, receiver, operation):
    arn = receiver.invitation(owner.share(receiver))["resourceShareInvitationArn"]
    twice(getattr(receiver.ram, operation), resourceShareInvitationArn=arn, clientToken="again")


@BOTH
def test_another_call_with_the_same_token(owner, receiver, operation):
    arns = [receiver.invitation(owner.share(receiver))["resourceShareInvitationArn"] for _ in range(2)]
    call = getattr(receiver.ram, operation)
    call(resourceShareInvitationArn=arns[0], clientToken="taken")
    with refused("IdempotentParameterMismatchException"):
        call(resourceShareInvitationArn=arns[1], clientToken="taken")
    call(resourceShareInvitationArn=arns[1], clientToken="free")


@BOTH
def test_another_token_is_another_call(owner, receiver, operation):
    arn = receiver.invitation(owner.share(receiver))["resourceShareInvitationArn"]
    call = getattr(receiver.ram, operation)
    call(resourceShareInvitationArn=arn, clientToken="one")
    already = {ACCEPT: "Accepted", REJECT: "Rejected"}[operation]
    for token in ({"clientToken": "two"}, {}):
        with refused(f"ResourceShareInvitationAlready{already}Exception"):
            call(resourceShareInvitationArn=arn, **token)


def test_tokens_belong_to_an_account(owner, receiver, stranger):
    share = owner.share(receiver, stranger)
    for account in (receiver, stranger):
        arn = account.invitation(share)["resourceShareInvitationArn"]
        account.ram.accept_resource_share_invitation(resourceShareInvitationArn=arn, clientToken="mine")
    assert {row["status"] for row in owner.associations(share)} == {"ASSOCIATED"}


def test_tokens_belong_to_an_operation(owner, receiver):
    arn = receiver.invitation(owner.share(receiver))["resourceShareInvitationArn"]
    receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=arn, clientToken="t")
    with refused("ResourceShareInvitationAlreadyAcceptedException"):
        receiver.ram.reject_resource_share_invitation(resourceShareInvitationArn=arn, clientToken="t")


def test_a_refused_call_does_not_take_its_token(owner, receiver):
    share = owner.share(receiver)
    arn = receiver.invitation(share)["resourceShareInvitationArn"]
    with refused("MalformedArnException"):
        receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn="no arn", clientToken="t")
    receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=arn, clientToken="t")


@BOTH
@pytest.mark.parametrize("token", ["x" * 65, "with space", "tab\t", "é", "\x7f"])
def test_bad_tokens(owner, receiver, operation, token):
    share = owner.share(receiver)
    arn = receiver.invitation(share)["resourceShareInvitationArn"]
    with refused("InvalidClientTokenException"):
        getattr(receiver.ram, operation)(resourceShareInvitationArn=arn, clientToken=token)
    receiver.invitation(share)


def test_the_longest_good_token(owner, receiver):
    arn = receiver.invitation(owner.share(receiver))["resourceShareInvitationArn"]
    answer = receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=arn, clientToken="x" * 64)
    assert answer["clientToken"] == "x" * 64


def test_creating_a_share_twice(owner, receiver):
    parameters = {"name": "net", "principals": [receiver.id], "clientToken": "create"}
    answer = twice(owner.ram.create_resource_share, **parameters)
    assert list(owner.visible_shares("SELF")) == [answer["resourceShare"]["resourceShareArn"]]
    with refused("IdempotentParameterMismatchException"):
        owner.ram.create_resource_share(**parameters | {"name": "other"})
    assert len(owner.visible_shares("SELF")) == 1


def test_the_order_of_a_list_does_not_matter(owner, receiver, stranger):
    parameters = {"name": "net", "clientToken": "create"}
    first = owner.ram.create_resource_share(principals=[receiver.id, stranger.id], **parameters)
    second = owner.ram.create_resource_share(principals=[stranger.id, receiver.id], **parameters)
    assert first["resourceShare"] == second["resourceShare"]


def test_the_other_writes_twice(owner, receiver):
    share = owner.share(resources=[])
    associate = {"resourceShareArn": share, "principals": [receiver.id], "resourceArns": [owner.transit_gateway()]}
    twice(owner.ram.associate_resource_share, clientToken="associate", **associate)
    receiver.invitation(share)
    twice(owner.ram.disassociate_resource_share, clientToken="disassociate", **associate)
    twice(owner.ram.delete_resource_share, clientToken="delete", resourceShareArn=share)
    assert owner.visible_shares("SELF") == {share: "DELETED"}
