"""The orders of the queue, and the cursors by which its pages follow each other."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from roles.instances import read_rows
from tickets.finding import AmongThese
from tickets.models import Ticket, TicketQuerySet, TimelineEvent

PAGE_ROWS = 50
Tickets = TypeVar("Tickets", bound=QuerySet[Ticket])


@dataclass(frozen=True)
class Sort:
    """One order: columns, "-" before one that falls; empty values stand last, ids part equals."""

    slug: str
    label: str | Promise
    columns: tuple[str, ...]


SORTS: Final = (
    Sort("due", _("Next deadline"), ("next_due_at", "id")),
    Sort("opened", _("Newest first"), ("-id",)),
    Sort("updated", _("Last changed"), ("-last_event_at", "-id")),
    Sort("priority", _("Priority"), ("priority", "next_due_at", "id")),
)
UPDATED: Final = SORTS[2]
LATELY: Final = 3000
DISORDER: Final = timedelta(minutes=5)
"""By which the order of events' numbers and that of their times may differ."""
BY_SLUG: Final[Mapping[str, Sort]] = {sort.slug: sort for sort in SORTS}
NULLABLE: Final = frozenset({"next_due_at", "last_event_at"})


def sort_of(slug: str) -> Sort:
    """The order of that name; by next deadline when there is none."""
    return BY_SLUG.get(slug, SORTS[0])


def page_of(
    parts: Sequence[TicketQuerySet],
    sort: Sort,
    after: str,
    *,
    shown: Callable[[TicketQuerySet], TicketQuerySet],
) -> tuple[list[Ticket], str]:
    """The next rows of all parts after the cursor, and the cursor of the page that follows.

    The cursor is "" when none follows. The rows are read with what `shown` adds to them. No ticket
    may be in two parts.
    """
    seen = _read(after, sort)
    if seen is not None:
        parts = [each.filter(_beyond(sort.columns, seen)) for each in parts]
    if sort is UPDATED and len(parts) == 1:
        found = _lately(shown(parts[0]), sort)
        if found is not None:
            return cut(found, sort)
    return cut(read_rows(ordered(shown(first_of(parts, sort)), sort)) if parts else [], sort)


def first_of(parts: Sequence[TicketQuerySet], sort: Sort) -> TicketQuerySet:
    """Tickets among which the first rows of all parts are, at most a page of each.

    They are chosen by their ids before anything is read with them: where the database expects few
    rows and there are many, it would join all of them to what a page shows of fifty.
    """
    ids = [ordered(each, sort).values("pk") for each in parts]
    chosen = ids[0].union(*ids[1:], all=True) if len(ids) > 1 else ids[0]
    return Ticket.objects.filter(AmongThese("pk", ArraySubquery(chosen)))


def ordered(tickets: Tickets, sort: Sort) -> Tickets:
    """The first rows in this order, one more than stand on a page."""
    return tickets.order_by(*map(_order, sort.columns))[: PAGE_ROWS + 1]


def cut(found: Sequence[Ticket], sort: Sort) -> tuple[list[Ticket], str]:
    """A page of what was found in this order, and the cursor of what follows ("" for nothing)."""
    rows = list(found[:PAGE_ROWS])
    return rows, _cursor(rows[-1], sort) if len(found) > PAGE_ROWS else ""


def _lately(tickets: QuerySet[Ticket], sort: Sort) -> list[Ticket] | None:
    """The rows of a page by last change, found among the site's last events; None if not all are.

    An index by last change would be written with every event of every ticket, and take the place of
    a row's cheap update; the events themselves stand in that order already.
    """
    events = TimelineEvent.objects.order_by("-id")
    last = events.values("ticket")[:LATELY]
    before = events.values("at")[LATELY : LATELY + 1]
    ordered = tickets.filter(pk__in=last).order_by(*map(_order, sort.columns))
    found: list[Any] = list(ordered.annotate(known_since=Subquery(before))[: PAGE_ROWS + 1])
    if len(found) <= PAGE_ROWS:
        return None
    at, since = found[-1].last_event_at, found[-1].known_since
    return found if since is None or (at and at > since + DISORDER) else None


def _order(column: str) -> Any:
    name = column.lstrip("-")
    if name not in NULLABLE:
        return column
    return F(name).desc(nulls_last=True) if column.startswith("-") else F(name).asc(nulls_last=True)


def _beyond(columns: Sequence[str], seen: Sequence[Any]) -> Q:
    """What comes after a row with these values in this order."""
    column, value = columns[0], seen[0]
    name, falls = column.lstrip("-"), column.startswith("-")
    if value is None:
        past, same = Q(pk__in=[]), Q(**{f"{name}__isnull": True})
    else:
        past, same = Q(**{f"{name}__{'lt' if falls else 'gt'}": value}), Q(**{name: value})
        if name in NULLABLE:
            past |= Q(**{f"{name}__isnull": True})
    return past if len(columns) == 1 else past | same & _beyond(columns[1:], seen[1:])


def _cursor(ticket: Ticket, sort: Sort) -> str:
    values = [getattr(ticket, column.lstrip("-")) for column in sort.columns]
    plain = [each.timestamp() if isinstance(each, datetime) else each for each in values]
    exact = [round(each * 1_000_000) if isinstance(each, float) else each for each in plain]
    text = json.dumps([sort.slug, *exact], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(text: str, sort: Sort) -> list[Any] | None:
    """What a cursor says; None, the first page, for an empty, broken or foreign one."""
    if not text:
        return None
    try:
        read = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        slug, *values = read
    except (ValueError, TypeError):
        return None
    if slug != sort.slug or len(values) != len(sort.columns):
        return None
    found = [_value(*pair) for pair in zip(sort.columns, values, strict=True)]
    return None if BROKEN in found else found


BROKEN: Final = object()


def _value(column: str, value: Any) -> Any:
    name = column.lstrip("-")
    if value is None:
        return None if name in NULLABLE else BROKEN
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 62:
        return BROKEN
    if not name.endswith("_at"):
        return value
    try:
        whole, micro = divmod(value, 1_000_000)
        return datetime.fromtimestamp(whole, UTC).replace(microsecond=micro)
    except (ValueError, OverflowError, OSError):
        return BROKEN
