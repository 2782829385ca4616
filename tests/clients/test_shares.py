"""Resource shares from both sides: making, filling, finding, leaving and deleting them."""

import uuid

import pytest

from account import REGION
from refusal import refused

# Rows as lists show them, and as the calls that change them do.
LISTED = {
    "resourceShareArn",
    "resourceShareName",
    "associatedEntity",
    "associationType",
    "status",
    "creationTime",
    "lastUpdatedTime",
    "external",
}
CHANGED = {"resourceShareArn", "associatedEntity", "associationType", "status", "external"}


def unknown_share(account) -> str:
    return f"arn:aws:ram:{REGION}:{account.id}:resource-share/{uuid.uuid4()}"


def test_an_empty_share(owner):
    answer = owner.ram.create_resource_share(name="empty")
    share = answer["resourceShare"]["resourceShareArn"]
    assert owner.associations(share, "PRINCIPAL") == owner.associations(share, "RESOURCE") == []
    assert owner.visible_shares("SELF") == {share: "ACTIVE"}


def test_tags_are_the_owners(owner, receiver):
    tags = [{"key": "team", "value": "net"}, {"key": "empty", "value": ""}]
    share = owner.share(receiver, tags=tags)
    [mine] = owner.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    assert sorted(mine["tags"], key=lambda tag: tag["key"], reverse=True) == tags
    receiver.accept(share)
    [theirs] = receiver.ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"]
    assert theirs.get("tags", []) == []


def test_associations_of_both_kinds(owner, receiver):
    share = owner.share(receiver, name="both")
    [principal] = owner.associations(share, "PRINCIPAL")
    [resource] = owner.associations(share, "RESOURCE")
    for row in (principal, resource):
        assert set(row) == LISTED
        assert (row["resourceShareArn"], row["resourceShareName"]) == (share, "both")
    assert (principal["associatedEntity"], principal["associationType"]) == (receiver.id, "PRINCIPAL")
    assert (resource["associatedEntity"], resource["associationType"]) == (owner.transit_gateway(), "RESOURCE")
    assert (principal["external"], resource["external"]) == (True, False)
    assert (principal["status"], resource["status"]) == ("ASSOCIATING", "ASSOCIATED")


def test_associating_and_disassociating(owner, receiver):
    share = owner.share(resources=[])
    both = {"resourceShareArn": share, "principals": [receiver.id], "resourceArns": [owner.component()]}
    for _ in range(2):
        rows = owner.ram.associate_resource_share(**both)["resourceShareAssociations"]
        assert {row["associatedEntity"] for row in rows} == {receiver.id, owner.component()}
        assert all(set(row) == CHANGED for row in rows)
    assert len(owner.associations(share)) == len(owner.associations(share, "RESOURCE")) == 1

    rows = owner.ram.disassociate_resource_share(**both)["resourceShareAssociations"]
    assert [set(row) for row in rows] == [CHANGED, CHANGED]
    assert {row["status"] for row in rows} == {"DISASSOCIATING"}
    left = owner.associations(share) + owner.associations(share, "RESOURCE")
    assert {row["status"] for row in left} <= {"DISASSOCIATED"}


def test_one_row_for_an_entity_however_often_it_comes_and_goes(owner, receiver):
    share = owner.share(receiver)
    for _ in range(2):
        receiver.accept(share)
        owner.ram.disassociate_resource_share(resourceShareArn=share, principals=[receiver.id])
        owner.ram.associate_resource_share(resourceShareArn=share, principals=[receiver.id])
    [row] = owner.ram.get_resource_share_associations(associationType="PRINCIPAL", principal=receiver.id)[
        "resourceShareAssociations"
    ]
    assert row["status"] == "ASSOCIATING"


def test_finding_shares(owner, receiver):
    tagged = owner.share(name="one", tags=[{"key": "team", "value": "a"}, {"key": "stage", "value": "x"}])
    other = owner.share(name="two", tags=[{"key": "team", "value": "b"}])
    deleted = owner.share(name="one")
    owner.ram.delete_resource_share(resourceShareArn=deleted)

    def found(**filters) -> set[str]:
        shares = owner.ram.get_resource_shares(resourceOwner="SELF", **filters)["resourceShares"]
        return {share["resourceShareArn"] for share in shares}

    assert found() == {tagged, other, deleted}
    assert found(name="one") == {tagged, deleted}
    assert found(name="ONE") == set()
    assert found(resourceShareStatus="ACTIVE") == {tagged, other}
    assert found(resourceShareStatus="DELETED", name="one") == {deleted}
    assert found(resourceShareArns=[other, tagged]) == {other, tagged}
    assert found(tagFilters=[{"tagKey": "team", "tagValues": ["a"]}]) == {tagged}
    assert found(tagFilters=[{"tagKey": "team", "tagValues": ["a", "b"]}]) == {tagged, other}
    assert found(tagFilters=[{"tagKey": "team", "tagValues": ["b"]}, {"tagKey": "stage"}]) == {tagged, other}
    assert found(tagFilters=[{"tagKey": "team", "tagValues": ["c"]}]) == set()


def test_bad_filters(owner, receiver):
    share = owner.share(receiver)
    unknown = unknown_share(owner)
    with refused("UnknownResourceException") as refusal:
        owner.ram.get_resource_shares(resourceOwner="SELF", resourceShareArns=[share, unknown])
    assert refusal.message == f"ResourceShare {unknown} could not be found."
    with refused("MalformedArnException") as refusal:
        owner.ram.get_resource_shares(resourceOwner="SELF", resourceShareArns=[f"{share},{receiver.id}"])
    assert refusal.message == "The specified resource share ARN is not valid. Verify the ARN and try again."
    for filters in ({"resourceOwner": "ME"}, {"resourceOwner": "SELF", "resourceShareStatus": "GONE"}):
        with refused("InvalidParameterException"):
            owner.ram.get_resource_shares(**filters)
    for filters in (
        {"associationType": "PEOPLE"},
        {"associationType": "PRINCIPAL", "associationStatus": "GONE"},
        {"associationType": "PRINCIPAL", "resourceArn": owner.transit_gateway()},
        {"associationType": "RESOURCE", "principal": receiver.id},
    ):
        with refused("InvalidParameterException"):
            owner.ram.get_resource_share_associations(**filters)


def test_a_pending_share_is_seen_as_an_invitation_only(owner, receiver):
    share = owner.share(receiver)
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {}
    with refused("UnknownResourceException"):
        receiver.ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS", resourceShareArns=[share])
    pending = receiver.ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS", resourceShareStatus="PENDING")
    assert pending["resourceShares"] == []


def test_a_consumer_sees_the_share_and_not_into_it(owner, receiver, stranger):
    share = owner.share(receiver, stranger)
    receiver.accept(share)
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {share: "ACTIVE"}
    assert receiver.visible_shares("SELF") == {}
    assert stranger.visible_shares("OTHER-ACCOUNTS") == {}
    for account in (receiver, stranger):
        with refused("UnknownResourceException"):
            account.ram.get_resource_shares(resourceOwner="SELF", resourceShareArns=[share])
        with refused("UnknownResourceException"):
            account.associations(share)
        unfiltered = account.ram.get_resource_share_associations(associationType="PRINCIPAL")
        assert unfiltered["resourceShareAssociations"] == []


def test_nobody_else_may_change_a_share(owner, receiver, stranger):
    share = owner.share(receiver)
    receiver.accept(share)
    for account in (receiver, stranger):
        for call, parameters in (
            (account.ram.associate_resource_share, {"principals": [stranger.id]}),
            (account.ram.disassociate_resource_share, {"resourceArns": [owner.transit_gateway()]}),
            (account.ram.delete_resource_share, {}),
        ):
            with refused("UnknownResourceException", "OperationNotPermittedException"):
                call(resourceShareArn=share, **parameters)
    assert owner.visible_shares("SELF") == {share: "ACTIVE"}


def test_deleting(owner, receiver, stranger):
    share = owner.share(receiver, stranger)
    receiver.accept(share)
    assert owner.ram.delete_resource_share(resourceShareArn=share)["returnValue"] is True
    assert owner.visible_shares("SELF") == {share: "DELETED"}
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {share: "DELETED"}
    assert stranger.visible_shares("OTHER-ACCOUNTS") == {}
    rows = owner.ram.get_resource_share_associations(associationType="PRINCIPAL")["resourceShareAssociations"]
    assert {row["status"] for row in rows} <= {"DISASSOCIATED"}

    with refused("UnknownResourceException") as refusal:
        owner.ram.delete_resource_share(resourceShareArn=share)
    assert refusal.message == f"ResourceShare {share} could not be found."
    with refused("UnknownResourceException", "InvalidStateTransitionException"):
        owner.ram.associate_resource_share(resourceShareArn=share, principals=[receiver.id])


def test_leaving(owner, receiver):
    share = owner.share(receiver)
    receiver.accept(share)
    [row] = receiver.ram.disassociate_resource_share(resourceShareArn=share, principals=[receiver.id])[
        "resourceShareAssociations"
    ]
    assert (row["associatedEntity"], row["status"]) == (receiver.id, "DISASSOCIATING")
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {}
    assert {row["status"] for row in owner.associations(share)} <= {"DISASSOCIATED"}
    with refused("UnknownResourceException"):
        receiver.ram.disassociate_resource_share(resourceShareArn=share, principals=[receiver.id])


def test_some_types_keep_their_consumers(owner, receiver):
    share = owner.share(receiver, resources=[owner.component()])
    receiver.accept(share)
    with refused("OperationNotPermittedException"):
        receiver.ram.disassociate_resource_share(resourceShareArn=share, principals=[receiver.id])
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {share: "ACTIVE"}


@pytest.mark.parametrize("principal", ["12345", "1234567890123", "o-exampleorgid", "ou-root-example1", "nobody", ""])
def test_malformed_principals(owner, principal):
    with refused("InvalidParameterException") as refusal:
        owner.ram.create_resource_share(name="net", principals=[principal])
    assert refusal.message == f"Principal ID {principal} is malformed. Verify the ID and try again."
    assert owner.visible_shares("SELF") == {}


def test_the_root_user_is_no_principal(owner, receiver):
    root = f"arn:aws:iam::{receiver.id}:root"
    with refused("InvalidParameterException") as refusal:
        owner.ram.create_resource_share(name="net", principals=[root])
    assert refusal.message.startswith(f"Principal ID {root} is malformed")


def test_resources_that_cannot_be_shared(owner, receiver):
    for arn in ("tgw-0123456789abcdef0", f"arn:aws:ec2:{REGION}:{owner.id}"):
        with refused("MalformedArnException") as refusal:
            owner.ram.create_resource_share(name="net", resourceArns=[arn])
        assert refusal.message == f"The specified resource ARN {arn} is not valid. Verify the ARN and try again."
    with refused("MalformedArnException") as refusal:
        owner.ram.create_resource_share(name="net", resourceArns=[f"arn:aws:sqs:{REGION}:{owner.id}:queue"])
    assert refusal.message == "You cannot share the selected resource type."
    elsewhere = owner.transit_gateway().replace(REGION, "us-west-2")
    for arn in (receiver.transit_gateway(), elsewhere):
        with refused("InvalidParameterException", "MalformedArnException", "OperationNotPermittedException"):
            owner.ram.create_resource_share(name="net", resourceArns=[owner.transit_gateway(), arn])
    assert owner.visible_shares("SELF") == {}, "one bad resource, and nothing is made"


def test_a_call_is_about_a_bounded_number_of_things(owner):
    with refused("ResourceShareLimitExceededException", "InvalidParameterException"):
        owner.share(resources=[owner.transit_gateway(number) for number in range(101)])
    owner.share(resources=[owner.transit_gateway(number) for number in range(100)])


def test_shares_live_in_their_region(owner, server, new_account):
    share = owner.share()
    elsewhere = new_account(server, owner.id, region="us-west-2")
    assert elsewhere.visible_shares("SELF") == {}
    with refused("UnknownResourceException"):
        elsewhere.ram.delete_resource_share(resourceShareArn=share)
    assert owner.visible_shares("SELF") == {share: "ACTIVE"}
