"""The engine killed at each dangerous moment, and many engines at once: every step exactly once.

F2, F5 and F7 of the trust contract in a first small form, on real processes and a real database.
"""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created
from django.db.models import F

from escalation.engine import last_sweep_at, run_sweep
from escalation.lanes import LOCK
from escalation.models import Firing, Run
from notifications.models import Message
from roles.instants import database_now
from tests.story import Story, move, page, unacknowledged
from tickets.models import Ticket, TimelineEvent

SWEEP = "import django; django.setup(); from escalation.engine import run_sweep; run_sweep()"

LANES = """
import django, os, sys; django.setup()
from django.db import connection
from escalation.lanes import in_lanes
mine = os.getpid()
def work(is_to_go_on):
    if os.getpid() == mine:
        sys.stdin.read()
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        print("at work", flush=True)
        cursor.execute("SELECT pg_advisory_lock(1, 1)")
    return 0
in_lanes(work)
"""


def sweeper(**environment: str) -> subprocess.Popen[bytes]:
    """A process that sweeps once."""
    return subprocess.Popen(
        [sys.executable, "-c", SWEEP],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        cwd=settings.BASE_DIR,
    )


def overdue_site(tickets: int) -> list[Ticket]:
    """A site an hour ago, where one step of each ticket is due by now."""
    story = Story(start=datetime.now(UTC) - timedelta(hours=1))
    story.policy("p", unacknowledged(5, "Up", move(), page("on_call")))
    return [story.open(subject=f"Number {number}") for number in range(tickets)]


def check_exactly_once(tickets: Sequence[Ticket]) -> None:
    """Each ticket has its one firing, its event, its move and its message, and a whole chain."""
    fired = Counter(Firing.objects.values_list("ticket_id", flat=True))
    assert fired == Counter(ticket.pk for ticket in tickets)
    told = TimelineEvent.objects.filter(kind="fired").values_list("ticket_id", flat=True)
    assert Counter(told) == fired
    paged = Message.objects.filter(kind="page").values_list("topic", flat=True)
    assert Counter(paged) == Counter(ticket.topic for ticket in tickets)
    for ticket in Ticket.objects.select_related("team"):
        assert (ticket.team.slug, ticket.entry) == ("apps", 2)
        assert ticket.events.count() == ticket.last_seq
    assert not Firing.objects.filter(fired_at__lt=F("due_at")).exists()


@pytest.mark.parametrize("crash_at", ["after_claim", "before_commit"])
def test_a_sweeper_killed_before_its_commit_leaves_nothing_and_the_next_does_all(
    live_db, crash_at: str
) -> None:
    tickets = overdue_site(3)
    assert sweeper(TIERLINE_CRASH_AT=crash_at).wait(timeout=60) == 137
    assert not Firing.objects.exists()
    assert not Message.objects.filter(kind="page").exists()
    assert sweeper().wait(timeout=60) == 0
    check_exactly_once(tickets)


def test_a_sweeper_killed_after_its_commit_has_done_everything_once(live_db) -> None:
    tickets = overdue_site(3)
    assert sweeper(TIERLINE_CRASH_AT="after_commit").wait(timeout=60) == 137
    check_exactly_once(tickets)
    assert sweeper().wait(timeout=60) == 0
    check_exactly_once(tickets)


def test_five_sweepers_at_once_do_every_step_once(live_db) -> None:
    tickets = overdue_site(60)
    sweepers = [sweeper() for _ in range(5)]
    assert [process.wait(timeout=120) for process in sweepers] == [0] * 5
    check_exactly_once(tickets)


@pytest.mark.parametrize("is_forked", [True, False])
def test_a_backlog_is_carried_out_in_two_lanes_and_every_step_once(live_db, is_forked) -> None:
    tickets = overdue_site(30)
    assert run_sweep(batch=4, is_forked=is_forked) == len(tickets)
    check_exactly_once(tickets)


def test_a_lane_that_fails_leaves_its_work_to_the_next_pass(live_db) -> None:
    tickets, mine = overdue_site(30), os.getpid()

    def clock() -> datetime:
        if os.getpid() != mine:
            raise RuntimeError("Nothing works in this lane.")
        return database_now()

    run_sweep(batch=4, is_forked=True, clock=clock)
    run_sweep()
    check_exactly_once(tickets)


@contextmanager
def lane_of_another(url: str, number: int) -> Iterator[None]:
    """Another worker is that lane of the site meanwhile."""
    with closing(psycopg2.connect(url)) as link, link.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, number])
        assert cursor.fetchone() == (True,)
        yield


@pytest.mark.parametrize("taken", [1, 2])
def test_beside_another_worker_with_a_backlog_one_is_a_single_lane(live_db, taken: int) -> None:
    tickets, lanes = overdue_site(12), set[int]()

    def clock() -> datetime:
        lanes.add(threading.get_ident())
        return database_now()

    with lane_of_another(live_db.url, taken):
        assert run_sweep(batch=4, is_forked=False, clock=clock) == len(tickets)
    assert len(lanes) == 1
    check_exactly_once(tickets)


def statements_of_a_pass(story: Story, tickets: int) -> int:
    """How much a pass asks, on every connection, that has two steps of each ticket to carry out."""
    opened = [story.open(subject=f"Number {number}") for number in range(tickets)]
    asked: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    def listen(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(note)

    connection_created.connect(listen)
    try:
        with connection.execute_wrapper(note):
            fired = run_sweep(batch=tickets // 2 + 2, is_forked=False)
    finally:
        connection_created.disconnect(listen)
    assert fired == 2 * len(opened)
    return len(asked)


def test_a_pass_asks_as_much_for_many_steps_as_for_few(live_db) -> None:
    story = Story(start=datetime.now(UTC) - timedelta(hours=1))
    story.policy("p", unacknowledged(0, "Page", page("on_call")), unacknowledged(5, "Up", move()))
    few = statements_of_a_pass(story, 8)
    many = statements_of_a_pass(story, 24)
    assert many <= few
    # Two thousand steps of a thousand tickets are two batches too: at most 0.05 a step.
    assert many <= 100


def test_a_worker_for_whom_there_is_no_lane_works_all_the_same(live_db) -> None:
    tickets = overdue_site(6)
    with lane_of_another(live_db.url, 1), lane_of_another(live_db.url, 2):
        assert run_sweep(batch=2, is_forked=False) == len(tickets)
    check_exactly_once(tickets)


def test_a_pass_that_fails_gives_its_lane_back(live_db) -> None:
    overdue_site(6)
    looks = []

    def clock() -> datetime:
        looks.append(database_now())
        if len(looks) > 3:
            raise RuntimeError("The clock has stopped.")
        return looks[-1]

    with pytest.raises(RuntimeError, match="stopped"):
        run_sweep(batch=2, is_forked=False, clock=clock)
    with lane_of_another(live_db.url, 1), lane_of_another(live_db.url, 2):
        pass


def test_a_killed_worker_gives_its_lane_back_though_the_lane_beside_goes_on(live_db) -> None:
    with closing(psycopg2.connect(live_db.url)) as link, link.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1, 1)")
        link.commit()
        worker = subprocess.Popen(
            [sys.executable, "-c", LANES],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert worker.stdout
        assert worker.stdout.readline() == b"at work\n"
        worker.kill()
        worker.wait(timeout=60)
        cursor.execute("SET lock_timeout = '10s'")
        cursor.execute("SELECT pg_advisory_lock(%s, 1)", [LOCK])
        cursor.execute("SELECT pg_advisory_unlock_all()")
        link.commit()
        worker.stdout.read()  # ends with the process that was the lane beside


def test_behind_a_pooler_that_shares_connections_nobody_holds_a_lane(live_db, settings) -> None:
    settings.KEEP_PLANS = False
    tickets, held = overdue_site(12), []

    def clock() -> datetime:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
                " AND pid = pg_backend_pid()",
                [LOCK],
            )
            held.append(cursor.fetchone()[0])
        return database_now()

    assert run_sweep(batch=4, is_forked=False, clock=clock) == len(tickets)
    assert set(held) == {0}
    check_exactly_once(tickets)


def test_a_running_worker_goes_on_after_a_migration_that_changes_what_it_reads(live_db) -> None:
    tickets = overdue_site(6)
    run_sweep(clock=lambda: tickets[0].opened_at)
    Run.objects.filter(ticket=tickets[0]).update(next_at=None)
    run_sweep()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE escalation_clock ALTER kind TYPE varchar(40)")
        cursor.execute("ALTER TABLE roles_person ALTER name TYPE varchar(400)")
    Run.objects.filter(ticket=tickets[0]).update(next_at=F("started_at"))
    while run_sweep():
        pass
    check_exactly_once(tickets)


def test_the_engine_needs_no_redis(live_db) -> None:
    tickets = overdue_site(2)
    closed = "redis://127.0.0.1:9/0"
    assert sweeper(REDIS_URL=closed).wait(timeout=60) == 0
    check_exactly_once(tickets)
    assert last_sweep_at() is not None


def test_one_ticket_that_cannot_be_evaluated_delays_no_other(live_db) -> None:
    tickets = overdue_site(3)
    poisoned = Run.objects.get(ticket=tickets[0])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE escalation_run SET frozen = '[[\"no time\", null]]' WHERE id = %s",
            [poisoned.pk],
        )
    run_sweep()
    assert set(Firing.objects.values_list("ticket_id", flat=True)) == {
        ticket.pk for ticket in tickets[1:]
    }
    assert tickets[0].quarantine.tries == 1
