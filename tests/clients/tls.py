"""A proxy that speaks TLS in front of a server, with a certificate that nobody knows but who is told."""

import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest


class TlsProxy:
    """Listens on localhost. `certificate` is the file that clients are to trust."""

    def __init__(self, endpoint: str, folder: Path):
        self.certificate = make_certificate(folder)
        target = urlsplit(endpoint)
        self.target = (target.hostname, target.port)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "key.pem")
        self.listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.endpoint = f"https://localhost:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except ssl.SSLError:
                # A client that does not trust it.
                continue
            except OSError:
                return
            server = socket.create_connection(self.target)
            for source, sink in [(client, server), (server, client)]:
                threading.Thread(target=copy, args=(source, sink), daemon=True).start()

    def stop(self):
        self.listener.close()


def copy(source: socket.socket, sink: socket.socket):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One side is gone, and so is what it had to say.
        return


def make_certificate(folder: Path) -> Path:
    """A certificate of localhost that signs itself, and its key beside it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl on PATH, to make a certificate")
    certificate = folder / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate
