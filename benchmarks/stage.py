"""A server with the settings that the product ships, sites of given sizes on it, and due work."""

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import django

from config.addresses import socket_folder, valkey_url
from config.servers import create_database, postgres_server, valkey_server

ROOT = Path(__file__).resolve().parents[1]
CLONE = "bench_clone"
DUE_AFTER = timedelta(seconds=600)
"""When the step of the shipped outage policy that passes a ticket on is due."""
CARRIED_ON = 1
"""To be raised when what `carry_on` has left on a site is not to be gone on from."""


def url_of(home: Path, database: str) -> str:
    """The address of one database of the benchmark's own server."""
    return f"postgresql://tierline@/{database}?host={quote(str(socket_folder(home, 'pg')))}"


def start(home: Path) -> None:
    """Start the servers in `home` and lead Django there; all ends with this process."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)
    for server in (postgres_server(home), valkey_server(home)):
        server.start(home / f"{server.name}.log", patience_s=60)
        atexit.register(server.stop)
        if server.name == "postgres":
            create_database(server)
    os.environ |= {
        "TIERLINE_HOME": str(home),
        "DATABASE_URL": url_of(home, "tierline"),
        "REDIS_URL": valkey_url(home),
        "EMAIL_URL": "smtp://127.0.0.1:9",
        "SECRET_KEY": "for the benchmark alone, where nobody signs in, ever",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DB_STATEMENT_TIMEOUT_S": "0",
        "DB_IDLE_IN_TRANSACTION_S": "0",
    }
    django.setup()


def template(name: str, *, opened: int, closed: int, seed: int, policies: str = "few") -> datetime:
    """Make sure of a site of this size under this name; the moment up to which it has lived."""
    from config.scale import database

    wanted: dict[str, Any] = {"open": opened, "closed": closed, "seed": seed, "policies": policies}
    wanted |= database.marks()
    known = json.loads(database.description(name) or "{}")
    is_other = any(known.get(key) != value for key, value in wanted.items())
    if is_other or known.get("carried_on", CARRIED_ON) != CARRIED_ON:
        words = ["generate", "--template", name, "--yes", "--seed", str(seed)]
        words += ["--open", str(opened), "--closed", str(closed), "--policies", policies]
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, check=True)
        known = json.loads(database.description(name) or "{}")
    return datetime.fromisoformat(known["end"])


def carry_on(name: str) -> None:
    """Let the engine carry out, on the site itself, what has become due there meanwhile.

    So each copy of it begins with nothing due, and only the first time takes minutes.
    """
    from config.scale import database
    from escalation.engine import run_sweep

    database.lead_to(name)
    while run_sweep(most_s=600.0):
        pass
    analyse()
    database.lead_to("tierline")
    known = json.loads(database.description(name) or "{}")
    database.describe(name, json.dumps(known | {"carried_on": CARRIED_ON}))


@contextmanager
def cloned(source: str, name: str = CLONE) -> Iterator[str]:
    """A copy of a site, to which Django leads meanwhile."""
    from config.scale import database

    database.drop(name)
    database.clone(name, source)
    database.lead_to(name)
    try:
        yield name
    finally:
        database.lead_to("tierline")
        database.drop(name)


def add_due(count: int, due_at: Callable[[int], datetime], seed: int) -> list[int]:
    """Tickets whose next step, passing them on and paging, is due at `due_at(number)` each.

    Their first two steps fired in time. Returns their ids. Half a dozen live; the others are
    copies, as everywhere on a made-up site.
    """
    from config.scale import press
    from config.scale.life import Life
    from config.scale.scripts import HOST, SUBJECTS, Script
    from tickets.models import Ticket

    opened_at = due_at(0).replace(microsecond=0) - DUE_AFTER
    life = Life(opened_at + DUE_AFTER - timedelta(seconds=1))
    lived = []
    for service, category, subject in SUBJECTS[:6]:
        script = Script(
            is_open=True,
            weight=1,
            kind="incident",
            impact=1,
            urgency=2,
            source="portal",
            service=service,
            category=category,
            subject=subject.format(host=HOST),
            is_restricted=False,
            opened_at=opened_at,
            acts=(),
        )
        lived.append(life.live(script, Random(f"{seed} {service}")).ticket_id)
    before = Ticket.objects.order_by("-pk").values_list("pk", flat=True)[0]
    stamps = press.cut_stamps(lived)
    micro = timedelta(microseconds=1)
    shifts = [(due_at(n) - DUE_AFTER - opened_at) // micro for n in range(count)]
    copies = [(n % len(lived), shift) for n, shift in enumerate(shifts)]
    (order,) = press.deal(stamps, copies, 1, str(seed))
    press.print_order(order)
    _put_aside(lived)
    ids = Ticket.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True)
    return list(ids)


def _put_aside(ticket_ids: Sequence[int]) -> None:
    """The originals are not to be carried out: they are cancelled, as a person would."""
    from roles.instants import fixed
    from tickets import lifecycle
    from tickets.models import Ticket

    for ticket in Ticket.objects.filter(pk__in=ticket_ids):
        at = ticket.last_event_at or ticket.opened_at
        lifecycle.cancel(ticket=ticket, actor=None, reason="An original.", clock=fixed(at))


def analyse() -> None:
    """Statistics and visibility for the rows that were added, as autovacuum would see to."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def doubles(ids: Sequence[int]) -> int:
    """How many of these tickets' steps were carried out, told or paged more or less than once."""
    from django.db import connection

    wrong = 0
    with connection.cursor() as cursor:
        for statement in (
            "SELECT ticket_id, count(*) FROM escalation_firing f JOIN escalation_policystep s"
            ' ON s.id = step_id WHERE ticket_id = ANY(%s) AND s.actions @> \'[{"do": "move"}]\''
            " GROUP BY 1",
            "SELECT ticket_id, count(*) FROM tickets_timelineevent"
            " WHERE ticket_id = ANY(%s) AND kind = 'escalated' GROUP BY 1",
            "SELECT ticket_id, count(*) FROM escalation_escalation WHERE ticket_id = ANY(%s)"
            " GROUP BY 1",
        ):
            cursor.execute(statement, [list(ids)])
            counts = dict(cursor.fetchall())
            wrong += sum(counts.get(pk, 0) != 1 for pk in ids)
    return wrong


def sweeper(home: Path, database: str, **words: str) -> subprocess.Popen[str]:
    """A process of its own that sweeps when told to; see benchmarks/sweeper.py."""
    env: Mapping[str, str] = os.environ | {"DATABASE_URL": url_of(home, database)}
    command = [sys.executable, "-m", "benchmarks.sweeper"]
    command += [word for pair in words.items() for word in (f"--{pair[0]}", pair[1])]
    return subprocess.Popen(
        command, cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
