"""A look in vain is cheap, at any size; and what a glance overlooks would never be done."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation.engine import WHOLE, climb, last_sweep_at, run_sweep
from escalation.glance import glance, questions
from escalation.models import Heartbeat, Quarantine, Run
from tests.story import MONDAY, move, page, unacknowledged
from tickets import lifecycle


def test_a_look_in_vain_is_a_glance_and_a_heartbeat(story) -> None:
    story.policy("p", unacknowledged(5, "Up", move()))
    story.open()
    for _ in range(2):
        with CaptureQueriesContext(connection) as seen:
            assert run_sweep(clock=story.clock) == 0
        assert len(seen) == 2
    assert last_sweep_at() is not None


def test_a_glance_asks_about_the_moment_it_is_given(story) -> None:
    story.target("first_response", 30)
    story.policy("p", unacknowledged(5, "Up", move()))
    story.open()
    assert not glance(story.now).is_any
    later = story.now + timedelta(minutes=5)
    assert glance(later).oldest_due_at == later
    assert glance(later + timedelta(seconds=3)).oldest_due_s(later + timedelta(seconds=3)) == 3
    assert glance(story.now + timedelta(minutes=30)).work == {"passed"}


def test_lateness_is_kept_with_the_heartbeat_and_leaves_out_what_is_set_aside(story) -> None:
    story.policy("p", unacknowledged(5, "Up", move()))
    ticket = story.open()
    story.sleep(minutes=7)
    Quarantine.objects.create(ticket=ticket, since=story.now, last_tried_at=story.now, tries=3)
    assert run_sweep(clock=story.clock) == 0
    assert Heartbeat.objects.get().oldest_due_s == 0
    Quarantine.objects.all().delete()
    assert run_sweep(clock=story.clock) == 1
    assert Heartbeat.objects.get().oldest_due_s == 120


@pytest.mark.parametrize("name", questions(MONDAY))
def test_each_question_is_answered_by_an_index(db, name: str) -> None:
    """With sequential scans forbidden, none of a table that grows is left in the plan."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = questions(MONDAY)[name].values("pk")[:1].explain()
    assert "Seq Scan" not in plan


def test_what_was_over_or_done_before_its_ticket_was_locked_is_not_claimed(story) -> None:
    story.policy("p", unacknowledged(5, "Up", page("on_call")), unacknowledged(60, "On", move()))
    due, solved, done = story.open(), story.open(), story.open()
    story.now += timedelta(minutes=6)
    found = [ticket.pk for ticket in (due, solved, done)]
    lifecycle.cancel(ticket=solved, actor=None, reason="A test.", clock=story.clock)
    climb(
        clock=story.clock,
        run_ids=list(Run.objects.filter(ticket=done).values_list("pk", flat=True)),
    )
    claimed = WHOLE.rows(tickets=found, now=story.now)
    assert [run.ticket_id for run in claimed] == [due.pk]
