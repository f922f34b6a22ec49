"""Final shifts as pages show them: calendars by local day, and the turns of one person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from roles.instants import database_now
from roles.models import Override, Person, Schedule, Team
from roles.oncall import read_rosters
from roles.rotation import Shift, gaps
from roles.serving import AHEAD
from roles.worktime import local_instant

COLUMNS: Final = 96
"""Parts of a day's line: quarters of an hour on most days."""
DAY_S: Final = 86_400
NARROW: Final = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one local day: a person's, or nobody's; `span` is its part of the line.

    `begins` and `ends` are those of the whole stretch, which may reach into other days.
    """

    person: Person | None
    start: datetime
    end: datetime
    begins: datetime
    ends: datetime
    span: int
    mark: str = ""
    override_id: int | None = None
    is_past: bool = False
    is_mine: bool = False

    @property
    def is_narrow(self) -> bool:
        """Whether there is no room on its line for the hours beside the name."""
        return self.span < NARROW


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of a calendar; `hours` is 23 or 25 when the clocks change."""

    date: date
    pieces: tuple[Piece, ...]
    hours: float
    is_today: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether one stretch fills it."""
        return len(self.pieces) == 1

    @property
    def clocks_change(self) -> bool:
        """Whether this day is not 24 hours long."""
        return self.hours != 24


@dataclass(frozen=True, slots=True)
class Board:
    """A team's final shifts over some weeks, in one time zone."""

    team: Team
    zone: ZoneInfo
    days: tuple[Day, ...]
    first: date
    weeks: int
    gaps: tuple[tuple[datetime, datetime], ...] = ()
    people: dict[int, Person] = field(default_factory=dict)

    @property
    def before(self) -> date:
        """The first day of the page before."""
        return self.first - timedelta(weeks=self.weeks)

    @property
    def after(self) -> date:
        """The first day of the page after."""
        return self.first + timedelta(weeks=self.weeks)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A whole stretch before it is cut into days."""

    person_id: int | None
    start: datetime
    end: datetime
    mark: str = ""
    override_id: int | None = None


def board(
    team: Team, *, first: date, weeks: int, zone: ZoneInfo, reader: Person, now: datetime
) -> Board:
    """The calendar of a team from a local day on. Six queries.

    Days begin at local midnight, so that the day of a clock change is 23 or 25 hours long.
    """
    dates = [first + timedelta(days=number) for number in range(7 * weeks + 1)]
    edges = [local_instant(zone, datetime.combine(day, time.min)) for day in dates]
    start, end = edges[0], edges[-1]
    # Whole shifts are wanted, also where they begin before the first day.
    wide_start, wide_end = start - AHEAD, end + AHEAD
    rosters = read_rosters([team.pk], wide_start, wide_end)
    served = rosters.served(team.pk, wide_start, wide_end)
    rows = Override.objects.filter(
        schedule__team=team, during__overlap=(wide_start, wide_end)
    ).order_by("during")
    stretches = _marked(served, list(rows))
    open_ends = gaps(served, wide_start, wide_end) if hasattr(team, "schedule") else []
    stretches += [_Stretch(None, begins, ends, "gap") for begins, ends in open_ends]
    stretches.sort(key=lambda each: each.start)
    ids = {each.person_id for each in stretches if each.person_id}
    people = Person.objects.in_bulk(ids)
    today = now.astimezone(zone).date()
    days = tuple(
        _day(
            day,
            (edges[place], edges[place + 1]),
            stretches,
            people,
            reader=reader,
            now=now,
            today=today,
        )
        for place, day in enumerate(dates[:-1])
    )
    inside = [(max(a, start), min(b, end)) for a, b in open_ends if a < end and b > max(start, now)]
    return Board(team, zone, days, first, weeks, tuple(inside), people)


def _marked(served: Iterable[Shift], overrides: Sequence[Override]) -> list[_Stretch]:
    """The shifts, cut where an override begins or ends; what it gives carries its mark."""
    found: list[_Stretch] = []
    for shift in served:
        cursor = shift.start
        for row in overrides:
            begins, ends = max(row.during.lower, cursor), min(row.during.upper, shift.end)
            if row.person_id != shift.person_id or begins >= ends:
                continue
            if begins > cursor:
                found.append(_Stretch(shift.person_id, cursor, begins))
            mark = "swap" if row.swap_id else "override"
            found.append(_Stretch(shift.person_id, begins, ends, mark, row.pk))
            cursor = ends
        if cursor < shift.end:
            found.append(_Stretch(shift.person_id, cursor, shift.end))
    return found


def _day(
    day: date,
    edges: tuple[datetime, datetime],
    stretches: Sequence[_Stretch],
    people: dict[int, Person],
    *,
    reader: Person,
    now: datetime,
    today: date,
) -> Day:
    opens, closes = edges
    length_s = (closes - opens).total_seconds()
    pieces: list[Piece] = []
    spent = 0
    inside = [each for each in stretches if each.start < closes and each.end > opens]
    for place, each in enumerate(inside):
        start, end = max(each.start, opens), min(each.end, closes)
        upto = round((end - opens).total_seconds() / length_s * COLUMNS)
        left = len(inside) - place - 1
        span = max(1, min(upto, COLUMNS - left) - spent)
        spent += span
        pieces.append(
            Piece(
                person=people.get(each.person_id) if each.person_id else None,
                start=start,
                end=end,
                begins=each.start,
                ends=each.end,
                span=span,
                mark=each.mark,
                override_id=each.override_id,
                is_past=end <= now,
                is_mine=each.person_id == reader.pk,
            )
        )
    return Day(day, tuple(pieces), length_s * 24 / DAY_S, day == today)


@dataclass(frozen=True, slots=True)
class Turn:
    """One coming shift of one's own; `end` is None while no end is in sight."""

    team: Team
    start: datetime
    end: datetime | None
    is_now: bool


def turns_of(person: Person, now: datetime, within: timedelta) -> list[Turn]:
    """What somebody serves from now on, soonest first, over all active teams. Six queries."""
    schedules = Schedule.objects.filter(team__is_active=True).select_related("team__tier")
    teams = {schedule.team_id: schedule.team for schedule in schedules}
    # Farther than is shown, so that the last shift is not cut short.
    limit = now + within + AHEAD
    rosters = read_rosters(list(teams), now, limit)
    found = [
        Turn(teams[team_id], shift.start, shift.end if shift.end < limit else None, at_work)
        for team_id in teams
        for shift in rosters.served(team_id, now, limit)
        if shift.person_id == person.pk and shift.start < now + within
        for at_work in [shift.start <= now]
    ]
    return sorted(found, key=lambda turn: (turn.start, turn.team.name))


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def today_in(zone: ZoneInfo) -> date:
    """The date there, by the database's clock."""
    return database_now().astimezone(zone).date()
