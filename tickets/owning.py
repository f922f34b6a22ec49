"""Who answers for a ticket until it is solved: its owner, who stays through every hand-over."""

from notifications.outbox import enqueue
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import letters
from tickets.access import may
from tickets.acting import acting, required
from tickets.models import EventKind, Ticket


def name_owner(
    *,
    ticket: Ticket,
    actor: Person | None,
    owner: Person | None,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Make a person the owner; with None the owning team answers for the ticket by itself again.

    The work stays where it is, and the new owner is told. Raises Invalid without a reason or for
    somebody who could not answer for it, Conflict for a ticket that is over.
    """
    with acting(ticket, actor=actor, action="name_owner", clock=clock, via=via) as act:
        if not act.ticket.is_open:
            raise Conflict("not_open", f"{act.ticket.key} is not open any more.")
        words = required(reason, "reason", 2000)
        if owner is not None:
            _require_fit(act.ticket, owner)
        if act.ticket.owner_id == (owner.pk if owner else None):
            return act.ticket
        act.ticket.owner = owner
        event = act.record(EventKind.OWNED, body=words)
        told = [owner.pk] if owner else []
        letters_to_owner = letters.to_people(
            act.ticket, event, kind="owned", body=words, person_ids=told
        )
        enqueue(letters_to_owner, now=act.now)
        return act.ticket


def _require_fit(ticket: Ticket, owner: Person) -> None:
    """Whoever answers for a ticket works here and, where it is restricted, is cleared for it."""
    is_person = owner.kind == Person.Kind.PERSON
    if not (is_person and may(owner, "comment_internal", ticket)):
        problem = "Choose somebody who works here and may read this ticket."
        raise Invalid("not_fit", f"{owner} cannot answer for {ticket.key}.", {"owner": problem})
