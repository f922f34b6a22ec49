"""manage.py create_token: issue an API token and print it, once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from roles.instants import database_now
from roles.models import Person
from roles.models.tokens import Scope
from roles.refusals import Refused
from roles.tokens import issue


class Command(BaseCommand):
    """Prints nothing but the token on standard output, so that a script can keep it."""

    help = "Issue an API token for an account and print it; it is not shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="whose rights the token has")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            metavar="SCOPE",
            help=f"what it may be used for; may be repeated: {', '.join(Scope.values)}",
        )
        parser.add_argument("--name", default="command line", help="where it is used")
        parser.add_argument("--days", type=int, help="days until it expires; default: never")

    def handle(self, *args: Any, **options: Any) -> None:
        days: int | None = options["days"]
        if days is not None and not 1 <= days <= 3650:
            raise CommandError(f"--days {days}: use 1 to 3650.")
        person = self._person(options["username"])
        expires_at = database_now() + timedelta(days=days) if days else None
        try:
            _, plain = issue(
                person=person,
                name=options["name"],
                scopes=options["scope"],
                expires_at=expires_at,
            )
        except Refused as refusal:
            reasons = " ".join(refusal.fields.values()) or refusal.detail
            raise CommandError(reasons) from None
        self.stdout.write(plain)

    @staticmethod
    def _person(username: str) -> Person:
        try:
            return Person.objects.get_by_natural_key(username)
        except Person.DoesNotExist:
            raise CommandError(f"There is no account named {username!r}.") from None
