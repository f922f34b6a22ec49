"""Imported tickets taken over: from here on the engine looks after them as after any other."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Forbidden, Invalid
from tickets import timeline
from tickets.access import require
from tickets.acting import begin, required
from tickets.models import EventKind, Origin, Ticket

MOST_AT_ONCE = 1000


@dataclass(frozen=True)
class Adopted:
    """What an adoption came to: the tickets taken over, and by key why others were not."""

    tickets: list[Ticket] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


@transaction.atomic
def adopt(
    *,
    ticket_ids: Sequence[int],
    actor: Person | None,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Adopted:
    """Make imported open tickets live: their clocks and policies run from now on.

    Their clocks tell the truth about the past (the customer has waited since it was opened), yet
    of each only the highest threshold passed is acted upon. In its team's queue each begins anew,
    so that nobody is paged for the silence of the months before. Requesters are told nothing.
    Tickets that are not open, not imported, or not the actor's to adopt stay as they are.
    """
    words = required(reason, "reason", 2000)
    if len(ticket_ids) > MOST_AT_ONCE:
        raise Invalid("too_many", f"At most {MOST_AT_ONCE} at once.", {"tickets": "Fewer, please."})
    rows = Ticket.objects.filter(pk__in=list(ticket_ids)).order_by("id")
    outcome, writes = Adopted(), []
    for ticket in rows.select_for_update(no_key=True, of=("self",)):
        if because := _not_fit(ticket, actor):
            outcome.left[ticket.key] = because
            continue
        act = begin(ticket, actor=actor, clock=clock, via=via)
        ticket.origin = Origin.LIVE
        if ticket.team_id is not None:
            ticket.entry += 1
            ticket.entry_origin, ticket.entered_at = ticket.entry, act.now
        writes.append(act.write(EventKind.ADOPTED, body=words))
        outcome.tickets.append(ticket)
    if writes:
        timeline.record_many(writes, at=clock())
    return outcome


def _not_fit(ticket: Ticket, actor: Person | None) -> str:
    try:
        require(actor, "adopt", ticket)
    except Forbidden as refusal:
        return refusal.detail
    if ticket.origin != Origin.IMPORTED:
        return "It is one of our own already."
    if not ticket.is_open:
        return "It is over; there is nothing to look after."
    return ""
