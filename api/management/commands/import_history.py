"""Imports another product's incident history: `import_history servicenow|jsm|csv FILE`."""

import csv
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from tqdm import tqdm

from api.importers import mapped
from api.importers.figures import log_figures, own_figures, table
from api.importers.history import write_histories
from api.importers.places import make_example_targets, make_places
from api.importers.servicenow import BadExport, Export, Row, read, zone_of
from roles.instants import database_now

LOCK = 7_314_520_031  # any number that nobody else locks; held while an import runs


class Command(BaseCommand):
    help = "Import incidents with their whole past; nobody is told, no escalation starts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("product", choices=["servicenow", "jsm", "csv"])
        parser.add_argument(
            "file", type=Path, help="incident or audit export, CSV or CSV.gz; JSM also as JSON"
        )
        parser.add_argument(
            "--mapping", type=Path, help="YAML file: which column is which field, which word which"
        )
        parser.add_argument(
            "--zone", default="UTC", help="the zone of its times: Europe/Berlin, +02:00 (UTC)"
        )
        parser.add_argument("--limit", type=int, help="only the first N incidents by opening")
        parser.add_argument("--calendar", help="working calendar of new teams (around the clock)")
        parser.add_argument("--tiers", type=Path, help="CSV file of group,tier without header")
        parser.add_argument("--rejects", type=Path, help="where to list rows that are left out")

    def handle(self, *args: Any, **options: Any) -> None:
        begun = time.monotonic()
        try:
            product = options["product"]
            export = _read(product, options["file"], options["zone"], options["mapping"])
            self._tell_reading(options["file"], export)
            rejects = options["rejects"] or settings.HOME / "import-rejects.csv"
            _write_rejects(rejects, export)
            self.stdout.write(
                f"{len(export.rejects)} rows left out, {len(export.notes)} with an unknown state: "
                f"{rejects}"
            )
            incidents = _in_order(export, options["limit"])
            written = self._import(
                incidents, options["calendar"], _tiers(options["tiers"]), product
            )
        except BadExport as problem:
            raise CommandError(str(problem)) from problem
        present = len(incidents) - written
        self.stdout.write(f"{written} new, {present} here before, {time.monotonic() - begun:.0f} s")
        for line in table(log_figures(incidents), own_figures(product)):
            self.stdout.write(line)

    def _tell_reading(self, path: Path, export: Export) -> None:
        self.stdout.write(
            f"{path.name}: {export.rows} rows, {len(export.incidents)} incidents, "
            f"SHA-256 {export.sha256}"
        )

    def _import(
        self,
        incidents: Sequence[Sequence[Row]],
        calendar: str | None,
        tiers: Mapping[str, str],
        product: str,
    ) -> int:
        """Write what is not stored yet; how many that were."""
        if not incidents:
            return 0
        _lock_out_others()
        places = make_places(incidents, calendar_slug=calendar, tiers=tiers, system=product)
        if made := make_example_targets(places.organisation):
            self.stdout.write(
                f"This site has no targets that would apply: {made} example targets were made for "
                f"{places.organisation} alone."
            )
        written = 0
        with tqdm(total=len(incidents), unit="incident", desc="Importing") as bar:
            for seen, fresh in write_histories(incidents, places, database_now()):
                written += fresh
                bar.update(seen)
        return written


def _read(product: str, path: Path, zone: str, mapping: Path | None) -> Export:
    """The file's histories. Raises BadExport, and CommandError where a mapping lacks."""
    if product == "servicenow":
        if mapping is not None:
            raise CommandError("A mapping is for jsm and csv; for others say csv.")
        return read(path, zone_of(zone))
    if product == "csv" and mapping is None:
        raise CommandError("Say with --mapping which column is which; see docs/import.md.")
    known = mapped.read_mapping(mapping, mapped.JSM if product == "jsm" else None)
    return mapped.read(path, zone_of(zone), known)


def _lock_out_others() -> None:
    """Hold a lock until this process ends. Raises CommandError when another import runs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise CommandError("Another import is running on this database.")


def _in_order(export: Export, limit: int | None) -> list[list[Row]]:
    """The incidents as they were opened, so that ticket numbers follow time."""
    if limit is not None and limit < 1:
        raise CommandError("--limit is 1 or more.")
    by_opening = sorted(
        export.incidents.values(), key=lambda rows: (rows[0].opened_at, rows[0].number)
    )
    return by_opening[:limit]


def _write_rejects(path: Path, export: Export) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(["row", "incident", "reason"])
        writer.writerows(sorted([*export.rejects, *export.notes]))


def _tiers(path: Path | None) -> dict[str, str]:
    """Which group works on which tier, from a CSV file. Raises CommandError."""
    if path is None:
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            pairs = [[cell.strip() for cell in line] for line in csv.reader(text) if line]
    except (OSError, UnicodeError, csv.Error) as problem:
        raise CommandError(f"{path} cannot be read: {problem}") from problem
    if wrong := [pair for pair in pairs if len(pair) != 2]:
        raise CommandError(f"{path}: a line is group,tier; this is not: {','.join(wrong[0])}")
    return {pair[0]: pair[1] for pair in pairs}
