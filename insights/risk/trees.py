"""Many small trees as plain numbers: what they say of a row, and what weighed how much; pure.

They are kept as JSON and walked by hand, so that nothing that is stored can be executed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Sequence[float]


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
        moved: dict[int, float] = {}
        for tree in self.trees:
            places, thresholds, values = tree.places, tree.thresholds, tree.values
            node, value = 0, values[0]
            while (place := places[node]) >= 0:
                left = row[place] <= thresholds[node]
                node = tree.lefts[node] if left else tree.rights[node]
                below = values[node]
                moved[place] = moved.get(place, 0.0) + below - value
                value = below
            total += value
        return total, moved


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
