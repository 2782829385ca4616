#!/usr/bin/env python3
"""Writes botocore/*.json: requests as botocore signs them, nothing sent, time and random ids frozen.

Then signs every case of suite/ again and fails if botocore does not come to the published signature.
Run it from anywhere: python3 generate_botocore_cases.py
"""

import datetime
import json
import pathlib
import sys
import uuid
from unittest import mock
from urllib.parse import unquote, urlsplit

import botocore
import botocore.auth
import botocore.session
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

DATA = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 11, 21, 9, 30, 15, tzinfo=datetime.timezone.utc)
NOW_S = int(NOW.timestamp())
KEY_ID = "AKIARAMPARTEXAMPLE01"
SECRET = "rAmpart/Secret+Example0123456789abcdefgh"
TOKEN = "FwoGZXIvYXdzEJr//////////wEaDExample+Token/With=Padding=="
HOST = "localhost:8080"
SHARE = "arn:aws:ram:eu-west-1:123456789012:resource-share/1e6dd8c4-7979-4d13-8f5f-6d2d1d0a9b11"
INVITATION = "arn:aws:ram:eu-west-1:123456789012:resource-share-invitation/5b0a6c1d-3f2b-4a53-9c6e-0c9c6f7f2a10"
PERMISSION = "arn:aws:ram:eu-west-1:123456789012:permission/My_Permission.1"
CLIENT_TOKEN = "6f0c5c1e-8b1e-4f5b-9f57-1f0d8a5b2c33"

written = []


def write(name, region, service, token, method, url, headers, body, **extra):
    parts = urlsplit(url)
    lower = [[key.lower(), value] for key, value in headers if key.lower() != "user-agent"]
    if not any(key == "host" for key, _ in lower):
        lower.insert(0, ["host", parts.netloc])
    case = {
        "origin": f"botocore {botocore.__version__}",
        "secret_access_key": SECRET,
        "now_s": NOW_S,
        "access_key_id": KEY_ID,
        "region": region,
        "service": service,
    }
    if token:
        case["session_token"] = token
    case.update(extra)
    case["request"] = {
        "method": method,
        "path": parts.path,
        "query": parts.query,
        "headers": lower,
        "body": body.decode() if isinstance(body, bytes) else body or "",
    }
    (DATA / "botocore" / f"{name}.json").write_text(json.dumps(case, indent=2, ensure_ascii=False) + "\n")
    written.append(name)


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def client(service, region, token, endpoint=f"http://{HOST}"):
    session = botocore.session.Session()
    config = Config(parameter_validation=True, retries={"max_attempts": 0})
    return session.create_client(
        service,
        region_name=region,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        aws_session_token=token,
        endpoint_url=endpoint,
        config=config,
    )


def call(name, service, region, operation, parameters, token=None, signed_for=None):
    """One call of an SDK's client, caught before it is sent."""
    sdk = client(service, region, token)
    caught = []

    def catch(request, **_):
        caught.append(request)
        return AWSResponse(request.url, 500, {}, None)

    sdk.meta.events.register("before-send", catch)
    with mock.patch.object(AWSResponse, "content", b""):
        try:
            getattr(sdk, operation)(**parameters)
        except botocore.exceptions.ClientError:
            pass
    (request,) = caught
    headers = [(key, text(value)) for key, value in request.headers.items()]
    write(name, signed_for or region, service, token, request.method, request.url, headers, request.body)


def presigned_call(name, service, region, operation, parameters, expires_s, token=None, method=None):
    """The URL that an SDK's client hands out, with the headers that it says are signed."""
    sdk = client(service, region, token)
    url = sdk.generate_presigned_url(operation, Params=parameters, ExpiresIn=expires_s, HttpMethod=method)
    model = sdk.meta.service_model.operation_model(sdk.meta.method_to_api_mapping[operation])
    query = dict(pair.partition("=")[::2] for pair in urlsplit(url).query.split("&"))
    signed = unquote(query["X-Amz-SignedHeaders"]).split(";")
    known = {"content-type": "application/json"}
    headers = [(key, known[key]) for key in signed if key != "host"]
    write(name, region, service, token, method or model.http["method"], url, headers, "", expires_s=expires_s)


def raw(name, method, url, headers=(), body=b"", token=None, expires_s=None, region="eu-west-1", service="ram", **extra):
    """A request that no client makes, signed by botocore's signer alone."""
    credentials = Credentials(KEY_ID, SECRET, token)
    request = AWSRequest(method=method, url=url, data=body)
    for key, value in headers:
        request.headers[key] = value
    if expires_s:
        SigV4QueryAuth(credentials, service, region, expires=expires_s).add_auth(request)
        extra["expires_s"] = expires_s
    else:
        SigV4Auth(credentials, service, region).add_auth(request)
    write(name, region, service, token, method, request.url, list(request.headers.items()), request.data, **extra)


def ram_calls():
    create = {
        "name": "Netzwerk für Köln – ሴ",
        "resourceArns": ["arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-0123456789abcdef0"],
        "principals": ["210987654321", "arn:aws:organizations::123456789012:ou/o-a1b2c3d4e5/ou-ab12-cdefgh34"],
        "tags": [{"key": "owner", "value": "team a/b+c"}],
        "clientToken": CLIENT_TOKEN,
    }
    call("ram-create-resource-share", "ram", "eu-west-1", "create_resource_share", create)
    call("ram-create-resource-share-session", "ram", "eu-west-1", "create_resource_share", create, token=TOKEN)
    delete = {"resourceShareArn": SHARE, "clientToken": CLIENT_TOKEN}
    call("ram-delete-resource-share", "ram", "eu-west-1", "delete_resource_share", delete)
    call("ram-delete-resource-share-session", "ram", "cn-north-1", "delete_resource_share", delete, token=TOKEN)
    version = {"permissionArn": PERMISSION, "permissionVersion": 3}
    call("ram-delete-permission-version", "ram", "us-gov-west-1", "delete_permission_version", version)
    non_ascii = {"resourceShareArn": SHARE, "clientToken": "ሴ ü+&=%/~*'()"}
    call("ram-delete-resource-share-non-ascii", "ram", "eu-west-1", "delete_resource_share", non_ascii)
    promote = {"resourceShareArn": SHARE}
    call("ram-promote", "ram", "eu-west-1", "promote_resource_share_created_from_policy", promote)
    call("ram-enable-sharing", "ram", "us-east-1", "enable_sharing_with_aws_organization", {})
    accept = {"resourceShareInvitationArn": INVITATION}
    call("ram-accept-invitation", "ram", "eu-west-1", "accept_resource_share_invitation", accept)


def other_calls():
    call("sts-get-caller-identity", "sts", "us-east-1", "get_caller_identity", {})
    role = {"RoleArn": "arn:aws:iam::123456789012:role/a", "RoleSessionName": "a b", "Tags": [{"Key": "k", "Value": "ü"}]}
    call("sts-assume-role-session", "sts", "eu-west-1", "assume_role", role, token=TOKEN)
    call("organizations-list-accounts", "organizations", "us-east-1", "list_accounts", {"MaxResults": 5})
    call("lambda-non-ascii-path", "lambda", "eu-west-1", "get_function", {"FunctionName": "ሴ a:b", "Qualifier": "$LATEST"})


def presigned_calls():
    identity = "get_caller_identity"
    presigned_call("presigned-sts", "sts", "us-east-1", identity, {}, 900, method="GET")
    presigned_call("presigned-sts-session", "sts", "us-east-1", identity, {}, 60, token=TOKEN, method="GET")
    presigned_call("presigned-sts-post", "sts", "eu-west-1", identity, {}, 604800)
    shares = {"resourceOwner": "SELF", "name": "a b+c/ü"}
    presigned_call("presigned-ram-post", "ram", "eu-west-1", "get_resource_shares", shares, 3600)
    delete = {"resourceShareArn": SHARE}
    presigned_call("presigned-ram-delete-session", "ram", "eu-west-1", "delete_resource_share", delete, 1, token=TOKEN)


def raw_requests():
    base = f"http://{HOST}"
    json_type = ("Content-Type", "application/json")
    raw("raw-date-header", "POST", f"{base}/listprincipals", [("Date", "now")], b"{}", verify_only=True)
    raw("raw-date-header-session", "GET", base, [("Date", "now")], token=TOKEN, verify_only=True)
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    raw("raw-content-sha256", "POST", f"{base}/listprincipals", [json_type, ("X-Amz-Content-SHA256", digest)], b"{}")
    raw("raw-plus-in-query", "GET", f"{base}/?a=1+2&b=%2B&c=%20")
    raw("raw-query-order", "GET", f"{base}/?b=1&a-=2&a=3&a=1&a&A=0&%C3%BC=4&a.=5")
    raw("raw-empty-pairs", "GET", f"{base}/?a=1&&b=2&")
    raw("raw-encoded-path", "GET", f"{base}/a%2Fb/%E1%88%B4%20c/..//d%25/", [("X-Spaces", "  a   b\t c  ")])
    raw("raw-non-ascii-body", "POST", f"{base}/x", [json_type], '{"name":"ü – ሴ 😀"}'.encode())
    raw("raw-presigned-get", "GET", f"{base}/a%2Fb?x=%E1%88%B4&y=1%2B2", expires_s=86400, token=TOKEN)
    raw("raw-presigned-headers", "GET", f"{base}/?z=1", [("X-Custom", " a  b ")], expires_s=300)


def check_suite():
    """Signs the cases of the published suite again."""
    wrong = []
    for path in sorted((DATA / "suite").glob("*.json")):
        case = json.loads(path.read_text())
        sent = case["request"]
        headers = {key: value for key, value in sent["headers"]}
        at = datetime.datetime.fromtimestamp(case["now_s"], datetime.timezone.utc)
        request = AWSRequest(method=sent["method"], url="https://example.amazonaws.com", data=sent["body"].encode())
        request.url += sent["path"] + ("?" + quoted(sent["query"]) if sent["query"] else "")
        for key, value in sent["headers"]:
            if key not in ("host", "x-amz-date", "x-amz-security-token", "authorization"):
                request.headers.add_header(key, value)
        token = None if "refused" in case else headers.get("x-amz-security-token")
        credentials = Credentials(case["access_key_id"], case["secret_access_key"], token)
        with mock.patch.object(botocore.auth, "get_current_datetime", lambda: at):
            SigV4Auth(credentials, case["service"], case["region"]).add_auth(request)
        if request.headers["Authorization"] != headers["authorization"]:
            wrong.append(f"{path.name}: {request.headers['Authorization']}")
    return wrong


def quoted(query):
    # botocore takes a URL's query as encoded already; the suite writes some of it in clear.
    return query.replace("ሴ", "%E1%88%B4")


def main():
    for old in (DATA / "botocore").glob("*.json"):
        old.unlink()
    fixed_id = uuid.UUID("00000000-0000-4000-8000-000000000000")
    with (
        mock.patch.object(botocore.auth, "get_current_datetime", lambda: NOW),
        mock.patch.object(uuid, "uuid4", lambda: fixed_id),
    ):
        ram_calls()
        other_calls()
        presigned_calls()
        raw_requests()
    print(f"{len(written)} cases written")
    wrong = check_suite()
    print("\n".join(wrong) if wrong else "the suite agrees with botocore")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
