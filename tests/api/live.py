"""Our own web application on a port of its own, as real clients see it; it can be restarted."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

PATIENCE_S = 60


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing: the test tells what went wrong."""


class Site:
    """The application, served from threads of this process, over TLS when it is given a context."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.context = context
        self.port = free_port()
        self._server: ThreadedWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        server = ThreadedWSGIServer(("127.0.0.1", self.port), Quiet, connections_override={})
        if self.context is not None:
            server.socket = self.context.wrap_socket(server.socket, server_side=True)
        server.set_app(get_wsgi_application())
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(timeout=10)
        self._server = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], otherwise: str, patience_s: float = PATIENCE_S) -> None:
    """Wait for something to hold; the test fails with a sentence when it never does."""
    ends = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > ends:
            pytest.fail(otherwise)
        time.sleep(0.1)


def own_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file; skips where openssl is missing."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    made, key = folder / "own.pem", folder / "own.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    made.write_text(made.read_text() + key.read_text())
    return made
