"""Files that go with a reply or a note: taken in, checked, bound to the event, and found again."""

import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import states
from tickets.access import may
from tickets.acting import acting, required
from tickets.models import Attachment, EventKind, Ticket, TimelineEvent

PLAIN: Final = "application/octet-stream"
MOST_FILES: Final = 10
UNSENT_FOR: Final = timedelta(days=7)
IMAGES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
PROGRAMS: Final = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")
ENDINGS: Final = frozenset(
    {
        *("app", "bat", "cmd", "com", "cpl", "exe", "hta", "jar", "js", "jse", "lnk", "msi", "msp"),
        *("pif", "ps1", "reg", "scr", "vb", "vbe", "vbs", "wsf", "wsh"),
    }
)
"""Kinds of file that run when opened by mistake; OWASP's file upload cheat sheet names most."""


def keep_upload(
    *,
    ticket: Ticket,
    actor: Person,
    upload: UploadedFile,
    clock: TimeSource = database_now,
) -> Attachment:
    """Keep a file for a reply or note that the actor is writing; it goes out with that.

    Nothing is told yet. Raises Forbidden for who may not write here, Conflict for a ticket that is
    over, Invalid for a file that is empty, too large, a program, or one too many.
    """
    if not (may(actor, "comment_public", ticket) or may(actor, "comment_internal", ticket)):
        raise Forbidden("not_allowed", f"You may not write on {ticket.key}.")
    if ticket.status in states.FINAL:
        raise Conflict("final", f"{ticket.key} is closed; open a new ticket that follows it.")
    now = clock()
    _forget_unsent(actor, now - UNSENT_FOR)
    if unsent(ticket, actor).count() >= MOST_FILES:
        raise Invalid("too_many", f"At most {MOST_FILES} files go with one message.")
    name = plain_name(upload.name or "")
    media_type, digest = _examined(name, upload)
    return Attachment.objects.create(
        ticket=ticket,
        uploader=actor,
        name=name,
        media_type=media_type,
        size=upload.size or 0,
        sha256=digest,
        file=upload,
        added_at=now,
    )


def plain_name(name: str) -> str:
    """A file's name without folders and without characters that hide how it ends."""
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip(" .")
    stem, dot, ending = shown.rpartition(".")
    if len(shown) > 120:
        shown = f"{(stem or ending)[:100]}{dot}{ending[:19]}" if dot else shown[:120]
    return shown or "file"


def unsent(ticket: Ticket, actor: Person) -> QuerySet[Attachment]:
    """The files that wait for what this person is writing on this ticket."""
    return Attachment.objects.filter(ticket=ticket.pk, uploader=actor.pk, event=None)


def drop_upload(*, ticket: Ticket, actor: Person, attachment_id: int) -> bool:
    """Forget a file that has not been sent; whether there was one."""
    with transaction.atomic():
        found = unsent(ticket, actor).filter(pk=attachment_id).select_for_update().first()
        if found is None:
            return False
        _forget(found)
        return True


def taken(ticket: Ticket, actor: Person, ids: Sequence[int]) -> list[Attachment]:
    """Those of the actor's unsent files that go with a message, locked. Raises Invalid."""
    wanted = set(ids)
    rows = unsent(ticket, actor).filter(pk__in=wanted).select_for_update(no_key=True)
    found = list(rows.order_by("pk"))
    if len(found) < len(wanted):
        raise Invalid("no_file", "A file is not there any more; attach it again.")
    return found


def facts_of(files: Sequence[Attachment]) -> dict[str, Any]:
    """What the event tells of its files, so that the chain vouches for their bytes."""
    if not files:
        return {}
    return {
        "files": [
            {
                "id": each.pk,
                "name": each.name,
                "size": each.size,
                "type": each.media_type,
                "sha256": each.sha256,
            }
            for each in files
        ]
    }


def bind(files: Sequence[Attachment], event: TimelineEvent) -> None:
    """Let the files belong to the event with which they have been sent."""
    ids = [each.pk for each in files]
    Attachment.objects.filter(pk__in=ids).update(event=event, ticket=event.ticket_id)


def erase_file(
    *,
    ticket: Ticket,
    actor: Person,
    attachment_id: int,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Attachment:
    """Destroy the bytes of a file that was sent; that there was one stays on the timeline.

    Raises Forbidden, Invalid without a reason and where the ticket has no such file any more.
    """
    with acting(ticket, actor=actor, action="erase_file", clock=clock, via=via) as act:
        because = required(reason, "reason", 2000)
        sent = erasable(act.ticket).select_for_update(of=("self",))
        found = sent.filter(pk=attachment_id).first()
        if found is None:
            raise Invalid("no_file", "There is no such file any more.", {"file": "Choose another."})
        found.erased_at = act.now
        found.save(update_fields=["erased_at"])
        storage, name = found.file.storage, found.file.name or ""
        transaction.on_commit(lambda: storage.delete(name), robust=True)
        act.record(
            EventKind.FILE_ERASED,
            facts={"file": found.pk, "name": found.name, "because": because},
        )
        return found


def erasable(ticket: Ticket) -> QuerySet[Attachment]:
    """The files that have been sent on the ticket and are still there."""
    return Attachment.objects.filter(ticket=ticket.pk, event__isnull=False, erased_at=None)


def _examined(name: str, upload: UploadedFile) -> tuple[str, str]:
    """The media type by the first bytes, and the SHA-256 in hex. Raises Invalid."""
    limit = settings.ATTACHMENT_MAX_MB * 1024 * 1024
    if not upload.size:
        raise Invalid("empty_file", f"{name} is empty.")
    if upload.size > limit:
        raise Invalid("too_large", f"{name} is larger than {settings.ATTACHMENT_MAX_MB} MB.")
    digest, head = hashlib.sha256(), b""
    for chunk in upload.chunks():
        head = head or chunk[:16]
        digest.update(chunk)
    upload.seek(0)
    if name.rpartition(".")[2].lower() in ENDINGS or head.startswith(PROGRAMS):
        raise Invalid("program", f"{name} is a program; put it into an archive, or send a link.")
    return _media_type(head), digest.hexdigest()


def _media_type(head: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in IMAGES if head.startswith(start)), PLAIN)


def _forget_unsent(actor: Person, before: Any) -> None:
    """Forget files that this person uploaded long ago and never sent."""
    for old in Attachment.objects.filter(uploader=actor.pk, event=None, added_at__lt=before):
        _forget(old)


def _forget(attachment: Attachment) -> None:
    storage, name = attachment.file.storage, attachment.file.name or ""
    attachment.delete()
    transaction.on_commit(lambda: storage.delete(name), robust=True)
