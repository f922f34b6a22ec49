"""Finds by how much a lived ticket may be shifted, so that its clocks stay true, and draws it.

Working hours do not shift. Within a room, every moment of a ticket's clocks stays in one opening of
each of its calendars; and a room days away has the same openings and closures about it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import accumulate
from random import Random
from typing import Final

from config.scale.scripts import LONGEST_CLOSED_DAYS, OFFICE_OPENS, OFFICE_SPAN_S
from roles.worktime import WorkCalendar

SPREAD: Final = timedelta(minutes=10)
"""How far what is still open is shifted, and what has ended and fits nowhere else."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
HOUR_US: Final = 3600 * 1_000_000
DAY_US: Final = 24 * HOUR_US
WIDEST_US: Final = 6 * HOUR_US
CLOCK_CHANGES_US: Final = (0, -HOUR_US, HOUR_US)
"""Where clocks are changed between two days, the same hour of theirs lies one hour off."""
URGENT: Final = 2
"""What has this priority or a higher one comes in at any hour; the rest in office hours."""
OFFICE_DAYS: Final = (1.25, 1.1, 1.0, 1.0, 0.85, 0.0, 0.0)
ALL_DAYS: Final = (1.25, 1.1, 1.0, 1.0, 0.85, 0.35, 0.3)
"""How much comes in from Monday to Sunday, an even day being 1."""


@dataclass(frozen=True, slots=True)
class Room:
    """From `least_us` to `most_us` a ticket may be shifted; `weight` is its share of the copies."""

    least_us: int
    most_us: int
    weight: float = 1.0


@dataclass(frozen=True)
class Past:
    """When a ticket came in, the last that is told of it, and what its clocks go by.

    `moments` are, by calendar, those between which its working time was measured.
    """

    priority: int
    opened_at: datetime
    last_at: datetime
    is_over: bool
    moments: Sequence[tuple[WorkCalendar, Sequence[datetime]]]

    @cached_property
    def bound(self) -> list[tuple[WorkCalendar, list[int]]]:
        """The moments as microseconds since 1970, in order; no calendar without any."""
        found = [(calendar, sorted(map(us, ats))) for calendar, ats in self.moments]
        return [(calendar, ats) for calendar, ats in found if ats]


def us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


# ---- Where a ticket fits -------------------------------------------------------------------------


def nearby(past: Past) -> list[Room]:
    """The minutes after its own time, when all clocks stay in their openings; else its own time."""
    least, most = _slack(past)
    spread = SPREAD // MICROSECOND
    return [Room(0, spread if least <= 0 and spread <= most else 0)]


def whole_year(past: Past, end: datetime) -> list[Room]:
    """Every day of the year before `end` on which the ticket could have come in just so."""
    least, most = _slack(past)
    opened, last = us(past.opened_at), us(past.last_at)
    earliest = us(end) - int(LONGEST_CLOSED_DAYS) * DAY_US
    days = range((earliest - opened) // DAY_US + 1, (us(end) - last) // DAY_US + 1)
    found = []
    for day in days:
        shift = _same_hours(past, day * DAY_US, least, most)
        if shift is None:
            continue
        room = _in_office(past, shift + least, shift + most)
        if room and earliest <= opened + room.least_us and last + room.most_us <= us(end):
            found.append(room)
    return found or nearby(past)


def _slack(past: Past) -> tuple[int, int]:
    """How far back and forward all moments may go together without leaving their openings."""
    least, most = -WIDEST_US, WIDEST_US
    for calendar, ats in past.bound:
        starts, ends = _openings(calendar)
        for at in ats:
            place = bisect_right(starts, at) - 1
            if place < 0 or at > ends[place]:
                return 0, 0
            least, most = max(least, starts[place] - at), min(most, ends[place] - at)
    return least, most


def _same_hours(past: Past, shift: int, least: int, most: int) -> int | None:
    """The shift, but for a clock change, that finds the same openings there; None if none does."""
    spans = [(calendar, ats[0] + least, ats[-1] + most) for calendar, ats in past.bound]
    for more in CLOCK_CHANGES_US:
        moved = shift + more
        if all(
            _window(calendar, first, last, 0)
            == _window(calendar, first + moved, last + moved, moved)
            for calendar, first, last in spans
        ):
            return moved
    return None


def _in_office(past: Past, least: int, most: int) -> Room | None:
    """The part of a room in which a ticket of this priority comes in, by its weekday."""
    opened = us(past.opened_at)
    day = (opened + (least + most) // 2) // DAY_US
    weekday = (day + 3) % 7  # 1970 began on a Thursday
    if past.priority <= URGENT:
        return Room(least, most, ALL_DAYS[weekday])
    opens = day * DAY_US + OFFICE_OPENS // MICROSECOND
    least = max(least, opens - opened)
    most = min(most, opens + OFFICE_SPAN_S * 1_000_000 - opened)
    weight = OFFICE_DAYS[weekday]
    return Room(least, most, weight) if weight and least <= most else None


@cache
def _openings(calendar: WorkCalendar) -> tuple[list[int], list[int]]:
    """When a calendar opens and closes, from three years ago to the next one."""
    now = datetime.now(UTC)
    found = calendar.openings(now - timedelta(days=3 * 365), now + timedelta(days=365))
    return [us(opens) for opens, _ in found], [us(closes) for _, closes in found]


def _window(calendar: WorkCalendar, first: int, last: int, less: int) -> list[tuple[int, int]]:
    """The openings between two instants, cut to them, each told `less` earlier."""
    starts, ends = _openings(calendar)
    places = range(bisect_right(ends, first), bisect_left(starts, last))
    return [(max(starts[at], first) - less, min(ends[at], last) - less) for at in places]


# ---- Drawing -------------------------------------------------------------------------------------


def draw(rooms: Sequence[Room], count: int, rng: Random) -> Iterator[int]:
    """So many shifts in microseconds, by the weights of the rooms and by chance within each."""
    sums = list(accumulate(room.weight for room in rooms))
    for room in rng.choices(rooms, cum_weights=sums, k=count):
        width = room.most_us - room.least_us
        yield room.least_us + int(rng.random() * width)
