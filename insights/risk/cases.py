"""Tickets as risk is learned from them: what was known at opening, and what became of them; pure.

Only what stands in `FACTS` is ever looked at. All of it is said when a ticket is opened: a field
that is filled in later has no place here, however much it would tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

FACTS: Final = (
    "service",
    "category",
    "subcategory",
    "symptom",
    "location",
    "source",
    "kind",
    "team",
    "requester",
    "opener",
    "writer",
    "assignee",
    "organisation",
    "asset",
    "priority",
    "impact",
    "urgency",
)
"""By these names a reader of any history hands over what was known at opening."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A ticket at the moment it was opened; `opened_at` in the zone whose hours count."""

    key: str
    opened_at: datetime
    facts: Mapping[str, str]

    @property
    def at_s(self) -> float:
        """Seconds since the epoch."""
        return self.opened_at.timestamp()


@dataclass(frozen=True, slots=True)
class Case(Opening):
    """A ticket of the past.

    `over_at` is when it was solved, None while it is not. `ended_badly` says whether it missed its
    target or needed the next tier, and `known_at` when that was known; both None until then.
    """

    over_at: datetime | None = None
    ended_badly: bool | None = None
    known_at: datetime | None = None
    moments: Sequence["Moment"] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Moment:
    """How a ticket stood after one event: plain figures by name, as `progress.FIGURES` lists them.

    `ended_badly` says what was still to come at that moment.
    """

    at: datetime
    figures: Mapping[str, float]
    ended_badly: bool | None = None


def in_order(cases: Sequence[Case]) -> list[Case]:
    """The cases as they were opened."""
    return sorted(cases, key=lambda case: (case.opened_at, case.key))
