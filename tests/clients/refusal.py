"""Expecting an error: `with refused("UnknownResourceException"): ...`."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(*codes: str, status: int = 400):
    """The calls inside must fail with one of the codes. What was said is there afterwards, as `message` and `code`."""
    found = SimpleNamespace(code=None, message=None)
    with pytest.raises(ClientError) as error:
        yield found
    answer = error.value.response
    found.code, found.message = answer["Error"]["Code"], answer["Error"]["Message"]
    assert found.code in codes, f"{found.code}: {found.message}"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, f"{found.code}: {found.message}"
