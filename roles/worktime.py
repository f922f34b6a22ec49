"""Adds and measures working time exactly, over clock changes, in any zone, with pauses.

Pure. A calendar's opening hours become a table of half-open intervals in UTC, one chunk a year,
built when first asked for and kept; a question is then two binary searches. All sums are whole
microseconds, so that measuring in pieces and measuring at once agree to the last digit.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from operator import index
from zoneinfo import ZoneInfo

Pause = tuple[datetime, datetime | None]
Span = tuple[int, int, int]

FIRST_YEAR, LAST_YEAR = 1970, 2200
DAY_MINUTES = 1440
WEEK_MINUTES = 7 * DAY_MINUTES
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NeverOpen(ValueError):
    """The calendar never opens for long enough for the instant that was asked for."""


def local_instant(zone: ZoneInfo, local: datetime, *, last: bool = False) -> datetime:
    """The instant in UTC at which clocks in `zone` show the naive time `local`.

    A time that a clock change leaps over is moved forward by the leap. Of a time that is shown
    twice, the first is meant, or the second with `last`.
    """
    first = _less(local, zone.utcoffset(local.replace(fold=0)))
    if not last:
        return first
    # In a gap fold=1 lies *before* fold=0; there the forward one is meant.
    return max(first, _less(local, zone.utcoffset(local.replace(fold=1))))


class WorkCalendar:
    """Weekly opening hours in a zone without its days off; immutable."""

    __slots__ = ("_chunks", "days_off", "spans", "zone")

    def __init__(self, zone: str, spans: frozenset[Span], days_off: frozenset[date]) -> None:
        """Use `build`, which checks what it is given."""
        self.zone = ZoneInfo(zone)
        self.spans = spans
        self.days_off = days_off
        self._chunks: dict[int, _Chunk] = {}

    @staticmethod
    def build(
        zone: str, spans: Iterable[tuple[int, int, int]], days_off: Iterable[date] = ()
    ) -> "WorkCalendar":
        """The calendar of these hours.

        A span is (weekday from Monday 0, start, end) in minutes of the local day; an end above
        1440 runs over midnight. Each day off closes its whole local day, the tail of a span from
        the evening before included. Raises ValueError for a span that no week has, TypeError for
        parts that are not whole numbers, ZoneInfoNotFoundError for an unknown zone.
        """
        known = frozenset((index(day), index(start), index(end)) for day, start, end in spans)
        for span in known:
            check_span(*span)
        closed = frozenset(days_off)
        if not closed and _covers_week(known):
            ZoneInfo(zone)
            return ALWAYS
        return WorkCalendar(zone, known, closed)

    def measure(self, start: datetime, end: datetime) -> float:
        """Working seconds from `start` to `end`; 0 when `end` is not later."""
        return self.between_us(_us(start), _us(end)) / SECOND_US

    def add(self, start: datetime, seconds: float) -> datetime:
        """The earliest instant, `start` or later, by which `seconds` of working time have run.

        Raises NeverOpen when none is near enough, ValueError for negative seconds.
        """
        return _instant(self.after_us(_us(start), _seconds_us(seconds)))

    def is_open(self, at: datetime) -> bool:
        """Whether `at` is working time; the opening instant is, the closing instant is not."""
        at_us = _us(at)
        chunk = self._chunk(_year(at_us))
        place = bisect_right(chunk.starts, at_us) - 1
        return place >= 0 and at_us < chunk.ends[place]

    def openings(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The stretches of working time between two instants, cut to them, in order of time."""
        start_us, end_us = _us(start), _us(end)
        if end_us <= start_us:
            return []
        years = range(_year(start_us), _year(end_us) + 1)
        pieces = [piece for year in years for piece in self._chunk(year).pieces()]
        # Merging joins what the turn of the year has cut.
        found = _merged(_clipped(pieces, start_us, end_us))
        return [(_instant(opens), _instant(closes)) for opens, closes in found]

    def between_us(self, start_us: int, end_us: int) -> int:
        """Working microseconds between two instants in microseconds since 1970."""
        if end_us <= start_us:
            return 0
        first, last = _year(start_us), _year(end_us)
        chunk = self._chunk(first)
        if first == last:
            return chunk.until(end_us) - chunk.until(start_us)
        between = sum(self._chunk(year).total for year in range(first + 1, last))
        return chunk.total - chunk.until(start_us) + between + self._chunk(last).until(end_us)

    def after_us(self, start_us: int, need_us: int) -> int:
        """The instant, in microseconds since 1970, `need_us` of working time after another."""
        if need_us == 0:
            return start_us
        if not self.spans:
            raise NeverOpen("This calendar has no opening hours.")
        year = _year(start_us)
        chunk = self._chunk(year)
        need_us += chunk.until(start_us)
        while need_us > chunk.total:
            need_us -= chunk.total
            year += 1
            if year > LAST_YEAR:
                raise NeverOpen(f"This calendar does not open for so long before {LAST_YEAR}.")
            chunk = self._chunk(year)
        return chunk.reached(need_us)

    def _chunk(self, year: int) -> "_Chunk":
        chunk = self._chunks.get(year)
        if chunk is None:
            chunk = self._chunks[year] = _Chunk(self._openings(year))
        return chunk

    def _openings(self, year: int) -> list[tuple[int, int]]:
        """Merged opening intervals of one UTC year, in microseconds since 1970."""
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError(f"Working time is known from {FIRST_YEAR} to {LAST_YEAR} only.")
        # Three local days more on both sides hold every span that can reach into the year.
        first = date(year, 1, 1) - timedelta(days=3)
        days = [first + timedelta(days=n) for n in range(372)]
        by_weekday: list[list[Span]] = [[] for _ in range(7)]
        for span in self.spans:
            by_weekday[span[0]].append(span)
        found = [self._opening(day, s) for day in days for s in by_weekday[day.weekday()]]
        closed = _merged([self._local_day(day) for day in days if day in self.days_off])
        return _clipped(_without(_merged(found), closed), _year_us(year), _year_us(year + 1))

    def _opening(self, day: date, span: Span) -> tuple[int, int]:
        midnight = datetime.combine(day, time.min)
        start = local_instant(self.zone, midnight + timedelta(minutes=span[1]))
        end = local_instant(self.zone, midnight + timedelta(minutes=span[2]), last=True)
        return _us(start), _us(end)

    def _local_day(self, day: date) -> tuple[int, int]:
        """The instants of one local date: from its first 00:00 to the next date's first."""
        midnight = datetime.combine(day, time.min)
        start = local_instant(self.zone, midnight)
        end = local_instant(self.zone, midnight + timedelta(days=1))
        later = local_instant(self.zone, midnight + timedelta(days=1), last=True)
        # Where clocks go back just after midnight, the hour before it comes again: same date.
        before = (later - timedelta(microseconds=1)).astimezone(self.zone)
        return _us(start), _us(later if before.date() == day else end)


class _AlwaysOpen(WorkCalendar):
    """Round the clock: working time is elapsed time, and nothing needs a table."""

    __slots__ = ()

    def __init__(self) -> None:
        hours = frozenset((day, 0, DAY_MINUTES) for day in range(7))
        super().__init__("UTC", hours, frozenset())

    def measure(self, start: datetime, end: datetime) -> float:
        return max(0.0, (end - start).total_seconds())

    def is_open(self, at: datetime) -> bool:
        return True

    def openings(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        return [(start, end)] if end > start else []

    def between_us(self, start_us: int, end_us: int) -> int:
        return max(0, end_us - start_us)

    def after_us(self, start_us: int, need_us: int) -> int:
        return start_us + need_us


class _Chunk:
    """The openings of one year, with running sums for binary search."""

    __slots__ = ("ends", "starts", "sums", "total")

    def __init__(self, openings: Sequence[tuple[int, int]]) -> None:
        self.starts = [start for start, _ in openings]
        self.ends = [end for _, end in openings]
        self.sums = list(accumulate(end - start for start, end in openings))
        self.total = self.sums[-1] if self.sums else 0

    def pieces(self) -> Iterable[tuple[int, int]]:
        """The openings, in order."""
        return zip(self.starts, self.ends, strict=True)

    def until(self, at_us: int) -> int:
        """Open microseconds from the start of the year to `at_us`."""
        place = bisect_right(self.starts, at_us) - 1
        if place < 0:
            return 0
        return self.sums[place] - max(0, self.ends[place] - at_us)

    def reached(self, need_us: int) -> int:
        """The earliest instant at which `need_us` (0 < need_us <= total) have been open."""
        place = bisect_left(self.sums, need_us)
        return self.ends[place] - (self.sums[place] - need_us)


ALWAYS: WorkCalendar = _AlwaysOpen()


def running_seconds(
    calendar: WorkCalendar, start: datetime, end: datetime, pauses: Sequence[Pause]
) -> float:
    """Working seconds from `start` to `end` outside the pauses, which are sorted and disjoint."""
    start_us, end_us = _us(start), _us(end)
    total = calendar.between_us(start_us, end_us)
    for begins, ends in pauses:
        from_us = max(start_us, _us(begins))
        to_us = end_us if ends is None else min(end_us, _us(ends))
        total -= calendar.between_us(from_us, to_us)
    return total / SECOND_US


def instant_after(
    calendar: WorkCalendar, start: datetime, seconds: float, pauses: Sequence[Pause]
) -> datetime | None:
    """The earliest instant by which `seconds` of working time outside the pauses have run.

    None when an open pause keeps it from ever being reached. Raises NeverOpen like `add`.
    """
    cursor, need = _us(start), _seconds_us(seconds)
    for begins, ends in pauses:
        begins_us = max(cursor, _us(begins))
        available = calendar.between_us(cursor, begins_us)
        if available >= need:
            break
        if ends is None:
            return None
        need -= available
        cursor = max(begins_us, _us(ends))
    return _instant(calendar.after_us(cursor, need))


def check_span(weekday: int, start: int, end: int) -> None:
    """Raise ValueError, with a sentence, unless a week can have this span."""
    if not 0 <= weekday <= 6:
        raise ValueError(f"Weekday {weekday}: use 0 for Monday to 6 for Sunday.")
    if not 0 <= start < DAY_MINUTES:
        raise ValueError(f"Start {start}: use minutes of the day, 0 to 1439.")
    if not start < end <= 2 * DAY_MINUTES:
        raise ValueError(f"End {end}: it must be later than the start and at most 2880 minutes.")


def _covers_week(spans: Iterable[Span]) -> bool:
    """Whether the spans leave no minute of any week closed."""
    starts = ((day * DAY_MINUTES + start, end - start) for day, start, end in spans)
    turned = [(s + shift, s + shift + n) for s, n in starts for shift in (-WEEK_MINUTES, 0)]
    return any(start <= 0 and end >= WEEK_MINUTES for start, end in _merged(turned))


def _merged(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted, disjoint and apart; empty and backward ones dropped."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def _without(
    openings: Sequence[tuple[int, int]], closed: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The openings with the closed intervals cut out; both sorted and disjoint."""
    result: list[tuple[int, int]] = []
    shut_until = [reopened for _, reopened in closed]
    for start, end in openings:
        cursor = start
        for shut, reopened in closed[bisect_right(shut_until, start) :]:
            if shut >= end:
                break
            if shut > cursor:
                result.append((cursor, shut))
            cursor = max(cursor, reopened)
        if cursor < end:
            result.append((cursor, end))
    return result


def _less(local: datetime, offset: timedelta | None) -> datetime:
    return (local - (offset or timedelta())).replace(tzinfo=UTC)


def _clipped(intervals: Iterable[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    return [(max(s, low), min(e, high)) for s, e in intervals if e > low and s < high]


def _us(at: datetime) -> int:
    """Whole microseconds since 1970; raises TypeError for a time without zone."""
    since = at - EPOCH
    return since.days * DAY_US + since.seconds * SECOND_US + since.microseconds


def _instant(us: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=us)
    except OverflowError:
        raise NeverOpen("That instant lies beyond what dates can hold.") from None


def _seconds_us(seconds: float) -> int:
    if seconds < 0:
        raise ValueError("A length of working time cannot be negative.")
    return round(seconds * SECOND_US)


def _year_us(year: int) -> int:
    return _us(datetime(year, 1, 1, tzinfo=UTC))


_YEAR_STARTS = [_year_us(year) for year in range(FIRST_YEAR, LAST_YEAR + 2)]


def _year(us: int) -> int:
    """The UTC year of an instant; outside the known years, one that is refused."""
    return FIRST_YEAR - 1 + bisect_right(_YEAR_STARTS, us)
