"""manage.py create_mail_source: make an address that takes in mail, and print its key, once."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from roles.models import Team
from roles.refusals import Refused
from tickets.mailsources import create_mail_source, issue_mail_key
from tickets.models import AlertSource, MailSource, Service


class Command(BaseCommand):
    """Prints nothing but the address of the HTTP door, with the key, on standard output."""

    help = "Make an address that takes in mail; prints its HTTP door with the key, shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="its short name, such as support")
        parser.add_argument("address", nargs="?", help="to which people write")
        parser.add_argument("--name", default="", help="as people call it")
        parser.add_argument("--team", help="slug of the team that gets its tickets")
        parser.add_argument("--service", help="slug of the service that its tickets are about")
        parser.add_argument(
            "--unknown", default="hold", choices=MailSource.Unknown.values, help="strangers"
        )
        parser.add_argument("--monitor", help="slug of the alert source for mails of monitors")
        parser.add_argument("--new-key", action="store_true", help="a new key for a source")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = self._renewed(options) if options["new_key"] else self._made(options)
        except Refused as refusal:
            raise CommandError(" ".join(refusal.fields.values()) or refusal.detail) from None
        self.stdout.write(f"{settings.PUBLIC_URL}/intake/v1/mail/{key}")

    def _made(self, options: dict[str, Any]) -> str:
        _, key = create_mail_source(
            slug=options["slug"],
            address=options["address"] or "",
            name=options["name"],
            team=_found(Team, options["team"]),
            service=_found(Service, options["service"]),
            unknown=options["unknown"],
            monitor=_found(AlertSource, options["monitor"]),
        )
        return key

    def _renewed(self, options: dict[str, Any]) -> str:
        source = _found(MailSource, options["slug"])
        if source is None:
            raise CommandError("Name the source.")
        return issue_mail_key(source=source)


def _found(model: Any, slug: str | None) -> Any:
    """The row of that slug; None when none is named. Raises CommandError for an unknown one."""
    if not slug:
        return None
    row = model.objects.filter(slug=slug).first()
    if row is None:
        raise CommandError(f"There is no {model._meta.verbose_name} {slug!r}.")
    return row
