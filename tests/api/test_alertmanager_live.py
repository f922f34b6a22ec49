"""A real Alertmanager fires and resolves an alert, and Tierline opens and resolves a ticket."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from tests.story import Story
from tickets.models import Alert, Ticket
from tickets.sources import create_source

PATIENCE_S = 30

CONFIG = """
global:
  resolve_timeout: 1m
route:
  receiver: tierline
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: tierline
    webhook_configs:
      - url: {address}
        send_resolved: true
"""


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing: the test tells what went wrong."""


@pytest.fixture
def site(live_db) -> Iterator[str]:
    """The address of our own web application, served from threads of this process."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, connections_override={})
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@pytest.fixture
def start_alertmanager(alertmanager: str, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Starts a real Alertmanager whose webhook goes to an address; its own address comes back."""
    running: list[subprocess.Popen[bytes]] = []

    def start(address: str) -> str:
        (tmp_path / "config.yml").write_text(CONFIG.format(address=address))
        own = f"127.0.0.1:{free_port()}"
        command = [
            alertmanager,
            f"--config.file={tmp_path}/config.yml",
            "--cluster.listen-address=",
        ]
        command += [f"--storage.path={tmp_path}/data", f"--web.listen-address={own}"]
        with (tmp_path / "log").open("wb") as log:
            running.append(subprocess.Popen(command, stdout=log, stderr=log))
        wait_until(lambda: is_ready(own), "Alertmanager is not ready")
        return f"http://{own}"

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/-/ready", timeout=1).ok
    except requests.RequestException:
        return False


def wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > ends:
            pytest.fail(otherwise)
        time.sleep(0.1)


def tell(monitor: str, *, is_over: bool) -> None:
    """Post one alert to Alertmanager's own API, as Prometheus does."""
    now = datetime.now(UTC)
    ends = now if is_over else now + timedelta(minutes=10)
    alert = {
        "labels": {"alertname": "DiskFull", "instance": "db1", "severity": "critical"},
        "annotations": {"summary": "disk full on db1"},
        "startsAt": (now - timedelta(minutes=1)).isoformat() if not is_over else None,
        "endsAt": ends.isoformat(),
    }
    answer = requests.post(
        f"{monitor}/api/v2/alerts",
        json=[{name: value for name, value in alert.items() if value is not None}],
        timeout=5,
    )
    answer.raise_for_status()


def test_a_real_alertmanager_opens_a_ticket_and_resolves_it(site, start_alertmanager):
    story = Story()
    _, key = create_source(slug="prom", product="alertmanager", service=story.mail)
    monitor = start_alertmanager(f"{site}/intake/v1/alertmanager/{key}")
    tell(monitor, is_over=False)
    wait_until(Ticket.objects.exists, "no ticket was opened")
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.priority) == ("disk full on db1", 1)
    assert ticket.team == story.desk
    tell(monitor, is_over=True)
    wait_until(lambda: Ticket.objects.get().status == "resolved", "the ticket was not resolved")
    assert Alert.objects.get().state == "resolved"
    assert Ticket.objects.get().resolution_code == "monitor"
