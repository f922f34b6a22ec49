"""Keeps one ticket whose evaluation fails from delaying all others."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet

from escalation.alarms import raise_alarm
from escalation.models import Quarantine, Run
from roles.instants import TimeSource

log = logging.getLogger(__name__)

TRIES: Final = 3
RETRY_AFTER: Final = timedelta(seconds=10)

T = TypeVar("T")


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
        held = _count_try(ticket_id, clock())
        try:
            deeds += climb(run_ids=[run_id], clock=clock)
        except Exception as error:
            log.exception("Ticket %s could not be evaluated (try %s).", ticket_id, held.tries)
            _note_failure(held, error, clock())
        else:
            held.delete()
    return deeds


@transaction.atomic
def _count_try(ticket_id: int, now: datetime) -> Quarantine:
    held, _ = Quarantine.objects.select_for_update().get_or_create(
        ticket_id=ticket_id, defaults={"last_tried_at": now}
    )
    held.tries += 1
    held.last_tried_at = now
    held.save(update_fields=["tries", "last_tried_at"])
    return held


@transaction.atomic
def _note_failure(held: Quarantine, error: Exception, now: datetime) -> None:
    held.last_error = f"{type(error).__name__}: {error}"[:500]
    if held.tries >= TRIES and held.since is None:
        held.since = now
        raise_alarm(
            cause=f"alarm:quarantine:{held.ticket_id}:{held.tries}",
            ticket=held.ticket,
            subject="The engine cannot evaluate this ticket",
            body=(
                f"{held.tries} tries failed; its escalations stand still until somebody releases"
                " it in the admin, under Quarantine."
            ),
            now=now,
        )
    held.save(update_fields=["last_error", "since"])


def release(*, ticket_id: int) -> bool:
    """Let the engine try a quarantined ticket again; whether it was quarantined."""
    gone, _ = Quarantine.objects.filter(ticket=ticket_id).delete()
    return bool(gone)
