"""Major incidents as pages show them: the list, one room, and the stakeholders' view."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, QuerySet

from escalation.nextwords import next_words_due
from roles.models import Person
from tickets import outages as told
from tickets.models import EventKind, Major, Ticket, TicketLink, TimelineEvent
from tickets.queries import readable_events
from tickets.staffing import ROLE_WORDS
from web.countdowns import Countdown, countdown, duration_text
from web.eventmarks import ICONS
from web.eventwords import Names
from web.sentences import headline

PAST_SHOWN: Final = 20
CADENCE_S: Final = 30 * 60
PINNED: Final = (
    EventKind.MAJOR_PROPOSED,
    EventKind.MAJOR_REJECTED,
    EventKind.MAJOR_DECLARED,
    EventKind.MAJOR_STAFFED,
    EventKind.MAJOR_UPDATED,
    EventKind.MAJOR_DEMOTED,
    EventKind.ROOM_OPENED,
    EventKind.ROOM_FILLED,
    EventKind.DECIDED,
    EventKind.ESCALATED,
    EventKind.INVOLVED,
    EventKind.VENDOR_ENGAGED,
    EventKind.VENDOR_DELIVERED,
    EventKind.MOVED,
    EventKind.LINKED,
    EventKind.RESOLVED,
    EventKind.REOPENED,
    EventKind.CLOSED,
)
"""What belongs to the story of a major incident; the ticket's page has the whole."""


@dataclass(frozen=True)
class Row:
    """One major incident in a list."""

    major: Major
    children: int
    lasted: str
    next_word: Countdown


@dataclass(frozen=True)
class Lists:
    """Majors that wait for a decision, that are under way, and that are over."""

    proposed: list[Row]
    under_way: list[Row]
    over: list[Row]


@dataclass(frozen=True)
class Pin:
    """One event of the room's timeline."""

    at: datetime
    icon: str
    who: str
    headline: str
    text: str
    is_update: bool


@dataclass(frozen=True)
class Room:
    """One major incident with its people, children and timeline."""

    row: Row
    roles: list[tuple[str, Person | None]]
    children: list[Ticket]
    pins: list[Pin]


@dataclass(frozen=True)
class Shown:
    """A major incident on the status page: for how long, and when the next word is due."""

    outage: told.Outage
    lasted: str
    next_word: Countdown


def lists(person: Person, now: datetime) -> Lists:
    """Every major incident that the person may see; at most PAST_SHOWN that are over."""
    seen = _seen(person)
    alive = seen.filter(state__in=[Major.State.PROPOSED, Major.State.ACCEPTED])
    over = seen.filter(state__in=[Major.State.RESOLVED, Major.State.DEMOTED])
    rows = _rows([*alive.order_by("severity", "proposed_at")], now)
    return Lists(
        proposed=[row for row in rows if is_undecided(row.major)],
        under_way=[row for row in rows if row.major.state == Major.State.ACCEPTED],
        over=_rows([*over.order_by("-ended_at")[:PAST_SHOWN]], now),
    )


def is_undecided(major: Major) -> bool:
    """Whether somebody still has to decide on it: nobody has to once its ticket is over."""
    return major.state == Major.State.PROPOSED and major.ticket.is_open


def room(major: Major, person: Person, now: datetime, names: Names) -> Room:
    """The room of one major incident."""
    ticket = major.ticket
    hanging = TicketLink.objects.filter(target=ticket.pk, relation=TicketLink.Relation.CHILD_OF)
    ids = list(hanging.values_list("source_id", flat=True))
    children = Ticket.objects.visible_to(person).filter(pk__in=ids).order_by("id")
    listed = list(children.select_related("requester", "team__tier", "organisation"))
    return Room(
        row=_rows([major], now)[0],
        roles=[(word.capitalize(), getattr(major, role)) for role, word in ROLE_WORDS.items()],
        children=listed,
        pins=_pins(ticket, person, names),
    )


def _seen(person: Person) -> QuerySet[Major]:
    tickets = Ticket.objects.visible_to(person)
    return Major.objects.filter(ticket__in=tickets).select_related(
        "ticket__service", "ticket__team__tier", "manager", "proposer", "decided_by"
    )


def _rows(majors: Sequence[Major], now: datetime) -> list[Row]:
    ids = [major.ticket_id for major in majors]
    hanging = TicketLink.objects.filter(
        target__in=ids, relation=TicketLink.Relation.CHILD_OF, source__restricted=False
    )
    counts = dict(hanging.values_list("target").annotate(n=Count("pk")).order_by())
    words = next_words(majors, now)
    return [
        Row(
            major=major,
            children=counts.get(major.ticket_id, 0),
            lasted=lasted(major, now),
            next_word=words[major.ticket_id],
        )
        for major in majors
    ]


def lasted(major: Major, now: datetime) -> str:
    """For how long the ticket has stood as a major incident, or stood."""
    ended_at = major.ended_at or (now if major.ticket.is_open else major.ticket.resolved_at or now)
    return duration_text((ended_at - major.proposed_at).total_seconds())


def next_words(majors: Sequence[Major], now: datetime) -> dict[int, Countdown]:
    """By ticket id how long it is until stakeholders must hear next."""
    due = next_words_due(majors)
    return {
        ticket_id: countdown(at, now, target_s=CADENCE_S, paused=False)
        for ticket_id, at in due.items()
    }


def _pins(ticket: Ticket, person: Person, names: Names) -> list[Pin]:
    events = TimelineEvent.objects.filter(ticket=ticket.pk, kind__in=PINNED).select_related("body")
    return [
        Pin(
            at=event.at,
            icon=ICONS.get(event.kind, "dot"),
            who=names.people[event.actor_id] if event.actor_id else "Tierline",
            headline=headline(event.kind, event.facts, names),
            text=getattr(getattr(event, "body", None), "text", ""),
            is_update=event.kind == EventKind.MAJOR_UPDATED,
        )
        for event in readable_events(events, person).order_by("-seq")[:100]
    ]


# ---- For stakeholders ----------------------------------------------------------------------------


def outages(person: Person, now: datetime) -> list[Shown]:
    """What concerns this person, as the status page shows it."""
    found = told.outages(person, now)
    words = next_words([each.major for each in found], now)
    return [
        Shown(
            outage=each,
            lasted=lasted(each.major, now),
            next_word=words[each.major.ticket_id],
        )
        for each in found
    ]
