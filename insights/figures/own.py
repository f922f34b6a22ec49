"""A person's own load: what is theirs now, and how often and when they were paged."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min

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
    seen = Ticket.objects.visible_to(person)
    calls = Point.objects.filter(
        measure="page",
        other=person.pk,
        day__gte=question.since,
        day__lt=question.until,
        ticket__in=seen,
    )
    nights = calls.filter(tag="night")
    return OwnLoad(
        open=mine.count(),
        oldest_at=oldest,
        pages=calls.count(),
        night_pages=nights.count(),
        nights=nights.values("day").distinct().count(),
    )
