"""Gathers in a story what many policies did at the same moment, so that it takes one line."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from django.utils.translation import gettext as _

TOGETHER: Final = timedelta(seconds=5)
OF_POLICIES: Final = frozenset({"play", "square", "circle-pause", "circle-play"})
"""The marks of a policy that begins to watch a ticket, is held, goes on, or has ended."""


class Told(Protocol):
    """As much of an item of a story as says whether it belongs to the one before."""

    at: datetime
    tone: str
    icon: str
    who: str
    headline: str
    text: str
    details: list[str]


Item = TypeVar("Item", bound=Told)


def gathered(items: Sequence[Item]) -> list[Item]:
    """The items in their order; a run of policies that began or ended together is one of them."""
    found: list[Item] = []
    first: Item | None = None
    run: list[str] = []
    for item in items:
        if first is not None and _belongs(item, first):
            run.append(item.headline)
            continue
        _close(first, run)
        found.append(item)
        first, run = (item, [item.headline]) if _is_quiet(item) else (None, [])
    _close(first, run)
    return found


def _is_quiet(item: Told) -> bool:
    return item.tone == "quiet" and item.icon in OF_POLICIES and not (item.details or item.text)


def _belongs(item: Told, first: Told) -> bool:
    is_same = (item.icon, item.who) == (first.icon, first.who)
    return is_same and _is_quiet(item) and first.at - item.at <= TOGETHER


def _close(first: Told | None, run: Sequence[str]) -> None:
    if first is not None and len(run) > 1:
        first.headline += " " + _("and %(more)s more") % {"more": len(run) - 1}
        first.details = list(run)
