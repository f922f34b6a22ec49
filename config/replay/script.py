"""Turns a log's incidents into the acts of a play, each at its compressed second; pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from api.importers.servicenow import Row
from tickets import states

SHORTEST_S = 2


class Deed(StrEnum):
    OPEN = "open"
    MOVE = "move"
    TAKE = "take"
    HOLD = "hold"
    RESUME = "resume"
    REMARK = "remark"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody does `at_s` seconds after the curtain; `group` has the ticket then."""

    at_s: float
    number: str
    deed: Deed
    group: str
    row: Row
    to_group: str = ""
    status: str = ""


def choose(incidents: Sequence[Sequence[Row]], count: int, span_s: float) -> list[Sequence[Row]]:
    """The first `count` consecutive incidents that were opened within `span_s` log seconds.

    `incidents` are in order of opening. When no such stretch exists, the densest one.
    """
    last = max(len(incidents) - count, 0)
    spans = [
        (_opened(incidents[min(start + count, len(incidents)) - 1]) - _opened(incidents[start]))
        for start in range(last + 1)
    ]
    fitting = (start for start, span in enumerate(spans) if span.total_seconds() <= span_s)
    start = next(fitting, spans.index(min(spans)))
    return list(incidents[start : start + count])


def _opened(rows: Sequence[Row]) -> datetime:
    return rows[0].opened_at


def desk_of(incidents: Sequence[Sequence[Row]]) -> str:
    """The group that most incidents begin with: the service desk of the play."""
    begun = Counter(rows[0].group for rows in incidents if rows[0].group)
    return min(begun, key=lambda group: (-begun[group], group)) if begun else "Service desk"


def scaled(minutes: float, speed: float) -> int:
    """A delay or target of so many minutes on the compressed clock, in seconds; never under 2."""
    return max(SHORTEST_S, round(minutes * 60 / speed))


def write_script(
    incidents: Sequence[Sequence[Row]], *, speed: float, most_wait_s: float, end_s: float
) -> list[Act]:
    """Every act in order of time.

    Nobody waits longer than `most_wait_s` compressed seconds for the next act of an incident, and
    nothing happens after `end_s`: the rest of the log is cut.
    """
    desk = desk_of(incidents)
    curtain = min(_opened(rows) for rows in incidents)
    acts = [
        act
        for rows in incidents
        for act in _acts(rows, desk, curtain, speed, most_wait_s)
        if act.at_s <= end_s
    ]
    return sorted(acts, key=lambda act: act.at_s)  # stable: acts of one second stay in their order


def _acts(
    rows: Sequence[Row], desk: str, curtain: datetime, speed: float, most_wait_s: float
) -> Iterator[Act]:
    first = rows[0]
    at_s = (first.opened_at - curtain).total_seconds() / speed
    before = first.opened_at
    part = _Part(first.group or desk)
    yield Act(at_s, first.number, Deed.OPEN, part.group, first)
    for row in rows:
        gap_s = max((row.updated_at - before).total_seconds(), 0.0) / speed
        at_s += min(gap_s, most_wait_s)
        before = max(before, row.updated_at)
        for deed, to_group, status in part.play(row, is_first=row is first):
            yield Act(at_s, row.number, deed, part.left or part.group, row, to_group, status)


class _Part:
    """Where one incident stands in the log, and which acts lead to its next row."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.left = ""
        self.status: str = states.WAITING

    def play(self, row: Row, *, is_first: bool) -> Iterator[tuple[Deed, str, str]]:
        goal = row.status or self.status
        goal = states.RESOLVED if goal == states.CANCELLED else goal
        if self.status == states.CLOSED:
            return
        is_idle = not is_first
        if self.status == states.RESOLVED and goal in states.OPEN:
            is_idle, self.status = False, states.WAITING
            yield Deed.REOPEN, "", ""
        if row.group and row.group != self.group and self.status in states.OPEN:
            is_idle, self.status = False, states.WAITING
            self.left, self.group = self.group, row.group
            yield Deed.MOVE, row.group, ""
            self.left = ""
        for deed, status in self._steps(goal):
            is_idle, self.status = False, status
            yield deed, "", status
        if is_idle:
            yield Deed.REMARK, "", ""

    def _steps(self, goal: str) -> Iterator[tuple[Deed, str]]:
        if goal in states.PENDING | {states.IN_PROGRESS} and goal != self.status:
            if self.status == states.WAITING:
                yield Deed.TAKE, states.IN_PROGRESS
            if self.status in states.PENDING:
                yield Deed.RESUME, states.IN_PROGRESS
            if goal in states.PENDING:
                yield Deed.HOLD, goal
        if goal in (states.RESOLVED, states.CLOSED) and self.status != states.RESOLVED:
            yield Deed.RESOLVE, states.RESOLVED
        if goal == states.CLOSED:
            yield Deed.CLOSE, states.CLOSED
