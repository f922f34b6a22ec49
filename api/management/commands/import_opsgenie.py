"""manage.py import_opsgenie: take over an Opsgenie backup, a folder or a ZIP file."""

from argparse import ArgumentParser
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from api.importers import opsgenie
from api.importers.bringing import Translate
from api.importers.bundle import Newcomer
from api.importers.importing import ImportCommand
from api.importers.sources import read_folders


class Command(ImportCommand):
    help = "Take over users, teams, schedules, escalations and routing rules of an Opsgenie backup."
    product = "Opsgenie"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", type=Path, metavar="DIR_OR_ZIP")
        super().add_arguments(parser)

    def read(self, options: dict[str, Any]) -> tuple[Sequence[Newcomer], Translate]:
        backup = read_folders(options["backup"])
        return opsgenie.newcomers(backup), partial(opsgenie.translate, backup)
