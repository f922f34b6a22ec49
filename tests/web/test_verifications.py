"""Verifications of the past: asked for on the operations page or nightly, and kept with results."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from insights.operations.checks import (
    ask_verification,
    checks_part,
    findings_for,
    run_waiting,
)
from insights.operations.models import Verification
from insights.operations.reading import State
from roles.instants import database_now, fixed
from roles.refusals import Conflict, Forbidden, Invalid
from tests.web.test_operations import admin, holder, stage, ticket_of  # noqa: F401  (fixtures)
from tickets.lifecycle import comment
from tickets.models import Ticket

What = Verification.What


def words_changed(ticket: Ticket) -> None:
    """What somebody with the keys of the database might do."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE tickets_eventbody SET text = 'other words' WHERE event_id IN"
            " (SELECT id FROM tickets_timelineevent WHERE ticket_id = %s)",
            [ticket.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")


def last(what: str) -> Verification:
    return Verification.objects.filter(what=what).latest("pk")


def test_both_walks_come_once_a_day_by_themselves(stage):  # noqa: F811
    ticket_of(stage)
    now = database_now()
    assert run_waiting(clock=fixed(now)) == 2
    assert run_waiting(clock=fixed(now + timedelta(hours=3))) == 0
    row = last(What.TIMELINES)
    assert (row.state, row.done, row.found, row.asked_by) == ("done", 1, 0, None)
    assert checks_part(now).state is State.GOOD
    assert checks_part(now + timedelta(days=3)).state is State.WATCH
    assert run_waiting(clock=fixed(now + timedelta(hours=25))) == 2


def test_it_is_started_by_a_button_watched_and_kept(stage, admin, sign_in):  # noqa: F811
    ticket_of(stage)
    client = sign_in(admin)
    answer = client.post(reverse("web:operations-verify", args=["timelines"]), follow=True)
    assert "waits for a worker" in answer.content.decode()
    again = client.post(reverse("web:operations-verify", args=["timelines"]), follow=True)
    assert "It is under way already" in again.content.decode()
    run_waiting()
    shown = client.get("/operations").content.decode()
    assert "every timeline holds" in shown
    assert last(What.TIMELINES).asked_by == admin


def test_what_does_not_hold_is_named_for_those_who_may_know_of_it(stage, admin, sign_in):  # noqa: F811
    known, secret = ticket_of(stage, description="Words"), ticket_of(stage, description="Words")
    for ticket in (known, secret):
        comment(ticket=ticket, actor=stage.ada, text="Hurry", public=True)
        words_changed(ticket)
    Ticket.objects.filter(pk=secret.pk).update(restricted=True)
    run_waiting()
    row = last(What.TIMELINES)
    assert row.found >= 2
    told = findings_for(admin, row)
    assert any(known.key in line for line in told)
    assert not any(secret.key in line for line in told)
    assert checks_part(database_now()).state is State.BAD
    shown = sign_in(admin).get("/operations").content.decode()
    assert known.key in shown
    assert secret.key not in shown


def test_only_administrators_ask_and_only_for_what_there_is(stage, admin):  # noqa: F811
    with pytest.raises(Forbidden):
        ask_verification(what="timelines", actor=stage.mara)
    with pytest.raises(Invalid):
        ask_verification(what="everything", actor=admin)
    ask_verification(what="clocks", actor=admin)
    with pytest.raises(Conflict):
        ask_verification(what="clocks", actor=admin)


def test_a_walk_that_a_dead_worker_left_is_walked_anew(stage):  # noqa: F811
    now = database_now()
    run_waiting(clock=fixed(now))
    left = Verification.objects.create(
        what="clocks", asked_at=now, state="running", heard_at=now - timedelta(minutes=5)
    )
    assert run_waiting(clock=fixed(now)) == 1
    left.refresh_from_db()
    assert left.state == "done"
