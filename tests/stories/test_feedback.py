"""The requester says how it went: once, changed within a week, and the team reads it."""

import pytest

from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story
from tickets.assignment import take
from tickets.feedback import rate
from tickets.lifecycle import confirm, resolve
from tickets.models import Feedback, Ticket, TimelineEvent


@pytest.fixture
def solved(story: Story) -> Ticket:
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    return resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)


def say(story: Story, ticket: Ticket, score: int, person=None, **more) -> Feedback:  # type: ignore[no-untyped-def]
    actor = person or story.requester
    return rate(ticket=ticket, actor=actor, score=score, clock=story.clock, **more)


def test_the_requester_rates_a_solved_ticket_once_and_may_change_it_for_a_week(
    story: Story, solved: Ticket
) -> None:
    story.phone.new()
    say(story, solved, 2, comment="Slow")
    story.forward(days=6)
    say(story, solved, 4)
    held = Feedback.objects.get()
    assert (held.score, held.comment) == (4, "Slow")
    told = TimelineEvent.objects.filter(ticket=solved, kind="rated").order_by("seq")
    assert [event.facts for event in told] == [{"score": 2}, {"score": 4, "before": 2}]
    assert not any(event.is_public for event in told)
    story.forward(days=2)
    with pytest.raises(Conflict, match="a week old"):
        say(story, solved, 5)


def test_saying_the_same_again_tells_nothing(story: Story, solved: Ticket) -> None:
    say(story, solved, 5)
    say(story, solved, 5)
    assert TimelineEvent.objects.filter(ticket=solved, kind="rated").count() == 1


def test_a_closed_ticket_can_still_be_rated(story: Story, solved: Ticket) -> None:
    confirm(ticket=solved, actor=story.requester, clock=story.clock)
    assert say(story, solved, 5).score == 5


def test_nobody_else_rates_and_not_before_it_is_solved(story: Story, solved: Ticket) -> None:
    for person in (story.agent, story.stranger, story.admin):
        with pytest.raises(Forbidden):
            say(story, solved, 1, person)
    with pytest.raises(Conflict):
        say(story, story.open(), 1)
    with pytest.raises(Invalid):
        say(story, solved, 6)
