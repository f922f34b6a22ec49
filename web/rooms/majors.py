"""Major incidents as pages show them: the list, one room, and the stakeholders' view."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from escalation.models import Clock, ClockKind
from roles.access import allows
from roles.models import Person
from roles.people import roles_of
from tickets.models import (
    ContactList,
    EventKind,
    Major,
    Phase,
    Scenario,
    Ticket,
    TicketLink,
    TimelineEvent,
)
from tickets.queries import readable_events
from tickets.staffing import ROLE_WORDS
from web.countdowns import Countdown, countdown, duration_text
from web.eventmarks import ICONS
from web.eventwords import Names
from web.sentences import headline

PAST_SHOWN: Final = 20
RECENT: Final = timedelta(days=7)
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
class Word:
    """One public update; `phase` says how far the work had come, where that was said."""

    at: datetime
    text: str
    phase: str = ""


@dataclass
class Outage:
    """A major incident as people outside the service see it: no key, no subject of a stranger."""

    major: Major
    title: str
    lasted: str
    next_word: Countdown
    ticket: Ticket | None = None
    words: list[Word] = field(default_factory=list)


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


def next_words(majors: Iterable[Major], now: datetime) -> dict[int, Countdown]:
    """By ticket id when stakeholders must hear next: what was promised, or the target if sooner."""
    alive = [major for major in majors if major.is_under_way]
    clocks = Clock.objects.filter(
        ticket__in=[major.ticket_id for major in alive],
        kind=ClockKind.STAKEHOLDER_UPDATE,
        state=Clock.State.RUNNING,
    )
    due = {ticket_id: at for ticket_id, at in clocks.values_list("ticket_id", "due_at") if at}
    found = {}
    for major in majors:
        both = [due.get(major.ticket_id), major.next_update_at if major.is_under_way else None]
        known = [at for at in both if at is not None]
        found[major.ticket_id] = countdown(
            min(known, default=None), now, target_s=CADENCE_S, paused=False
        )
    return found


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


def outages(person: Person, now: datetime) -> list[Outage]:
    """What concerns this person: under way, or over since RECENT; most severe first.

    People of the service see all; others what their own organisation or no particular one is
    concerned by, what one of their own tickets hangs on, and what a list names them for. Restricted
    tickets never.
    """
    seen = Ticket.objects.visible_to(person)
    majors = Major.objects.filter(
        Q(state=Major.State.ACCEPTED) | Q(state=Major.State.RESOLVED, ended_at__gte=now - RECENT),
        ticket__restricted=False,
    ).select_related("ticket__service")
    if not allows(roles_of(person), "view", frozenset()):
        majors = majors.filter(_concerns(person, seen))
    found = list(majors.order_by("ended_at", "severity", "-decided_at"))
    readable = seen.in_bulk([major.ticket_id for major in found])
    words = next_words(found, now)
    said = _public_words([major.ticket_id for major in found])
    return [
        Outage(
            major=major,
            title=_title(major, readable.get(major.ticket_id)),
            lasted=lasted(major, now),
            next_word=words[major.ticket_id],
            ticket=readable.get(major.ticket_id),
            words=said.get(major.ticket_id, []),
        )
        for major in found
    ]


def _concerns(person: Person, seen: QuerySet[Ticket]) -> Q:
    own_child = TicketLink.objects.filter(
        target=OuterRef("ticket"), relation=TicketLink.Relation.CHILD_OF, source__in=seen
    )
    lists = ContactList.objects.filter(
        Q(services=None) | Q(services=OuterRef("ticket__service")),
        Q(team=None)
        | Q(team=OuterRef("ticket__service__owner_team"))
        | Q(team=OuterRef("ticket__team")),
        scenario=Scenario.OUTAGE,
        severity__gte=OuterRef("severity"),
        is_active=True,
        contacts__person=person.pk,
    )
    mine = Q(ticket__in=seen) | Q(ticket__organisation=None) | Q(Exists(own_child))
    mine |= Q(Exists(lists))
    if person.organisation_id is not None:
        mine |= Q(ticket__organisation=person.organisation_id)
    return mine


def _title(major: Major, readable: Ticket | None) -> str:
    """The service's name; without one the subject, which only readers of the ticket may see."""
    service = major.ticket.service
    if service is not None:
        return service.name
    return readable.subject if readable is not None else major.ticket.get_kind_display()


def _public_words(ticket_ids: Sequence[int]) -> dict[int, list[Word]]:
    events = TimelineEvent.objects.filter(
        ticket__in=ticket_ids, kind=EventKind.MAJOR_UPDATED, is_public=True
    ).select_related("body")
    said: dict[int, list[Word]] = {}
    for event in events.order_by("-at", "-seq"):
        phase = event.facts.get("phase", "")
        label = str(Phase(phase).label) if phase in Phase.values else ""
        said.setdefault(event.ticket_id, []).append(Word(event.at, event.body.text, label))
    return said
