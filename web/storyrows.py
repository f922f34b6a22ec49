"""Reads what happened to a ticket, page by page; the first page by statements written once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    Exists,
    F,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Concat, JSONObject
from django.utils.translation import gettext_lazy

from escalation.models import Firing
from notifications.models import Attempt, Message
from roles.models import Person
from roles.written import Written
from tickets.models import Ticket, TimelineEvent
from tickets.queries import discreetly, not_naming, readable_events

PAGE_EVENTS: Final = 60
MOST_EVENTS: Final = 600
"""What a page that has been unfolded that far is given again at a live update."""
PAGE_MESSAGES: Final = 100
MOVES: Final = ("moved", "escalated", "handed_back")
SHOWN: Final = (
    *("cause", "kind", "channel", "subject", "state"),
    *("created_at", "finished_at", "finished_reason"),
)
"""What a story tells of a message."""

TALK: Final = ("opened", "commented", "chased", "pended", "resolved", "reopened", "cancelled")
CLIMB: Final = (
    *("moved", "taken", "assigned", "released", "acknowledged", "unacknowledged", "escalated"),
    *("accepted", "handed_back", "involved", "fired", "skipped", "run_started", "run_stopped"),
    *("run_held", "run_released", "snoozed", "step_called", "major_proposed", "major_rejected"),
    *("major_declared", "major_staffed", "major_updated", "major_demoted", "vendor_engaged"),
    *("room_opened", "room_filled", "decided"),
)
CLOCKS: Final = (
    *("targeted", "breached", "prioritised", "pended", "resumed", "resolved", "reopened"),
    *("vendor_responded", "vendor_delivered", "vendor_released", "notice_owed", "notice_given"),
)
VIEWS: Final = {
    "all": gettext_lazy("Everything"),
    "talk": gettext_lazy("Conversation"),
    "climb": gettext_lazy("Escalations"),
    "clocks": gettext_lazy("Clocks"),
    "mail": gettext_lazy("Messages"),
}
KINDS: Final = {"talk": TALK, "climb": CLIMB, "clocks": CLOCKS, "mail": ()}


@dataclass(frozen=True, slots=True)
class Window:
    """What part of the story is asked for: which view, and up to or from which event."""

    view: str = "all"
    before: int | None = None
    since: int | None = None

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Window":
        """The window that a URL names; what makes no sense is left out."""
        view = asked.get("show", "")
        return cls(
            view=view if view in VIEWS else "all",
            before=_number(asked.get("before", "")),
            since=_number(asked.get("from", "")),
        )


def events_of(
    ticket: Ticket, person: Person, window: Window, *, internal: bool
) -> list[TimelineEvent]:
    """The events of a window that this person may read, newest first, one more than a page has."""
    if internal and window.before is None and window.since is None:
        found = _first_events(window.view).all(ticket=ticket.pk, person=person.pk)
        return discreetly(found, person)
    events = readable(ticket, person, internal=internal)
    if window.before is not None:
        events = events.filter(seq__lt=window.before)
    if window.since is not None:
        events = events.filter(seq__gte=window.since)
    most = MOST_EVENTS if window.since is not None else PAGE_EVENTS
    return list(_told(events, window.view, internal=internal)[: most + 1])


@lru_cache(maxsize=len(VIEWS))
def _first_events(view: str) -> Written[TimelineEvent]:
    """The newest events as people of the service read them."""

    def make(ticket: int, person: int) -> QuerySet[TimelineEvent]:
        events = not_naming(TimelineEvent.objects.filter(ticket=ticket), person)
        return _told(events, view, internal=True)[: PAGE_EVENTS + 1]

    return Written(make, ticket=int, person=int)


def _told(events: QuerySet[TimelineEvent], view: str, *, internal: bool) -> QuerySet[TimelineEvent]:
    events = events.select_related("body").order_by("-seq")
    if view != "all":
        events = events.filter(kind__in=KINDS[view])
    return _with_why(events) if internal else events


def readable(ticket: Ticket, person: Person, *, internal: bool) -> QuerySet[TimelineEvent]:
    """The events that a reader may know of; requesters know those moves that a mail told them."""
    events = readable_events(TimelineEvent.objects.filter(ticket=ticket.pk), person)
    if internal:
        return events
    cause = Concat(Value("event:"), Cast(OuterRef("pk"), TextField()))
    told = Message.objects.filter(cause=cause, recipient=ticket.requester_id, kind="escalated")
    return events.filter(Q(is_public=True) | Q(kind__in=MOVES) & Exists(told))


def _with_why(events: QuerySet[TimelineEvent]) -> QuerySet[TimelineEvent]:
    """The events, each with the explanation of the firing that it tells of, if it does."""
    facts = KeyTransform("facts", Cast("canonical", JSONField()))
    firing = Cast(KeyTextTransform("firing", facts), BigIntegerField())
    told = Firing.objects.filter(pk=OuterRef("firing_id")).values("explain")
    return events.alias(firing_id=firing).annotate(why=Subquery(told))


def messages_of(ticket: Ticket, window: Window, oldest: datetime | None) -> list[Any]:
    """The messages of the same stretch of time, each with its recipient's name and its tries."""
    if window.before is None:
        since = {} if oldest is None else {"oldest": oldest}
        first = _first_messages(window.view == "mail", oldest is not None)
        return first.all(topic=ticket.topic, **since)
    if window.view == "mail":
        rows = Message.objects.filter(pk__lt=window.before)
    else:
        bound = TimelineEvent.objects.filter(ticket=ticket.pk, seq=window.before)
        rows = Message.objects.filter(created_at__lt=Subquery(bound.values("at")))
    if oldest is not None:
        rows = rows.filter(created_at__gte=oldest)
    return list(_with_tries(rows.filter(topic=ticket.topic), window.view == "mail"))


@lru_cache(maxsize=4)
def _first_messages(is_alone: bool, is_cut: bool) -> Written[Message]:
    """The newest messages; with `is_cut` those that are not older than the oldest event shown."""

    def make(topic: str, **since: datetime) -> QuerySet[Message]:
        rows = Message.objects.filter(topic=topic)
        if is_cut:
            rows = rows.filter(created_at__gte=since["oldest"])
        return _with_tries(rows, is_alone)

    return Written(make, topic=str, **({"oldest": datetime} if is_cut else {}))


def _with_tries(rows: QuerySet[Message], is_alone: bool) -> QuerySet[Message]:
    tries = Attempt.objects.filter(message=OuterRef("pk")).exclude(detail="").order_by("number")
    told = JSONObject(number="number", outcome="outcome", detail="detail")
    most = PAGE_MESSAGES + 1 if is_alone else 5 * PAGE_MESSAGES
    return (
        rows.only(*SHOWN)
        .annotate(
            recipient_name=F("recipient__name"), told_tries=ArraySubquery(tries.values(found=told))
        )
        .order_by("-id")[:most]
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None
