"""What an authority must be told of a case: its clock, the steps on it, and who is reminded."""

from datetime import timedelta

import pytest

from escalation.models import Clock, Firing
from escalation.owed import remind
from notifications.models import Message
from roles.models import Duty, DutyAssignment
from roles.refusals import Conflict, Forbidden
from tests.story import Story, notify, percent
from tickets.assignment import take
from tickets.clearance import clear
from tickets.lifecycle import resolve
from tickets.models import Clearance, Ticket, TimelineEvent
from tickets.notices import give_notice, owe_notice
from tickets.restriction import restrict


def case(story: Story) -> Ticket:
    ticket = story.open(subject="Odd mail rules")
    restrict(ticket=ticket, actor=story.agent, reason="Looks like a break-in", clock=story.clock)
    return story.fresh(ticket)


def test_word_owed_to_a_regulator_stands_until_it_is_given(story: Story) -> None:
    ticket = case(story)
    since = story.now - timedelta(hours=2)
    with pytest.raises(Forbidden):
        owe_notice(ticket=ticket, actor=story.requester, authority="BfDI", clock=story.clock)
    owe_notice(ticket=ticket, actor=story.analyst, authority="BfDI", since=since, clock=story.clock)
    with pytest.raises(Conflict):
        owe_notice(ticket=ticket, actor=story.analyst, authority="BfDI", clock=story.clock)
    with pytest.raises(Conflict):
        give_notice(ticket=ticket, actor=story.analyst, authority="Other", clock=story.clock)
    give_notice(
        ticket=ticket, actor=story.analyst, authority="BfDI", reference="88/26", clock=story.clock
    )
    owed, given = TimelineEvent.objects.filter(
        ticket=ticket, kind__in=["notice_owed", "notice_given"]
    ).order_by("seq")
    assert owed.facts["since"].startswith("2026-03-02T07:00")
    assert (given.facts["reference"], given.facts["still_owed"]) == ("88/26", 0)
    with pytest.raises(Conflict):
        give_notice(ticket=ticket, actor=story.analyst, authority="BfDI", clock=story.clock)


def test_the_clock_of_the_law_runs_for_each_authority_from_when_it_was_known(story: Story) -> None:
    story.target("regulatory", 72 * 60)
    ticket = case(story)
    since = story.now - timedelta(hours=2)
    for authority in ("BfDI", "CNIL"):
        owe_notice(
            ticket=ticket, actor=story.analyst, authority=authority, since=since, clock=story.clock
        )
    clocks = Clock.objects.filter(ticket=ticket, kind="regulatory").order_by("cycle")
    assert [(row.started_at, row.state) for row in clocks] == [(since, "running")] * 2
    give_notice(ticket=ticket, actor=story.analyst, authority="CNIL", clock=story.clock)
    assert sorted(row.state for row in clocks.all()) == ["running", "stopped"]
    give_notice(ticket=ticket, actor=story.analyst, authority="BfDI", clock=story.clock)
    assert {(row.state, row.ended_as) for row in clocks.all()} == {("stopped", "met")}


def owing(story: Story, *authorities: str) -> Ticket:
    """A case on which these authorities are owed word within 40 hours from now."""
    story.target("regulatory", 40 * 60, pauses=())
    ticket = case(story)
    for authority in authorities:
        owe_notice(ticket=ticket, actor=story.analyst, authority=authority, clock=story.clock)
    story.phone.new()
    return ticket


def test_a_step_judges_each_of_several_words_that_are_owed_at_once(story: Story) -> None:
    story.policy("p", percent("regulatory", 50, "Half", notify("on_call")))
    ticket = owing(story, "BfDI")
    story.forward(hours=10)
    owe_notice(ticket=ticket, actor=story.analyst, authority="CNIL", clock=story.clock)
    story.forward(hours=10)
    assert story.fired(ticket) == ["Half"]
    story.forward(hours=10)
    assert story.fired(ticket) == ["Half", "Half"]
    assert [row.entry for row in Firing.objects.filter(ticket=ticket).order_by("pk")] == [1, 2]
    (first, second) = Firing.objects.filter(ticket=ticket).order_by("pk")
    assert "cycle 1" in " ".join(first.explain["text"])
    assert "cycle 2" in " ".join(second.explain["text"])


def test_a_word_given_first_does_not_silence_the_other(story: Story) -> None:
    story.policy("p", percent("regulatory", 50, "Half", notify("on_call")))
    ticket = owing(story, "BfDI", "CNIL")
    give_notice(ticket=ticket, actor=story.analyst, authority="CNIL", clock=story.clock)
    story.forward(hours=20)
    assert story.fired(ticket) == ["Half"]


def test_the_duty_to_tell_outlives_the_solution_and_security_is_reminded(story: Story) -> None:
    quin = story.person("quin")
    ciso = Duty.objects.create(slug="ciso", name="CISO")
    DutyAssignment.objects.create(duty=ciso, person=quin)
    ticket = owing(story, "BfDI")
    clear(ticket=ticket, actor=None, person=quin, reason="In charge", clock=story.clock)
    take(ticket=ticket, actor=story.analyst, clock=story.clock)
    resolve(ticket=ticket, actor=story.analyst, code="fixed", text="Shut", clock=story.clock)
    story.phone.new()
    story.sleep(hours=29)
    remind(clock=story.clock)
    story.phone.was_silent()
    story.sleep(hours=1)
    for _ in range(2):
        remind(clock=story.clock)
    story.phone.rang(("quin", "notice_due"), ("sasha", "notice_due"))
    story.sleep(hours=10)
    remind(clock=story.clock)
    story.phone.rang(("quin", "notice_due"), ("sasha", "notice_due"))
    give_notice(ticket=ticket, actor=story.analyst, authority="BfDI", clock=story.clock)
    story.sleep(hours=10)
    remind(clock=story.clock)
    story.phone.was_silent()


def test_where_nobody_cleared_can_be_reminded_the_fallback_hears_no_facts(story: Story) -> None:
    ticket = owing(story, "BfDI")
    resolve(ticket=ticket, actor=story.analyst, code="fixed", text="Shut", clock=story.clock)
    Clearance.every.filter(ticket=ticket, person=story.analyst).delete()
    story.phone.new()
    story.sleep(hours=41)
    remind(clock=story.clock)
    story.phone.rang(("sasha", "alarm"))
    alarm = Message.objects.get(kind="alarm")
    assert ticket.key not in alarm.subject + alarm.body
