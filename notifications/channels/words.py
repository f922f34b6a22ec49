"""Words for narrow channels: cut to their length, without what would not arrive as written."""

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from notifications.channels.message import OutgoingMessage


def one_line(text: str, limit: int) -> str:
    """Fold all white space and control characters into single blanks, cut with an ellipsis."""
    folded = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"


def several_lines(text: str, limit: int) -> str:
    """Keep line breaks, drop other control characters, cut with an ellipsis."""
    kept = "".join(c for c in text if c == "\n" or c.isprintable()).strip()
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def text_message(message: OutgoingMessage, limit: int, reply: str = "") -> str:
    """Subject, how to reply, and the link, in so many characters; only the subject is cut."""
    tail = " ".join(part for part in (reply, message.open_url) if part)
    room = limit - len(tail) - 1
    return f"{one_line(message.subject, max(room, 20))} {tail}".strip()


def without(text: str, marks: str) -> str:
    """The text with a backslash before each of these marks."""
    return "".join(f"\\{letter}" if letter in marks else letter for letter in text)


def button(what: str, language: str) -> str:
    """The label of a button, "acknowledge", "take" or "open", in the reader's language."""
    with translation.override(language):
        return {
            "acknowledge": _("Acknowledge"),
            "take": _("Take"),
            "open": pgettext("letter", "Open"),
        }[what]
