"""Climbs are snoozed and their steps called from a ticket's page in the admin."""

import pytest
from django.test import Client

from escalation.models import Run
from roles.models import Person
from tests.story import notify, page, unacknowledged

pytestmark = pytest.mark.django_db


def test_a_step_is_called_and_a_climb_snoozed_by_those_who_may(story) -> None:
    # The admin acts by the database's clock: a ticket of those days is long overdue.
    story.policy(
        "p",
        unacknowledged(5, "Page", page("on_call")),
        {"name": "Call the lead", "trigger": "manual", "actions": [notify("lead")]},
    )
    ticket = story.open()
    Person.objects.filter(pk=story.incident_manager.pk).update(is_staff=True)
    client = Client()
    client.force_login(Person.objects.get(pk=story.incident_manager.pk))
    base = f"/admin/tickets/ticket/{ticket.pk}/"
    shown = client.get(base + "change/").content.decode()
    assert "p: 2. Call the lead" in shown
    assert "Snooze its policies" in shown
    client.post(base + "act/call-step/", {"step": 2, "policy": "", "reason": "Now"}, follow=True)
    assert story.fired(ticket) == ["Call the lead"]
    said = client.post(base + "act/snooze/", {"until": "2001-01-01 10:00", "reason": "Later"})
    assert "within 30 days" in said.content.decode()
    Run.objects.update(held="snoozed", held_until=story.now, held_because="x")
    client.post(base + "act/end-snooze/", {}, follow=True)
    assert Run.objects.get().held == ""
