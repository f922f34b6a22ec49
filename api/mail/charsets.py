"""Turns the bytes of a mail into text, whatever characters it claims to be in; pure."""

import codecs
from typing import Final

NO_CHARSETS: Final = frozenset(
    {"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"}
)
"""What Python can decode and no mail is written in; some take hours for a few megabytes."""


def text_of(content: bytes, charset: str) -> tuple[str, bool]:
    """The bytes as text, and whether they are in the characters declared, or in UTF-8.

    Without NUL, which PostgreSQL cannot keep, and with one kind of line end.
    """
    for name in (charset, "utf-8"):
        try:
            if codecs.lookup(name).name.replace("_", "-") not in NO_CHARSETS:
                return _plain(content.decode(name)), True
        except (UnicodeError, LookupError, ValueError):
            continue
    return _plain(content.decode("cp1252", "replace")), False


def _plain(text: str) -> str:
    text = (
        text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    )
    return text.encode("utf-8", "replace").decode()
