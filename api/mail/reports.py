"""Reads what mail servers say of mails that they could not deliver; pure, and never refuses.

Most write RFC 3464, some in types of their own, or with a charset for every name (RFC 6533). Exim
names the recipient in a header, qmail writes QSBMF, which is words alone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_string
from email.message import Message as Mime
from typing import Any, Final

from api.mail.headers import HEADER_MAX, IDENT, addresses_in, clean, decoded, first_of

FIELDS: Final = ("final-recipient", "action", "status", "diagnostic-code")
STATUSES: Final = ("message/delivery-status", "message/global-delivery-status")
WHOLE: Final = ("message/rfc822", "message/global")
HEADS: Final = ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers")
FAILED: Final = "failed"
EXIM: Final = "x-failed-recipients"
QMAIL: Final = re.compile(r"Hi\. This is the .{1,200}?<([^<>\s]{3,320})>:\n(.{0,300})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail server says of a mail that it could not deliver."""

    action: str
    recipient: str
    status: str
    diagnostic: str
    ids: tuple[str, ...]
    """The Message-IDs in the headers of the mail that came back."""
    addresses: tuple[str, ...] = ()
    """Where that mail asked for its answers: some relays give mails a Message-ID of their own."""


def report_in(
    mime: Mime, parts: list[Mime], headers: Mapping[str, str], text: str
) -> Report | None:
    """The report that this mail is, None for any other mail."""
    if any(part.get_content_type() in STATUSES for part in parts) or _says_so(mime):
        return _of_parts(parts)
    if headers.get(EXIM):
        failed = addresses_in(headers[EXIM])
        return _of_words(failed[0][1] if failed else "", "", text)
    found = QMAIL.match(text.lstrip())
    return _of_words(found[1].lower(), clean(found[2], 300), text) if found else None


def _says_so(mime: Mime) -> bool:
    kind = str(mime.get_param("report-type", "")).lower()
    return mime.get_content_type() == "multipart/report" and kind == "delivery-status"


def _of_parts(parts: list[Mime]) -> Report:
    said: dict[str, str] = {}
    for part in parts:
        if part.get_content_type() in STATUSES:
            for block in _blocks(part):
                for name in FIELDS:
                    if block.get(name) is not None:
                        said.setdefault(name, clean(decoded(block[name]), 300))
    heads = list(_returned(parts))
    return Report(
        action=said.get("action", "").lower(),
        recipient=said.get("final-recipient", "").rpartition(";")[2].strip(),
        status=said.get("status", ""),
        diagnostic=said.get("diagnostic-code", "").partition(";")[2].strip()
        or said.get("diagnostic-code", ""),
        ids=tuple(ident for head in heads for ident in IDENT.findall(head[0])),
        addresses=tuple(address for head in heads for _, address in addresses_in(head[1])),
    )


def _blocks(part: Mime) -> Iterator[Mime]:
    """The groups of fields in a report; what the parser took for a mail's body holds more."""
    held: Any = part.get_payload()
    if not isinstance(held, list):
        held = [message_from_string(str(held)[:HEADER_MAX])]
    for block in held:
        yield block
        rest = block.get_payload()
        if isinstance(rest, str) and rest.strip():
            for more in rest.strip()[:HEADER_MAX].split("\n\n"):
                yield message_from_string(more)


def _returned(parts: list[Mime]) -> Iterator[tuple[str, str]]:
    """Message-ID and Reply-To of each mail that came back, or of what is left of its head."""
    for part in parts:
        kind, held = part.get_content_type(), part.get_payload()
        if kind not in (*WHOLE, *HEADS):
            continue
        if isinstance(held, list) and held and isinstance(held[0], Mime):
            inside = held[0]
            yield decoded(inside.get("message-id", "")), str(inside.get("reply-to", ""))
        else:
            content = part.get_payload(decode=True)
            head = content.decode("latin-1") if isinstance(content, bytes) else str(held)
            yield _named_in(head[:HEADER_MAX])


def _of_words(recipient: str, diagnostic: str, text: str) -> Report:
    """A report of words alone, with a copy of the mail below them."""
    ident, reply_to = _named_in(text[:HEADER_MAX])
    return Report(
        action=FAILED,
        recipient=recipient,
        status="",
        diagnostic=diagnostic,
        ids=tuple(IDENT.findall(ident)),
        addresses=tuple(address for _, address in addresses_in(reply_to)),
    )


def _named_in(head: str) -> tuple[str, str]:
    return first_of(head, "message-id"), first_of(head, "reply-to")
