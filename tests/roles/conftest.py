"""People, teams and calendars of the roles tests."""

from datetime import UTC, datetime

import pytest

from roles.instants import fixed
from roles.models import Calendar, Duty, Person, Team, Tier
from roles.teams import add_member, assign_duty
from tests.hypothesis_profiles import choose_profile

choose_profile()

NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
CLOCK = fixed(NOW)


@pytest.fixture
def person(db):
    """Makes people by user name."""

    def make(username: str, **fields) -> Person:
        fields.setdefault("name", username.capitalize())
        return Person.objects.create_user(username, **fields)

    return make


@pytest.fixture
def admin(person) -> Person:
    """An administrator by duty, not a superuser."""
    ada = person("admin", is_staff=True)
    duty = Duty.objects.create(slug="administrator", name="Administrator")
    assign_duty(duty=duty, person=ada, clock=CLOCK)
    return ada


@pytest.fixture
def team(db) -> Team:
    """Network Engineering on L2, with a calendar that has no hours yet."""
    tier = Tier.objects.create(slug="l2", name="L2", kind="ladder", rank=2)
    calendar = Calendar.objects.create(slug="office", name="Office hours")
    return Team.objects.create(
        slug="network", name="Network Engineering", tier=tier, calendar=calendar
    )


@pytest.fixture
def lead(person, team) -> Person:
    """The lead of that team."""
    lena = person("lena")
    add_member(team=team, person=lena, role="lead", clock=CLOCK)
    return lena
