"""Presigned URLs of STS, fetched and read by something that is no SDK."""

import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree

STS_NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"


def presign(account, method: str = "GET", **parameters) -> str:
    """A URL that says who the account is, to be fetched with the method that it is signed for."""
    return account.sts.generate_presigned_url("get_caller_identity", HttpMethod=method, **parameters)


def fetch(url: str, method: str = "GET") -> tuple[int, ElementTree.Element]:
    """The status and the document behind a URL."""
    request = urllib.request.Request(url, b"" if method == "POST" else None, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
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
