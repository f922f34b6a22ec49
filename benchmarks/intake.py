"""Alerts from outside at 100,000 open tickets: single ones, batches, and new tickets alone.

Part of `make bench NAME=doors`; by itself `make bench NAME=intake`, with ARGS="--quick" for small
sizes. The load generator runs beside the product's own web processes on the same machine; every
answer is checked, and what was accepted is compared with what is stored. The last line is JSON.
"""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import stage
from benchmarks.desk import wait_for
from benchmarks.machine import pace

Figures = dict[str, Any]
Ask = tuple[str, bytes, dict[str, str]]
CLIENTS = 8
DUPLICATES = 0.9
BATCH = 10
POOL = 200
"""So many alerts fire already; what repeats one of them is a duplicate."""
JSON = {"Content-Type": "application/json"}


def sizes(options: Namespace) -> dict[str, int]:
    """How many of what; small with --quick."""
    if options.quick:
        return {"open": 1000, "seconds": 3}
    return {"open": 100_000, "seconds": 20}


class Client(threading.Thread):
    """One sender that sends the next request as soon as it has its answer."""

    def __init__(self, port: int, make: Callable[[], Ask], until: float) -> None:
        super().__init__(daemon=True)
        self.port, self.make, self.until = port, make, until
        self.took: list[float] = []
        self.refused: list[str] = []

    def run(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while time.perf_counter() < self.until:
            where, body, headers = self.make()
            begun = time.perf_counter()
            line.request("POST", where, body, headers)
            answer = line.getresponse()
            text = answer.read()
            self.took.append(time.perf_counter() - begun)
            if answer.status not in (200, 202):
                self.refused.append(f"{answer.status} {text[:200]!r}")
        line.close()


def load(port: int, makers: list[Callable[[], Ask]], seconds: float) -> tuple[float, list[float]]:
    """Requests a second, and the seconds of each, of one client for each maker."""
    begun = time.perf_counter()
    clients = [Client(port, make, begun + seconds) for make in makers]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    refused = [text for client in clients for text in client.refused]
    if refused:
        raise SystemExit(f"{len(refused)} requests were refused, such as {refused[0]}")
    took = [one for client in clients for one in client.took]
    return len(took) / (time.perf_counter() - begun), took


# ---- Senders -------------------------------------------------------------------------------------


class Sender:
    """Makes the requests of one client: repeats of what fires already, and new alerts."""

    def __init__(self, name: str, key: str, *, duplicates: float, seed: int) -> None:
        self.name, self.key, self.duplicates = name, key, duplicates
        self.random = random.Random(f"{seed} {name}")
        self.number = 0

    def alert_name(self) -> str:
        if self.random.random() < self.duplicates:
            return f"pool {self.random.randrange(POOL)}"
        self.number += 1
        return f"{self.name} {self.number}"

    def event(self) -> Ask:
        """One alert, as PagerDuty's senders send it."""
        return event_of(self.key, self.alert_name())

    def batch(self) -> Ask:
        """Ten alerts of one group, as Alertmanager sends them; nine of them are known."""
        group = self.random.randrange(POOL // BATCH)
        known = [f"pool {group * BATCH + place}" for place in range(BATCH)]
        self.number += 1
        known[self.random.randrange(BATCH)] = f"{self.name} {self.number}"
        return batch_of(self.key, group, known)


def event_of(key: str, name: str) -> Ask:
    payload = {"summary": f"Disk full: {name}", "source": "db1", "severity": "warning"}
    body = {
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": name,
        "payload": payload,
    }
    return "/pagerduty/v2/enqueue", json.dumps(body).encode(), JSON


def batch_of(key: str, group: int, names: list[str]) -> Ask:
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "instance": name, "severity": "warning"},
            "annotations": {"summary": f"disk full on {name}"},
            "startsAt": "2026-01-01T00:00:00Z",
            "fingerprint": name,
        }
        for name in names
    ]
    body = {"version": "4", "groupKey": f"g{group}", "status": "firing", "alerts": alerts}
    return f"/intake/v1/alertmanager/{key}", json.dumps(body).encode(), JSON


def make_sources() -> dict[str, str]:
    """The keys of three sources by name; none holds storms back, for each ticket is to be new."""
    from tickets.models import AlertSource
    from tickets.sources import create_source

    products = {"single": "pagerduty", "batch": "alertmanager", "new": "pagerduty"}
    keys = {
        name: create_source(slug=f"bench-{name}", product=product)[1]
        for name, product in products.items()
    }
    AlertSource.objects.filter(slug__startswith="bench-").update(storm_limit=0)
    return keys


def fill(port: int, keys: dict[str, str]) -> None:
    """Let the alerts of the pool fire, at both of the sources that will repeat them."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    asks = [event_of(keys["single"], f"pool {number}") for number in range(POOL)]
    for group in range(POOL // BATCH):
        names = [f"pool {group * BATCH + place}" for place in range(BATCH)]
        asks.append(batch_of(keys["batch"], group, names))
    for where, body, headers in asks:
        line.request("POST", where, body, headers)
        answer = line.getresponse()
        text = answer.read()
        if answer.status not in (200, 202):
            raise SystemExit(f"{where} answered {answer.status}: {text[:300]!r}")
    line.close()


# ---- Figures -------------------------------------------------------------------------------------


def measure(port: int, *, seconds: float, seed: int) -> Figures:
    """The figures of intake, of the web process at this port; Django leads to its database."""
    keys = make_sources()
    fill(port, keys)
    stage.analyse()

    def senders(name: str, duplicates: float = DUPLICATES) -> list[Sender]:
        return [
            Sender(f"{name}{n}", keys[name], duplicates=duplicates, seed=seed)
            for n in range(CLIENTS)
        ]

    before = said("bench-single")
    single, single_took = load(port, [one.event for one in senders("single")], seconds)
    check("bench-single", before, len(single_took))
    before = said("bench-batch")
    batch, batch_took = load(port, [one.batch for one in senders("batch")], seconds)
    check("bench-batch", before, len(batch_took) * BATCH)
    before, tickets = said("bench-new"), count_tickets()
    new, new_took = load(port, [one.event for one in senders("new", 0.0)], seconds)
    check("bench-new", before, len(new_took))
    if count_tickets() - tickets != len(new_took):
        raise SystemExit("Not every new alert has a ticket of its own.")
    return {
        "intake_requests_per_s": round(single, 1),
        "intake_alerts_per_s": round(batch * BATCH, 1),
        "intake_new_per_s": round(new, 1),
        "intake_p99_ms": round(max(p99(single_took), p99(batch_took)), 1),
        "intake_single_p99_ms": round(p99(single_took), 1),
        "intake_batch_p99_ms": round(p99(batch_took), 1),
        "intake_new_p99_ms": round(p99(new_took), 1),
    }


def said(slug: str) -> int:
    """How often the source has said anything, as its alerts count it."""
    from django.db.models import Sum

    from tickets.models import Alert

    found = Alert.objects.filter(source__slug=slug).aggregate(count=Sum("count"))["count"]
    return int(found or 0)


def count_tickets() -> int:
    from tickets.models import Ticket

    return Ticket.objects.filter(alerts__source__slug="bench-new").distinct().count()


def check(slug: str, before: int, accepted: int) -> None:
    """Accepted means stored: every alert of every answered request is counted."""
    stored = said(slug) - before
    if stored != accepted:
        raise SystemExit(f"{slug}: {accepted} were accepted and {stored} are stored")


def p99(took: list[float]) -> float:
    ordered = sorted(took)
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000


def statements() -> Figures:
    """How many SQL statements a repeat and a new alert take, counted in this process."""
    from django.db import connection
    from django.test import Client as InProcess
    from django.test.utils import CaptureQueriesContext

    from tickets.sources import create_source

    _, key = create_source(slug="bench-counted", product="pagerduty")
    counts = []
    for name in ("first", "first", "first", "second"):
        where, body, _ = event_of(key, name)
        with CaptureQueriesContext(connection) as taken:
            InProcess().post(where, body, content_type="application/json", HTTP_HOST="localhost")
        counts.append(len(taken))
    return {"intake_repeat_sql": counts[2], "intake_new_sql": counts[3]}


@contextmanager
def served(home: Path) -> Iterator[int]:
    """The web processes that the product starts, on the database that Django leads to; the port."""
    from django.db import connection

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = dict(os.environ)
    env["DATABASE_URL"] = stage.url_of(home, connection.settings_dict["NAME"])
    env |= {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    command = [sys.executable, "-m", "config.serving"]
    server = subprocess.Popen(command, cwd=stage.ROOT, env=env)
    try:
        wait_for(port)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(15)


@contextmanager
def site(options: Namespace) -> Iterator[int]:
    """The web processes on a site of the wanted size; their port."""
    os.environ["STATIC_ROOT"] = str(options.home / "static")
    stage.start(options.home)
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(command, cwd=stage.ROOT, check=True)
    opened = sizes(options)["open"]
    held = f"bench_desk_{'small' if options.quick else 'large'}"
    stage.template(held, opened=opened, closed=opened // 4, seed=options.seed)
    with stage.cloned(held), served(options.home) as port:
        yield port


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, default=stage.ROOT / ".cache" / "bench")
    options = parser.parse_args()
    with site(options) as port:
        figures = statements() | measure(port, seconds=sizes(options)["seconds"], seed=options.seed)
    figures |= pace()
    print(f"seed {options.seed}, {sizes(options)['open']} open tickets, {CLIENTS} clients")
    for name, value in figures.items():
        print(f"  {name:28} {value:10.3f}")
    print(json.dumps({"name": "intake", "figures": figures}))


if __name__ == "__main__":
    main()
