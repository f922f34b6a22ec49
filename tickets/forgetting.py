"""What of closed tickets may be let go of after a time: mails as they came, files, words."""

from datetime import datetime

from django.db.models import Q, QuerySet

from roles.retention import Kind
from tickets import states
from tickets.erasing import empty_mails, erase_files
from tickets.models import Attachment, EventBody, ReceivedMail


def _ended(before: datetime, place: str = "") -> Q:
    """Tickets that were closed or cancelled before then, and have been left alone since."""
    return Q(**{f"{place}status__in": sorted(states.FINAL), f"{place}status_since__lt": before})


def old_mails(before: datetime) -> QuerySet[ReceivedMail]:
    """Mails that are still there as they came, of tickets long closed or of none."""
    loose = Q(ticket=None, settled_at__lt=before)
    return ReceivedMail.objects.filter(_ended(before, "ticket__") | loose).exclude(raw=b"")


def old_files(before: datetime) -> QuerySet[Attachment]:
    """Files of tickets long closed whose bytes are still there."""
    return Attachment.objects.filter(
        _ended(before, "ticket__"), event__isnull=False, erased_at=None
    )


def old_words(before: datetime) -> QuerySet[EventBody]:
    """Words on the timelines of tickets long closed."""
    return EventBody.objects.filter(_ended(before, "event__ticket__"))


def _forget_mails(*, before: datetime, limit: int, now: datetime) -> int:
    chosen = list(old_mails(before).order_by("pk").values_list("pk", flat=True)[:limit])
    return empty_mails(ReceivedMail.objects.filter(pk__in=chosen), senders=False)


def _forget_files(*, before: datetime, limit: int, now: datetime) -> int:
    chosen = list(old_files(before).order_by("ticket_id", "pk")[:limit])
    because = "Its time was over, as an administrator has set it."
    return erase_files(chosen, now=now, because=because)


def _forget_words(*, before: datetime, limit: int, now: datetime) -> int:
    chosen = list(old_words(before).order_by("pk").values_list("pk", flat=True)[:limit])
    return EventBody.objects.filter(pk__in=chosen).delete()[0]


KINDS = (
    Kind(
        slug="mails",
        label="Mails as they came",
        what="Their raw text, HTML and quotes. What they said stays on the ticket.",
        least_days=30,
        count=lambda before, most: old_mails(before).order_by()[:most].count(),
        erase=_forget_mails,
    ),
    Kind(
        slug="files",
        label="Files on closed tickets",
        what="Their bytes. That there was a file, and its name, stays on the timeline.",
        least_days=30,
        count=lambda before, most: old_files(before).order_by()[:most].count(),
        erase=_forget_files,
    ),
    Kind(
        slug="words",
        label="Words on closed tickets",
        what="What people wrote on the timeline. Who did what and when stays, and verifies.",
        least_days=90,
        count=lambda before, most: old_words(before).order_by()[:most].count(),
        erase=_forget_words,
    ),
)
"""What tickets may let go of, and how long it is needed at least."""
