"""What a fact is, and the list of all measures that make them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from insights.figures.story import Story


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: on which day (UTC), of which team, towards whom, of which sort, and how much."""

    day: date
    team: int = 0
    other: int = 0
    tag: str = ""
    n: int = 1
    total: int = 0
    work: int = 0


Measure = Callable[[Story], Iterator[Fact]]
MEASURES: dict[str, Measure] = {}
"""Every measure by its name, which is stored with each fact."""


def measure(function: Measure) -> Measure:
    """Enter a measure under its own name."""
    MEASURES[function.__name__] = function
    return function


def day_of(at: datetime) -> date:
    """The day of a moment, in UTC."""
    return at.astimezone(UTC).date()


def seconds_between(since: datetime, until: datetime) -> int:
    """Whole seconds from one moment to another; 0 if that is not later."""
    return max(0, round((until - since).total_seconds()))
