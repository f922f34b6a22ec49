"""Reminds of reviews that are not signed and of actions that fall due; lists what is late."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from insights.reviews.models import Review, ReviewAction
from notifications.outbox import Letter, post
from notifications.shipped import ship
from roles.instants import TimeSource, database_now
from tickets.models import Ticket

AHEAD: Final = timedelta(days=1)
AGAIN: Final = timedelta(days=3)
"""Somebody who was reminded is not reminded again before so long."""
ship(
    (
        gettext_noop("An action of a review is yours"),
        gettext_noop("It is due {day}."),
        gettext_noop("A review is not signed yet"),
        gettext_noop("It was due {day}."),
    )
)


def late_actions(now: datetime) -> QuerySet[ReviewAction]:
    """The actions whose day has come and that are not done."""
    return ReviewAction.objects.filter(done_at__isnull=True, due_on__lte=now.date())


def late_reviews(now: datetime) -> QuerySet[Review]:
    """The reviews that should have been signed by now."""
    return Review.objects.filter(signed_at__isnull=True, due_at__lte=now)


@transaction.atomic
def remind(*, clock: TimeSource = database_now) -> int:
    """Write to whoever owns an action that falls due tomorrow or is late, or a late draft."""
    now = clock()
    before = Q(reminded_at__isnull=True) | Q(reminded_at__lte=now - AGAIN)
    actions = ReviewAction.objects.filter(
        before, done_at__isnull=True, due_on__lte=(now + AHEAD).date()
    )
    locked = actions.select_for_update(of=("self",), skip_locked=True)
    due = list(locked.select_related("review__ticket", "owner").order_by("pk"))
    reviews = late_reviews(now).filter(before, drafted_by__isnull=False)
    unsigned = list(
        reviews.select_for_update(of=("self",), skip_locked=True)
        .select_related("ticket", "drafted_by")
        .order_by("pk")
    )
    letters = [*_action_letters(due, now), *_review_letters(unsigned, now)]
    post(letters, now=now)
    ReviewAction.objects.filter(pk__in=[each.pk for each in due]).update(reminded_at=now)
    Review.objects.filter(pk__in=[each.pk for each in unsigned]).update(reminded_at=now)
    return len(letters)


def _action_letters(actions: Sequence[ReviewAction], now: datetime) -> Iterator[Letter]:
    for action in actions:
        yield _letter(
            action.review.ticket,
            cause=f"review-action:{action.pk}:{now:%Y%m%d}",
            recipient_id=action.owner_id,
            words=(
                "An action of a review is yours",
                f"{action.text}\nIt is due {action.due_on:%Y-%m-%d}.",
            ),
        )


def _review_letters(reviews: Sequence[Review], now: datetime) -> Iterator[Letter]:
    for review in reviews:
        yield _letter(
            review.ticket,
            cause=f"review:{review.pk}:{now:%Y%m%d}",
            recipient_id=review.drafted_by_id or 0,
            words=("A review is not signed yet", f"It was due {review.due_at:%Y-%m-%d}."),
        )


def _letter(ticket: Ticket, *, cause: str, recipient_id: int, words: tuple[str, str]) -> Letter:
    """A reminder; of a restricted case it tells nothing but that there is news."""
    subject, body = words
    head = f"[{ticket.key}] {subject}: {ticket.subject}"
    if ticket.restricted:
        head, body = f"[{ticket.key}] There is news on a case", "Please sign in to read it."
    return Letter(
        topic=ticket.topic,
        cause=cause,
        recipient_id=recipient_id,
        kind="review_due",
        subject=head,
        body=body,
        priority=ticket.priority,
        clearance=ticket.topic if ticket.restricted else "",
        data={"url": f"/tickets/{ticket.key}/review", "ticket": ticket.key},
    )
