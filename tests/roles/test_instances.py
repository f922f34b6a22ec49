"""Rows made and read by the hundred are the rows that Django makes and reads."""

from typing import Any

import pytest
from django.db.models import Model

from escalation.models import Clock, Firing, Run
from notifications.models import Message
from roles.instances import new_row, read_rows, relate
from tests.story import move, unacknowledged
from tickets.models import EventBody, Ticket, TimelineEvent


def columns(row: Model) -> dict[str, Any]:
    return {name: value for name, value in row.__dict__.items() if name != "_state"}


@pytest.mark.parametrize("model", [Message, TimelineEvent, EventBody, Clock, Firing])
def test_a_new_row_has_the_defaults_that_its_model_has(model: type[Model]) -> None:
    row = new_row(model)
    assert columns(row) == columns(model())
    assert row._state.adding


def test_two_new_rows_share_no_default() -> None:
    one, other = new_row(Firing, loop=1), new_row(Firing, loop=2)
    one.explain["text"] = ["Told."]
    assert (other.explain, one.loop, other.loop) == ({}, 1, 2)


def test_rows_that_are_read_at_once_are_those_that_a_query_gives(story) -> None:
    story.target("resolution", 60)
    story.policy("p", unacknowledged(5, "Up", move()))
    for number in range(3):
        story.open(subject=f"Number {number}", tags=["a", "b"])
    runs = Run.objects.select_related("ticket").order_by("pk")
    for mine, known in zip(read_rows(runs), runs, strict=True):
        assert columns(mine) == columns(known)
        assert columns(mine.ticket) == columns(known.ticket)
        assert mine._state.db == known._state.db
        assert not mine._state.adding
    clocks = Clock.objects.order_by("pk")
    assert [columns(row) for row in read_rows(clocks)] == [columns(row) for row in clocks]
    assert read_rows(Clock.objects.filter(pk__in=[])) == []


def test_a_status_that_was_read_at_once_still_changes_by_transitions_only(story) -> None:
    story.open()
    (ticket,) = read_rows(Ticket.objects.all())
    with pytest.raises(AttributeError):
        ticket.status = "closed"
    ticket.begin()
    assert ticket.status == "in_progress"


def test_a_related_row_is_found_without_a_query(story, django_assert_num_queries) -> None:
    requester = story.open().requester
    (ticket,) = read_rows(Ticket.objects.all())
    relate(ticket, "requester", requester)
    with django_assert_num_queries(0):
        assert ticket.requester is requester
