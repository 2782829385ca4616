"""The rampart binary: as a server, and as the command line that works on its store."""

import json
import os
import queue
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

from store import Store

# A server that has said nothing for this long will not say anything.
START_TIMEOUT_SECONDS = 60
# Requests in flight are finished on SIGTERM; there are none that take this long.
STOP_TIMEOUT_SECONDS = 30

ENDPOINT = re.compile(r"https?://127\.0\.0\.1:\d+")


class Rampart:
    """The program and a store to run it on."""

    def __init__(self, program: Path, store: Store):
        self.program = program
        self.store = store

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        """Runs a command on the store to its end."""
        result = subprocess.run(
            [self.program, *arguments, "--store", self.store.url],
            capture_output=True,
            text=True,
            env=self.environment(),
            timeout=60,
        )
        if check:
            assert result.returncode == 0, f"rampart {' '.join(arguments)}:\n{result.stdout}{result.stderr}"
        return result

    def create_account(self, account_id: str):
        self.run("account", "create", account_id)

    def create_key(self, account_id: str, *arguments: str) -> dict:
        """A new key: at least AccessKeyId and SecretAccessKey."""
        result = self.run("key", "create", "--account", account_id, *arguments, "--output", "json")
        return json.loads(result.stdout)

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RAMPART_"))}
        return inherited | self.store.environment


class Server:
    """A running `rampart serve`."""

    def __init__(self, rampart: Rampart, log: Path, *, auth: str = "open", arguments: tuple[str, ...] = ()):
        self.rampart = rampart
        self.log = log
        self.auth = auth
        self.arguments = arguments
        self.process = None
        self.endpoint = None
        self.start()

    def start(self):
        """Starts it, on a port of its own choice, and waits until it says which."""
        command = [self.rampart.program, "serve", "--listen", "127.0.0.1:0", "--store", self.rampart.store.url]
        command += ["--auth", self.auth, *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=self.rampart.environment()
            )
        lines = queue.Queue()
        threading.Thread(target=self.read, args=(self.process.stdout, lines), daemon=True).start()
        said = []
        while (line := lines.get(timeout=START_TIMEOUT_SECONDS)) is not None:
            said.append(line)
            if found := ENDPOINT.search(line):
                self.endpoint = found.group()
                return
        self.process.wait()
        raise AssertionError(f"rampart did not start ({self.process.returncode}):\n{''.join(said)}{self.tail()}")

    def read(self, stdout, lines: queue.Queue):
        """Reads on after the endpoint is known: a full pipe would stop the server."""
        with self.log.open("a") as log:
            for line in stdout:
                lines.put(line)
                log.write(line)
                log.flush()
        lines.put(None)

    def stop(self) -> int:
        """Asks it to end, waits, and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.returncode

    def kill(self):
        """Ends it without a chance to do anything more."""
        self.process.kill()
        self.process.wait()

    def request(self, method: str, path: str, body=None) -> tuple[int, dict]:
        """Calls rampart's own API; returns the status and the answer's JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.endpoint + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, decode(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, decode(error.read())

    def advance_clock(self, seconds: float):
        status, answer = self.request("POST", "/rampart/v1/clock", {"advance": seconds})
        assert status == 200, answer

    def now(self) -> float:
        status, answer = self.request("GET", "/rampart/v1/clock")
        assert status == 200, answer
        return answer["now"]

    def tail(self) -> str:
        """The end of its log."""
        return "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-40:])


def decode(body: bytes) -> dict:
    return json.loads(body) if body else {}
