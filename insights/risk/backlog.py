"""What is open and came in lately, counted once for all tickets that are estimated meanwhile."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Avg, Count
from django.db.models.functions import Extract, TruncHour
from django.db.models.query import QuerySet

from insights.risk.memory import LOADED, Key, Load, freshness
from insights.risk.own import learnable
from tickets.models import Origin, Ticket

KEPT: Final = timedelta(seconds=30)
"""So long a count stands for the next ones: it weighs by its logarithm, and counts thousands."""
LATELY: Final = timedelta(days=10)
"""What came in before counts for less than a thousandth among what comes in lately."""
COLUMNS: Final = tuple(f"{name}_id" for name in LOADED)


def estimable() -> QuerySet[Ticket]:
    """The open tickets that may be estimated."""
    return Ticket.objects.open().filter(restricted=False, origin=Origin.LIVE)


class Backlog:
    """Knows how much is open; shared by all threads of a process.

    What it says was true at the moment asked about or at most `KEPT` before it, never later.
    """

    def __init__(self) -> None:
        self._known: tuple[datetime, Load] | None = None

    def at(self, now: datetime) -> Load:
        """By fact and value what is open, and what came in lately; two queries, or none."""
        known = self._known
        if known is None or not timedelta(0) <= now - known[0] < KEPT:
            known = self._known = (now, _counted(now))
        return known[1]

    def forget(self) -> None:
        """Count anew when it is asked next."""
        self._known = None


def _counted(now: datetime) -> Load:
    open_now: dict[Key, int] = defaultdict(int)
    lately: dict[Key, float] = defaultdict(float)
    counted = estimable().order_by().values(*COLUMNS).annotate(count=Count("pk"))
    for *values, count in counted.values_list(*COLUMNS, "count"):
        for key in _keys(values):
            open_now[key] += count
    for values, age_s, count in _arrivals(now):
        for key in _keys(values):
            lately[key] += count * freshness(age_s)
    return {key: (open_now[key], lately[key]) for key in {*open_now, *lately}}


def _arrivals(now: datetime) -> Iterator[tuple[Sequence[int | None], float, int]]:
    """What came in, as a memory learns of it, by value and hour: how long ago, and how many."""
    came = learnable(now).filter(opened_at__gt=now - LATELY, opened_at__lte=now).order_by()
    hourly = came.annotate(hour=TruncHour("opened_at")).values("hour", *COLUMNS)
    since = Avg(Extract("opened_at", "epoch"))
    grouped = hourly.annotate(since=since, count=Count("pk"))
    for *values, at_s, count in grouped.values_list(*COLUMNS, "since", "count"):
        yield values, now.timestamp() - float(at_s), count


def _keys(values: Iterable[int | None]) -> Iterator[Key]:
    for name, value in zip(LOADED, values, strict=True):
        yield name, "" if value is None else str(value)
