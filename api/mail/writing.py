"""Puts a mail's words and files on a ticket: as a reply, as a note, or as a ticket of its own."""

from collections.abc import Mapping
from typing import Any, Final

from django.core.files.uploadedfile import SimpleUploadedFile

from api.mail.reading import SEALED, Mail
from roles.instants import TimeSource
from roles.models import Person
from roles.refusals import Refused
from tickets import attachments, lifecycle, states
from tickets.links import link, survivor_of
from tickets.models import Attachment, EventKind, ReceivedMail, Source, Ticket, TimelineEvent
from tickets.opening import open_ticket

VIA: Final = "email"
WORDS_MAX: Final = 20_000
NO_WORDS: Final = "(The mail has no words.)"
NO_WORDS_READ: Final = (
    "(The mail is encrypted, or signed in a form that nothing here opens. It is kept as it came, "
    "with what it holds as files.)"
)
NO_SUBJECT: Final = "Mail without a subject"
CUT: Final = "\n\n[The mail goes on; all of it is kept with the mail.]"
UNPROVEN: Final = (
    "This mail claims to answer an earlier message, but cannot prove it: it came without the "
    "signed address. It was opened as a ticket of its own."
)
STRANGER: Final = (
    "Nobody here had this address. The account was made by the mail; its sender is not verified."
)
FILES: Final = "Files that came with the mail."


def add(
    ticket: Ticket,
    received: ReceivedMail,
    mail: Mail,
    *,
    writer: Person,
    internal: bool,
    clock: TimeSource,
) -> tuple[Ticket, bool, str]:
    """The ticket that has the words now, whether it is new, and what was left out of the files.

    On a ticket that is over, a new one that follows it. Raises what `comment` raises.
    """
    goes_on = survivor_of(ticket)
    if goes_on.status in states.FINAL:
        fresh, left = open_by(received, mail, writer=writer, clock=clock)
        if not goes_on.restricted and not fresh.restricted:
            link(ticket=fresh, other=goes_on, relation="follows", actor=None, clock=clock, via=VIA)
        return fresh, True, left
    files, left = _kept(goes_on, mail, writer, clock)
    _say(
        goes_on,
        _words(received, mail),
        files,
        writer=writer,
        internal=internal,
        facts={"mail": received.pk},
        clock=clock,
    )
    return goes_on, False, left


def open_by(
    received: ReceivedMail,
    mail: Mail,
    *,
    writer: Person,
    is_guest: bool = False,
    is_unproven: bool = False,
    clock: TimeSource,
) -> tuple[Ticket, str]:
    """A new ticket in the writer's name, and what was left out of the files."""
    source = received.source
    ticket = open_ticket(
        subject=received.subject[:250] or NO_SUBJECT,
        description=_words(received, mail),
        requester=writer,
        actor=writer,
        service=source.service,
        team=source.team,
        source=Source.EMAIL,
        tags=[*(["guest"] if is_guest else []), *(["unverified"] if is_unproven else [])],
        clock=clock,
        via=VIA,
    )
    for said in [*([STRANGER] if is_guest else []), *([UNPROVEN] if is_unproven else [])]:
        _note(ticket, said, clock)
    files, left = _kept(ticket, mail, writer, clock)
    if files:
        _say(ticket, FILES, files, writer=writer, clock=clock)
    ticket.refresh_from_db()
    return ticket, left


def note_return(ticket: Ticket, received: ReceivedMail, said: str, *, clock: TimeSource) -> None:
    """Tell on the ticket that a message about it came back; nothing on one that is over."""
    goes_on = survivor_of(ticket)
    if goes_on.status not in states.FINAL:
        _note(goes_on, said, clock, {"returned": received.pk})


def _note(
    ticket: Ticket, said: str, clock: TimeSource, facts: Mapping[str, Any] | None = None
) -> None:
    lifecycle.comment(
        ticket=ticket,
        actor=None,
        text=said,
        public=False,
        facts=facts or {},
        clock=clock,
        via=VIA,
    )


def _say(
    ticket: Ticket,
    words: str,
    files: list[Attachment],
    *,
    writer: Person,
    internal: bool = False,
    facts: Mapping[str, Any] | None = None,
    clock: TimeSource,
) -> None:
    """A comment with its files, so that the chain vouches for their bytes."""
    locked = lifecycle.comment(
        ticket=ticket,
        actor=writer,
        text=words,
        public=not internal,
        facts={**attachments.facts_of(files), **(facts or {})},
        clock=clock,
        via=VIA,
    )
    told = TimelineEvent.objects.filter(ticket=locked.pk, kind=EventKind.COMMENTED)
    attachments.bind(files, told.latest("seq"))


def _kept(
    ticket: Ticket, mail: Mail, writer: Person, clock: TimeSource
) -> tuple[list[Attachment], str]:
    """The files, by the same limits as on the pages, and why some were left out."""
    kept, left = [], []
    for file in mail.files:
        name = attachments.plain_name(file.name)
        try:
            upload = SimpleUploadedFile(name, file.content)
            kept.append(
                attachments.keep_upload(ticket=ticket, actor=writer, upload=upload, clock=clock)
            )
        except Refused as refusal:
            left.append(f"Left out: {refusal.detail}")
    return kept, " ".join(left)[:400]


def _words(received: ReceivedMail, mail: Mail) -> str:
    said = received.text.strip() or (NO_WORDS_READ if SEALED in mail.troubles else NO_WORDS)
    return said if len(said) <= WORDS_MAX else said[: WORDS_MAX - len(CUT)] + CUT
