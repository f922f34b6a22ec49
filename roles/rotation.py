"""Whose turn it is, and the shifts between two instants, over clock changes in any zone.

Pure. Shifts change hands at a local time, so the shift across a clock change is an hour longer or
shorter; between turns of one rotation there is never a gap nor an overlap. A layer may be limited
to weekly hours; outside them nobody of it serves, while its turns go on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from roles.worktime import Span, WorkCalendar, check_span, local_instant

NOBODY_ABSENT: Mapping[int, datetime] = {}


class Shift(NamedTuple):
    """A person serving from `start` (included) to `end` (excluded), both in UTC."""

    person_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class RotationSpec:
    """People who take turns of `shift_days`, or of `shift_hours`, handing over at a local time.

    Turns of whole weeks change hands on `handover_weekday` (Monday 0). The first person serves
    from `starts_on` at the hand-over time, if need be for a shorter first turn. Shifts of other
    lengths count from `starts_on`, and the weekday is not looked at. Hours are counted on the wall
    clock, so that shifts of 8 or 12 hours change hands at the same local times all year round.
    `restrictions` are weekly spans as calendars have them; none: the layer serves all the time.
    """

    zone: str
    starts_on: date
    handover_time: time
    handover_weekday: int
    shift_days: int | None
    people: tuple[int, ...]
    shift_hours: int | None = None
    restrictions: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if (self.shift_days is None) == (self.shift_hours is None):
            raise ValueError("Give the length of a shift either in days or in hours.")
        if (self.shift_days or self.shift_hours or 0) < 1:
            raise ValueError("A shift lasts at least one day or one hour.")
        if not 0 <= self.handover_weekday <= 6:
            raise ValueError("The hand-over weekday is 0 for Monday to 6 for Sunday.")
        for span in self.restrictions:
            check_span(*span)


class Phase(NamedTuple):
    """The layers, lowest first, that hold from an instant on, until a later phase begins."""

    begins: datetime
    specs: tuple[RotationSpec, ...]


def on_duty(spec: RotationSpec, at: datetime) -> int | None:
    """The id of the person on duty at `at`.

    None before the start, outside the hours to which the layer is limited, or without people.
    """
    if not spec.people or at < _begins(spec):
        return None
    if spec.restrictions and not _hours(spec.zone, spec.restrictions).is_open(at):
        return None
    return _person(spec, _turn(spec, at))


def shifts(spec: RotationSpec, start: datetime, end: datetime) -> list[Shift]:
    """The rotation's shifts between two instants, cut to them, in order of time."""
    start = max(start, _begins(spec))
    if not spec.people or end <= start:
        return []
    found: list[Shift] = []
    begins, turn = start, _turn(spec, start)
    while begins < end:
        until = min(end, _handover(spec, turn + 1))
        if until > begins:
            found.append(Shift(_person(spec, turn), begins, until))
        begins, turn = until, turn + 1
    if not spec.restrictions:
        return found
    return _within(found, _hours(spec.zone, spec.restrictions).openings(start, end))


def final_shifts(
    specs: Sequence[RotationSpec],
    overrides: Iterable[Shift],
    start: datetime,
    end: datetime,
    absent: Mapping[int, datetime] = NOBODY_ABSENT,
) -> list[Shift]:
    """Who really serves between two instants: one person at a time, in order of time.

    An override wins over every rotation and a later rotation over an earlier one. Somebody in
    `absent` is passed over from the instant given there, so that the layer below shows through.
    Where nobody serves there is no shift; neighbouring shifts of one person are one.
    """
    layers = [shifts(spec, start, end) for spec in specs]
    layers.append([_cut(shift, start, end) for shift in overrides if _meets(shift, start, end)])
    covered: list[Shift] = []
    for layer in reversed(layers):
        present = _present(layer, absent)
        covered = sorted([*covered, *_uncovered(present, covered)], key=_by_start)
    return _joined(covered)


def served(
    phases: Iterable[Phase],
    overrides: Sequence[Shift],
    start: datetime,
    end: datetime,
    absent: Mapping[int, datetime] = NOBODY_ABSENT,
) -> list[Shift]:
    """`final_shifts` over a range in which the layers themselves were changed.

    Phases come in the order in which they were decided: a later one takes over for good when it
    begins, also from earlier ones that would have begun after it.
    """
    found: list[Shift] = []
    for specs, begins, ends in _in_force(list(phases), start, end):
        found.extend(final_shifts(specs, overrides, begins, ends, absent))
    return _joined(found)


def gaps(final: Sequence[Shift], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches between two instants in which nobody of `final_shifts` serves."""
    found = []
    for shift in final:
        if shift.start > start:
            found.append((start, min(shift.start, end)))
        start = max(start, shift.end)
    if start < end:
        found.append((start, end))
    return found


def _in_force(
    phases: Sequence[Phase], start: datetime, end: datetime
) -> list[tuple[tuple[RotationSpec, ...], datetime, datetime]]:
    """The stretches between two instants with the layers that hold in each."""
    marks = {phase.begins for phase in phases if start < phase.begins < end}
    edges = sorted({start, end, *marks})
    found = []
    for begins, ends in pairwise(edges):
        holding = [phase.specs for phase in phases if phase.begins <= begins]
        found.append((holding[-1] if holding else (), begins, ends))
    return found


@lru_cache(maxsize=512)
def _hours(zone: str, restrictions: tuple[Span, ...]) -> WorkCalendar:
    return WorkCalendar.build(zone, restrictions)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def _begins(spec: RotationSpec) -> datetime:
    local = datetime.combine(spec.starts_on, spec.handover_time)
    return local_instant(_zone(spec.zone), local)


def _anchor(spec: RotationSpec) -> datetime:
    """The local time from which turns are counted: the last hand-over up to the start."""
    first = datetime.combine(spec.starts_on, spec.handover_time)
    if spec.shift_days is None or spec.shift_days % 7:
        return first
    since = (spec.starts_on.weekday() - spec.handover_weekday) % 7
    return first - timedelta(days=since)


def _length(spec: RotationSpec) -> timedelta:
    return timedelta(days=spec.shift_days or 0, hours=spec.shift_hours or 0)


@lru_cache(maxsize=8192)
def _handover(spec: RotationSpec, turn: int) -> datetime:
    """The instant at which turn number `turn` starts."""
    zone, length = _zone(spec.zone), _length(spec)
    local = _anchor(spec) + turn * length
    found = local_instant(zone, local)
    # Of hand-overs that a clock change leaps over none may come after a later one.
    while found.astimezone(zone).replace(tzinfo=None) != local:
        local += length
        later = local_instant(zone, local)
        if later >= found:
            break
        found = later
    return found


def _turn(spec: RotationSpec, at: datetime) -> int:
    """The number of the turn that `at` falls in."""
    shown = at.astimezone(_zone(spec.zone)).replace(tzinfo=None)
    turn = (shown - _anchor(spec)) // _length(spec)
    # A clock change may have moved the hand-over, or shows its time twice.
    while at < _handover(spec, turn):
        turn -= 1
    while at >= _handover(spec, turn + 1):
        turn += 1
    return turn


def _person(spec: RotationSpec, turn: int) -> int:
    return spec.people[turn % len(spec.people)]


def _by_start(shift: Shift) -> datetime:
    return shift.start


def _meets(shift: Shift, start: datetime, end: datetime) -> bool:
    return shift.start < end and shift.end > start


def _cut(shift: Shift, start: datetime, end: datetime) -> Shift:
    return Shift(shift.person_id, max(shift.start, start), min(shift.end, end))


def _present(layer: Iterable[Shift], absent: Mapping[int, datetime]) -> list[Shift]:
    """The layer's shifts, each as far as its person had not left."""
    found = []
    for shift in layer:
        until = min(shift.end, absent.get(shift.person_id, shift.end))
        if until > shift.start:
            found.append(Shift(shift.person_id, shift.start, until))
    return found


def _within(ordered: Iterable[Shift], windows: Sequence[tuple[datetime, datetime]]) -> list[Shift]:
    """What of the shifts falls into the windows; both sorted and disjoint."""
    found: list[Shift] = []
    place = 0
    for shift in ordered:
        while place < len(windows) and windows[place][1] <= shift.start:
            place += 1
        for opens, closes in windows[place:]:
            if opens >= shift.end:
                break
            cut = Shift(shift.person_id, max(shift.start, opens), min(shift.end, closes))
            found.append(cut)
    return found


def _uncovered(layer: Iterable[Shift], covered: Sequence[Shift]) -> list[Shift]:
    """What of a layer shows between the sorted, disjoint shifts above it."""
    found: list[Shift] = []
    for person_id, start, end in layer:
        cursor = start
        for above in covered:
            if above.start >= end:
                break
            if above.start > cursor:
                found.append(Shift(person_id, cursor, above.start))
            cursor = max(cursor, above.end)
        if cursor < end:
            found.append(Shift(person_id, cursor, end))
    return found


def _joined(ordered: Iterable[Shift]) -> list[Shift]:
    result: list[Shift] = []
    for shift in ordered:
        last = result[-1] if result else None
        if last and last.person_id == shift.person_id and last.end == shift.start:
            result[-1] = Shift(last.person_id, last.start, shift.end)
        else:
            result.append(shift)
    return result
