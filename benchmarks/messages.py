"""How soon a message is handed over, how long 10,000 take, and how many arrive twice.

`make bench NAME=messages`, or with ARGS="--quick" for small sizes. The last line is JSON.
"""

import json
import os
import random
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import stage
from benchmarks.machine import pace

Figures = dict[str, Any]
PEOPLE = 2500
PATIENCE_S = 400.0


def sizes(options: Namespace) -> dict[str, int]:
    """How many of what; small with --quick."""
    if options.quick:
        return {"single": 40, "drained": 500, "pages": 5, "killed": 0, "kills": 0}
    return {"single": 300, "drained": 10_000, "pages": 30, "killed": 600, "kills": 6}


# ---- What is sent, and what came ---------------------------------------------------------------


class Notes:
    """What the sink has noted: when each key came, every time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text("")

    def came(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for line in self._path.read_text().splitlines():
            at, _, key = line.partition(" ")
            found.setdefault(key, []).append(float(at))
        return found

    def wait(self, keys: set[str]) -> dict[str, list[float]]:
        """What came, once all of these keys have."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            found = self.came()
            if keys <= set(found):
                return found
            time.sleep(0.2)
        raise SystemExit(f"{len(keys - set(self.came()))} messages never came")


def make_people() -> list[int]:
    from roles.models import Person

    rows = [
        Person(username=f"p{n}", name=f"Person {n}", email=f"p{n}@example.org")
        for n in range(PEOPLE)
    ]
    Person.objects.bulk_create(rows, ignore_conflicts=True)
    return list(Person.objects.order_by("pk").values_list("pk", flat=True)[:PEOPLE])


def letters(kind: str, numbers: range, people: list[int], draw: random.Random, **more: Any):
    from notifications.outbox import Letter

    return [
        Letter(
            topic=f"ticket:{kind}{number}",
            cause=f"bench:{kind}:{number}",
            recipient_id=draw.choice(people),
            kind="replied",
            subject=f"[INC-{number:06d}] There is an answer to your request",
            body="The disk of the shop's database has been replaced.\n" * 8,
            data={"url": f"/tickets/INC-{number:06d}"},
            **more,
        )
        for number in numbers
    ]


def commit(some: list[Any]) -> list[str]:
    """Put the letters into the outbox; their keys."""
    from django.db import transaction

    from notifications.outbox import letter_key, post
    from roles.instants import database_now

    with transaction.atomic():
        post(some, now=database_now())
    return [letter_key(letter) for letter in some]


# ---- The figures -------------------------------------------------------------------------------


def handed(count: int, notes: Notes, people: list[int], draw: random.Random) -> Figures:
    """Seconds from the commit to the provider, one message at a time, at random moments."""
    committed: dict[str, float] = {}
    for number in range(count):
        (key,) = commit(letters("one", range(number, number + 1), people, draw, urgency="high"))
        committed[key] = time.time()
        time.sleep(draw.expovariate(10))
    came = notes.wait(set(committed))
    waits = sorted(came[key][0] - at for key, at in committed.items())
    return {"handed_p50_s": _share(waits, 0.5), "handed_p99_s": _share(waits, 0.99)}


def drained(size: dict[str, int], notes: Notes, people: list[int], draw: random.Random) -> Figures:
    """Seconds until 10,000 that fell due at once are out, and what pages wait meanwhile."""
    begun = time.time()
    keys = commit(letters("many", range(size["drained"]), people, draw))
    paged: dict[str, float] = {}
    for number in range(size["pages"]):
        urgent = letters(
            "page", range(number, number + 1), people, draw, urgency="high", priority=1
        )
        (key,) = commit(urgent)
        paged[key] = time.time()
        time.sleep(1.0)
    came = notes.wait({*keys, *paged})
    waits = sorted(came[key][0] - at for key, at in paged.items())
    return {
        f"drain_s_{_short(size['drained'])}": max(came[key][0] for key in keys) - begun,
        "page_meanwhile_max_s": waits[-1],
    }


def killed(
    size: dict[str, int],
    notes: Notes,
    people: list[int],
    draw: random.Random,
    fresh: Callable[[], subprocess.Popen[str]],
) -> Figures:
    """Messages that came more often than once and once for each interrupted send."""
    from django.db.models import Count, Q

    from notifications.models import Message

    keys = commit(letters("kill", range(size["killed"]), people, draw, urgency="high"))
    for _ in range(size["kills"]):
        sender = fresh()
        time.sleep(draw.uniform(0.2, 0.9))
        sender.kill()
        sender.wait()
    sender = fresh()
    came = notes.wait(set(keys))
    time.sleep(5)
    came = notes.came()
    sender.kill()
    cut = Q(tries__outcome="interrupted")
    rows = Message.objects.filter(key__in=keys).annotate(cut=Count("tries", filter=cut))
    extra = {row.key: len(came[row.key]) - 1 for row in rows}
    too_many = sum(max(0, extra[row.key] - row.cut) for row in rows)
    return {"killed_twice": sum(extra.values()), "killed_excess": too_many}


def _short(count: int) -> str:
    return f"{count // 1000}k" if count >= 1000 else str(count)


def _share(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


# ---- The frame ---------------------------------------------------------------------------------


@contextmanager
def running(module: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of ours that says when it is ready and ends when its input does."""
    process = start(module, *words)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.communicate(timeout=30)


def start(module: str, *words: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{module}", *words],
        cwd=stage.ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    while process.stdout.readline() not in ("ready\n", ""):
        pass
    return process


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


def measure(options: Namespace, home: Path, port: int) -> Figures:
    from django.core.management import call_command

    from notifications.models import Message
    from roles.instants import database_now

    call_command("migrate", verbosity=0)
    old = Message.objects.filter(cause__startswith="bench:")
    old.delete()
    draw, size, people = random.Random(options.seed), sizes(options), make_people()
    figures: Figures = {}
    notes = Notes(home / "came.txt")
    with running("sink", str(port), str(home / "came.txt")):
        with running("sender"):
            time.sleep(2)
            figures |= handed(size["single"], notes, people, draw)
            figures |= drained(size, notes, people, draw)
            time.sleep(2)
        figures["doubles"] = sum(number - 1 for number in _counts(notes).values())
        if size["kills"]:
            figures |= killed(size, notes, people, draw, lambda: start("sender"))
    late = Message.objects.filter(state="queued", created_at__lt=database_now() - timedelta(0))
    figures["left"] = late.count()
    return figures


def _counts(notes: Notes) -> Counter[str]:
    return Counter({key: len(times) for key, times in notes.came().items()})


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    home = stage.ROOT / ".cache" / "bench-messages"
    stage.start(home)
    port = free_port()
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    from django.conf import settings

    settings.EMAIL_PORT = port
    figures = measure(options, home, port)
    for name, value in figures.items():
        print(f"{name:24} {value:10.3f}" if isinstance(value, float) else f"{name:24} {value:10}")
    said = {"seed": options.seed, **sizes(options), "load": os.getloadavg()[0]}
    said |= pace()
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"name": "messages", "figures": rounded, **said}))


if __name__ == "__main__":
    main()
