"""manage.py import_pagerduty: take over a PagerDuty account, from a file or from its REST API."""

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from api.importers import pagerduty
from api.importers.bringing import Translate
from api.importers.bundle import Newcomer
from api.importers.fields import text
from api.importers.importing import ImportCommand, is_address, token_from
from api.importers.sources import Api, read_object
from roles.instants import database_now

TOKEN: Final = "PAGERDUTY_TOKEN"  # noqa: S105 (the name of the variable)
AHEAD: Final = timedelta(days=28)
OF_USERS: Final = ("contact_methods", "notification_rules")


class Command(ImportCommand):
    help = (
        "Take over users, teams, schedules, services and escalation policies of PagerDuty: from a "
        f"JSON file, or from https://api.pagerduty.com with the token in {TOKEN}."
    )
    product = "PagerDuty"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", metavar="FILE_OR_URL")
        super().add_arguments(parser)

    def read(self, options: dict[str, Any]) -> tuple[Sequence[Newcomer], Translate]:
        given = options["account"]
        account = fetched(given) if is_address(given) else read_object(Path(given))
        return pagerduty.newcomers(account), partial(pagerduty.translate, account)


def fetched(base: str) -> dict[str, Any]:
    """The account as its REST API v2 tells it, schedules with the coming four weeks' shifts."""
    headers = {
        "Authorization": f"Token token={token_from(TOKEN)}",
        "Accept": "application/vnd.pagerduty+json;version=2",
    }
    api = Api(base, headers)
    now = database_now()
    window = {"since": now.isoformat(), "until": (now + AHEAD).isoformat()}
    account: dict[str, Any] = {
        "users": api.by_offset("users", "users", **{"include[]": list(OF_USERS)}),
        "services": api.by_offset("services", "services"),
        "escalation_policies": api.by_offset("escalation_policies", "escalation_policies"),
    }
    account["teams"] = [
        {**team, "members": api.by_offset(f"teams/{text(team, 'id')}/members", "members")}
        for team in api.by_offset("teams", "teams")
    ]
    account["schedules"] = [
        api.get(f"schedules/{text(each, 'id')}", **window).get("schedule")
        for each in api.by_offset("schedules", "schedules")
    ]
    return account
