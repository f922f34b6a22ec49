"""Work is passed on with a reason, accepted or handed back, and every passing is on record."""

import pytest

from escalation.handover import accept, escalate, hand_back, involve
from escalation.models import Clock, Escalation
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, page, unacknowledged
from tests.story import move as move_up
from tickets.assignment import move, take
from tickets.lifecycle import pend, resolve


def escalated(story: Story):  # type: ignore[no-untyped-def]
    """A ticket that Ann of the desk has tried and passed to the next tier."""
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=10)
    escalate(
        ticket=ticket,
        actor=story.agent,
        reason_code="skill",
        reason="The queue is stuck",
        tried="Restarted the client",
        clock=story.clock,
    )
    return ticket


def test_escalating_moves_the_ticket_to_the_next_tier_and_tells_everybody(story: Story) -> None:
    story.target("resolution", 240)
    ticket = escalated(story)
    now = story.fresh(ticket)
    assert (now.team, now.status, now.assignee, now.entry) == (
        story.apps,
        "waiting_for_support",
        None,
        2,
    )
    story.phone.rang(("rita", "received"), ("rita", "escalated"), ("cleo", "notify"))
    record = Escalation.objects.get()
    assert (record.from_team, record.to_team, record.sender) == (
        story.desk,
        story.apps,
        story.agent,
    )
    assert record.clock_reading["resolution"]["target_s"] == 240 * 60
    assert now.owner_team == story.desk, "the owner stays through escalations"


def test_the_receiver_accepts_and_so_meets_the_acceptance_target(story: Story) -> None:
    story.target("acceptance", 30)
    ticket = escalated(story)
    story.forward(minutes=5)
    accept(ticket=ticket, actor=story.engineer, clock=story.clock)
    assert Escalation.objects.get().state == "accepted"
    first, second = Clock.objects.filter(kind="acceptance").order_by("cycle")
    assert (first.ended_as, second.ended_as, second.elapsed_s) == ("met", "met", 300)


def test_taking_accepts_too_and_resolving_completes(story: Story) -> None:
    ticket = escalated(story)
    take(ticket=ticket, actor=story.engineer, clock=story.clock)
    record = Escalation.objects.get()
    assert (record.state, record.accepted_by) == ("accepted", story.engineer)
    resolve(ticket=ticket, actor=story.engineer, code="fixed", text="Done", clock=story.clock)
    assert Escalation.objects.get().state == "completed"


def test_handing_back_returns_the_ticket_to_its_last_assignee_with_fresh_clocks(
    story: Story,
) -> None:
    story.target("acceptance", 30)
    ticket = escalated(story)
    story.phone.new()
    hand_back(
        ticket=ticket,
        actor=story.engineer,
        reason_code="incomplete",
        reason="Which mailbox?",
        clock=story.clock,
    )
    now = story.fresh(ticket)
    assert (now.team, now.assignee, now.entry) == (story.desk, story.agent, 3)
    story.phone.rang(("ann", "notify"))
    record = Escalation.objects.get()
    assert (record.state, record.hand_back_code) == ("handed_back", "incomplete")
    cycles = Clock.objects.filter(kind="acceptance").order_by("cycle")
    assert [row.ended_as for row in cycles] == ["met", "handed_back", "met"]


def test_a_step_that_moved_the_ticket_does_not_throw_it_up_again_after_a_hand_back(
    story: Story,
) -> None:
    story.policy(
        "up", unacknowledged(10, "Move up", move_up()), unacknowledged(60, "Page", page("lead"))
    )
    ticket = story.open()
    story.forward(minutes=10)
    assert story.fresh(ticket).team == story.apps
    hand_back(
        ticket=ticket,
        actor=story.engineer,
        reason_code="solvable",
        reason="Clear the cache",
        clock=story.clock,
    )
    story.forward(minutes=30)
    assert story.fresh(ticket).team == story.desk
    assert story.fired(ticket) == ["Move up"]
    story.forward(minutes=30)
    assert story.fired(ticket) == ["Move up", "Page"]


def test_a_pending_ticket_is_resumed_before_it_is_passed_on(story: Story) -> None:
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_vendor",
        reason="RMA",
        clock=story.clock,
    )
    escalate(
        ticket=ticket, actor=story.agent, reason_code="time", reason="No news", clock=story.clock
    )
    kinds = list(ticket.events.values_list("kind", flat=True))
    assert kinds.index("resumed") < kinds.index("escalated")


def test_at_the_top_the_incident_manager_is_paged_and_the_work_stays(story: Story) -> None:
    ticket = story.open(team=story.platform)
    story.phone.new()
    record = escalate(
        ticket=ticket,
        actor=story.expert,
        reason_code="authority",
        reason="Restore loses an hour of orders",
        clock=story.clock,
    )
    story.phone.rang(("ivan", "page"))
    now = story.fresh(ticket)
    assert (now.team, now.entry) == (story.platform, 1)
    assert (record.type, list(record.to_people.all())) == (
        "hierarchical",
        [story.incident_manager],
    )
    assert ticket.events.filter(kind="escalated").count() == 1
    move(ticket=now, actor=story.incident_manager, to_team=story.incidents, clock=story.clock)
    assert story.fresh(ticket).team == story.incidents, "he may pull it"


def test_at_the_top_with_nobody_to_call_it_says_so(story: Story) -> None:
    ticket = story.open(team=story.platform)
    story.incident_manager.is_active = False
    story.incident_manager.save()
    with pytest.raises(Conflict, match="nobody to call"):
        escalate(
            ticket=ticket,
            actor=story.expert,
            reason_code="skill",
            reason="Beyond us",
            clock=story.clock,
        )


def test_only_the_team_and_incident_managers_may_escalate(story: Story) -> None:
    ticket = story.open()
    for outsider in (story.requester, story.stranger, story.expert):
        with pytest.raises(Forbidden):
            escalate(
                ticket=ticket, actor=outsider, reason_code="skill", reason="x", clock=story.clock
            )
    escalate(
        ticket=ticket,
        actor=story.incident_manager,
        reason_code="impact",
        reason="Pushed",
        to_team=story.platform,
        clock=story.clock,
    )
    assert story.fresh(ticket).team == story.platform


def test_a_hand_back_needs_a_code_and_a_hand_over(story: Story) -> None:
    ticket = story.open()
    with pytest.raises(Invalid):
        hand_back(ticket=ticket, actor=story.agent, reason_code="?", reason="x", clock=story.clock)
    with pytest.raises(Conflict, match="No hand-over"):
        hand_back(
            ticket=ticket,
            actor=story.agent,
            reason_code="wrong_team",
            reason="x",
            clock=story.clock,
        )


def test_involving_somebody_does_not_move_the_ticket(story: Story) -> None:
    ticket = story.open()
    story.phone.new()
    involve(
        ticket=ticket, actor=story.agent, team=story.platform, reason="Look?", clock=story.clock
    )
    assert story.fresh(ticket).team == story.desk
    story.phone.rang(("dora", "involved"))
    assert ticket.watchers.filter(person=story.expert).exists()
