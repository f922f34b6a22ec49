"""A person's own load: what is theirs now, and how often and when they were paged."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, QuerySet

from insights.figures.models import Point
from insights.figures.sums import Question
from roles.models import Person
from tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class OwnLoad:
    """What the work costs one person, who alone reads it."""

    open: int
    oldest_at: datetime | None
    pages: int
    night_pages: int
    nights: int


def own_load(person: Person, question: Question) -> OwnLoad:
    """The person's own open tickets now, and pages and disturbed nights of the period."""
    mine = Ticket.objects.visible_to(person).open().filter(assignee=person.pk)
    oldest = mine.aggregate(at=Min("opened_at"))["at"]
    calls = own_pages(person, question)
    nights = own_pages(person, question, at_night=True)
    return OwnLoad(
        open=mine.count(),
        oldest_at=oldest,
        pages=calls.count(),
        night_pages=nights.count(),
        nights=nights.order_by().values("day").distinct().count(),
    )


def own_pages(person: Person, question: Question, *, at_night: bool = False) -> QuerySet[Point]:
    """The calls to the person in the period for tickets that the person may see, the last first."""
    calls = Point.objects.filter(
        measure="page",
        other=person.pk,
        day__gte=question.since,
        day__lt=question.until,
        ticket__in=Ticket.objects.visible_to(person),
    )
    return (calls.filter(tag="night") if at_night else calls).order_by("-day", "-pk")
