"""manage.py import_oncall: take over Grafana OnCall OSS, from a file or from its API."""

from argparse import ArgumentParser
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from api.importers import grafana_oncall
from api.importers.bringing import Translate
from api.importers.bundle import Newcomer
from api.importers.importing import ImportCommand, is_address, token_from
from api.importers.sources import Api, read_object

TOKEN: Final = "ONCALL_TOKEN"  # noqa: S105 (the name of the variable)


class Command(ImportCommand):
    help = (
        "Take over users, teams, schedules, shifts, chains and integrations of Grafana OnCall: from"
        f" a JSON file of its collections, or from https://HOST/api/v1 with the token in {TOKEN}."
    )
    product = "Grafana OnCall"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", metavar="FILE_OR_URL")
        super().add_arguments(parser)

    def read(self, options: dict[str, Any]) -> tuple[Sequence[Newcomer], Translate]:
        given = options["account"]
        account = fetched(given) if is_address(given) else read_object(Path(given))
        return grafana_oncall.newcomers(account), partial(grafana_oncall.translate, account)


def fetched(base: str) -> dict[str, Any]:
    """Every collection of the API v1 that is taken over."""
    api = Api(base, {"Authorization": token_from(TOKEN)})
    return {name: api.by_next(f"{name}/") for name in grafana_oncall.COLLECTIONS}
