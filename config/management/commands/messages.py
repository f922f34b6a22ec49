"""Brings the catalogues of translations up to date: `manage.py messages`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config.catalogues import compile_catalogues, refresh_catalogues
from config.sentences import unmarked


class Command(BaseCommand):
    help = "Gather the marked words into the catalogues, and compile them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--compile", action="store_true", help="only compile")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["compile"]:
            for language, lacking in refresh_catalogues(unmarked()).items():
                self.stdout.write(f"{language}: {lacking} without translation")
        compile_catalogues()
