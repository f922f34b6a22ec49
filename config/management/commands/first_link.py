"""Prints the link that makes the first administrator of a site on which nobody has an account."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from roles.newcomers import is_untouched
from web.firstlink import first_link


class Command(BaseCommand):
    help = "Print the link that makes the first account of an empty site; it is good for a day."

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_untouched():
            raise CommandError("This site has accounts already; an administrator invites people.")
        self.stdout.write(first_link())
