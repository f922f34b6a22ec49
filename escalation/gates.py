"""Gates of steps, pure: at which hours and priorities a step may go, and when it next may.

A gate is judged by the moment at which the step is due, so that an outage changes nothing. Hours
are local: of a named zone, of the team's calendar, or of each person who would be told.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from roles.worktime import NeverOpen, WorkCalendar, local_instant

TEAM: Final = "team"
RESPONDER: Final = "responder"
SKIP: Final = "skip"
HOLD: Final = "hold"
OTHERWISE: Final = (SKIP, HOLD)
KNOWN: Final = frozenset(
    {"weekdays", "from", "until", "zone", "priorities", "otherwise", "hold_for_shift"}
)
HOURS: Final = frozenset({"weekdays", "from", "until"})
DAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
TICK: Final = timedelta(microseconds=1)


def holds_back(gates: Mapping[str, Any]) -> bool:
    """Whether a shut gate makes the step wait; else it is passed over."""
    return gates.get("otherwise", SKIP) == HOLD


def fits_priority(gates: Mapping[str, Any], priority: int) -> bool:
    """Whether the step may go for tickets of this priority."""
    return "priorities" not in gates or priority in gates["priorities"]


def is_per_person(gates: Mapping[str, Any]) -> bool:
    """Whether the hours are those of each person who would be told."""
    return gates.get("zone") == RESPONDER and bool(HOURS & gates.keys())


def has_hours(gates: Mapping[str, Any]) -> bool:
    """Whether the step as a whole is tied to hours."""
    if gates.get("zone") == RESPONDER:
        return False
    return bool(HOURS & gates.keys()) or gates.get("zone") == TEAM


def next_opening(
    gates: Mapping[str, Any], at: datetime, team_calendar: WorkCalendar
) -> datetime | None:
    """`at` itself while the gate is open, else when it next opens; None for one that never does."""
    if not has_hours(gates):
        return at
    if gates.get("zone") == TEAM and not HOURS & gates.keys():
        return _calendar_opening(team_calendar, at)
    zone = team_calendar.zone if gates.get("zone") == TEAM else ZoneInfo(gates.get("zone", "UTC"))
    return opening_in(gates, at, zone)


def opening_in(gates: Mapping[str, Any], at: datetime, zone: ZoneInfo) -> datetime | None:
    """When the hours, read in this zone, are open: `at` or later; None if never."""
    later = [start for start, end in _windows(gates, at, zone) if start > at]
    if any(start <= at < end for start, end in _windows(gates, at, zone)):
        return at
    return min(later, default=None)


def _windows(
    gates: Mapping[str, Any], at: datetime, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """The open spans around `at`, from the day before to the same weekday of the next week."""
    opens, shuts = _time(gates.get("from", "00:00")), _time(gates.get("until", "24:00"))
    weekdays = gates.get("weekdays", range(7))
    today = datetime.combine(at.astimezone(zone).date(), time.min)
    found = []
    for offset in range(-1, 9):
        midnight = today + timedelta(days=offset)
        if midnight.weekday() in weekdays:
            over = timedelta(days=1) if shuts <= opens else timedelta()
            start = local_instant(zone, midnight + opens)
            end = local_instant(zone, midnight + shuts + over, last=True)
            found.append((start, end))
    return found


def _time(text: str) -> timedelta:
    """The time of the day in "08:00"; "24:00" ends the day. Raises ValueError."""
    hours, minutes = (int(part) for part in text.split(":"))
    span = timedelta(hours=hours, minutes=minutes)
    if not (0 <= minutes < 60 and timedelta() <= span <= timedelta(days=1)):
        raise ValueError(f"{text} is no time of the day.")
    return span


def is_time(text: Any) -> bool:
    """Whether this is a time of the day such as "08:00"."""
    try:
        _time(text)
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def _calendar_opening(calendar: WorkCalendar, at: datetime) -> datetime | None:
    """When the working time of a calendar runs: `at` or the next opening."""
    if calendar.is_open(at):
        return at
    try:
        return calendar.add(at, 1e-6) - TICK
    except NeverOpen:
        return None


def in_words(gates: Mapping[str, Any]) -> str:
    """The gate as a clause, such as "Mon Tue 08:00 to 18:00 (Europe/Berlin), P1 P2"."""
    parts: list[str] = []
    if "weekdays" in gates:
        parts.append(" ".join(DAY_NAMES[day] for day in gates["weekdays"]))
    if {"from", "until"} & gates.keys():
        parts.append(f"{gates.get('from', '00:00')} to {gates.get('until', '24:00')}")
    places = {TEAM: "the team's hours", RESPONDER: "each person's own time"}
    if "zone" in gates:
        parts.append(places.get(gates["zone"], gates["zone"]))
    if "priorities" in gates:
        parts.append(" ".join(f"P{item}" for item in gates["priorities"]))
    if gates.get("hold_for_shift"):
        parts.append("waits for the next shift if nobody is on call")
    return ", ".join(parts)


def problems_of(gates: Any) -> Sequence[str]:
    """What is wrong with a gate, a sentence each."""
    if not isinstance(gates, Mapping):
        return ['Gates are a mapping such as {"weekdays": [0, 1], "from": "08:00"}.']
    found = [f"There is no gate {name}." for name in sorted(gates.keys() - KNOWN)]
    if not _are_numbers(gates.get("weekdays", [0]), 0, 6):
        found.append("weekdays: a list of 0 (Monday) to 6 (Sunday).")
    if not _are_numbers(gates.get("priorities", [1]), 1, 5):
        found.append("priorities: a list of 1 to 5.")
    found += [
        f'{name}: a time of the day such as "08:00".'
        for name in ("from", "until")
        if name in gates and not is_time(gates[name])
    ]
    if not _is_zone(gates.get("zone", "UTC")):
        found.append('zone: a name such as Europe/Berlin, "team" or "responder".')
    if gates.get("otherwise", SKIP) not in OTHERWISE:
        found.append('otherwise: "skip" or "hold".')
    if not isinstance(gates.get("hold_for_shift", False), bool):
        found.append("hold_for_shift: true or false.")
    return found


def _are_numbers(values: Any, low: int, high: int) -> bool:
    return (
        isinstance(values, list)
        and bool(values)
        and all(
            isinstance(item, int) and not isinstance(item, bool) and low <= item <= high
            for item in values
        )
    )


def _is_zone(name: Any) -> bool:
    if name in (TEAM, RESPONDER):
        return True
    try:
        ZoneInfo(name)
    except (TypeError, ValueError, OSError, KeyError):
        return False
    return True
