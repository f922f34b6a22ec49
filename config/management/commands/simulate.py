"""Tries policies on the past: `simulate --policy FILE`, beside `--baseline current`."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from tqdm import tqdm

from api.importers.servicenow import BadExport, zone_of
from config.logged import logged_history, opened_between, read_logs
from escalation.configuration.applying import apply_text
from escalation.configuration.document import BadFile
from insights.simulation.figures import lines
from insights.simulation.recorded import Recorded, count_own, first_opened_at, own_history
from insights.simulation.running import simulate
from insights.simulation.world import World, changed_world, present_world
from roles.instants import database_now

OWN = "own"


class Command(BaseCommand):
    help = "Play a policy over recorded tickets: what it would have done, and to whom."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--policy", type=Path, help="policy-as-code file with the policies to try"
        )
        parser.add_argument(
            "--baseline", choices=["current"], help="play today's policies beside it"
        )
        parser.add_argument(
            "--history", default=OWN, help="own (this site's tickets), or a folder of incident logs"
        )
        parser.add_argument("--zone", default="UTC", help="the zone of the logs' times (UTC)")
        parser.add_argument("--since", type=_day, help="first day of opening, such as 2026-03-01")
        parser.add_argument("--until", type=_day, help="the day after the last (today)")
        parser.add_argument("--json", type=Path, help="where to write the whole report")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["policy"] is None and options["baseline"] is None:
            raise CommandError("Name a --policy FILE, or --baseline current, or both.")
        try:
            worlds = _worlds(options["policy"], options["baseline"])
            if options["history"] == OWN:
                report = _play_own(worlds, options)
            else:
                report = _play_logs(worlds, options)
        except BadFile as problem:
            raise CommandError("\n".join(problem.lines(str(options["policy"])))) from problem
        except (BadExport, OSError) as problem:
            raise CommandError(str(problem)) from problem
        except KeyboardInterrupt:
            raise CommandError("Interrupted; nothing was written.", returncode=130) from None
        for line in lines(report):
            self.stdout.write(line)
        if options["json"]:
            text = json.dumps(report, indent=2, sort_keys=True) + "\n"
            options["json"].write_text(text, encoding="utf-8")


def _day(text: str) -> datetime:
    return datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time(), UTC)  # noqa: DTZ007


def _worlds(policy: Path | None, baseline: str | None) -> list[World]:
    worlds = [present_world("current")] if baseline else []
    if policy is not None:
        text = policy.read_text(encoding="utf-8")
        worlds.append(changed_world("draft", lambda: apply_text(text=text, reason="Simulated")))
    return worlds


def _play_own(worlds: list[World], options: dict[str, Any]) -> dict[str, Any]:
    first = first_opened_at()
    since = options["since"] or first
    until = options["until"] or database_now()
    if since is None:
        raise CommandError("This site has no tickets yet; name a folder of logs by --history.")
    total = count_own(since, until)
    return _play(worlds, own_history(since, until), total, since=since, until=until, history=OWN)


def _play_logs(worlds: list[World], options: dict[str, Any]) -> dict[str, Any]:
    folder = Path(options["history"])
    incidents = read_logs(folder, zone_of(options["zone"]))
    since = options["since"] or incidents[0][0].opened_at
    until = options["until"] or max(row.updated_at for rows in incidents for row in rows)
    chosen = opened_between(incidents, since, until)
    if not chosen:
        raise CommandError("The logs have no incident that was opened in that time.")
    with transaction.atomic(), connection.cursor() as cursor:
        # Playing is reckoning for the most part, and the database hears nothing for a while.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cases = logged_history(chosen)
        report = _play(
            worlds, cases, len(chosen), since=since, until=until, history=str(folder.name)
        )
        transaction.set_rollback(True)
    return report


def _play(
    worlds: list[World], cases: Iterable[Recorded], total: int, **about: Any
) -> dict[str, Any]:
    with tqdm(total=total, unit="ticket", desc="Simulating") as bar:
        return simulate(worlds, cases, progress=lambda done: bar.update(), **about)
