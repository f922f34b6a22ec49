"""What happens to tickets by the calendar alone: wake-up dates, and closing what stays resolved."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from notifications.outbox import enqueue
from roles.instants import TimeSource
from tickets import letters, states, timeline
from tickets.acting import Act, begin
from tickets.models import EventKind, Origin, Ticket


@transaction.atomic
def wake(*, limit: int, clock: TimeSource) -> int:
    """Resume the pending tickets whose wake-up time has come and tell their assignees.

    Returns how many. Any number of workers may do this at once.
    """
    due = Q(status__in=sorted(states.PENDING), wake_at__lte=clock())
    told = []
    for act, write in _write_each(due, limit, clock, _resume):
        told += letters.to_people(
            act.ticket,
            write.events[0],
            kind="woken",
            body=write.ticket.description[:2000],
            person_ids=[act.ticket.assignee_id],
        )
    enqueue(told, now=clock())
    return len(told)


@transaction.atomic
def close_settled(*, limit: int, clock: TimeSource) -> int:
    """Close the tickets that have stayed resolved for the site's AUTO_CLOSE_DAYS; how many.

    Imported tickets are history: they keep the status that they came with.
    """
    settled = clock() - timedelta(days=settings.AUTO_CLOSE_DAYS)
    due = Q(status=states.RESOLVED, resolved_at__lte=settled, origin=Origin.LIVE)
    return len(_write_each(due, limit, clock, _close))


def _resume(act: Act) -> timeline.Write:
    act.ticket.resume()
    return act.write(EventKind.RESUMED, facts={"because": "its wake-up time has come"})


def _close(act: Act) -> timeline.Write:
    act.ticket.close()
    act.ticket.closed_at = act.now
    return act.write(EventKind.CLOSED, facts={"how": "nobody objected"})


def _write_each(
    due: Q, limit: int, clock: TimeSource, change: Callable[[Act], timeline.Write]
) -> list[tuple[Act, timeline.Write]]:
    rows = Ticket.objects.filter(due).order_by("id")
    locked = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))[:limit]
    acts = [begin(ticket, actor=None, clock=clock) for ticket in locked]
    pairs = [(act, change(act)) for act in acts]
    if pairs:
        timeline.record_many([write for _, write in pairs], at=max(act.now for act in acts))
    return pairs
