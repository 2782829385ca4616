"""An organization with its policies and tags, read from an endpoint that speaks TLS."""

import json
import subprocess

import pytest

from tls import TlsProxy

DENY = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}


@pytest.fixture
def proxy(server, tmp_path):
    proxy = TlsProxy(server.endpoint, tmp_path)
    yield proxy
    proxy.stop()


def mirror(rampart, proxy, account, *arguments: str, trusted=None) -> subprocess.CompletedProcess:
    environment = rampart.environment() | {"AWS_ACCESS_KEY_ID": account.id, "AWS_SECRET_ACCESS_KEY": "x"}
    if trusted:
        environment["SSL_CERT_FILE"] = str(trusted)
    command = [rampart.program, "org", "mirror", "--endpoint", proxy.endpoint, *arguments]
    command += ["--store", rampart.store.url]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


def test_an_organization_is_mirrored_over_tls(server, rampart, start_server, new_account, proxy):
    management = new_account(server)
    organizations = management.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    tags = [{"Key": "team", "Value": "net"}]
    unit = organizations.create_organizational_unit(ParentId=root, Name="Prod", Tags=tags)["OrganizationalUnit"]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    policy = organizations.create_policy(
        Name="NoS3", Description="d", Type="SERVICE_CONTROL_POLICY", Content=json.dumps(DENY)
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=unit)
    organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=unit)

    unknown = mirror(rampart, proxy, management)
    assert unknown.returncode != 0 and "cannot reach https://localhost" in unknown.stderr, unknown.stderr
    planned = mirror(rampart, proxy, management, "--dry-run", trusted=proxy.certificate)
    assert planned.returncode == 0, planned.stderr
    assert f"attach policy {policy} to {unit}" in planned.stdout, planned.stdout
    assert f"detach policy p-FullAWSAccess from {unit}" in planned.stdout
    assert f"tag {unit}: team=net" in planned.stdout
    done = mirror(rampart, proxy, management, trusted=proxy.certificate)
    assert done.returncode == 0 and "Done: " in done.stdout, done.stdout + done.stderr
    again = mirror(rampart, proxy, management, "--prune", trusted=proxy.certificate)
    assert again.stdout == "Nothing changes.\n", again.stdout + again.stderr

    copy = new_account(start_server(), management.id).client("organizations")
    for name, parameters in [
        ("describe_organization", {}),
        ("describe_policy", {"PolicyId": policy}),
        ("list_policies_for_target", {"TargetId": unit, "Filter": "SERVICE_CONTROL_POLICY"}),
        ("list_tags_for_resource", {"ResourceId": unit}),
    ]:
        answers = [getattr(client, name)(**parameters) for client in (organizations, copy)]
        for answer in answers:
            del answer["ResponseMetadata"]
        assert answers[0] == answers[1], name

    # Tags that are not read stay as they are.
    organizations.untag_resource(ResourceId=unit, TagKeys=["team"])
    kept = mirror(rampart, proxy, management, "--prune", "--without-tags", trusted=proxy.certificate)
    assert kept.stdout == "Nothing changes.\n", kept.stdout + kept.stderr
    dropped = mirror(rampart, proxy, management, "--prune", trusted=proxy.certificate)
    assert f"tag {unit}: -team" in dropped.stdout, dropped.stdout + dropped.stderr
