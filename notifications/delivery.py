"""Delivery of the outbox: rounds of claiming and sending, their heartbeat, and sending again."""

import time
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Greatest

from notifications import leases, live
from notifications.faults import crash_here
from notifications.hooks import clearance_checks, on_dead, register_clearance
from notifications.models import Message, MessageState, SenderHeartbeat
from notifications.sending import Sender
from roles.audit import record
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require

__all__ = [
    "clearance_checks",
    "deliver_batch",
    "last_delivery_at",
    "on_dead",
    "register_clearance",
    "run_delivery",
    "send_again",
]

BATCH = 50
RUN_S = 20.0
HEARTBEAT = "delivery"


def deliver_batch(limit: int = BATCH, *, clock: TimeSource = database_now) -> int:
    """Send one batch of due messages and return how many were claimed, sent or not."""
    claims = leases.claim(limit, clock())
    if not claims:
        return 0
    crash_here("after_claim")
    with closing(Sender(clock)) as sender:
        sender.launch(claims)
        sender.land_all()
    return len(claims)


def run_delivery(*, clock: TimeSource = database_now, budget_s: float = RUN_S) -> int:
    """Send until nothing is due or `budget_s` seconds are over; return how many were claimed.

    A slow send holds one lane of several: the others go on with what is due meanwhile.
    """
    with closing(Sender(clock)) as sender:
        return _run(sender, clock, budget_s)


def _run(sender: Sender, clock: TimeSource, budget_s: float) -> int:
    begun = time.monotonic()
    total = 0
    while time.monotonic() - begun < budget_s:
        now = clock()
        beat(now)
        claims = leases.claim(BATCH, now)
        if not claims and not sender.busy:
            break
        if not claims:
            sender.land(timeout_s=1.0)
            continue
        crash_here("after_claim")
        sender.launch(claims)
        total += len(claims)
    sender.land_all()
    return total


def beat(now: datetime) -> None:
    """Record that a sender is alive and getting on."""
    SenderHeartbeat.objects.bulk_create(
        [SenderHeartbeat(name=HEARTBEAT, at=now)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


def last_delivery_at() -> datetime | None:
    """When a sender last got on, or None if none ever has."""
    return SenderHeartbeat.objects.filter(name=HEARTBEAT).values_list("at", flat=True).first()


def send_again(
    message_ids: Iterable[int], *, actor: Person | None, clock: TimeSource = database_now
) -> int:
    """Queue dead letters once more, with their old keys, and return how many there were.

    Raises Forbidden for an actor who is no administrator. Letters that are not dead are left alone.
    """
    require(actor, "admin")
    with transaction.atomic():
        dead = Message.objects.select_for_update(of=("self",)).filter(
            pk__in=list(message_ids), state=MessageState.DEAD
        )
        letters = list(dead.order_by("pk"))
        now = clock()
        Message.objects.filter(pk__in=[letter.pk for letter in letters]).update(
            state=MessageState.QUEUED,
            attempts=0,
            next_attempt_at=Greatest("not_before", now),
            finished_at=None,
            finished_reason="",
        )
        for letter in letters:
            record(
                actor=actor,
                action="message.sent_again",
                subject=letter,
                changes={"state": [MessageState.DEAD, MessageState.QUEUED]},
                reason=letter.finished_reason,
                clock=clock,
            )
        live.wake("messages")
    return len(letters)
