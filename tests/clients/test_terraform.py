"""What Terraform does with shares: applies, finds nothing to change, changes, and takes all apart again."""

import pytest

from terraform import Terraform, provider

# Terraform takes its time, and does not see the store.
pytestmark = pytest.mark.parametrize("stores", ["sqlite"], indirect=True)

SHARE = """
resource "aws_ram_resource_share" "net" {{
  name                      = "net"
  allow_external_principals = true
  permission_arns           = ["arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway"]
  tags                      = {{ team = "{team}" }}
}}

resource "aws_ram_resource_association" "gateway" {{
  resource_arn       = "{gateway}"
  resource_share_arn = aws_ram_resource_share.net.arn
}}

resource "aws_ram_principal_association" "receiver" {{
  principal          = "{receiver}"
  resource_share_arn = aws_ram_resource_share.net.arn
}}

resource "aws_ram_resource_share_accepter" "receiver" {{
  provider  = aws.receiver
  share_arn = aws_ram_principal_association.receiver.resource_share_arn
}}

data "aws_ram_resource_share" "seen" {{
  provider       = aws.receiver
  name           = "net"
  resource_owner = "OTHER-ACCOUNTS"
  depends_on     = [aws_ram_resource_share_accepter.receiver]
}}

output "owner" {{ value = data.aws_ram_resource_share.seen.owning_account_id }}
output "resources" {{ value = aws_ram_resource_share_accepter.receiver.resources }}
"""


def test_two_accounts(owner, receiver, tmp_path):
    terraform = Terraform(tmp_path)

    def configure(team: str):
        share = SHARE.format(team=team, gateway=owner.transit_gateway(), receiver=receiver.id)
        terraform.configure(provider(owner), provider(receiver, "receiver"), share)

    configure("net")
    terraform.init()
    terraform.apply()
    assert terraform.outputs() == {"owner": owner.id, "resources": [owner.transit_gateway()]}
    assert not terraform.has_changes()

    configure("platform")
    assert terraform.has_changes()
    terraform.apply()
    assert not terraform.has_changes()
    [share] = owner.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    assert share["tags"] == [{"key": "team", "value": "platform"}]

    terraform.destroy()
    assert set(owner.visible_shares("SELF").values()) == {"DELETED"}
    assert set(receiver.visible_shares("OTHER-ACCOUNTS").values()) <= {"DELETED"}
