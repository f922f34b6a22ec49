"""Tickets that sound like one: what solved them, and who; only what the reader may know of.

Words by PostgreSQL's text search over the index of texts, each by how it begins, for the index
knows no grammar; then nearness of the subjects in letters (trigrams, as pg_trgm counts them, which
not every PostgreSQL has): so "Printers are jamming" finds "Printer jam".
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F

from roles.models import Person, Team
from tickets import states
from tickets.finding import CONFIG, among_these
from tickets.knowledge import readable
from tickets.models import ArticleUse, Ticket, TicketWords
from tickets.queries import hidden_keys, without

SHOWN: Final = 6
LOOKED_AT: Final = 2000
"""So many of the newest tickets with one of the words are ranked, however many there are."""
CLOSEST: Final = 60
MOST_WORDS: Final = 16
KEPT: Final = 0.7
LEAST_KEPT: Final = 4
"""Of a word, so much of its beginning is searched for: endings differ, and compounds go on."""
WORD: Final = re.compile(r"[^\W_]{3,}")
ANY_WORD: Final = re.compile(r"[^\W_]+")
_COMMON: Final = """
a after all an and any are as at be but by can cannot does for from has have if in into is it
its my no not of off on or our since some that the their there this to too was we when will
with you your
aber alle als am an auf aus bei beim bin das dass dem den der des die dies doch ein eine einem
einen einer eines er es für haben hat ich im in ist kann kein keine mehr mein meine mit nach
nicht noch nur oder seit sie sind so uns unser und vom von vor was weil wenn wie wir wird zu
zum zur
"""
EVERYWHERE: Final = frozenset(_COMMON.split())
"""Words that stand in any subject: two that have these in common have nothing in common."""
LEAST: Final = 0.12
"""Below this share of common letters, two subjects have a word in common and nothing else."""
AGAIN_WITHIN: Final = timedelta(days=30)
OVER: Final = frozenset({states.RESOLVED, states.CLOSED})


@dataclass(frozen=True, slots=True)
class Alike:
    """A ticket that sounds like another; `nearness` is 0 to 1.

    `how` is what solved it, "" while it is not solved; `articles` are the titles that did.
    """

    ticket: Ticket
    nearness: float
    how: str = ""
    articles: tuple[str, ...] = ()
    is_repeat: bool = False
    """Whether the same requester came with it within a month: the trouble is back."""

    @property
    def is_solved(self) -> bool:
        """Whether somebody has found out what helps."""
        return self.ticket.status in OVER and self.ticket.merged_into_id is None

    @property
    def solver(self) -> Team | None:
        """The team that solved it."""
        return self.ticket.team if self.is_solved else None


def similar_to(ticket: Ticket, reader: Person, *, most: int = SHOWN) -> list[Alike]:
    """The tickets that sound most like this one, the closest first, solved before unsolved ones.

    Four queries. A case for which the reader is not cleared is not among them, nor named in what
    solved another.
    """
    near = _nearest(ticket, reader)
    ranked = sorted(near, key=lambda each: (each[0].status not in OVER, -each[1], -each[0].pk))
    chosen = ranked[:most]
    hidden = hidden_keys((each.resolution for each, _ in chosen), reader)
    titles = _articles([each.pk for each, _ in chosen], reader)
    return [
        Alike(
            ticket=each,
            nearness=nearness,
            how=without(each.resolution, hidden) if each.status in OVER else "",
            articles=tuple(titles.get(each.pk, ())),
            is_repeat=_is_repeat(ticket, each),
        )
        for each, nearness in chosen
    ]


def solvers(found: Iterable[Alike]) -> list[tuple[Team, int]]:
    """Which teams solved such tickets, and how many of these each, the busiest first."""
    counted: Counter[Team] = Counter(each.solver for each in found if each.solver is not None)
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0].name))


def _is_repeat(ticket: Ticket, other: Ticket) -> bool:
    apart = abs(ticket.opened_at - other.opened_at)
    return ticket.requester_id == other.requester_id and apart <= AGAIN_WITHIN


def beginning(word: str) -> str:
    """How a word begins, as far as its relatives begin so too."""
    return word[: max(LEAST_KEPT, round(KEPT * len(word)))]


def _telling(text: str) -> str:
    """The text without the words that stand everywhere; whole where there are no others."""
    words = ANY_WORD.findall(text.lower())
    return " ".join(word for word in words if word not in EVERYWHERE) or text


def _nearest(ticket: Ticket, reader: Person) -> list[tuple[Ticket, float]]:
    subject = _telling(ticket.subject)
    words = list(dict.fromkeys(WORD.findall(subject.lower())))[:MOST_WORDS]
    if not words:
        return []
    begins = dict.fromkeys(beginning(word) for word in words)
    query = SearchQuery(
        " | ".join(f"{each}:*" for each in begins), search_type="raw", config=CONFIG
    )
    # The scope is asked before anything is cut off, so that a hidden ticket takes nobody's place.
    seen = Ticket.objects.visible_to(reader).exclude(pk=ticket.pk).order_by().values("pk")
    texts = TicketWords.objects.filter(words=query, event_id=None, ticket__in=seen)
    newest = texts.order_by("-ticket").values("pk")[:LOOKED_AT]
    ranked = TicketWords.objects.filter(pk__in=newest).annotate(rank=SearchRank(F("words"), query))
    closest = ranked.order_by("-rank", "-ticket").values_list("ticket", flat=True)
    ids = list(closest[:CLOSEST])
    if not ids:
        return []
    rows = among_these(Ticket.objects.visible_to(reader), ids).select_related("team__tier")
    mine = trigrams(subject)
    near = [(row, alike(mine, trigrams(_telling(row.subject)))) for row in rows.order_by("-pk")]
    return [(row, nearness) for row, nearness in near if nearness >= LEAST]


def _articles(ticket_ids: Sequence[int], reader: Person) -> dict[int, list[str]]:
    known = readable(reader).values("pk")
    uses = ArticleUse.objects.filter(ticket__in=ticket_ids, article__in=known)
    found: dict[int, list[str]] = {}
    for ticket_id, title in uses.order_by("at").values_list("ticket", "article__current__title"):
        found.setdefault(ticket_id, []).append(title)
    return found


def trigrams(text: str) -> frozenset[str]:
    """Every three letters in a row of the words, blanks before and after each, as pg_trgm has."""
    found: set[str] = set()
    for word in ANY_WORD.findall(text.lower()):
        padded = f"  {word} "
        found.update(padded[place : place + 3] for place in range(len(padded) - 2))
    return frozenset(found)


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of trigrams that two texts have in common, 0 to 1."""
    return len(one & other) / len(one | other) if one and other else 0.0
