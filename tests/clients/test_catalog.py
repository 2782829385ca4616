"""Resource types and permissions of an operator's own."""

import json

import pytest

from refusal import refused

CATALOG = {
    "resourceTypes": [
        {
            "resourceType": "acme:Cluster",
            "serviceName": "acme",
            "resourceRegionScope": "REGIONAL",
            "arnPattern": "arn:aws:acme:[a-z0-9-]+:[0-9]{12}:cluster/[a-z0-9-]+",
            "exampleArn": "arn:aws:acme:eu-west-1:123456789012:cluster/blue",
            "canShareExternally": True,
            "invitationExpiryHours": 12,
        }
    ],
    "permissions": [
        {
            "name": "AcmeClusterUse",
            "resourceType": "acme:Cluster",
            "isResourceTypeDefault": True,
            "versions": [{"version": "1", "actions": ["acme:Connect"]}],
        }
    ],
}


@pytest.fixture
def server(start_server, tmp_path):
    """A server with a catalog file."""
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(CATALOG))
    return start_server("--catalog", str(file))


def test_a_private_type(owner, receiver, stranger):
    types = owner.ram.list_resource_types()["resourceTypes"]
    assert [row["serviceName"] for row in types if row["resourceType"] == "acme:Cluster"] == ["acme"]
    cluster = f"arn:aws:acme:{owner.region}:{owner.id}:cluster/green"
    share = owner.share(receiver, resources=[cluster])
    receiver.accept(share)
    [found] = receiver.ram.list_resources(resourceOwner="OTHER-ACCOUNTS")["resources"]
    assert (found["arn"], found["type"]) == (cluster, "acme:Cluster")
    [permission] = owner.ram.list_permissions(resourceType="acme:Cluster")["permissions"]
    [attached] = owner.ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    assert permission["arn"] == attached["arn"] == "arn:aws:ram::aws:permission/AcmeClusterUse"
    [policy] = owner.ram.get_resource_policies(resourceArns=[cluster])["policies"]
    [statement] = json.loads(policy)["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("acme:Connect", cluster)
    with refused("MalformedArnException"):
        owner.share(stranger, resources=[cluster.replace("cluster", "node")])
