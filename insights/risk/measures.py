"""How good probabilities are that were given before the end was known; pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

FLAGGED: Final = 0.2
"""The share of tickets that somebody looks at, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What a test of `tested` tickets came to; `positives` of them ended badly.

    `recall20` is the share of those among the likeliest fifth, `hit_rate20` the share of that
    fifth that ended badly. `skill` is 1 - Brier / the Brier score of always saying the base rate.
    """

    auroc: float
    recall20: float
    hit_rate20: float
    brier: float
    skill: float
    base_rate: float
    positives: int
    tested: int

    def rounded(self) -> dict[str, Any]:
        """The same by name, to four places."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def measure(probabilities: Sequence[float], outcomes: Sequence[bool]) -> Measures | None:
    """The figures of a test; None where all ended alike, for then nothing can be told apart."""
    positives = sum(outcomes)
    if not 0 < positives < len(outcomes):
        return None
    base_rate = positives / len(outcomes)
    brier = sum(
        (said - came) ** 2 for said, came in zip(probabilities, outcomes, strict=True)
    ) / len(outcomes)
    found = _found_among(probabilities, outcomes, flagged := max(1, round(FLAGGED * len(outcomes))))
    return Measures(
        auroc=auroc(probabilities, outcomes),
        recall20=found / positives,
        hit_rate20=found / flagged,
        brier=brier,
        skill=1 - brier / (base_rate * (1 - base_rate)),
        base_rate=base_rate,
        positives=positives,
        tested=len(outcomes),
    )


def _found_among(scores: Sequence[float], outcomes: Sequence[bool], flagged: int) -> int:
    ranked = sorted(range(len(scores)), key=lambda place: -scores[place])
    return sum(outcomes[place] for place in ranked[:flagged])


def auroc(scores: Sequence[float], outcomes: Sequence[bool]) -> float:
    """How often one that ended badly stands above one that did not; ties count half.

    By ranks (Mann and Whitney). .5 where all ended alike.
    """
    positives = sum(outcomes)
    negatives = len(outcomes) - positives
    if not positives or not negatives:
        return 0.5
    ranked = sorted(range(len(scores)), key=scores.__getitem__)
    rank_sum, place = 0.0, 0
    while place < len(ranked):
        until = place
        while until < len(ranked) and scores[ranked[until]] == scores[ranked[place]]:
            until += 1
        shared = (place + until + 1) / 2
        rank_sum += shared * sum(outcomes[ranked[each]] for each in range(place, until))
        place = until
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)
