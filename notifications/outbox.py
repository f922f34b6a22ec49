"""The only way in for messages: put letters into the outbox, and take stale ones out again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from notifications import live
from notifications.leases import lock
from notifications.models import Message, MessageState
from roles.instances import new_row
from roles.ledger import insert_rows

VEILED: Final[Mapping[str, Any]] = {"veiled": True}
"""As its `data`, marks a letter to people who may not know which case it is about: whoever looks
after the outbox is not shown its topic and cause either."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What to tell whom and why; the caller has written every word that will be read.

    `topic` and `cause` are opaque here. `clearance` is the topic that the reader must be cleared
    for ("" for none); it is checked again at the moment of sending. `priority` runs from 1, the
    most urgent, to 5. `data` may carry `ack` (offer an acknowledge link), `links` (labels of
    further signed links by their action) and `url` (the path that "Open" leads to).
    """

    topic: str
    cause: str
    recipient_id: int
    kind: str
    subject: str
    body: str
    urgency: str = "low"
    priority: int = 3
    channel: str = "email"
    rung: int = 0
    clearance: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    not_before: datetime | None = None


def enqueue(letters: Sequence[Letter], *, now: datetime) -> list[Message]:
    """Write the letters into the outbox within the caller's transaction.

    Returns the row of each letter in the order given; a letter whose (cause, recipient, channel,
    rung) is known already gets the row that stands, untouched. Raises RuntimeError outside a
    transaction: a message must never be committed apart from its cause.
    """
    if not letters:
        return []
    post(letters, now=now)
    # Not looked up by key: a row that stands may have been keyed under an earlier address.
    standing = Message.objects.filter(cause__in={letter.cause for letter in letters})
    stored = {_once(message): message for message in standing}
    return [stored[_once(letter)] for letter in letters]


def post(letters: Sequence[Letter], *, now: datetime) -> None:
    """Write the letters into the outbox like `enqueue`, for a caller who asks for no rows."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Letters must be written in the transaction of their cause.")
    rows = {_once(letter): _row(letter_key(letter), letter, now) for letter in letters}
    if rows:
        # In one order for everybody, so that two writers of the same causes cannot deadlock.
        insert_rows(Message, [rows[once] for once in sorted(rows)], lenient=True)
        live.wake("messages")


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
    queued = Message.objects.filter(topic__in=topics, state=MessageState.QUEUED)
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
    return key_of(letter.cause, letter.recipient_id, letter.channel, letter.rung)


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
