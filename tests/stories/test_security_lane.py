"""Putting a ticket into the security lane takes it out of everybody else's world at once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from escalation.models import Firing, Run
from notifications.models import Message
from notifications.outbox import VEILED
from roles.instants import database_now
from roles.models import Duty, DutyAssignment, Membership, Person
from roles.people import forget_roles
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, page, unacknowledged
from tickets.assignment import assign, take, watch
from tickets.clearance import break_glass, clear, lapse, to_lapse, unclear
from tickets.lifecycle import comment, pend
from tickets.links import link
from tickets.models import Clearance, Lifting, Ticket, TimelineEvent, Watcher
from tickets.queries import readable_events
from tickets.restriction import (
    confirm_unrestrict,
    propose_unrestrict,
    restrict,
    withdraw_unrestrict,
)


def sees(person: Person, ticket: Ticket) -> bool:
    return Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()


def holder(story: Story, name: str, duty: str) -> Person:
    person = story.person(name)
    row, _ = Duty.objects.get_or_create(slug=duty, defaults={"name": duty.title()})
    DutyAssignment.objects.create(duty=row, person=person)
    return person


def case(story: Story) -> Ticket:
    """An ordinary ticket that the desk has put into the security lane."""
    ticket = story.open(subject="Odd mail rules")
    restrict(ticket=ticket, actor=story.agent, reason="Looks like a break-in", clock=story.clock)
    story.phone.new()
    return story.fresh(ticket)


def test_it_moves_to_security_and_is_known_to_the_cleared_alone(story: Story) -> None:
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    pend(
        ticket=ticket,
        actor=story.agent,
        status="pending_requester",
        reason="Which mail?",
        clock=story.clock,
    )
    story.phone.new()
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    found = story.fresh(ticket)
    assert (found.team, found.status, found.key) == (story.soc, "waiting_for_support", ticket.key)
    assert [p for p in ("ann", "sasha", "rita", "bob", "ivan", "lena", "root") if sees(
        Person.objects.get(username=p), ticket
    )] == ["ann", "sasha"]  # fmt: skip
    story.phone.rang(("sasha", "cleared"))
    kinds = list(TimelineEvent.objects.filter(ticket=ticket).values_list("kind", flat=True))
    assert [kind for kind in kinds if kind in ("resumed", "restricted", "moved")] == [
        "moved",
        "resumed",
        "restricted",
        "moved",
    ]


def test_what_was_queued_is_withdrawn_and_what_was_sent_is_closed_to_others(story: Story) -> None:
    ticket = story.open(subject="Odd mail rules")
    watch(ticket=ticket, actor=story.colleague, clock=story.clock)
    watch(ticket=ticket, actor=story.analyst, clock=story.clock)
    comment(ticket=ticket, actor=story.agent, text="We look", public=True, clock=story.clock)
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    told = Message.objects.filter(topic=ticket.topic)
    assert {row.state for row in told.exclude(kind="cleared")} == {"withdrawn"}
    assert {row.clearance for row in told} == {ticket.topic}
    fresh = told.get(kind="cleared")
    assert "Odd mail rules" not in fresh.subject + fresh.body
    assert list(
        Watcher.objects.filter(ticket=ticket).values_list("person__username", flat=True)
    ) == ["sasha"]


def test_the_security_policy_takes_over_and_pages_cleared_people_only(story: Story) -> None:
    story.policy("plain", unacknowledged(5, "Page", page("on_call", "lead")), position=9)
    story.policy(
        "security",
        unacknowledged(0, "Page security", page("on_call:soc", "duty:incident-manager")),
        conditions=[{"fact": "restricted", "is": True}],
        position=1,
    )
    ticket = case(story)
    active = Run.objects.get(ticket=ticket, state="active")
    assert active.policy.slug == "security"
    story.forward(minutes=10)
    story.phone.rang(("sasha", "page"))


def test_with_nobody_cleared_security_and_then_the_ciso_hear_no_fact(story: Story) -> None:
    ciso = holder(story, "quin", "ciso")
    story.policy("any", unacknowledged(5, "Page", page("duty:incident-manager")))
    ticket = case(story)
    story.soc.memberships.all().delete()
    Person.objects.filter(pk=story.analyst.pk).update(is_active=False)
    story.forward(minutes=5)
    story.phone.rang(("quin", "page"))
    alarm = Message.objects.get(recipient=ciso, kind="page")
    assert ticket.key not in alarm.subject + alarm.body
    assert ticket.subject not in alarm.subject + alarm.body
    assert (alarm.clearance, alarm.data) == ("", VEILED)
    left_out = Firing.objects.get(ticket=ticket).explain["left_out"]
    assert any("Ivan" in line and "not cleared" in line for line in left_out)


def test_who_may_not_cannot_restrict_and_twice_is_once_too_often(story: Story) -> None:
    ticket = story.open()
    for person in (story.requester, story.engineer, story.admin):
        with pytest.raises(Forbidden):
            restrict(ticket=ticket, actor=person, reason="Hide it", clock=story.clock)
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    with pytest.raises(Conflict):
        restrict(ticket=ticket, actor=story.analyst, reason="Again", clock=story.clock)


def test_only_the_cleared_who_may_clear_others_and_nobody_themselves(story: Story) -> None:
    ticket = case(story)
    take(ticket=ticket, actor=story.analyst, clock=story.clock)
    with pytest.raises(Forbidden):
        clear(ticket=ticket, actor=story.lead, person=story.lead, reason="Mine", clock=story.clock)
    with pytest.raises(Forbidden):
        clear(ticket=ticket, actor=story.agent, person=story.lead, reason="Ask", clock=story.clock)
    clear(ticket=ticket, actor=story.analyst, person=story.expert, reason="Logs", clock=story.clock)
    assert sees(story.expert, ticket)
    story.phone.rang(("dora", "cleared"))
    with pytest.raises(Conflict):
        clear(
            ticket=ticket, actor=story.analyst, person=story.analyst, reason="I", clock=story.clock
        )
    unclear(
        ticket=ticket, actor=story.analyst, person=story.expert, reason="Done", clock=story.clock
    )
    assert not sees(story.expert, ticket)
    with pytest.raises(Conflict):
        unclear(
            ticket=ticket,
            actor=story.analyst,
            person=story.analyst,
            reason="I leave",
            clock=story.clock,
        )


# ---- Breaking the glass ------------------------------------------------------------------------


@pytest.fixture
def today(db: None) -> Story:
    """A story of this very hour: what opens a case for a time is judged by the database."""
    return Story(database_now())


def test_breaking_the_glass_opens_a_case_for_a_time_and_everybody_hears_of_it(
    today: Story,
) -> None:
    holder(today, "quin", "ciso")
    ticket = case(today)
    with pytest.raises(Invalid):
        break_glass(key=ticket.key, actor=today.admin, reason="", clock=today.clock)
    break_glass(key=ticket.key, actor=today.admin, reason="Nobody answers", clock=today.clock)
    assert sees(today.admin, ticket)
    today.phone.rang(("ann", "glass_broken"), ("quin", "glass_broken"), ("sasha", "glass_broken"))
    to_ciso = Message.objects.get(kind="glass_broken", recipient__username="quin")
    assert ticket.key not in to_ciso.subject + to_ciso.body
    event = TimelineEvent.objects.get(ticket=ticket, kind="glass_broken")
    assert (event.actor_id, event.body.text) == (today.admin.pk, "Nobody answers")
    with pytest.raises(Conflict):
        clear(
            ticket=ticket, actor=today.admin, person=today.admin, reason="Stay", clock=today.clock
        )


def test_the_emergency_ends_by_itself_and_the_timeline_says_so(today: Story) -> None:
    ticket = case(today)
    break_glass(key=ticket.key, actor=today.admin, reason="Nobody answers", clock=today.clock)
    Clearance.every.filter(person=today.admin).update(until=today.now - timedelta(seconds=1))
    assert not sees(today.admin, ticket)
    due = to_lapse(limit=10, now=today.clock())
    assert lapse(ticket_ids=due, clock=today.clock) == 1
    assert not Clearance.every.filter(person=today.admin).exists()
    event = TimelineEvent.objects.filter(ticket=ticket).order_by("-seq")[0]
    assert (event.kind, event.facts["removed"]) == ("cleared", [today.admin.pk])
    assert to_lapse(limit=10, now=today.clock()) == []
    assert lapse(ticket_ids=due, clock=today.clock) == 0


def test_nobody_else_breaks_it_and_no_key_is_tried_out_with_it(today: Story) -> None:
    ticket, plain = case(today), today.open()
    for key in (ticket.key, plain.key, "INC-999999"):
        with pytest.raises(Forbidden) as refused:
            break_glass(key=key, actor=today.lead, reason="I want to", clock=today.clock)
        assert key not in refused.value.detail
    said = set()
    for key in (plain.key, "INC-999999"):
        with pytest.raises(Invalid) as refused_key:
            break_glass(key=key, actor=today.admin, reason="Look", clock=today.clock)
        said.add(refused_key.value.detail)
    assert len(said) == 1


# ---- Lifting it --------------------------------------------------------------------------------


def two_heads(story: Story, ticket: Ticket) -> tuple[Person, Person]:
    people = holder(story, "quin", "ciso"), holder(story, "quiz", "ciso")
    for person in people:
        Clearance.objects.create(ticket=ticket, person=person)
        forget_roles(person)
    return people


def test_it_takes_two_people_to_lift_a_restriction(story: Story) -> None:
    ticket = case(story)
    first, second = two_heads(story, ticket)
    with pytest.raises(Forbidden):
        propose_unrestrict(ticket=ticket, actor=story.agent, reason="Over", clock=story.clock)
    with pytest.raises(Conflict):
        confirm_unrestrict(ticket=ticket, actor=second, clock=story.clock)
    propose_unrestrict(ticket=ticket, actor=first, reason="False alarm", clock=story.clock)
    with pytest.raises(Conflict):
        confirm_unrestrict(ticket=ticket, actor=first, clock=story.clock)
    assert story.fresh(ticket).restricted
    confirm_unrestrict(ticket=ticket, actor=second, clock=story.clock)
    assert not story.fresh(ticket).restricted
    assert sees(story.colleague, ticket)
    assert not Clearance.every.filter(ticket=ticket).exists()


def test_the_database_itself_refuses_one_person_as_both(story: Story) -> None:
    ticket = case(story)
    with pytest.raises(IntegrityError), transaction.atomic():
        Lifting.objects.create(
            ticket=ticket,
            proposer=story.analyst,
            reason="Over",
            proposed_at=story.now,
            confirmer=story.analyst,
            confirmed_at=story.now,
        )


def test_a_proposal_to_lift_may_be_turned_down(story: Story) -> None:
    ticket = case(story)
    first, second = two_heads(story, ticket)
    propose_unrestrict(ticket=ticket, actor=first, reason="False alarm", clock=story.clock)
    withdraw_unrestrict(ticket=ticket, actor=second, clock=story.clock)
    with pytest.raises(Conflict):
        confirm_unrestrict(ticket=ticket, actor=second, clock=story.clock)


# ---- What others still read --------------------------------------------------------------------


def test_a_link_made_before_tells_the_uncleared_nothing(story: Story) -> None:
    ticket, other = story.open(), story.open()
    link(ticket=other, other=ticket, relation="caused_by", actor=story.agent, clock=story.clock)
    events = TimelineEvent.objects.filter(ticket=other)
    assert readable_events(events, story.colleague).filter(kind="linked").exists()
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    assert not readable_events(events, story.colleague).filter(kind="linked").exists()
    assert readable_events(events, story.analyst).filter(kind="linked").exists()
    assert readable_events(events, story.colleague).count() == events.count() - 1


def test_the_analyst_at_work_on_a_case_in_the_lane_stays_in_it(story: Story) -> None:
    second = story.person("sven")
    Membership.objects.create(team=story.soc, person=second)
    forget_roles(second)
    ticket = story.open(kind="security", team=story.soc)
    assign(ticket=ticket, actor=None, assignee=second, clock=story.clock)
    story.phone.new()
    restrict(ticket=ticket, actor=story.analyst, reason="A break-in", clock=story.clock)
    found = story.fresh(ticket)
    assert (found.team, found.assignee) == (story.soc, second)
    assert sees(second, ticket)
    story.phone.rang(("sven", "cleared"))
