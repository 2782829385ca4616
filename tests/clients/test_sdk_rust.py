"""The AWS SDK for Rust: a program of its own, built once by cargo."""

import json
import os
import subprocess
from pathlib import Path

import pytest

MANIFEST = Path(__file__).parent / "sdk-rust" / "Cargo.toml"


@pytest.fixture(scope="session")
def sdk(pytestconfig) -> Path:
    """The program."""
    target = Path(pytestconfig.cache.mkdir("sdk-rust"))
    # Its own workspace and its own profile: nothing of the build around it applies.
    kept = {name: value for name, value in os.environ.items() if name not in ("RUSTFLAGS", "CARGO_TARGET_DIR")}
    cargo = [os.environ.get("CARGO", "cargo"), "build", "--locked", "--quiet"]
    built = subprocess.run(
        [*cargo, "--manifest-path", MANIFEST, "--target-dir", target], env=kept, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return target / "debug" / "sdk-rust"


def test_the_story(sdk, server, owner, receiver, stranger):
    gateway = owner.transit_gateway()
    told = subprocess.run(
        [sdk, server.endpoint, owner.id, receiver.id, gateway, stranger.id], capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == {
        "caller": owner.id,
        "created": True,
        "before": 0,
        "accepted": "ACCEPTED",
        "again": True,
        "after": ["from-rust"],
        "resources": [gateway],
        "deleted": True,
        "inside": ["inside"],
    }
