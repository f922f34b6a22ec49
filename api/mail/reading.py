"""Reads raw MIME without trusting any of it; pure, and never refuses: what is wrong is noted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import Message as Mime
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any, Final

from api.mail.plain import text_of_html

DEPTH_MAX: Final = 20
PARTS_MAX: Final = 200
TEXT_MAX: Final = 1_000_000
HTML_MAX: Final = 2_000_000
HEADER_MAX: Final = 20_000
ADDRESSES_MAX: Final = 100
IDS_MAX: Final = 50
IDENT: Final = re.compile(r"<[^<>\s]{1,500}>")
RECIPIENTS: Final = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "resent-to")
REPORT_FIELDS: Final = ("final-recipient", "action", "status", "diagnostic-code")
BROKEN: Final = (RecursionError, ValueError, LookupError, TypeError, AttributeError)
MOMENT_MIN: Final = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class File:
    """One attachment: its name as given, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail server says of a mail that it could not deliver (RFC 3464)."""

    action: str
    recipient: str
    status: str
    diagnostic: str
    ids: tuple[str, ...]
    """The Message-IDs in the headers of the mail that came back."""


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
            return _read(message_from_bytes(content), troubles)
        except BROKEN as problem:
            trouble = f"It cannot be read as mail: {type(problem).__name__}."
    troubles.append(trouble)
    head = raw[:HEADER_MAX].decode("latin-1")
    return _nothing(_first(head, "message-id"), clean(_first(head, "subject"), 500), troubles)


def _read(mime: Mime, troubles: list[str]) -> Mail:
    headers = _headers(mime)
    parts = list(_leaves(mime, troubles))
    texts, pages, files = _sorted(parts, troubles)
    sender_name, sender = (_addresses(headers.get("from", "")) or [("", "")])[0]
    text = "\n\n".join(texts).strip()
    html = "\n".join(pages)[:HTML_MAX]
    if not text and html:
        text = text_of_html(html)
    if not sender:
        troubles.append("It names no sender.")
    found = " ".join(headers.get(name, "") for name in ("references", "in-reply-to"))
    return Mail(
        message_id=next(iter(IDENT.findall(headers.get("message-id", ""))), ""),
        sender=sender,
        sender_name=sender_name,
        recipients=tuple(
            address for name in RECIPIENTS for _, address in _addresses(headers.get(name, ""))
        ),
        subject=clean(headers.get("subject", ""), 500),
        sent_at=_moment(headers.get("date", "")),
        references=tuple(IDENT.findall(found)[-IDS_MAX:]),
        headers=headers,
        text=text[:TEXT_MAX],
        html=html,
        files=tuple(files),
        report=_report(mime, parts) if _is_report(mime) else None,
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


def _first(head: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*(.*)$", head, re.IGNORECASE | re.MULTILINE)
    return found[1].strip() if found else ""


def clean(text: str, limit: int) -> str:
    """Text on one line, without anything that is not shown, cut to a length."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(shown.split())[:limit]


def _headers(mime: Mime) -> dict[str, str]:
    """The headers in words, the first of each name; the names in small letters."""
    found: dict[str, str] = {}
    for name, value in mime.items():
        small = name.lower()
        if small in found and small in RECIPIENTS:
            found[small] = f"{found[small]}, {_decoded(value)}"[:HEADER_MAX]
        else:
            found.setdefault(small, _decoded(value))
    return found


def _decoded(value: Any) -> str:
    """A header's words, by RFC 2047; bytes that nobody explains are replaced."""
    said = str(value)[:HEADER_MAX]
    try:
        parts = decode_header(said)
        words = "".join(
            part if isinstance(part, str) else _text(part, charset or "utf-8")
            for part, charset in parts
        )
    except (ValueError, LookupError, TypeError):
        words = said
    return " ".join(words.replace("\x00", "").split())


def _addresses(said: str) -> list[tuple[str, str]]:
    """(name, address) of each, the address in small letters; anything else is left out."""
    try:
        pairs = getaddresses([said])[:ADDRESSES_MAX]
    except (ValueError, IndexError, AttributeError, TypeError):
        return []
    return [
        (clean(name, 200), address.strip().lower())
        for name, address in pairs
        if re.fullmatch(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,255}", address.strip())
    ]


def _moment(said: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(said)
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found > MOMENT_MIN else None


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
            texts.append(_text(content, _charset(part), troubles))
        elif kind == "text/html" and not is_file:
            pages.append(_text(content, _charset(part), troubles))
        elif content:
            files.append(File(name or f"part.{kind.partition('/')[2][:10]}", content))
    return texts, pages, files


def _name(part: Mime) -> str:
    try:
        return clean(_decoded(part.get_filename() or ""), 200)
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


def _text(content: bytes, charset: str, troubles: list[str] | None = None) -> str:
    """The bytes as text: as declared, else as what they are most likely to be."""
    for name in (charset, "utf-8"):
        try:
            return _plain(content.decode(name))
        except (UnicodeError, LookupError, ValueError):
            continue
    if troubles is not None:
        troubles.append("A text is not in the characters that it says; some may be wrong.")
    return _plain(content.decode("cp1252", "replace"))


def _plain(text: str) -> str:
    """Without what PostgreSQL cannot keep, and with one kind of line end."""
    text = (
        text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    )
    return text.encode("utf-8", "replace").decode()


# ---- Reports of mail servers ----


def _is_report(mime: Mime) -> bool:
    kind = str(mime.get_param("report-type", "")).lower()
    return mime.get_content_type() == "multipart/report" and kind == "delivery-status"


def _report(mime: Mime, parts: list[Mime]) -> Report:
    said: dict[str, str] = {}
    for part in parts:
        if part.get_content_type() == "message/delivery-status":
            held: Any = part.get_payload()
            for block in held if isinstance(held, list) else ():
                for name in REPORT_FIELDS:
                    if block.get(name) is not None:
                        said.setdefault(name, clean(_decoded(block[name]), 300))
    return Report(
        action=said.get("action", "").lower(),
        recipient=said.get("final-recipient", "").rpartition(";")[2].strip(),
        status=said.get("status", ""),
        diagnostic=said.get("diagnostic-code", "").partition(";")[2].strip()
        or said.get("diagnostic-code", ""),
        ids=tuple(_returned(parts)),
    )


def _returned(parts: list[Mime]) -> Iterator[str]:
    for part in parts:
        held: Any = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(held, list) and held:
            yield from IDENT.findall(_decoded(held[0].get("message-id", "")))
        elif part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
            content = part.get_payload(decode=True)
            head = content.decode("latin-1") if isinstance(content, bytes) else str(held)
            yield from IDENT.findall(_first(head[:HEADER_MAX], "message-id"))
