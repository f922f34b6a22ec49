"""Targets are chosen anew when a fact changes that they may depend on, and say by which hours."""

from typing import Any

import pytest

from escalation import tape
from escalation.models import Clock, Vendor
from escalation.promises import publish_target
from escalation.sla import CLOCK_EVENTS
from roles.calendars import round_the_clock
from roles.refusals import Invalid
from tests.story import Story
from tickets import timeline
from tickets.models import EventKind, Ticket


def tell(story: Story, ticket: Ticket, kind: str, **facts: Any) -> None:
    locked = timeline.lock(ticket.pk)
    timeline.record(locked, timeline.Entry(kind=kind, facts=facts), at=story.now)


def test_every_event_that_moves_a_clock_is_read_for_it() -> None:
    assert set(tape._FOLLOWED) <= set(CLOCK_EVENTS)


def test_a_vendors_hours_are_the_targets_else_its_own_else_every_hour(story: Story) -> None:
    plain = Vendor.objects.create(slug="plain", name="Plain")
    daily = Vendor.objects.create(slug="daily", name="Daily", calendar=story.office)
    bound = Vendor.objects.create(slug="bound", name="Bound", calendar=story.office)
    story.target("vendor_fix", 60, calendar=story.always, pauses=(), vendor=bound)
    story.target("vendor_fix", 90, calendar=None, pauses=())
    ticket = story.open()
    for number, vendor in enumerate((plain, daily, bound), start=1):
        tell(story, ticket, "vendor_engaged", vendor=vendor.pk, engagement=number)
    hours = list(Clock.objects.order_by("cycle").values_list("calendar", "target_s"))
    assert hours == [
        (round_the_clock(), 5400),
        (story.office.current_id, 5400),
        (story.always.current_id, 3600),
    ]


def test_what_a_ticket_has_no_use_for_gets_no_target(story: Story) -> None:
    for kind in ("resolution", "vendor_fix", "stakeholder_update", "regulatory"):
        story.target(kind, 60, pauses=())
    ticket = story.open()
    event = ticket.events.get(kind=EventKind.TARGETED)
    assert set(event.facts["targets"]) == {"resolution"}
    assert "vendor" not in event.facts["match"]
    tell(story, ticket, "major_declared")
    tell(story, ticket, "notice_owed")
    event = ticket.events.filter(kind=EventKind.TARGETED).order_by("seq").last()
    assert set(event.facts["targets"]) == {"resolution", "stakeholder_update", "regulatory"}
    tell(story, ticket, "major_updated")
    assert ticket.events.filter(kind=EventKind.TARGETED).count() == 3, "a word changes no target"


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("vendor_fix", {"pauses": ["pending_vendor"]}, "pauses"),
        ("resolution", {"first_seconds": 60}, "first_seconds"),
        ("stakeholder_update", {"first_seconds": 0}, "first_seconds"),
        ("moon", {}, "clock"),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused_by_its_field(
    story: Story, kind: str, given: dict[str, Any], field: str
) -> None:
    target = story.target("resolution", 60)
    with pytest.raises(Invalid) as refused:
        publish_target(target=target, clock_kind=kind, seconds=60, **given)
    assert list(refused.value.fields) == [field]
