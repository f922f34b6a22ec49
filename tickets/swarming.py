"""People pulled in to help on a ticket that stays where it is: begun, listed, ended."""

from collections.abc import Iterable

from django.db.models import QuerySet

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Forbidden
from tickets.access import may
from tickets.acting import Act, acting
from tickets.models import EventKind, Involvement, Ticket, Watcher


def begin_involvement(act: Act, person_ids: Iterable[int], *, team_name: str) -> None:
    """Let people help on the act's ticket: they watch it, and are listed until they leave."""
    for person_id in person_ids:
        Watcher.objects.get_or_create(
            ticket=act.ticket, person_id=person_id, defaults={"since": act.now}
        )
        Involvement.objects.get_or_create(
            ticket=act.ticket,
            person_id=person_id,
            left_at=None,
            defaults={"since": act.now, "team_name": team_name},
        )


def leave(
    *,
    ticket: Ticket,
    actor: Person,
    person: Person | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """End one's own help on a ticket, or that of `person` for whoever may call for help.

    They watch it no more. Raises Conflict for somebody who does not help.
    """
    whose = person or actor
    with acting(ticket, actor=actor, action="comment_internal", clock=clock, via=via) as act:
        if whose.pk != actor.pk and not may(actor, "escalate", act.ticket):
            raise Forbidden("not_allowed", "You may end your own help only.")
        present = Involvement.objects.filter(ticket=act.ticket, person=whose, left_at=None)
        if not present.update(left_at=act.now):
            raise Conflict("not_involved", f"{whose} does not help on {act.ticket.key}.")
        Watcher.objects.filter(ticket=act.ticket, person=whose).delete()
        act.record(EventKind.INVOLVED, facts={"left": [whose.pk]})
        return act.ticket


def involved(ticket: Ticket) -> QuerySet[Involvement]:
    """Who helps on the ticket now, first come first."""
    present = Involvement.objects.filter(ticket=ticket.pk, left_at=None)
    return present.select_related("person").order_by("since", "id")
