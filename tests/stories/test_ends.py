"""What ends a climb, and what is said of it: the reason that is true."""

import pytest

from escalation.models import Policy, Run
from tests.story import Story, move, notify, page, unacknowledged
from tickets.assignment import acknowledge, take
from tickets.triage import set_urgency_impact

LOW = [{"fact": "priority", "not": [1]}]


def raised(story: Story, ticket: object) -> None:
    set_urgency_impact(
        ticket=ticket, actor=story.agent, impact=1, urgency=1, reason="All", clock=story.clock
    )


def reasons(ticket: object) -> dict[str, str]:
    rows = Run.objects.filter(ticket=ticket).exclude(stopped_at=None)
    return dict(rows.values_list("policy__slug", "stop_reason"))


@pytest.mark.parametrize("mode", ["main", "beside"])
def test_a_climb_without_a_successor_says_that_its_conditions_do_not_hold(
    story: Story, mode: str
) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")), conditions=LOW, mode=mode)
    ticket = story.open()
    raised(story, ticket)
    assert reasons(ticket) == {"p": "its conditions do not hold any more"}


def test_a_climb_of_a_policy_that_is_switched_off_says_so(story: Story) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")))
    story.policy("q", unacknowledged(60, "Page", page("on_call")), position=20)
    ticket = story.open()
    Policy.objects.filter(slug="p").update(is_active=False)
    raised(story, ticket)
    assert reasons(ticket) == {"p": "the policy is switched off"}


def test_a_climb_that_another_takes_over_says_so(story: Story) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")), conditions=LOW, position=1)
    story.policy("q", unacknowledged(60, "Page", page("on_call")), position=2)
    ticket = story.open()
    raised(story, ticket)
    assert reasons(ticket) == {"p": "another policy applies"}


def test_a_climb_that_ends_when_taken_ends_although_it_was_acknowledged_before(
    story: Story,
) -> None:
    story.policy("p", unacknowledged(60, "Page", page("on_call")), stop_on=["taken"])
    ticket = story.open()
    acknowledge(ticket=ticket, actor=story.colleague, clock=story.clock)
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    assert reasons(ticket) == {"p": "taken"}


def test_a_ticket_that_is_restricted_by_one_step_is_told_of_to_nobody_by_another(
    story: Story,
) -> None:
    story.policy("main", unacknowledged(5, "Page", page("on_call"), notify("lead")))
    story.policy(
        "case", unacknowledged(5, "Restrict", {"do": "restrict"}), mode="beside", position=20
    )
    ticket = story.open()
    story.phone.ignore("received", "escalated")
    story.forward(minutes=5)
    assert story.fresh(ticket).restricted
    assert {name for name, _ in story.phone.new()}.isdisjoint({"ann", "lena"})


def test_a_ticket_that_is_moved_by_one_step_is_told_of_in_its_new_team(story: Story) -> None:
    start = {"trigger": "since_start", "delay_s": 300, "basis": "wall"}
    story.policy("p", {"name": "Tell", "actions": [notify("on_call")], **start}, mode="beside")
    story.policy("main", unacknowledged(5, "Up", move()), position=20)
    ticket = story.open()
    story.phone.ignore("received", "escalated")
    story.forward(minutes=5)
    assert story.fired(ticket) == ["Up", "Tell"]
    story.phone.rang(("cleo", "notify"))


def test_a_rung_due_with_the_step_that_restricts_the_ticket_tells_nobody(story: Story) -> None:
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call"), notify("lead")),
        {
            "name": "Restrict",
            "trigger": "since_start",
            "delay_s": 300,
            "basis": "wall",
            "actions": [{"do": "restrict"}],
        },
    )
    ticket = story.open()
    story.phone.ignore("received", "escalated")
    story.forward(minutes=5)
    assert story.fired(ticket)[:2] == ["Restrict", "Page (skipped)"]
    assert {name for name, _ in story.phone.new()}.isdisjoint({"ann", "lena"})
