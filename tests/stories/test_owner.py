"""Somebody answers for a ticket through every hand-over, and changes only by being named."""

import pytest

from escalation.handover import escalate
from notifications.models import Message
from roles.models import Membership, Person
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, notify, page, unacknowledged
from tickets.lifecycle import cancel
from tickets.models import EventKind, Ticket
from tickets.owning import name_owner


def named(story: Story, ticket: Ticket, owner: Person | None, actor: Person | None = None):  # type: ignore[no-untyped-def]
    return name_owner(
        ticket=ticket,
        actor=actor or story.incident_manager,
        owner=owner,
        reason="It went to and fro",
        clock=story.clock,
    )


def test_the_incident_manager_names_an_owner_who_stays_through_hand_overs(story: Story) -> None:
    ticket = story.open()
    story.phone.new()
    named(story, ticket, story.colleague)
    story.phone.rang(("bob", "owned"))
    event = ticket.events.get(kind=EventKind.OWNED)
    assert (event.actor_id, event.body.text) == (story.incident_manager.pk, "It went to and fro")
    assert event.facts["set"] == {"owner_id": story.colleague.pk}
    escalate(
        ticket=ticket, actor=story.agent, reason_code="skill", reason="Stuck", clock=story.clock
    )
    now = story.fresh(ticket)
    assert (now.owner, now.owner_team, now.team) == (story.colleague, story.desk, story.apps)
    named(story, ticket, story.colleague)
    assert ticket.events.filter(kind=EventKind.OWNED).count() == 1
    named(story, ticket, None)
    assert story.fresh(ticket).owner is None


def test_who_may_not_and_who_cannot_is_refused(story: Story) -> None:
    ticket, over = story.open(), story.open()
    for person in (story.requester, story.agent, story.admin):
        with pytest.raises(Forbidden):
            named(story, ticket, story.colleague, person)
    robot = story.person("robot", kind=Person.Kind.SERVICE)
    Membership.objects.create(team=story.desk, person=robot)
    for unfit in (story.requester, story.stranger, robot):
        with pytest.raises(Invalid):
            named(story, ticket, unfit)
    with pytest.raises(Invalid):
        name_owner(
            ticket=ticket, actor=story.lead, owner=story.agent, reason=" ", clock=story.clock
        )
    named(story, ticket, story.agent, story.lead)
    cancel(ticket=over, actor=None, reason="Never mind", clock=story.clock)
    with pytest.raises(Conflict):
        named(story, over, story.agent)


def test_of_a_case_only_the_cleared_can_be_the_owner_and_the_letter_tells_no_fact(
    story: Story,
) -> None:
    case = story.open(kind="security", restricted=True, service=None, subject="Stolen laptop")
    case.clearances.create(person=story.incident_manager)
    with pytest.raises(Invalid):
        named(story, case, story.colleague)
    named(story, case, story.analyst)
    letter = Message.objects.get(kind="owned")
    assert "laptop" not in letter.subject + letter.body
    assert letter.clearance == case.topic


def test_a_step_for_the_owner_reaches_who_was_named_and_else_the_owning_teams_lead(
    story: Story,
) -> None:
    story.policy(
        "p", unacknowledged(5, "Once", notify("owner")), unacknowledged(10, "Twice", page("owner"))
    )
    ticket = story.open()
    story.phone.ignore("received", "owned")
    story.forward(minutes=5)
    story.phone.rang(("lena", "notify"))
    named(story, ticket, story.colleague)
    story.forward(minutes=5)
    story.phone.rang(("bob", "page"))
