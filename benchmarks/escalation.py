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
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import stage

Figures = dict[str, Any]
BASE = "bench_base"
SMALL = "bench_1k"
LARGE = "bench_1m"
NEEDS = {SMALL: {"size", "lateness"}, BASE: {"price", "two"}, LARGE: {"size"}}
"""Which parts are measured on which site."""


def sizes(options: Namespace) -> dict[str, int]:
    """How many of what; small with --quick."""
    if options.quick:
        return {"base": 2000, "due": 500, "large": 20_000, "deadlines": 600, "span_s": 20}
    return {"base": 100_000, "due": 2000, "large": 1_000_000, "deadlines": 10_000, "span_s": 120}


# ---- The price of one ----------------------------------------------------------------------------


def measure_price(size: dict[str, int], rounds: int, seed: int) -> Figures:
    """Each contender in turn on a fresh copy of the same site, several rounds; medians."""
    from escalation.engine import BATCH

    prepared = _prepare_due(size["due"], seed)
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
        "steps_per_ticket": notes["fired"] / len(prepared),
        "batch": BATCH,
    }


def _prepare_due(count: int, seed: int) -> list[int]:
    """A template with work that is due; the tickets that it is due for."""
    from config.scale import database
    from roles.instants import database_now

    with stage.cloned(BASE, "bench_due_new"):
        begin = database_now() - timedelta(seconds=20)
        # What has become due since the site was made is carried out first, by the engine.
        _drain()
        ids = stage.add_due(count, lambda n: begin + timedelta(microseconds=1000 * n), seed)
        stage.analyse()
        database.lead_to("tierline")
        database.drop("bench_due")
        database.clone("bench_due", "bench_due_new")
    return ids


def _drain() -> None:
    from escalation.engine import run_sweep

    while run_sweep(most_s=600.0):
        pass


def _ours(ids: Sequence[int], folder: str) -> tuple[float, Figures]:
    from benchmarks import floors
    from escalation.engine import run_sweep

    with stage.cloned("bench_due"):
        before = floors.last_ids()
        _warm()
        begun = time.perf_counter()
        fired = run_sweep(most_s=600.0)
        took = time.perf_counter() - begun
        if fired < len(ids):
            raise SystemExit(f"{fired} steps fired, {len(ids)} were due.")
        floors.export(ids, folder)
        rows = floors.new_rows(before) / fired
    return 1000 * took / fired, {"before": before, "rows": round(rows, 1), "fired": fired}


def _warm() -> None:
    """Connect, and read what a running worker has read long since."""
    from django.db import connection

    from roles.calendars import work_calendar
    from roles.models import CalendarRevision

    connection.ensure_connection()
    for pk in CalendarRevision.objects.values_list("pk", flat=True):
        work_calendar(pk)


def _floor_same(ids: Sequence[int], folder: str, notes: Figures, batch: int) -> float:
    from benchmarks import floors

    with stage.cloned("bench_due"):
        statement = floors.load(folder, notes["before"])
        took, done = floors.floor_same(statement, min(ids), batch)
        _require_all(done, ids)
    return 1000 * took / notes["fired"]


def _floor3(ids: Sequence[int]) -> float:
    from benchmarks import floors

    with stage.cloned("bench_due"):
        took, done = floors.floor3(min(ids))
        _require_all(done, ids)
    return 1000 * took / len(ids)


def _require_all(done: int, ids: Sequence[int]) -> None:
    if done != len(ids):
        raise SystemExit(f"The floor did {done} of {len(ids)}.")


def _count_statements(ids: Sequence[int]) -> float:
    """Statements of one whole pass over 1,000 due (or all that there are), chores and all.

    Of every connection: a pass with a backlog opens a second one.
    """
    from django.db import connection
    from django.db.backends.signals import connection_created

    from escalation.engine import run_sweep
    from escalation.models import Run

    count = min(1000, len(ids))
    seen: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    def listen(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(note)

    with stage.cloned("bench_due"):
        Run.objects.filter(ticket__in=ids[count:]).update(next_at=None)
        connection_created.connect(listen)
        try:
            with connection.execute_wrapper(note):
                # By two threads: what another process asks could not be counted here.
                fired = run_sweep(most_s=600.0, is_forked=False)
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


def measure_two(home: Path, ids: Sequence[int]) -> Figures:
    """Throughput of one sweeper and of two at once on the same work; doubles of either."""
    figures: Figures = {"doubles": 0}
    for count in (1, 2):
        with stage.cloned("bench_due") as clone:
            hands = [stage.sweeper(home, clone) for _ in range(count)]
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
            figures[f"throughput_{count}_per_s"] = sum(t["fired"] for t in told) / span
            figures["doubles"] += doubles(ids)
    return figures


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


# ---- Lateness ------------------------------------------------------------------------------------


def measure_lateness(home: Path, count: int, span_s: int, seed: int) -> Figures:
    """From deadline to commit, under the production's beat and worker, deadlines spread evenly.

    A watcher looks every 20 ms for what has been committed; so each figure is too large by up to
    that much, never too small.
    """
    from config.management.commands.up import CELERY, worker_commands
    from roles.instants import database_now

    with stage.cloned(SMALL) as clone:
        _drain()
        ready_s = 30 + count / 500
        first = database_now() + timedelta(seconds=ready_s)
        step = timedelta(seconds=span_s) / count
        ids = stage.add_due(count, lambda n: first + n * step, seed)
        stage.analyse()
        env = os.environ | {"DATABASE_URL": stage.url_of(home, clone)}
        worker = worker_commands()["worker"]
        beat = [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="]
        beat += ["--schedule", str(home / "beat")]
        log = (home / "workers.log").open("ab")
        programs = [
            subprocess.Popen(command, cwd=stage.ROOT, env=env, stdout=log, stderr=log)
            for command in (worker, beat)
        ]
        try:
            late = sorted(_watch(set(ids), until=first + timedelta(seconds=span_s + 30)).values())
        finally:
            for program in programs:
                program.terminate()
            for program in programs:
                program.wait()
        missing = len(ids) - len(late)
        return {
            "lateness_p50_s": late[len(late) // 2],
            "lateness_p99_s": late[int(len(late) * 0.99)],
            "lateness_max_s": late[-1],
            "lateness_missing": missing,
            "lateness_doubles": doubles(ids),
        }


def _watch(ids: set[int], until: datetime) -> dict[int, float]:
    """By ticket, how late its step was seen; what follows in the next team is not counted."""
    from django.db import connection

    late: dict[int, float] = {}
    seen: set[int] = set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM escalation_firing")
        above = cursor.fetchone()[0]
        while len(late) < len(ids):
            # Ids are given before the commit: what is committed late may have a low one.
            cursor.execute(
                "SELECT id, ticket_id, due_at, clock_timestamp() FROM escalation_firing"
                " WHERE id > %s",
                [max(above, max(seen, default=0) - 3000)],
            )
            for pk, ticket_id, due_at, now in sorted(cursor.fetchall()):
                if pk not in seen and ticket_id in ids:
                    late.setdefault(ticket_id, (now - due_at).total_seconds())
                seen.add(pk)
                last = now
                if last > until:
                    return late
            time.sleep(0.02)
            cursor.execute("SELECT clock_timestamp()")
            if cursor.fetchone()[0] > until:
                return late
    return late


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
    figures: Figures = {}
    parts: dict[str, Callable[[], Figures]] = {
        "price": lambda: measure_price(size, options.rounds, options.seed),
        "two": lambda: measure_two(home, _prepare_due(size["due"], options.seed)),
        "size": lambda: measure_size(home, ends, options.seed, options.quick),
        "lateness": lambda: measure_lateness(home, size["deadlines"], size["span_s"], options.seed),
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
    }
    show(figures)
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"name": "escalation", "figures": rounded}))


if __name__ == "__main__":
    sys.exit(main())
