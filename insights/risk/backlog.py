"""What is open and came in lately, counted once for all tickets that are estimated meanwhile."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Q
from django.db.models.query import QuerySet

from insights.risk.memory import LOADED, Load
from tickets.models import Origin, Ticket

KEPT: Final = timedelta(seconds=30)
"""So long a count stands for the next ones: it weighs by its logarithm, and counts thousands."""
LATELY: Final = timedelta(days=1)


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
        """By fact and value what is open, and what came in within a day; one query, or none."""
        known = self._known
        if known is None or not timedelta(0) <= now - known[0] < KEPT:
            known = self._known = (now, _counted(now))
        return known[1]

    def forget(self) -> None:
        """Count anew when it is asked next."""
        self._known = None


def _counted(now: datetime) -> Load:
    columns = [f"{name}_id" for name in LOADED]
    lately = Count("pk", filter=Q(opened_at__gte=now - LATELY))
    groups = estimable().order_by().values(*columns).annotate(open_now=Count("pk"), lately=lately)
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for *values, open_now, fresh in groups.values_list(*columns, "open_now", "lately"):
        for name, value in zip(LOADED, values, strict=True):
            key = (name, "" if value is None else str(value))
            before = counts.get(key, (0, 0))
            counts[key] = (before[0] + open_now, before[1] + fresh)
    return counts
