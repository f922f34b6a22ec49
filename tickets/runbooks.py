"""Checklists of runbooks on tickets: which apply, and which steps are done, by whom and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import knowledge
from tickets.acting import acting
from tickets.models import Article, ArticleRevision, ChecklistMark, EventKind, Ticket


@dataclass(frozen=True)
class Point:
    """One step of a checklist on one ticket, numbered from 0."""

    number: int
    text: str
    mark: ChecklistMark | None


@dataclass(frozen=True)
class Checklist:
    """A runbook's steps as they stand on one ticket, in the wording it was begun with."""

    article: Article
    revision: ArticleRevision
    points: Sequence[Point]

    @property
    def done(self) -> int:
        return sum(point.mark is not None for point in self.points)


def checklists(ticket: Ticket, person: Person, labels: Iterable[str] = ()) -> list[Checklist]:
    """The runbooks for this ticket that the person may read, those begun first; two queries.

    One applies by its service, by its category, by a policy step in `labels` ("policy: step"), or
    because somebody has begun it here.
    """
    marks = list(
        ChecklistMark.objects.filter(ticket=ticket.pk)
        .select_related("by", "revision__article")
        .order_by("at", "pk")
    )
    begun = {mark.revision.article_id: mark.revision for mark in marks}
    applies = Q(pk__in=begun) | Q(steps__overlap=list(labels) or [""])
    if ticket.service_id:
        applies |= Q(services=ticket.service_id)
    if ticket.category_id:
        applies |= Q(categories=ticket.category_id)
    rows = knowledge.readable(person).filter(applies, current__items__len__gt=0).distinct()
    done = {(mark.revision_id, mark.item): mark for mark in marks}
    found = [
        _checklist(article, begun.get(article.pk) or article.current, done)
        for article in rows.order_by("current__title", "pk")
    ]
    return sorted(found, key=lambda each: each.article.pk not in begun)


def _checklist(
    article: Article,
    revision: ArticleRevision | None,
    done: dict[tuple[int, int], ChecklistMark],
) -> Checklist:
    assert revision is not None
    points = [
        Point(number, text, done.get((revision.pk, number)))
        for number, text in enumerate(revision.items)
    ]
    return Checklist(article, revision, points)


def tick(
    *,
    ticket: Ticket,
    revision: ArticleRevision,
    item: int,
    done: bool,
    actor: Person,
    clock: TimeSource = database_now,
    via: str = "web",
) -> None:
    """Mark a step as done on this ticket, or take the mark back; doing it again changes nothing.

    Raises Forbidden, Invalid for a step that the runbook has not, Conflict once the ticket is over.
    """
    with acting(ticket, actor=actor, action="use_article", clock=clock, via=via) as act:
        if not act.ticket.is_open:
            raise Conflict("not_open", f"{act.ticket.key} is not open any more.")
        if not knowledge.readable(actor).filter(pk=revision.article_id).exists():
            raise Forbidden("not_readable", "You may not read this runbook.")
        if not 0 <= item < len(revision.items):
            raise Invalid("no_such_step", "The runbook has no such step.")
        row = {"ticket": act.ticket, "revision": revision, "item": item}
        if done:
            made = {"by": actor, "at": act.now}
            _, changed = ChecklistMark.objects.get_or_create(**row, defaults=made)
        else:
            changed = bool(ChecklistMark.objects.filter(**row).delete()[0])
        if changed:
            act.record(
                EventKind.CHECKED,
                facts={
                    "runbook": revision.article_id,
                    "title": revision.title,
                    "step": item + 1,
                    "text": revision.items[item],
                    "done": done,
                },
            )
