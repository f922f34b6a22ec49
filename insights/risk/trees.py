"""Many small trees as plain numbers: what they say of a row, and what weighed how much; pure.

They are kept as JSON and walked by hand, so that nothing that is stored can be executed.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Sequence[float]
Moves = tuple[tuple[int, float], ...]
"""By the place of a feature, how much it moved the sum on the way to a leaf."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree: at each node a feature's place (-1 in a leaf), a threshold, two ways, a value.

    Up to the threshold one goes left. The value of an inner node is the mean of its leaves.
    """

    places: Sequence[int]
    thresholds: Sequence[float]
    lefts: Sequence[int]
    rights: Sequence[int]
    values: Sequence[float]
    moves: Sequence[Moves] = field(init=False, repr=False, compare=False)
    """Of each node the way to it, so that nobody has to add it up for every row."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "moves", _ways(self))


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees whose values are added to a beginning."""

    start: float
    trees: Sequence[Tree]

    def say(self, row: Row) -> float:
        """The sum for one row."""
        total = self.start
        for tree in self.trees:
            places, thresholds, node = tree.places, tree.thresholds, 0
            while (place := places[node]) >= 0:
                left = row[place] <= thresholds[node]
                node = tree.lefts[node] if left else tree.rights[node]
            total += tree.values[node]
        return total

    def explain(self, row: Row) -> tuple[float, dict[int, float]]:
        """The sum for one row, and by the place of a feature how much it moved that.

        Each step down a tree counts for the feature that is asked there.
        """
        total = self.start
        moved: dict[int, float] = defaultdict(float)
        for tree in self.trees:
            places, thresholds, node = tree.places, tree.thresholds, 0
            while (place := places[node]) >= 0:
                left = row[place] <= thresholds[node]
                node = tree.lefts[node] if left else tree.rights[node]
            total += tree.values[node]
            for place, by in tree.moves[node]:
                moved[place] += by
        return total, moved


def _ways(tree: Tree) -> list[Moves]:
    """What each step from the root to each node added; children stand behind their parents."""
    found: list[dict[int, float]] = [{} for _ in tree.places]
    for node, place in enumerate(tree.places):
        if place < 0:
            continue
        for child in (tree.lefts[node], tree.rights[node]):
            by = tree.values[child] - tree.values[node]
            found[child] = {**found[node], place: found[node].get(place, 0.0) + by}
    return [tuple(way.items()) for way in found]


def stored(forest: Forest) -> dict[str, Any]:
    """The forest as JSON."""
    return {
        "start": forest.start,
        "trees": [
            [
                list(tree.places),
                [float(f"{each:.6g}") for each in tree.thresholds],
                list(tree.lefts),
                list(tree.rights),
                [float(f"{each:.5g}") for each in tree.values],
            ]
            for tree in forest.trees
        ],
    }


def restored(told: Mapping[str, Any]) -> Forest:
    """The forest that was stored."""
    return Forest(told["start"], [Tree(*parts) for parts in told["trees"]])
