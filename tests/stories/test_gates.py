"""At which hours, for which priorities and for whom a step may go."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from escalation.models import Firing, Recount
from roles.models import Person
from roles.overrides import add_override
from tests.story import Story, notify, page, unacknowledged
from tickets.assignment import move as move_ticket
from tickets.lifecycle import chase
from tickets.models import EventKind, Ticket
from tickets.triage import set_urgency_impact

OFFICE = {"weekdays": [0, 1, 2, 3, 4], "from": "09:00", "until": "17:00", "zone": "Europe/Berlin"}


def test_a_step_outside_its_hours_is_passed_over_on_record(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Office only", notify("lead"), gates=OFFICE),
        unacknowledged(10, "Always", page("on_call")),
    )
    story.forward(hours=10)
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(minutes=10)
    assert story.fired(ticket) == ["Office only (skipped)", "Always"]
    assert (
        "its gate is shut (Mon Tue Wed Thu Fri, 09:00 to 17:00, Europe/Berlin)"
        in (Firing.objects.get(outcome="skipped").explain["reason"])
    )
    story.phone.rang(("ann", "page"))


def test_a_step_may_be_held_until_its_hours_begin_and_never_goes_early(story: Story) -> None:
    step = unacknowledged(5, "Morning", notify("lead"), gates={**OFFICE, "otherwise": "hold"})
    story.policy("p", step)
    story.forward(hours=10)
    ticket = story.open()
    story.forward(hours=12, minutes=59)  # 07:59 UTC, 08:59 in Berlin
    assert story.fired(ticket) == []
    assert story.fresh(ticket).next_step_at == datetime.fromisoformat("2026-03-03T08:00:00+00:00")
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Morning"]
    told = Firing.objects.get().explain["text"]
    assert "Its rule held at 2026-03-02 19:05:00 UTC; it had to wait until then." in told


def test_a_held_rung_that_a_later_one_has_passed_says_so(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Morning", notify("lead"), gates={**OFFICE, "otherwise": "hold"}),
        unacknowledged(10, "Always", page("on_call")),
    )
    story.forward(hours=10)
    ticket = story.open()
    story.forward(hours=24)
    assert story.fired(ticket) == ["Morning (skipped)", "Always"]
    skipped = Firing.objects.get(outcome="skipped")
    assert skipped.fired_at >= skipped.due_at
    assert skipped.explain["reason"] == "a later step of the ladder has gone first"


def test_the_teams_calendar_may_be_the_gate(story: Story) -> None:
    story.desk.calendar = story.office
    story.desk.save()
    gates = {"zone": "team", "otherwise": "hold"}
    story.policy("p", unacknowledged(5, "Office", notify("lead"), gates=gates))
    story.forward(days=5)  # Saturday
    ticket = story.open()
    story.forward(days=1, hours=22, minutes=59)
    assert story.fired(ticket) == []
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Office"]


def test_a_gate_by_priority_waits_for_the_priority(story: Story) -> None:
    gates = {"priorities": [1, 2], "otherwise": "hold"}
    story.policy("p", unacknowledged(5, "Urgent", page("on_call"), gates=gates))
    ticket = story.open()
    story.forward(hours=1)
    assert story.fired(ticket) == []
    set_urgency_impact(
        ticket=ticket, actor=story.agent, impact=1, urgency=1, reason="All", clock=story.clock
    )
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Urgent"]


def sleepers(story: Story) -> None:
    Person.objects.filter(pk=story.lead.pk).update(zone="Asia/Kathmandu")
    Person.objects.filter(pk=story.manager.pk).update(zone="Europe/Berlin")


def test_people_are_left_out_by_the_clock_where_they_live(story: Story) -> None:
    sleepers(story)
    gates = {"from": "08:00", "until": "18:00", "zone": "responder"}
    story.policy("p", unacknowledged(300, "Tell", notify("lead", "manager"), gates=gates))
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(hours=5)
    story.phone.rang(("mona", "notify"))
    left_out = Firing.objects.get(ticket=ticket).explain["left_out"]
    assert left_out == ["Lena (lead of Desk): it is 19:45 in Asia/Kathmandu, outside the hours"]


def test_a_step_for_sleepers_only_is_passed_over_or_held_as_it_says(story: Story) -> None:
    sleepers(story)
    hours = {"from": "08:00", "until": "18:00", "zone": "responder"}
    story.policy(
        "p",
        unacknowledged(300, "Skip", notify("lead"), gates=hours),
        unacknowledged(301, "Hold", notify("lead"), gates={**hours, "otherwise": "hold"}),
    )
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(hours=6)
    assert story.fired(ticket) == ["Skip (skipped)"]
    story.phone.was_silent()
    story.forward(hours=11, minutes=14)  # 02:14 UTC, 07:59 in Kathmandu
    story.phone.was_silent()
    story.forward(minutes=1)
    story.phone.rang(("lena", "notify"))
    assert ticket.events.filter(kind=EventKind.RUN_HELD).count() == 1


def test_a_step_may_wait_for_the_next_shift_instead_of_telling_the_fallback(story: Story) -> None:
    story.put_on_call(story.desk, [])
    story.put_on_call(story.desk, [story.agent], valid_from=story.now + timedelta(days=7))
    gates = {"hold_for_shift": True}
    story.policy("p", unacknowledged(5, "Page", page("on_call"), gates=gates))
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(days=6)
    assert story.fired(ticket) == []
    story.phone.was_silent()
    (held,) = ticket.events.filter(kind=EventKind.RUN_HELD)
    assert held.facts["because"] == "nobody is on call in Desk until then"
    story.forward(days=1)
    assert story.fired(ticket) == ["Page"]
    story.phone.rang(("ann", "page"))


def waiting_for_a_far_shift(story: Story, **about: Any) -> Ticket:
    """A ticket whose page waits, because nobody of its team is on call for a week."""
    story.put_on_call(story.desk, [])
    story.put_on_call(story.desk, [story.agent], valid_from=story.now + timedelta(days=7))
    story.phone.ignore("received", "escalated", "waiting", "assigned")
    story.policy(
        "p",
        {
            "name": "Call",
            "trigger": "since_start",
            "delay_s": 300,
            "basis": "wall",
            "gates": {"hold_for_shift": True},
            "actions": [page("on_call")],
        },
    )
    ticket = story.open(**about)
    story.forward(minutes=6)
    assert story.fired(ticket) == []
    return ticket


@pytest.mark.parametrize("priority", [1, 3, 5])
def test_what_waits_for_the_next_shift_is_judged_anew_when_the_ticket_changes(
    story: Story, priority: int
) -> None:
    level = {1: 1, 3: 2, 5: 3}[priority]
    ticket = waiting_for_a_far_shift(story, impact=level, urgency=level)
    assert story.fresh(ticket).priority == priority
    story.put_on_call(story.desk, [story.colleague])
    Recount.objects.all().delete()  # As if no roster had changed: here the ticket shall do it.
    story.forward(minutes=1)
    assert story.fired(ticket) == []
    chase(ticket=ticket, actor=story.requester, text="And?", clock=story.clock)
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Call"]
    assert ("bob", "page") in story.phone.new()


def test_what_waited_for_one_teams_shift_goes_out_in_the_team_that_gets_the_ticket(
    story: Story,
) -> None:
    ticket = waiting_for_a_far_shift(story)
    move_ticket(ticket=ticket, actor=story.agent, to_team=story.apps, clock=story.clock)
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Call"]
    assert ("cleo", "page") in story.phone.new()


def off_call_for_a_week(story: Story) -> None:
    story.put_on_call(story.desk, [])
    story.put_on_call(story.desk, [story.agent], valid_from=story.now + timedelta(days=7))


def test_what_waits_for_the_next_shift_goes_out_when_a_roster_gives_one_sooner(
    story: Story,
) -> None:
    off_call_for_a_week(story)
    gates = {"hold_for_shift": True}
    story.policy("p", unacknowledged(5, "Page", page("on_call"), gates=gates))
    ticket = story.open()
    story.forward(minutes=6)
    assert story.fired(ticket) == []
    story.put_on_call(story.desk, [story.colleague])
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Page"]
    story.phone.ignore("received")
    story.phone.rang(("bob", "page"))


def test_what_waits_for_somebodys_hours_goes_to_whoever_takes_the_turn(story: Story) -> None:
    story.agent.zone = "Asia/Tokyo"
    story.agent.save()
    gates = {"from": "08:00", "until": "17:00", "zone": "responder", "otherwise": "hold"}
    story.policy("p", unacknowledged(5, "Page", page("on_call"), gates=gates))
    ticket = story.open()
    story.forward(minutes=6)
    assert story.fired(ticket) == []
    add_override(
        schedule=story.desk.schedule,
        person=story.colleague,
        start=story.now,
        end=story.now + timedelta(hours=2),
        reason="Help",
        actor=story.admin,
        clock=story.clock,
    )
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Page"]


def test_what_goes_on_waiting_for_the_same_shift_is_not_told_again(story: Story) -> None:
    ticket = waiting_for_a_far_shift(story)
    for _ in range(3):
        chase(ticket=ticket, actor=story.requester, text="And?", clock=story.clock)
        story.forward(minutes=61)
    assert ticket.events.filter(kind=EventKind.RUN_HELD).count() == 1
    story.forward(days=7)
    assert story.fired(ticket) == ["Call"]
