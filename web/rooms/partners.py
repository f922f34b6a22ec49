"""Vendors, problems and changes as pages show them; only tickets that the reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from escalation.models import Engagement, Target, Vendor
from roles.models import Person
from tickets import states
from tickets.models import Change, ChangeWait, Kind, Ticket, TicketLink

SHOWN: Final = 50
PAST_SHOWN: Final = 20


def vendors(person: Person) -> QuerySet[Vendor]:
    """Every vendor in use, each with `at_work`: the visible tickets that it works on now."""
    seen = Ticket.objects.visible_to(person)
    working = Q(engagements__ended_at=None, engagements__ticket__in=seen)
    known = Vendor.objects.filter(is_active=True).select_related("calendar", "team__tier")
    return known.annotate(at_work=Count("engagements", filter=working, distinct=True))


@dataclass(frozen=True)
class VendorPage:
    """What a vendor promises, and what it works on."""

    vendor: Vendor
    targets: list[Target]
    alive: list[Engagement]
    past: list[Engagement]


def vendor_page(vendor: Vendor, person: Person) -> VendorPage:
    """One vendor with its targets and engagements."""
    seen = Ticket.objects.visible_to(person)
    rows = Engagement.objects.filter(vendor=vendor.pk, ticket__in=seen).select_related("ticket")
    targets = Target.objects.filter(current__vendor=vendor.pk).select_related("current__calendar")
    return VendorPage(
        vendor=vendor,
        targets=list(targets.order_by("position", "id")),
        alive=list(rows.filter(ended_at=None).order_by("engaged_at")),
        past=list(rows.exclude(ended_at=None).order_by("-ended_at")[:PAST_SHOWN]),
    )


def problems(person: Person) -> tuple[list[Ticket], list[Ticket]]:
    """The open problems, those with most open children first; and the last ones solved."""
    seen = Ticket.objects.visible_to(person)
    hanging = _caused(seen.filter(status__in=states.OPEN))
    rows = seen.filter(kind=Kind.PROBLEM).select_related("problem", "team__tier", "assignee")
    rows = rows.annotate(
        children=Coalesce(Subquery(hanging, output_field=IntegerField()), 0),
    )
    alive = rows.filter(status__in=states.OPEN).order_by("-children", "id")[:SHOWN]
    over = rows.exclude(status__in=states.OPEN).order_by("-id")[:PAST_SHOWN]
    return list(alive), list(over)


def _caused(seen: QuerySet[Ticket]) -> QuerySet:
    """How many of these tickets hang on the problem that the outer query is about."""
    links = TicketLink.objects.filter(
        target=OuterRef("pk"), relation=TicketLink.Relation.CAUSED_BY, source__in=seen
    )
    return links.order_by().values("target").annotate(n=Count("pk")).values("n")


def caused_by(problem: Ticket, person: Person) -> list[Ticket]:
    """The visible tickets that a problem has caused, open ones first."""
    links = TicketLink.objects.filter(
        target=problem.pk, relation=TicketLink.Relation.CAUSED_BY, source=OuterRef("pk")
    )
    rows = Ticket.objects.visible_to(person).filter(Exists(links))
    found = rows.select_related("team__tier", "requester", "organisation").order_by("-id")
    return sorted(found[: 4 * SHOWN], key=lambda ticket: not ticket.is_open)


@dataclass(frozen=True)
class Changes:
    """The changes by what has to happen to them."""

    to_decide: list[Change]
    coming: list[Change]
    drafts: list[Change]
    over: list[Change]


def changes(person: Person) -> Changes:
    """Every change that is alive, by state, and the last ones that ended."""
    seen = Ticket.objects.visible_to(person)
    rows = Change.objects.filter(ticket__in=seen).select_related(
        "ticket__team__tier", "ticket__service", "author", "decided_by"
    )
    alive = list(rows.filter(ended_at=None, ticket__status__in=states.OPEN)[: 4 * SHOWN])
    ended = rows.filter(Q(ended_at__isnull=False) | ~Q(ticket__status__in=states.OPEN))
    return Changes(
        to_decide=_in(alive, Change.State.SUBMITTED),
        coming=_in(alive, Change.State.APPROVED),
        drafts=_in(alive, Change.State.DRAFT, Change.State.REJECTED),
        over=list(ended.order_by("-ticket_id")[:PAST_SHOWN]),
    )


def unplanned(person: Person) -> list[Ticket]:
    """The open changes of which nobody has written the plan yet."""
    seen = Ticket.objects.visible_to(person).filter(kind=Kind.CHANGE, change=None)
    alive = seen.filter(status__in=states.OPEN).select_related("team__tier", "assignee")
    return list(alive.order_by("id")[:SHOWN])


def _in(rows: Sequence[Change], *wanted: str) -> list[Change]:
    found = [row for row in rows if row.state in wanted]
    return sorted(found, key=lambda row: (row.window_from is None, row.window_from, row.pk))


def waiting_for(change: Ticket, person: Person) -> list[Ticket]:
    """The visible tickets that are on hold for a change."""
    waits = ChangeWait.objects.filter(change=change.pk, ticket=OuterRef("pk"))
    rows = Ticket.objects.visible_to(person).filter(Exists(waits), status=states.PENDING_CHANGE)
    return list(rows.select_related("team__tier", "requester", "organisation").order_by("id"))
