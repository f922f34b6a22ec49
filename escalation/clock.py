"""What a clock is: its kinds, what it follows from, one cycle of it, and how a cycle is read.

Nothing here reads a database or a watch. Pauses are kept as intervals, not sums, so that a change
of target or calendar re-computes the whole cycle from its start with every pause kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from roles.values import value
from roles.worktime import Pause, WorkCalendar, instant_after, running_seconds

FIRST_RESPONSE: Final = "first_response"
RESOLUTION: Final = "resolution"
NEXT_UPDATE: Final = "next_update"
ACCEPTANCE: Final = "acceptance"
TIME_IN_TEAM: Final = "time_in_team"
VENDOR_RESPONSE: Final = "vendor_response"
VENDOR_FIX: Final = "vendor_fix"
STAKEHOLDER_UPDATE: Final = "stakeholder_update"
REGULATORY: Final = "regulatory"

TO_REQUESTER: Final = frozenset({FIRST_RESPONSE, RESOLUTION, NEXT_UPDATE})
"""What is promised to the one who asked; all others are promises inside, or to third parties."""
PER_ENTRY: Final = frozenset({ACCEPTANCE, TIME_IN_TEAM})
"""Kinds that begin a fresh cycle, numbered like the entry, at each entry into a team."""
PER_ENGAGEMENT: Final = frozenset({VENDOR_RESPONSE, VENDOR_FIX})
"""Kinds that begin a fresh cycle at each engagement of a vendor."""
REPEATING: Final = frozenset({NEXT_UPDATE, STAKEHOLDER_UPDATE})
"""Kinds whose every word begins the next cycle; the first of a series may be given other time."""
RESUMED: Final = frozenset({FIRST_RESPONSE, RESOLUTION}) | PER_ENGAGEMENT
"""Kinds that a solution stops provisionally: a reopening resumes them, solved time as a pause."""

RUNNING: Final = "running"
PAUSED: Final = "paused"
STOPPED: Final = "stopped"
CANCELLED: Final = "cancelled"

MET: Final = "met"
HANDED_BACK: Final = "handed_back"
MOVED: Final = "moved"

RESOLVED: Final = "resolved"
SOLVED: Final = frozenset({RESOLVED, "closed"})
OVER: Final = SOLVED | {CANCELLED}


@value
class Fact:
    """One event as far as clocks care: when, what, and which ticket fields it set.

    `targets` maps each kind of clock that has a target to its (target revision, calendar
    revision); a kind that is missing, or maps to None, has none any more. It is None itself in
    events that say nothing of targets. `about` holds what else the event tells.
    """

    at: datetime
    kind: str
    changed: Mapping[str, Any]
    is_public: bool = False
    by_agent: bool = False
    targets: Mapping[str, tuple[int, int] | None] | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """A target revision as far as arithmetic cares: working seconds, and what stops the clock.

    `first_s` holds for the first cycle of a series instead, where it is given.
    """

    seconds: int
    pauses: frozenset[str]
    first_s: int | None = None


@value
class Cycle:
    """One cycle of one clock, as the timeline tells it up to the last event."""

    kind: str
    number: int
    team_id: int | None
    target_id: int
    calendar_id: int
    started_at: datetime
    target_s: int = 0
    stopped_at: datetime | None = None
    ended_as: str = ""
    pauses: tuple[Pause, ...] = ()
    is_first: bool = field(default=False, compare=False)

    @property
    def state(self) -> str:
        if self.stopped_at is not None:
            return CANCELLED if self.ended_as == CANCELLED else STOPPED
        return PAUSED if self.pauses and self.pauses[-1][1] is None else RUNNING


@value
class Reading:
    """What a cycle shows at one moment; `elapsed_s` counts working seconds outside the pauses.

    `due_at` is None while an open pause keeps the deadline away. `breached_at` is the deadline
    itself, once it has passed: a fact with a time, not an end.
    """

    elapsed_s: float
    due_at: datetime | None
    breached_at: datetime | None


def read(cycle: Cycle, calendar: WorkCalendar, as_of: datetime) -> Reading:
    """Read a cycle at `as_of`, or at its end if that was earlier.

    elapsed + remaining = target always; `as_of` changes nothing about an ended cycle.
    """
    end = cycle.stopped_at or max(as_of, cycle.started_at)
    elapsed = running_seconds(calendar, cycle.started_at, end, cycle.pauses)
    due = crossing(cycle, calendar, cycle.target_s)
    late = due is not None and (due < end if cycle.stopped_at else due <= end)
    return Reading(elapsed_s=elapsed, due_at=due, breached_at=due if late else None)


def crossing(cycle: Cycle, calendar: WorkCalendar, seconds: float) -> datetime | None:
    """When the cycle has run for `seconds`; None while an open pause keeps that from coming."""
    return instant_after(calendar, cycle.started_at, seconds, cycle.pauses)
