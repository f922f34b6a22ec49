"""When due steps are not carried out, people are called by a process that is not the engine."""

from datetime import timedelta

import pytest

from escalation.models import Quarantine
from escalation.oversight import last_oversight_at, oversee, run_oversight
from notifications.models import Message
from roles.models import Duty, DutyAssignment
from tests.story import Story, page, unacknowledged


@pytest.fixture
def site(story: Story) -> Story:
    duty = Duty.objects.create(slug="administrator", name="Administrator")
    DutyAssignment.objects.create(duty=duty, person=story.admin)
    story.policy("p", unacknowledged(5, "Page", page("on_call")))
    story.phone.ignore("received")
    return story


def test_a_step_that_is_half_a_minute_late_calls_who_can_lead_and_who_can_mend(site) -> None:
    ticket = site.open()
    site.sleep(minutes=5, seconds=30)
    assert oversee(clock=site.clock) == 0
    site.sleep(seconds=1)
    assert oversee(clock=site.clock) == 2
    site.phone.rang(("ivan", "alarm"), ("root", "alarm"))
    said = Message.objects.filter(kind="alarm").first()
    assert "due since 2026-03-02 09:05:00 UTC" in said.body
    assert ticket.key not in said.subject + said.body
    assert (said.urgency, said.priority, said.cause.partition(":")[0]) == ("high", 1, "alarm")


def test_one_standstill_is_one_alarm_and_the_next_is_another(site) -> None:
    site.open()
    site.sleep(minutes=6)
    assert oversee(clock=site.clock) == 2
    site.sleep(hours=2)
    assert oversee(clock=site.clock) == 0
    site.sweep()
    site.open()
    site.sleep(minutes=6)
    assert oversee(clock=site.clock) == 2


def test_a_backlog_that_is_being_worked_off_is_told_of_once(site) -> None:
    first = site.open()
    site.sleep(minutes=2)
    site.open()
    site.sleep(minutes=5)
    assert oversee(clock=site.clock) == 2
    site.sleep(minutes=1)
    Quarantine.objects.create(ticket=first, tries=3, last_tried_at=site.now, since=site.now)
    assert oversee(clock=site.clock) == 0


def test_an_alarm_that_has_not_gone_out_is_taken_back_when_steps_go_again(site) -> None:
    site.open()
    site.sleep(minutes=6)
    oversee(clock=site.clock)
    site.sweep()
    oversee(clock=site.clock)
    assert {row.state for row in Message.objects.filter(kind="alarm")} == {"withdrawn"}


def test_what_is_set_aside_is_no_standstill(site) -> None:
    ticket = site.open()
    Quarantine.objects.create(ticket=ticket, tries=3, last_tried_at=site.now, since=site.now)
    site.sleep(hours=1)
    assert oversee(clock=site.clock) == 0


def test_it_looks_every_quarter_of_a_minute_whoever_asks(site) -> None:
    assert run_oversight(clock=site.clock) == 0
    first = last_oversight_at()
    site.open()
    site.sleep(seconds=10)
    run_oversight(clock=site.clock)
    assert last_oversight_at() == first
    site.sleep(minutes=6)
    assert run_oversight(clock=site.clock) == 2
    assert last_oversight_at() - first > timedelta(minutes=6)
