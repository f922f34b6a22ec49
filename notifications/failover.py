"""When a channel fails a page, the next one is tried at once instead of at its own time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from notifications.addresses import usable_channels
from notifications.channels.registry import CHANNELS
from notifications.leases import lock
from notifications.letter import Letter
from notifications.models import Message, MessageState, Urgency
from notifications.outbox import post
from notifications.spreading import CODE, TEST

TOLD_ELSEWHERE: Final = "Told over another channel instead, which took it."
LOUDEST_FIRST: Final = ("push", "slack", "mattermost", "teams", "apprise", "sms", "voice", "email")
"""In which order other channels stand in where a person's rules name none that is left."""


def fall_over(message: Message, now: datetime) -> bool:
    """Bring the next channel for this urgent message forward; whether there was one.

    What the person's own rules planned for later goes now; where they planned nothing more, the
    first verified channel that this cause has not used yet is taken. The failed message itself
    goes on being tried until the other one has been handed over.
    """
    if message.urgency != Urgency.HIGH or message.kind in (CODE, TEST):
        return False
    with transaction.atomic():
        near = Message.objects.filter(
            cause=message.cause, recipient=message.recipient_id, rung=message.rung
        ).exclude(pk=message.pk)
        waiting = near.filter(state=MessageState.QUEUED, not_before__gt=now, attempts=0)
        planned = lock(waiting)
        if planned:
            first = waiting.filter(pk__in=planned).order_by("not_before", "pk").values("pk")[:1]
            return bool(
                Message.objects.filter(pk__in=first).update(not_before=now, next_attempt_at=now)
            )
        return _another(message, set(near.values_list("channel", flat=True)), now)


def drop_stood_in(told: Sequence[Message], now: datetime) -> int:
    """End what failed on one channel and has been told on another by now; how many there were.

    A page tells what the earlier ones about the same thing would. Nobody whom nothing reached for
    an hour so gets everything once on each channel. One query where there is nothing to end.
    """
    loud = [message for message in told if message.urgency == Urgency.HIGH]
    if not loud:
        return 0
    failing = Message.objects.filter(
        topic__in={message.topic for message in loud},
        recipient__in={message.recipient_id for message in loud},
        urgency=Urgency.HIGH,
        state=MessageState.QUEUED,
        attempts__gt=0,
        leased_until=None,
    )
    ids = [row.pk for row in failing if any(_covers(message, row) for message in loud)]
    if not ids:
        return 0
    with transaction.atomic():
        held = lock(failing.filter(pk__in=ids))
        return Message.objects.filter(pk__in=held).update(
            state=MessageState.DROPPED, finished_at=now, finished_reason=TOLD_ELSEWHERE
        )


def _covers(told: Message, waiting: Message) -> bool:
    """Whether what was told says what waits on another channel."""
    to_same = (told.topic, told.recipient_id) == (waiting.topic, waiting.recipient_id)
    is_later = told.kind == waiting.kind and told.pk > waiting.pk
    said = told.cause == waiting.cause or is_later
    return to_same and said and told.channel != waiting.channel


def _another(message: Message, used: set[str], now: datetime) -> bool:
    usable = usable_channels([message.recipient_id])[message.recipient_id]
    if message.recipient.email:
        usable.add("email")
    left = usable - used - {message.channel}
    channel = next((name for name in LOUDEST_FIRST if name in left and name in CHANNELS), None)
    if channel is None:
        return False
    post([_same(message, channel)], now=now)
    return True


def _same(message: Message, channel: str) -> Letter:
    return Letter(
        topic=message.topic,
        cause=message.cause,
        recipient_id=message.recipient_id,
        kind=message.kind,
        subject=message.subject,
        body=message.body,
        urgency=message.urgency,
        priority=message.priority,
        channel=channel,
        rung=message.rung,
        clearance=message.clearance,
        data=message.data,
    )
