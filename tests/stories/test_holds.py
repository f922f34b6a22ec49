"""Climbs that stand still for a while, steps called by hand, and what one batch may not do."""

from datetime import timedelta

import pytest

from escalation.calling import call_step, callable_steps
from escalation.holding import end_snooze, snooze
from escalation.models import Clock, Escalation, Firing, Run
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, involve, move, notify, page, percent, unacknowledged
from tickets.assignment import acknowledge, unacknowledge
from tickets.models import EventKind
from tickets.triage import set_urgency_impact


def climbing(story: Story) -> None:
    story.target("resolution", 600)
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        unacknowledged(10, "Tell the lead", notify("lead")),
        unacknowledged(30, "Tell the manager", notify("manager")),
        percent("resolution", 10, "A tenth", notify("lead")),
        {"name": "Call everybody", "trigger": "manual", "actions": [page("team")]},
    )


def sleepy(story: Story, ticket: object, minutes: int) -> None:
    snooze(
        ticket=ticket,
        actor=story.agent,
        until=story.now + timedelta(minutes=minutes),
        reason="Vendor calls back at ten",
        clock=story.clock,
    )


def test_a_snooze_holds_every_step_but_no_clock_and_then_only_the_highest_goes(
    story: Story,
) -> None:
    climbing(story)
    ticket = story.open()
    story.phone.ignore("received")
    sleepy(story, ticket, 20)
    story.forward(minutes=19)
    assert story.fired(ticket) == []
    story.phone.was_silent()
    assert Clock.objects.get().state == "running"
    assert story.fresh(ticket).next_step_at == story.now + timedelta(minutes=1)
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Page (skipped)", "Tell the lead"]
    kinds = list(ticket.events.order_by("seq").values_list("kind", flat=True))
    assert kinds.index(EventKind.RUN_RELEASED) < kinds.index(EventKind.SKIPPED)


def test_a_snooze_ends_by_hand_and_says_so(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    sleepy(story, ticket, 60)
    story.forward(minutes=6)
    end_snooze(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Page"]
    with pytest.raises(Conflict, match="not snoozed"):
        end_snooze(ticket=ticket, actor=story.agent, clock=story.clock)


def test_a_snooze_without_a_step_to_come_ends_on_record_too(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    sleepy(story, ticket, 20)
    story.forward(minutes=20)
    assert ticket.events.filter(kind=EventKind.RUN_RELEASED).count() == 1
    assert Run.objects.get().held == ""


def test_a_snooze_holds_the_policy_that_takes_over_meanwhile(story: Story) -> None:
    story.policy(
        "high",
        unacknowledged(1, "At once", page("on_call")),
        conditions=[{"fact": "priority", "is": 1}],
        position=1,
    )
    story.policy("low", unacknowledged(60, "Page", page("on_call")), position=2)
    ticket = story.open()
    sleepy(story, ticket, 30)
    set_urgency_impact(
        ticket=ticket, actor=story.agent, impact=1, urgency=1, reason="All", clock=story.clock
    )
    story.forward(minutes=29)
    assert story.fired(ticket) == []
    story.forward(minutes=1)
    assert story.fired(ticket) == ["At once"]


def test_a_snooze_needs_a_right_a_reason_and_a_moment_within_reach(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    with pytest.raises(Forbidden):
        snooze(
            ticket=ticket,
            actor=story.stranger,
            until=story.now + timedelta(hours=1),
            reason="x",
            clock=story.clock,
        )
    for until in (story.now, story.now + timedelta(days=31)):
        with pytest.raises(Invalid):
            snooze(ticket=ticket, actor=story.agent, until=until, reason="x", clock=story.clock)


# ---- Called by hand ----------------------------------------------------------------------------


def call(story: Story, ticket: object, position: int) -> Firing:
    return call_step(
        ticket=ticket,
        run=Run.objects.get(ticket=ticket, state="active"),
        position=position,
        actor=story.agent,
        reason="The shop stands still",
        clock=story.clock,
    )


def test_a_called_rung_goes_at_once_and_the_climb_goes_on_from_there(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    story.phone.ignore("received")
    story.forward(minutes=1)
    call(story, ticket, 2)
    story.phone.rang(("lena", "notify"))
    story.forward(minutes=19)
    assert story.fired(ticket) == ["Tell the lead"]
    story.forward(minutes=1)
    assert story.fired(ticket) == ["Tell the lead", "Tell the manager"]
    assert ticket.events.get(kind=EventKind.STEP_CALLED).facts["step"] == 2
    assert any("Called by hand by Ann." in row.explain["text"] for row in Firing.objects.all())


def test_a_step_may_be_called_although_the_ticket_is_acknowledged(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    call(story, ticket, 3)
    story.forward(minutes=50)
    assert story.fired(ticket) == ["Tell the manager"]
    unacknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Tell the manager", "Tell the manager"]


def test_a_manual_step_goes_each_time_it_is_called_and_never_by_itself(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    names = [choice.step.name for choice in callable_steps(ticket)]
    assert "Call everybody" in names
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    for _ in range(2):
        assert call(story, ticket, 5).outcome == "fired"
        story.forward(minutes=5)
    assert story.fired(ticket) == ["Call everybody", "Call everybody"]


def test_a_called_clock_step_still_goes_by_itself_when_it_is_due(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    call(story, ticket, 4)
    story.forward(minutes=60)
    assert story.fired(ticket) == ["A tenth", "A tenth"]


def test_a_step_is_called_by_those_who_may_and_of_a_policy_under_way_only(story: Story) -> None:
    climbing(story)
    ticket = story.open()
    run = Run.objects.get()
    with pytest.raises(Forbidden):
        call_step(
            ticket=ticket,
            run=run,
            position=1,
            actor=story.stranger,
            reason="x",
            clock=story.clock,
        )
    with pytest.raises(Invalid):
        call(story, ticket, 9)
    Run.objects.update(state="stopped", stopped_at=story.now)
    with pytest.raises(Conflict):
        call_step(
            ticket=ticket, run=run, position=1, actor=story.agent, reason="x", clock=story.clock
        )


# ---- One batch, several steps ------------------------------------------------------------------


def test_nobody_is_told_who_loses_the_ticket_in_the_same_batch(story: Story) -> None:
    story.target("resolution", 60)
    story.policy("beside", percent("resolution", 50, "Warn", notify("on_call")), mode="beside")
    story.policy("main", unacknowledged(40, "Up", move(), page("on_call")), position=20)
    ticket = story.open()
    story.phone.ignore("received", "escalated")
    story.sleep(minutes=41)
    story.sweep()
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Up", "Warn"]
    story.phone.rang(("cleo", "page"), ("cleo", "notify"))


def test_a_rung_due_together_with_a_move_is_left_behind_on_record(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        unacknowledged(5, "Up", move(), page("on_call")),
    )
    ticket = story.open()
    story.phone.ignore("received", "escalated")
    story.forward(minutes=5)
    assert story.fired(ticket) == ["Up", "Page (skipped)"]
    story.phone.rang(("cleo", "page"))


def test_a_rung_due_together_with_a_move_that_leads_nowhere_goes_after_all(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")), unacknowledged(5, "Up", move()))
    ticket = story.open(service=None, team=story.platform)
    story.phone.ignore("received")
    story.forward(minutes=5)
    story.forward(seconds=1)
    assert sorted(story.fired(ticket)) == ["Page", "Up (empty)"]


def test_a_call_for_authority_names_the_team_that_it_is_about(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Inform", involve("manager")),
        unacknowledged(10, "Up", move(), involve("lead")),
    )
    ticket = story.open()
    story.forward(minutes=10)
    calls = Escalation.objects.filter(ticket=ticket, type="hierarchical").order_by("pk")
    assert [(item.from_team, item.entry) for item in calls] == [(story.desk, 1), (story.apps, 2)]


def test_a_run_that_only_notifies_never_changes_the_ticket(story: Story) -> None:
    story.target("resolution", 60)
    story.policy(
        "p",
        unacknowledged(5, "Tell", notify("on_call")),
        percent("resolution", 50, "Half", notify("lead")),
        repeat_limit=3,
    )
    ticket = story.open()
    fields = (
        "status",
        "team_id",
        "assignee_id",
        "priority",
        "entry",
        "acknowledged_at",
        "owner_id",
    )
    before = [getattr(story.fresh(ticket), name) for name in fields]
    story.forward(hours=3)
    assert [getattr(story.fresh(ticket), name) for name in fields] == before
    assert len(story.fired(ticket)) > 3
