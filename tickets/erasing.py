"""What tickets hold of people and may let go of: mails as they came, words, bytes of files.

The timeline's own text names nobody but by number, and its chain holds digests of words only, so
that it verifies as before.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from roles.models import Person
from tickets import timeline
from tickets.acting import begin
from tickets.models import (
    Attachment,
    Draft,
    EventBody,
    EventKind,
    Feedback,
    ReceivedMail,
)


def erase_mails_of(*, person: Person, words: bool, now: datetime) -> int:
    """Empty the mails that somebody sent us, with their address; returns how many."""
    theirs = Q(person=person.pk)
    if person.email:
        theirs |= Q(sender__iexact=person.email)
    return empty_mails(ReceivedMail.objects.filter(theirs), senders=True)


def empty_mails(mails: QuerySet[ReceivedMail], *, senders: bool) -> int:
    """Let go of mails as they came; that one came, and what became of it, stays."""
    blank = {"raw": b"", "html": "", "text": "", "rest": ""}
    if senders:
        blank |= {"sender": "", "sender_name": "", "subject": ""}
    return mails.update(**blank)


def erase_words_of(*, person: Person, words: bool, now: datetime) -> int:
    """Let go of what somebody wrote on tickets, where that is asked for, and of their drafts."""
    gone = Draft.objects.filter(person=person.pk).delete()[0]
    if not words:
        return gone
    gone += Feedback.objects.filter(person=person.pk).exclude(comment="").update(comment="")
    bodies = EventBody.objects.filter(event__actor_id=person.pk)
    return gone + bodies.delete()[0]


def erase_files_of(*, person: Person, words: bool, now: datetime) -> int:
    """Destroy the bytes of files that somebody sent, where their words go too."""
    if not words:
        return 0
    found = Attachment.objects.filter(uploader=person.pk, event__isnull=False, erased_at=None)
    return erase_files(found, now=now, because="The person who sent it was erased.")


def erase_files(files: Iterable[Attachment], *, now: datetime, because: str) -> int:
    """Destroy the bytes of these files, each told on its ticket; returns how many.

    Call it in a transaction.
    """
    count = 0
    for each in files:
        act = begin(timeline.lock(each.ticket_id), actor=None, clock=lambda: now)
        each.erased_at = act.now
        each.save(update_fields=["erased_at"])
        storage, name = each.file.storage, each.file.name or ""
        transaction.on_commit(partial(storage.delete, name), robust=True)
        facts = {"file": each.pk, "name": each.name, "because": because}
        act.record(EventKind.FILE_ERASED, facts=facts)
        count += 1
    return count
