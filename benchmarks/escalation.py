"""An escalation's price beside two floors, an empty look at a million tickets, and lateness.

`make bench NAME=escalation`, or with ARGS="--quick" for small sizes. The last line is JSON.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import stage
from benchmarks.lateness import measure_lateness
from benchmarks.machine import pace

Figures = dict[str, Any]
BASE = "bench_base"
SMALL = "bench_1k"
LARGE = "bench_1m"
NEEDS = {SMALL: {"size", "lateness"}, BASE: {"price", "two"}, LARGE: {"size"}}
"""Which parts are measured on which site."""
CARRIED_ON = {BASE: {"price", "two"}, SMALL: {"lateness"}}
"""Which parts want nothing due but what they add, on a site that has stood for a while."""


def sizes(options: Namespace) -> dict[str, int]:
    """How many of what; small with --quick."""
    if options.quick:
        return {"base": 2000, "due": 500, "large": 20_000, "deadlines": 600, "span_s": 20}
    return {"base": 100_000, "due": 2000, "large": 1_000_000, "deadlines": 10_000, "span_s": 120}


# ---- The price of one ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """The tickets that work is due for, and the moment at which it is, and little else.

    A large site has steps come due every second; those would be carried out too, the more of them
    the later a round, and no floor has them.
    """

    ids: tuple[int, ...]
    at: datetime

    def clock(self) -> datetime:
        """The moment; the database is asked for its own all the same, as it would be."""
        from roles.instants import database_now

        database_now()
        return self.at


def measure_price(size: dict[str, int], rounds: int, seed: int) -> Figures:
    """Each contender in turn on a fresh copy of the same site, several rounds; medians."""
    from escalation.engine import BATCH

    prepared = _prepare_due(size["due"], seed)
    ids = prepared.ids
    found: dict[str, list[float]] = {"floor3": [], "floor_same": [], "ours": []}
    notes: Figures = {}
    with tempfile.TemporaryDirectory(prefix="tierline-bench-", dir=stage.ROOT) as folder:
        os.chmod(folder, 0o777)
        for _ in range(rounds):
            took, notes = _ours(prepared, folder)
            found["ours"].append(took)
            found["floor_same"].append(_floor_same(prepared, folder, notes, BATCH))
            found["floor3"].append(_floor3(prepared))
            print("  ms per due:", {k: round(v[-1], 3) for k, v in found.items()}, flush=True)
    sql = _count_statements(prepared)
    middle = {name: statistics.median(values) for name, values in found.items()}
    return {
        "floor3_ms_per_due": middle["floor3"],
        "floor_same_ms_per_due": middle["floor_same"],
        "ours_ms_per_due": middle["ours"],
        "ratio_to_floor3": statistics.median(
            o / f for o, f in zip(found["ours"], found["floor3"], strict=True)
        ),
        "ratio_to_floor_same": statistics.median(
            o / f for o, f in zip(found["ours"], found["floor_same"], strict=True)
        ),
        "sql_per_due": sql,
        "new_rows_per_due": notes["rows"],
        "steps_per_ticket": notes["steps"] / len(ids),
        "batch": BATCH,
    }


@cache
def _prepare_due(count: int, seed: int) -> Due:
    """A template with work that is due; the tickets that it is due for, and when."""
    from config.scale import database
    from roles.instants import database_now

    with stage.cloned(BASE, "bench_due_new"):
        begin = database_now() - timedelta(seconds=20)
        ids = stage.add_due(count, lambda n: begin + timedelta(microseconds=1000 * n), seed)
        stage.analyse()
        database.lead_to("tierline")
        database.drop("bench_due")
        database.clone("bench_due", "bench_due_new")
    return Due(tuple(ids), begin + timedelta(milliseconds=count))


def _ours(due: Due, folder: str) -> tuple[float, Figures]:
    from benchmarks import floors
    from escalation.engine import run_sweep
    from escalation.models import Firing

    ids = due.ids
    with stage.cloned("bench_due"):
        before = floors.last_ids()
        _warm()
        begun = time.perf_counter()
        fired = run_sweep(most_s=600.0, clock=due.clock)
        took = time.perf_counter() - begun
        if fired < len(ids):
            raise SystemExit(f"{fired} steps fired, {len(ids)} were due.")
        floors.export(ids, folder)
        rows = floors.new_rows(before) / fired
        carried_out = Firing.objects.exclude(outcome=Firing.Outcome.SKIPPED)
        new = carried_out.filter(pk__gt=before["escalation_firing"])
        steps = new.filter(ticket__in=ids).count()
    return 1000 * took / fired, {"before": before, "rows": round(rows, 1), "steps": steps}


def _warm() -> None:
    """Connect, and read what a running worker has read long since."""
    from django.db import connection

    from roles.calendars import work_calendar
    from roles.models import CalendarRevision

    connection.ensure_connection()
    for pk in CalendarRevision.objects.values_list("pk", flat=True):
        work_calendar(pk)


def _floor_same(due: Due, folder: str, notes: Figures, batch: int) -> float:
    from benchmarks import floors

    with stage.cloned("bench_due"):
        statement = floors.load(folder, notes["before"])
        took, done = floors.floor_same(statement, min(due.ids), batch, at=due.at)
        _require_all(done, due.ids)
    return 1000 * took / notes["steps"]


def _floor3(due: Due) -> float:
    from benchmarks import floors

    with stage.cloned("bench_due"):
        took, done = floors.floor3(min(due.ids), due.at)
        _require_all(done, due.ids)
    return 1000 * took / len(due.ids)


def _require_all(done: int, ids: Sequence[int]) -> None:
    if done != len(ids):
        raise SystemExit(f"The floor did {done} of {len(ids)}.")


def _count_statements(due: Due) -> float:
    """Statements of one whole pass over 1,000 due (or all that there are), chores and all.

    Of every connection: a pass with a backlog opens a second one.
    """
    from django.db import connection
    from django.db.backends.signals import connection_created

    from escalation.engine import run_sweep
    from escalation.models import Run

    count = min(1000, len(due.ids))
    seen: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    def listen(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(note)

    with stage.cloned("bench_due"):
        Run.objects.filter(ticket__in=due.ids[count:]).update(next_at=None)
        # This one has its own wrapper: made within the pass, it would be counted twice.
        connection.ensure_connection()
        connection_created.connect(listen)
        try:
            with connection.execute_wrapper(note):
                # By two threads: what another process asks could not be counted here.
                fired = run_sweep(most_s=600.0, clock=due.clock, is_forked=False)
        finally:
            connection_created.disconnect(listen)
    return len(seen) / fired


# ---- Looking in vain, and memory -----------------------------------------------------------------


def measure_size(home: Path, ends: dict[str, datetime], seed: int, quick: bool) -> Figures:
    """An empty sweep among few and many tickets; memory after some hundred escalations there."""
    figures: Figures = {}
    for name, label in ((SMALL, "1k"), (LARGE, "1m")):
        with stage.cloned(name) as clone:
            stage.analyse()
            told = _told(stage.sweeper(home, clone, times="60", at=ends[name].isoformat()))
            if told["fired"]:
                raise SystemExit(f"{told['fired']} steps were due on {name}.")
            figures[f"empty_sweep_ms_{label}"] = 1000 * statistics.median(told["took_s"][5:])
            due_at = ends[name] - timedelta(seconds=60)
            stage.add_due(200 if quick else 1000, lambda n, at=due_at: at, seed)
            told = _told(stage.sweeper(home, clone, at=ends[name].isoformat()))
            figures[f"memory_mb_{label}"] = told["memory_kb"] / 1024
    figures["memory_ratio"] = figures["memory_mb_1m"] / figures["memory_mb_1k"]
    return figures


def _told(process: "subprocess.Popen[str]") -> Figures:
    """What a sweeper tells after one go."""
    assert process.stdin
    assert process.stdout
    process.stdout.readline()
    process.stdin.write("go\n")
    process.stdin.close()
    found: Figures = json.loads(process.stdout.readline())
    process.wait()
    return found


# ---- Two at once ---------------------------------------------------------------------------------


def measure_two(home: Path, due: Due, rounds: int) -> Figures:
    """Throughput of one sweeper and of two at once on the same work, in turns; doubles of any.

    Whoever begins a round has the machine as the other one's copy left it, so they take turns at
    that too. Medians.
    """
    found: dict[int, list[float]] = {1: [], 2: []}
    doubles = 0
    for number in range(rounds):
        for count in (1, 2) if number % 2 == 0 else (2, 1):
            with stage.cloned("bench_due") as clone:
                found[count].append(_throughput(home, clone, due, count))
                doubles += stage.doubles(due.ids)
        print("  a second:", {k: round(v[-1]) for k, v in found.items()}, flush=True)
    told = {f"throughput_{n}_per_s": statistics.median(all_of) for n, all_of in found.items()}
    ratio = statistics.median(two / one for one, two in zip(found[1], found[2], strict=True))
    return {**told, "throughput_2_to_1": ratio, "doubles": doubles}


def _throughput(home: Path, clone: str, due: Due, count: int) -> float:
    """Steps a second of so many sweepers, from the first one's begin to the last one's end."""
    hands = [stage.sweeper(home, clone, at=due.at.isoformat()) for _ in range(count)]
    for hand in hands:
        assert hand.stdout
        hand.stdout.readline()
    for hand in hands:
        assert hand.stdin
        hand.stdin.write("go\n")
        hand.stdin.close()
    told = [json.loads(hand.stdout.readline()) for hand in hands if hand.stdout]
    for hand in hands:
        hand.wait()
    span = max(t["ended"] for t in told) - min(t["begun"] for t in told)
    return float(sum(t["fired"] for t in told) / span)


# ---- All of it -----------------------------------------------------------------------------------


def show(figures: Figures) -> None:
    """The table for people."""
    for name, value in figures.items():
        shown = f"{value:.3f}" if isinstance(value, float) else value
        print(f"  {name:26} {shown}")


def main() -> None:
    parser = ArgumentParser(prog="make bench NAME=escalation")
    parser.add_argument("--quick", action="store_true", help="small sizes, for development")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--home", type=Path, default=stage.ROOT / ".cache" / "bench")
    parser.add_argument("--only", nargs="*", default=["price", "size", "two", "lateness"])
    options = parser.parse_args()
    size = sizes(options)
    load = os.getloadavg()
    print(f"Sizes {size}, seed {options.seed}, {os.cpu_count()} cores, load {load[0]:.1f}")
    home = options.home.absolute()
    stage.start(home)
    ends = {
        name: stage.template(
            name,
            opened=opened,
            closed=opened // 10,
            seed=options.seed,
            # A step costs what the policies beside it cost too: here all of the example's stand.
            policies="all" if name == BASE else "few",
        )
        for name, opened in ((SMALL, 1000), (BASE, size["base"]), (LARGE, size["large"]))
        if not NEEDS[name].isdisjoint(options.only)
    }
    for name, parts_on_it in CARRIED_ON.items():
        if not parts_on_it.isdisjoint(options.only):
            stage.carry_on(name)
    figures: Figures = {}
    parts: dict[str, Callable[[], Figures]] = {
        "price": lambda: measure_price(size, options.rounds, options.seed),
        "two": lambda: measure_two(home, _prepare_due(size["due"], options.seed), options.rounds),
        "size": lambda: measure_size(home, ends, options.seed, options.quick),
        "lateness": lambda: measure_lateness(
            home, SMALL, count=size["deadlines"], span_s=size["span_s"], seed=options.seed
        ),
    }
    for name, measure in parts.items():
        if name in options.only:
            print(f"{name} …", flush=True)
            figures |= measure()
    figures |= {
        "seed": options.seed,
        **{f"size_{k}": v for k, v in size.items()},
        "load_before": load[0],
        "load_after": os.getloadavg()[0],
        **pace(),
    }
    show(figures)
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"name": "escalation", "figures": rounded}))


if __name__ == "__main__":
    sys.exit(main())
