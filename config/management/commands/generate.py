"""Makes a site with any number of tickets, for measuring: `generate --open N --closed M`."""

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from tqdm import tqdm

from config.scale import database
from config.scale.site import ALL, FEW, MOST_LIVES, Wanted, make_site
from roles.models import Person
from tickets.models import Ticket


class Command(BaseCommand):
    help = (
        "Fill a database with made-up tickets that have a whole, true past. A few hundred live "
        "through it by the engine; the others are copies with ids and hashes of their own."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--open", type=int, default=1000, help="open tickets (1000)")
        parser.add_argument("--closed", type=int, default=100, help="ended tickets (100)")
        parser.add_argument("--seed", type=int, default=1, help="another number, other lives (1)")
        parser.add_argument(
            "--lives",
            type=int,
            default=MOST_LIVES,
            help="how many tickets live through their past themselves",
        )
        parser.add_argument(
            "--policies",
            choices=(FEW, ALL),
            default=FEW,
            help="the example's policies without those that watch every ticket, or all (few)",
        )
        parser.add_argument("--template", help="make a new database of this name, for cloning")
        parser.add_argument(
            "--yes", action="store_true", help="add to a site in use, or replace the template"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if min(options["open"], options["closed"]) < 0 or options["lives"] < 1:
            raise CommandError("Counts are not negative, and somebody has to live.")
        if not options["open"] + options["closed"]:
            raise CommandError("Nothing to make: say --open or --closed.")
        wanted = Wanted(
            options["open"],
            options["closed"],
            options["seed"],
            options["lives"],
            options["policies"],
        )
        name = options["template"]
        if name is None:
            self._require_own_data(options["yes"])
            self._make(wanted, is_fresh=False)
            return
        if database.exists(name):
            if not options["yes"]:
                raise CommandError(f"There is a database {name} already; --yes replaces it.")
            database.drop(name)
        self._make_template(name, wanted)

    def _require_own_data(self, is_sure: bool) -> None:
        if not is_sure and (Ticket.objects.exists() or Person.objects.exists()):
            raise CommandError(
                "This site holds data of somebody. --yes adds made-up tickets to it, for good: "
                "timelines cannot be deleted. Better use --template and a database of its own."
            )

    def _make_template(self, name: str, wanted: Wanted) -> None:
        """A database of its own; nothing is left of it when it was not finished."""
        given = connection.settings_dict["NAME"]
        try:
            database.create_empty(name)
            marks = database.marks()
            end = self._make(wanted, is_fresh=True)
            database.lead_to(given)
            database.describe(name, json.dumps({**asdict(wanted), **marks, "end": end}))
        except BaseException:
            database.lead_to(given)
            database.drop(name)
            raise

    def _make(self, wanted: Wanted, *, is_fresh: bool) -> str:
        begun = time.monotonic()
        bars: dict[str, tqdm] = {}

        def tell(what: str, done: int) -> None:
            if what not in bars:
                total = {"printing": wanted.open + wanted.closed}.get(what)
                bars[what] = tqdm(desc=what, total=total, unit="", mininterval=1)
            bars[what].update(done)

        try:
            made = make_site(wanted, tell, is_fresh=is_fresh)
        finally:
            for bar in bars.values():
                bar.close()
        parts = ", ".join(f"{what} {took:.0f} s" for what, took in made.seconds.items())
        self.stdout.write(
            f"{wanted.open} open and {wanted.closed} ended tickets with seed {wanted.seed}: "
            f"{made.lives} lived through (the site refused {made.refused} acts), "
            f"{made.copies} copies; {time.monotonic() - begun:.0f} s ({parts})."
        )
        return made.end.isoformat()
