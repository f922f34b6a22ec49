"""Tickets on hold for a change: which change they wait for, and going on once it is over."""

from collections.abc import Sequence
from typing import Final

from django.db.models import F, Q, QuerySet

from notifications.outbox import Letter
from roles.models import Person
from roles.refusals import Invalid
from tickets import letters, states, timeline
from tickets.access import may
from tickets.acting import Act
from tickets.models import Change, ChangeWait, EventKind, Kind, Ticket

UNTOLD: Final = "what it waited for is over"
WAITING: Final = Q(ticket__status=states.PENDING_CHANGE, ticket__status_entry=F("status_entry"))
"""Waits that still hold: the ticket has not been resumed since."""


def lock_with_change(ticket: Ticket, change: Ticket | None) -> Ticket:
    """The change's present row, both tickets locked in the order of their ids.

    Raises Invalid when there is none, or none that one could wait for.
    """
    if change is None:
        raise Invalid(
            "needs_change",
            "Say which change it waits for.",
            {"change": "The key of an open change, such as CHG-000012."},
        )
    if change.pk == ticket.pk:
        raise Invalid("itself", "A change cannot wait for itself.", {"change": "Another one."})
    return timeline.lock_many([ticket.pk, change.pk])[change.pk]


def require_awaitable(ticket: Ticket, change: Ticket, actor: Person | None) -> None:
    """Raise Invalid unless the ticket may wait for this locked change."""
    over = Change.objects.filter(ticket=change, ended_at__isnull=False).exists()
    seen = may(actor, "view", change) and change.restricted == ticket.restricted
    if change.kind != Kind.CHANGE or not seen:
        problem = "That is no change that it could wait for."
    elif over or not change.is_open:
        problem = f"{change.key} is over; there is nothing to wait for."
    else:
        return
    raise Invalid("no_change", problem, {"change": problem})


def note_waiting(act: Act, change: Ticket) -> None:
    """Keep for which change the ticket has just been put on hold."""
    ChangeWait.objects.update_or_create(
        ticket=act.ticket,
        defaults={"change": change, "status_entry": act.ticket.status_entry},
    )


def waiting_for(change: Ticket) -> list[int]:
    """The ids of the tickets on hold for a change now, in order."""
    rows = ChangeWait.objects.filter(WAITING, change=change.pk).order_by("ticket_id")
    return list(rows.values_list("ticket_id", flat=True))


def over() -> QuerySet[ChangeWait]:
    """The waits that hold although the change's ticket is not open any more."""
    return ChangeWait.objects.filter(WAITING).exclude(change__status__in=states.OPEN)


def freed(ticket_ids: Sequence[int]) -> dict[int, Ticket]:
    """For those of these tickets whose change is over, by ticket id, the ticket of that change."""
    rows = over().filter(ticket__in=ticket_ids).select_related("change")
    return {row.ticket_id: row.change for row in rows}


def go_on(act: Act, change: Ticket, how: str, body: str = "") -> list[Letter]:
    """Resume one waiting ticket, as its own event, and tell its assignee how the change ended.

    Of a change that has become restricted since (or where the waiting ticket has) not even the key
    is told: other people read the one than the other.
    """
    because = f"{change.key} {how}"
    if change.restricted != act.ticket.restricted:
        because, body = UNTOLD, ""
    act.ticket.resume()
    event = act.record(EventKind.RESUMED, facts={"because": because})
    words = f"{because[:1].upper()}{because[1:]}. {body}".strip()
    return letters.to_people(
        act.ticket, event, kind="resumed", body=words, person_ids=[act.ticket.assignee_id]
    )
