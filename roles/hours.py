"""Reads and writes weekly hours as people type them: `Mon-Fri 09:00-12:30, 13:00-17:00`.

Pure. One line for a day or a run of days; an end that is not later than its start is on the next
day, so `Fri 22:00-06:00` ends on Saturday morning.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LINE = re.compile(r"([A-Za-z]{3})(?:\s*-\s*([A-Za-z]{3}))?:?\s+(\S.*)")
STRETCH = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
DAY_MINUTES = 1440


def parse_hours(text: str) -> list[tuple[int, int, int]]:
    """The spans (weekday from Monday 0, start, end) in minutes; raises ValueError by line."""
    spans: list[tuple[int, int, int]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            spans.extend(_parse_line(line.strip()))
        except ValueError as trouble:
            raise ValueError(f"Line {number}: {trouble}") from None
    return sorted(set(spans))


def format_hours(spans: Iterable[Sequence[int]]) -> str:
    """The spans as lines that `parse_hours` reads, days with equal hours in a row together."""
    by_day: dict[int, list[str]] = defaultdict(list)
    for weekday, start, end in sorted(part for span in spans for part in _within_a_day(*span)):
        by_day[weekday].append(f"{_clock(start)}-{_clock(end)}")
    runs: list[tuple[int, int, list[str]]] = []
    for day in sorted(by_day):
        if runs and runs[-1][1] == day - 1 and runs[-1][2] == by_day[day]:
            runs[-1] = (runs[-1][0], day, by_day[day])
        else:
            runs.append((day, day, by_day[day]))
    return "\n".join(f"{_days(first, last)} {', '.join(hours)}" for first, last, hours in runs)


def _parse_line(line: str) -> list[tuple[int, int, int]]:
    shape = LINE.fullmatch(line)
    if not shape:
        raise ValueError(f"{line!r} is not like 'Mon-Fri 09:00-17:00'.")
    first = _weekday(shape[1])
    last = _weekday(shape[2]) if shape[2] else first
    days = [(first + n) % 7 for n in range((last - first) % 7 + 1)]
    stretches = [_stretch(part.strip()) for part in shape[3].split(",")]
    return [(day, start, end) for day in days for start, end in stretches]


def _weekday(name: str) -> int:
    try:
        return DAYS.index(name.capitalize())
    except ValueError:
        raise ValueError(f"{name!r} is not a day; use {', '.join(DAYS)}.") from None


def _stretch(text: str) -> tuple[int, int]:
    shape = STRETCH.fullmatch(text)
    if not shape:
        raise ValueError(f"{text!r} is not like '09:00-17:00'.")
    start, end = _minutes(shape[1], shape[2]), _minutes(shape[3], shape[4])
    if start == DAY_MINUTES:
        raise ValueError("Hours cannot start at 24:00; use 00:00 of the next day.")
    return start, end if end > start else end + DAY_MINUTES


def _minutes(hours: str, minutes: str) -> int:
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > DAY_MINUTES:
        raise ValueError(f"{hours}:{minutes} is not a time of day.")
    return total


def _within_a_day(weekday: int, start: int, end: int) -> list[tuple[int, int, int]]:
    """A span, cut at midnight where it is longer than the 24 hours that a line can tell of."""
    if end - start <= DAY_MINUTES:
        return [(weekday, start, end)]
    return [(weekday, start, DAY_MINUTES), ((weekday + 1) % 7, 0, end - DAY_MINUTES)]


def _clock(minute: int) -> str:
    if minute > DAY_MINUTES:
        minute -= DAY_MINUTES
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _days(first: int, last: int) -> str:
    return DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"
