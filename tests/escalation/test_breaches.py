"""Every missed deadline is told once on the timeline, whenever and however it was found out."""

from escalation.breaches import note_breaches
from escalation.models import Clock
from tests.story import Story
from tickets import lifecycle
from tickets.assignment import take
from tickets.models import EventKind, Ticket
from tickets.triage import set_urgency_impact


def breaches(ticket: Ticket) -> list[tuple[str, int, str]]:
    events = ticket.events.filter(kind=EventKind.BREACHED).order_by("seq")
    return [(e.facts["clock"], e.facts["cycle"], e.facts["due_at"]) for e in events]


def prioritise(story: Story, ticket: Ticket, level: int) -> None:
    """Impact and urgency 1 make a P1, 3 and 3 a P5."""
    set_urgency_impact(
        ticket=ticket,
        actor=story.agent,
        impact=level,
        urgency=level,
        reason="It is",
        clock=story.clock,
    )


def test_a_clock_that_was_missed_and_stopped_while_no_engine_ran_is_told_once(story: Story) -> None:
    story.target("resolution", 60)
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.sleep(minutes=90)
    lifecycle.resolve(
        ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock
    )
    assert breaches(ticket) == []
    story.sweep()
    story.forward(hours=1)
    row = Clock.objects.get()
    assert breaches(ticket) == [("resolution", 1, "2026-03-02T10:00:00.000000+00:00")]
    assert (row.state, row.noted_breach, row.due_at == row.breached_at) == ("stopped", True, True)
    assert story.fresh(ticket).breached_at == row.breached_at


def test_a_miss_that_comes_to_light_in_a_pause_is_told_without_waiting_for_its_end(
    story: Story,
) -> None:
    story.target("resolution", 10, priority=1)
    story.target("resolution", 600)
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=20)
    lifecycle.pend(
        ticket=ticket, actor=story.agent, status="pending_requester", reason="?", clock=story.clock
    )
    story.forward(minutes=5)
    prioritise(story, ticket, 1)
    story.sweep()
    assert Clock.objects.get().state == "paused"
    assert breaches(ticket) == [("resolution", 1, "2026-03-02T09:10:00.000000+00:00")]


def test_a_miss_that_a_lower_priority_takes_back_may_come_again_and_is_told_again(
    story: Story,
) -> None:
    story.target("resolution", 10, priority=1)
    story.target("resolution", 60)
    ticket = story.open()
    prioritise(story, ticket, 1)
    story.forward(minutes=15)
    prioritise(story, ticket, 3)
    row = Clock.objects.get()
    assert (row.breached_at, row.noted_breach) == (None, False)
    assert story.fresh(ticket).breached_at is None
    story.forward(minutes=60)
    assert [due[11:16] for _, _, due in breaches(ticket)] == ["09:10", "10:00"]


def test_noting_again_writes_nothing_again(story: Story) -> None:
    story.target("resolution", 10)
    ticket = story.open()
    story.sleep(minutes=11)
    assert note_breaches(limit=10, clock=story.clock) == 1
    assert note_breaches(limit=10, clock=story.clock) == 0
    assert note_breaches(limit=10, clock=story.clock, ticket_id=ticket.pk) == 0
    assert len(breaches(ticket)) == 1
