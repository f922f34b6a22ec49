"""A real Alertmanager speaks to three of our doors at once: nothing is lost while we are away."""

import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from tests.api.live import Site, free_port, wait_until
from tests.story import Story
from tickets.models import Alert, Ticket
from tickets.sources import create_source

DOWN_S = 30
"""Longer than any of its own tries lasts, so that it has to begin anew."""
ROUTE = """
global:
  resolve_timeout: 1m
route:
  receiver: tierline
  group_by: [alertname, instance]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: tierline
    webhook_configs:
      - url: {webhook}
        send_resolved: true
"""
VENDORS = """
    pagerduty_configs:
      - routing_key: {pagerduty}
        url: {site}/pagerduty/v2/enqueue
        severity: '{{{{ .CommonLabels.severity }}}}'
        description: '{{{{ .CommonAnnotations.summary }}}}'
        send_resolved: true
    opsgenie_configs:
      - api_key: {opsgenie}
        api_url: {site}/opsgenie/
        message: '{{{{ .CommonAnnotations.summary }}}}'
        priority: P1
        send_resolved: true
"""


@pytest.fixture
def site(live_db) -> Iterator[Site]:
    site = Site()
    site.start()
    yield site
    site.stop()


@pytest.fixture
def start_alertmanager(alertmanager: str, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Starts a real Alertmanager with a configuration; its own address comes back."""
    running: list[subprocess.Popen[bytes]] = []

    def start(configuration: str) -> str:
        (tmp_path / "config.yml").write_text(configuration)
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


def is_ready(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/-/ready", timeout=1).ok
    except requests.RequestException:
        return False


def tell(monitor: str, *hosts: str, is_over: bool) -> None:
    """Post alerts to Alertmanager's own API, as Prometheus does."""
    now = datetime.now(UTC)
    ends = now if is_over else now + timedelta(minutes=10)
    begun = {} if is_over else {"startsAt": (now - timedelta(minutes=1)).isoformat()}
    alerts = [
        {
            "labels": {"alertname": "DiskFull", "instance": host, "severity": "critical"},
            "annotations": {"summary": f"disk full on {host}"},
            "endsAt": ends.isoformat(),
            **begun,
        }
        for host in hosts
    ]
    requests.post(f"{monitor}/api/v2/alerts", json=alerts, timeout=5).raise_for_status()


def test_three_receivers_at_once_lose_nothing_over_a_restart_of_ours(site, start_alertmanager):
    story = Story()
    keys = {
        product: create_source(slug=product, product=product, service=story.mail)[1]
        for product in ("alertmanager", "pagerduty", "opsgenie")
    }
    webhook = f"{site.address}/intake/v1/alertmanager/{keys['alertmanager']}"
    vendors = {"pagerduty": keys["pagerduty"], "opsgenie": keys["opsgenie"]}
    configuration = (ROUTE + VENDORS).format(webhook=webhook, site=site.address, **vendors)
    monitor = start_alertmanager(configuration)
    hosts = [f"db{number}" for number in range(6)]
    tell(monitor, *hosts[:3], is_over=False)
    wait_until(lambda: count("firing") == 9, "the first alerts did not arrive everywhere")
    ticket = Ticket.objects.get(subject="disk full on db0", alerts__source__slug="alertmanager")
    assert (ticket.priority, ticket.team) == (1, story.desk)
    site.stop()
    tell(monitor, *hosts[3:], is_over=False)
    tell(monitor, hosts[0], is_over=True)
    time.sleep(DOWN_S)
    site.start()
    wait_until(lambda: (count("firing"), count("resolved")) == (15, 3), "something was lost")
    tell(monitor, *hosts, is_over=True)
    wait_until(lambda: count("resolved") == 18, "not everything was resolved")
    assert count("firing") == 0
    assert Alert.objects.count() == Ticket.objects.count() == 18
    assert not Ticket.objects.exclude(status="resolved", resolution_code="monitor").exists()


def count(state: str) -> int:
    return Alert.objects.filter(state=state).count()
