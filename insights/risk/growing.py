"""Grows trees by scikit-learn, which is loaded only here and only while somebody learns."""

import math
from collections.abc import Sequence
from typing import Any, Final

from insights.risk.trees import Forest, Row, Tree

SHAPE: Final[dict[str, Any]] = {
    "n_estimators": 120,
    "learning_rate": 0.06,
    "max_depth": 3,
    "min_samples_leaf": 40,
    "subsample": 0.6,
    "max_features": 0.3,
    "random_state": 7,
}
"""Usual values for some thousands of rows; the same history grows the same trees."""


def grow_chances(rows: Sequence[Row], outcomes: Sequence[bool], weights: Sequence[float]) -> Forest:
    """Trees whose sum is the logarithm of the odds that an outcome is true."""
    from sklearn.ensemble import GradientBoostingClassifier  # noqa: PLC0415 (heavy)

    model = GradientBoostingClassifier(**SHAPE).fit(rows, outcomes, sample_weight=weights)
    told = zip(outcomes, weights, strict=True)
    rate = sum(weight for bad, weight in told if bad) / sum(weights)
    return _forest(model, math.log(rate / (1 - rate)))


def grow_spans(rows: Sequence[Row], spans: Sequence[float]) -> Forest:
    """Trees whose sum is the span to be expected."""
    from sklearn.ensemble import GradientBoostingRegressor  # noqa: PLC0415 (heavy)

    model = GradientBoostingRegressor(**SHAPE).fit(rows, spans)
    return _forest(model, sum(spans) / len(spans))


def weigh_inputs(
    inputs: Sequence[Row], outcomes: Sequence[bool], weights: Sequence[float], *, opinions: int
) -> tuple[list[float], float]:
    """What each input counts for the logarithm of the odds, and where the odds begin.

    The first `opinions` inputs may count for nothing, but never against what they say (Breiman,
    Stacked Regressions, 1996): the one that counts against it most is left out, and so on.
    """
    used = list(range(len(inputs[0])))
    while True:
        found, start = _weighed(
            [[row[place] for place in used] for row in inputs], outcomes, weights
        )
        told = dict(zip(used, found, strict=True))
        against = [place for place in used if place < opinions and told[place] < 0]
        if not against:
            return [told.get(place, 0.0) for place in range(len(inputs[0]))], start
        used.remove(min(against, key=told.__getitem__))


def _weighed(
    inputs: Sequence[Row], outcomes: Sequence[bool], weights: Sequence[float]
) -> tuple[list[float], float]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 (heavy)

    model = LogisticRegression(C=0.3, max_iter=1000).fit(inputs, outcomes, sample_weight=weights)
    return [float(weight) for weight in model.coef_[0]], float(model.intercept_[0])


def _forest(model: Any, start: float) -> Forest:
    return Forest(start, [_tree(each[0].tree_) for each in model.estimators_])


def _tree(grown: Any) -> Tree:
    """One tree of theirs; the values of inner nodes are made anew, as the mean of their leaves."""
    rate = SHAPE["learning_rate"]
    lefts, rights = grown.children_left.tolist(), grown.children_right.tolist()
    values = [float(value) * rate for value in grown.value[:, 0, 0]]
    weights = grown.weighted_n_node_samples.tolist()
    for node in reversed(range(len(values))):  # children stand behind their parents
        if lefts[node] >= 0:
            one, other = lefts[node], rights[node]
            total = weights[one] + weights[other]
            values[node] = (values[one] * weights[one] + values[other] * weights[other]) / total
    return Tree(
        places=[
            int(place) if left >= 0 else -1
            for place, left in zip(grown.feature, lefts, strict=True)
        ],
        thresholds=grown.threshold.tolist(),
        lefts=lefts,
        rights=rights,
        values=values,
    )
