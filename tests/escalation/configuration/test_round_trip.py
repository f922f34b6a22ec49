"""What is exported can be applied: to the same site without effect, to an empty one whole."""

import re
from pathlib import Path

import pytest
from django.apps import apps

from config.example.site import build_site
from escalation.configuration.applying import apply_text, export_site, plan_text
from roles.models import AuditEntry, Person, Team
from tickets.opening import open_ticket

REVISIONS = ("roles.CalendarRevision", "escalation.TargetRevision", "escalation.PolicyRevision")


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
