"""All operations of the model are known to the server. One that is not built yet says so, in words and at once: a 5xx
would make SDKs try again for minutes."""

import botocore.session
import pytest
from botocore.exceptions import ClientError

from contract import violations

MODEL = botocore.session.get_session().get_service_model("ram")


def test_the_model_is_the_one_we_know():
    assert len(MODEL.operation_names) == 36


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_an_operation_answers(owner, table, name):
    """Called with as little as the model allows, an operation answers as modelled, or says that it is not there yet."""
    operation = MODEL.operation_model(name)
    client = owner.unwatched("ram")
    answers = []
    client.meta.events.register("response-received.ram", lambda response_dict, **_: answers.append(response_dict))
    try:
        client._make_api_call(name, smallest(operation.input_shape))
        code = None
    except ClientError as error:
        code = error.response["Error"]["Code"]
    [answer] = answers
    assert answer["status_code"] < 500, answer["body"]

    modelled = {shape.error_code for shape in operation.error_shapes}
    unbuilt = code is not None and code not in modelled and name in answer["body"].decode()
    if unbuilt:
        assert not table[name]["Works"], answer["body"]
        assert 400 <= answer["status_code"] < 500
    else:
        assert table[name]["Works"]
        assert violations(operation, answer) == []


def smallest(shape):
    """A value of a shape with nothing in it but what must be."""
    match shape.type_name:
        case "structure":
            return {member: smallest(shape.members[member]) for member in shape.required_members}
        case "list":
            return [smallest(shape.member)]
        case "boolean":
            return True
        case "integer":
            return 1
        case _:
            return (shape.metadata.get("enum") or ["x"])[0]
