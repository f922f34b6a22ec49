"""A whole night's learning on a site with a past: imported, learned, tried, used, asked."""

from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from insights.models import Estimate, RiskModel
from insights.risk import growing
from insights.risk.estimating import estimate_waiting
from insights.risk.training import train_nightly
from roles.instants import fixed
from tests.api.history_file import row, write
from tests.insights.risky import BEGAN, FEW_TREES, past
from tests.story import Story
from tickets.models import Category
from tickets.opening import open_ticket

CASES = 620
DAWN = BEGAN.replace(hour=2) + timedelta(days=40)


def stamp(at: datetime) -> str:
    return f"{at.day}/{at.month}/{at.year} {at:%H:%M}"


def log(path: Path) -> Path:
    """A past in which tickets about the net mostly take longer than a day, and those of chairs do
    not.
    """
    rows = []
    for number, case in enumerate(past(CASES)):
        same = {
            "number": f"INC{number:07}",
            "opened_at": stamp(case.opened_at),
            "category": case.facts["category"],
            "subcategory": "?",
            "caller_id": case.facts["requester"],
            "resolved_at": stamp(case.over_at),
            "closed_at": stamp(case.over_at + timedelta(hours=1)),
        }
        rows.append(row(**same, sys_updated_at=stamp(case.opened_at)))
        ended = {"incident_state": "Resolved", "sys_updated_at": stamp(case.over_at)}
        rows.append(row(**same, **ended, sys_mod_count=3))
    return write(path, rows)


@pytest.fixture
def story(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setattr(growing, "SHAPE", FEW_TREES)
    story.target("resolution", 24 * 60)
    path = log(tmp_path / "log.csv.gz")
    call_command("import_history", "servicenow", str(path), zone="UTC", stdout=StringIO())
    return story


def test_a_nights_learning_is_tried_versioned_and_asked_of_the_days_tickets(story: Story) -> None:
    night = fixed(DAWN)
    version = train_nightly(clock=night)
    assert version is not None
    assert (version.is_used, version.why_not) == (True, "")
    bad = sum(bool(case.ended_badly) for case in past(CASES))
    assert (version.cases, version.positives) == (CASES, bad)
    assert version.auroc > 0.7
    assert version.skill > 0.1
    assert version.hit_rate20 > version.base_rate
    assert train_nightly(clock=night) is None, "once a night"
    assert train_nightly(clock=fixed(DAWN + timedelta(hours=13))) is None, "and not by day"
    said = {}
    for name in ("net", "chair"):
        ticket = open_ticket(
            requester=story.requester,
            actor=story.requester,
            subject="It fails",
            category=Category.objects.get(name__iexact=name),
            clock=night,
        )
        estimate_waiting(clock=night)
        said[name] = Estimate.objects.get(ticket=ticket.pk)
    assert said["net"].probability > 1.5 * said["chair"].probability
    assert "category" in [reason["of"] for reason in said["net"].reasons]
    assert {each.model for each in said.values()} == {version}
    again = train_nightly(clock=fixed(DAWN + timedelta(days=1)))
    assert again.pk > version.pk
    assert RiskModel.objects.count() == 2
