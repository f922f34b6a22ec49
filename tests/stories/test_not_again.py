"""A step that moved a ticket never undoes its hand-back, whatever it goes by."""

from escalation.handover import escalate, hand_back
from tests.story import Story, move, notify, percent, unacknowledged
from tickets.assignment import acknowledge, take
from tickets.lifecycle import comment
from tickets.models import Ticket


def waiting(minutes: float, name: str, *actions: dict, **more: object) -> dict:
    """A step by the time that a ticket has waited in a queue."""
    step = unacknowledged(minutes, name, *actions)
    return {**step, "trigger": "in_status", "status": "waiting_for_support", **more}


def give_back(story: Story, ticket: Ticket) -> None:
    hand_back(
        ticket=ticket,
        actor=story.engineer,
        reason_code="solvable",
        reason="Cache",
        clock=story.clock,
    )


def test_a_step_by_time_in_a_status_does_not_undo_a_hand_back(story: Story) -> None:
    story.policy("p", waiting(30, "Up", move()))
    ticket = story.open()
    story.forward(minutes=30)
    take(ticket=ticket, actor=story.engineer, clock=story.clock)
    give_back(story, ticket)
    story.forward(hours=2)
    assert story.fresh(ticket).team == story.desk
    assert story.fired(ticket) == ["Up"]


def test_a_step_by_silence_does_not_undo_a_hand_back(story: Story) -> None:
    silent = {**unacknowledged(30, "Up", move()), "trigger": "silent"}
    story.policy("p", silent)
    ticket = story.open()
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=30)
    assert story.fresh(ticket).team == story.apps
    give_back(story, ticket)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(hours=2)
    assert story.fresh(ticket).team == story.desk


def owing_updates(story: Story, ticket: Ticket) -> None:
    comment(ticket=ticket, actor=story.agent, text="Seen", public=True, clock=story.clock)
    story.forward(minutes=10)
    comment(ticket=ticket, actor=story.agent, text="Busy", public=True, clock=story.clock)


def test_a_clock_of_many_cycles_moves_the_ticket_on_from_each_team(story: Story) -> None:
    story.target("first_response", 60)
    story.target("next_update", 20)
    story.policy("p", percent("next_update", 100, "Up", move()))
    ticket = story.open()
    owing_updates(story, ticket)
    story.forward(minutes=20)
    assert story.fresh(ticket).team == story.apps
    comment(ticket=ticket, actor=story.engineer, text="On it", public=True, clock=story.clock)
    story.forward(minutes=20)
    assert story.fired(ticket) == ["Up", "Up"]
    assert story.fresh(ticket).team == story.platform


def test_a_clock_of_many_cycles_does_not_undo_a_hand_back(story: Story) -> None:
    story.target("first_response", 60)
    story.target("next_update", 20)
    story.policy("p", percent("next_update", 100, "Up", move()))
    ticket = story.open()
    owing_updates(story, ticket)
    story.forward(minutes=20)
    give_back(story, ticket)
    comment(ticket=ticket, actor=story.agent, text="Back", public=True, clock=story.clock)
    story.forward(minutes=60)
    assert story.fresh(ticket).team == story.desk


def test_a_move_that_was_passed_over_is_judged_anew_after_a_hand_back(story: Story) -> None:
    story.policy("p", unacknowledged(10, "Up", move()), unacknowledged(20, "Lead", notify("lead")))
    ticket = story.open()
    story.sleep(minutes=25)
    story.sweep()
    assert story.fired(ticket) == ["Up (skipped)", "Lead"]
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    escalate(
        ticket=ticket,
        actor=story.agent,
        reason_code="skill",
        reason="Needs a look",
        clock=story.clock,
    )
    acknowledge(ticket=ticket, actor=story.engineer, clock=story.clock)
    story.sleep(minutes=1)
    give_back(story, ticket)
    acknowledged = story.fresh(ticket).is_acknowledged
    assert not acknowledged
    story.forward(minutes=10)
    assert story.fired(ticket) == ["Up (skipped)", "Lead", "Up"]
    assert story.fresh(ticket).team == story.apps
