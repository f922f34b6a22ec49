"""What the commands that import a configuration share: their options, and what they print."""

import os
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api.importers.bringing import Translate, bring
from api.importers.bundle import Newcomer
from api.importers.fields import BadConfiguration
from escalation.configuration.document import BadFile
from roles.models import Person
from roles.refusals import Refused


class ImportCommand(BaseCommand, ABC):
    """Reads, translates and brings one product's configuration; exit code 1 for what is refused."""

    product = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--plan", action="store_true", help="only say what would be done")
        parser.add_argument("--tier", default="", help="slug of the tier of new teams (the second)")
        parser.add_argument(
            "--calendar", default="", help="slug of the calendar of new teams (around the clock)"
        )
        parser.add_argument("--as", dest="username", help="who does it; without it the system")

    @abstractmethod
    def read(self, options: dict[str, Any]) -> tuple[Sequence[Newcomer], Translate]:
        """The people of the other product, and the translator of the rest."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            newcomers, translate = self.read(options)
            done = bring(
                newcomers,
                translate,
                product=self.product,
                tier=options["tier"],
                calendar=options["calendar"],
                plan=options["plan"],
                actor=_person(options["username"]),
            )
        except BadConfiguration as problem:
            raise CommandError(str(problem)) from problem
        except BadFile as bad:
            for line in bad.lines(self.product):
                self.stderr.write(line)
            raise CommandError(f"{bad}; nothing was changed.") from None
        except Refused as refusal:
            words = " ".join(refusal.fields.values()) or refusal.detail
            raise CommandError(f"{words} Nothing was changed.") from None
        for line in done.lines:
            self.stdout.write(line)
        if done.left_out:
            self.stdout.write("\nNot taken over, or not as it was:")
        for each in done.left_out:
            self.stdout.write(f"  {each}")
        verb = "would change" if options["plan"] else "changed"
        self.stdout.write(f"\n{done.changes} things {verb}, {len(done.left_out)} left out.")


def token_from(name: str) -> str:
    """The secret in an environment variable, so that it stands in no list of processes."""
    found = os.environ.get(name, "")
    if not found:
        raise CommandError(f"Put the token of the API into the environment variable {name}.")
    return found


def is_address(given: str) -> bool:
    """Whether a web address was given rather than a file."""
    return given.startswith(("http://", "https://"))


def _person(username: str | None) -> Person | None:
    if username is None:
        return None
    person = Person.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise CommandError(f"There is no active person {username}.")
    return person
