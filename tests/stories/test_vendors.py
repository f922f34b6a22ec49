"""A vendor is called in: once at a time, heard of, waited for, and let go."""

import pytest
from django.db import IntegrityError, transaction

from escalation.handover import escalate
from escalation.models import Engagement, Vendor, VendorContact
from escalation.vendors import deliver, engage, live_engagement, release_vendor, respond
from notifications.addresses import addresses_of
from notifications.models import ContactMethod, Message
from roles.models import Person
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story
from tickets.assignment import take
from tickets.lifecycle import cancel, pend, reopen, resolve, resume
from tickets.models import EventKind, TimelineEvent


@pytest.fixture
def meridian(story: Story) -> Vendor:
    vendor = Vendor.objects.create(slug="meridian", name="Meridian", contract="M-77")
    VendorContact.objects.create(vendor=vendor, level=2, role="Manager", email="boss@m.example")
    VendorContact.objects.create(vendor=vendor, level=1, role="Desk", email="desk@m.example")
    VendorContact.objects.create(vendor=vendor, level=1, role="Hotline", phone="+1 555 01")
    return vendor


def taken(story: Story, **about):  # type: ignore[no-untyped-def]
    ticket = story.open(**about)
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.phone.new()
    return ticket


def told(ticket) -> list[str]:  # type: ignore[no-untyped-def]
    vendor_kinds = [kind for kind in EventKind.values if kind.startswith("vendor")]
    kinds = (*vendor_kinds, "pended", "resumed")
    rows = TimelineEvent.objects.filter(ticket=ticket, kind__in=kinds).order_by("seq")
    return [row.kind for row in rows]


def engaged(story: Story, ticket, vendor, **more) -> Engagement:  # type: ignore[no-untyped-def]
    given = {"actor": story.agent, "reason": "Line is down", "clock": story.clock, **more}
    return engage(ticket=ticket, vendor=vendor, **given)


def test_somebody_who_has_the_vendors_name_by_chance_keeps_the_own_addresses(
    story, meridian
) -> None:
    namesake = story.person("vendor-meridian")
    ContactMethod.objects.create(person=namesake, channel="email", address="own@example.org")
    engaged(story, taken(story), meridian)
    meridian.refresh_from_db()
    assert meridian.account != namesake
    assert ContactMethod.objects.get(person=namesake).is_active


def test_an_engaged_vendor_is_written_to_at_its_first_contact(story, meridian) -> None:
    ticket = taken(story)
    engaged(story, ticket, meridian, reference="88-1")
    story.phone.rang(("vendor-meridian", "vendor_engaged"))
    message = Message.objects.get(kind="vendor_engaged")
    assert addresses_of([message])[message.pk] == "desk@m.example"
    assert "Contract: M-77" in message.body
    assert "Your reference: 88-1" in message.body
    assert ticket.description not in message.body or not ticket.description
    assert Person.objects.get(username="vendor-meridian").kind == "service"
    assert story.fresh(ticket).status == "in_progress"
    event = TimelineEvent.objects.get(ticket=ticket, kind="vendor_engaged")
    assert event.facts["vendor"] == meridian.pk
    assert event.facts["engagement"] == live_engagement(ticket).pk


def test_another_first_contact_is_written_to_from_then_on(story, meridian) -> None:
    engaged(story, taken(story), meridian)
    VendorContact.objects.filter(level=1, role="Desk").update(email="new@m.example")
    engaged(story, taken(story), meridian)
    messages = list(Message.objects.filter(kind="vendor_engaged"))
    assert set(addresses_of(messages).values()) == {"new@m.example"}


def test_waiting_for_the_vendor_ends_with_its_delivery(story, meridian) -> None:
    ticket = taken(story)
    engaged(story, ticket, meridian, wait=True)
    waiting = story.fresh(ticket)
    assert (waiting.status, waiting.pending_reason) == ("pending_vendor", "Meridian: Line is down")
    story.phone.new()
    respond(ticket=ticket, actor=story.colleague, reference="R-5", clock=story.clock)
    deliver(ticket=ticket, actor=story.colleague, result="Fibre spliced", clock=story.clock)
    story.phone.rang(("ann", "vendor"))
    assert story.fresh(ticket).status == "in_progress"
    assert told(ticket) == [
        "vendor_engaged", "pended", "vendor_responded", "vendor_delivered", "resumed",
    ]  # fmt: skip
    row = Engagement.objects.get()
    assert (row.state, row.reference, row.ended_at) == ("delivered", "R-5", story.now)


def test_a_ticket_that_waits_already_is_not_put_on_hold_twice(story, meridian) -> None:
    ticket = taken(story)
    pend(
        ticket=ticket, actor=story.agent, status="pending_vendor", reason="Parts", clock=story.clock
    )
    engaged(story, ticket, meridian, wait=True)
    assert told(ticket) == ["pended", "vendor_engaged"]


def test_waiting_begins_from_work_in_progress_only(story, meridian) -> None:
    ticket = story.open()
    with pytest.raises(Conflict):
        engaged(story, ticket, meridian, wait=True)
    assert live_engagement(ticket) is None


def test_one_vendor_at_a_time(story, meridian) -> None:
    ticket = taken(story)
    first = engaged(story, ticket, meridian)
    other = Vendor.objects.create(slug="other", name="Other")
    with pytest.raises(Conflict):
        engaged(story, ticket, other)
    with pytest.raises(IntegrityError), transaction.atomic():
        Engagement.objects.create(ticket=ticket, vendor=other, engaged_at=story.now)
    release_vendor(ticket=ticket, actor=story.agent, reason="Not theirs", clock=story.clock)
    assert engaged(story, ticket, other).pk != first.pk


def test_releasing_the_vendor_resumes_the_ticket(story, meridian) -> None:
    ticket = taken(story)
    engaged(story, ticket, meridian, wait=True)
    release_vendor(ticket=ticket, actor=story.agent, reason="Not theirs", clock=story.clock)
    assert story.fresh(ticket).status == "in_progress"
    assert told(ticket)[-2:] == ["vendor_released", "resumed"]


def test_answering_again_keeps_the_first_time(story, meridian) -> None:
    ticket = taken(story)
    engaged(story, ticket, meridian)
    first = respond(ticket=ticket, actor=story.agent, clock=story.clock).responded_at
    story.forward(minutes=5)
    again = respond(ticket=ticket, actor=story.agent, reference="R", clock=story.clock)
    assert (again.responded_at, again.reference) == (first, "R")


def test_nothing_can_be_noted_where_no_vendor_is_engaged(story, meridian) -> None:
    ticket = taken(story)
    with pytest.raises(Conflict):
        respond(ticket=ticket, actor=story.agent, clock=story.clock)
    with pytest.raises(Conflict):
        deliver(ticket=ticket, actor=story.agent, result="x", clock=story.clock)
    with pytest.raises(Conflict):
        release_vendor(ticket=ticket, actor=story.agent, reason="x", clock=story.clock)


def test_only_those_at_work_on_a_ticket_engage_vendors(story, meridian) -> None:
    ticket = taken(story)
    for person in (story.requester, story.stranger, story.analyst, story.admin):
        with pytest.raises(Forbidden):
            engaged(story, ticket, meridian, actor=person)
    engaged(story, ticket, meridian, actor=story.incident_manager)
    with pytest.raises(Forbidden):
        deliver(ticket=ticket, actor=story.stranger, result="x", clock=story.clock)


def test_a_switched_off_vendor_and_a_ticket_that_is_done_are_refused(story, meridian) -> None:
    ticket = taken(story)
    off = Vendor.objects.create(slug="off", name="Off", is_active=False)
    with pytest.raises(Invalid):
        engaged(story, ticket, off)
    cancel(ticket=ticket, actor=story.agent, reason="Mistake", clock=story.clock)
    with pytest.raises(Conflict):
        engaged(story, ticket, meridian)


def test_a_vendor_is_told_nothing_of_a_restricted_case(story, meridian) -> None:
    ticket = story.open(kind="security", restricted=True)
    take(ticket=ticket, actor=story.analyst, clock=story.clock)
    story.phone.new()
    engaged(story, ticket, meridian, actor=story.analyst)
    story.phone.was_silent()


def test_passing_a_ticket_to_a_vendors_team_engages_that_vendor(story, meridian) -> None:
    meridian.team = story.team("carrier", "l4", [story.person("uli")])
    meridian.save()
    ticket = taken(story)
    passed_on(story, ticket, meridian.team)
    live = live_engagement(ticket)
    assert (live.vendor, live.by_move) == (meridian, True)
    assert ("vendor-meridian", "vendor_engaged") in story.phone.new()
    passed_on(story, ticket, story.apps, actor=Person.objects.get(username="uli"))
    assert live_engagement(ticket) is None
    assert told(ticket) == ["vendor_engaged", "vendor_released"]
    assert Engagement.objects.get().state == "released"


def passed_on(story: Story, ticket, team, actor=None):  # type: ignore[no-untyped-def]
    escalate(
        ticket=ticket, actor=actor or story.agent, to_team=team, reason_code="skill",
        reason="Theirs", clock=story.clock,
    )  # fmt: skip


def test_a_vendor_released_by_hand_is_not_engaged_again_in_the_same_entry(story, meridian) -> None:
    meridian.team = story.team("carrier", "l4", [story.person("uli")])
    meridian.save()
    ticket = taken(story)
    passed_on(story, ticket, meridian.team)
    uli = Person.objects.get(username="uli")
    release_vendor(ticket=ticket, actor=uli, reason="Not ours", clock=story.clock)
    take(ticket=ticket, actor=uli, clock=story.clock)
    assert live_engagement(ticket) is None
    resolve(ticket=ticket, actor=uli, code="fixed", text="Done", clock=story.clock)
    reopen(ticket=ticket, actor=story.requester, reason="No", clock=story.clock)
    assert live_engagement(ticket).by_move


def test_a_vendor_engaged_by_hand_stays_through_hand_overs(story, meridian) -> None:
    ticket = taken(story)
    first = engaged(story, ticket, meridian)
    passed_on(story, ticket, story.apps)
    assert live_engagement(ticket) == first
    other = Vendor.objects.create(
        slug="other", name="Other", team=story.team("others", "l4", [story.person("otto")])
    )
    passed_on(story, ticket, other.team, actor=story.engineer)
    assert live_engagement(ticket).vendor == other
    released = TimelineEvent.objects.get(ticket=ticket, kind="vendor_released")
    assert released.facts["because"] == "the work went to Other"


def test_the_end_of_a_ticket_releases_its_vendor(story, meridian) -> None:
    ticket = taken(story)
    engaged(story, ticket, meridian, wait=True)
    resume(ticket=ticket, actor=story.agent, clock=story.clock)
    assert live_engagement(ticket) is not None
    resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    assert live_engagement(ticket) is None
    assert told(ticket)[-1] == "vendor_released"
