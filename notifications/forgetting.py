"""What of messages may be let go of after a time: the words of letters that are done with."""

from datetime import datetime

from django.db.models import QuerySet

from notifications.erasing import empty_letters
from notifications.models import Message, MessageState
from roles.retention import Kind


def old_letters(before: datetime) -> QuerySet[Message]:
    """Letters that ended before then and still have their words."""
    done = Message.objects.exclude(state__in=(MessageState.QUEUED, MessageState.DEAD))
    return done.filter(finished_at__lt=before).exclude(subject="", body="")


def _forget_letters(*, before: datetime, limit: int, now: datetime) -> int:
    chosen = list(old_letters(before).order_by("pk").values_list("pk", flat=True)[:limit])
    return empty_letters(Message.objects.filter(pk__in=chosen))


LETTERS = Kind(
    slug="letters",
    label="Words of messages",
    what="Subject and text. To whom each went, over which channel and when, stays.",
    least_days=30,
    count=lambda before, most: old_letters(before).order_by()[:most].count(),
    erase=_forget_letters,
)
"""What the outbox may let go of."""
