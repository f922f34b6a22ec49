"""Finds tickets by the words that were written on them; who may see them is the caller's scope."""

import re
from collections.abc import Collection
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQuery
from django.db.models import BigIntegerField, BooleanField, Exists, Func, OuterRef, Value

from tickets.models import Ticket, TicketQuerySet, TicketWords
from tickets.opening import RESTRICTED_SERIES, SERIES

CONFIG: Final = "simple"
PREFIX_FROM: Final = 3
"""A word of so many letters also finds longer ones that begin with it."""
MANY: Final = 30_000
"""From so many texts on, tickets in their order are looked at until enough have been found."""
KEY_DIGITS: Final = 6


class AmongThese(Func):
    """Whether a value is in an array: read once, before the tickets, whoever guesses how many."""

    template = "(%(expressions)s))"
    arg_joiner = " = ANY ("
    output_field = BooleanField()


def among_these(tickets: TicketQuerySet, ids: Collection[int]) -> TicketQuerySet:
    """Those of the tickets that have these ids, read by their ids alone.

    The planner is not told how many there are: it would rather look at open tickets in their order
    until it meets enough of them, and looks at all of them when these are over.
    """
    told = "{" + ",".join(map(str, ids)) + "}"
    array = Func(
        Value(told),
        template="(SELECT %(expressions)s::bigint[])::bigint[]",
        output_field=ArrayField(BigIntegerField()),
    )
    return tickets.filter(AmongThese("pk", array))


def having_words(
    tickets: TicketQuerySet, text: str, *, internal: bool, exactly: bool = False
) -> TicketQuerySet:
    """Those on which all the words of the text stand together in one of their own texts.

    With `internal` also in notes. Unless `exactly`, the last word may go on. One query: how many
    there are decides how the tickets are best read, and no statistics know it of words that go on.
    """
    query = _query(text, exactly)
    if query is None:
        return tickets
    found = _texts(query, internal).order_by().values_list("ticket", flat=True)
    some = list(found[: MANY + 1])
    if not some:
        return tickets.filter(pk__in=[])
    return tickets.filter(pk__in=found) if len(some) > MANY else among_these(tickets, set(some))


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
