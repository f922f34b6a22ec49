"""Finds tickets by the words that were written on them; who may see them is the caller's scope."""

import re
from typing import Final

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef

from tickets.models import Ticket, TicketQuerySet, TicketWords
from tickets.opening import RESTRICTED_SERIES, SERIES

CONFIG: Final = "simple"
PREFIX_FROM: Final = 3
"""A word of so many letters also finds longer ones that begin with it."""
KEY_DIGITS: Final = 6


def having_words(
    tickets: TicketQuerySet, text: str, *, internal: bool, exactly: bool = False
) -> TicketQuerySet:
    """Those on which all the words of the text stand together in one of their own texts.

    With `internal` also in notes. Unless `exactly`, the last word may go on.
    """
    query = _query(text, exactly)
    return tickets.filter(pk__in=_texts(query, internal).values("ticket")) if query else tickets


def having_number(tickets: TicketQuerySet, number: str, *, internal: bool) -> TicketQuerySet:
    """Those that have the number in their key, or written on them."""
    query = _query(number, exactly=True)
    assert query is not None
    by_key = Ticket.objects.filter(key__in=keys_of_number(number)).order_by().values("pk")
    return tickets.filter(pk__in=by_key.union(_texts(query, internal).values("ticket")))


def without_words(tickets: TicketQuerySet, text: str, *, internal: bool) -> TicketQuerySet:
    """Those on which the words do not stand."""
    query = _query(text, exactly=True)
    texts = _texts(query, internal).filter(ticket=OuterRef("pk")) if query else None
    return tickets.filter(~Exists(texts)) if texts is not None else tickets


def keys_like(text: str) -> list[str]:
    """What keys may begin with that somebody means by "INC-12": with all leading zeros, or some."""
    series, _, number = text.upper().partition("-")
    if not number:
        return [f"{series}-"]
    bare = number.lstrip("0") or "0"
    if len(number) >= KEY_DIGITS:
        return [f"{series}-{number}"]
    zeros = range(len(number) - len(bare), KEY_DIGITS - len(bare) + 1)
    return [f"{series}-{'0' * count}{bare}" for count in zeros]


def keys_of_number(number: str) -> list[str]:
    """The key of that number in every series."""
    digits = (number.lstrip("0") or "0").zfill(KEY_DIGITS)
    return [f"{series}-{digits}" for series in (*SERIES.values(), RESTRICTED_SERIES)]


def _texts(query: SearchQuery, internal: bool):  # type: ignore[no-untyped-def]
    texts = TicketWords.objects.filter(words=query)
    return texts if internal else texts.filter(is_public=True)


def _query(text: str, exactly: bool) -> SearchQuery | None:
    """The words one after the other, as PostgreSQL asks; None when there are none."""
    words = re.findall(r"[^\W_]+", text.lower())
    if not words:
        return None
    ends = ":*" if len(words[-1]) >= PREFIX_FROM and not exactly else ""
    return SearchQuery(" <-> ".join(words) + ends, config=CONFIG, search_type="raw")
