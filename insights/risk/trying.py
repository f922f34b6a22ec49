"""Tries what a history teaches on its own later part, knowing only what was known at the cut."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from insights.risk.cases import Case
from insights.risk.learning import Judge, is_known, learn
from insights.risk.measures import Measures, measure
from insights.risk.memory import Memory
from insights.risk.walking import walk

LEARNED_FROM: Final = 0.7
"""The first part of a history, by opening; the rest is what it is tried on."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How it went; `measures` is None where the history is too short or all ended alike.

    `cases` were learned from, `positives` of them known to have ended badly; `score_s` is the time
    that one estimate took.
    """

    cut: datetime | None
    cases: int
    positives: int
    measures: Measures | None
    score_s: float = 0.0
    took_s: float = 0.0


def try_out(cases: Sequence[Case], *, share: float = LEARNED_FROM) -> Trial:
    """Learn from the first part and be measured on the rest; `cases` in the order of opening.

    A ticket of the rest whose end is not known at all is not among the tested.
    """
    began = time.perf_counter()
    place = round(share * len(cases))
    if not 0 < place < len(cases):
        return Trial(None, 0, 0, None)
    cut = cases[place].opened_at
    known = [case for case in cases[:place] if is_known(case, cut)]
    positives = sum(bool(case.ended_badly) for case in known)
    rows = walk(cases, Memory(), learn_until=cut)
    judge = learn(cases[:place], rows[:place], at=cut)
    if judge is None:
        return Trial(cut, len(known), positives, None)
    tested = [
        (row, bool(case.ended_badly))
        for case, row in zip(cases[place:], rows[place:], strict=True)
        if case.known_at is not None
    ]
    said, score_s = _say(judge, [row for row, _ in tested])
    return Trial(
        cut=cut,
        cases=len(known),
        positives=positives,
        measures=measure(said, [bad for _, bad in tested]),
        score_s=score_s,
        took_s=time.perf_counter() - began,
    )


def _say(judge: Judge, rows: Sequence[Sequence[float]]) -> tuple[list[float], float]:
    """The probabilities, and the seconds that one of them took."""
    began = time.perf_counter()
    said = [judge.chance(row) for row in rows]
    return said, (time.perf_counter() - began) / max(len(rows), 1)
