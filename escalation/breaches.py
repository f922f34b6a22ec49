"""Breaches: a deadline that passed is a fact with a time, whatever the policies say."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from escalation import quarantine
from escalation.models import Clock
from roles.instants import TimeSource
from tickets import timeline
from tickets.models import EventKind, Ticket

log = logging.getLogger(__name__)


def note_late(limit: int, clock: TimeSource) -> int:
    """Note a batch of breaches; where one ticket spoils it, the others are noted one by one.

    The one that fails is counted, as for a climb, and set aside after three tries.
    """
    try:
        return note_breaches(limit=limit, clock=clock)
    except Exception:
        log.exception("A batch of breaches failed; its tickets are now noted one by one.")

    def note(*, ticket_ids: Sequence[int], clock: TimeSource) -> int:
        return note_breaches(limit=limit, clock=clock, ticket_id=ticket_ids[0])

    return quarantine.ticket_by_ticket(_late_tickets(limit, clock()), note, clock=clock)


def _unnoted(now: datetime) -> Q:
    """Passed while it ran; or found in retrospect, when it had stopped or stood still already."""
    return _passed(now) | _missed()


def _passed(now: datetime) -> Q:
    return Q(noted_breach=False, state=Clock.State.RUNNING, due_at__lte=now)


def _missed() -> Q:
    return Q(noted_breach=False, breached_at__isnull=False)


def passed(now: datetime) -> QuerySet[Clock]:
    """The running clocks whose deadline is over, and of which no breach has been noted."""
    return Clock.objects.filter(_passed(now)).order_by("due_at")


def missed() -> QuerySet[Clock]:
    """The clocks found to have been missed in retrospect, and not noted yet."""
    return Clock.objects.filter(_missed()).order_by("breached_at")


def _late_tickets(limit: int, now: datetime) -> list[int]:
    """The tickets with a breach to note; each question is answered by a small partial index."""
    held = quarantine.held_tickets(now)
    found = [
        pk
        for rows in (passed(now), missed())
        for pk in rows.exclude(ticket__in=held).values_list("ticket_id", flat=True)[:limit]
    ]
    return list(dict.fromkeys(found))[:limit]


@transaction.atomic
def note_breaches(*, limit: int, clock: TimeSource, ticket_id: int | None = None) -> int:
    """Write down the clocks that were missed, of one ticket or all; returns how many.

    Each miss becomes one event: its clock is locked and marked in the same transaction. A miss
    that a later change takes back (a lower priority) keeps its event, and may be followed by
    another one; imports mark theirs without an event.
    """
    now = clock()
    ids = [ticket_id] if ticket_id else _late_tickets(limit, now)
    if not ids:
        return 0
    rows = Ticket.objects.filter(pk__in=ids).order_by("id")
    tickets = {
        ticket.pk: ticket
        for ticket in rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    }
    unnoted = Clock.objects.filter(_unnoted(now), ticket__in=tickets)
    late = list(unnoted.order_by("ticket", "kind", "cycle").select_for_update(no_key=True))
    at = clock()
    by_ticket: dict[int, list[Clock]] = {}
    for row in late:
        by_ticket.setdefault(row.ticket_id, []).append(row)
    writes = [_breach(tickets[pk], rows_of, at) for pk, rows_of in by_ticket.items()]
    timeline.record_many([write for write in writes if write.entries], at=at, announce=False)
    timeline.update_rows(Clock, late, ("noted_breach", "breached_at"))
    return len(late)


def _breach(ticket: Ticket, late: Sequence[Clock], at: datetime) -> timeline.Write:
    entries = []
    for row in late:
        if row.ticket_id != ticket.pk or row.due_at is None:
            continue
        row.noted_breach, row.breached_at = True, row.due_at
        ticket.breached_at = min(filter(None, (ticket.breached_at, row.due_at)))
        facts = {
            "clock": row.kind,
            "cycle": row.cycle,
            "due_at": timeline.instant_text(row.due_at),
            "target_s": row.target_s,
            "team": row.team_id,
        }
        entries.append(timeline.Entry(kind=EventKind.BREACHED, facts=facts))
    return timeline.Write(ticket=ticket, entries=entries, fields=("breached_at",))
