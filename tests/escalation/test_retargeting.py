"""Edited targets and calendars touch open clocks only when somebody moves them, on record."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from escalation.models import Clock, Target
from escalation.promises import publish_target
from escalation.retargeting import Scope, foreseen, move_clocks, touched_tickets
from escalation.verify import check_all
from roles.calendars import publish_calendar
from roles.models import AuditEntry
from roles.refusals import Forbidden, Invalid
from tests.story import PENDING, Story
from tickets.assignment import take
from tickets.lifecycle import pend, resolve, resume
from tickets.models import EventKind, Ticket


def edit(story: Story, target: Target, minutes: int, **more: object) -> None:
    more = {"calendar": story.always, "pauses": PENDING, **more}
    publish_target(
        target=target,
        clock_kind=target.current.clock,
        seconds=minutes * 60,
        clock=story.clock,
        **more,
    )


def move(story: Story, *targets: Target) -> int:
    return move_clocks(
        scope=Scope.of(targets=targets), reason="New contract", actor=story.admin, clock=story.clock
    )


def honest() -> bool:
    return not [found for batch in check_all() for found in batch.findings]


def test_a_moved_clock_is_computed_from_its_start_with_its_pauses_kept(story: Story) -> None:
    target = story.target("resolution", 60)
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=10)
    act = {"ticket": ticket, "actor": story.agent, "clock": story.clock}
    pend(**act, status="pending_requester", reason="?")
    story.forward(minutes=30)
    resume(**act)
    edit(story, target, 120)
    before = Clock.objects.get()
    assert move(story, target) == 1
    after = Clock.objects.get()
    assert after.target == target.current != before.target
    assert (after.started_at, after.pauses) == (before.started_at, before.pauses)
    assert after.due_at == before.due_at + timedelta(hours=1)
    assert honest()


def test_the_event_names_the_new_revision_the_actor_and_the_reason(story: Story) -> None:
    target = story.target("resolution", 60)
    ticket = story.open()
    edit(story, target, 120)
    move(story, target)
    event = ticket.events.filter(kind=EventKind.TARGETED).last()
    assert event.facts["targets"]["resolution"][0] == target.current_id
    assert (event.facts["because"], event.actor_id) == ("New contract", story.admin.pk)
    audit = AuditEntry.objects.get(action="target.clocks_moved")
    assert audit.changes == {"revision": 2, "reason": "New contract"}


def test_other_targets_that_were_edited_too_are_not_moved_along(story: Story) -> None:
    target, other = story.target("resolution", 60), story.target("acceptance", 30)
    story.open()
    edit(story, target, 120)
    edit(story, other, 15)
    move(story, target)
    lengths = dict(Clock.objects.values_list("kind", "target_s"))
    assert lengths == {"resolution": 7200, "acceptance": 1800}


def test_ended_clocks_stay_as_they_are(story: Story) -> None:
    target = story.target("resolution", 60)
    solved, closed = story.open(), story.open()
    for ticket in (solved, closed):
        resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
    edit(story, target, 120)
    assert move(story, target) == 0
    assert set(Clock.objects.values_list("target_s", flat=True)) == {3600}


def test_moving_twice_moves_once(story: Story) -> None:
    target = story.target("resolution", 60)
    ticket = story.open()
    edit(story, target, 120)
    assert (move(story, target), move(story, target)) == (1, 0)
    assert ticket.events.filter(kind=EventKind.TARGETED).count() == 2


def test_new_working_hours_touch_no_open_clock_until_it_is_moved(story: Story) -> None:
    story.target("resolution", 60, calendar=story.office)
    ticket = story.open()
    old = Clock.objects.get().due_at
    publish_calendar(
        calendar=story.office,
        zone="Europe/Berlin",
        spans=[(day, 13 * 60, 17 * 60) for day in range(5)],
        clock=story.clock,
    )
    story.forward(minutes=1)
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    assert Clock.objects.get().due_at == old
    scope = Scope.of(calendars=[story.office])
    (change,) = foreseen(scope, reader=story.admin, now=story.now)
    assert (change.ticket, change.due_at) == (ticket, old)
    assert move_clocks(scope=scope, reason="Hours", actor=story.admin, clock=story.clock) == 1
    assert Clock.objects.get().due_at == change.due_then == old + timedelta(hours=3)
    assert honest()


def test_a_target_that_no_longer_applies_hands_over_to_the_next_or_ends_the_clock(
    story: Story,
) -> None:
    first = story.target("resolution", 60)
    only = story.target("acceptance", 30)
    story.target("resolution", 600)
    story.open()
    edit(story, first, 60, priority=1)
    edit(story, only, 30, priority=1)
    changes = list(foreseen(Scope.of([first, only]), reader=None, now=story.now))
    assert {(change.clock, change.ends) for change in changes} == {
        ("acceptance", True),
        ("resolution", False),
    }
    move(story, first, only)
    assert Clock.objects.get(kind="resolution").target_s == 36000
    assert Clock.objects.get(kind="acceptance").state == "cancelled"
    assert honest()


def test_only_those_who_manage_policies_move_clocks_and_never_without_a_reason(
    story: Story,
) -> None:
    scope = Scope.of([story.target("resolution", 60)])
    with pytest.raises(Forbidden):
        move_clocks(scope=scope, reason="Why not", actor=story.lead, clock=story.clock)
    with pytest.raises(Invalid):
        move_clocks(scope=scope, reason=" ", actor=story.admin, clock=story.clock)


def test_a_restricted_ticket_is_moved_and_not_counted_for_those_without_need_to_know(
    story: Story,
) -> None:
    target = story.target("resolution", 60)
    secret = story.open(restricted=True, actor=story.agent)
    edit(story, target, 120)
    scope = Scope.of([target])
    assert list(touched_tickets(scope, story.admin)) == []
    assert list(foreseen(scope, reader=story.admin, now=story.now)) == []
    assert move(story, target) == 0
    assert Clock.objects.get(ticket=secret).target_s == 7200


def test_many_tickets_take_a_bounded_number_of_statements(
    story: Story, django_assert_max_num_queries
) -> None:
    target = story.target("resolution", 60)
    for _ in range(12):
        story.open()
    edit(story, target, 120)
    with django_assert_max_num_queries(50):
        assert move(story, target) == 12


def test_the_admin_shows_what_would_be_touched_and_moves_it_with_a_reason(story: Story) -> None:
    target = story.target("resolution", 60)
    ticket = story.open()
    edit(story, target, 120)
    client = Client()
    client.force_login(story.admin)
    page = reverse("admin:escalation_target_changelist")
    asked = {"action": "move_open_clocks", "_selected_action": [target.pk]}
    shown = client.post(page, asked)
    assert ticket.key in shown.content.decode()
    assert Clock.objects.get().target_s == 3600
    client.post(page, {**asked, "move": "yes", "reason": ""})
    assert Clock.objects.get().target_s == 3600
    client.post(page, {**asked, "move": "yes", "reason": "New contract"}, follow=True)
    assert Clock.objects.get().target_s == 7200
    assert Ticket.objects.get().events.filter(kind=EventKind.TARGETED).last().actor_id
