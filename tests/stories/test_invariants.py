"""What must hold whatever happens to a climb: in order, never early, never twice, never silent."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from escalation.engine import climb as carry_out
from escalation.models import Clock, Firing
from notifications.models import Message
from roles.calendars import publish_calendar
from roles.refusals import Forbidden
from tests.story import Story, move, notify, page, percent, unacknowledged
from tickets.assignment import acknowledge, assign
from tickets.lifecycle import cancel, pend, resolve, resume
from tickets.merging import merge
from tickets.models import EventKind
from tickets.triage import set_urgency_impact


def climb(story: Story) -> None:
    story.target("resolution", 120)
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        unacknowledged(15, "Lead", notify("lead")),
        unacknowledged(25, "Up", move(), page("on_call")),
        percent("resolution", 50, "Half", notify("lead")),
    )


def test_each_firing_has_one_event_and_its_messages_and_nobody_means_the_fallback(
    story: Story,
) -> None:
    climb(story)
    ticket = story.open()
    story.forward(hours=2)
    told = ticket.events.filter(kind__in=[EventKind.FIRED, EventKind.SKIPPED])
    assert sorted(event.facts["firing"] for event in told) == sorted(
        Firing.objects.values_list("pk", flat=True)
    )
    for firing in Firing.objects.all():
        letters = Message.objects.filter(cause=firing.cause)
        people = {item["person"] for item in firing.explain.get("told", ())}
        assert people == set(letters.values_list("recipient", flat=True))
        assert firing.outcome == "skipped" or people or firing.explain["done"]


def test_a_second_firing_and_an_early_one_are_refused_by_the_database(story: Story) -> None:
    climb(story)
    story.open()
    story.forward(minutes=5)
    first = Firing.objects.get()
    twin = {
        "run": first.run,
        "step": first.step,
        "ticket": first.ticket,
        "outcome": "fired",
        "fired_at": story.now,
    }
    for loop, due_at in ((first.loop, first.due_at), (99, story.now + timedelta(seconds=1))):
        with pytest.raises(IntegrityError), transaction.atomic():
            Firing.objects.create(loop=loop, entry=first.entry, due_at=due_at, **twin)


@pytest.mark.parametrize("edit", ["policy", "roster", "priority", "calendar", "nothing"])
def test_whatever_is_edited_in_mid_flight_no_rung_is_lost_in_silence_or_told_twice(
    story: Story, edit: str
) -> None:
    climb(story)
    ticket = story.open()
    story.forward(minutes=6)
    if edit == "policy":
        story.policy("p", unacknowledged(1, "Other", page("lead")))
    elif edit == "roster":
        story.put_on_call(story.desk, [story.colleague])
    elif edit == "priority":
        set_urgency_impact(
            ticket=ticket, actor=story.agent, impact=1, urgency=1, reason="All", clock=story.clock
        )
    elif edit == "calendar":
        publish_calendar(
            calendar=story.always,
            zone="UTC",
            spans=[(day, 0, 1440) for day in range(6)],
            actor=None,
            clock=story.clock,
        )
    story.forward(minutes=19)
    assert story.fired(ticket)[:3] == ["Page", "Lead", "Up"]
    keys = list(Firing.objects.values_list("run", "loop", "step", "entry"))
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("minutes", [1, 7, 16, 24, 26, 400])
def test_rungs_go_in_order_or_leave_a_record_whatever_the_outage(
    story: Story, minutes: int
) -> None:
    climb(story)
    ticket = story.open()
    story.sleep(minutes=minutes)
    story.sweep()
    story.forward(minutes=60)
    rows = Firing.objects.filter(
        ticket=ticket, entry=1, loop=1, step__trigger="unacknowledged"
    ).order_by("pk")
    fired = [row.step.position for row in rows if row.outcome != "skipped"]
    assert fired == sorted(fired)
    assert {row.step.position for row in rows} == {1, 2, 3}
    assert all(row.fired_at >= row.due_at for row in rows)


def test_after_an_outage_the_most_urgent_goes_first_and_each_hears_once(story: Story) -> None:
    climb(story)
    low = story.open(impact=3, urgency=3)
    middle = story.open(impact=2, urgency=2)
    high = story.open(impact=1, urgency=1)
    again = story.open(impact=1, urgency=1)
    story.phone.new()
    story.sleep(hours=3)
    order: list[int] = []
    while deeds := carry_out(limit=1, clock=story.clock):
        order += [deed.ticket.pk for deed in deeds if deed.firing.outcome == "fired"]
    assert list(dict.fromkeys(order)) == [high.pk, again.pk, middle.pk, low.pk]
    told = Firing.objects.filter(outcome="fired").values_list("ticket", "step__trigger")
    assert len(told) == len(set(told)) == 8, "one catch-up for each ladder and each clock"


@pytest.mark.parametrize("end", ["resolved", "cancelled", "merged"])
def test_no_stale_notice_goes_out_for_a_ticket_that_is_over(story: Story, end: str) -> None:
    climb(story)
    ticket, kept = story.open(), story.open()
    story.forward(minutes=5)
    assert Message.objects.filter(topic=ticket.topic, kind="page", state="queued").exists()
    act = {"ticket": ticket, "actor": None, "clock": story.clock}
    if end == "resolved":
        resolve(**act, code="fixed", text="Done")
    elif end == "cancelled":
        cancel(**act, reason="Never mind")
    else:
        merge(**act, into=kept, reason="Same")
    calls = Message.objects.filter(topic=ticket.topic, kind__in=["page", "notify"])
    assert {row.state for row in calls} == {"withdrawn"}
    story.sleep(hours=3)
    story.sweep()
    assert story.fired(ticket) == ["Page"]


def test_an_acknowledgement_meets_no_target_and_anybody_paged_may_give_it(story: Story) -> None:
    story.target("first_response", 60)
    story.target("acceptance", 30)
    story.policy("p", unacknowledged(5, "Page", page("person:dora")))
    ticket = story.open()
    with pytest.raises(Forbidden):
        acknowledge(ticket=ticket, actor=story.expert, clock=story.clock)
    story.forward(minutes=5)
    acknowledge(ticket=ticket, actor=story.expert, clock=story.clock)
    assert story.fresh(ticket).is_acknowledged
    assert {row.state for row in Clock.objects.filter(ticket=ticket)} == {"running"}


@pytest.mark.parametrize("stop", ["acknowledge", "resolve"])
def test_what_stops_a_climb_stops_what_was_due_already(story: Story, stop: str) -> None:
    climb(story)
    ticket = story.open()
    story.sleep(minutes=10)
    if stop == "acknowledge":
        acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    else:
        resolve(ticket=ticket, actor=None, code="fixed", text="Done", clock=story.clock)
    story.sweep()
    assert story.fired(ticket) == []


def test_pending_stops_what_is_not_due_yet_and_keeps_its_remainder(story: Story) -> None:
    climb(story)
    ticket = story.open()
    assign(ticket=ticket, actor=story.lead, assignee=story.agent, clock=story.clock)
    story.forward(minutes=10)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_requester",
        reason="Which?",
        clock=story.clock,
    )
    story.forward(hours=4)
    assert story.fired(ticket) == ["Page"]
    resume(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=5)
    assert story.fired(ticket) == ["Page", "Lead"]
