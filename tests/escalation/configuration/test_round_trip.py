"""What is exported can be applied: to the same site without effect, to an empty one whole."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.db import transaction

from config.example.site import build_site
from escalation.configuration.applying import apply_text, export_site, plan_text
from roles.instants import database_now
from roles.models import AuditEntry, Organisation, Override, Person, Team
from roles.oncall import on_call
from tickets.opening import open_ticket

REVISIONS = (
    "roles.CalendarRevision",
    "roles.ScheduleRevision",
    "escalation.TargetRevision",
    "escalation.PolicyRevision",
)


@pytest.fixture
def example(db):
    build_site("not-a-secret-here")


def counts() -> dict[str, int]:
    return {name: apps.get_model(name).objects.count() for name in REVISIONS}


def test_an_export_of_the_example_site_changes_nothing(example):
    text = export_site()
    before = counts(), AuditEntry.objects.count()
    assert plan_text(text=text).plan.lines() == []
    assert apply_text(text=text).plan.changes == ()
    assert (counts(), AuditEntry.objects.count()) == before
    assert export_site() == text


def who_is_on_call() -> list[dict[str, list[str]]]:
    """By team, every seven hours of the coming forty days."""
    teams = dict(Team.objects.values_list("pk", "slug"))
    names = dict(Person.objects.values_list("pk", "username"))
    start = database_now() + timedelta(minutes=1)
    moments = [start + timedelta(hours=7 * step) for step in range(137)]
    return [
        {teams[pk]: [names[who] for who in found] for pk, found in on_call(list(teams), at).items()}
        for at in moments
    ]


def test_the_example_site_is_made_again_from_its_file_alone(db):
    with transaction.atomic():
        build_site("not-a-secret-here")
        # Who stands in for whom on a day is work of that day, not configuration.
        Override.objects.all().delete()
        text, answers = export_site(), who_is_on_call()
        people = list(Person.objects.values_list("username", "name", "email", "kind"))
        groups = list(Organisation.objects.values_list("slug", "name"))
        transaction.set_rollback(True)
    assert not Team.objects.exists()
    Organisation.objects.bulk_create(Organisation(slug=slug, name=name) for slug, name in groups)
    Person.objects.bulk_create(
        Person(username=username, name=name, email=email, kind=kind)
        for username, name, email, kind in people
    )
    assert apply_text(text=text).is_applied
    assert plan_text(text=text).plan.lines() == []
    assert export_site() == text
    assert who_is_on_call() == answers
    assert all(len(found) == 11 for found in answers)


DOCUMENTED = Path(__file__).parents[3] / "docs" / "policy-as-code.md"


def test_the_example_of_the_documentation_makes_a_site_that_works(db):
    ada, *_ = [
        Person.objects.create(username=name, name=name.title(), email=f"{name}@example.org")
        for name in ("ada", "ben", "cleo")
    ]
    text = re.search(r"```yaml\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)[1]
    assert apply_text(text=text).is_applied
    assert apply_text(text=text).plan.changes == ()
    ticket = open_ticket(subject="VPN is down", requester=ada, actor=ada, impact=1, urgency=1)
    assert ticket.team == Team.objects.get(slug="desk")
    assert ticket.runs.get().policy.slug == "urgent"
    assert {clock.target.target.slug for clock in ticket.clocks.all()} == {
        "p1-first-word",
        "resolution",
    }
