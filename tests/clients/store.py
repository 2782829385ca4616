"""Stores for rampart to run on: a new SQLite file, or a new database of a PostgreSQL cluster."""

import base64
import itertools
import os
import secrets
import shutil
import subprocess
import tempfile
import urllib.parse
import uuid
from dataclasses import dataclass, field
from pathlib import Path

# PostgreSQL's superuser in clusters that we make.
SUPERUSER = "postgres"

# Waits for the end of its standard input, which comes when the test process ends, however it ends.
WATCHDOG = """
trap '' HUP INT TERM
read -r _
if read -r server < "$1/data/postmaster.pid"; then
    "$2/pg_ctl" -D "$1/data" -m immediate -w stop || kill -s QUIT "$server"
fi
for _ in 1 2 3; do rm -rf "$1" && break; done
"""


@dataclass
class Store:
    """What `--store` is given, and what else the server needs to know in its environment."""

    url: str
    environment: dict[str, str] = field(default_factory=dict)


class SqliteStores:
    """Makes SQLite stores. Their master key is made by rampart, beside the database."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.numbers = itertools.count()

    def new(self) -> Store:
        directory = self.directory / f"store-{next(self.numbers)}"
        directory.mkdir()
        return Store(f"sqlite:{directory / 'rampart.db'}")

    def stop(self):
        """Nothing runs."""


class PostgresStores:
    """Makes databases in a PostgreSQL cluster: the one of RAMPART_TEST_PG_URL, else one of its own."""

    def __init__(self):
        url = os.environ.get("RAMPART_TEST_PG_URL")
        self.cluster = None if url else Cluster()
        self.url = url or self.cluster.url

    def new(self) -> Store:
        name = f"rampart_clients_{uuid.uuid4().hex}"
        psql(self.url, f"CREATE DATABASE {name} TEMPLATE template0")
        url = urllib.parse.urlsplit(self.url)._replace(path=f"/{name}").geturl()
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        return Store(url, {"RAMPART_MASTER_KEY": key})

    def stop(self):
        if self.cluster:
            self.cluster.stop()


class Cluster:
    """A PostgreSQL server in a temporary directory, reached through a Unix socket there."""

    def __init__(self):
        programs = Path(os.environ.get("RAMPART_TEST_PG_BIN") or system_programs())
        self.directory = Path(tempfile.mkdtemp(prefix="rampart-pg-"))
        self.identity = identity_of_server()
        if self.identity:
            os.chown(self.directory, self.identity["user"], self.identity["group"])
            programs = self.reachable(programs)
        self.watchdog = subprocess.Popen(
            ["sh", "-c", WATCHDOG, "rampart-test-watchdog", self.directory, programs],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            **self.identity,
        )
        data = self.directory / "data"
        kind = ["-A", "trust", "-E", "UTF8", "--locale=C", "-U", SUPERUSER]
        self.run(programs / "initdb", "-D", data, "--no-sync", *kind)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "max_connections": "200",
            # A crash of the server loses nothing without these; a crash of the machine ends the tests anyway.
            "fsync": "off",
            "full_page_writes": "off",
        }
        lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
        (data / "postgresql.auto.conf").write_text("".join(lines))
        self.run(programs / "pg_ctl", "-D", data, "-w", "-t", "120", "-l", self.directory / "server.log", "start")
        host = urllib.parse.quote(str(self.directory), safe="")
        self.url = f"postgres://{host}:5432/postgres?user={SUPERUSER}"

    def stop(self):
        self.watchdog.stdin.close()
        self.watchdog.wait()

    def run(self, *command):
        result = subprocess.run(
            command, capture_output=True, text=True, cwd=self.directory, env=environment(), **self.identity
        )
        assert result.returncode == 0, f"{command[0].name} failed:\n{result.stdout}{result.stderr}"

    def reachable(self, programs: Path) -> Path:
        """The same programs, copied to where the server's user can reach them if it cannot."""
        probe = [programs / "postgres", "--version"]
        try:
            if subprocess.run(probe, capture_output=True, cwd="/", **self.identity).returncode == 0:
                return programs
        except PermissionError:
            pass
        prefix = programs.resolve().parent
        site = prefix.parent.parent
        copies = [prefix / part for part in ("bin", "lib", "share")]
        # Where a Python wheel has the libraries.
        copies.append(prefix.parent.with_name(prefix.parent.name + ".libs"))
        copy = self.directory / "postgresql"
        for source in filter(Path.is_dir, copies):
            shutil.copytree(source, copy / source.relative_to(site))
        for path in [copy, *copy.rglob("*")]:
            os.chown(path, self.identity["user"], self.identity["group"])
        return copy / prefix.relative_to(site) / "bin"


def identity_of_server() -> dict:
    """PostgreSQL refuses root: then it is `nobody` who runs it."""
    if os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def psql(url: str, sql: str):
    programs = os.environ.get("RAMPART_TEST_PG_BIN") or system_programs()
    quietly = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]
    command = [Path(programs) / "psql", *quietly, "--command", sql, "--dbname", url]
    result = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert result.returncode == 0, f"psql failed:\n{result.stderr}"


def environment() -> dict[str, str]:
    """Ours without PGHOST and its like, which are meant for the user's own databases."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def system_programs() -> str:
    """PostgreSQL's programs where RAMPART_TEST_PG_BIN does not say: on the PATH, or where Debian keeps them."""
    on_path = [Path(directory) for directory in os.get_exec_path()]
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    newest_first = sorted(debian, key=lambda directory: int(directory.parent.name), reverse=True)
    for directory in on_path + newest_first:
        if all((directory / program).is_file() for program in ("initdb", "postgres", "pg_ctl", "psql")):
            return str(directory)
    raise AssertionError("no PostgreSQL: run through `cargo xtask test clients`, or set RAMPART_TEST_PG_BIN")
