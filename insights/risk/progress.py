"""How a ticket stands after an event, in plain figures, and what comes of such; pure.

The same figures are made of a past ticket's events and of a live ticket, from the fields that
every event tells of.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from insights.risk.cases import Case, Moment
from insights.risk.growing import grow_chances
from insights.risk.learning import Judge
from insights.risk.trees import Forest
from tickets import states

FIGURES: Final = (
    "age",
    "used",
    "handovers",
    "reopens",
    "chases",
    "priority",
    "waiting",
    "pending",
    "rank",
    "acknowledged",
    "events",
)
"""`age` in hours and `used` in shares of the target, both in wall time, as logarithms."""
PER_CASE: Final = 12
"""So many moments of a case are learned from at most, the first ones: a long story is no more."""
FEWEST: Final = 400
FEWEST_BAD: Final = 40


def figures_of(
    state: Mapping[str, Any], *, age_s: float, target_s: float | None, rank: int | None, events: int
) -> dict[str, float]:
    """The figures of a ticket whose told fields stand like this; `rank` is its team's tier."""
    status = state.get("status", states.NEW)
    return {
        "age": math.log1p(max(age_s, 0.0) / 3600),
        "used": math.log1p(max(age_s, 0.0) / target_s) if target_s else -1.0,
        "handovers": float(state.get("handover_count") or 0),
        "reopens": float(state.get("reopen_count") or 0),
        "chases": float(state.get("chase_count") or 0),
        "priority": float(state.get("priority") or 0),
        "waiting": float(status in (states.NEW, states.WAITING)),
        "pending": float(status in states.PENDING),
        "rank": float(rank if rank is not None else -1),
        "acknowledged": float(state.get("acknowledged_by_id") is not None),
        "events": math.log1p(events),
    }


def row_of(figures: Mapping[str, float], *, log_odds: float, span: float) -> list[float]:
    """What the trees take: how it stood at opening, and how it stands."""
    return [log_odds, span, *(figures[name] for name in FIGURES)]


NAMES: Final = ("opening", "span", *FIGURES)
"""The columns of these rows."""


def grow_progress(
    cases: Sequence[Case], rows: Sequence[Sequence[float]], judge: Judge, *, at: datetime
) -> Forest | None:
    """What became of tickets that stood so, by then; None where too little is known.

    Each case weighs as much as any other, however much happened on it.
    """
    told = list(_told(cases, rows, judge, at))
    bad = sum(1 for _, ended_badly, _ in told if ended_badly)
    if len(told) < FEWEST or not FEWEST_BAD <= bad <= len(told) - FEWEST_BAD:
        return None
    return grow_chances(
        [row for row, _, _ in told], [bad for _, bad, _ in told], [weight for _, _, weight in told]
    )


def _told(
    cases: Sequence[Case], rows: Sequence[Sequence[float]], judge: Judge, at: datetime
) -> Iterable[tuple[list[float], bool, float]]:
    for case, row in zip(cases, rows, strict=True):
        if case.known_at is None or case.known_at > at:
            continue
        moments: Sequence[Moment] = [
            each for each in case.moments if each.at <= at and each.ended_badly is not None
        ][:PER_CASE]
        if not moments:
            continue
        log_odds, span = judge.log_odds(row), judge.span(row)
        for moment in moments:
            told = row_of(moment.figures, log_odds=log_odds, span=span)
            yield told, bool(moment.ended_badly), 1 / len(moments)
