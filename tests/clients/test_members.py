"""The newest model, whole: every operation, every parameter and every member of every answer, however deep.

A member that AWS adds to the model fails these tests until the server reads or answers it, or until `members.py` says
why it does not.
"""

import json
import time

import botocore.session
import pytest
from botocore.exceptions import ClientError

from members import Coverage, is_absent, members, present

MODEL = botocore.session.get_session().get_service_model("ram")
SERVICE = "pca-connector-ad.amazonaws.com"
TEMPLATE = '{"Effect": "Allow", "Action": ["imagebuilder:GetComponent"], "Condition": %s}'
WITH_PARAMETERS = TEMPLATE % '{"StringEquals": {"aws:ResourceTag/@{key}": "@{values}"}}'
DECLARED = [
    {"name": "key", "type": "STRING", "description": "a tag"},
    {"name": "values", "type": "STRING_LIST", "description": "its values"},
]
GIVEN = [{"name": "key", "values": ["team"]}, {"name": "values", "values": ["a", "b"]}]


def built(table) -> list[str]:
    return [name for name in MODEL.operation_names if table[name]["Works"]]


def test_members_are_found_however_deep():
    shape = MODEL.operation_model("GetResourceShares").output_shape
    tags = {path for path in members(shape) if "tags" in path}
    in_tags = {f"resourceShares[].tags[]{end}" for end in ("", ".key", ".value")}
    assert tags == {"resourceShares[].tags"} | in_tags
    answer = {"resourceShares": [{"name": "n"}, {"tags": [{"key": "k", "value": ""}]}]}
    assert present(shape, answer) == tags | {"resourceShares", "resourceShares[]", "resourceShares[].name"}
    assert is_absent("CreateResourceShare", "resourceShare.tags[].key")
    assert not is_absent("GetResourceShares", "resourceShares[].tags[].key")
    assert is_absent("GetResourceShareInvitations", "resourceShareInvitations[].resourceShareAssociations[].external")


def test_the_table_is_the_models(table):
    """Names, paths, errors, tokens and pages are those of the model."""
    assert sorted(table) == sorted(MODEL.operation_names)
    for name, row in table.items():
        operation = MODEL.operation_model(name)
        assert (row["Method"], row["Path"]) == (operation.http["method"], operation.http["requestUri"]), name
        everywhere = {"ServerInternalException", "ServiceUnavailableException"}
        assert set(row["Errors"]) | everywhere == {shape.name for shape in operation.error_shapes} | everywhere, name
        taken = operation.input_shape.members
        assert (row["ClientToken"], row["Paged"]) == ("clientToken" in taken, "nextToken" in taken), name


def is_in_query(name: str) -> bool:
    """Whether an operation's parameters stand in the query and not in a body."""
    parameters = MODEL.operation_model(name).input_shape.members.values()
    return any(member.serialization.get("location") == "querystring" for member in parameters)


def send(account, name: str, given: dict) -> str | None:
    """Calls an operation with just these members, which SDKs would not send, and gives the error's code."""
    client = account.unwatched("ram")
    body = json.dumps(given).encode()
    if not is_in_query(name):
        client.meta.events.register("before-call.ram", lambda params, **_: params.update(body=body))
    try:
        client._make_api_call(name, given if is_in_query(name) else {})
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def around(path: str, value):
    """A parameter at a path, with nothing else around it."""
    for name in reversed(path.split(".")):
        stem = name.rstrip("[]")
        for _ in range(name.count("[]")):
            value = [value]
        value = {stem: value} if stem else value
    return value


def query_of(account, path: str) -> dict:
    """Parameters as they stand in a query, all of them well-formed but one."""
    arn = f"arn:aws:ram:{account.region}:{account.id}"
    good = {
        "resourceShareArn": f"{arn}:resource-share/1e6dd8c4-7979-4d13-8000-000000000000",
        "permissionArn": f"{arn}:permission/absent",
        "permissionVersion": 1,
        "clientToken": "token",
    }
    return good | {path: "not a value"}


REFUSED_FOR = {
    "resourceShareArn": {"MalformedArnException"},
    "permissionArn": {"MalformedArnException"},
    "permissionVersion": {"InvalidParameterException", "SerializationException"},
    "clientToken": {"InvalidClientTokenException"},
}


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_every_parameter_is_read(owner, table, name):
    """A parameter of another type is refused, which a parameter that is not read would not be."""
    if not table[name]["Works"]:
        return
    shape = MODEL.operation_model(name).input_shape
    unread = []
    for path, member in members(shape).items():
        if is_in_query(name):
            given = {one: value for one, value in query_of(owner, path).items() if one in shape.members}
            codes = REFUSED_FOR[path]
        else:
            given = around(path, "x" if member.type_name == "integer" else 7)
            codes = {"SerializationException"}
        if send(owner, name, given) not in codes:
            unread.append(path)
    assert unread == [], f"{name} does not read {unread}"


@pytest.fixture
def tour(server, new_account, contract):
    """Two accounts whose calls are counted."""
    coverage = Coverage()
    owner, receiver = new_account(server), new_account(server)
    for account in (owner, receiver):
        account.contract = coverage
    return owner, receiver, coverage


def test_every_member_is_sent_and_answered(tour, table):
    """One story with all parameters of all operations, in the answers to which all members are."""
    owner, receiver, coverage = tour
    own = permissions(owner)
    share = shares(owner, receiver, own)
    answers(owner, receiver, share)
    lists(owner, receiver, share, own)
    replacements(owner, own)
    promotions(owner, receiver)
    endings(owner, receiver, share, own)
    owner.unwatched("organizations").create_organization(FeatureSet="ALL")
    owner.ram.enable_sharing_with_aws_organization()
    missing = []
    for name in built(table):
        operation = MODEL.operation_model(name)
        sent, answered = coverage.sent.get(name, set()), coverage.answered.get(name, set())
        missing += [f"{name}({path})" for path in members(operation.input_shape) if path not in sent]
        expected = [path for path in members(operation.output_shape) if not is_absent(name, path)]
        missing += [f"{name} -> {path}" for path in expected if path not in answered]
        never = [path for path in answered if is_absent(name, path)]
        assert never == [], f"{name} answers what members.py says it does not: {never}"
    assert missing == [], "\n".join(missing)


def permissions(owner) -> str:
    """A permission of one's own, with two versions: the second has parameters and is the default."""
    ram = owner.ram
    tags = [{"key": "team", "value": "net"}]
    made = ram.create_permission(
        name="own",
        resourceType="imagebuilder:Component",
        policyTemplate=WITH_PARAMETERS,
        permissionTemplateParameters=DECLARED,
        tags=tags,
        clientToken="create",
    )
    arn = made["permission"]["arn"]
    ram.create_permission_version(
        permissionArn=arn,
        policyTemplate=WITH_PARAMETERS,
        permissionTemplateParameters=DECLARED,
        clientToken="version",
    )
    ram.set_default_permission_version(permissionArn=arn, permissionVersion=1, clientToken="default")
    ram.delete_permission_version(permissionArn=arn, permissionVersion=2, clientToken="unversion")
    ram.update_permission(permissionArn=arn, status="DEPRECATED", clientToken="deprecate")
    ram.update_permission(permissionArn=arn, status="ATTACHABLE")
    ram.get_permission(permissionArn=arn, permissionVersion=1, permissionTemplateParameters=GIVEN)
    ram.get_permission(permissionArn=arn)
    ram.tag_resource(resourceArn=arn, tags=tags)
    ram.untag_resource(resourceArn=arn, tagKeys=["absent"])
    return arn


def shares(owner, receiver, own: str) -> str:
    """A share with everything in it that a share can be made with."""
    ram = owner.ram
    made = ram.create_resource_share(
        name="net",
        resourceArns=[owner.component()],
        principals=[receiver.id],
        tags=[{"key": "team", "value": "net"}],
        allowExternalPrincipals=True,
        permissionArns=[own],
        permissionTemplateParameters=[{"permissionArn": own, "permissionTemplateParameters": GIVEN}],
        resourceShareConfiguration={"retainSharingOnAccountLeaveOrganization": True},
        clientToken="share",
    )
    share = made["resourceShare"]["resourceShareArn"]
    sourced = ram.create_resource_share(name="ca", principals=[SERVICE], sources=[owner.id])
    sourced = sourced["resourceShare"]["resourceShareArn"]
    ram.associate_resource_share(resourceShareArn=sourced, sources=[receiver.id], clientToken="source")
    ram.disassociate_resource_share(resourceShareArn=sourced, sources=[receiver.id], clientToken="unsource")
    role = f"arn:aws:iam::{receiver.id}:role/deploy"
    ram.associate_resource_share(resourceShareArn=share, resourceArns=[owner.component(2)], principals=[role])
    ram.update_resource_share(
        resourceShareArn=share, name="network", allowExternalPrincipals=True, clientToken="update"
    )
    ram.tag_resource(resourceShareArn=share, tags=[{"key": "stage", "value": "test"}])
    ram.untag_resource(resourceShareArn=share, tagKeys=["stage"])
    ram.associate_resource_share_permission(
        resourceShareArn=share,
        permissionArn=own,
        permissionVersion=1,
        permissionTemplateParameters=GIVEN,
        replace=True,
        clientToken="attach",
    )
    return share


def answers(owner, receiver, share: str):
    """Invitations, to accounts and to roles, accepted and rejected."""
    role = f"arn:aws:iam::{receiver.id}:role/deploy"
    to_role = owner.ram.create_resource_share(name="role", principals=[role])["resourceShare"]["resourceShareArn"]
    other = owner.ram.create_resource_share(name="no", principals=[role])["resourceShare"]["resourceShareArn"]
    ram = receiver.ram
    pages(ram.get_resource_share_invitations, resourceShareArns=[share, to_role])
    found = receiver.invitation(to_role)["resourceShareInvitationArn"]
    ram.get_resource_share_invitations(resourceShareInvitationArns=[found])
    pending = receiver.invitation(share)["resourceShareInvitationArn"]
    pages(ram.list_pending_invitation_resources, resourceShareInvitationArn=pending, resourceRegionScope="ALL")
    for token, arn in (("one", pending), ("two", found)):
        ram.accept_resource_share_invitation(resourceShareInvitationArn=arn, clientToken=token)
    rejected = receiver.invitation(other)["resourceShareInvitationArn"]
    ram.reject_resource_share_invitation(resourceShareInvitationArn=rejected, clientToken="three")


def pages(call, **parameters):
    """The first two pages of a list, of one item each."""
    first = call(maxResults=1, **parameters)
    return call(maxResults=1, nextToken=first["nextToken"], **parameters)


def lists(owner, receiver, share: str, own: str):
    """Every list with every filter."""
    ram, components = owner.ram, [owner.component(), owner.component(2)]
    for account, view in ((owner, "SELF"), (receiver, "OTHER-ACCOUNTS")):
        pages(account.ram.get_resource_shares, resourceOwner=view)
        pages(account.ram.list_principals, resourceOwner=view)
        pages(account.ram.list_resources, resourceOwner=view)
    ram.get_resource_shares(
        resourceOwner="SELF",
        resourceShareArns=[share],
        resourceShareStatus="ACTIVE",
        name="network",
        tagFilters=[{"tagKey": "team", "tagValues": ["net"]}],
        permissionArn=own,
        permissionVersion=1,
    )
    kind = "imagebuilder:Component"
    filters = {"resourceOwner": "SELF", "resourceShareArns": [share], "resourceType": kind}
    ram.list_principals(resourceArn=components[0], principals=[receiver.id], **filters)
    ram.list_resources(resourceArns=components, principal=receiver.id, resourceRegionScope="ALL", **filters)
    associations = ram.get_resource_share_associations
    pages(associations, associationType="RESOURCE", resourceShareArns=[share])
    associations(associationType="PRINCIPAL", principal=receiver.id, associationStatus="ASSOCIATED")
    associations(associationType="RESOURCE", resourceArn=components[0])
    pages(ram.list_source_associations)
    ram.list_source_associations(
        resourceShareArns=[share], sourceId=owner.id, sourceType="ACCOUNT", associationStatus="ASSOCIATED"
    )
    pages(ram.get_resource_policies, resourceArns=components, principal=receiver.id)
    pages(ram.list_resource_types, resourceRegionScope="ALL")
    filters = {"resourceType": kind, "permissionStatus": "ATTACHABLE"}
    pages(ram.list_permissions, **filters)
    ram.list_permissions(permissionType="CUSTOMER_MANAGED", resourceOwner="SELF", **filters)
    pages(ram.list_permission_versions, permissionArn=own)
    image = f"arn:aws:imagebuilder:{owner.region}:{owner.id}:image/base/1.0.0/1"
    more = ram.create_resource_share(name="more", resourceArns=[image])["resourceShare"]["resourceShareArn"]
    ram.associate_resource_share(resourceShareArn=share, resourceArns=[image])
    pages(ram.list_resource_share_permissions, resourceShareArn=share)
    pages(ram.list_permission_associations)
    ram.list_permission_associations(
        permissionArn=own,
        permissionVersion=1,
        associationStatus="ASSOCIATED",
        resourceType=kind,
        featureSet="STANDARD",
        defaultVersion=True,
        resourceOwner="SELF",
        resourceShareArn=share,
    )
    ram.delete_resource_share(resourceShareArn=more, clientToken="delete")


def replacements(owner, own: str):
    """One permission for itself, in all shares that have it."""
    ram = owner.ram
    for token in ("replace", "again"):
        work = ram.replace_permission_associations(
            fromPermissionArn=own,
            fromPermissionVersion=1,
            toPermissionArn=own,
            permissionTemplateParameters=GIVEN,
            clientToken=token,
        )["replacePermissionAssociationsWork"]
        wait_for(lambda work=work: works(ram, work["id"], "COMPLETED"))
    pages(ram.list_replace_permission_associations_work)


def promotions(owner, receiver):
    """What was made of a policy, promoted."""
    ram, component = owner.ram, owner.component(3)
    statement = {"Effect": "Allow", "Principal": {"AWS": receiver.id}, "Action": "imagebuilder:GetComponentPolicy"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    _, made = owner.own_api("PUT", "resource-policies", body={"resourceArn": component, "policy": policy})
    [share] = made["resourceShareArns"]
    [permission] = ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    ram.promote_permission_created_from_policy(permissionArn=permission["arn"], name="promoted", clientToken="promote")
    ram.promote_resource_share_created_from_policy(resourceShareArn=share)


def works(ram, work: str, status: str) -> list[dict]:
    answer = ram.list_replace_permission_associations_work(workIds=[work], status=status)
    return answer["replacePermissionAssociationsWorks"]


def wait_for(met):
    """Until background work has come so far."""
    deadline = time.monotonic() + 30
    while not met():
        assert time.monotonic() < deadline, "the work does not end"


def endings(owner, receiver, share: str, own: str):
    """Everything taken apart again."""
    ram = owner.ram
    ram.disassociate_resource_share(
        resourceShareArn=share,
        resourceArns=[owner.component(), owner.component(2)],
        principals=[receiver.id],
        clientToken="out",
    )
    ram.disassociate_resource_share_permission(resourceShareArn=share, permissionArn=own, clientToken="off")
    ram.delete_permission(permissionArn=own, clientToken="gone")
