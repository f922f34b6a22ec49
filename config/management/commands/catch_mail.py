"""Runs the local mail catcher alone."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config.catcher import serve


class Command(BaseCommand):
    help = "Catch mail on the loopback into a folder; nothing is sent on."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.EMAIL_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Catching mail on 127.0.0.1:{options['port']}")
        serve(settings.MAIL_FOLDER, options["port"])
