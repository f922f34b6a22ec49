"""Climbs that go on under another revision: what they have behind them, and what begins."""

from escalation.models import Firing, Run
from tests.stories.test_publishing import go_on, revise
from tests.story import Story, notify, page, percent, unacknowledged
from tickets.assignment import acknowledge, take
from tickets.lifecycle import pend


def pending(minutes: float, name: str, *actions: dict) -> dict:
    step = unacknowledged(minutes, name, *actions)
    return {**step, "trigger": "in_status", "status": "pending_vendor"}


def test_a_new_step_below_the_time_in_a_status_that_was_reached_is_skipped(story: Story) -> None:
    story.policy("p", pending(60, "Lead", notify("lead")))
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_vendor",
        reason="Part ordered",
        clock=story.clock,
    )
    story.forward(minutes=61)
    revise(story, pending(30, "Assignee", notify("assignee")), pending(60, "Lead", notify("lead")))
    go_on(story)
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Lead", "Assignee (skipped)"]


def test_a_new_step_below_a_silence_that_was_reached_is_skipped(story: Story) -> None:
    def silent(minutes: float, name: str) -> dict:
        return {**unacknowledged(minutes, name, notify("lead")), "trigger": "silent"}

    story.policy("p", silent(60, "Long"))
    ticket = story.open()
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=61)
    revise(story, silent(30, "Short"), silent(60, "Long"))
    go_on(story)
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Long", "Short (skipped)"]


def test_a_new_warning_by_time_left_below_the_share_that_was_reached_is_skipped(
    story: Story,
) -> None:
    story.target("resolution", 60)
    left = {
        "name": "An hour's half left",
        "trigger": "clock_remaining",
        "clock": "resolution",
        "remaining_s": 1800,
        "actions": [notify("lead")],
    }
    story.policy("p", percent("resolution", 75, "Three quarters", notify("lead")))
    ticket = story.open()
    story.forward(minutes=46)
    revise(story, left, percent("resolution", 75, "Three quarters", notify("lead")))
    go_on(story)
    story.forward(seconds=1)
    assert story.fired(ticket) == ["Three quarters", "An hour's half left (skipped)"]


def test_a_new_rung_below_that_its_hours_hold_back_does_not_go_in_the_morning(
    story: Story,
) -> None:
    hours = {"from": "18:00", "until": "20:00", "zone": "UTC", "otherwise": "hold"}
    story.policy("p", unacknowledged(20, "Page", page("on_call")))
    ticket = story.open()
    story.forward(minutes=21)
    revise(
        story,
        unacknowledged(10, "Lead", notify("lead"), gates=hours),
        unacknowledged(20, "Page", page("on_call")),
    )
    go_on(story)
    story.forward(hours=12)
    assert story.fired(ticket) == ["Page", "Lead (skipped)"]


def test_rounds_that_a_new_revision_gives_begin_although_the_ladder_is_used_up(
    story: Story,
) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    story.forward(hours=1)
    again = unacknowledged(5, "Page", page("on_call"))
    revise(story, again, repeat_limit=2, repeat_after_s=600)
    go_on(story)
    story.forward(minutes=9)
    assert story.fired(ticket) == ["Page"]
    story.forward(minutes=12)
    assert story.fired(ticket) == ["Page", "Page", "Page"]
    story.forward(hours=3)
    assert len(story.fired(ticket)) == 3


def test_a_step_that_was_taken_out_and_put_back_is_not_repeated(story: Story) -> None:
    rungs = (
        unacknowledged(5, "Page", page("on_call")),
        unacknowledged(60, "Manager", notify("manager")),
    )
    story.policy("p", *rungs)
    ticket = story.open()
    story.forward(minutes=6)
    revise(story, rungs[1])
    go_on(story)
    revise(story, *rungs)
    go_on(story)
    story.forward(minutes=5)
    assert story.fired(ticket) == ["Page"]
    assert Run.objects.filter(ticket=ticket).count() == 3
    assert Firing.objects.count() == 1
