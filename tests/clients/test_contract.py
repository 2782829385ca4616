"""The contract itself: it passes good answers and finds what is wrong with bad ones. Needs no server."""

import json
import uuid

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse

from contract import Contract, ContractViolation, violations

SESSION = botocore.session.get_session()
RAM = SESSION.get_service_model("ram")
STS = SESSION.get_service_model("sts")
IAM = SESSION.get_service_model("iam")
SHARE = {"resourceShareArn": "a", "name": "n", "status": "ACTIVE", "creationTime": 1634586271.302}


def answer(body, status=200, **headers) -> dict:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    standard = {"content-type": "application/json", "x-amzn-requestid": str(uuid.uuid4())}
    return {"status_code": status, "headers": standard | headers, "body": body}


def error(code, status=400, **members) -> dict:
    return answer({"message": "No."} | members, status, **{"x-amzn-errortype": code})


def found(operation: str, response: dict) -> str:
    return "\n".join(violations(RAM.operation_model(operation), response))


def test_good_answers_pass():
    assert found("GetResourceShares", answer({"resourceShares": [SHARE | {"tags": [{"key": "k", "value": ""}]}]})) == ""
    assert found("TagResource", answer({})) == ""
    assert found("GetResourceShares", error("UnknownResourceException")) == ""
    assert found("GetResourceShares", error("AccessDeniedException:http://x", 403)) == ""
    assert found("CreatePermission", error("PermissionAlreadyExistsException", 409)) == ""


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"<html>", "no JSON"),
        (b'{"resourceShares":[],"resourceShares":[]}', "twice"),
        (b'{"resourceShares":[{"creationTime":NaN}]}', "NaN"),
        ([], "no JSON object"),
        ({}, "resourceShares is missing"),
        ({"resourceShares": None}, "is null"),
        ({"resourceShares": {}}, "no list"),
        ({"resourceShares": [], "more": 1}, ".more is not in the model"),
        ({"resourceShares": [SHARE | {"extra": 1}]}, ".resourceShares[0].extra is not in the model"),
        ({"resourceShares": [SHARE | {"name": 1}]}, "no string"),
        ({"resourceShares": [SHARE | {"status": "OPEN"}]}, "none of"),
        ({"resourceShares": [SHARE | {"allowExternalPrincipals": "true"}]}, "no boolean"),
        ({"resourceShares": [SHARE | {"creationTime": "2021-10-18"}]}, "no number"),
        ({"resourceShares": [SHARE | {"creationTime": 1634586271302}]}, "no time in seconds"),
        ({"resourceShares": [SHARE | {"tags": [{"key": None}]}]}, "is null"),
    ],
)
def test_bad_bodies_are_found(body, complaint):
    assert complaint in found("GetResourceShares", answer(body))


@pytest.mark.parametrize(
    ("response", "complaint"),
    [
        (answer({"message": "No."}, 400), "without x-amzn-ErrorType"),
        (error("UnknownResourceException", 404), "comes with 400"),
        (error("InvalidMaxResultsException"), "none of the operation's errors"),
        (error("AccessDeniedException", 400), "does not come with 400"),
        (error("ServerInternalException", 500), "a bug"),
        (error("UnknownResourceException", message=""), "no message"),
        (error("UnknownResourceException", __type="Other"), "the body says Other"),
        (error("UnknownResourceException", detail="x"), "unknown members"),
    ],
)
def test_bad_errors_are_found(response, complaint):
    assert complaint in found("GetResourceShares", response)


def test_headers_are_looked_at():
    assert "content type" in found("TagResource", answer({}, **{"content-type": "text/plain"}))
    assert "no UUID" in found("TagResource", answer({}, **{"x-amzn-requestid": "7"}))


def test_request_ids_do_not_repeat():
    contract, operation, response = Contract(), RAM.operation_model("TagResource"), answer({})
    contract.check(operation, response)
    with pytest.raises(ContractViolation, match="used before"):
        contract.check(operation, response)


def test_a_watched_client_fails_the_call():
    client = SESSION.create_client(
        "ram", "eu-west-1", endpoint_url="http://127.0.0.1:9", aws_access_key_id="x", aws_secret_access_key="x"
    )
    Contract().watch(client)
    bodies = [{"resourceShares": [{"extra": 1}]}, {"resourceShares": []}]

    def instead_of_sending(request, **_):
        made = answer(bodies.pop(0))
        return AWSResponse(request.url, made["status_code"], made["headers"], Raw(made["body"]))

    client.meta.events.register("before-send.ram", instead_of_sending)
    with pytest.raises(ContractViolation, match="extra is not in the model"):
        client.get_resource_shares(resourceOwner="SELF")
    client.get_resource_shares(resourceOwner="SELF")


class Raw:
    """A body as it comes from the network."""

    def __init__(self, body: bytes):
        self.body = body

    def stream(self):
        yield self.body


def test_answers_of_iam_are_walked():
    operation = IAM.operation_model("ListUsers")
    member = (
        "<member><Path>/</Path><UserName>u</UserName><UserId>A</UserId><Arn>a</Arn>"
        "<CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
    )

    def complaints(result: str) -> str:
        metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        text = (
            '<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<ListUsersResult>{result}</ListUsersResult>{metadata}</ListUsersResponse>"
        )
        return "\n".join(violations(operation, answer(text.encode(), 200, **{"content-type": "text/xml"})))

    def users(inside: str, truncated: str = "false") -> str:
        return f"<Users>{inside}</Users><IsTruncated>{truncated}</IsTruncated>"

    assert complaints(users(member)) == ""
    assert complaints(users("")) == ""
    assert "Users is required" in complaints("<IsTruncated>false</IsTruncated>")
    assert "IsTruncated is missing" in complaints("<Users/>")
    assert "no boolean" in complaints(users("", "no"))
    assert "is called user" in complaints(users("<user/>"))
    assert "Users[0].UserId is required" in complaints(users(member.replace("UserId", "Userid")))
    assert "no time" in complaints(users(member.replace("2026-01-01T00:00:00Z", "1767225600")))


def test_answers_of_sts_are_xml():
    operation = STS.operation_model("GetCallerIdentity")
    namespace = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
    result = "<Arn>a</Arn><UserId>u</UserId><Account>1</Account>"

    def complaints(text: str, status: int = 200) -> str:
        return "\n".join(violations(operation, answer(text.encode(), status, **{"content-type": "text/xml"})))

    def identity(result: str) -> str:
        metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        wrapped = f"<GetCallerIdentityResult>{result}</GetCallerIdentityResult>{metadata}"
        return f"<GetCallerIdentityResponse {namespace}>{wrapped}</GetCallerIdentityResponse>"

    def refusal(code: str) -> str:
        members = f"<Type>Sender</Type><Code>{code}</Code><Message>No.</Message>"
        return f"<ErrorResponse {namespace}><Error>{members}</Error><RequestId>r</RequestId></ErrorResponse>"

    assert complaints(identity(result)) == ""
    assert "GetCallerIdentityResult.More is not in the model" in complaints(identity(result + "<More>1</More>"))
    assert "Arn is there twice" in complaints(identity(result + "<Arn>a</Arn>"))
    assert "Arn has elements" in complaints(identity("<Arn><a/></Arn>"))
    assert "not in the namespace" in complaints(identity(result).replace("2011-06-15", "2010-05-08"))
    assert "request id" in complaints(identity(result).replace("RequestId>", "Id>"))
    assert "no XML" in complaints("{}")
    assert complaints(refusal("SignatureDoesNotMatch"), 403) == ""
    assert "InvalidSignatureException" in complaints(refusal("InvalidSignatureException"), 403)
