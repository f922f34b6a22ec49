"""Turns a mail that came back into a dead letter, with the alarm that every dead letter has."""

from datetime import datetime

from django.db import transaction

from notifications import hooks
from notifications.leases import lock
from notifications.models import Message, MessageState


def note_bounce(message: Message, reason: str, now: datetime) -> bool:
    """Whether the message, which counted as sent, is a dead letter from now on.

    It waits to be seen and sent again; whoever asked to hear of dead letters hears of it.
    """
    message.finished_reason = reason
    with transaction.atomic():
        hooks.announce_dead(message, now)
        held = lock(Message.objects.filter(pk=message.pk, state=MessageState.SENT))
        changed = Message.objects.filter(pk__in=held).update(
            state=MessageState.DEAD, finished_at=now, finished_reason=reason
        )
        transaction.set_rollback(not changed)
    return bool(changed)
