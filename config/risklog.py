"""Incident logs of another product as cases that risk can be learned from; nothing is stored."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta, tzinfo
from typing import Any, Final

from api.importers.servicenow import Row
from insights.risk.cases import Case
from insights.risk.leaks import History
from tickets import states

COLUMNS: Final[Mapping[str, str]] = {
    "category": "category",
    "subcategory": "subcategory",
    "symptom": "symptom",
    "location": "location",
    "source": "contact",
    "team": "group",
    "requester": "caller",
    "opener": "opened_by",
    "asset": "asset",
    "priority": "priority",
    "impact": "impact",
    "urgency": "urgency",
    "writer": "updated_by",
    "assignee": "assignee",
}
"""By the fact that a column says at opening, the column."""
SUSPECTED: Final = (*COLUMNS.values(), "closed_code", "resolved_at", "made_sla")
"""Every column that is looked at for leaks: those that are learned from, and the known ones."""
AT_ONCE: Final = frozenset({"writer", "assignee"})
WRITTEN_WITHIN: Final = timedelta(minutes=15)
"""Who wrote the first row, and to whom it gave the incident, was known at opening only if that row
was written with it."""
OVER: Final = frozenset({states.RESOLVED, states.CLOSED})


def cases_of(
    incidents: Sequence[Sequence[Row]], zone: tzinfo, left_out: Mapping[str, str]
) -> Iterator[Case]:
    """The incidents as cases; columns in `left_out` are not read.

    Whether the target was missed is what the log itself says on the row that closed the incident,
    and known from that row's time on.
    """
    for rows in incidents:
        first = rows[0]
        closed = next((row for row in rows if row.status == states.CLOSED), None)
        solved = next((row.updated_at for row in rows if row.status in OVER), None)
        known = closed is not None and closed.made_sla is not None
        yield Case(
            key=first.number,
            opened_at=first.opened_at.astimezone(zone),
            facts={
                fact: str(getattr(first, column))
                for fact, column in COLUMNS.items()
                if column not in left_out and (fact not in AT_ONCE or _is_at_once(first))
            },
            over_at=solved,
            ended_badly=not closed.made_sla if closed is not None and known else None,
            known_at=closed.updated_at if closed is not None and known else None,
        )


def _is_at_once(first: Row) -> bool:
    return first.update == 0 and first.updated_at - first.opened_at <= WRITTEN_WITHIN


def histories_of(incidents: Sequence[Sequence[Row]]) -> Iterator[History]:
    """The incidents row by row, as far as leaks are looked for."""
    for rows in incidents:
        last = rows[-1]
        told = [(row.updated_at, _told(row)) for row in rows]
        is_over = last.status == states.CLOSED
        bad = not last.made_sla if is_over and last.made_sla is not None else None
        yield History(rows=told, is_over=is_over, ended_badly=bad)


def _told(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in SUSPECTED}
