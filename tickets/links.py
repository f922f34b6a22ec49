"""Says how two tickets belong together, on the timelines of both."""

from django.db import transaction

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import timeline
from tickets.access import require
from tickets.acting import begin
from tickets.models import EventKind, Ticket, TicketLink


@transaction.atomic
def link(
    *,
    ticket: Ticket,
    other: Ticket,
    relation: str,
    actor: Person | None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> TicketLink:
    """Link `ticket` to `other` ("child of", "caused by", …); the actor must know of both.

    A restricted ticket is never linked with an open one: the link would tell of it. Raises Invalid
    for that, for an unknown relation and for a ticket with itself, Conflict when it stands.
    """
    if relation not in TicketLink.Relation.values:
        raise Invalid("unknown_relation", "Choose a relation.", {"relation": "Choose one."})
    if ticket.pk == other.pk:
        raise Invalid("itself", "A ticket cannot be linked to itself.", {"other": "Another one."})
    # Both in one order for everybody, so that two people linking them crosswise cannot deadlock.
    both = {pk: timeline.lock(pk) for pk in sorted((ticket.pk, other.pk))}
    for locked in both.values():
        require(actor, "link", locked)
    if ticket.restricted != other.restricted:
        raise Invalid("restricted", "A restricted case is not linked with an open ticket.")
    made, created = TicketLink.objects.get_or_create(
        source=both[ticket.pk], target=both[other.pk], relation=relation
    )
    if not created:
        raise Conflict("linked", "These tickets are linked like that already.")
    for locked, far in ((both[ticket.pk], other), (both[other.pk], ticket)):
        act = begin(locked, actor=actor, clock=clock, via=via)
        outward = locked.pk == ticket.pk
        act.record(
            EventKind.LINKED,
            facts={"relation": relation, "other": far.key, "direction": "out" if outward else "in"},
        )
    return made
