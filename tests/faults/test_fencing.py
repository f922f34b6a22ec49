"""A worker whose session is lost between claim and commit changes nothing; sessions have limits."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from escalation.engine import climb, run_sweep
from escalation.models import Firing, Run
from notifications.models import Message
from tests.story import Story, move, page, unacknowledged

LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
SHOW = """
import django; django.setup()
{start}
from django.db import connection
cursor = connection.cursor()
for name in {names!r}:
    cursor.execute("SHOW " + name)
    print(cursor.fetchone()[0])
"""


def overdue_site() -> None:
    story = Story(start=datetime.now(UTC) - timedelta(hours=1))
    story.policy("p", unacknowledged(5, "Up", move(), page("on_call")))
    for number in range(3):
        story.open(subject=f"Number {number}")


def end_session(url: str, pid: int) -> None:
    """End a session as the server does when it idles too long within a transaction."""
    link = psycopg2.connect(url)
    link.autocommit = True
    with link.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    link.close()


def test_a_worker_that_was_paused_until_its_locks_were_lost_commits_nothing(live_db) -> None:
    overdue_site()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    looks = []

    def paused_after_the_claim() -> datetime:
        looks.append(datetime.now(UTC))
        if len(looks) == 2:  # the time that is read after the locks
            end_session(live_db.url, pid)
            done_meanwhile()
        return looks[-1]

    with pytest.raises((OperationalError, InterfaceError)):
        climb(clock=paused_after_the_claim)
    connection.close()
    assert len(looks) == 2
    assert Firing.objects.count() == 3, "the other worker's, and no second ones"
    assert Message.objects.filter(kind="page").count() == 3
    assert set(Run.objects.values_list("epoch", flat=True)) == {1}


def done_meanwhile() -> None:
    """Another worker sweeps while this one is paused."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    code = "import django; django.setup(); from escalation.engine import run_sweep; run_sweep()"
    subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=settings.BASE_DIR,
        check=True,
        timeout=120,
    )


def test_a_claim_keeps_no_climb_of_a_ticket_that_somebody_else_has_at_hand(live_db) -> None:
    overdue_site()
    taken = Run.objects.values_list("ticket_id", flat=True)[0]
    other = psycopg2.connect(live_db.url)
    asked = "SELECT FROM {} WHERE {} = %s FOR NO KEY UPDATE NOWAIT"
    with other, other.cursor() as cursor:
        cursor.execute(asked.format("tickets_ticket", "id"), [taken])
        looks = []

        def look_after_the_claim() -> datetime:
            looks.append(datetime.now(UTC))
            if len(looks) == 2:  # the time that is read after the locks
                cursor.execute(asked.format("escalation_run", "ticket_id"), [taken])
            return looks[-1]

        deeds = climb(clock=look_after_the_claim)
    other.close()
    assert len(looks) == 2
    assert taken not in {deed.ticket.pk for deed in deeds}
    assert len({deed.ticket.pk for deed in deeds}) == 2


def test_a_paused_worker_that_wakes_finds_nothing_left_to_do(live_db) -> None:
    overdue_site()
    done_meanwhile()
    assert run_sweep() == 0
    assert Firing.objects.count() == 3


@pytest.mark.parametrize("start", ["import config.celery", "import config.wsgi"])
def test_sessions_of_workers_and_of_pages_have_their_limits(live_db, start: str) -> None:
    code = SHOW.format(start=start, names=LIMITS)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    environment.pop("DB_IDLE_IN_TRANSACTION_S", None)
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=settings.BASE_DIR,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert shown.stdout.split() == ["30s", "5s", "10s"]
