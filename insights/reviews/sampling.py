"""Quality looks at ordinary resolutions: which ones a rule says, and how good each was."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from insights.reviews.models import Sample
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import roles_of
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import states, timeline
from tickets.access import require
from tickets.acting import fitting
from tickets.models import Origin, Ticket

ONE_IN: Final = 20
"""Of the closed tickets of a team every twentieth, by a number that nobody can choose."""
WITHIN: Final = timedelta(days=7)
MOST: Final = 5000
ASPECTS: Final = ("understood", "told", "documented", "solved")
SCORES: Final = range(1, 6)


@transaction.atomic
def choose_samples(*, clock: TimeSource = database_now) -> int:
    """Choose among the tickets closed in the last week; how many are new.

    Majors have a review of their own, and restricted cases are shown to nobody for this.
    """
    now = clock()
    closed = Ticket.objects.filter(
        status=states.CLOSED,
        closed_at__gte=now - WITHIN,
        origin=Origin.LIVE,
        restricted=False,
        is_major=False,
        merged_into__isnull=True,
        sample__isnull=True,
    )
    ids = closed.order_by("pk").values_list("pk", "opened_at")[:MOST]
    chosen = [pk for pk, opened_at in ids if is_chosen(pk, opened_at.isoformat())]
    rows = [Sample(ticket_id=pk, chosen_at=now) for pk in chosen]
    return len(Sample.objects.bulk_create(rows, ignore_conflicts=True))


def is_chosen(ticket_id: int, opened: str) -> bool:
    """Whether the rule chooses this ticket: the same answer whenever it is asked."""
    digest = hashlib.sha256(f"{ticket_id} {opened}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % ONE_IN == 0


def waiting_samples(reader: Person) -> QuerySet[Sample]:
    """What is to be looked at, the oldest first, as far as the reader may see it."""
    seen = Ticket.objects.visible_to(reader).values("pk")
    return Sample.objects.filter(scored_at__isnull=True, ticket__in=seen).order_by("pk")


@transaction.atomic
def score_sample(
    *,
    sample: Sample,
    actor: Person,
    scores: Mapping[str, int],
    comment: str = "",
    clock: TimeSource = database_now,
) -> Sample:
    """Note how good a resolution was, from 1 to 5 in each aspect; once.

    Raises Forbidden for whoever is no quality reviewer, Invalid by field, Conflict when it is done.
    """
    ticket = timeline.lock(sample.ticket_id)
    require(actor, "see_internal", ticket)
    if "qa_reviewer" not in roles_of(actor):
        raise Forbidden("not_quality", "Samples are scored by quality reviewers.")
    wrong = {name: "From 1 to 5." for name in ASPECTS if scores.get(name) not in SCORES}
    if wrong:
        raise Invalid("bad_score", "Give every mark.", wrong)
    held = Sample.objects.select_for_update(of=("self",)).get(pk=sample.pk)
    if held.scored_at is not None:
        raise Conflict("scored", "Somebody has scored it already.")
    for name in ASPECTS:
        setattr(held, name, scores[name])
    held.comment = fitting(comment.strip(), "comment", 2000)
    held.scored_at, held.scored_by = clock(), actor
    held.save()
    return held
