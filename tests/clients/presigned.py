"""Presigned URLs of STS, fetched and read by something that is no SDK."""

import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree

from contract import STS_NAMESPACE


def fetch(url: str) -> tuple[int, ElementTree.Element]:
    """The status and the document behind a URL."""
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status, ElementTree.fromstring(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ElementTree.fromstring(error.read())


def account_in(root: ElementTree.Element) -> str | None:
    """The account that GetCallerIdentity names."""
    return root.findtext(f"{STS_NAMESPACE}GetCallerIdentityResult/{STS_NAMESPACE}Account")


def code_in(root: ElementTree.Element) -> str | None:
    """The code of an error."""
    return root.findtext(f"{STS_NAMESPACE}Error/{STS_NAMESPACE}Code")
