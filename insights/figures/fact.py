"""What a fact is, and the list of all measures that make them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from insights.figures.story import Story


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: on which day, of which team, towards whom, of which sort, and how much."""

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


UTC: Final = "UTC"
_zone: ContextVar[str] = ContextVar("zone of days", default=UTC)


@contextmanager
def days_in(zone: str) -> Iterator[None]:
    """Inside, days begin at midnight of this zone; outside, of UTC."""
    token = _zone.set(zone)
    try:
        yield
    finally:
        _zone.reset(token)


def day_of(at: datetime) -> date:
    """The day of a moment, in the zone whose days are counted."""
    return at.astimezone(ZoneInfo(_zone.get())).date()


def seconds_between(since: datetime, until: datetime) -> int:
    """Whole seconds from one moment to another; 0 if that is not later."""
    return max(0, round((until - since).total_seconds()))
