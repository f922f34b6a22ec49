"""manage.py take_mail SLUG: keep one mail from standard input, as a mail server's pipe gives it."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError

from api.mail.taking import BYTES_MAX, Place, take_in
from tickets.models import MailSource


class Command(BaseCommand):
    """Exit codes as mail servers read them (sysexits): 0 kept, 67 no such source, 75 try later."""

    help = "Keep one raw mail from standard input for a mail source; 75 asks to try again later."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="slug of the mail source")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            known = MailSource.objects.select_related("team", "service", "monitor")
            source = known.filter(slug=options["source"], is_active=True).first()
            if source is None:
                self.stderr.write(f"There is no active mail source {options['source']}.")
                sys.exit(os.EX_NOUSER)
            raw = sys.stdin.buffer.read(BYTES_MAX + 1)
            if not raw.strip():
                self.stderr.write("There was no mail on standard input.")
                sys.exit(os.EX_DATAERR)
            received = take_in(source=source, raw=raw, place=Place("pipe"))
        except (DatabaseError, InterfaceError) as trouble:
            self.stderr.write(f"The mail cannot be stored right now: {trouble}")
            sys.exit(os.EX_TEMPFAIL)
        self.stdout.write(f"kept: {received.outcome}")
