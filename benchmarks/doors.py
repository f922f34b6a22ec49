"""The machines' doors at 100,000 open tickets: opening and listing by REST, and what intake takes.

`make bench NAME=doors`, or with ARGS="--quick" for small sizes. The load generator runs beside the
product's own web processes on the same machine; every answer is checked. The last line is JSON.
"""

import http.client
import json
import random
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from benchmarks import intake, stage
from benchmarks.machine import pace

Figures = dict[str, Any]
CLIENTS = 8
LISTS = (
    "open=true",
    "team=desk",
    "open=true&ordering=next_due_at",
    "priority=1,2",
    "breached=true",
)
ROUNDS = 20
CREATED = 201


class Opener(threading.Thread):
    """A program that opens one ticket as soon as it has the answer to the one before."""

    def __init__(
        self, port: int, token: str, people: list[str], *, until: float, seed: int
    ) -> None:
        super().__init__(daemon=True)
        self.port, self.token, self.people, self.until = port, token, people, until
        self.random = random.Random(seed)
        self.took: list[float] = []
        self.refused: list[str] = []

    def run(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        while time.perf_counter() < self.until:
            begun = time.perf_counter()
            line.request("POST", "/api/v1/tickets/", json.dumps(self.ticket()), headers)
            answer = line.getresponse()
            text = answer.read()
            self.took.append(time.perf_counter() - begun)
            if answer.status != CREATED:
                self.refused.append(f"{answer.status} {text[:200]!r}")
        line.close()

    def ticket(self) -> dict[str, Any]:
        """What a form of some portal would send."""
        number = self.random.randrange(10**6)
        return {
            "subject": f"Printer {number} does not print",
            "description": "Since this morning. The display says PC LOAD LETTER. " * 5,
            "requester": self.random.choice(self.people),
            "impact": self.random.choice([2, 3, 3]),
            "urgency": self.random.choice([2, 3, 3]),
        }


def caller() -> tuple[str, list[str]]:
    """The token of a service account made for this, and requesters to open for."""
    from roles.models import Person
    from roles.models.tokens import Scope
    from roles.tokens import issue

    robot = Person.objects.create(username="bench-robot", name="Robot", kind="service")
    scopes = [Scope.TICKETS_READ, Scope.TICKETS_WRITE]
    _, plain = issue(person=robot, name="benchmark", scopes=scopes)
    people = Person.objects.filter(is_active=True, memberships=None, kind="person")
    return plain, list(people.values_list("username", flat=True)[:200])


def measure_create(
    port: int, token: str, people: list[str], *, seconds: float, seed: int
) -> Figures:
    """Tickets a second, and how long each takes, of eight programs at once."""
    before = count_tickets()
    begun = time.perf_counter()
    openers = [
        Opener(port, token, people, until=begun + seconds, seed=seed + n) for n in range(CLIENTS)
    ]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    lasted = time.perf_counter() - begun
    refused = [text for opener in openers for text in opener.refused]
    took = sorted(one for opener in openers for one in opener.took)
    if refused:
        raise SystemExit(f"{len(refused)} openings were refused, such as {refused[0]}")
    if count_tickets() - before != len(took):
        raise SystemExit("Not every ticket that was answered for is stored.")
    return {
        "create_per_s": round(len(took) / lasted, 1),
        "create_p50_ms": round(took[len(took) // 2] * 1000, 1),
        "create_p95_ms": round(took[min(len(took) - 1, len(took) * 95 // 100)] * 1000, 1),
    }


def count_tickets() -> int:
    from tickets.models import Ticket

    return Ticket.objects.filter(source="api").count()


def measure_list(port: int, token: str) -> Figures:
    """How long one program waits for the first page of lists, one after another."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {token}"}
    took = []
    for number in range(ROUNDS + 1):
        for query in LISTS:
            begun = time.perf_counter()
            line.request("GET", f"/api/v1/tickets/?{query}", headers=headers)
            answer = line.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise SystemExit(f"?{query} answered {answer.status}: {text[:200]!r}")
            if number:
                took.append(time.perf_counter() - begun)
    line.close()
    took.sort()
    return {
        "list_p50_ms": round(took[len(took) // 2] * 1000, 1),
        "list_p95_ms": round(took[len(took) * 95 // 100] * 1000, 1),
    }


def statements(token: str, person: str) -> Figures:
    """How many SQL statements an opening takes, counted in this process."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client, counts = Client(), []
    given = {"subject": "Counted", "description": "Words.", "requester": person}
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(3):
        with CaptureQueriesContext(connection) as taken:
            answer = client.post(
                "/api/v1/tickets/",
                given,
                content_type="application/json",
                headers=headers,
                HTTP_HOST="localhost",
            )
        if answer.status_code != CREATED:
            raise SystemExit(f"the opening to be counted answered {answer.status_code}")
        counts.append(len(taken))
    return {"create_sql": counts[-1]}


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, default=stage.ROOT / ".cache" / "bench")
    options = parser.parse_args()
    size = intake.sizes(options)
    with intake.site(options) as port:
        token, people = caller()
        figures = measure_list(port, token) | statements(token, people[0])
        seconds, seed = size["seconds"], options.seed
        figures |= measure_create(port, token, people, seconds=seconds, seed=seed)
        figures |= intake.statements() | intake.measure(port, seconds=seconds, seed=seed)
    figures |= pace()
    print(f"seed {options.seed}, {size['open']} open tickets, {CLIENTS} clients")
    for name, value in figures.items():
        print(f"  {name:28} {value:10.3f}")
    print(json.dumps({"name": "doors", "figures": figures}))


if __name__ == "__main__":
    main()
