"""Who serves a team now and next, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from roles.models import Person, Team
from roles.oncall import read_rosters
from roles.rotation import Shift

AHEAD: Final = timedelta(days=15)
"""How far it is looked for the end of a shift, and for the next one."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A team now: who serves until when, who is next from when; None where nobody is."""

    team: Team
    has_schedule: bool
    person: Person | None = None
    until: datetime | None = None
    next_person: Person | None = None
    next_at: datetime | None = None

    @property
    def is_gap(self) -> bool:
        """Whether somebody should serve now and nobody does."""
        return self.has_schedule and self.person is None


def serving_now(now: datetime) -> list[Serving]:
    """Every active team, up the ladder and then the lanes. Six queries."""
    teams = list(
        Team.objects.filter(is_active=True)
        .select_related("tier", "lead", "schedule")
        .order_by(F("tier__rank").asc(nulls_last=True), "name")
    )
    return serving_in(teams, now)


def serving_in(teams: Sequence[Team], now: datetime) -> list[Serving]:
    """Who serves these teams now and next; five queries whatever their number."""
    rosters = read_rosters([team.pk for team in teams], now, now + AHEAD)
    served = {team.pk: rosters.served(team.pk, now, now + AHEAD) for team in teams}
    ids = {shift.person_id for found in served.values() for shift in found[:2]}
    people = Person.objects.in_bulk(ids)
    return [_serving(team, served[team.pk], people, now) for team in teams]


def _serving(
    team: Team, shifts: Sequence[Shift], people: dict[int, Person], now: datetime
) -> Serving:
    present = shifts[0] if shifts and shifts[0].start <= now else None
    later = shifts[1:2] if present else shifts[:1]
    following = later[0] if later else None
    return Serving(
        team=team,
        has_schedule=hasattr(team, "schedule"),
        person=people.get(present.person_id) if present else None,
        until=present.end if present and present.end < now + AHEAD else None,
        next_person=people.get(following.person_id) if following else None,
        next_at=following.start if following else None,
    )
