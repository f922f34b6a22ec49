"""Gives a team's or a person's coming shifts as an iCalendar file."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from roles import oncall
from roles.ical import Entry, write_calendar
from roles.models import Person, Team
from roles.rotation import Shift

BACK, AHEAD = timedelta(days=14), timedelta(days=92)


def team_feed(team: Team, now: datetime) -> bytes:
    """The team's final shifts from two weeks ago to three months ahead."""
    served = oncall.final_shifts(team, _day(now) - BACK, _day(now) + AHEAD)
    entries = _entries({team.pk: served}, {team.pk: team})
    return write_calendar(f"{team.name} on call", entries, now)


def person_feed(person: Person, now: datetime) -> bytes:
    """What the person serves in any team, in the same range."""
    served = oncall.shifts_of(person, _day(now) - BACK, _day(now) + AHEAD)
    teams = Team.objects.in_bulk(served)
    return write_calendar(f"{person.name} on call", _entries(served, teams), now)


def _day(now: datetime) -> datetime:
    """Midnight in UTC: a range that moved with every second would cut shifts ever anew."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _entries(served: dict[int, list[Shift]], teams: dict[int, Team]) -> Iterable[Entry]:
    people = Person.objects.in_bulk({s.person_id for found in served.values() for s in found})
    for team_id, found in served.items():
        team = teams[team_id]
        for shift in found:
            person = people[shift.person_id]
            yield Entry(
                key=f"{team.slug}-{shift.start:%Y%m%dT%H%M%SZ}-{person.pk}@tierline",
                start=shift.start,
                end=shift.end,
                name=person.name,
                username=person.username,
                email=person.email,
                what=f"{team.name} on call",
            )
