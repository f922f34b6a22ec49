"""The timeline: gapless, chained, append-only, and told in the transaction of the change."""

import hashlib

import pytest
from django.db import DatabaseError, connection, transaction

from roles.instants import fixed
from tests.story import MONDAY, Story, page, unacknowledged
from tickets import timeline
from tickets.assignment import take
from tickets.lifecycle import comment, resolve
from tickets.models import EventBody, Ticket, TimelineEvent


def busy(story: Story) -> Ticket:
    ticket = story.open(description="Nothing since eight")
    story.forward(minutes=3)
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    comment(ticket=ticket, actor=story.agent, text="Looking", public=True, clock=story.clock)
    story.forward(minutes=3)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    return story.fresh(ticket)


def test_the_sequence_has_no_gap_and_each_hash_covers_the_one_before(story: Story) -> None:
    ticket = busy(story)
    events = list(ticket.events.order_by("seq"))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    previous = ""
    for event in events:
        assert hashlib.sha256(event.canonical.encode()).hexdigest() == event.hash
        assert f'"previous":"{previous}"' in event.canonical
        previous = event.hash
    assert (ticket.last_seq, ticket.last_hash) == (len(events), previous)


def test_bodies_stand_apart_as_salted_digests(story: Story) -> None:
    ticket = busy(story)
    event = ticket.events.get(kind="commented")
    assert "Looking" not in event.canonical
    digest = timeline.body_digest(event.body.salt, "Looking")
    assert f'"body":"{digest}"' in event.canonical


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tickets_timelineevent SET canonical = 'x'",
        "DELETE FROM tickets_timelineevent",
        "UPDATE tickets_eventbody SET text = 'x'",
        "UPDATE escalation_firing SET outcome = 'fired'",
    ],
)
def test_the_database_refuses_to_change_the_past(statement: str, story: Story) -> None:
    story.policy("p", unacknowledged(1, "Page", page("on_call")))
    waiting = story.open()
    story.forward(minutes=2)
    assert story.fired(waiting)
    busy(story)
    with pytest.raises(DatabaseError, match=r"append-only|immutable"), transaction.atomic():
        connection.cursor().execute(statement)


@pytest.mark.parametrize(
    "table", ["tickets_timelineevent", "tickets_eventbody", "escalation_firing"]
)
def test_the_database_refuses_to_empty_the_past(table: str, live_db: None) -> None:
    with pytest.raises(DatabaseError, match=r"append-only|immutable"):
        connection.cursor().execute(f"TRUNCATE {table} CASCADE")


def test_a_body_may_be_erased_and_the_chain_stands(story: Story) -> None:
    ticket = busy(story)
    EventBody.objects.filter(event__ticket=ticket).delete()
    assert TimelineEvent.objects.filter(ticket=ticket).count() == ticket.last_seq


def test_no_event_is_dated_before_the_one_ahead_of_it(story: Story) -> None:
    ticket = busy(story)
    before = ticket.last_event_at
    assert before is not None
    story.sleep(hours=-5)
    comment(ticket=ticket, actor=story.agent, text="Later", public=False, clock=story.clock)
    assert story.fresh(ticket).last_event_at == before


def test_recording_outside_a_transaction_is_refused(live_db: None) -> None:
    with pytest.raises(RuntimeError):
        timeline.record(Ticket(pk=1), timeline.Entry(kind="commented"), at=MONDAY)


def test_an_act_that_is_refused_leaves_nothing_behind(story: Story) -> None:
    ticket = busy(story)
    before = (ticket.last_seq, story.fresh(ticket).status)
    with pytest.raises(Exception, match="resolved"):
        take(ticket=ticket, actor=story.agent, clock=fixed(story.now))
    assert (story.fresh(ticket).last_seq, story.fresh(ticket).status) == before
