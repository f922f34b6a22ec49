"""What steps can do beside telling people, and what makes them due beside silence."""

from escalation.models import Firing
from tests.story import Story, move, notify, page, percent, unacknowledged
from tickets.assignment import take
from tickets.lifecycle import pend, resume
from tickets.models import Ticket
from tickets.triage import override_priority

RAISE = {"do": "raise_priority", "to": 2}


def test_a_step_may_raise_the_priority_and_never_lowers_one(story: Story) -> None:
    story.target("resolution", 60)
    story.policy("p", percent("resolution", 50, "Raise", RAISE))
    ticket = story.open()
    urgent = story.open(impact=1, urgency=1)
    story.forward(minutes=30)
    assert (story.fresh(ticket).priority, story.fresh(urgent).priority) == (2, 1)
    told = Firing.objects.get(ticket=ticket).explain["text"]
    assert "Priority raised from P5 to P2." in told


def test_a_priority_set_by_hand_stands_against_every_rule(story: Story) -> None:
    story.target("resolution", 60)
    story.policy("p", percent("resolution", 50, "Raise", RAISE, notify("lead")))
    ticket = story.open()
    override_priority(ticket=ticket, actor=None, priority=4, reason="Known", clock=story.clock)
    story.forward(minutes=30)
    assert story.fresh(ticket).priority == 4


def test_a_step_may_wait_for_time_in_a_status_and_starts_over_when_it_comes_again(
    story: Story,
) -> None:
    story.policy(
        "vendor",
        {
            "name": "Chase the vendor",
            "trigger": "in_status",
            "status": "pending_vendor",
            "delay_s": 3600,
            "basis": "wall",
            "actions": [notify("assignee")],
        },
    )
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)

    def wait_for_vendor(minutes: int) -> None:
        pend(
            ticket=ticket,
            actor=story.agent,
            status="pending_vendor",
            reason="Part ordered",
            clock=story.clock,
        )
        story.forward(minutes=minutes)

    story.phone.new()
    wait_for_vendor(61)
    story.phone.rang(("ann", "notify"))
    resume(ticket=ticket, actor=story.agent, clock=story.clock)
    wait_for_vendor(59)
    story.phone.was_silent()
    story.forward(minutes=1)
    story.phone.rang(("ann", "notify"))


def test_somebody_paged_is_not_notified_of_the_same_step_as_well(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Tell", notify("on_call", "lead"), page("on_call")))
    story.open()
    story.phone.ignore("received")
    story.forward(minutes=5)
    story.phone.rang(("ann", "page"), ("lena", "notify"))


def test_two_policies_never_move_a_ticket_twice_at_one_moment(story: Story) -> None:
    step = unacknowledged(5, "Up", move())
    story.policy("main", step)
    story.policy("beside", step, mode="beside", position=20)
    ticket = story.open()
    story.sleep(minutes=5)
    story.sweep()
    moved = story.fresh(ticket)
    assert (moved.team, moved.entry) == (story.apps, 2)
    assert Ticket.objects.get(pk=ticket.pk).events.filter(kind="escalated").count() == 1


def test_a_step_that_raises_the_priority_may_bring_another_policy_in_its_place(
    story: Story,
) -> None:
    story.policy(
        "urgent",
        unacknowledged(30, "At once", notify("lead")),
        conditions=[{"fact": "priority", "is": [1, 2]}],
        position=1,
    )
    story.policy("low", unacknowledged(5, "Raise", RAISE), position=2)
    ticket = story.open()
    story.forward(minutes=30)
    assert story.fired(ticket) == ["Raise", "At once"]
    assert list(ticket.runs.order_by("pk").values_list("state", flat=True)) == [
        "superseded",
        "active",
    ]
