"""Reads the headers of mails without trusting any of them; pure."""

import re
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header
from email.message import Message as Mime
from email.utils import getaddresses, parsedate_to_datetime
from itertools import islice
from typing import Any, Final

from api.mail.charsets import text_of

HEADER_MAX: Final = 20_000
HEADERS_MAX: Final = 1000
ADDRESSES_MAX: Final = 100
IDENT: Final = re.compile(r"<[^<>\s]{1,500}>")
ADDRESS: Final = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,255}")
MOMENT_MIN: Final = datetime(1990, 1, 1, tzinfo=UTC)
RECIPIENTS: Final = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "resent-to")


def headers_of(mime: Mime) -> dict[str, str]:
    """The headers in words, the first of each name; the names in small letters."""
    found: dict[str, str] = {}
    for name, value in _raw(mime):
        found.setdefault(name, decoded(value))
    return found


def _raw(mime: Mime) -> list[tuple[str, str]]:
    """The headers as they came, bytes beyond ASCII read as what they most likely are.

    They stand there by RFC 6532, or because a program knew no better.
    """
    return [
        (name.lower(), text_of(value.encode("utf-8", "surrogateescape"), "utf-8")[0])
        for name, value in islice(mime.raw_items(), HEADERS_MAX)
    ]


def sender_of(mime: Mime) -> tuple[str, str]:
    """Name and address in the first From header; "" and "" where it holds none."""
    said = next((value for name, value in _raw(mime) if name == "from"), "")
    return next(iter(addresses_in(said)), ("", ""))


def addresses_of(mime: Mime, *names: str) -> list[tuple[str, str]]:
    """(name, address) of everybody whom these headers name, in the order of the names."""
    given = _raw(mime)
    said = [value for wanted in names for name, value in given if name == wanted]
    return [pair for each in said for pair in addresses_in(each)][:ADDRESSES_MAX]


def addresses_in(said: str) -> list[tuple[str, str]]:
    """(name, address) of each, the address in small letters; anything else is left out.

    The addresses are read as they came. Encoded words (RFC 2047) stand in names alone: decoded
    before, a name could hold an address that no mail server has judged.
    """
    plain = " ".join(said[:HEADER_MAX].replace("\x00", "").split())
    try:
        pairs = getaddresses([plain])[:ADDRESSES_MAX]
    except (ValueError, IndexError, AttributeError, TypeError):
        return []
    return [
        (clean(decoded(name), 200), address.strip().lower())
        for name, address in pairs
        if ADDRESS.fullmatch(address.strip())
    ]


def decoded(value: Any) -> str:
    """A header's words, by RFC 2047; bytes that nobody explains are replaced."""
    said = str(value)[:HEADER_MAX]
    try:
        parts = decode_header(said)
        words = "".join(
            part if isinstance(part, str) else text_of(part, charset or "utf-8")[0]
            for part, charset in parts
        )
    except (ValueError, LookupError, TypeError, MessageError):
        words = said
    return " ".join(words.replace("\x00", "").split())


def first_of(head: str, name: str) -> str:
    """The first header of that name in a text, as it stands there; "" when there is none."""
    found = re.search(rf"^{name}:[ \t]*(.*)$", head, re.IGNORECASE | re.MULTILINE)
    return found[1].strip() if found else ""


def clean(text: str, limit: int) -> str:
    """Text on one line, without anything that is not shown, cut to a length."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(shown.split())[:limit]


def moment_of(said: str) -> datetime | None:
    """The time that a Date header names; None for none, and for one before there was such mail."""
    try:
        found = parsedate_to_datetime(said)
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found > MOMENT_MIN else None
