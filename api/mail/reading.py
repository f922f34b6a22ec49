"""Reads raw MIME without trusting any of it; pure, and never refuses: what is wrong is noted."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message as Mime
from typing import Final

from api.mail.charsets import text_of
from api.mail.headers import (
    HEADER_MAX,
    IDENT,
    RECIPIENTS,
    addresses_of,
    clean,
    decoded,
    first_of,
    headers_of,
    moment_of,
    sender_of,
)
from api.mail.plain import text_of_html
from api.mail.reports import Report, report_in

log = logging.getLogger(__name__)

DEPTH_MAX: Final = 20
PARTS_MAX: Final = 200
TEXT_MAX: Final = 1_000_000
HTML_MAX: Final = 2_000_000
IDS_MAX: Final = 50
WORK_MAX: Final = 60_000_000
"""So many comparisons of a line with a boundary are made for one mail: some ten seconds."""
SEALED: Final = "It is encrypted, or signed in a form that nothing here opens."
PACKED: Final = "Its files are packed in a form of Outlook's (winmail.dat)."
SEALED_TYPES: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
PGP: Final = "-----BEGIN PGP MESSAGE-----"
OTHER_CHARACTERS: Final = "A text is not in the characters that it says; some may be wrong."


@dataclass(frozen=True, slots=True)
class File:
    """One attachment: its name as given, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail in plain words; "" and () for what it does not say."""

    message_id: str
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    subject: str
    sent_at: datetime | None
    references: tuple[str, ...]
    headers: dict[str, str]
    text: str
    html: str
    files: tuple[File, ...]
    report: Report | None
    troubles: tuple[str, ...]


def read(raw: bytes) -> Mail:
    """The mail, as far as it can be read; `troubles` says in sentences what could not."""
    troubles: list[str] = []
    # Zeros have no place in mail, and where they stand in a header the parser stumbles over them.
    for content in (raw, raw.replace(b"\x00", b"")):
        try:
            _require_little(content)
            return _read(message_from_bytes(content), troubles)
        except Exception as problem:
            # Whatever it is: one mail that cannot be read must keep none of the others waiting.
            log.info("a mail cannot be read", exc_info=problem)
            trouble = f"It cannot be read as mail: {type(problem).__name__}."
    troubles.append(trouble)
    head = raw[:HEADER_MAX].decode("latin-1")
    return _nothing(first_of(head, "message-id"), clean(first_of(head, "subject"), 500), troubles)


def _require_little(content: bytes) -> None:
    """Raise ValueError for a mail that would be read for hours.

    The parser compares each line with the boundaries of all parts around it.
    """
    around = min(content.lower().count(b"boundary"), sys.getrecursionlimit())
    if content.count(b"\n") * (around + 4) > WORK_MAX:
        raise ValueError("more lines and parts than anybody writes")


def _read(mime: Mime, troubles: list[str]) -> Mail:
    headers = headers_of(mime)
    parts = list(_leaves(mime, troubles))
    texts, pages, files = _sorted(parts, troubles)
    sender_name, sender = sender_of(mime)
    text = "\n\n".join(texts).strip()
    html = "\n".join(pages)[:HTML_MAX]
    if not text and html:
        text = text_of_html(html)
    if not sender:
        troubles.append("It names no sender.")
    kinds = {mime.get_content_type(), *(part.get_content_type() for part in parts)}
    if kinds & SEALED_TYPES or "multipart/encrypted" in kinds or PGP in text:
        troubles.append(SEALED)
    if kinds & {"application/ms-tnef", "application/vnd.ms-tnef"}:
        troubles.append(PACKED)
    found = " ".join(headers.get(name, "") for name in ("references", "in-reply-to"))
    return Mail(
        message_id=next(iter(IDENT.findall(headers.get("message-id", ""))), ""),
        sender=sender,
        sender_name=sender_name,
        recipients=tuple(address for _, address in addresses_of(mime, *RECIPIENTS)),
        subject=clean(headers.get("subject", ""), 500),
        sent_at=moment_of(headers.get("date", "")),
        references=tuple(IDENT.findall(found)[-IDS_MAX:]),
        headers=headers,
        text=text[:TEXT_MAX],
        html=html,
        files=tuple(files),
        report=report_in(mime, parts, headers, text),
        troubles=tuple(dict.fromkeys(troubles)),
    )


def _nothing(message_id: str, subject: str, troubles: list[str]) -> Mail:
    return Mail(
        message_id=next(iter(IDENT.findall(message_id)), ""),
        sender="",
        sender_name="",
        recipients=(),
        subject=subject,
        sent_at=None,
        references=(),
        headers={},
        text="",
        html="",
        files=(),
        report=None,
        troubles=tuple(troubles),
    )


# ---- Parts ----


def _leaves(mime: Mime, troubles: list[str]) -> Iterator[Mime]:
    """The parts that hold something, in their order; a mail inside the mail is one of them."""
    waiting: list[tuple[Mime, int]] = [(mime, 0)]
    seen = 0
    while waiting:
        part, depth = waiting.pop()
        held = part.get_payload()
        if part.get_content_maintype() != "multipart" or not isinstance(held, list):
            seen += 1
            if seen > PARTS_MAX:
                troubles.append(f"More than {PARTS_MAX} parts: the rest was not looked at.")
                return
            yield part
        elif depth >= DEPTH_MAX:
            troubles.append(f"Parts more than {DEPTH_MAX} deep were not looked at.")
        else:
            waiting += [(each, depth + 1) for each in reversed(held) if isinstance(each, Mime)]


def _sorted(parts: list[Mime], troubles: list[str]) -> tuple[list[str], list[str], list[File]]:
    """The plain texts, the pages of HTML, and everything else as files."""
    texts: list[str] = []
    pages: list[str] = []
    files: list[File] = []
    for part in parts:
        kind, name = part.get_content_type(), _name(part)
        is_file = bool(name) or part.get_content_disposition() == "attachment"
        if kind.startswith("message/") or kind == "text/rfc822-headers":
            if kind == "message/rfc822":
                files.append(File(name or "forwarded.eml", _whole(part)))
            continue
        content = _bytes(part, troubles)
        if kind == "text/plain" and not is_file:
            texts.append(_text(content, part, troubles))
        elif kind == "text/html" and not is_file:
            pages.append(_text(content, part, troubles))
        elif content:
            files.append(File(name or f"part.{kind.partition('/')[2][:10]}", content))
    return texts, pages, files


def _name(part: Mime) -> str:
    try:
        return clean(decoded(part.get_filename() or ""), 200)
    except (ValueError, LookupError, TypeError):
        return "file"


def _whole(part: Mime) -> bytes:
    held = part.get_payload()
    inside = held[0] if isinstance(held, list) and held else part
    try:
        return inside.as_bytes() if isinstance(inside, Mime) else b""
    except (ValueError, LookupError, TypeError, UnicodeError, RecursionError):
        return str(held).encode("utf-8", "replace")


def _bytes(part: Mime, troubles: list[str]) -> bytes:
    try:
        found = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, UnicodeError):
        troubles.append("A part is not encoded as it says.")
        # Asked for its payload once more it would fail in the same way.
        found = str(vars(part).get("_payload", "")).encode("utf-8", "surrogateescape")
    return found if isinstance(found, bytes) else b""


def _charset(part: Mime) -> str:
    try:
        return part.get_content_charset() or "utf-8"
    except (ValueError, LookupError, TypeError, UnicodeError):
        return "utf-8"


def _text(content: bytes, part: Mime, troubles: list[str]) -> str:
    found, is_so = text_of(content, _charset(part))
    if not is_so:
        troubles.append(OTHER_CHARACTERS)
    return found
