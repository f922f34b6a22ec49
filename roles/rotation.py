"""Whose turn it is, and the shifts between two instants, over clock changes in any zone.

Pure. Shifts change hands at a local time, so the shift across a clock change is an hour longer or
shorter; between shifts of one rotation there is never a gap nor an overlap.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from roles.worktime import local_instant


class Shift(NamedTuple):
    """A person serving from `start` (included) to `end` (excluded), both in UTC."""

    person_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class RotationSpec:
    """People who take turns of `shift_days`, handing over at a local time.

    Turns of whole weeks change hands on `handover_weekday` (Monday 0). The first person serves
    from `starts_on` at the hand-over time, if need be for a shorter first turn. Shifts of other
    lengths count from `starts_on`, and the weekday is not looked at.
    """

    zone: str
    starts_on: date
    handover_time: time
    handover_weekday: int
    shift_days: int
    people: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.shift_days < 1:
            raise ValueError("A shift lasts at least one day.")
        if not 0 <= self.handover_weekday <= 6:
            raise ValueError("The hand-over weekday is 0 for Monday to 6 for Sunday.")


def on_duty(spec: RotationSpec, at: datetime) -> int | None:
    """The id of the person on duty at `at`; None before the start or without people."""
    if not spec.people or at < _begins(spec):
        return None
    return _person(spec, _turn(spec, at))


def shifts(spec: RotationSpec, start: datetime, end: datetime) -> list[Shift]:
    """The rotation's shifts between two instants, cut to them, in order of time."""
    start = max(start, _begins(spec))
    if not spec.people or end <= start:
        return []
    found: list[Shift] = []
    turn = _turn(spec, start)
    while start < end:
        until = min(end, _handover(spec, turn + 1))
        found.append(Shift(_person(spec, turn), start, until))
        start, turn = until, turn + 1
    return found


def final_shifts(
    specs: Sequence[RotationSpec],
    overrides: Iterable[Shift],
    start: datetime,
    end: datetime,
    absent: Collection[int] = (),
) -> list[Shift]:
    """Who really serves between two instants: one person at a time, in order of time.

    An override wins over every rotation and a later rotation over an earlier one. Somebody in
    `absent` is passed over, so that the layer below shows through. Where nobody serves there is
    no shift; neighbouring shifts of one person are one.
    """
    layers = [shifts(spec, start, end) for spec in specs]
    layers.append([_cut(shift, start, end) for shift in overrides if _meets(shift, start, end)])
    covered: list[Shift] = []
    for layer in reversed(layers):
        present = [shift for shift in layer if shift.person_id not in absent]
        covered = sorted([*covered, *_uncovered(present, covered)], key=_by_start)
    return _joined(covered)


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


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def _begins(spec: RotationSpec) -> datetime:
    local = datetime.combine(spec.starts_on, spec.handover_time)
    return local_instant(_zone(spec.zone), local)


def _anchor(spec: RotationSpec) -> date:
    """The local day from which turns are counted: the last hand-over day up to the start."""
    if spec.shift_days % 7:
        return spec.starts_on
    since = (spec.starts_on.weekday() - spec.handover_weekday) % 7
    return spec.starts_on - timedelta(days=since)


@lru_cache(maxsize=4096)
def _handover(spec: RotationSpec, turn: int) -> datetime:
    """The instant at which turn number `turn` starts."""
    day = _anchor(spec) + timedelta(days=turn * spec.shift_days)
    return local_instant(_zone(spec.zone), datetime.combine(day, spec.handover_time))


def _turn(spec: RotationSpec, at: datetime) -> int:
    """The number of the turn that `at` falls in."""
    today = at.astimezone(_zone(spec.zone)).date()
    turn = (today - _anchor(spec)).days // spec.shift_days
    # The day's own hand-over may still lie ahead, or a clock change may have moved it.
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
