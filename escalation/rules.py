"""The decision of the engine, pure: which steps are due, which fire, which are skipped, what next.

The same code decides live, in a story and in a simulation; it reads no database and no watch.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from roles.worktime import ALWAYS, Pause, instant_after

CLOCK_PERCENT: Final = "clock_percent"
UNACKNOWLEDGED: Final = "unacknowledged"
IN_STATUS: Final = "in_status"
MANUAL: Final = "manual"
STANDING_LOOP: Final = 0
"""The loop of steps that judge a clock or a status: they stand outside the repeating round."""

EMPTY: Final = "empty"
FIRED: Final = "fired"
URGENT: Final = frozenset({1, 2})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a published revision."""

    id: int
    position: int
    name: str
    trigger: str
    clock: str = ""
    percent: int = 0
    status: str = ""
    delay_s: int = 0
    basis: str = "auto"
    actions: tuple[Mapping[str, Any], ...] = ()

    @property
    def moves(self) -> bool:
        """Whether the step puts the ticket into another queue."""
        return any(action["do"] == "move" for action in self.actions)


@dataclass(frozen=True, slots=True)
class ClockView:
    """A clock cycle as far as steps care: when it will have run for so many seconds."""

    cycle: int
    target_s: int
    is_live: bool
    crossing: Callable[[float], datetime | None]


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as the decision sees it.

    `done` maps (loop, step, entry) to the outcome of what has fired or been skipped already.
    `base_position` is where this loop begins: earlier steps are behind, and delays count from it.
    """

    loop: int
    entry: int
    entry_origin: int
    waiting_since: datetime
    frozen: tuple[Pause, ...]
    is_acknowledged: bool
    status: str
    status_since: datetime
    status_entry: int
    priority: int
    repeat_limit: int
    repeat_after_s: int
    base_position: int = 0
    done: Mapping[tuple[int, int, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Due:
    """One step and the moment at which it is due; `at` may lie ahead."""

    step: Step
    at: datetime
    loop: int
    entry: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now: fire these in order, record those as skipped; what comes next, and when."""

    fire: tuple[Due, ...]
    skip: tuple[tuple[Due, str], ...]
    ahead: tuple[Due, ...]

    @property
    def next_at(self) -> datetime | None:
        return self.ahead[0].at if self.ahead else None


def basis_calendar(step: Step, priority: int, team_calendar: Any) -> Any:
    """The calendar that a step's delay counts by; wall time for P1 and P2 unless it says other."""
    if step.basis == "wall" or (step.basis == "auto" and priority in URGENT):
        return ALWAYS
    return team_calendar


def dues(
    run: RunView, steps: Sequence[Step], clocks: Mapping[str, ClockView], team_calendar: Any
) -> list[Due]:
    """Every step that is still to come under the present facts, soonest first."""
    found = [
        *_waiting_dues(run, steps, team_calendar),
        *_clock_dues(run, steps, clocks),
        *_status_dues(run, steps, team_calendar),
    ]
    return sorted(found, key=lambda due: (due.at, due.step.position))


def ladder(steps: Iterable[Step], base_position: int = 0) -> list[Step]:
    """The unacknowledged steps from a position on, in the order in which they fire."""
    rungs = [
        step for step in steps if step.trigger == UNACKNOWLEDGED and step.position >= base_position
    ]
    return sorted(rungs, key=lambda step: (step.delay_s, step.position))


def entry_of(run: RunView, step: Step) -> int:
    """The team entry that a rung judges.

    After a hand-back a step that moved the ticket counts as done in the entry returned to, so
    that it does not throw the ticket straight up again.
    """
    return run.entry_origin if step.moves else run.entry


def _has_moved(run: RunView, step: Step) -> bool:
    """Whether the step has moved the ticket out of the entry that it has been handed back to."""
    return step.moves and any(
        outcome == FIRED and step_id == step.id and entry == run.entry_origin
        for (_, step_id, entry), outcome in run.done.items()
    )


def _waiting_dues(run: RunView, steps: Sequence[Step], team_calendar: Any) -> list[Due]:
    if run.is_acknowledged:
        return []
    rungs = ladder(steps, run.base_position)
    found = []
    for step, delay_s in zip(rungs, _effective_delays(run, rungs), strict=True):
        entry = entry_of(run, step)
        if (run.loop, step.id, entry) in run.done or _has_moved(run, step):
            continue
        calendar = basis_calendar(step, run.priority, team_calendar)
        at = instant_after(calendar, run.waiting_since, delay_s, run.frozen)
        if at is not None:
            found.append(Due(step, at, run.loop, entry))
    return found


def _effective_delays(run: RunView, rungs: Sequence[Step]) -> list[int]:
    """Each rung's delay in this loop: what an empty rung would have waited is not waited for."""
    if not rungs:
        return []
    base = rungs[0].delay_s if run.base_position or run.loop > 1 else 0
    delays = [rungs[0].delay_s - base]
    for lower, upper in pairwise(rungs):
        was_empty = run.done.get((run.loop, lower.id, entry_of(run, lower))) == EMPTY
        delays.append(delays[-1] + (0 if was_empty else upper.delay_s - lower.delay_s))
    return delays


def _clock_dues(run: RunView, steps: Sequence[Step], clocks: Mapping[str, ClockView]) -> list[Due]:
    found = []
    for step in steps:
        view = clocks.get(step.clock) if step.trigger == CLOCK_PERCENT else None
        if view is None or not view.is_live:
            continue
        if (STANDING_LOOP, step.id, view.cycle) in run.done or _has_moved(run, step):
            continue
        at = view.crossing(view.target_s * step.percent / 100)
        if at is not None:
            found.append(Due(step, at, STANDING_LOOP, view.cycle))
    return found


def _status_dues(run: RunView, steps: Sequence[Step], team_calendar: Any) -> list[Due]:
    found = []
    for step in steps:
        if step.trigger != IN_STATUS or step.status != run.status:
            continue
        if (STANDING_LOOP, step.id, run.status_entry) in run.done:
            continue
        calendar = basis_calendar(step, run.priority, team_calendar)
        at = instant_after(calendar, run.status_since, step.delay_s, ())
        if at is not None:
            found.append(Due(step, at, STANDING_LOOP, run.status_entry))
    return found


def decide(coming: Sequence[Due], now: datetime) -> Decision:
    """What of the coming steps to fire at `now`.

    Of several steps of one clock, or of the ladder, that are due together only those with the
    latest due time fire; the earlier ones are recorded as skipped (nobody wants yesterday's 75%
    warning after the breach). At most one step moves the ticket; what is due after it waits for
    the next look, because it may not hold any more in the new team.
    """
    ripe = [due for due in coming if due.at <= now]
    ahead = tuple(due for due in coming if due.at > now)
    latest: dict[str, datetime] = {}
    for due in ripe:
        latest[_group(due)] = max(due.at, latest.get(_group(due), due.at))
    fire: list[Due] = []
    skip: list[tuple[Due, str]] = []
    for due in ripe:
        if due.at < latest[_group(due)]:
            skip.append((due, "a later step of the same clock was due already"))
        else:
            fire.append(due)
            if due.step.moves:
                break
    return Decision(fire=tuple(fire), skip=tuple(skip), ahead=ahead)


def _group(due: Due) -> str:
    return f"{due.step.trigger} {due.step.clock}"


def begins_again(run: RunView, steps: Sequence[Step]) -> bool:
    """Whether the ladder is used up and may start over in a new loop."""
    rungs = ladder(steps, run.base_position)
    used_up = all((run.loop, step.id, entry_of(run, step)) in run.done for step in rungs)
    return bool(rungs) and used_up and not run.is_acknowledged and run.loop <= run.repeat_limit


def matches(conditions: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]) -> bool:
    """Whether all conditions hold: `{"fact": name, "is": value or list}` or `{"fact", "not"}`.

    A condition on a fact that the ticket does not have never holds. Lists in the facts (tags)
    match when they share a member.
    """
    return all(_holds(condition, facts) for condition in conditions)


def _holds(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    value = facts.get(condition["fact"])
    held = set(value) if isinstance(value, list) else {value}
    if "not" in condition:
        return not held & _members(condition["not"])
    return bool(held & _members(condition["is"]))


def _members(value: Any) -> set[Any]:
    return set(value) if isinstance(value, list) else {value}
