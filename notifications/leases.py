"""Whose turn it is to send a message: claims with a lease, and marks fenced by its epoch."""

import operator
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat

from notifications.models import Attempt, Message, MessageState, Outcome

LEASE_S = 60

_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id, urgency, priority, next_attempt_at, topic, recipient_id
    FROM notifications_message
    WHERE state = 'queued' AND next_attempt_at <= %(now)s
      AND (leased_until IS NULL OR leased_until <= %(now)s)
    ORDER BY urgency, priority, next_attempt_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), kin AS MATERIALIZED (
    SELECT message.id, message.urgency, message.priority, message.next_attempt_at
    FROM notifications_message AS message
    WHERE message.state = 'queued' AND message.attempts > 0 AND message.channel <> 'webhook'
      AND message.next_attempt_at > %(now)s
      AND (message.leased_until IS NULL OR message.leased_until <= %(now)s)
      AND (message.topic, message.recipient_id) IN (SELECT topic, recipient_id FROM due)
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), taken AS (
    SELECT id, urgency, priority, next_attempt_at, false AS is_early FROM due
    UNION ALL SELECT id, urgency, priority, next_attempt_at, true FROM kin
), claimed AS (
    UPDATE notifications_message AS message
    SET leased_until = %(until)s, lease_epoch = lease_epoch + 1, attempts = attempts + 1
    FROM taken WHERE message.id = taken.id
    RETURNING message.id, message.lease_epoch
)
SELECT id, lease_epoch, is_early FROM claimed JOIN taken USING (id)
ORDER BY is_early, urgency, priority, next_attempt_at
"""
# `kin` are messages to the same people about the same things that failed and wait for another try:
# told now, all of it is one message; later, each would come by itself.

_SENT = """
WITH mine AS MATERIALIZED (
    SELECT id FROM notifications_message
    WHERE (id, lease_epoch) IN %(claims)s AND state = 'queued'
    ORDER BY id FOR UPDATE
), sent AS (
    UPDATE notifications_message AS message
    SET state = 'sent', sent_at = %(now)s, finished_at = %(now)s, leased_until = NULL
    FROM mine WHERE message.id = mine.id
    RETURNING message.id
), noted AS (
    UPDATE notifications_attempt SET outcome = 'sent', detail = '', finished_at = %(now)s
    WHERE (message_id, number) IN %(claims)s
)
SELECT count(*) FROM sent
"""


@dataclass(frozen=True)
class Claim:
    """The right to send one message, as long as nobody has claimed it since."""

    message_id: int
    epoch: int
    taken_at: float  # monotonic: a sender that was stopped must notice when it wakes
    is_early: bool = False  # taken along before its own time; if that fails, it counts for nothing

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.taken_at


def claim(limit: int, now: datetime) -> list[Claim]:
    """Take up to `limit` due messages, most urgent first, and commit that before any work.

    Others to the same people about the same things, which failed and wait for another try, are
    taken along: as many again at most.

    A message whose earlier lease ran out is taken again; its unfinished try was interrupted.
    """
    taken_at = time.monotonic()
    with transaction.atomic(durable=True):
        claims = [
            Claim(pk, epoch, taken_at, is_early) for pk, epoch, is_early in _claim_rows(limit, now)
        ]
        if claims:
            Attempt.objects.filter(
                message__in=[c.message_id for c in claims], outcome=Outcome.STARTED
            ).update(outcome=Outcome.INTERRUPTED, finished_at=now)
            Attempt.objects.bulk_create(
                Attempt(message_id=c.message_id, number=c.epoch, started_at=now) for c in claims
            )
    return claims


def _claim_rows(limit: int, now: datetime) -> list[tuple[int, int, bool]]:
    with connection.cursor() as cursor:
        until = now + timedelta(seconds=LEASE_S)
        cursor.execute(_CLAIM, {"now": now, "until": until, "limit": limit})
        return list(cursor.fetchall())


def held(claims: Sequence[Claim]) -> dict[Claim, Message]:
    """Return the messages, freshly read with their recipients, of those claims that still hold."""
    found = Message.objects.select_related("recipient").in_bulk([c.message_id for c in claims])
    return {
        claim: message
        for claim in claims
        if (message := found.get(claim.message_id))
        and (message.lease_epoch, message.state) == (claim.epoch, MessageState.QUEUED)
    }


def mark_sent(claims: Sequence[Claim], now: datetime) -> int:
    """Mark the messages sent and return for how many the claim still held.

    One that was withdrawn while it went out stays withdrawn and says that it went out.
    """
    with transaction.atomic():
        marked = _mark_sent(claims, now)
        if marked < len(claims):
            Message.objects.filter(
                _any(claims), state=MessageState.WITHDRAWN, sent_at__isnull=True
            ).update(
                sent_at=now,
                finished_reason=Concat(F("finished_reason"), Value(" It had just gone out.")),
            )
    return marked


def _mark_sent(claims: Sequence[Claim], now: datetime) -> int:
    """All marks in one statement: there is one for every message that goes out."""
    with connection.cursor() as cursor:
        pairs = tuple((claim.message_id, claim.epoch) for claim in claims)
        cursor.execute(_SENT, {"claims": pairs, "now": now})
        (count,) = cursor.fetchone()
    return int(count)


def mark_dropped(claim: Claim, reason: str, now: datetime) -> bool:
    """End the message unsent, for a reason that lies with its recipient."""
    with transaction.atomic():
        note(claim, outcome=Outcome.SKIPPED, detail=reason, now=now)
        return _finish(claim, MessageState.DROPPED, reason, now)


def mark_dead(claim: Claim, outcome: Outcome, reason: str, now: datetime) -> bool:
    """End the message as a dead letter, which waits to be seen and sent again by hand."""
    with transaction.atomic():
        note(claim, outcome=outcome, detail=reason, now=now)
        return _finish(claim, MessageState.DEAD, reason, now)


def mark_failed(claim: Claim, detail: str, again_at: datetime, now: datetime) -> bool:
    """Note a failed try and leave the message queued until `again_at`."""
    with transaction.atomic():
        note(claim, outcome=Outcome.FAILED, detail=detail, now=now)
        return bool(_ours(claim).update(next_attempt_at=again_at, leased_until=None))


def give_back(claim: Claim, now: datetime) -> bool:
    """Return a message untried: its lease is too old to begin a send under it."""
    with transaction.atomic():
        note(claim, outcome=Outcome.SKIPPED, detail="Its turn came too late in the lease.", now=now)
        return bool(_ours(claim).update(leased_until=None, attempts=F("attempts") - 1))


def postpone(claim: Claim, reason: str, until: datetime, now: datetime) -> bool:
    """Return a message untried, to be looked at again at `until`."""
    with transaction.atomic():
        note(claim, outcome=Outcome.SKIPPED, detail=reason, now=now)
        return bool(
            _ours(claim).update(
                leased_until=None, attempts=F("attempts") - 1, next_attempt_at=until
            )
        )


def note(*claims: Claim, outcome: Outcome, detail: str = "", now: datetime) -> None:
    """Write down how the claims' own tries ended, whatever has become of the messages since."""
    tries = _either(Q(message=claim.message_id, number=claim.epoch) for claim in claims)
    Attempt.objects.filter(tries).update(outcome=outcome, detail=detail, finished_at=now)


def lock(messages: QuerySet[Message]) -> list[int]:
    """Lock these messages until the transaction ends and return their ids.

    Always in the order of their ids: a sender that marks and an agent who withdraws the same
    messages at once must wait for each other, never deadlock.
    """
    rows = messages.select_for_update(of=("self",)).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _ours(*claims: Claim) -> QuerySet[Message]:
    return Message.objects.filter(_any(claims), state=MessageState.QUEUED)


def _any(claims: Sequence[Claim]) -> Q:
    return _either(Q(pk=claim.message_id, lease_epoch=claim.epoch) for claim in claims)


def _either(conditions: Iterable[Q]) -> Q:
    return reduce(operator.or_, conditions)


def _finish(claim: Claim, state: MessageState, reason: str, now: datetime) -> bool:
    changed = _ours(claim).update(
        state=state, finished_at=now, finished_reason=reason, leased_until=None
    )
    return bool(changed)
