"""Some things happen by the calendar alone: waking up, closing what stays resolved."""

import pytest

from roles.refusals import Forbidden, Invalid
from tests.story import Story
from tickets.assignment import take
from tickets.lifecycle import pend, resolve
from tickets.links import link
from tickets.models import TicketLink


def test_a_pending_ticket_wakes_up_at_its_date_and_tells_its_assignee(story: Story) -> None:
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    later = story.now.replace(hour=15)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_vendor",
        reason="Part ordered",
        wake_at=later,
        clock=story.clock,
    )
    story.phone.new()
    story.forward(hours=5, minutes=59)
    assert story.fresh(ticket).status == "pending_vendor"
    story.forward(minutes=1)
    now = story.fresh(ticket)
    assert (now.status, now.wake_at, now.pending_reason) == ("in_progress", None, "")
    story.phone.rang(("ann", "woken"))


def test_a_ticket_that_stays_resolved_closes_by_itself(story: Story, settings) -> None:
    settings.AUTO_CLOSE_DAYS = 5
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    story.forward(days=4, hours=23)
    assert story.fresh(ticket).status == "resolved"
    story.forward(hours=1)
    now = story.fresh(ticket)
    assert (now.status, now.closed_at) == ("closed", story.now)


def test_a_link_is_told_on_both_timelines(story: Story) -> None:
    one, other = story.open(), story.open()
    link(ticket=one, other=other, relation="caused_by", actor=story.agent, clock=story.clock)
    assert TicketLink.objects.get().target == other
    directions = [ticket.events.get(kind="linked").facts["direction"] for ticket in (one, other)]
    assert directions == ["out", "in"]


def test_a_case_is_never_linked_with_an_open_ticket(story: Story) -> None:
    case = story.open(kind="security", restricted=True, service=None)
    with pytest.raises(Forbidden):
        link(
            ticket=story.open(),
            other=case,
            relation="related",
            actor=story.agent,
            clock=story.clock,
        )
    with pytest.raises(Invalid):
        link(ticket=story.open(), other=case, relation="related", actor=None, clock=story.clock)
