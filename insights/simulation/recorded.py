"""Recorded tickets as a simulation reads them: who asked, and what happened, in order."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Min, QuerySet

from escalation import signs, sla
from escalation.clock import Fact
from tickets.models import EventKind, Ticket, TimelineEvent

BATCH = 500
FIXED = ("requester_id", "source", "asset", "tags", "organisation_id")
"""What a timeline does not tell, because it stays as it is."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event: what it set, who did it, and what clocks make of it (None for most)."""

    at: datetime
    kind: str
    seq: int
    actor_id: int | None
    changed: Mapping[str, Any]
    by: str = ""
    fact: Fact | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One ticket of the past with its events."""

    ticket_id: int
    key: str
    opened_at: datetime
    about: Mapping[str, Any]
    events: Sequence[Told] = field(default_factory=tuple)

    @property
    def origins(self) -> dict[str, Any]:
        """By what a later ticket may repeat this one: who asked, for what, on which asset."""
        born = self.events[0].changed if self.events else {}
        found = {
            "requester": self.about["requester_id"],
            "service": born.get("service_id"),
            "asset": self.about["asset"],
        }
        return {name: value for name, value in found.items() if value}


def count_own(since: datetime, until: datetime) -> int:
    """How many of this site's tickets were opened in the window."""
    return _own(since, until).count()


def _own(since: datetime, until: datetime) -> QuerySet[Ticket]:
    """Restricted tickets are left out for everybody: a figure that moves would tell of one."""
    return Ticket.objects.filter(opened_at__gte=since, opened_at__lt=until, restricted=False)


def first_opened_at() -> datetime | None:
    """When this site's first ticket was opened; None when it has none."""
    return Ticket.objects.aggregate(at=Min("opened_at"))["at"]


def own_history(since: datetime, until: datetime) -> Iterator[Recorded]:
    """This site's tickets opened in the window, imported ones too, in the order of opening."""
    rows = _own(since, until)
    place: tuple[datetime, int] | None = None
    while True:
        after = rows
        if place is not None:
            after = rows.filter(opened_at__gte=place[0]).exclude(
                opened_at=place[0], pk__lte=place[1]
            )
        batch = list(after.order_by("opened_at", "pk")[:BATCH])
        if not batch:
            return
        place = (batch[-1].opened_at, batch[-1].pk)
        events = _events([ticket.pk for ticket in batch])
        for ticket in batch:
            yield recorded(ticket, events.get(ticket.pk, ()))


def _events(ticket_ids: Sequence[int]) -> dict[int, list[Told]]:
    found: dict[int, list[Told]] = {}
    rows = TimelineEvent.objects.filter(ticket__in=ticket_ids).order_by("ticket_id", "seq")
    for event in rows.iterator():
        found.setdefault(event.ticket_id, []).append(told(event))
    return found


def told(event: TimelineEvent) -> Told:
    """A stored event as a simulation reads it; the policies' own doings set nothing."""
    facts = event.facts
    return Told(
        at=event.at,
        kind=event.kind,
        seq=event.seq,
        actor_id=event.actor_id,
        changed=facts.get("set", {}),
        by=facts.get("by", ""),
        fact=sla.fact_of(event) if event.kind in sla.CLOCK_EVENTS else None,
    )


def recorded(ticket: Ticket, events: Iterable[Told]) -> Recorded:
    """A ticket with its events, as far as a policy may ask for it."""
    about = {name: getattr(ticket, name) for name in FIXED}
    return Recorded(ticket.pk, ticket.key, ticket.opened_at, about, tuple(events))


def is_ours(event: Told, requester_id: int | None, machines: Container[int]) -> bool:
    """Whether an event shows that somebody of the service was at work on the ticket, as live."""
    if event.kind == EventKind.COMMENTED:
        return event.by == "agent"
    if event.kind == EventKind.ACKNOWLEDGED:
        return True
    if event.actor_id in (None, requester_id) or event.actor_id in machines:
        return False
    return event.kind not in signs.NOT_OURS
