"""What happens to tickets by the calendar alone: wake-up dates, and closing what stays resolved."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from notifications.outbox import enqueue
from roles.instants import TimeSource
from tickets import letters, states, timeline, waiting
from tickets.acting import Act, begin
from tickets.models import EventKind, Origin, Ticket


@transaction.atomic
def wake(*, clock: TimeSource, limit: int = 200, ticket_ids: Sequence[int] | None = None) -> int:
    """Resume the pending tickets whose wake-up time has come and tell their assignees.

    Returns how many; `ticket_ids` narrows it to some. Any number of workers may do this at once.
    """
    ids = to_wake(limit=limit, now=clock()) if ticket_ids is None else ticket_ids
    told = []
    pairs = _write_each(ids, _to_wake(clock()), clock, _resume)
    for act, write in pairs:
        told += letters.to_people(
            act.ticket,
            write.events[0],
            kind="woken",
            body=write.ticket.description[:2000],
            person_ids=[act.ticket.assignee_id],
        )
    enqueue(told, now=clock())
    return len(pairs)


def to_wake(*, limit: int, now: datetime, leave_out: Any = ()) -> list[int]:
    """The ids of the pending tickets whose wake-up time has come, but for those to leave out."""
    rows = waking(now).exclude(pk__in=leave_out)
    return list(rows.order_by("id").values_list("pk", flat=True)[:limit])


def waking(now: datetime) -> QuerySet[Ticket]:
    """The pending tickets whose wake-up time has come."""
    return Ticket.objects.filter(_to_wake(now))


def _to_wake(now: datetime) -> Q:
    return Q(status__in=sorted(states.PENDING), wake_at__isnull=False, wake_at__lte=now)


@transaction.atomic
def free_waiting(
    *, clock: TimeSource, limit: int = 200, ticket_ids: Sequence[int] | None = None
) -> int:
    """Resume tickets on hold for a change whose own ticket was resolved or cancelled; how many.

    The end of the change itself resumes them at once; this is for what ends without a result.
    """
    ids = to_free(limit=limit, now=clock()) if ticket_ids is None else ticket_ids
    tickets = {row.pk: row for row in _lock_free(Q(status=states.PENDING_CHANGE), ids)}
    over = waiting.freed(list(tickets))
    told = []
    for ticket_id, change in sorted(over.items()):
        act = begin(tickets[ticket_id], actor=None, clock=clock)
        told += waiting.go_on(act, change, "is not open any more")
    enqueue(told, now=clock())
    return len(over)


def to_free(*, limit: int, now: datetime, leave_out: Any = ()) -> list[int]:
    """The ids of the tickets that wait for a change which is over, but for those to leave out."""
    rows = waiting.over().exclude(ticket__in=leave_out)
    return list(rows.order_by("ticket_id").values_list("ticket_id", flat=True)[:limit])


@transaction.atomic
def close_settled(
    *, clock: TimeSource, limit: int = 200, ticket_ids: Sequence[int] | None = None
) -> int:
    """Close the tickets that have stayed resolved for the site's AUTO_CLOSE_DAYS; how many.

    Imported tickets are history: they keep the status that they came with.
    """
    ids = to_close(limit=limit, now=clock()) if ticket_ids is None else ticket_ids
    return len(_write_each(ids, _to_close(clock()), clock, _close))


def to_close(*, limit: int, now: datetime, leave_out: Any = ()) -> list[int]:
    """The ids of the tickets to close by themselves, but for those to leave out."""
    rows = closing(now).exclude(pk__in=leave_out)
    return list(rows.order_by("id").values_list("pk", flat=True)[:limit])


def closing(now: datetime) -> QuerySet[Ticket]:
    """The tickets that have stayed resolved for long enough."""
    return Ticket.objects.filter(_to_close(now))


def _to_close(now: datetime) -> Q:
    settled = now - timedelta(days=settings.AUTO_CLOSE_DAYS)
    return Q(status=states.RESOLVED, resolved_at__lte=settled, origin=Origin.LIVE)


def _resume(act: Act) -> timeline.Write:
    act.ticket.resume()
    return act.write(EventKind.RESUMED, facts={"because": "its wake-up time has come"})


def _close(act: Act) -> timeline.Write:
    act.ticket.close()
    act.ticket.closed_at = act.now
    return act.write(EventKind.CLOSED, facts={"how": "nobody objected"})


def _write_each(
    ids: Sequence[int], due: Q, clock: TimeSource, change: Callable[[Act], timeline.Write]
) -> list[tuple[Act, timeline.Write]]:
    """Change those of the tickets that are still due under their lock."""
    if not ids:
        return []
    acts = [begin(ticket, actor=None, clock=clock) for ticket in _lock_free(due, ids)]
    pairs = [(act, change(act)) for act in acts]
    if pairs:
        timeline.record_many([write for _, write in pairs], at=max(act.now for act in acts))
    return pairs


def _lock_free(due: Q, ids: Sequence[int]) -> list[Ticket]:
    """Those of the tickets that are still due, locked, but for what somebody else holds."""
    rows = Ticket.objects.filter(due, pk__in=ids).order_by("id")
    return list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",)))
