"""Says how two tickets belong together, on the timelines of both."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import timeline
from tickets.access import may, require
from tickets.acting import Act, begin
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
    near, far = two_acts(ticket, other, actor=actor, clock=clock, via=via)
    for act in (near, far):
        require(actor, "link", act.ticket)
    return tie(near, far, relation)


@transaction.atomic
def unlink(
    *,
    ticket: Ticket,
    other: Ticket,
    relation: str,
    actor: Person | None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> None:
    """Take a link back. Raises Conflict when the tickets are not linked like that."""
    near, far = two_acts(ticket, other, actor=actor, clock=clock, via=via)
    for act in (near, far):
        require(actor, "link", act.ticket)
    untie(near, far, relation)


def two_acts(
    one: Ticket, other: Ticket, *, actor: Person | None, clock: TimeSource, via: str
) -> tuple[Act, Act]:
    """An act on each of two tickets, both locked in the order of their ids.

    In one order for everybody, so that two people acting on them crosswise cannot deadlock. Must
    run in a transaction. Raises Invalid for a ticket with itself.
    """
    if one.pk == other.pk:
        raise Invalid("itself", "That is one and the same ticket.", {"other": "Another one."})
    both = {pk: timeline.lock(pk) for pk in sorted((one.pk, other.pk))}
    near = begin(both[one.pk], actor=actor, clock=clock, via=via)
    return near, begin(both[other.pk], actor=actor, clock=clock, via=via)


def tie(near: Act, far: Act, relation: str) -> TicketLink:
    """Link two locked tickets, told on both. Raises Invalid and Conflict as `link` does."""
    if near.ticket.restricted != far.ticket.restricted:
        raise Invalid("restricted", "A restricted case is not linked with an open ticket.")
    made, created = TicketLink.objects.get_or_create(
        source=near.ticket, target=far.ticket, relation=relation
    )
    if not created:
        raise Conflict("linked", "These tickets are linked like that already.")
    _tell_both(near, far, {"relation": relation})
    return made


def untie(near: Act, far: Act, relation: str) -> None:
    """Take the link between two locked tickets back, told on both."""
    gone, _ = TicketLink.objects.filter(
        source=near.ticket.pk, target=far.ticket.pk, relation=relation
    ).delete()
    if not gone:
        raise Conflict("not_linked", "These tickets are not linked like that.")
    _tell_both(near, far, {"relation": relation, "removed": True})


def _tell_both(near: Act, far: Act, facts: Mapping[str, Any]) -> None:
    near.record(EventKind.LINKED, facts={**facts, "other": far.ticket.key, "direction": "out"})
    far.record(EventKind.LINKED, facts={**facts, "other": near.ticket.key, "direction": "in"})


def survivor_of(ticket: Ticket) -> Ticket:
    """The ticket that goes on in this one's place: itself, unless it has been merged."""
    found, seen = ticket, {ticket.pk}
    while found.merged_into_id is not None and found.merged_into_id not in seen:
        found = Ticket.objects.get(pk=found.merged_into_id)
        seen.add(found.pk)
    return found


def survivor_for(ticket: Ticket, person: Person | None) -> Ticket:
    """The ticket that goes on in this one's place, for somebody who speaks on it.

    Raises Forbidden, without its key, where the person may not know of it: it may have become a
    restricted case since.
    """
    goes_on = survivor_of(ticket)
    if goes_on.pk != ticket.pk and person is not None and not may(person, "view", goes_on):
        raise Forbidden("not_allowed", f"{ticket.key} goes on where you may not write.")
    return goes_on
