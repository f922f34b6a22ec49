"""What tests of on-call pages share: a daily rota, a time to come, a page as plain text."""

import re
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from roles.instants import database_now
from roles.models import Person, Team
from roles.rosters import LayerSpec, publish_schedule, set_schedule


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as taken:
        assert client.get(url).status_code == 200
    return len(taken)


def text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def daily(team: Team, *people: Person, zone: str = "UTC") -> None:
    layer = LayerSpec(
        name="Daily",
        people=people,
        starts_on=date(2025, 1, 6),
        handover_time=time(8),
        shift_days=1,
    )
    publish_schedule(schedule=set_schedule(team=team, zone=zone), layers=[layer])


def later(hours: int) -> datetime:
    return database_now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
