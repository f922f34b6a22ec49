"""The clocks as a pure function of the timeline: what a replay says is what holds.

Nothing here reads a database or a watch. Pauses are kept as intervals, not sums, so that a change
of target or calendar re-computes the whole cycle from its start with every pause kept.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from roles.worktime import Pause, WorkCalendar, instant_after, running_seconds

FIRST_RESPONSE: Final = "first_response"
RESOLUTION: Final = "resolution"
ACCEPTANCE: Final = "acceptance"
PER_ENTRY: Final = frozenset({ACCEPTANCE})
"""Kinds that begin a fresh cycle at each entry into a team; the others have one per ticket."""

RUNNING: Final = "running"
PAUSED: Final = "paused"
STOPPED: Final = "stopped"
CANCELLED: Final = "cancelled"

MET: Final = "met"
HANDED_BACK: Final = "handed_back"
MOVED: Final = "moved"

SOLVED: Final = frozenset({"resolved", "closed"})

History = list[tuple[datetime, str]]
"""Each status with the moment since when it has held, in order."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One event as far as clocks care: when, what, and which ticket fields it set.

    `targets` maps each kind of clock to its (target revision, calendar revision), or to None where
    no target applies any more; it is None itself in events that say nothing of targets.
    """

    at: datetime
    kind: str
    changed: Mapping[str, Any]
    is_public: bool = False
    by_agent: bool = False
    targets: Mapping[str, tuple[int, int] | None] | None = None


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """A target revision as far as arithmetic cares: working seconds, and what stops the clock."""

    seconds: int
    pauses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle of one clock, as the timeline tells it up to the last event."""

    kind: str
    number: int
    team_id: int | None
    target_id: int
    calendar_id: int
    started_at: datetime
    stopped_at: datetime | None = None
    ended_as: str = ""
    pauses: tuple[Pause, ...] = ()

    @property
    def state(self) -> str:
        if self.stopped_at is not None:
            return CANCELLED if self.ended_as == CANCELLED else STOPPED
        return PAUSED if self.pauses and self.pauses[-1][1] is None else RUNNING


@dataclass(frozen=True, slots=True)
class Reading:
    """What a cycle shows at one moment; `elapsed_s` counts working seconds outside the pauses.

    `due_at` is None while an open pause keeps the deadline away. `breached_at` is the deadline
    itself, once it has passed: a fact with a time, not an end.
    """

    elapsed_s: float
    due_at: datetime | None
    breached_at: datetime | None


def read(cycle: Cycle, target: TargetSpec, calendar: WorkCalendar, as_of: datetime) -> Reading:
    """Read a cycle at `as_of`, or at its end if that was earlier.

    elapsed + remaining = target always; `as_of` changes nothing about an ended cycle.
    """
    end = cycle.stopped_at or max(as_of, cycle.started_at)
    elapsed = running_seconds(calendar, cycle.started_at, end, cycle.pauses)
    due = instant_after(calendar, cycle.started_at, target.seconds, cycle.pauses)
    late = due is not None and (due < end if cycle.stopped_at else due <= end)
    return Reading(elapsed_s=elapsed, due_at=due, breached_at=due if late else None)


def crossing(cycle: Cycle, calendar: WorkCalendar, seconds: float) -> datetime | None:
    """When the cycle has run for `seconds`; None while an open pause keeps that from coming."""
    return instant_after(calendar, cycle.started_at, seconds, cycle.pauses)


def replay(facts: Iterable[Fact], target: Callable[[int], TargetSpec]) -> list[Cycle]:
    """Every cycle of every clock of one ticket, from its events in order.

    `target` looks a target revision up by id. An ended cycle is never touched by a later event,
    except that a reopening resumes the resolution cycle with the solved time as a pause.
    """
    tape = _Tape()
    for fact in facts:
        tape.play(fact)
    return [_with_pauses(cycle, target(cycle.target_id), tape.history) for cycle in tape.cycles()]


class _Tape:
    """The clocks while a timeline is being played."""

    def __init__(self) -> None:
        self.live: dict[str, Cycle] = {}
        self.ended: list[Cycle] = []
        self.history: History = []
        self.state: dict[str, Any] = {}
        self.opened_at: datetime | None = None
        self.entered_at: datetime | None = None

    def cycles(self) -> list[Cycle]:
        found = [*self.ended, *self.live.values()]
        return sorted(found, key=lambda cycle: (cycle.kind, cycle.number))

    def play(self, fact: Fact) -> None:
        was = dict(self.state)
        self.state.update(fact.changed)
        self.opened_at = self.opened_at or fact.at
        if self.state.get("entry") != was.get("entry"):
            self.entered_at = fact.at
            self._end(ACCEPTANCE, fact.at, HANDED_BACK if fact.kind == HANDED_BACK else MOVED)
        if self.state.get("status") != was.get("status"):
            self.history.append((fact.at, self.state["status"]))
            self._follow_status(fact, self.state["status"])
        if fact.by_agent and fact.is_public:
            self._end(FIRST_RESPONSE, fact.at, MET)
        if fact.kind == "accepted":
            self._end(ACCEPTANCE, fact.at, MET)
        if fact.targets is not None:
            self._aim(fact.targets, fact.at)

    def _follow_status(self, fact: Fact, status: str) -> None:
        if status == "in_progress":
            self._end(ACCEPTANCE, fact.at, MET)
        elif status == "resolved":
            self._end(ACCEPTANCE, fact.at, MET)
            self._end(FIRST_RESPONSE, fact.at, MET if fact.by_agent else CANCELLED)
            self._hold(fact.at, MET)
        elif status == "closed":
            self._end(RESOLUTION, fact.at, MET)
        elif status == "cancelled":
            for kind in list(self.live):
                self._end(kind, fact.at, CANCELLED)
        else:
            self._release()

    def _hold(self, at: datetime, ending: str) -> None:
        """Stop the resolution clock provisionally: it stays live, for a reopening to resume."""
        if held := self.live.get(RESOLUTION):
            self.live[RESOLUTION] = replace(held, stopped_at=at, ended_as=ending)

    def _release(self) -> None:
        held = self.live.get(RESOLUTION)
        if held is not None and held.stopped_at is not None:
            self.live[RESOLUTION] = replace(held, stopped_at=None, ended_as="")

    def _end(self, kind: str, at: datetime, ending: str) -> None:
        cycle = self.live.pop(kind, None)
        if cycle is None:
            return
        if cycle.stopped_at is None:
            cycle = replace(cycle, stopped_at=at, ended_as=ending)
        self.ended.append(cycle)

    def _aim(self, targets: Mapping[str, tuple[int, int] | None], at: datetime) -> None:
        for kind, choice in targets.items():
            if choice is None:
                self._end(kind, at, CANCELLED)
            elif kind in self.live:
                self.live[kind] = replace(
                    self.live[kind], target_id=choice[0], calendar_id=choice[1]
                )
            else:
                self._begin(kind, choice)

    def _begin(self, kind: str, choice: tuple[int, int]) -> None:
        per_entry = kind in PER_ENTRY
        earlier = [cycle for cycle in self.ended if cycle.kind == kind]
        if per_entry:
            number = int(self.state.get("entry") or 1)
            over = any(cycle.number == number for cycle in earlier)
        else:
            number = len(earlier) + 1
            over = any(cycle.ended_as != CANCELLED for cycle in earlier)
        started_at = self.entered_at if per_entry else self.opened_at
        if over or started_at is None:
            return
        self.live[kind] = Cycle(
            kind=kind,
            number=number,
            team_id=self.state.get("team_id") if per_entry else None,
            target_id=choice[0],
            calendar_id=choice[1],
            started_at=started_at,
        )


def _with_pauses(cycle: Cycle, target: TargetSpec, history: History) -> Cycle:
    to_customer = cycle.kind in (RESOLUTION, FIRST_RESPONSE)
    still = target.pauses | (SOLVED if to_customer else frozenset())
    end = cycle.stopped_at
    pauses: list[Pause] = []
    for index, (since, status) in enumerate(history):
        until = history[index + 1][0] if index + 1 < len(history) else None
        if status in still:
            _add_pause(pauses, max(since, cycle.started_at), _earlier(until, end))
    return replace(cycle, pauses=tuple(pauses))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [at for at in (one, other) if at is not None]
    return min(known) if known else None


def _add_pause(pauses: list[Pause], since: datetime, until: datetime | None) -> None:
    if until is not None and until <= since:
        return
    if pauses and pauses[-1][1] == since:
        since = pauses.pop()[0]
    pauses.append((since, until))
