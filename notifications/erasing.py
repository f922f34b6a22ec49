"""What the outbox holds of people and may let go of: addresses, ways, and the words of letters."""

from datetime import datetime

from django.db.models import QuerySet

from notifications.models import ContactMethod, Message, MessageState, Ways
from roles.models import Person


def erase_addresses_of(*, person: Person, words: bool, now: datetime) -> int:
    """Delete where and how somebody was reached; returns how many rows that were."""
    return (
        ContactMethod.objects.filter(person=person.pk).delete()[0]
        + (Ways.objects.filter(person=person.pk).delete()[0])
    )


def erase_letters_to(*, person: Person, words: bool, now: datetime) -> int:
    """Withdraw what still waits for somebody, and let go of the words of all that was for them."""
    theirs = Message.objects.filter(recipient=person.pk)
    theirs.filter(state=MessageState.QUEUED).update(
        state=MessageState.WITHDRAWN,
        finished_at=now,
        finished_reason="the recipient was erased",
        leased_until=None,
    )
    return empty_letters(theirs)


def empty_letters(letters: QuerySet[Message]) -> int:
    """Let go of the words of letters; that they were sent, when and how, stays."""
    return letters.exclude(subject="", body="").update(subject="", body="")
