"""The story of the README: one account shares a transit gateway with another, which accepts."""

from datetime import datetime, timedelta, timezone

SHARE = {
    "resourceShareArn",
    "name",
    "owningAccountId",
    "allowExternalPrincipals",
    "status",
    "creationTime",
    "lastUpdatedTime",
}


def test_with_boto3(owner, receiver):
    arn = owner.transit_gateway()
    created = owner.ram.create_resource_share(name="net", resourceArns=[arn], principals=[receiver.id])
    share = created["resourceShare"]
    assert set(share) == SHARE
    assert share["resourceShareArn"].startswith(f"arn:aws:ram:eu-west-1:{owner.id}:resource-share/")
    assert (share["name"], share["owningAccountId"], share["status"]) == ("net", owner.id, "ACTIVE")
    assert share["allowExternalPrincipals"] is True
    assert share["creationTime"] == share["lastUpdatedTime"]
    assert abs(share["creationTime"] - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert "clientToken" not in created

    [invitation] = receiver.ram.get_resource_share_invitations()["resourceShareInvitations"]
    assert invitation["status"] == "PENDING"
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {}

    invitation_arn = invitation["resourceShareInvitationArn"]
    [resource] = receiver.ram.list_pending_invitation_resources(resourceShareInvitationArn=invitation_arn)["resources"]
    assert (resource["arn"], resource["type"]) == (arn, "ec2:TransitGateway")

    accepted = receiver.ram.accept_resource_share_invitation(resourceShareInvitationArn=invitation_arn)
    assert accepted["resourceShareInvitation"]["status"] == "ACCEPTED"

    [seen] = receiver.ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"]
    assert seen["featureSet"] == "STANDARD"
    assert {name: seen[name] for name in SHARE} == share
    assert receiver.visible_shares("SELF") == {}
    assert owner.visible_shares("SELF") == {share["resourceShareArn"]: "ACTIVE"}
    assert owner.visible_shares("OTHER-ACCOUNTS") == {}


def test_with_the_aws_cli(owner, receiver):
    arn = owner.transit_gateway()
    create = ["ram", "create-resource-share", "--name", "net", "--resource-arns", arn, "--principals", receiver.id]
    share = owner.aws(*create)["resourceShare"]["resourceShareArn"]

    [invitation] = receiver.aws("ram", "get-resource-share-invitations")["resourceShareInvitations"]
    assert (invitation["resourceShareArn"], invitation["status"]) == (share, "PENDING")

    accept = ["ram", "accept-resource-share-invitation", "--resource-share-invitation-arn"]
    accepted = receiver.aws(*accept, invitation["resourceShareInvitationArn"])
    assert accepted["resourceShareInvitation"]["status"] == "ACCEPTED"

    [seen] = receiver.aws("ram", "get-resource-shares", "--resource-owner", "OTHER-ACCOUNTS")["resourceShares"]
    assert (seen["resourceShareArn"], seen["owningAccountId"], seen["status"]) == (share, owner.id, "ACTIVE")

    # What the shell of somebody who tries it twice sees.
    again = receiver.run_aws(*accept, invitation["resourceShareInvitationArn"])
    assert again.returncode != 0
    assert "(ResourceShareInvitationAlreadyAcceptedException)" in again.stderr
    assert "AcceptResourceShareInvitation" in again.stderr


def test_the_aws_cli_deletes_and_pages(owner):
    shares = {owner.share(name=f"net-{number}") for number in range(3)}
    listed = owner.aws("ram", "get-resource-shares", "--resource-owner", "SELF", "--page-size", "1")["resourceShares"]
    assert {share["resourceShareArn"] for share in listed} == shares

    gone = shares.pop()
    assert owner.aws("ram", "delete-resource-share", "--resource-share-arn", gone)["returnValue"] is True
    assert owner.visible_shares("SELF")[gone] == "DELETED"


def test_the_aws_cli_knows_who_it_is(owner):
    identity = owner.aws("sts", "get-caller-identity")
    assert identity["Account"] == owner.id
    assert identity["Arn"].split(":")[4] == owner.id
