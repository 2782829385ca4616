"""Holds every answer against botocore's own model of the service.

SDKs forgive much: unknown members are dropped, missing ones are None, a wrong error code is just another code. So the
raw answers are checked, through a hook in the client, and what is wrong fails the test that made the call.
"""

import json
import re
import xml.etree.ElementTree as ElementTree

from botocore.model import OperationModel, Shape, StructureShape

# Front-end errors, which the model does not list, with the statuses they come with.
COMMON_ERRORS = {
    "AccessDeniedException": {403},
    "ExpiredTokenException": {403},
    "IncompleteSignatureException": {400, 403},
    "InvalidSignatureException": {403},
    "MissingAuthenticationTokenException": {403},
    "SerializationException": {400},
    "UnrecognizedClientException": {403},
    "ValidationException": {400},
}
# awsJson1.1 answers all of these with 400, and so do the exceptions of Organizations.
JSON_ERRORS = {code: {400} for code in COMMON_ERRORS}
# The same for the Query protocol of STS and IAM.
QUERY_ERRORS = {
    "AccessDenied": {403},
    "ExpiredToken": {400, 403},
    "IncompleteSignature": {400, 403},
    "InvalidAction": {400},
    "InvalidClientTokenId": {403},
    "MalformedQueryString": {400, 404},
    "MissingAuthenticationToken": {403},
    "SignatureDoesNotMatch": {403},
    "ValidationError": {400},
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Times are seconds: in this range they are between 2001 and 2100, and milliseconds are not.
TIME_RANGE = (1_000_000_000, 4_102_444_800)
ISO_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class ContractViolation(AssertionError):
    """An answer that the service's model does not allow."""


class Contract:
    """Watches clients. Request ids must not repeat, over all of them."""

    def __init__(self):
        self.request_ids = set()

    def watch(self, client):
        model = client.meta.service_model

        def check(event_name, response_dict, **_):
            if response_dict is not None:
                operation = model.operation_model(event_name.rsplit(".", 1)[1])
                self.check(operation, response_dict)

        client.meta.events.register(f"response-received.{model.service_id.hyphenize()}", check)
        return client

    def check(self, operation: OperationModel, response: dict):
        found = violations(operation, response)
        request_id = response["headers"].get("x-amzn-requestid", "")
        if request_id in self.request_ids:
            found.append(f"the request id {request_id} was used before")
        self.request_ids.add(request_id)
        if found:
            body = response["body"].decode(errors="replace")
            raise ContractViolation(
                f"{operation.name} answered {response['status_code']} {body}\n- " + "\n- ".join(found)
            )


def violations(operation: OperationModel, response: dict) -> list[str]:
    """What is wrong with an answer: an empty list for a good one."""
    found = []
    if not UUID.fullmatch(response["headers"].get("x-amzn-requestid", "")):
        found.append("x-amzn-requestid is no UUID")
    if operation.service_model.metadata["protocol"] == "query":
        return found + query_violations(operation, response)
    if response["headers"].get("content-type") != content_type(operation):
        found.append(f"the content type is {response['headers'].get('content-type')}")
    try:
        body = json.loads(response["body"], object_pairs_hook=unique_members, parse_constant=refuse_constant)
    except (ValueError, UnicodeDecodeError) as error:
        return [*found, f"the body is no JSON: {error}"]
    if not isinstance(body, dict):
        return [*found, "the body is no JSON object"]
    if response["status_code"] == 200:
        return found + output_violations(operation, body)
    return found + error_violations(operation, response, body)


def content_type(operation: OperationModel) -> str:
    protocol = operation.service_model.metadata["protocol"]
    return "application/x-amz-json-1.1" if protocol == "json" else "application/json"


def output_violations(operation: OperationModel, body: dict) -> list[str]:
    shape = operation.output_shape
    if shape is None:
        return [] if body == {} else ["the operation has no output"]
    found = list(value_violations(shape, body, ""))
    # Lists are there even when empty, although the model requires nothing.
    for name, member in shape.members.items():
        if member.type_name == "list" and member.serialization.get("name", name) not in body:
            found.append(f"{name} is missing")
    return found


def error_violations(operation: OperationModel, response: dict, body: dict) -> list[str]:
    found = []
    status = response["status_code"]
    header = response["headers"].get("x-amzn-errortype")
    if not header:
        return [f"{status} without x-amzn-ErrorType"]
    code = header.split(":")[0].split("#")[-1]
    in_body = body.get("__type", body.get("code"))
    if in_body is not None and in_body.split("#")[-1] != code:
        found.append(f"the body says {in_body}, the header {code}")
    is_json = operation.service_model.metadata["protocol"] == "json"
    name = "Message" if is_json else "message"
    message = body.get(name)
    if not isinstance(message, str) or not message:
        found.append("the error has no message")
    unknown = set(body) - {name, "__type"}
    if is_json:
        if "__type" not in body:
            found.append("the body does not say which error it is")
        shapes = {shape.error_code: shape for shape in operation.error_shapes}
        unknown -= set(shapes[code].members) if code in shapes else set()
    if unknown:
        found.append(f"the error has unknown members: {sorted(unknown)}")

    common = JSON_ERRORS if is_json else COMMON_ERRORS
    modelled = {
        shape.error_code: shape.metadata.get("error", {}).get("httpStatusCode", 400)
        for shape in operation.error_shapes
    }
    if code in modelled:
        if status != modelled[code]:
            found.append(f"{code} comes with {modelled[code]}, not {status}")
    elif code not in common:
        found.append(f"{code} is none of the operation's errors")
    elif status not in common[code]:
        found.append(f"{code} does not come with {status}")
    if status >= 500:
        found.append("a bug, or an overload, of the server")
    return found


def value_violations(shape: Shape, value, path: str):
    """Walks a JSON value beside the shape it must have."""
    kind = shape.type_name
    if value is None:
        yield f"{path or 'the body'} is null; absent members are left out"
    elif kind == "structure":
        if isinstance(value, dict):
            yield from structure_violations(shape, value, path)
        else:
            yield f"{path} is no object"
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for index, item in enumerate(value):
            yield from value_violations(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        for name, item in value.items():
            yield from value_violations(shape.value, item, f"{path}.{name}")
    else:
        yield from scalar_violations(shape, value, path)


def structure_violations(shape: StructureShape, value: dict, path: str):
    members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    for name in value.keys() - members.keys():
        yield f"{path}.{name} is not in the model"
    for name in shape.required_members:
        if shape.members[name].serialization.get("name", name) not in value:
            yield f"{path}.{name} is required"
    for name in value.keys() & members.keys():
        yield from value_violations(members[name], value[name], f"{path}.{name}")


def scalar_violations(shape: Shape, value, path: str):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match shape.type_name:
        case "string":
            if not isinstance(value, str):
                yield f"{path} is no string"
            elif shape.metadata.get("enum") and value not in shape.metadata["enum"]:
                yield f"{path} is {value!r}, which is none of {shape.metadata['enum']}"
        case "boolean":
            if not isinstance(value, bool):
                yield f"{path} is no boolean"
        case "integer" | "long":
            if not number or isinstance(value, float):
                yield f"{path} is no integer"
        case "timestamp":
            if not number:
                yield f"{path} is no number"
            elif not TIME_RANGE[0] <= value <= TIME_RANGE[1]:
                yield f"{path} is {value}, which is no time in seconds"
        case other:
            yield f"{path} is of type {other}, which the contract does not know"


def query_violations(operation: OperationModel, response: dict) -> list[str]:
    """STS and IAM answer in XML, in the namespace of their model."""
    if response["headers"].get("content-type", "").split(";")[0] not in ("text/xml", "application/xml"):
        return [f"the content type is {response['headers'].get('content-type')}"]
    try:
        root = ElementTree.fromstring(response["body"])
    except ElementTree.ParseError as error:
        return [f"the body is no XML: {error}"]
    namespace = f"{{{operation.service_model.metadata['xmlNamespace']}}}"
    foreign = {element.tag for element in root.iter() if not element.tag.startswith(namespace)}
    if foreign:
        return [f"not in the namespace {namespace}: {sorted(foreign)}"]
    for element in root.iter():
        element.tag = element.tag.removeprefix(namespace)
    if response["status_code"] == 200:
        return query_output_violations(operation, root)
    return query_error_violations(operation, response["status_code"], root)


def query_output_violations(operation: OperationModel, root: ElementTree.Element) -> list[str]:
    if root.tag != f"{operation.name}Response":
        return [f"the root element is {root.tag}"]
    found = []
    if not UUID.fullmatch(root.findtext("ResponseMetadata/RequestId", "")):
        found.append("ResponseMetadata has no request id")
    shape = operation.output_shape
    wrapper = shape.serialization["resultWrapper"] if shape else None
    if [element.tag for element in root] != [name for name in (wrapper, "ResponseMetadata") if name]:
        return [*found, f"the answer has the elements {[element.tag for element in root]}"]
    if shape:
        found += element_violations(shape, root[0], wrapper)
        # What an answer tells of its list is there even when the model does not require it.
        if "IsTruncated" in shape.members and root[0].findtext("IsTruncated") not in ("true", "false"):
            found.append("IsTruncated is missing")
    return found


def element_violations(shape: Shape, element: ElementTree.Element, path: str):
    """Walks an XML element beside the shape it must have."""
    match shape.type_name:
        case "structure":
            names = [child.tag for child in element]
            for name in {name for name in names if names.count(name) > 1}:
                yield f"{path}.{name} is there twice"
            for name in set(names) - set(shape.members):
                yield f"{path}.{name} is not in the model"
            for name in set(shape.required_members) - set(names):
                yield f"{path}.{name} is required"
            for child in element:
                if child.tag in shape.members:
                    yield from element_violations(shape.members[child.tag], child, f"{path}.{child.tag}")
        case "list":
            for index, child in enumerate(element):
                if child.tag != "member":
                    yield f"{path}[{index}] is called {child.tag}"
                yield from element_violations(shape.member, child, f"{path}[{index}]")
        case kind:
            text = element.text or ""
            if len(element):
                yield f"{path} has elements"
            elif kind == "boolean" and text not in ("true", "false"):
                yield f"{path} is {text!r}, which is no boolean"
            elif kind == "integer" and not re.fullmatch(r"-?\d+", text):
                yield f"{path} is {text!r}, which is no integer"
            elif kind == "timestamp" and not ISO_TIME.fullmatch(text):
                yield f"{path} is {text!r}, which is no time"
            elif kind == "string" and shape.metadata.get("enum") and text not in shape.metadata["enum"]:
                yield f"{path} is {text!r}, which is none of {shape.metadata['enum']}"


def query_error_violations(operation: OperationModel, status: int, root: ElementTree.Element) -> list[str]:
    if root.tag != "ErrorResponse":
        return [f"the root element is {root.tag}"]
    found = []
    error = {member.tag: member.text for member in root.findall("Error/*")}
    if error.get("Type") != "Sender":
        found.append(f"the error's type is {error.get('Type')}")
    if not error.get("Message"):
        found.append("the error has no message")
    modelled = {shape.error_code: shape.metadata["error"]["httpStatusCode"] for shape in operation.error_shapes}
    code = error.get("Code")
    allowed = {modelled[code]} if code in modelled else QUERY_ERRORS.get(code, set())
    if status not in allowed:
        found.append(f"the error is {code} with {status}")
    return found


def unique_members(pairs: list) -> dict:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def refuse_constant(name: str):
    raise ValueError(f"{name} is not JSON")
