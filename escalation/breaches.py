"""Breaches: a deadline that passed is a fact with a time, whatever the policies say."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from escalation.models import Clock
from roles.instants import TimeSource
from tickets import timeline
from tickets.models import EventKind, Ticket

log = logging.getLogger(__name__)


def note_late(limit: int, clock: TimeSource) -> int:
    """Note a batch of breaches; where one ticket spoils it, the others are noted one by one."""
    try:
        return note_breaches(limit=limit, clock=clock)
    except Exception:
        log.exception("A batch of breaches failed; its tickets are now noted one by one.")
    noted = 0
    for ticket_id in _late_tickets(limit, clock()):
        try:
            noted += note_breaches(limit=limit, clock=clock, ticket_id=ticket_id)
        except Exception:
            log.exception("The breach of ticket %s could not be noted.", ticket_id)
    return noted


def _late_tickets(limit: int, now: datetime) -> list[int]:
    late = Clock.objects.filter(state=Clock.State.RUNNING, noted_breach=False, due_at__lte=now)
    return list(late.order_by("due_at").values_list("ticket_id", flat=True)[:limit])


@transaction.atomic
def note_breaches(*, limit: int, clock: TimeSource, ticket_id: int | None = None) -> int:
    """Write down the clocks whose deadline has passed, of one ticket or all; returns how many."""
    now = clock()
    unnoted = Clock.objects.filter(
        state=Clock.State.RUNNING, noted_breach=False, due_at__lte=now
    ).order_by("due_at")
    ids = [ticket_id] if ticket_id else _late_tickets(limit, now)
    if not ids:
        return 0
    rows = Ticket.objects.filter(pk__in=ids).order_by("id")
    tickets = {
        ticket.pk: ticket
        for ticket in rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    }
    late = list(
        unnoted.filter(ticket__in=tickets).order_by("ticket", "kind").select_for_update(no_key=True)
    )
    at = clock()
    writes = [_breach(tickets[ticket_id], late, at) for ticket_id in tickets]
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
