"""Storms of alerts: how one is recognised, and the one ticket that takes it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from roles.written import Written, any_of
from tickets import states
from tickets.folding import take_turns
from tickets.models import Alert, AlertSource, Ticket

STORM_KEY: Final = "~storm"
WINDOW: Final = timedelta(minutes=5)


def count_opened(source: AlertSource, now: datetime, limit: int) -> int:
    """How many tickets the source has opened lately; counted up to the limit only."""
    lately = Alert.objects.filter(source=source, opened=True, first_seen_at__gt=now - WINDOW)
    return lately.order_by("-first_seen_at")[:limit].count()


def lock_storm(source: AlertSource) -> Ticket | None:
    """The storm's open ticket, locked, or None; whoever opens one is waited for.

    Must run in a transaction.
    """
    take_turns(source, [f"g{STORM_KEY}"])
    rows = Alert.objects.filter(source=source, group_key=STORM_KEY)
    found = rows.filter(ticket__status__in=states.OPEN).order_by("-id")
    ticket_id = found.values_list("ticket_id", flat=True).first()
    return lock_tickets([ticket_id]).get(ticket_id or 0)


LOCKED: Final = Written(
    lambda ids: (
        Ticket.objects.filter(any_of("pk", ids))
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
    ),
    ids=list[int],
)


def lock_known(ticket_ids: Iterable[int | None]) -> dict[int, Ticket]:
    """The same as `lock_tickets`, for a transaction that has written nothing of tickets yet."""
    ids = sorted({pk for pk in ticket_ids if pk is not None})
    return {ticket.pk: ticket for ticket in LOCKED.all(ids=ids)} if ids else {}


def lock_tickets(ticket_ids: Iterable[int | None]) -> dict[int, Ticket]:
    """Those tickets that there are, by id, locked in the order of their ids."""
    wanted = {pk for pk in ticket_ids if pk is not None}
    rows = Ticket.objects.filter(pk__in=wanted).order_by("pk")
    return {ticket.pk: ticket for ticket in rows.select_for_update(no_key=True, of=("self",))}
