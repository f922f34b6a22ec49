"""Learns from a history how tickets end, in two steps, with what was known at one moment only.

How long tickets take is known as soon as they are solved; how they ended, later and of fewer. So
the first step learns spans (how long, and whether longer than most) and ends, each for itself. The
second weighs what they say, on later tickets than they were learned from, and so is calibrated.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from insights.risk.cases import Case
from insights.risk.growing import grow_chances, grow_spans, weigh_inputs
from insights.risk.memory import DAY_S, NAMES, PLACES
from insights.risk.trees import Forest, Row, restored, stored

WARM: Final = 0.03
"""The first openings of a history are not learned from: the memory knew nothing then."""
RIPE: Final = 0.7
"""The latest days are left out until so many of a day's tickets have come to a known end.

What ends soon is known first: of the days after, only that would be learned.
"""
SOLVED_WITHIN: Final = timedelta(days=3)
"""Tickets younger than that say too little about spans."""
RECENT: Final = 0.25
"""After this part of a history's length a case weighs half: what holds now counts most."""
TAILS: Final = (0.5, 0.8)
"""Longer than so many of the solved: what is promised is mostly broken by the long ones."""
FIRST_STEP: Final = 0.7
"""The part of the known cases, by opening, that the first step has when the second is learned."""
LEVELS: Final = (1, 2, 3, 4, 5)
STRATA: Final = 8
HEAVIEST: Final = 10.0
"""What is known first ends otherwise than the rest: among tickets of about the same span, the known
ones also stand for the others, for at most so many each."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What was learned of a history: says of a row of features how likely the end is bad.

    `forests` are the first step, the span foremost; `weights` say what each counts in the second,
    `levels` what the priority adds, by its number.
    """

    forests: Sequence[Forest]
    weights: Sequence[float]
    levels: Sequence[float]
    start: float

    def log_odds(self, row: Row) -> float:
        """The logarithm of the odds."""
        told = zip(self.forests, self.weights, strict=True)
        return self.start + self._level(row) + sum(weight * each.say(row) for each, weight in told)

    def chance(self, row: Row) -> float:
        """From 0 to 1."""
        return chance_of(self.log_odds(row))

    def span(self, row: Row) -> float:
        """How long it will take: the logarithm of hours."""
        return self.forests[0].say(row)

    def opinion(self, row: Row) -> "Opinion":
        """All that it says of a row, in one walk down its trees."""
        level = self._level(row)
        total, moves = self.start + level, [0.0] * len(NAMES)
        sums: list[float] = []
        for forest, weight in zip(self.forests, self.weights, strict=True):
            if sums and not weight:
                continue  # The second step found that it says nothing of the end.
            said, moved = forest.explain(row)
            sums.append(said)
            total += weight * said
            for place, by in moved.items():
                moves[place] += weight * by
        weights = {NAMES[place]: by for place, by in enumerate(moves) if by}
        mean = sum(self.levels) / len(self.levels)
        weights["priority"] = weights.get("priority", 0.0) + level - mean
        return Opinion(total, sums[0], weights)

    def _level(self, row: Row) -> float:
        level = round(row[PLACES["priority"]])
        return self.levels[level - 1] if level in LEVELS else 0.0


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge says of a ticket: logarithms of the odds and of the hours that it will take.

    `weights` has, by the name of a feature, how much it raised (or lowered) the odds.
    """

    log_odds: float
    span: float
    weights: Mapping[str, float]


def chance_of(log_odds: float) -> float:
    """The probability of these odds."""
    return 1 / (1 + math.exp(-max(min(log_odds, 30.0), -30.0)))


@dataclass(frozen=True, slots=True)
class Told:
    """The cases with their features, and the moment as of which is learned."""

    cases: Sequence[Case]
    rows: Sequence[Row]
    at: datetime

    def between(self, since: float, until: float) -> "Told":
        """Those opened from `since` on and before `until`, in seconds since the epoch."""
        chosen = [place for place, case in enumerate(self.cases) if since <= case.at_s < until]
        return Told(
            [self.cases[place] for place in chosen],
            [self.rows[place] for place in chosen],
            self.at,
        )

    def known(self) -> Iterator[tuple[Row, bool, float]]:
        """The features, the end and the opening of those whose end was known."""
        for case, row in zip(self.cases, self.rows, strict=True):
            if is_known(case, self.at):
                yield row, bool(case.ended_badly), case.at_s


def learn(cases: Sequence[Case], rows: Sequence[Row], *, at: datetime) -> Judge | None:
    """What these cases teach by then; None where too few came to ends that differ.

    `rows` are the features of each case at its opening, in the same order.
    """
    warm = round(WARM * len(cases))
    told = Told(cases[warm:], rows[warm:], at)
    if not told.cases:
        return None
    ripe = told.between(0.0, ripe_until(told.cases, at).timestamp())
    openings = sorted(at_s for _, _, at_s in ripe.known())
    if not openings:
        return None
    turn = openings[int(FIRST_STEP * (len(openings) - 1))]
    earlier, later = told.between(0.0, turn), ripe.between(turn, math.inf)
    if not (_differ(earlier.known()) and _differ(later.known()) and _some_solved(earlier)):
        return None
    ends = _ends(earlier)
    inputs = _inputs([*_spans_learned(earlier), ends], [row for row, _, _ in later.known()])
    bad = [ended_badly for _, ended_badly, _ in later.known()]
    opinions = len(TAILS) + 2
    weights, start = weigh_inputs(inputs, bad, _standing_for(later), opinions=opinions)
    # Spans keep their meaning and are learned anew of all; the odds of ends are weighed as learned.
    forests = [*_spans_learned(told), ends]
    return Judge(forests, weights[: len(forests)], weights[len(forests) :], start)


def _standing_for(told: Told) -> list[float]:
    """How many cases each known one stands for, itself included, in the order of `known`."""
    spans = [span for span, _ in _spans(told)]
    ordered = sorted(spans)
    bounds = [ordered[len(ordered) * part // STRATA] for part in range(1, STRATA)]
    strata = [bisect_right(bounds, span) for span in spans]
    known = [is_known(case, told.at) for case in told.cases]
    all_of = Counter(strata)
    known_of = Counter(stratum for stratum, is_so in zip(strata, known, strict=True) if is_so)
    return [
        min(all_of[stratum] / known_of[stratum], HEAVIEST)
        for stratum, is_so in zip(strata, known, strict=True)
        if is_so
    ]


def _differ(known: Any) -> bool:
    return len({bad for _, bad, _ in known}) == 2


def _some_solved(told: Told) -> bool:
    return len({round(span, 1) for span, solved in _spans(told) if solved}) > len(TAILS)


def _inputs(forests: Sequence[Forest], rows: Sequence[Row]) -> list[list[float]]:
    """What the second step takes: what the forests say, and the priority as a switch a level."""
    place = PLACES["priority"]
    return [
        [each.say(row) for each in forests]
        + [float(round(row[place]) == level) for level in LEVELS]
        for row in rows
    ]


def _spans_learned(told: Told) -> list[Forest]:
    """The span, and how likely it is longer than most."""
    spans = list(_spans(told))
    solved = sorted(span for span, is_solved in spans if is_solved)
    old_s = told.at.timestamp() - SOLVED_WITHIN.total_seconds()
    old = [
        (row, span)
        for case, row, (span, _) in zip(told.cases, told.rows, spans, strict=True)
        if case.at_s < old_s
    ] or list(zip(told.rows, [span for span, _ in spans], strict=True))
    found = [grow_spans([row for row, _ in old], [span for _, span in old])]
    found += [_tail(told, spans, solved[int(share * (len(solved) - 1))]) for share in TAILS]
    return found


def _ends(told: Told) -> Forest:
    """How likely the end is bad, by the ends that are known."""
    known = list(told.known())
    began_s, at_s = told.cases[0].at_s, told.at.timestamp()
    half_life_s = max(RECENT * (at_s - began_s), DAY_S)
    fading = [0.5 ** ((at_s - opened_s) / half_life_s) for _, _, opened_s in known]
    return grow_chances([row for row, _, _ in known], [bad for _, bad, _ in known], fading)


def _tail(told: Told, spans: Sequence[tuple[float, bool]], length: float) -> Forest:
    """How likely a span is longer than this one; of the unsolved, those that are so already."""
    chosen = [
        (row, span > length)
        for case, row, (span, is_solved) in zip(told.cases, told.rows, spans, strict=True)
        if (is_solved or span > length)
        and case.at_s < told.at.timestamp() - math.expm1(length) * 3600
    ]
    if len({longer for _, longer in chosen}) < 2:
        return Forest(0.0, [])
    return grow_chances(
        [row for row, _ in chosen], [longer for _, longer in chosen], [1.0] * len(chosen)
    )


def is_known(case: Case, at: datetime) -> bool:
    """Whether the case's end was known by then."""
    return case.known_at is not None and case.known_at <= at


def _spans(told: Told) -> Iterator[tuple[float, bool]]:
    """The logarithm of each case's hours, and whether it was solved by then."""
    for case in told.cases:
        is_solved = case.over_at is not None and case.over_at <= told.at
        until = case.over_at if is_solved and case.over_at is not None else told.at
        yield math.log1p(max(until.timestamp() - case.at_s, 0.0) / 3600), is_solved


def ripe_until(cases: Sequence[Case], at: datetime) -> datetime:
    """Before this moment, enough of each day's tickets had come to a known end."""
    days: dict[int, list[int]] = {}
    for case in cases:
        counts = days.setdefault(int((at.timestamp() - case.at_s) // DAY_S), [0, 0])
        counts[0] += is_known(case, at)
        counts[1] += 1
    for age, (known, opened) in sorted(days.items()):
        if known >= RIPE * opened:
            return at - timedelta(days=age)
    return at


def stored_judge(judge: Judge) -> dict[str, Any]:
    """The judge as JSON."""
    return {
        "forests": [stored(forest) for forest in judge.forests],
        "weights": list(judge.weights),
        "levels": list(judge.levels),
        "start": judge.start,
    }


def restored_judge(told: Mapping[str, Any]) -> Judge:
    """The judge that was stored."""
    forests = [restored(forest) for forest in told["forests"]]
    return Judge(forests, told["weights"], told["levels"], told["start"])
