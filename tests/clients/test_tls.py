"""The API over TLS, as boto3 and the AWS CLI speak it."""

import json
from pathlib import Path

import boto3
import botocore.exceptions
import pytest

from account import CONFIG, REGION

CERTIFICATES = Path(__file__).parents[1] / "data" / "tls"
AUTHORITY = str(CERTIFICATES / "ca.pem")


@pytest.fixture
def server(start_server):
    files = {"--tls-cert": "first.pem", "--tls-key": "first.key"}
    return start_server(*[part for name, file in files.items() for part in (name, str(CERTIFICATES / file))])


def ram(server, verify):
    keys = {"aws_access_key_id": "111111111111", "aws_secret_access_key": "x"}
    return boto3.client(
        "ram", endpoint_url=server.endpoint, region_name=REGION, verify=verify, config=CONFIG, **keys
    )


def test_boto3_and_the_cli_trust_the_authority(server, new_account):
    assert server.endpoint.startswith("https://")
    ram(server, AUTHORITY).create_resource_share(name="sealed")
    account = new_account(server, "111111111111")
    said = account.run_aws("--ca-bundle", AUTHORITY, "ram", "get-resource-shares", "--resource-owner", "SELF")
    assert said.returncode == 0, said.stderr
    assert [share["name"] for share in json.loads(said.stdout)["resourceShares"]] == ["sealed"]


def test_who_does_not_know_the_authority_does_not_talk(server, new_account):
    with pytest.raises(botocore.exceptions.SSLError):
        ram(server, True).get_resource_shares(resourceOwner="SELF")
    said = new_account(server).run_aws("ram", "get-resource-shares", "--resource-owner", "SELF")
    assert said.returncode != 0 and "SSL" in said.stderr
