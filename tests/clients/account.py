"""An AWS account as its users see it: boto3 clients and the `aws` command, and the few calls most tests begin with."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from contract import Contract

REGION = "eu-west-1"
HOUR = 3600
DAY = 24 * HOUR

# One attempt: what a retry would hide is what the tests look for. Enums and ranges are for the server to judge.
CONFIG = Config(
    retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30, parameter_validation=False, proxies={}
)
SESSION = boto3.session.Session()


class Account:
    """Somebody with keys for a server. In open mode a twelve-digit key id is the account."""

    def __init__(
        self,
        server,
        account_id: str,
        contract: Contract,
        *,
        key: str | None = None,
        secret: str = "x",
        token: str | None = None,
        region: str = REGION,
    ):
        self.server = server
        self.region = region
        self.id = account_id
        self.contract = contract
        self.key = key or account_id
        self.secret = secret
        self.token = token
        self.clients = {}

    @property
    def ram(self):
        return self.client("ram")

    @property
    def sts(self):
        return self.client("sts")

    @property
    def iam(self):
        return self.client("iam")

    def with_credentials(self, credentials: dict, account_id: str | None = None) -> "Account":
        """Whoever holds the credentials that STS or IAM gave."""
        return Account(
            self.server,
            account_id or self.id,
            self.contract,
            key=credentials["AccessKeyId"],
            secret=credentials["SecretAccessKey"],
            token=credentials.get("SessionToken"),
            region=self.region,
        )

    def client(self, service: str):
        """A client whose answers are held against the service's model. A restarted server has a new endpoint."""
        place = (service, self.server.endpoint)
        if place not in self.clients:
            self.clients[place] = self.contract.watch(self.unwatched(service))
        return self.clients[place]

    def unwatched(self, service: str):
        return SESSION.client(
            service,
            region_name=self.region,
            endpoint_url=self.server.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
            config=CONFIG,
        )

    def own_api(self, method: str, path: str, body=None, query: dict | None = None) -> tuple[int, dict]:
        """Calls rampart's own API, signed as a call of RAM."""
        url = f"{self.server.endpoint}/rampart/v1/{path}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body)
        request = AWSRequest(method, url, {"Content-Type": "application/json"}, data)
        SigV4Auth(Credentials(self.key, self.secret), "ram", self.region).add_auth(request)
        response = URLLib3Session(proxies={}).send(request.prepare())
        return response.status_code, json.loads(response.content)

    def aws(self, *arguments: str):
        """Runs the AWS CLI and returns what it prints, as JSON."""
        result = self.run_aws(*arguments)
        assert result.returncode == 0, f"aws {' '.join(arguments)}:\n{result.stderr}"
        return json.loads(result.stdout)

    def run_aws(self, *arguments: str) -> subprocess.CompletedProcess:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {
            "AWS_ENDPOINT_URL": self.server.endpoint,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }
        if self.token:
            environment["AWS_SESSION_TOKEN"] = self.token
        aws = Path(sys.executable).with_name("aws")
        return subprocess.run([aws, *arguments], capture_output=True, text=True, env=environment, timeout=120)

    # What accounts do all the time.

    def transit_gateway(self, number: int = 1) -> str:
        """The ARN of a resource whose invitations live for seven days."""
        return f"arn:aws:ec2:{self.region}:{self.id}:transit-gateway/tgw-{number:017x}"

    def component(self, number: int = 1) -> str:
        """The ARN of a resource whose invitations live for twelve hours."""
        return f"arn:aws:imagebuilder:{self.region}:{self.id}:component/component-{number}/1.0.0/1"

    def share(self, *receivers: "Account", resources: list[str] | None = None, name: str = "net", **parameters) -> str:
        """Makes a resource share, of a transit gateway unless told otherwise, and returns its ARN."""
        answer = self.ram.create_resource_share(
            name=name,
            resourceArns=[self.transit_gateway()] if resources is None else resources,
            principals=[receiver.id for receiver in receivers],
            **parameters,
        )
        return answer["resourceShare"]["resourceShareArn"]

    def invitation(self, share: str) -> dict:
        """The one invitation to a share that waits for an answer."""
        answer = self.ram.get_resource_share_invitations(resourceShareArns=[share])
        pending = [found for found in answer["resourceShareInvitations"] if found["status"] == "PENDING"]
        assert len(pending) == 1, f"{len(pending)} pending invitations to {share}"
        return pending[0]

    def accept(self, share: str) -> dict:
        """Accepts the invitation to a share."""
        arn = self.invitation(share)["resourceShareInvitationArn"]
        return self.ram.accept_resource_share_invitation(resourceShareInvitationArn=arn)["resourceShareInvitation"]

    def reject(self, share: str) -> dict:
        """Rejects the invitation to a share."""
        arn = self.invitation(share)["resourceShareInvitationArn"]
        return self.ram.reject_resource_share_invitation(resourceShareInvitationArn=arn)["resourceShareInvitation"]

    def associations(self, share: str, kind: str = "PRINCIPAL") -> list[dict]:
        """The principals or resources of an own share."""
        answer = self.ram.get_resource_share_associations(associationType=kind, resourceShareArns=[share])
        return answer["resourceShareAssociations"]

    def visible_shares(self, owner: str) -> dict[str, str]:
        """Share ARNs and their statuses: of `SELF`, or of `OTHER-ACCOUNTS`."""
        pages = self.ram.get_paginator("get_resource_shares").paginate(resourceOwner=owner)
        return {share["resourceShareArn"]: share["status"] for page in pages for share in page["resourceShares"]}
