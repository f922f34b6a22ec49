"""The only way in for messages: put letters into the outbox, and take stale ones out again."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from notifications import live
from notifications.leases import lock
from notifications.letter import VEILED, Letter
from notifications.models import Message, MessageState
from notifications.spreading import USUAL, spread
from roles.instances import new_row
from roles.ledger import insert_rows
from roles.written import any_of

__all__ = ["VEILED", "Letter", "enqueue", "post", "withdraw"]


def enqueue(letters: Sequence[Letter], *, now: datetime) -> list[Message]:
    """Write the letters into the outbox within the caller's transaction.

    Returns a row for each letter in the order given, where rules make several the first one; a
    letter whose (cause, recipient, channel, rung) is known already gets the row that stands,
    untouched. Raises RuntimeError outside a transaction: a message must never be committed apart
    from its cause.
    """
    if not letters:
        return []
    going = _write(letters, now)
    # Not looked up by key: a row that stands may have been keyed under an earlier address.
    standing = Message.objects.filter(cause__in={letter.cause for letter in letters})
    stored = {_once(message): message for message in standing}
    return [stored[_once(leaving[0])] for leaving in going]


def post(letters: Sequence[Letter], *, now: datetime) -> None:
    """Write the letters into the outbox like `enqueue`, for a caller who asks for no rows."""
    _write(letters, now)


def _write(letters: Sequence[Letter], now: datetime) -> list[list[Letter]]:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Letters must be written in the transaction of their cause.")
    if not letters:
        return []
    going = spread(letters, now)
    every = [letter for leaving in going for letter in leaving]
    rows = {_once(letter): _row(letter_key(letter), letter, now) for letter in every}
    # In one order for everybody, so that two writers of the same causes cannot deadlock.
    insert_rows(Message, [rows[once] for once in sorted(rows)], lenient=True)
    live.wake("messages")
    return going


def _once(of: Letter | Message) -> tuple[str, int, str, int]:
    """What there is at most one message of."""
    return of.cause, of.recipient_id, of.channel, of.rung


def withdraw(
    *,
    topics: Sequence[str],
    reason: str,
    causes: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    now: datetime,
) -> int:
    """Take back the queued messages of some topics and return how many there were.

    `causes` and `kinds` narrow the choice; None means all. A message that a sender holds at this
    very instant is withdrawn too, but may still go out: its row then shows both.
    """
    if not topics:
        return 0
    queued = Message.objects.filter(any_of("topic", topics), state=MessageState.QUEUED)
    if causes is not None:
        queued = queued.filter(cause__in=causes)
    if kinds is not None:
        queued = queued.filter(kind__in=kinds)
    with transaction.atomic(savepoint=False):
        held = lock(queued)
        if not held:
            return 0
        return Message.objects.filter(pk__in=held).update(
            state=MessageState.WITHDRAWN, finished_at=now, finished_reason=reason, leased_until=None
        )


def require_clearance(*, topic: str, clearance: str) -> int:
    """Make every message of a topic, sent ones too, visible to cleared people only.

    For the moment at which a ticket becomes restricted. Returns how many rows it touched.
    """
    others = Message.objects.filter(topic=topic).exclude(clearance=clearance)
    with transaction.atomic():
        return Message.objects.filter(pk__in=lock(others)).update(clearance=clearance)


def was_told(*, topic: str, person_id: int, kinds: Sequence[str]) -> bool:
    """Whether any message of these kinds about the topic was ever meant for this person."""
    return told(person_id=person_id, kinds=kinds).filter(topic=topic).exists()


def told(*, person_id: int, kinds: Sequence[str]) -> QuerySet[Message]:
    """The messages of these kinds that were ever meant for this person."""
    return Message.objects.filter(recipient=person_id, kind__in=kinds)


def letter_key(letter: Letter) -> str:
    """The idempotency key of a letter, distinct between sites; the row keeps it for good."""
    return key_of(letter.cause, letter.recipient_id, letter.channel or USUAL, letter.rung)


def key_of(cause: str, recipient_id: int, channel: str, rung: int) -> str:
    """The idempotency key of whatever tells this person of this cause over this channel."""
    told = f"{cause}\x1f{recipient_id}\x1f{channel}\x1f{rung}"
    return str(uuid5(_site(settings.PUBLIC_URL), told))


@cache
def _site(public_url: str) -> UUID:
    return uuid5(NAMESPACE_URL, public_url)


def _row(key: str, letter: Letter, now: datetime) -> Message:
    return new_row(
        Message,
        key=key,
        topic=letter.topic,
        cause=letter.cause,
        recipient_id=letter.recipient_id,
        channel=letter.channel,
        rung=letter.rung,
        kind=letter.kind,
        urgency=letter.urgency,
        priority=letter.priority,
        subject=letter.subject,
        body=letter.body,
        data=dict(letter.data),
        clearance=letter.clearance,
        not_before=letter.not_before,
        next_attempt_at=max(now, letter.not_before or now),
        created_at=now,
    )
