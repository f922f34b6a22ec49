"""Parts what somebody has written from what they quote and from their signature; pure.

Nothing is thrown away: the rest is kept and shown folded. Where an answer stands between the lines
of a quote, those lines stay, since it could not be understood without them.
"""

import re
from typing import Final

HEADED: Final = re.compile(
    r"(?:On|Am|Le|El|Il|Op|Den|W dniu)\b[^\n]{4,300}"
    r"(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev|napisał)[^\n]{0,120}:$"
)
DIVIDERS: Final = re.compile(
    r"(?:-{2,}\s*(?:Original Message|Ursprüngliche Nachricht|Message d'origine|Forwarded message)"
    r"\s*-{2,}|_{20,})$",
    re.IGNORECASE,
)
FIELD: Final = re.compile(r"\*?(?:From|Von|De|Van|Da):\*?\s+\S")
FOLLOWING: Final = re.compile(r"\*?(?:Sent|Gesendet|Envoyé|Date|Datum|Verzonden|To|An):\*?\s+\S")
SIGNED: Final = re.compile(
    r"(?:Sent from my |Von meinem .{1,40} gesendet|Get Outlook for |Envoyé de mon )", re.IGNORECASE
)
HEAD_LINES: Final = 3


def fold(text: str) -> tuple[str, str]:
    """(what was written, the rest); all of the text is the first where nothing else was written."""
    lines = text.strip().split("\n")
    end = _signature(lines, len(lines))
    end = min(end, _divided(lines[:end]))
    start, end = _unquoted(lines[:end])
    written = "\n".join(lines[start:end]).strip()
    if not written.strip("> \n"):
        return text.strip(), ""
    return written, "\n".join(lines[:start] + lines[end:]).strip()


def _signature(lines: list[str], end: int) -> int:
    """Where the signature begins (RFC 3676, 4.3), or a phone's line that stands for one."""
    for number, line in enumerate(lines[:end]):
        if line in ("-- ", "--") or (SIGNED.match(line.strip()) and number >= len(lines) - 6):
            return number
    return end


def _divided(lines: list[str]) -> int:
    """Where a program has put the mail before below a line of its own."""
    for number, line in enumerate(lines):
        plain = line.strip()
        if DIVIDERS.fullmatch(plain) and (plain[0] != "_" or _is_head(lines, number + 1)):
            return number
        if FIELD.match(plain) and _is_head(lines, number):
            return number
    return len(lines)


def _is_head(lines: list[str], number: int) -> bool:
    """Whether a copied mail header stands here: a sender, then a date or a recipient."""
    near = [line.strip() for line in lines[number : number + 5] if line.strip()]
    return bool(near and FIELD.match(near[0]) and any(map(FOLLOWING.match, near[1:])))


def _unquoted(lines: list[str]) -> tuple[int, int]:
    """The range of lines without a quote at its end, or at its beginning, and its headline."""
    start, end = 0, len(lines)
    while end > 0 and (not lines[end - 1].strip() or lines[end - 1].startswith(">")):
        end -= 1
    if any(line.startswith(">") for line in lines[end:]):
        return 0, _headline(lines, end)
    end = len(lines)
    while start < end and (not lines[start].strip() or lines[start].startswith(">")):
        start += 1
    if not any(line.startswith(">") for line in lines[:start]):
        # A headline may stand above a quote that stands above the answer.
        above = _after_headline(lines)
        start = above if above is not None else 0
    return start, end


def _headline(lines: list[str], end: int) -> int:
    """The line at which the words that introduce a quote begin; mail programs wrap them."""
    for count in range(1, HEAD_LINES + 1):
        first = end - count
        if first >= 0 and HEADED.fullmatch(" ".join(line.strip() for line in lines[first:end])):
            return first
    return end


def _after_headline(lines: list[str]) -> int | None:
    for count in range(1, min(HEAD_LINES, len(lines)) + 1):
        if HEADED.fullmatch(" ".join(line.strip() for line in lines[:count])):
            place = count
            while place < len(lines) and (not lines[place].strip() or lines[place].startswith(">")):
                place += 1
            return place if place > count else None
    return None
