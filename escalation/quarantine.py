"""Keeps one ticket whose evaluation fails from delaying all others."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet

from escalation.alarms import raise_alarm
from escalation.models import Quarantine, Run
from notifications.models import Message
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require

log = logging.getLogger(__name__)

TRIES: Final = 3
RETRY_AFTER: Final = timedelta(seconds=10)
FORGOTTEN_AFTER: Final = timedelta(minutes=10)
"""A failing ticket is tried every few seconds: after so long without a try, it has gone well."""

T = TypeVar("T")
R = TypeVar("R")


def held_tickets(now: datetime) -> QuerySet[Quarantine, Any]:
    """The tickets to leave out: quarantined, or tried moments ago without success."""
    held = Quarantine.objects.filter(
        Q(since__isnull=False) | Q(last_tried_at__gt=now - RETRY_AFTER)
    )
    return held.values("ticket_id")


def one_by_one(
    run_ids: Sequence[int], climb: Callable[..., list[T]], *, clock: TimeSource
) -> list[T]:
    """Carry out each run in a transaction of its own, counting each try before it begins.

    After three failures the ticket is quarantined and an alarm goes to the fallback.
    """
    deeds: list[T] = []
    rows = Run.objects.filter(pk__in=run_ids).values_list("pk", "ticket_id")
    for run_id, ticket_id in rows.order_by("next_at"):
        deeds += _guarded(ticket_id, partial(climb, run_ids=[run_id], clock=clock), clock) or []
    return deeds


def ticket_by_ticket(
    ticket_ids: Iterable[int], act: Callable[..., int], *, clock: TimeSource
) -> int:
    """Do something to each ticket in a transaction of its own, counting tries as for a climb.

    `act` takes `ticket_ids` and `clock`, and returns how many it changed; so does this.
    """
    done = [
        _guarded(ticket_id, partial(act, ticket_ids=[ticket_id], clock=clock), clock)
        for ticket_id in ticket_ids
    ]
    return sum(filter(None, done))


def _guarded(ticket_id: int, act: Callable[[], R], clock: TimeSource) -> R | None:
    """What the act returns; None where it fails, which is counted and spoils nothing else."""
    try:
        held = _count_try(ticket_id, clock())
    except Exception:
        log.exception("The try on ticket %s could not be counted.", ticket_id)
        return None
    try:
        done = act()
    except Exception as error:
        log.exception("Ticket %s could not be evaluated (try %s).", ticket_id, held.tries)
        try:
            _note_failure(held, error, clock())
        except Exception:
            log.exception("The failure of ticket %s could not be noted.", ticket_id)
        return None
    held.delete()
    return done


@transaction.atomic
def _count_try(ticket_id: int, now: datetime) -> Quarantine:
    held, _ = Quarantine.objects.select_for_update().get_or_create(
        ticket_id=ticket_id, defaults={"last_tried_at": now}
    )
    was_long_ago = held.since is None and now - held.last_tried_at > FORGOTTEN_AFTER
    held.tries = 1 if was_long_ago else held.tries + 1
    held.last_tried_at = now
    held.save(update_fields=["tries", "last_tried_at"])
    return held


def _note_failure(held: Quarantine, error: Exception, now: datetime) -> None:
    """Keep the error, and after three tries set the ticket aside; then tell the fallback.

    The alarm stands in a transaction of its own: one that cannot be raised must not keep the ticket
    from being set aside. The next watch raises it again.
    """
    held.last_error = f"{type(error).__name__}: {error}".replace("\x00", "")[:500]
    is_new = held.tries >= TRIES and held.since is None
    if is_new:
        held.since = now
    held.save(update_fields=["last_error", "since"])
    if is_new:
        tell_of(held, now)


def tell_of(held: Quarantine, now: datetime) -> bool:
    """Raise the alarm of a quarantined ticket, once; whether that worked."""
    try:
        with transaction.atomic():
            raise_alarm(
                cause=_cause(held),
                ticket=held.ticket,
                subject="The engine cannot evaluate this ticket",
                body=(
                    f"{held.tries} tries failed; its escalations stand still until somebody"
                    " releases it in the admin, under Quarantine."
                ),
                now=now,
            )
    except Exception:
        log.exception("The alarm about quarantined ticket %s could not be raised.", held.ticket_id)
        return False
    return True


def untold() -> list[Quarantine]:
    """The quarantined tickets of which nobody has been told, because the alarm itself failed."""
    held = Quarantine.objects.filter(since__isnull=False).select_related("ticket")
    causes = {_cause(row): row for row in held}
    told = Message.objects.filter(cause__in=causes).values_list("cause", flat=True)
    return [row for cause, row in causes.items() if cause not in set(told)]


def _cause(held: Quarantine) -> str:
    since = f"{held.since:%Y%m%d%H%M%S}" if held.since else ""
    return f"alarm:quarantine:{held.ticket_id}:{since}"


def release(*, ticket_id: int) -> bool:
    """Let the engine try a quarantined ticket again; whether it was quarantined."""
    gone, _ = Quarantine.objects.filter(ticket=ticket_id).delete()
    return bool(gone)


@transaction.atomic
def set_free(*, ticket_id: int, actor: Person | None, clock: TimeSource = database_now) -> bool:
    """Let an administrator release a ticket, and keep who did; whether it was quarantined.

    Raises Forbidden. Which tickets somebody may know of is the caller's to ask first.
    """
    require(actor, "admin")
    held = Quarantine.objects.select_related("ticket").filter(ticket=ticket_id).first()
    if held is None:
        return False
    # The audit has more readers than a restricted ticket, now or later: no word of it.
    told = {} if held.ticket.restricted else {"ticket": held.ticket.key}
    audit.record(
        actor=actor, action="quarantine.released", subject=actor, changes=told, clock=clock
    )
    return release(ticket_id=ticket_id)
