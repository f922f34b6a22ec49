"""What is owed of reviews, for one reader: to sign, to do, to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Avg, Count

from insights.reviews.models import Review, ReviewAction, Sample
from insights.reviews.sampling import ASPECTS, waiting_samples
from roles.models import Person
from roles.people import roles_of
from tickets.models import Major, Ticket

SHOWN: Final = 30
MARKS_OF: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Owed:
    """Majors without a review, reviews without a signature, open actions, samples; late ones first.

    `is_quality` is whether the reader may sign and score.
    """

    missing: Sequence[Ticket]
    unsigned: Sequence[Review]
    signed: Sequence[Review]
    actions: Sequence[ReviewAction]
    samples: Sequence[Sample]
    is_quality: bool
    marks: "Marks"

    @property
    def is_empty(self) -> bool:
        """Whether nothing is owed by anybody."""
        return not (self.missing or self.unsigned or self.actions or self.samples)


@dataclass(frozen=True, slots=True)
class Marks:
    """What quality gave resolutions of the last 90 days: the mean by aspect, of how many."""

    count: int
    means: Sequence[tuple[str, float]]


def owed(reader: Person, now: datetime) -> Owed:
    """Everything that the reader may see; six queries."""
    seen = Ticket.objects.visible_to(reader)
    reviews = Review.objects.filter(ticket__in=seen.values("pk")).select_related(
        "ticket", "drafted_by", "signed_by"
    )
    over = seen.filter(major__state=Major.State.RESOLVED, review__isnull=True)
    actions = ReviewAction.objects.filter(
        done_at__isnull=True, review__ticket__in=seen.values("pk")
    ).select_related("owner", "review__ticket")
    is_quality = "qa_reviewer" in roles_of(reader)
    samples = waiting_samples(reader).select_related("ticket__team__tier")
    return Owed(
        missing=list(over.order_by("resolved_at")[:SHOWN]),
        unsigned=list(reviews.filter(signed_at=None).order_by("due_at")[:SHOWN]),
        signed=list(reviews.filter(signed_at__isnull=False).order_by("-signed_at")[:SHOWN]),
        actions=list(actions.order_by("due_on", "pk")[:SHOWN]),
        samples=list(samples[:SHOWN]) if is_quality else [],
        is_quality=is_quality,
        marks=_marks(reader, now),
    )


def _marks(reader: Person, now: datetime) -> Marks:
    seen = Ticket.objects.visible_to(reader).values("pk")
    scored = Sample.objects.filter(scored_at__gte=now - MARKS_OF, ticket__in=seen)
    told = scored.order_by().aggregate(count=Count("pk"), **{name: Avg(name) for name in ASPECTS})
    return Marks(told["count"], [(name, told[name]) for name in ASPECTS if told["count"]])
