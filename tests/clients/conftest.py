"""Fixtures: a server on each kind of store, and accounts that nobody else uses.

Most tests share one server per store, each with accounts of its own. A test that sets the clock, empties the store,
restarts the server or wants another mode starts a server for itself with `start_server`.
"""

import itertools
import json
import os
import subprocess
from pathlib import Path

import pytest

from account import Account
from contract import Contract
from server import Rampart, Server
from store import PostgresStores, SqliteStores

# Nothing of the user's own AWS set-up, and no proxy between the clients and a server on this machine.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
os.environ |= {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
os.environ |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

ACCOUNT_NUMBERS = itertools.count(100_000_000_001)
SERVERS = pytest.StashKey[list[Server]]()


@pytest.fixture(scope="session")
def program() -> Path:
    """The rampart under test."""
    path = os.environ.get("RAMPART_BIN")
    if not path or not Path(path).is_file():
        pytest.exit("RAMPART_BIN names no program: run through `cargo xtask test clients`", returncode=3)
    return Path(path)


@pytest.fixture(scope="session")
def table(program) -> dict[str, dict]:
    """What the program says of RAM's operations."""
    listed = subprocess.run([program, "operations", "--output", "json"], capture_output=True, check=True).stdout
    return {row["Operation"]: row for row in json.loads(listed) if row["Service"] == "ram"}


@pytest.fixture(scope="session")
def contract() -> Contract:
    """What every answer is held against."""
    return Contract()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def stores(request, tmp_path_factory):
    """A source of new stores: every test runs on both kinds."""
    made = SqliteStores(tmp_path_factory.mktemp("stores")) if request.param == "sqlite" else PostgresStores()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def shared_server(program, stores, tmp_path_factory, request):
    """A server in open mode, for tests that keep to their own accounts."""
    server = Server(Rampart(program, stores.new()), tmp_path_factory.mktemp("server") / "log")
    request.config.stash.setdefault(SERVERS, []).append(server)
    yield server
    request.config.stash[SERVERS].remove(server)
    assert server.stop() == 0, server.tail()


@pytest.fixture
def server(shared_server) -> Server:
    """The shared server, which no test may have brought down."""
    assert shared_server.process.poll() is None, f"the server is gone:\n{shared_server.tail()}"
    return shared_server


@pytest.fixture
def rampart(program, stores) -> Rampart:
    """The program with an empty store of its own."""
    return Rampart(program, stores.new())


@pytest.fixture
def start_server(rampart, tmp_path, request):
    """Starts servers on the test's own store: `start_server(auth="strict")`."""
    started = []

    def start(*arguments: str, auth: str = "open") -> Server:
        server = Server(rampart, tmp_path / f"server-{len(started)}.log", auth=auth, arguments=arguments)
        started.append(server)
        request.config.stash.setdefault(SERVERS, []).append(server)
        return server

    yield start
    for server in started:
        request.config.stash[SERVERS].remove(server)
        server.stop()


@pytest.fixture
def new_account(contract):
    """Makes accounts that no other test knows."""

    def make(server: Server, account_id: str | None = None, **keys) -> Account:
        return Account(server, account_id or str(next(ACCOUNT_NUMBERS)), contract, **keys)

    return make


@pytest.fixture
def owner(server, new_account) -> Account:
    """Who shares."""
    return new_account(server)


@pytest.fixture
def receiver(server, new_account) -> Account:
    """Who is shared with."""
    return new_account(server)


@pytest.fixture
def stranger(server, new_account) -> Account:
    """Who has nothing to do with it."""
    return new_account(server)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure comes with what the running servers said last."""
    report = yield
    if report.failed:
        for server in item.config.stash.get(SERVERS, []):
            report.sections.append((f"rampart on {server.rampart.store.url.split(':')[0]}", server.tail()))
    return report
