"""What Terraform does with an organization: makes it, shares within it, changes it, and takes all apart again."""

import pytest

from terraform import Terraform, provider

# Terraform takes its time, and does not see the store.
pytestmark = pytest.mark.parametrize("stores", ["sqlite"], indirect=True)

ORGANIZATION = """
resource "aws_organizations_organization" "this" {{
  feature_set          = "ALL"
  enabled_policy_types = ["SERVICE_CONTROL_POLICY"]
  # What sharing switches on, as with AWS: left out, the next plan would switch it off.
  aws_service_access_principals = ["ram.amazonaws.com"]
}}

resource "aws_organizations_organizational_unit" "platform" {{
  name      = "{unit}"
  parent_id = aws_organizations_organization.this.roots[0].id
}}

resource "aws_organizations_account" "member" {{
  name      = "member"
  email     = "member-{owner}@example.com"
  parent_id = aws_organizations_organizational_unit.platform.id
}}

resource "aws_ram_sharing_with_organization" "this" {{
  depends_on = [aws_organizations_organization.this]
}}

resource "aws_ram_resource_share" "inside" {{
  name                      = "inside"
  allow_external_principals = false
  depends_on                = [aws_ram_sharing_with_organization.this]
}}

resource "aws_ram_resource_association" "gateway" {{
  resource_arn       = "{gateway}"
  resource_share_arn = aws_ram_resource_share.inside.arn
}}

resource "aws_ram_principal_association" "platform" {{
  principal          = aws_organizations_organizational_unit.platform.arn
  resource_share_arn = aws_ram_resource_share.inside.arn
}}

output "member" {{ value = aws_organizations_account.member.id }}
"""


def test_an_organization(owner, new_account, server, tmp_path):
    terraform = Terraform(tmp_path)

    def configure(unit: str):
        text = ORGANIZATION.format(unit=unit, owner=owner.id, gateway=owner.transit_gateway())
        terraform.configure(provider(owner), text)

    configure("platform")
    terraform.init()
    terraform.apply()
    member = new_account(server, terraform.outputs()["member"])
    # No invitation: the member is in the unit.
    assert set(member.visible_shares("OTHER-ACCOUNTS").values()) == {"ACTIVE"}
    assert not terraform.has_changes()

    configure("network")
    assert terraform.has_changes()
    terraform.apply()
    assert not terraform.has_changes()

    terraform.destroy()
    assert set(member.visible_shares("OTHER-ACCOUNTS").values()) <= {"DELETED"}
    assert set(owner.visible_shares("SELF").values()) == {"DELETED"}
