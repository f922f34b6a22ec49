"""Gives a team's or a person's coming shifts as an iCalendar file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from roles import oncall
from roles.ical import Entry, write_calendar
from roles.models import Person, Team
from roles.rotation import Shift

BACK, AHEAD = timedelta(days=14), timedelta(days=92)
MARGINS: Final = (timedelta(days=31), timedelta(days=400), timedelta(days=20_000))
"""How far beside the range is looked for where a shift at its edge really begins or ends."""


@dataclass(frozen=True)
class Feed:
    """Shifts as a calendar program fetches them."""

    name: str
    entries: tuple[Entry, ...]
    made_at: datetime

    @property
    def text(self) -> bytes:
        """The iCalendar file."""
        return write_calendar(self.name, self.entries, self.made_at)

    @property
    def mark(self) -> str:
        """A weak entity tag (RFC 9110, 8.8.1): the same for the same shifts, whenever asked."""
        said = repr((self.name, self.entries)).encode()
        return f'W/"{sha256(said).hexdigest()[:32]}"'


def team_feed(team: Team, now: datetime) -> Feed:
    """The team's final shifts from two weeks ago to three months ahead."""
    found = _entries([team], now)
    return Feed(f"{team.name} on call", tuple(found), now)


def person_feed(person: Person, now: datetime) -> Feed:
    """What the person serves in any active team, in the same range."""
    start, end = _range(now)
    serving = oncall.shifts_of(person, start, end)
    teams = Team.objects.filter(pk__in=serving).order_by("slug")
    found = _entries(teams, now, only=person)
    return Feed(f"{person.name} on call", tuple(found), now)


def _range(now: datetime) -> tuple[datetime, datetime]:
    """Whole days in UTC: a range that moved with every second would be another each time."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - BACK, today + AHEAD


def _whole(team: Team, start: datetime, end: datetime) -> list[Shift]:
    """The shifts that meet the range, each as long as it really is.

    Cut to the range they would begin anew every day, and a calendar would take each for another.
    """
    for margin in MARGINS:
        first, last = start - margin, end + MARGINS[0]
        served = oncall.final_shifts(team, first, last)
        met = [shift for shift in served if shift.start < end and shift.end > start]
        if not met or met[0].start > first:
            break
    return met


def _entries(teams: Iterable[Team], now: datetime, only: Person | None = None) -> Iterable[Entry]:
    served = {team: _whole(team, *_range(now)) for team in teams}
    people = Person.objects.in_bulk({s.person_id for found in served.values() for s in found})
    for team, found in served.items():
        for shift in found:
            if only is not None and shift.person_id != only.pk:
                continue
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
