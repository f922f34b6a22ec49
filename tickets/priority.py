"""Priority by impact and urgency: a lookup, never a matter of taste (ITIL)."""

from typing import Final

MATRIX: Final = {
    (1, 1): 1,
    (1, 2): 2,
    (1, 3): 3,
    (2, 1): 2,
    (2, 2): 3,
    (2, 3): 4,
    (3, 1): 3,
    (3, 2): 4,
    (3, 3): 5,
}
"""(impact, urgency) → priority; 1 is high, 3 is low; the 3 by 3 sample of the field."""

LABELS: Final = {1: "Critical", 2: "High", 3: "Moderate", 4: "Low", 5: "Planning"}
LEVELS: Final = {1: "High", 2: "Medium", 3: "Low"}


def priority_of(impact: int, urgency: int, *, override: int | None, floor: int | None) -> int:
    """The priority 1 (most urgent) to 5 that holds.

    A person's override wins; else the matrix, raised (never lowered) to the floor that a rule has
    set.
    """
    if override is not None:
        return override
    looked_up = MATRIX[impact, urgency]
    return min(looked_up, floor) if floor is not None else looked_up
