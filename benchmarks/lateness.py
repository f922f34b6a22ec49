"""How late steps are carried out under the production's own beat and workers."""

import os
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import stage

Figures = dict[str, Any]


def measure_lateness(home: Path, site: str, *, count: int, span_s: int, seed: int) -> Figures:
    """From deadline to commit, under the production's beat and worker, deadlines spread evenly.

    A watcher looks every 20 ms for what has been committed; so each figure is too large by up to
    that much, never too small.
    """
    from config.management.commands.up import CELERY, worker_commands
    from roles.instants import database_now

    with stage.cloned(site) as clone:
        ready_s = 40 + count / 200
        first = database_now() + timedelta(seconds=ready_s)
        step = timedelta(seconds=span_s) / count
        ids = stage.add_due(count, lambda n: first + n * step, seed)
        stage.analyse()
        env = os.environ | {"DATABASE_URL": stage.url_of(home, clone)}
        workers = worker_commands()
        beat = [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="]
        beat += ["--schedule", str(home / "beat")]
        log = (home / "workers.log").open("ab")
        programs = [
            subprocess.Popen(command, cwd=stage.ROOT, env=env, stdout=log, stderr=log)
            # With what counts and estimates beside them, which wants the processor too.
            for command in (workers["worker"], workers["counter"], beat)
        ]
        try:
            _await_sweeps(before=first)
            seen = _watch(set(ids), until=first + timedelta(seconds=span_s + 30))
        finally:
            for program in programs:
                program.terminate()
            for program in programs:
                program.wait()
        late = sorted(late_s for _, late_s in seen.values())
        missing = len(ids) - len(late)
        worst_at, _ = max(seen.values(), key=lambda item: item[1])
        return {
            "lateness_p50_s": late[len(late) // 2],
            "lateness_p99_s": late[int(len(late) * 0.99)],
            "lateness_max_s": late[-1],
            "lateness_worst_after_s": (worst_at - first).total_seconds(),
            "lateness_missing": missing,
            "lateness_doubles": stage.doubles(ids),
        }


def _await_sweeps(before: datetime) -> None:
    """Return once the workers sweep; it must be while nothing is due yet."""
    from escalation.engine import last_sweep_at
    from roles.instants import database_now

    begun = database_now()
    while (last_sweep_at() or begun) <= begun:
        if database_now() >= before:
            raise SystemExit("The workers were not ready when the first step was due.")
        time.sleep(0.2)


def _watch(ids: set[int], until: datetime) -> dict[int, tuple[datetime, float]]:
    """By ticket, when its step was due and how late it was seen; without what follows in the next
    team.
    """
    from django.db import connection

    late: dict[int, tuple[datetime, float]] = {}
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
                    late.setdefault(ticket_id, (due_at, (now - due_at).total_seconds()))
                seen.add(pk)
                last = now
                if last > until:
                    return late
            time.sleep(0.02)
            cursor.execute("SELECT clock_timestamp()")
            if cursor.fetchone()[0] > until:
                return late
    return late
