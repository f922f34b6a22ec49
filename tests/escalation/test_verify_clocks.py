"""A clock row that is not the replay of its timeline is named; honest ones are left in peace."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from escalation.models import Clock
from escalation.verify import check_all
from tests.story import Story, notify, unacknowledged
from tickets import lifecycle
from tickets.assignment import take
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(story: Story) -> Story:
    story.target("resolution", minutes=60)
    story.target("acceptance", minutes=10)
    story.policy("standard", unacknowledged(5, "Tell", notify("on_call")))
    return story


@pytest.fixture
def ticket(story: Story) -> Ticket:
    """One ticket with a pause and a breach on a clock that still runs."""
    ticket = story.open()
    story.forward(minutes=20)
    act = {"ticket": ticket, "actor": story.agent, "clock": story.clock}
    take(**act)
    lifecycle.pend(**act, status="pending_requester", reason="?")
    story.forward(minutes=30)
    lifecycle.resume(**act)
    story.forward(minutes=90)
    return ticket


def findings() -> list[str]:
    return [str(found) for batch in check_all() for found in batch.findings]


def test_honest_clocks_equal_their_replay(story: Story, ticket: Ticket):
    assert Clock.objects.filter(noted_breach=True).count() == 2
    assert findings() == []
    lifecycle.resolve(
        ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock
    )
    assert findings() == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"due_at": F("due_at") + timedelta(minutes=1)}, "due_at"),
        ({"elapsed_s": F("elapsed_s") + 1}, "elapsed_s"),
        ({"pauses": []}, "pauses"),
        ({"breached_at": None}, "breached_at"),
        ({"target_s": 1}, "target_s"),
        ({"started_at": F("started_at") - timedelta(minutes=1)}, "started_at"),
    ],
)
def test_a_changed_clock_is_named(ticket: Ticket, change: dict, named: str):
    Clock.objects.filter(kind="resolution").update(**change)
    (found,) = findings()
    assert found.startswith(f"{ticket.key} resolution#1: {named} is")


def test_a_removed_clock_and_an_invented_one_are_named(ticket: Ticket):
    Clock.objects.filter(kind="acceptance").update(cycle=7)
    assert findings() == [
        f"{ticket.key} acceptance#1: has no row, though the timeline calls for one",
        f"{ticket.key} acceptance#7: has a row that the timeline does not call for",
    ]


def test_the_command_prints_each_finding_and_ends_with_an_error(ticket: Ticket):
    out = StringIO()
    call_command("verify_clocks", stdout=out)
    assert "every clock equals its replay" in out.getvalue()
    Clock.objects.filter(kind="resolution").update(target_s=1)
    out = StringIO()
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_clocks", stdout=out)
    assert f"{ticket.key} resolution#1: target_s is 1" in out.getvalue()
