"""A ticket on which the engine fails is set aside after three tries, with an alarm, and alone."""

from datetime import timedelta

from escalation.engine import tick
from escalation.models import Quarantine, Run
from escalation.silence import watch
from notifications.models import Message
from roles.models import Person
from tests.story import Story, page, unacknowledged
from tickets.assignment import assign
from tickets.clearance import break_glass
from tickets.incidents import declare_major
from tickets.lifecycle import pend, resolve
from tickets.links import link
from tickets.models import Clearance, Ticket
from tickets.restriction import restrict


def spoil(ticket: Ticket) -> None:
    """Make every write to the ticket fail: its next event has a number that is taken."""
    Ticket.objects.filter(pk=ticket.pk).update(last_seq=0)


def sleeping(story: Story) -> list[Ticket]:
    tickets = [story.open(subject=f"Part {number}") for number in range(3)]
    for ticket in tickets:
        assign(ticket=ticket, actor=story.lead, assignee=story.agent, clock=story.clock)
        pend(
            ticket=ticket,
            actor=story.agent,
            status="pending_vendor",
            reason="RMA",
            wake_at=story.now + timedelta(hours=1),
            clock=story.clock,
        )
    story.phone.new()
    return tickets


def test_a_wake_up_that_fails_spoils_no_other_and_is_counted(story: Story) -> None:
    tickets = sleeping(story)
    spoil(tickets[0])
    story.forward(hours=1, seconds=1)
    assert [story.fresh(ticket).status for ticket in tickets[1:]] == ["in_progress"] * 2
    assert story.fresh(tickets[0]).status == "pending_vendor"
    assert tickets[0].quarantine.tries == 1


def test_after_three_tries_it_is_quarantined_with_one_alarm(story: Story) -> None:
    tickets = sleeping(story)
    spoil(tickets[0])
    story.phone.ignore("woken")
    story.forward(hours=1)
    for _ in range(5):
        story.forward(seconds=11)
    held = tickets[0].quarantine
    assert (held.tries, held.since is not None) == (3, True)
    story.phone.rang(("ivan", "alarm"))
    assert "IntegrityError" in held.last_error


def test_an_auto_close_that_fails_spoils_no_other(story: Story) -> None:
    tickets = [story.open(), story.open()]
    for ticket in tickets:
        resolve(ticket=ticket, actor=story.agent, code="fixed", text="x", clock=story.clock)
    spoil(tickets[0])
    story.sleep(days=6)
    story.sweep()
    assert [story.fresh(ticket).status for ticket in tickets] == ["resolved", "closed"]
    assert tickets[0].quarantine.tries == 1


def test_tries_count_together_only_while_they_follow_each_other(story: Story) -> None:
    first = sleeping(story)[0]
    before = story.fresh(first).last_seq
    spoil(first)
    story.forward(hours=1)
    story.forward(seconds=11)
    assert first.quarantine.tries == 2
    Ticket.objects.filter(pk=first.pk).update(last_seq=before)
    story.forward(seconds=11)
    assert story.fresh(first).status == "in_progress"
    pend(
        ticket=first,
        actor=story.agent,
        status="pending_vendor",
        reason="RMA",
        wake_at=story.now + timedelta(hours=1),
        clock=story.clock,
    )
    spoil(first)
    story.forward(hours=1)
    assert Quarantine.objects.get(ticket=first).tries == 1


def test_an_alarm_that_reaches_nobody_breaks_no_sweep_and_is_raised_later(story: Story) -> None:
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    poisoned, other = story.open(), story.open()
    Run.objects.filter(ticket=poisoned).update(frozen=[["no time", None]])
    Person.objects.filter(pk=story.incident_manager.pk).update(is_active=False)
    story.phone.ignore("received")
    story.sleep(minutes=5)
    for _ in range(4):
        story.sleep(seconds=11)
        tick(clock=story.clock)
    assert story.fired(other) == ["Page"]
    assert poisoned.quarantine.since is not None
    story.phone.rang(("ann", "page"))
    Person.objects.filter(pk=story.incident_manager.pk).update(is_active=True)
    watch(clock=story.clock)
    watch(clock=story.clock)
    assert [message.recipient.username for message in Message.objects.filter(kind="alarm")] == [
        "ivan"
    ]


def test_a_breach_that_cannot_be_noted_spoils_no_other_and_is_set_aside(story: Story) -> None:
    story.target("resolution", 60)
    tickets = [story.open(), story.open()]
    spoil(tickets[0])
    story.phone.new()
    story.sleep(minutes=61)
    for _ in range(5):
        story.sweep()
        story.sleep(seconds=11)
    noted = [ticket.clocks.get(kind="resolution").noted_breach for ticket in tickets]
    assert noted == [False, True]
    assert (tickets[0].quarantine.tries, tickets[0].quarantine.since is not None) == (3, True)
    story.phone.rang(("ivan", "alarm"))


def test_a_child_that_cannot_be_held_spoils_no_other(story: Story) -> None:
    story.policy("p", unacknowledged(600, "Page", page("on_call")))
    ticket, *children = [story.open(actor=None) for _ in range(3)]
    for child in children:
        link(ticket=child, other=ticket, relation="child_of", actor=None, clock=story.clock)
    spoil(children[0])
    declare_major(
        ticket=ticket, actor=story.incident_manager, reason="All is down", clock=story.clock
    )
    story.sweep()
    held = [Run.objects.get(ticket=child).held for child in children]
    assert held == ["", "major"]
    assert children[0].quarantine.tries == 1


def test_an_emergency_that_cannot_lapse_spoils_no_other(story: Story) -> None:
    tickets = [story.open(subject=f"Part {number}") for number in range(2)]
    for ticket in tickets:
        restrict(ticket=ticket, actor=story.agent, reason="A leak", clock=story.clock)
        break_glass(key=ticket.key, actor=story.admin, reason="Nobody there", clock=story.clock)
    story.phone.new()
    spoil(tickets[0])
    story.sleep(hours=5)
    story.sweep()
    left = Clearance.every.filter(person=story.admin).values_list("ticket_id", flat=True)
    assert list(left) == [tickets[0].pk]
    assert tickets[0].quarantine.tries == 1
