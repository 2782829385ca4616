"""Strict mode: only registered keys, only good signatures, and nothing of what open mode offers besides."""

import time

import pytest
from botocore.exceptions import ClientError

from presigned import account_in, code_in, fetch, presign
from refusal import refused

OWNER, RECEIVER = "111111111111", "222222222222"
# A disabled key may be remembered for a second. Generous, since a slow machine is no failure.
FORGOTTEN_WITHIN_SECONDS = 10


@pytest.fixture
def server(rampart, start_server):
    """A server in strict mode that knows two accounts."""
    for account in (OWNER, RECEIVER):
        rampart.create_account(account)
    return start_server(auth="strict")


@pytest.fixture
def keyed(rampart, server, new_account):
    """Makes a key for an account and returns the account that uses it. The server runs all the while."""

    def make(account_id: str, *arguments: str):
        key = rampart.create_key(account_id, *arguments)
        return new_account(server, account_id, key=key["AccessKeyId"], secret=key["SecretAccessKey"])

    return make


def test_two_accounts_with_keys(keyed):
    owner, receiver = keyed(OWNER), keyed(RECEIVER)
    assert owner.sts.get_caller_identity()["Account"] == OWNER
    share = owner.share(receiver)
    assert receiver.accept(share)["status"] == "ACCEPTED"
    assert receiver.visible_shares("OTHER-ACCOUNTS") == {share: "ACTIVE"}


def test_two_keys_of_an_account_are_the_same_account(keyed):
    share = keyed(OWNER).share()
    assert keyed(OWNER).visible_shares("SELF") == {share: "ACTIVE"}


def test_a_key_of_a_user(keyed):
    identity = keyed(OWNER, "--user", "alice").sts.get_caller_identity()
    assert identity["Account"] == OWNER
    assert identity["Arn"] == f"arn:aws:iam::{OWNER}:user/alice"


def test_the_aws_cli_with_a_key(keyed):
    assert keyed(OWNER).aws("sts", "get-caller-identity")["Account"] == OWNER


def test_a_wrong_secret(keyed, server, new_account):
    key = keyed(OWNER).key
    for secret in ("x", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"):
        liar = new_account(server, OWNER, key=key, secret=secret)
        with refused("InvalidSignatureException", status=403) as refusal:
            liar.ram.get_resource_shares(resourceOwner="SELF")
        assert "signature" in refusal.message.lower()
        with refused("SignatureDoesNotMatch", status=403):
            liar.sts.get_caller_identity()


@pytest.mark.parametrize("key", ["AKIAIOSFODNN7EXAMPLE", OWNER, "333333333333", "x"])
def test_an_unknown_key(server, new_account, key):
    """The twelve digits that open mode takes are no key here, not even of an account that exists."""
    nobody = new_account(server, OWNER, key=key)
    with refused("UnrecognizedClientException", status=403):
        nobody.ram.get_resource_shares(resourceOwner="SELF")
    with refused("InvalidClientTokenId", status=403):
        nobody.sts.get_caller_identity()


def test_a_disabled_key_is_forgotten_within_a_second_or_so(keyed, rampart):
    account = keyed(OWNER)
    calls = {
        "UnrecognizedClientException": lambda: account.ram.get_resource_shares(resourceOwner="SELF"),
        "InvalidClientTokenId": account.sts.get_caller_identity,
    }
    for call in calls.values():
        call()
    rampart.run("key", "disable", account.key)
    deadline = time.monotonic() + FORGOTTEN_WITHIN_SECONDS
    for code, call in calls.items():
        while works(call):
            assert time.monotonic() < deadline, "a disabled key still works"
            # What is waited for is the end of a cache's life: nothing tells of it.
            time.sleep(0.1)
        with refused(code, status=403):
            call()


def works(call) -> bool:
    try:
        call()
    except ClientError:
        return False
    return True


def test_secrets_are_shown_once(keyed, rampart):
    account = keyed(OWNER)
    listed = rampart.run("key", "list", "--account", OWNER).stdout
    assert account.key in listed
    assert account.secret not in listed
    log = account.server.tail()
    assert account.secret not in log


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_presigned_urls(keyed, method):
    url = presign(keyed(OWNER), method, ExpiresIn=60)
    status, root = fetch(url, method)
    assert (status, account_in(root)) == (200, OWNER)
    for forged in (url.replace("Expires=60", "Expires=61"), url[:-1] + ("0" if url[-1] != "0" else "1")):
        status, root = fetch(forged, method)
        assert (status, code_in(root)) == (403, "SignatureDoesNotMatch")
    other = {"GET": "POST", "POST": "GET"}[method]
    status, root = fetch(url, other)
    assert (status, code_in(root)) == (403, "SignatureDoesNotMatch")


def test_no_clock_and_no_reset(keyed, server):
    account = keyed(OWNER)
    share = account.share()
    for method, path, body in (
        ("GET", "/rampart/v1/clock", None),
        ("POST", "/rampart/v1/clock", {"advance": 365 * 24 * 3600}),
        ("POST", "/rampart/v1/reset", {}),
    ):
        status, answer = server.request(method, path, body)
        assert 400 <= status < 500, answer
    assert account.visible_shares("SELF") == {share: "ACTIVE"}


def test_no_signature_at_all(server):
    status, _ = server.request("POST", "/getresourceshares", {"resourceOwner": "SELF"})
    assert status == 403
