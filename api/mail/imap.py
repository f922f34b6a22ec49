"""Fetches mail from a mailbox over TLS: each is kept by us before the mailbox is told so.

What the mailbox is told (a flag, or a move to another folder) comes after our commit. A crash in
between only shows the mail once more, and then it is known by its Message-ID.
"""

import imaplib
import logging
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from django.db import connection

from api.mail.taking import BYTES_MAX, Place, take_in
from notifications.faults import crash_here
from roles.instants import TimeSource, database_now
from tickets.models import MailSource

log = logging.getLogger(__name__)

TAKEN: Final = "TierlineTaken"
"""The keyword on a mail that is kept here; other programs may read the same mailbox."""
TIMEOUT_S: Final = 20
AT_ONCE: Final = 200
ROUND_S: Final = 20.0
"""No further mail is begun after so long: the task that fetches has an end, and comes again."""
LOCK: Final = 0x6D61_696C
NUMBER: Final = re.compile(rb"\d+")


class BadBox(Exception):
    """The mailbox cannot be used; the text says why, without its password."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where mail is fetched: `done` is the folder that it is moved to, "" to leave it flagged."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    done: str = ""
    starttls: bool = False
    cafile: str = ""


def box_of(address: str) -> Box:
    """The mailbox in `imaps://user:password@host/INBOX?done=Done`, or `imap://` with STARTTLS.

    Never without TLS. Raises BadBox.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise BadBox("The address of the mailbox is not readable.") from None
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username:
        raise BadBox("A mailbox is written imaps://USER:PASSWORD@HOST/FOLDER.")
    query = parse_qs(parts.query)
    return Box(
        host=parts.hostname,
        port=port or (993 if parts.scheme == "imaps" else 143),
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        done=query.get("done", [""])[0],
        starttls=parts.scheme == "imap",
        cafile=query.get("ca", [""])[0],
    )


def poll(source: MailSource, box: Box, *, clock: TimeSource = database_now) -> int:
    """How many mails were fetched; 0 also where somebody else is fetching from the same source.

    Raises BadBox, having noted why on the source.
    """
    with _alone(source) as mine:
        if not mine:
            return 0
        _note(source, clock)  # the others come first, should this round be cut off
        try:
            found = _poll(source, box, clock)
        except (imaplib.IMAP4.error, OSError, BadBox) as problem:
            said = str(problem).replace(box.password, "…") if box.password else str(problem)
            _note(source, clock, trouble=f"{type(problem).__name__}: {said}"[:300])
            raise BadBox(said) from None
        _note(source, clock, trouble="")
        return found


def _note(source: MailSource, clock: TimeSource, **values: Any) -> None:
    MailSource.objects.filter(pk=source.pk).update(polled_at=clock(), **values)


@contextmanager
def _alone(source: MailSource) -> Iterator[bool]:
    """Whether no other process fetches from this source until the end of the block."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, source.pk])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, source.pk])


def _poll(source: MailSource, box: Box, clock: TimeSource) -> int:
    with _connected(box) as imap:
        validity, keeps_flags = _select(imap, box.folder)
        if source.uid_validity != validity:
            # The numbers mean other mails now; those that are kept already are known by their ids.
            source.uid_validity, source.last_uid = validity, 0
            _note(source, clock, uid_validity=validity, last_uid=0)
        uids = _waiting(imap, source.last_uid, keeps_flags)
        taken, begun = 0, monotonic()
        for uid in uids[:AT_ONCE]:
            if monotonic() - begun > ROUND_S:
                break
            raw = _fetch(imap, uid)
            if raw is not None:
                take_in(source=source, raw=raw, place=Place("imap", validity, uid), clock=clock)
                crash_here("mail_kept_before_flag")
                _finish(imap, uid, box.done, keeps_flags)
            source.last_uid = max(source.last_uid, uid)
            _note(source, clock, last_uid=source.last_uid)
            taken += 1
        return taken


@contextmanager
def _connected(box: Box) -> Iterator[imaplib.IMAP4]:
    context = ssl.create_default_context(cafile=box.cafile or None)
    imap: imaplib.IMAP4
    if box.starttls:
        imap = imaplib.IMAP4(box.host, box.port, timeout=TIMEOUT_S)
    else:
        imap = imaplib.IMAP4_SSL(box.host, box.port, ssl_context=context, timeout=TIMEOUT_S)
    try:
        if box.starttls:
            imap.starttls(ssl_context=context)
        imap.login(box.user, box.password)
        yield imap
    finally:
        try:
            imap.logout()
        except (imaplib.IMAP4.error, OSError):
            log.debug("the mailbox %s did not say good-bye", box.host)


def _select(imap: imaplib.IMAP4, folder: str) -> tuple[int, bool]:
    """The folder's UIDVALIDITY, and whether a flag of our own stays on its mails."""
    _ok(imap.select(_quoted(folder)), f"There is no folder {folder}.")
    told = imap.response("UIDVALIDITY")[1]
    if not told or not told[0]:
        raise BadBox("The mailbox gives its mails no lasting numbers.")
    permanent = b" ".join(part for part in imap.response("PERMANENTFLAGS")[1] or () if part)
    return int(told[0]), rb"\*" in permanent or TAKEN.encode() in permanent


def _waiting(imap: imaplib.IMAP4, last_uid: int, keeps_flags: bool) -> list[int]:
    """The numbers of the mails that are not kept here yet, in their order."""
    if keeps_flags:
        answer = imap.uid("SEARCH", "UNKEYWORD", TAKEN, "UNDELETED")
    else:
        answer = imap.uid("SEARCH", "UID", f"{last_uid + 1}:*")
    found = _ok(answer, "The mailbox cannot be searched.")
    uids = [int(uid) for part in found if part for uid in NUMBER.findall(part)]
    # "5:*" names the last mail also where its number is lower.
    return sorted(uid for uid in uids if keeps_flags or uid > last_uid)


def _fetch(imap: imaplib.IMAP4, uid: int) -> bytes | None:
    """The mail, or as much of it as is kept at most; None when it is gone."""
    found = _ok(
        imap.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{BYTES_MAX + 1}>)"), "A mail cannot be read."
    )
    return next((part[1] for part in found if isinstance(part, tuple)), None)


def _finish(imap: imaplib.IMAP4, uid: int, done: str, keeps_flags: bool) -> None:
    """Tell the mailbox that the mail is kept: moved, or flagged."""
    if not done:
        flags = rf"({TAKEN} \Seen)" if keeps_flags else r"(\Seen)"
        _ok(imap.uid("STORE", str(uid), "+FLAGS", flags), "A mail cannot be flagged.")
        return
    if imap.uid("COPY", str(uid), _quoted(done))[0] != "OK":
        imap.create(_quoted(done))
        _ok(imap.uid("COPY", str(uid), _quoted(done)), f"Mail cannot be moved to {done}.")
    _ok(imap.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)"), "A mail cannot be moved.")
    if "UIDPLUS" in imap.capabilities:
        _ok(imap.uid("EXPUNGE", str(uid)), "A mail cannot be moved.")
    else:
        _ok(imap.expunge(), "A mail cannot be moved.")


def _ok(answer: tuple[str, list[Any]], trouble: str) -> list[Any]:
    if answer[0] != "OK":
        raise BadBox(trouble)
    return answer[1]


def _quoted(name: str) -> str:
    plain = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
