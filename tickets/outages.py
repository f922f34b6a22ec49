"""What the status page tells of major incidents: which of them to whom, and which words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from roles.access import allows
from roles.models import Person
from roles.people import roles_of
from tickets.models import (
    ContactList,
    EventKind,
    Major,
    Phase,
    Scenario,
    Service,
    Ticket,
    TicketLink,
    TimelineEvent,
)
from tickets.queries import readable_events

RECENT: Final = timedelta(days=7)


@dataclass(frozen=True)
class Word:
    """One public update; `phase` says how far the work had come, and is empty where nobody did."""

    at: datetime
    text: str
    phase: str = ""

    @property
    def phase_label(self) -> str:
        """The phase in words."""
        return str(Phase(self.phase).label) if self.phase else ""


@dataclass(frozen=True)
class Outage:
    """A major incident as people outside the service see it: no key, no subject of a stranger.

    `ticket` is there only for those who may read it; `words` are the newest first.
    """

    major: Major
    title: str
    ticket: Ticket | None = None
    words: list[Word] = field(default_factory=list)


def offered_services() -> QuerySet[Service]:
    """The services whose majors everybody may subscribe to."""
    return Service.objects.filter(is_active=True)


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
    said = _public_words([major.ticket_id for major in found], person)
    return [
        Outage(
            major=major,
            title=_title(major, readable.get(major.ticket_id)),
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


def _public_words(ticket_ids: Sequence[int], person: Person) -> dict[int, list[Word]]:
    events = TimelineEvent.objects.filter(
        ticket__in=ticket_ids, kind=EventKind.MAJOR_UPDATED, is_public=True
    ).select_related("body")
    said: dict[int, list[Word]] = {}
    for event in readable_events(events, person).order_by("-at", "-seq"):
        phase = event.facts.get("phase", "")
        known = phase if phase in Phase.values else ""
        said.setdefault(event.ticket_id, []).append(Word(event.at, event.body.text, known))
    return said
