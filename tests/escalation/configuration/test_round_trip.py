"""What is exported can be applied: to the same site without effect, to an empty one whole."""

import pytest
from django.apps import apps

from config.example.site import build_site
from escalation.configuration.applying import apply_text, export_site, plan_text
from roles.models import AuditEntry

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
