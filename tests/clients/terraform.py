"""Terraform with the AWS provider, where this machine has both: no `skip_` flag of the provider is set."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

# The folder with the provider, laid out as Terraform lays out a mirror.
PLUGINS = "RAMPART_TEST_TF_PLUGINS"
# An apply that takes longer than this will not end.
TIMEOUT_SECONDS = 300

PROVIDER = """
provider "aws" {{
  {alias}
  region     = "eu-west-1"
  access_key = "{key}"
  secret_key = "{secret}"
  endpoints {{
    ram           = "{endpoint}"
    sts           = "{endpoint}"
    iam           = "{endpoint}"
    organizations = "{endpoint}"
  }}
}}
"""


def find() -> tuple[str, Path]:
    """Terraform and the folder of its plugins; skips the test where there are none."""
    program = shutil.which("terraform")
    plugins = os.environ.get(PLUGINS)
    if program is None or not plugins or not Path(plugins).is_dir():
        pytest.skip(f"needs terraform on PATH and its AWS provider in the folder that {PLUGINS} names")
    return program, Path(plugins)


def provider(account, alias: str | None = None) -> str:
    """A provider that calls as an account, in open mode."""
    alias = f'alias = "{alias}"' if alias else ""
    return PROVIDER.format(alias=alias, key=account.id, secret="x", endpoint=account.server.endpoint)


class Terraform:
    """A folder with a configuration, and the program that applies it."""

    def __init__(self, folder: Path):
        self.program, plugins = find()
        self.folder = folder
        settings = folder / "terraform.rc"
        settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{plugins}"\n  }}\n}}\n')
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        self.environment = kept | {
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }

    def configure(self, *parts: str):
        (self.folder / "main.tf").write_text("\n".join(parts))

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess:
        command = [self.program, *arguments, "-no-color"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
        assert done.returncode in codes, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done

    def init(self):
        self.run("init", "-input=false")

    def apply(self):
        self.run("apply", "-input=false", "-auto-approve")

    def has_changes(self) -> bool:
        """Whether a plan would change anything. A test that fails shows the plan."""
        plan = self.run("plan", "-input=false", "-detailed-exitcode", codes=(0, 2))
        print(plan.stdout)
        return plan.returncode == 2

    def destroy(self):
        self.run("destroy", "-input=false", "-auto-approve")

    def outputs(self) -> dict:
        shown = json.loads(self.run("output", "-json").stdout)
        return {name: output["value"] for name, output in shown.items()}
