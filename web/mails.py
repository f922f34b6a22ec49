"""Mails as the pages show them: what was quoted below the words, a page of HTML made harmless."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import nh3
from django.utils.safestring import SafeString, mark_safe

from tickets.models import EventKind, ReceivedMail, Source, Ticket, TimelineEvent
from tickets.nesting import shallow
from web.markdown import TAGS

MAIL_TAGS: Final = TAGS | {"div", "span", "dl", "dt", "dd", "u", "b", "i", "sub", "sup"}
HTML_MAX: Final = 500_000


@dataclass(frozen=True, slots=True)
class Mailed:
    """The mail with which something was said: its number, and what is shown folded."""

    pk: int
    rest: str


def mailed_with(events: Iterable[TimelineEvent], ticket: Ticket) -> dict[int, Mailed]:
    """By the number of the event, the mail that it came with; at most one query, mostly none."""
    by_mail: dict[int, int] = {}
    opening = 0
    for event in events:
        if event.kind == EventKind.OPENED and ticket.source == Source.EMAIL:
            opening = event.seq
        else:
            number = event.facts.get("mail") or event.facts.get("returned")
            if isinstance(number, int):
                by_mail[number] = event.seq
    if not by_mail and not opening:
        return {}
    rows = ReceivedMail.objects.filter(ticket=ticket.pk).only("pk", "rest", "outcome")
    found = {}
    for row in rows.order_by("-pk"):
        if row.pk in by_mail:
            found[by_mail[row.pk]] = Mailed(row.pk, row.rest)
        elif opening and row.outcome == ReceivedMail.Outcome.OPENED:
            found[opening] = Mailed(row.pk, row.rest)
    return found


def harmless(html: str) -> SafeString:
    """A mail's HTML without scripts, styles, forms, pictures and anything that calls outside.

    What is kept is what came; only what is shown is cleaned, each time anew.
    """
    cleaned = nh3.clean(
        shallow(html[:HTML_MAX]),
        tags=MAIL_TAGS,
        clean_content_tags={"script", "style", "title", "svg", "math", "template"},
        attributes={"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(cleaned)  # noqa: S308 (cleaned one line above)
