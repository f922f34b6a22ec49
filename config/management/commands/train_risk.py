"""Learns how likely tickets end badly: from this site, or tried on a log with `--evaluate`."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from api.importers.servicenow import BadExport, Export, read, zone_of
from config.risklog import SUSPECTED, cases_of, histories_of
from insights.risk.cases import in_order
from insights.risk.leaks import refusals
from insights.risk.training import train
from insights.risk.trying import LEARNED_FROM, Trial, try_out

WORDS: Final[Mapping[str, str]] = {
    "auroc": "AUROC (a bad one above a good one)",
    "recall20": "Bad ones among the likeliest fifth",
    "hit_rate20": "Of that fifth, ended badly",
    "brier": "Brier score",
    "skill": "Brier skill against the base rate",
    "base_rate": "Base rate of the tested",
    "positives": "Ended badly, of the tested",
    "tested": "Tested",
}


class Command(BaseCommand):
    help = (
        "Learn how likely tickets miss their target or need the next tier: from this site's own"
        " past, as every night, or tried on a recorded log without storing anything."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--history", type=Path, help="incident or audit export, CSV or CSV.gz")
        parser.add_argument(
            "--evaluate", action="store_true", help="learn from the first 70%%, test on the rest"
        )
        parser.add_argument("--zone", default="UTC", help="the zone of the log's times (UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["history"] is None) == options["evaluate"]:
            raise CommandError("Give --history FILE and --evaluate together, or neither.")
        try:
            if options["history"] is None:
                self._train()
            else:
                self._evaluate(options["history"], options["zone"])
        except BadExport as problem:
            raise CommandError(str(problem)) from problem

    def _train(self) -> None:
        model = train()
        state = "in use" if model.is_used else f"not in use: {model.why_not}"
        self.stdout.write(f"{model}, from {model.cases} tickets, {model.positives} bad; {state}.")

    def _evaluate(self, path: Path, zone_name: str) -> None:
        zone = zone_of(zone_name)
        if not path.exists():
            raise BadExport(f"There is no {path}.")
        export = read(path, zone)
        self.stdout.write(f"{path.name}: {export.rows} rows, {len(export.incidents)} incidents.")
        left_out = _leaks(export)
        for name, why in left_out.items():
            self.stdout.write(f"Left out: {name} {why}.")
        cases = in_order(list(cases_of([*export.incidents.values()], zone, left_out)))
        trial = try_out(cases)
        if trial.measures is None:
            raise CommandError("The history is too short, or all of it ended alike.")
        for line in _table(trial):
            self.stdout.write(line)
        told = trial.measures.rounded()
        keys = ("auroc", "recall20", "brier", "base_rate", "positives")
        self.stdout.write(json.dumps({key: told[key] for key in keys}))


def _leaks(export: Export) -> dict[str, str]:
    """What must not be learned from, found in the part that is learned from."""
    ordered = sorted(
        export.incidents.values(), key=lambda rows: (rows[0].opened_at, rows[0].number)
    )
    learned = ordered[: round(LEARNED_FROM * len(ordered))]
    return refusals(list(histories_of(learned)), SUSPECTED)


def _table(trial: Trial) -> Iterator[str]:
    measures = trial.measures
    if measures is None or trial.cut is None:
        return
    yield f"Learned from what was known on {trial.cut:%Y-%m-%d %H:%M}: {trial.cases} incidents,"
    yield f"of which {trial.positives} had missed; tried on those that were opened later."
    told = measures.rounded()
    for name, words in WORDS.items():
        yield f"  {words:36} {told[name]:>8}"
    yield f"  {'Milliseconds for one estimate':36} {trial.score_s * 1000:>8.2f}"
    yield f"  {'Taken altogether':36} {timedelta(seconds=round(trial.took_s))!s:>8}"
