"""Lines events up in the order in which they were committed, and tells them to other systems."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from notifications import live, subscriptions
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import is_allowed
from tickets.broadcast import bodies_of, letters_for
from tickets.models import FeedEntry, FeedMark, Origin, Ticket, TimelineEvent
from tickets.queries import discreetly, readable_events

LOCK: Final = 0x6665_6564
BATCH: Final = 500
SETTLED_AFTER: Final = timedelta(seconds=120)
"""Longer than any transaction that writes live events may take."""
KEPT_FOR: Final = timedelta(days=7)
TOPIC: Final = "feed"


def relay(*, clock: TimeSource = database_now, limit: int = BATCH) -> int:
    """Put the events that have been committed since into the feed; how many there were.

    Each is told to every hook that subscribes to it, in the same transaction. Imported history is
    not news. Only one relay works at a time; another one finds nothing to do.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                return 0
        now = clock()
        mark = _mark(now)
        events = list(_fresh(mark)[:limit])
        entries = [FeedEntry(event=event, at=now) for event in events]
        FeedEntry.objects.bulk_create(entries)
        _tell(events, now)
        if len(events) < limit:
            _settle(mark, now)
        if events:
            live.publish([TOPIC])
        return len(events)


def relay_all(*, clock: TimeSource = database_now) -> int:
    """Relay until there is nothing left; how many events there were."""
    total = 0
    while (count := relay(clock=clock)) == BATCH:
        total += count
    return total + count


def entries_after(person: Person, place: int) -> QuerySet[FeedEntry]:
    """What this person may read of the feed after a place, in its order.

    What is visible is asked now: a ticket that has been restricted since tells nothing any more.
    """
    seen = Ticket.objects.visible_to(person)
    events = readable_events(TimelineEvent.objects.filter(ticket__in=seen), person)
    if not is_allowed(person, "see_internal"):
        events = events.filter(is_public=True)
    rows = FeedEntry.objects.filter(pk__gt=place, event__in=events).order_by("pk")
    return rows.select_related("event__body", "event__ticket")


def newest_place() -> int:
    """The place of the last entry; 0 in an empty feed."""
    return FeedEntry.objects.aggregate(last=Max("pk"))["last"] or 0


def oldest_place() -> int | None:
    """The place of the first entry that is still kept; None in an empty feed."""
    return FeedEntry.objects.order_by("pk").values_list("pk", flat=True).first()


def forget_old(*, clock: TimeSource = database_now) -> int:
    """Let go of places older than a week; the events themselves stay."""
    return FeedEntry.objects.filter(at__lt=clock() - KEPT_FOR).delete()[0]


def _mark(now: datetime) -> FeedMark:
    newest = _newest()
    made, _ = FeedMark.objects.get_or_create(
        pk=1, defaults={"settled": newest, "newest": newest, "noted_at": now}
    )
    return made


def _newest() -> int:
    return TimelineEvent.objects.aggregate(last=Max("pk"))["last"] or 0


def _fresh(mark: FeedMark) -> QuerySet[TimelineEvent]:
    known = Exists(FeedEntry.objects.filter(event=OuterRef("pk")))
    rows = TimelineEvent.objects.filter(~known, pk__gt=mark.settled, ticket__origin=Origin.LIVE)
    around = ("ticket__team__tier", "ticket__service", "ticket__category", "ticket__assignee")
    return rows.select_related("body", "ticket__requester", *around).order_by("pk")


def _settle(mark: FeedMark, now: datetime) -> None:
    """Move the mark on once no transaction can be left that began before it was noted."""
    if mark.noted_at > now - SETTLED_AFTER:
        return
    mark.settled, mark.newest, mark.noted_at = mark.newest, _newest(), now
    mark.save(update_fields=["settled", "newest", "noted_at"])


def _tell(events: Sequence[TimelineEvent], now: datetime) -> None:
    """Write the letters to all hooks that subscribe; a restricted ticket is told to none."""
    hooks = subscriptions.subscribers()
    open_ones = [event for event in events if not event.ticket.restricted]
    if not hooks or not open_ones:
        return
    letters = []
    for body in bodies_of(discreetly(open_ones, None)):
        letters += letters_for(body, hooks)
    subscriptions.enqueue_events(letters, now=now)
