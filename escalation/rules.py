"""The decision of the engine, pure: which steps are due, which fire, which are skipped, what next.

The same code decides live, in a story and in a simulation; it reads no database and no watch.
`steps.py` holds its words, `triggers.py` says when a step is due, `gates.py` when it may go.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from escalation import gates
from escalation.steps import (
    CLOCK_PERCENT,
    EMPTY,
    FIRED,
    IN_STATUS,
    MANUAL,
    ON_CLOCKS,
    SILENT,
    STANDING_LOOP,
    UNACKNOWLEDGED,
    URGENT,
    ClockView,
    Decision,
    Due,
    RunView,
    Step,
)
from escalation.triggers import basis_calendar, has_moved, ladder, thresholds

__all__ = [
    "CLOCK_PERCENT",
    "EMPTY",
    "FIRED",
    "IN_STATUS",
    "MANUAL",
    "PASSED_ON",
    "STANDING_LOOP",
    "UNACKNOWLEDGED",
    "URGENT",
    "ClockView",
    "Decision",
    "Due",
    "RunView",
    "Step",
    "alone",
    "basis_calendar",
    "begins_again",
    "decide",
    "dues",
    "group_of",
    "ladder",
    "matches",
    "unmet",
]

OVERTAKEN = "a later step of the same clock was due already"
OUTRUN = "a later step of the ladder has gone first"
PASSED_ON = "the ticket was passed on at that moment"
"""Why a rung or a move that was due together with a move does nothing: it was for the old team."""


def dues(
    run: RunView, steps: Sequence[Step], clocks: Mapping[str, ClockView], team_calendar: Any
) -> list[Due]:
    """Every step that is still to come under the present facts, soonest first.

    A held run has nothing coming before it is let go; one held without an end, nothing at all.
    """
    if run.is_held and run.held_until is None:
        return []
    placed = [
        _placed(run, due, team_calendar) for due in thresholds(run, steps, clocks, team_calendar)
    ]
    coming = [due for due in placed if due is not None]
    return sorted(coming, key=_by_moment)


def _by_moment(due: Due) -> tuple[datetime, datetime, int]:
    return due.at, due.since or due.at, due.step.position


def _placed(run: RunView, due: Due, team_calendar: Any) -> Due | None:
    """The due step where its gate, its conditions and a hold put it; None while it must wait."""
    step, at, because = due.step, due.at, ""
    if not (step.conditions or step.gates or run.postponed or run.is_held):
        return due
    failing = unmet(step.conditions, run.facts)
    if failing is not None:
        because = f"{condition_words(failing)} does not hold"
    if step.gates:
        opening = gates.next_opening(step.gates, at, team_calendar)
        fits = gates.fits_priority(step.gates, run.priority)
        if gates.holds_back(step.gates):
            if opening is None or not fits:
                return None
            at = opening
        elif opening != at or not fits:
            because = because or f"its gate is shut ({gates.in_words(step.gates)})"
    if run.postponed and (until := run.postponed.get(due.key)) is not None:
        at = max(at, until)
    if run.is_held and run.held_until is not None:
        at = max(at, run.held_until)
    if at == due.at and not because:
        return due
    since = due.at if at > due.at else None
    return Due(step, at, due.loop, due.entry, since=since, skip_because=because)


def decide(coming: Sequence[Due], now: datetime) -> Decision:
    """What of the coming steps to fire at `now`.

    A step whose conditions or gate do not hold is recorded as skipped. Of several steps of one
    clock, or of the ladder, that are due together only those with the latest threshold fire; the
    earlier ones are recorded as skipped (nobody wants yesterday's 75% warning after the breach).

    A step that moves or restricts the ticket fires alone (`alone`): whoever the others would have
    told may not have the ticket any more, nor be meant to know of it. What is due beside it is
    judged anew; of that, the other moves and the rungs are `behind` once the ticket has really
    moved, because they were for the team that it left.
    """
    ripe = [due for due in coming if due.at <= now]
    ahead = tuple(due for due in coming if due.at > now)
    skip = [(due, due.skip_because) for due in ripe if due.skip_because]
    able = [due for due in ripe if not due.skip_because]
    latest: dict[str, datetime] = {}
    for due in able:
        group = group_of(due)
        latest[group] = max(due.threshold_at, latest.get(group, due.threshold_at))
    skip += [(due, OVERTAKEN) for due in able if due.threshold_at < latest[group_of(due)]]
    fire = [due for due in able if due.threshold_at == latest[group_of(due)]]
    first = alone(fire)
    behind = [
        due
        for due in fire
        if first and due is not first and not due.step.restricts
        if due.step.moves or _is_rung(due)
    ]
    fire = [first] if first else fire
    # A rung that its gate holds back has been passed by a later one.
    highest = max((due.threshold_at for due in fire if _is_rung(due)), default=None)
    if highest is not None:
        outrun = [due for due in ahead if _is_rung(due) and due.threshold_at < highest]
        skip += [(replace(due, at=due.threshold_at), OUTRUN) for due in outrun]
        ahead = tuple(due for due in ahead if due not in outrun) if outrun else ahead
    return Decision(fire=tuple(fire), skip=tuple(skip), ahead=ahead, behind=tuple(behind))


def alone(fire: Iterable[Due]) -> Due | None:
    """The step that goes before the others and without them: one that restricts the ticket, else
    of those that move it the one that came due last. None where there is none.
    """
    known = list(fire)
    moves = [due for due in known if due.step.moves]
    return next(
        (due for due in known if due.step.restricts),
        max(moves, key=lambda due: due.threshold_at, default=None),
    )


def group_of(due: Due) -> str:
    """Steps of one group warn of the same thing: only the highest of them is worth a word."""
    step = due.step
    if step.trigger in ON_CLOCKS:
        return f"clock {step.clock} {due.entry}"
    if step.trigger in (UNACKNOWLEDGED, IN_STATUS, SILENT):
        return step.trigger
    return f"step {step.id}"


def _is_rung(due: Due) -> bool:
    return due.step.trigger == UNACKNOWLEDGED


def begins_again(run: RunView, steps: Sequence[Step]) -> bool:
    """Whether the ladder is used up and may start over in a new round."""
    rungs = ladder(steps, run.base_position)
    used_up = all(
        (run.loop, step.id, run.entry) in run.done or has_moved(run, step) for step in rungs
    )
    return bool(rungs) and used_up and not run.is_acknowledged and run.round <= run.repeat_limit


def matches(conditions: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]) -> bool:
    """Whether all conditions hold: `{"fact": name, "is": value or list}` or `{"fact", "not"}`.

    A condition on a fact that the ticket does not have never holds. Lists in the facts (tags)
    match when they share a member.
    """
    return unmet(conditions, facts) is None


def unmet(
    conditions: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The first condition that does not hold; None when all do."""
    return next((item for item in conditions if not _holds(item, facts)), None)


def condition_words(condition: Mapping[str, Any]) -> str:
    """One condition as a clause, such as "priority is 1 or 2"."""
    verb = "is not" if "not" in condition else "is"
    value = condition.get("not", condition.get("is"))
    named = " or ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{condition.get('fact')} {verb} {named}"


def _holds(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    value = facts.get(condition["fact"])
    held = set(value) if isinstance(value, list) else {value}
    if "not" in condition:
        return not held & _members(condition["not"])
    return bool(held & _members(condition["is"]))


def _members(value: Any) -> set[Any]:
    return set(value) if isinstance(value, list) else {value}
