"""Delays count by hours: new ones reach them at once, and a step may name a calendar of its own."""

from datetime import datetime

import pytest

from escalation.models import Recount, Run
from escalation.policies import draft_policy
from roles.calendars import publish_calendar
from roles.models import Calendar
from roles.places import set_team
from roles.refusals import Invalid
from tests.story import Story, notify, unacknowledged
from tickets.models import Ticket

FIVE_DAYS = range(5)


def works(story: Story, calendar: Calendar, opens: int, shuts: int) -> None:
    """From now on the calendar is open on five days between these full hours of Berlin."""
    spans = [(day, opens * 60, shuts * 60) for day in FIVE_DAYS]
    publish_calendar(
        calendar=calendar, zone="Europe/Berlin", spans=spans, actor=None, clock=story.clock
    )


def next_at(ticket: Ticket) -> datetime:
    found = Run.objects.get(ticket=ticket, state="active").next_at
    assert found is not None
    return found


@pytest.fixture
def by_hours(story: Story) -> Ticket:
    """A P3 that waits two working hours from ten o'clock on, in a team that opens at nine."""
    story.desk.calendar = story.office
    story.desk.save()
    story.phone.ignore("received")
    story.policy("p", unacknowledged(120, "Lead", notify("lead"), basis="team"))
    ticket = story.open(impact=2, urgency=2)
    assert next_at(ticket) == story.now.replace(hour=11)
    return ticket


def test_new_hours_reach_a_running_delay_at_once(story: Story, by_hours: Ticket) -> None:
    works(story, story.office, 11, 17)
    story.sweep()
    assert next_at(by_hours) == story.now.replace(hour=12)
    assert story.fresh(by_hours).next_step_at == next_at(by_hours)
    story.forward(hours=2, minutes=59)
    assert story.fired(by_hours) == []
    story.forward(minutes=1)
    assert story.fired(by_hours) == ["Lead"]
    assert not Recount.objects.exists()


def test_a_team_that_works_by_another_calendar_counts_its_delays_by_it(
    story: Story, by_hours: Ticket
) -> None:
    set_team(slug="desk", calendar=story.always, clock=story.clock)
    works(story, story.office, 8, 17)
    story.sweep()
    assert next_at(by_hours) == story.now.replace(hour=11)
    set_team(slug="desk", calendar=story.office, clock=story.clock)
    works(story, story.office, 12, 17)
    story.sweep()
    assert next_at(by_hours) == story.now.replace(hour=13)


def test_new_hours_leave_what_does_not_count_by_them_and_no_event(
    story: Story, by_hours: Ticket
) -> None:
    by_wall = story.open(team=story.apps, impact=1, urgency=1)
    before = by_hours.events.count()
    works(story, story.office, 11, 17)
    assert list(Recount.objects.values_list("ticket", flat=True)) == [by_hours.pk]
    story.sweep()
    assert by_hours.events.count() == before
    assert next_at(by_wall) == story.now.replace(hour=11)


def test_tickets_are_looked_at_again_once_no_batch_can_go_by_the_old_hours(
    story: Story, by_hours: Ticket
) -> None:
    works(story, story.office, 11, 17)
    story.sweep()
    Run.objects.filter(ticket=by_hours).update(next_at=story.now.replace(hour=16))
    due_at = story.now.replace(hour=12)
    story.sleep(seconds=6)
    story.sweep()
    assert next_at(by_hours) == due_at
    assert not Recount.objects.exists()


def test_a_step_names_the_calendar_by_which_its_delay_counts(story: Story) -> None:
    story.policy("p", unacknowledged(120, "Lead", notify("lead"), basis="calendar:office"))
    ticket = story.open(impact=1, urgency=1)
    story.forward(hours=9)
    late = story.open(impact=1, urgency=1)
    assert story.fired(ticket) == ["Lead"]
    assert next_at(late) == datetime(2026, 3, 3, 10, 0, tzinfo=story.now.tzinfo)
    works(story, story.office, 7, 17)
    story.sweep()
    assert next_at(late) == datetime(2026, 3, 3, 8, 0, tzinfo=story.now.tzinfo)


@pytest.mark.parametrize("basis", ["calendar:nowhere", "calendar:", "moon"])
def test_a_calendar_that_there_is_not_is_refused(story: Story, basis: str) -> None:
    step = unacknowledged(5, "Lead", notify("lead"), basis=basis)
    policy = story.policy("p", unacknowledged(5, "Lead", notify("lead")))
    with pytest.raises(Invalid) as refused:
        draft_policy(policy=policy, conditions=[], steps=[step], clock=story.clock)
    assert list(refused.value.fields) == ["steps.1.basis"]
