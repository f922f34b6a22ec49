"""Turns of other products as layers of ours, and which of them serve beside each other; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from roles.hours import DAYS, format_hours
from roles.rotation import RotationSpec, Shift, final_shifts, shifts
from roles.worktime import Span

DAY_MINUTES: Final = 1440
WEEK_MINUTES: Final = 7 * DAY_MINUTES
AHEAD: Final = timedelta(days=400)
"""How far two rotations are compared: a year has both clock changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """People who take turns of days or hours from `begins` on, perhaps in certain hours only.

    `people` are mail addresses in their order; `begins` is the local start of a turn of the first.
    `level` is what wins where two serve at once; those of one level serve beside each other.
    """

    name: str
    people: tuple[str, ...]
    begins: datetime
    zone: str
    days: int | None = None
    hours: int | None = None
    spans: tuple[Span, ...] = ()
    level: int = 0

    def spec(self, numbers: dict[str, int] | None = None) -> RotationSpec:
        """The rotation as ours; people by the numbers given, or all of them as number 1."""
        known = numbers or {}
        start = self.begins.replace(tzinfo=None)
        return RotationSpec(
            zone=self.zone,
            starts_on=start.date(),
            handover_time=start.time(),
            handover_weekday=start.weekday(),
            shift_days=self.days,
            shift_hours=self.hours,
            people=tuple(known.get(email, 1) for email in self.people),
            restrictions=self.spans,
        )

    def layer(self, usernames: Sequence[str], schedule_zone: str) -> dict[str, Any]:
        """The layer as a file of policy as code has it."""
        start = self.begins.replace(tzinfo=None)
        item: dict[str, Any] = {
            "name": self.name[:200] or "Rotation",
            "people": list(usernames),
            "starts_on": start.date().isoformat(),
            "handover": start.time().isoformat("seconds" if start.second else "minutes"),
            "weekday": DAYS[start.weekday()],
        }
        item |= {"shift_days": self.days} if self.days else {"shift_hours": self.hours}
        if self.zone != schedule_zone:
            item["zone"] = self.zone
        if self.spans:
            item["hours"] = format_hours(self.spans).splitlines()
        return item


def local(at: datetime, zone: str) -> datetime:
    """The instant on the clocks of a zone."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def not_before(turns: Turns, start: datetime) -> Turns:
    """The same turns, counted from the last hand-over up to a local time at which they begin."""
    length = timedelta(days=turns.days or 0, hours=turns.hours or 0)
    passed = (start - turns.begins) // length
    if passed <= 0:
        return turns
    first = passed % len(turns.people)
    people = turns.people[first:] + turns.people[:first]
    return replace(turns, begins=turns.begins + passed * length, people=people)


def whole_length(seconds: int) -> tuple[int | None, int | None] | None:
    """A turn's length as (days, hours), one of them None; None for neither days nor hours."""
    if seconds <= 0 or seconds % 3600:
        return None
    return (seconds // 86_400, None) if seconds % 86_400 == 0 else (None, seconds // 3600)


def week_spans(start: int, length: int) -> list[Span]:
    """A stretch of a week, in minutes from Monday, as spans of single days."""
    found = []
    length = min(length, WEEK_MINUTES)
    while length > 0:
        day, minute = divmod(start % WEEK_MINUTES, DAY_MINUTES)
        part = min(length, DAY_MINUTES - minute)
        found.append((day, minute, minute + part))
        start, length = start + part, length - part
    return found


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans sorted; none at all when they cover the whole week."""
    minutes: list[list[int]] = []
    for day, start, end in sorted(set(spans)):
        opens, shuts = day * DAY_MINUTES + start, day * DAY_MINUTES + end
        if minutes and minutes[-1][1] >= opens:
            minutes[-1][1] = max(minutes[-1][1], shuts)
        else:
            minutes.append([opens, shuts])
    if minutes and minutes[0][0] == 0 and minutes[0][1] >= WEEK_MINUTES:
        return ()
    return tuple(span for a, b in minutes for span in week_spans(a, b - a))


def apart(rotations: Sequence[Turns], at: datetime) -> list[list[Turns]]:
    """The rotations in as few schedules as need be, since of ours one person at a time serves.

    Rotations of one level that serve at the same time come to lie in different schedules; one of a
    higher level wins over all below it, and so stands in every schedule. Layers lowest first.
    """
    groups: list[list[Turns]] = []
    for level in sorted({each.level for each in rotations}):
        parallel: list[list[Turns]] = []
        for each in (one for one in rotations if one.level == level):
            for beside in parallel:
                if not any(_meet(each, other, at) for other in beside):
                    beside.append(each)
                    break
            else:
                parallel.append([each])
        while len(groups) < len(parallel):
            groups.append(list(groups[0]) if groups else [])
        if len(parallel) == 1:
            for group in groups:
                group.extend(parallel[0])
        else:
            for number, group in enumerate(groups):
                group.extend(parallel[number] if number < len(parallel) else parallel[0])
    return groups


def _meet(one: Turns, other: Turns, at: datetime) -> bool:
    mine, theirs = (shifts(each.spec(), at, at + AHEAD) for each in (one, other))
    place = 0
    for shift in mine:
        while place < len(theirs) and theirs[place].end <= shift.start:
            place += 1
        if place < len(theirs) and theirs[place].start < shift.end:
            return True
    return False


def served(layers: Sequence[Turns], start: datetime, end: datetime) -> list[tuple[str, Shift]]:
    """Who serves between two instants, by mail address, a later layer winning."""
    everybody = sorted({email for each in layers for email in each.people})
    numbers = {email: number for number, email in enumerate(everybody)}
    found = final_shifts([each.spec(numbers) for each in layers], (), start, end)
    return [(everybody[shift.person_id], shift) for shift in found]
