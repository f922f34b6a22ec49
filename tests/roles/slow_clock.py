"""A slow second opinion on working time: every minute looked at by itself.

It never asks zoneinfo to turn a local time into an instant: it only reads what a wall clock shows
at each minute of UTC, and finds local times by looking for them.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 1440
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DATE = date(1970, 1, 1)
MARGIN = 4 * DAY


def minute_of(at: datetime) -> int:
    """Whole minutes since 1970 in UTC."""
    return (at - EPOCH) // timedelta(minutes=1)


def instant_of(minute: int) -> datetime:
    """The start of a minute since 1970."""
    return EPOCH + timedelta(minutes=minute)


@lru_cache(maxsize=20_000)
def walls_of_day(zone: str, day: int) -> tuple[int, ...]:
    """What clocks show at each minute of a UTC day, in local minutes since 1970.

    Read once a quarter of an hour: since 2000 no zone looked at here has changed in between.
    """
    tz = ZoneInfo(zone)
    shown: list[int] = []
    for minute in range(day * DAY, (day + 1) * DAY, 15):
        local = instant_of(minute).astimezone(tz)
        wall = (local.replace(tzinfo=UTC) - EPOCH) // timedelta(minutes=1)
        shown.extend(range(wall, wall + 15))
    return tuple(shown)


def walls(zone: str, low: int, high: int) -> list[int]:
    """What clocks show at each minute from `low` up to `high`."""
    days = range(low // DAY, (high - 1) // DAY + 1)
    shown = [wall for day in days for wall in walls_of_day(zone, day)]
    skip = low - days[0] * DAY
    return shown[skip : skip + high - low]


def open_minutes(
    zone: str,
    spans: Iterable[tuple[int, int, int]],
    days_off: Iterable[date],
    low: int,
    high: int,
) -> list[bool]:
    """Whether each minute from `low` up to `high` is working time."""
    shown = walls(zone, low - MARGIN, high + MARGIN)
    is_open = [False] * len(shown)
    last = dict(zip(shown, range(len(shown)), strict=True))
    first = dict(zip(reversed(shown), reversed(range(len(shown))), strict=True))
    weekly = list(spans)
    for day in range(shown[0] // DAY + 1, shown[-3 * DAY] // DAY + 1):
        for weekday, start, end in weekly:
            if (EPOCH_DATE + timedelta(days=day)).weekday() == weekday:
                begins = look_up(first, shown, day * DAY + start)
                ends = look_up(last, shown, day * DAY + end)
                is_open[begins:ends] = [True] * max(0, ends - begins)
    closed = {(day - EPOCH_DATE).days for day in days_off}
    judged = [yes and wall // DAY not in closed for yes, wall in zip(is_open, shown, strict=True)]
    return judged[MARGIN:-MARGIN]


def look_up(known: dict[int, int], shown: Sequence[int], wall: int) -> int:
    """Where a local time stands; one that clocks leap over is as far behind the leap as into it."""
    if wall in known:
        return known[wall]
    for place in range(1, len(shown)):
        if shown[place - 1] < wall < shown[place]:
            return place + (wall - shown[place - 1] - 1)
    raise AssertionError(f"local minute {wall} lies outside what was looked at")
