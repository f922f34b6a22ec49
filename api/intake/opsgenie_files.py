"""Opsgenie's attachments: a file that a sender adds goes to the alert's ticket, in a note."""

import re
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse

from api.intake.door import Fault
from api.intake.opsgenie import Unprocessable
from api.intake.opsgenie_door import PRODUCT, Asker, alert_named, told
from api.intake.opsgenie_reads import one_of
from api.intake.reading import text
from roles.refusals import Forbidden, Refused
from tickets import alertedits, receipts
from tickets.attachments import bind, facts_of, keep_upload
from tickets.lifecycle import comment
from tickets.models import Alert, Attachment, EventKind, TimelineEvent

PLACE: Final = re.compile(r"(?P<name>.+)/attachments/(?P<file>\d{1,18})/?", re.DOTALL)
ROOM: Final = 100_000
"""So much longer than its file may the body of a form be."""


def split(asker: Asker, rest: str) -> tuple[str, int] | None:
    """The alert's name and the file's number, where an address ends in one; None for another."""
    found = PLACE.fullmatch(rest)
    if found is None or alert_named(asker, rest) is not None:
        return None
    return found["name"], int(found["file"])


def add(asker: Asker, name: str) -> HttpResponse:
    """Put the form's `file` on the alert's ticket, as an internal note. Raises Fault."""
    most = settings.ATTACHMENT_MAX_MB * 1024 * 1024 + ROOM
    length = asker.request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > most:
        raise Fault(413, f"A file has at most {settings.ATTACHMENT_MAX_MB} MB.")
    alert = one_of(asker, name)
    upload = asker.request.FILES.get("file")
    if upload is None:
        raise Unprocessable(file="File can not be empty.")
    try:
        kept = _attach(asker, alert, upload, by=text(asker.request.POST.get("user"))[:100])
    except Forbidden as refusal:
        raise Fault(403, refusal.detail) from None
    except Refused as refusal:
        raise Unprocessable(file=refusal.detail) from None
    receipts.note(
        asker.source,
        door=PRODUCT,
        act="AddAttachment",
        status=201,
        outcome=receipts.Kinds.ACCEPTED,
        told=f"{kept.name} was attached",
        alert_id=alert.pk,
    )
    return told(asker, {"id": str(kept.pk)}, status=201, result="Created")


def listed(asker: Asker, name: str) -> HttpResponse:
    """The files that senders have added to the alert; what people attach is theirs."""
    rows = Attachment.objects.filter(pk__in=_numbers(one_of(asker, name)), erased_at=None)
    return told(asker, [{"name": row.name, "id": str(row.pk)} for row in rows.order_by("pk")])


def get(asker: Asker, name: str, number: int) -> HttpResponse:
    """One of them, and where people who may read the ticket find it."""
    row = _one(one_of(asker, name), number)
    where = f"{settings.PUBLIC_URL}/tickets/{row.ticket.key}/files/{row.pk}"
    return told(asker, {"name": row.name, "url": where})


def drop(asker: Asker, name: str, number: int) -> HttpResponse:
    """Tell of one no more; it stays on the ticket, as a deleted alert does."""
    alert = one_of(asker, name)
    row = _one(alert, number)
    alertedits.mark(alert, files=[pk for pk in _numbers(alert) if pk != row.pk])
    return told(asker, {}, result="Deleted")


def _attach(asker: Asker, alert: Alert, upload: UploadedFile, *, by: str) -> Attachment:
    if alert.ticket is None:
        raise Fault(422, "The alert has no ticket that could keep a file.")
    account = asker.source.requester
    with transaction.atomic():
        kept = keep_upload(ticket=alert.ticket, actor=account, upload=upload)
        words = f"{by or asker.source.name} attached {kept.name}"
        facts, ticket = facts_of([kept]), alert.ticket
        said = comment(
            ticket=ticket, actor=None, text=words, public=False, facts=facts, via="monitor"
        )
        events = TimelineEvent.objects.filter(ticket=said.pk, kind=EventKind.COMMENTED)
        bind([kept], events.latest("seq"))
        alertedits.mark(alert, files=[*_numbers(alert), kept.pk])
    return kept


def _numbers(alert: Alert) -> list[Any]:
    return list(alert.marks.get("files", ()))


def _one(alert: Alert, number: int) -> Attachment:
    rows = Attachment.objects.filter(pk=number, erased_at=None).select_related("ticket")
    row = rows.first() if number in _numbers(alert) else None
    if row is None:
        raise Fault(404, f"Attachment with id [{number}] does not exist.")
    return row
