"""Customer managed permissions through boto3: every answer is held against the model."""

import json

import pytest
from botocore.exceptions import ClientError

TYPE = "codebuild:Project"
AWS = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionCodeBuildProject"


def template(*actions, **more):
    return json.dumps({"Effect": "Allow", "Action": list(actions), **more})


def made(ram, name, **more):
    wanted = {"name": name, "resourceType": TYPE, "policyTemplate": template("codebuild:BatchGetProjects")}
    return ram.create_permission(**(wanted | more))["permission"]


def test_a_permission_s_life(owner):
    ram = owner.client("ram")
    arn = made(ram, "Life", tags=[{"key": "team", "value": "a"}])["arn"]
    text = template("codebuild:BatchGetBuilds")
    version = ram.create_permission_version(permissionArn=arn, policyTemplate=text)["permission"]
    assert (version["version"], version["permission"]) == ("2", text)
    assert [row["status"] for row in ram.list_permission_versions(permissionArn=arn)["permissions"]] == [
        "UNATTACHABLE",
        "ATTACHABLE",
    ]
    assert ram.set_default_permission_version(permissionArn=arn, permissionVersion=1)["returnValue"]
    deleted = ram.delete_permission_version(permissionArn=arn, permissionVersion=2, clientToken="t")
    assert (deleted["returnValue"], deleted["permissionStatus"], deleted["clientToken"]) == (True, "DELETING", "t")
    assert ram.update_permission(permissionArn=arn, status="DEPRECATED")["permissionStatus"] == "DEPRECATED"
    [row] = ram.list_permissions(permissionType="CUSTOMER_MANAGED", permissionStatus="DEPRECATED")["permissions"]
    assert (row["arn"], row["tags"]) == (arn, [{"key": "team", "value": "a"}])
    ram.tag_resource(resourceArn=arn, tags=[{"key": "k", "value": "v"}])
    ram.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert ram.get_permission(permissionArn=arn)["permission"]["tags"] == [{"key": "k", "value": "v"}]
    assert ram.delete_permission(permissionArn=arn)["permissionStatus"] == "DELETING"


def test_a_name_that_is_taken(owner):
    ram = owner.client("ram")
    made(ram, "Taken")
    with pytest.raises(ram.exceptions.PermissionAlreadyExistsException) as caught:
        made(ram, "Taken")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "MalformedPolicyTemplateException"),
        (template("codebuild:BatchGetProjects", Resource="*"), "MalformedPolicyTemplateException"),
        (template("s3:GetObject"), "InvalidPolicyException"),
    ],
)
def test_a_text_that_is_no_template(owner, text, code):
    with pytest.raises(ClientError) as caught:
        made(owner.client("ram"), "Wrong", policyTemplate=text)
    assert caught.value.response["Error"]["Code"] == code


def test_a_template_with_parameters_in_a_share(owner):
    ram = owner.client("ram")
    condition = {"StringEquals": {"aws:SourceVpc": "@{vpcs}"}}
    permission = made(
        ram,
        "Parameters",
        policyTemplate=template("codebuild:BatchGetProjects", Condition=condition),
        permissionTemplateParameters=[{"name": "vpcs", "type": "STRING_LIST", "description": "where from"}],
    )
    values = [{"name": "vpcs", "values": ["v1", "v2"]}]
    rendered = ram.get_permission(permissionArn=permission["arn"], permissionTemplateParameters=values)["permission"]
    assert json.loads(rendered["permission"])["Condition"] == {"StringEquals": {"aws:SourceVpc": ["v1", "v2"]}}
    share = ram.create_resource_share(
        name="s",
        permissionArns=[permission["arn"]],
        permissionTemplateParameters=[
            {"permissionArn": permission["arn"], "permissionTemplateParameters": values}
        ],
    )["resourceShare"]["resourceShareArn"]
    [row] = ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    assert row["permissionTemplateParameters"][0]["values"] == ["v1", "v2"]
    [row] = ram.list_permission_associations(resourceShareArn=share)["permissions"]
    assert row["permissionTemplateParameters"][0]["values"] == ["v1", "v2"]


def test_what_others_share_is_listed_too(owner, receiver):
    theirs = made(owner.client("ram"), "Theirs")["arn"]
    owner_share = owner.share(receiver, resources=[], permissionArns=[theirs])
    receiver.accept(owner_share)
    own = made(receiver.client("ram"), "Mine")["arn"]

    def listed(**filters):
        rows = receiver.ram.list_permissions(permissionType="CUSTOMER_MANAGED", **filters)["permissions"]
        return {row["arn"]: row["resourceOwner"] for row in rows}

    assert listed() == {own: "SELF", theirs: "OTHER-ACCOUNTS"}
    assert listed(resourceOwner="SELF") == {own: "SELF"}
    assert listed(resourceOwner="OTHER-ACCOUNTS") == {theirs: "OTHER-ACCOUNTS"}
    [row] = receiver.ram.list_permission_associations(resourceOwner="OTHER-ACCOUNTS", featureSet="STANDARD")["permissions"]
    assert (row["arn"], row["resourceShareArn"]) == (theirs, owner_share)
    assert receiver.ram.list_permission_associations(resourceOwner="OTHER-ACCOUNTS", resourceType=TYPE)["permissions"] == []


def test_a_replacement_in_the_background(owner):
    ram = owner.client("ram")
    new = made(ram, "Replacement")["arn"]
    share = ram.create_resource_share(name="s", permissionArns=[AWS])["resourceShare"]["resourceShareArn"]
    answer = ram.replace_permission_associations(fromPermissionArn=AWS, toPermissionArn=new)
    work = answer["replacePermissionAssociationsWork"]
    assert work["status"] == "IN_PROGRESS"
    # It begins at once: a client that asks again and again sees its end.
    for _ in range(1000):
        found = ram.list_replace_permission_associations_work(workIds=[work["id"]])
        [work] = found["replacePermissionAssociationsWorks"]
        if work["status"] != "IN_PROGRESS":
            break
    assert work["status"] == "COMPLETED"
    [row] = ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    assert row["arn"] == new
