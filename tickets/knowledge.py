"""Finds what is known: articles that a person may read, and what may help with a text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import Case, Count, Exists, F, FloatField, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from roles.access import allows
from roles.models import Person
from roles.people import roles_of
from tickets import states
from tickets.models import Article, ArticleUse, ArticleVote, Deflection, Problem, Service, Ticket

SHOWN: Final = 4
WORDS_MAX: Final = 24
PREFIX_FROM: Final = 4
EXCERPT_MAX: Final = 180
GOOD_ENOUGH: Final = 0.15
"""What the matching words must weigh together: one in a title is enough, one in a text is not."""
TIED: Final = 0.5
"""How much it helps that an article belongs to the service in question."""
WEIGHTS: Final = [0.1, 0.1, 0.4, 1.0]
ENGLISH: Final = (
    "a about after all also am an and any are as at be because been but by can cannot could did do "
    "does doing for from get had has have he hello help her here hi his how i if in into is it its "
    "just me mine my no not of on one only or our out please she since so some still than thank "
    "thanks that the their them then there they this to too up us was we were what when where "
    "which who why will with would you your"
)
GERMAN: Final = (
    "aber alle als am an auch auf aus bei bin bis bitte da das dass dem den der des die doch durch "
    "ein eine einem einen einer er es für geht habe haben hallo hat hilfe ich ihr im in ist kann "
    "kein keine man mehr mein meine mich mir mit nach nicht noch nur oder sehr sich sie sind um "
    "und uns unser unsere von vor wann warum was wenn wer wie wir wird wo zu zum zur über"
)
FUNCTION_WORDS: Final = frozenset(f"{ENGLISH} {GERMAN}".split())
"""Left out of a search: each language's small words would match every text of the other."""
_WORD = re.compile(r"\w{2,40}")
_MARKS = re.compile(r"^\s*(?:[-+]|\d+\.)\s+|[#>*_`~|]+|!?\[([^\]]*)\]\([^)]*\)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Something that may help: `kind` is article, runbook or known_error.

    An article has its id in `article_id`, a known error the key of its problem in `key`.
    """

    kind: str
    title: str
    excerpt: str
    article_id: int | None = None
    key: str = ""
    rank: float = 0.0


def reads_internal(person: Person) -> bool:
    """Whether this person may read what is written for people of the service only."""
    roles = roles_of(person)
    return allows(roles, "see_internal") or allows(roles, "draft_knowledge")


def readable(person: Person) -> QuerySet[Article]:
    """The published articles that this person may read, each with its present revision."""
    found = Article.objects.filter(state=Article.State.PUBLISHED).select_related("current")
    if not reads_internal(person):
        found = found.filter(current__audience=Article.Audience.PUBLIC)
    return found


def with_figures(articles: QuerySet[Article]) -> QuerySet[Article]:
    """The articles, each with how often it helped: `yes`, `no`, `used` and `spared`.

    A use on a restricted ticket is counted for nobody: a count would tell of it.
    """
    uses = ArticleUse.objects.filter(ticket__restricted=False)
    votes = ArticleVote.objects
    return articles.annotate(
        yes=_number(votes.filter(helpful=True)),
        no=_number(votes.filter(helpful=False)),
        used=_number(uses),
        spared=_number(Deflection.objects.all()),
    )


def _number(rows: QuerySet[ArticleUse] | QuerySet[ArticleVote] | QuerySet[Deflection]) -> Coalesce:
    mine = rows.filter(article=OuterRef("pk")).order_by().values("article")
    return Coalesce(mine.annotate(n=Count("pk")).values("n"), 0)


def significant(text: str) -> list[str]:
    """The first words of a text that say what it is about, each once, in lower case."""
    words = dict.fromkeys(word.lower() for word in _WORD.findall(text.replace("_", " ")))
    return [word for word in words if word not in FUNCTION_WORDS][:WORDS_MAX]


def any_of(words: Sequence[str]) -> SearchQuery:
    """A query for any of these words, in English and in German; long ones as beginnings too."""
    terms = " | ".join(f"{word}:*" if len(word) >= PREFIX_FROM else word for word in words)
    english = SearchQuery(terms, search_type="raw", config="english")
    german = SearchQuery(terms, search_type="raw", config="german")
    combined: SearchQuery = english | german
    return combined


def search(person: Person, text: str) -> QuerySet[Article]:
    """The articles that this person may read and in which any word of the text stands, best first.

    All of them, by title, when the text says nothing.
    """
    words = significant(text)
    if not words:
        return readable(person).order_by("current__title", "pk")
    query = any_of(words)
    return (
        readable(person)
        .filter(current__words=query)
        .annotate(rank=SearchRank(F("current__words"), query, weights=WEIGHTS))
        .order_by("-rank", "pk")
    )


def suggest(
    person: Person, text: str, *, service: Service | None = None, limit: int = SHOWN
) -> list[Suggestion]:
    """What this person may read and what may help with the text, best first; at most two queries.

    Known errors, with their workarounds, are for people of the service. (Roles that have not been
    asked for yet cost one query more.)
    """
    words = significant(text)
    if not words and service is None:
        return []
    found = _articles(person, words, service, limit)
    if reads_internal(person):
        found += _known_errors(person, words, service, limit)
    return sorted(found, key=lambda each: -each.rank)[:limit]


def _articles(
    person: Person, words: Sequence[str], service: Service | None, limit: int
) -> list[Suggestion]:
    tied = Exists(Article.services.through.objects.filter(article=OuterRef("pk"), service=service))
    bonus = Case(When(tied, then=Value(TIED)), default=Value(0.0), output_field=FloatField())
    articles = readable(person).annotate(weight=_weight("current__words", words))
    # A runbook of the service is worth a look whatever the words are.
    wanted = Q(weight__gte=GOOD_ENOUGH)
    if service is not None:
        articles = articles.annotate(bonus=bonus)
        wanted |= Q(bonus__gt=0, current__items__len__gt=0)
        wanted |= Q(bonus__gt=0, weight__gte=GOOD_ENOUGH / 2)
    else:
        articles = articles.annotate(bonus=Value(0.0, output_field=FloatField()))
    articles = articles.filter(wanted).annotate(rank=F("weight") + F("bonus"))
    return [_of_article(article) for article in articles.order_by("-rank", "pk")[:limit]]


def _weight(field: str, words: Sequence[str]) -> Combinable:
    """What the words weigh that were found, whatever the number of those that were not."""
    if not words:
        return Value(0.0, output_field=FloatField())
    rank = SearchRank(F(field), any_of(words), weights=WEIGHTS)
    # PostgreSQL divides by the number of words asked for, twice here: once for each language.
    return rank * Value(2.0 * len(words), output_field=FloatField())


def _known_errors(
    person: Person, words: Sequence[str], service: Service | None, limit: int
) -> list[Suggestion]:
    seen = Ticket.objects.visible_to(person).filter(status__in=states.OPEN)
    vector = SearchVector("ticket__subject", weight="A", config="english") + SearchVector(
        "cause", "workaround", weight="C", config="english"
    )
    problems = Problem.objects.filter(is_known_error=True, ticket__in=seen).exclude(workaround="")
    problems = problems.annotate(vector=vector).annotate(rank=_weight("vector", words))
    wanted = Q(rank__gte=GOOD_ENOUGH)
    if service is not None:
        wanted |= Q(ticket__service=service)
    rows = problems.filter(wanted).select_related("ticket").order_by("-rank", "-pk")
    return [
        Suggestion(
            kind="known_error",
            title=row.ticket.subject,
            excerpt=excerpt(row.workaround),
            key=row.ticket.key,
            rank=row.rank + (TIED if service and row.ticket.service_id == service.pk else 0),
        )
        for row in rows[:limit]
    ]


def _of_article(article: Article) -> Suggestion:
    revision = article.current
    assert revision is not None
    return Suggestion(
        kind="runbook" if revision.items else "article",
        title=revision.title,
        excerpt=excerpt(revision.body),
        article_id=article.pk,
        rank=article.rank,  # type: ignore[attr-defined]
    )


def excerpt(body: str, limit: int = EXCERPT_MAX) -> str:
    """The first words of a Markdown text, without its marks."""
    plain = " ".join(_MARKS.sub(r"\1", body).split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"
