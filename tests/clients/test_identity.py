"""Who is calling, in open mode: what GetCallerIdentity says, in every form a signature can take."""

import pytest

from presigned import account_in, fetch, presign

DEFAULT_ACCOUNT = "123456789012"


def test_a_key_of_twelve_digits_is_the_account(owner):
    identity = owner.sts.get_caller_identity()
    assert identity["Account"] == owner.id
    # Terraform takes the account from here.
    assert identity["Arn"].startswith("arn:aws:")
    assert identity["Arn"].split(":")[4] == owner.id
    assert identity["UserId"]


def test_any_other_key_is_the_default_account(server, new_account):
    someone = new_account(server, DEFAULT_ACCOUNT, key="AKIAIOSFODNN7EXAMPLE", secret="whatever")
    assert someone.sts.get_caller_identity()["Account"] == DEFAULT_ACCOUNT


def test_the_default_account_can_be_chosen(start_server, new_account):
    server = start_server("--default-account", "999999999999")
    someone = new_account(server, key="AKIAIOSFODNN7EXAMPLE")
    assert someone.sts.get_caller_identity()["Account"] == "999999999999"
    assert someone.ram.create_resource_share(name="net")["resourceShare"]["owningAccountId"] == "999999999999"


def test_a_registered_key_belongs_to_its_owner(rampart, start_server, new_account):
    rampart.create_account("111111111111")
    key = rampart.create_key("111111111111")
    holder = new_account(start_server(), key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert holder.sts.get_caller_identity()["Account"] == "111111111111"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_presigned_urls_work_outside_sdks(owner, method):
    status, root = fetch(presign(owner, method), method)
    assert (status, account_in(root)) == (200, owner.id)


def test_every_region_has_an_sts(server, new_account):
    for region in ("us-east-1", "ap-southeast-2", "eu-central-1"):
        account = new_account(server, region=region)
        assert account.sts.get_caller_identity()["Account"] == account.id
