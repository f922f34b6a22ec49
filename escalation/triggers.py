"""When each step of a policy is due, by its trigger; pure.

A pending status freezes the steps that wait for us (unacknowledged, silent) and those of the clocks
that it pauses; time in a status, time since the start and facts run on.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from escalation.steps import (
    AUTO,
    CLOCK_PERCENT,
    EMPTY,
    IN_STATUS,
    LEFT_LOOP,
    ON_CLOCKS,
    ON_FACTS,
    ONCE,
    SILENT,
    SINCE_START,
    STANDING_LOOP,
    UNACKNOWLEDGED,
    URGENT,
    WALL,
    ClockView,
    Due,
    RunView,
    Step,
)
from roles.worktime import ALWAYS, Pause, instant_after


def basis_calendar(step: Step, priority: int, team_calendar: Any) -> Any:
    """The calendar that a step's delay counts by; wall time for P1 and P2 unless it says other."""
    if step.basis == WALL or (step.basis == AUTO and priority in URGENT):
        return ALWAYS
    return team_calendar if step.hours is None else step.hours


def thresholds(
    run: RunView, steps: Sequence[Step], clocks: Mapping[str, ClockView], team_calendar: Any
) -> list[Due]:
    """Every step that is still to come under the present facts, whatever may put it off."""
    return [
        *_waiting(run, steps, team_calendar),
        *_on_clocks(run, steps, clocks),
        *_delayed(run, steps, team_calendar),
        *_on_facts(run, steps),
    ]


def ladder(steps: Iterable[Step], base_position: int = 0) -> list[Step]:
    """The unacknowledged steps in the order in which they fire, from the one at a position on.

    They may be written in another order than that in which they wait.
    """
    rungs = sorted(
        (step for step in steps if step.trigger == UNACKNOWLEDGED),
        key=lambda step: (step.delay_s, step.position),
    )
    base = (place for place, step in enumerate(rungs) if step.position == base_position)
    return rungs[next(base, 0) :]


def further(steps: Iterable[Step], reached: int, position: int) -> int:
    """Which of two positions stands higher on the ladder; 0 stands below it."""
    order = [0, *(step.position for step in ladder(steps))]
    return max((place for place in (reached, position) if place in order), key=order.index)


def has_moved(run: RunView, step: Step) -> bool:
    """Whether the step has moved the ticket out of the entry that it has been handed back to.

    It does not throw the ticket straight up again, whatever it goes by.
    """
    return step.moves and (LEFT_LOOP, step.id, run.entry_origin) in run.done


def _waiting(run: RunView, steps: Sequence[Step], team_calendar: Any) -> list[Due]:
    if run.is_acknowledged:
        return []
    rungs = ladder(steps, run.base_position)
    found = []
    for step, delay_s in zip(rungs, _effective_delays(run, rungs), strict=True):
        if (run.loop, step.id, run.entry) in run.done or has_moved(run, step):
            continue
        calendar = basis_calendar(step, run.priority, team_calendar)
        at = instant_after(calendar, run.waiting_since, delay_s, run.frozen)
        if at is not None:
            found.append(Due(step, at, run.loop, run.entry))
    return found


def _effective_delays(run: RunView, rungs: Sequence[Step]) -> list[int]:
    """Each rung's delay in this loop: what an empty rung would have waited is not waited for."""
    if not rungs:
        return []
    base = rungs[0].delay_s if run.base_position or run.loop > 1 else 0
    delays = [rungs[0].delay_s - base + run.lead_s]
    for lower, upper in pairwise(rungs):
        was_empty = run.done.get((run.loop, lower.id, run.entry)) == EMPTY
        delays.append(delays[-1] + (0 if was_empty else upper.delay_s - lower.delay_s))
    return delays


def _on_clocks(run: RunView, steps: Sequence[Step], clocks: Mapping[str, ClockView]) -> list[Due]:
    found = []
    for step in steps:
        latest = clocks.get(step.clock) if step.trigger in ON_CLOCKS else None
        for view in (latest, *latest.beside) if latest else ():
            if not view.is_live or (STANDING_LOOP, step.id, view.cycle) in run.done:
                continue
            at = None if has_moved(run, step) else view.crossing(run_for(step, view))
            if at is not None:
                found.append(Due(step, at, STANDING_LOOP, view.cycle))
    return found


def run_for(step: Step, view: ClockView) -> float:
    """The seconds that the clock will have run when the step is due.

    A target shorter than what shall remain has no more than that left from its first second on.
    """
    if step.trigger == CLOCK_PERCENT:
        return view.target_s * step.percent / 100
    return max(0, view.target_s - step.remaining_s)


def _delayed(run: RunView, steps: Sequence[Step], team_calendar: Any) -> list[Due]:
    found = []
    for step in steps:
        origin = _origin(run, step)
        if origin is None or (STANDING_LOOP, step.id, origin[1]) in run.done:
            continue
        if has_moved(run, step):
            continue
        since, entry, pauses = origin
        calendar = basis_calendar(step, run.priority, team_calendar)
        at = instant_after(calendar, since, step.delay_s, pauses)
        if at is not None:
            found.append(Due(step, at, STANDING_LOOP, entry))
    return found


def _origin(run: RunView, step: Step) -> tuple[datetime, int, Sequence[Pause]] | None:
    """From when the step's delay counts, what it judges, and what is left out of it."""
    if step.trigger == IN_STATUS and step.status == run.status:
        return run.status_since, run.status_entry, ()
    if step.trigger == SINCE_START and run.started_at is not None:
        return run.started_at, ONCE, ()
    if step.trigger == SILENT and run.is_acknowledged and run.heard_at is not None:
        return run.heard_at, run.heard_entry, run.frozen
    return None


def _on_facts(run: RunView, steps: Sequence[Step]) -> list[Due]:
    found = []
    for step in steps:
        if step.trigger not in ON_FACTS or step.id not in run.reached:
            continue
        entry, at = run.reached[step.id]
        if (STANDING_LOOP, step.id, entry) not in run.done and not has_moved(run, step):
            found.append(Due(step, at, STANDING_LOOP, entry))
    return found
