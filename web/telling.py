"""Draws the items of a ticket's story, each from what it says alone: nothing of it changes later.

Whoever leads a ticket sees its story again at every act and every hint, and most of it is as
before. An item is therefore drawn once for all who read it in the same language; only how long ago
it happened is put in each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.template.loader import get_template
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from tickets.models import Ticket
from web.timeline import Item

KEPT: Final = 5000
"""So many items are remembered, a thousand characters each."""
WHEN: Final = "\x02"
"""Stands in an item as it is kept for how long ago it happened."""


@dataclass(frozen=True, slots=True)
class Said:
    """All that an item without mail and files shows, and in which language."""

    id: str
    tone: str
    icon: str
    who: str
    headline: str
    text: str
    details: tuple[str, ...]
    is_requester: bool
    language: str


def drawn(item: Item, ticket: Ticket, when: SafeString, *, internal: bool) -> SafeString:
    """The item as HTML; `when` says how long ago it happened."""
    if item.mail is not None or item.files:
        html = _rendered({"item": item, "ticket": ticket, "internal": internal})
    else:
        html = _drawn(_said(item))
    return mark_safe(html.replace(WHEN, when))  # noqa: S308 (both come from templates)


def _said(item: Item) -> Said:
    return Said(
        id=item.id,
        tone=item.tone,
        icon=item.icon,
        who=str(item.who),
        headline=str(item.headline),
        text=item.text,
        details=tuple(map(str, item.details)),
        is_requester=item.is_requester,
        language=translation.get_language() or "",
    )


@lru_cache(maxsize=KEPT)
def _drawn(said: Said) -> str:
    return _rendered({"item": said})


def _rendered(context: Mapping[str, Any]) -> str:
    return get_template("web/ticket/_item.html").render({**context, "when": WHEN})
