"""What a lower tier passes on that the receiver solves fast or from an article: worth teaching."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from escalation.edges import LOOK_BACK
from escalation.models import Escalation
from roles.models import Person
from tickets import states
from tickets.knowledge import readable
from tickets.models import ArticleUse, Ticket

FAST: Final = timedelta(minutes=30)
"""From taking it on to solving it: whoever passed it on could have done it."""
SHOWN: Final = 30
EXAMPLES: Final = 3
MOST: Final = 5000
OVER: Final = (states.RESOLVED, states.CLOSED)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One subject that one team passes to another: how often, and how soon it was solved there.

    `by_article` counts those that an article solved; `articles` are their titles.
    """

    about: str
    from_team: str
    to_team: str
    times: int
    fast: int
    by_article: int
    articles: tuple[str, ...]
    examples: tuple[str, ...]


def lessons(reader: Person, now: datetime) -> list[Lesson]:
    """The subjects of the last 90 days, the most frequent first, from what the reader may see.

    Restricted tickets teach nobody here. Two queries.
    """
    rows = list(_solved_above(reader, now)[:MOST])
    titles = _titles([row["ticket_id"] for row in rows if row["has_article"]], reader)
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        about = " / ".join(
            filter(None, (row["ticket__service__name"], row["ticket__category__name"]))
        )
        place = (about, row["from_team__name"], row["to_team__name"])
        groups.setdefault(place, []).append(row)
    found = [_lesson(*place, rows=group, titles=titles) for place, group in groups.items()]
    return sorted(found, key=lambda each: (-each.times, each.about, each.to_team))[:SHOWN]


def _solved_above(reader: Person, now: datetime) -> QuerySet[Escalation, Any]:
    """Hand-overs to a higher tier whose receiver solved the ticket fast, or from an article."""
    used = ArticleUse.objects.filter(ticket=OuterRef("ticket"), at__gte=OuterRef("opened_at"))
    seen = Ticket.objects.visible_to(reader).filter(restricted=False, status__in=OVER)
    rows = Escalation.objects.filter(
        type=Escalation.Type.FUNCTIONAL,
        opened_at__gte=now - LOOK_BACK,
        state=Escalation.State.COMPLETED,
        to_team__tier__rank__gt=F("from_team__tier__rank"),
        ticket__in=seen.values("pk"),
        ticket__team=F("to_team"),
    ).annotate(has_article=Exists(used))
    fast = Q(accepted_at__isnull=False, ticket__resolved_at__lte=F("accepted_at") + FAST)
    return (
        rows.filter(fast | Q(has_article=True))
        .order_by("-opened_at")
        .values(
            "ticket_id",
            "ticket__key",
            "ticket__service__name",
            "ticket__category__name",
            "ticket__resolved_at",
            "from_team__name",
            "to_team__name",
            "accepted_at",
            "has_article",
        )
    )


def _titles(ticket_ids: Sequence[int], reader: Person) -> dict[int, list[str]]:
    uses = ArticleUse.objects.filter(ticket__in=ticket_ids, article__in=readable(reader))
    found: dict[int, list[str]] = {}
    for ticket_id, title in uses.order_by("at").values_list("ticket", "article__current__title"):
        found.setdefault(ticket_id, []).append(title)
    return found


def _lesson(
    about: str,
    from_team: str,
    to_team: str,
    *,
    rows: Iterable[dict[str, Any]],
    titles: dict[int, list[str]],
) -> Lesson:
    listed = list(rows)
    named = [title for row in listed for title in titles.get(row["ticket_id"], ())]
    return Lesson(
        about=about,
        from_team=from_team,
        to_team=to_team,
        times=len(listed),
        fast=sum(_was_fast(row) for row in listed),
        by_article=sum(row["has_article"] for row in listed),
        articles=tuple(dict.fromkeys(named))[:EXAMPLES],
        examples=tuple(row["ticket__key"] for row in listed[:EXAMPLES]),
    )


def _was_fast(row: dict[str, Any]) -> bool:
    taken, solved = row["accepted_at"], row["ticket__resolved_at"]
    return taken is not None and solved is not None and solved - taken <= FAST
