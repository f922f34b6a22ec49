"""manage.py create_source: make a sender of alerts and print its address, once."""

from argparse import ArgumentParser
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model

from api.intake.plain import address_of
from roles.models import Person, Team
from roles.refusals import Refused
from tickets.models import AlertSource, Service
from tickets.sources import create_source, issue_key

Row = TypeVar("Row", bound=Model)


class Command(BaseCommand):
    """Prints nothing but the address on standard output, so that a script can keep it."""

    help = "Make a sender of alerts and print the address with its key; it is not shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="its short name, such as prometheus-eu")
        parser.add_argument("--product", default="alertmanager", choices=AlertSource.Product.values)
        parser.add_argument("--name", default="", help="as people call it")
        parser.add_argument("--service", help="slug of the service that its tickets are about")
        parser.add_argument("--team", help="slug of the team that gets its tickets")
        parser.add_argument(
            "--account",
            help="the service account that asks; default: one of its own, named like the source",
        )
        parser.add_argument("--key", default="", help="a key that its senders hold already")
        parser.add_argument(
            "--directory",
            action="store_true",
            help="let its key read who is on call, teams, services and names, as the vendor's does",
        )
        parser.add_argument(
            "--new-key", action="store_true", help="a new key for a source that is there already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source, key = self._renewed(options) if options["new_key"] else self._made(options)
        except Refused as refusal:
            raise CommandError(" ".join(refusal.fields.values()) or refusal.detail) from None
        self.stdout.write(address_of(source, key))

    def _made(self, options: dict[str, Any]) -> tuple[AlertSource, str]:
        return create_source(
            slug=options["slug"],
            product=options["product"],
            name=options["name"],
            requester=_found(Person, "username", options["account"]),
            service=_found(Service, "slug", options["service"]),
            team=_found(Team, "slug", options["team"]),
            key=options["key"],
            reads_directory=options["directory"],
        )

    def _renewed(self, options: dict[str, Any]) -> tuple[AlertSource, str]:
        source = _found(AlertSource, "slug", options["slug"])
        if source is None:
            raise CommandError("Name the source.")
        return source, issue_key(source=source, key=options["key"])


def _found(model: type[Row], field: str, value: str | None) -> Row | None:
    """The row of that name; None when none is named. Raises CommandError for an unknown one."""
    if not value:
        return None
    row: Row | None = model._default_manager.filter(**{field: value}).first()
    if row is None:
        raise CommandError(f"There is no {model._meta.verbose_name} {value!r}.")
    return row
