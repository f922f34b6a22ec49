"""Sender and receiver say how an escalation was; the routes learn of it, and so does the desk."""

from datetime import timedelta

import pytest

from escalation.edges import measure_edges
from escalation.feedback import escalation_told_by, rate_handover
from escalation.handover import escalate, hand_back
from escalation.models import Escalation, HandoverFeedback
from insights.lessons import lessons
from notifications.models import Message
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story
from tickets.assignment import take
from tickets.lifecycle import resolve
from tickets.models import Ticket, TimelineEvent


@pytest.fixture
def passed(story: Story) -> Escalation:
    ticket = take(ticket=story.open(), actor=story.agent, clock=story.clock)
    return escalate(
        ticket=ticket, actor=story.agent, reason_code="skill", reason="Stuck", clock=story.clock
    )


def say(story: Story, passed: Escalation, who, verdict: str, **more) -> HandoverFeedback:  # type: ignore[no-untyped-def]
    return rate_handover(escalation=passed, actor=who, verdict=verdict, clock=story.clock, **more)


def test_both_sides_say_their_word_and_the_edge_counts_the_receivers(
    story: Story, passed: Escalation
) -> None:
    say(story, passed, story.engineer, "wrong_tier", comment="A password reset")
    say(story, passed, story.agent, "helped")
    told = TimelineEvent.objects.filter(ticket=passed.ticket, kind="handover_rated")
    assert [event.facts["verdict"] for event in told] == ["wrong_tier", "helped"]
    assert not any(event.is_public for event in told)
    (edge,) = measure_edges(until=story.now + timedelta(days=1))
    assert edge.said == {"wrong_tier": 1, "helped": 1}
    assert edge.right_share == 0.0
    say(story, passed, story.engineer, "right")
    (edge,) = measure_edges(until=story.now + timedelta(days=1))
    assert edge.right_share == 1.0


def test_only_the_two_teams_say_something_each_of_its_own_and_not_for_ever(
    story: Story, passed: Escalation
) -> None:
    for stranger in (story.expert, story.requester, story.admin):
        with pytest.raises(Forbidden):
            say(story, passed, stranger, "right")
    with pytest.raises(Invalid):
        say(story, passed, story.engineer, "helped")
    say(story, passed, story.engineer, "right")
    story.sleep(days=15)
    with pytest.raises(Conflict, match="stands now"):
        say(story, passed, story.engineer, "incomplete")


def test_the_mail_of_an_escalation_leads_to_it(story: Story, passed: Escalation) -> None:
    letter = Message.objects.get(recipient=story.engineer, kind="notify")
    assert "handover" in letter.data["links"]
    assert escalation_told_by(letter.cause, passed.ticket) == passed
    assert escalation_told_by("alarm:1", passed.ticket) is None


def test_who_passed_it_on_hears_how_it_was_solved_and_is_asked(
    story: Story, passed: Escalation
) -> None:
    ticket = take(ticket=passed.ticket, actor=story.engineer, clock=story.clock)
    resolve(ticket=ticket, actor=story.engineer, code="fixed", text="Reset it", clock=story.clock)
    letter = Message.objects.get(kind="outcome")
    assert letter.recipient == passed.sender
    assert ("Solved by Apps" in letter.subject, letter.body) == (True, "Reset it")
    assert "handover" in letter.data["links"]
    assert escalation_told_by(letter.cause, ticket) == passed
    other = story.open()
    assert escalation_told_by(letter.cause, other) is None


def test_who_gets_it_back_is_asked_too(story: Story, passed: Escalation) -> None:
    ticket = take(ticket=passed.ticket, actor=story.engineer, clock=story.clock)
    hand_back(
        ticket=ticket,
        actor=story.engineer,
        reason_code="incomplete",
        reason="Which mailbox?",
        clock=story.clock,
    )
    letter = Message.objects.get(recipient=passed.sender, subject__contains="Handed back")
    assert "handover" in letter.data["links"]
    assert escalation_told_by(letter.cause, ticket) == passed
    assert not Message.objects.filter(kind="outcome").exists()


def test_what_the_receiver_solves_at_once_is_worth_teaching(
    story: Story, passed: Escalation
) -> None:
    assert lessons(story.lead, story.now) == []
    ticket = take(ticket=passed.ticket, actor=story.engineer, clock=story.clock)
    story.sleep(minutes=10)
    resolve(ticket=ticket, actor=story.engineer, code="fixed", text="Reset", clock=story.clock)
    (lesson,) = lessons(story.lead, story.now)
    assert (lesson.about, lesson.from_team, lesson.to_team) == ("Mail", "Desk", "Apps")
    assert (lesson.times, lesson.fast, lesson.by_article) == (1, 1, 0)
    assert lesson.examples == (ticket.key,)
    Ticket.objects.filter(pk=ticket.pk).update(restricted=True)
    assert lessons(story.lead, story.now) == []
