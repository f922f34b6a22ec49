"""What managers see first: the state of the service in numbers, each linked to its rows.

Every number goes through the one read scope, so that a restricted ticket counts for cleared
readers only; six queries, whatever the number of tickets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.db.models import Count, F, Min, Model, Q, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse

from escalation.engine import last_sweep_at
from escalation.explain import duration
from escalation.models import Escalation, Quarantine, Run
from notifications.models import Message, MessageState
from roles.admin.audited import may
from roles.instants import database_now
from tickets.admin import tickets_of
from tickets.admin.tickets import UNTOUCHED
from tickets.models import Ticket, TicketQuerySet

LATE_SWEEP = timedelta(seconds=10)
LATE_STEP = timedelta(seconds=30)
SHOWN_UNTOUCHED = 5


@dataclass(frozen=True)
class Figure:
    """One number or reading: where its rows are, and whether it needs somebody now."""

    label: str
    value: str
    link: str = ""
    alarming: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Waiting:
    """One ticket that nobody has touched."""

    key: str
    subject: str
    priority: int
    team: str
    since: str
    link: str


@dataclass
class FrontPage:
    """Everything that the page shows."""

    at: datetime
    reads_tickets: bool
    tiers: Sequence[Figure] = ()
    pressing: Sequence[Figure] = ()
    engine: Sequence[Figure] = ()
    waiting: Sequence[Waiting] = field(default_factory=list)


@dataclass(frozen=True)
class Links:
    """Addresses of lists in the admin, for what this person may list there."""

    site: AdminSite
    request: HttpRequest

    def __call__(self, model: type[Model], **query: str) -> str:
        page = self.site._registry.get(model)
        if page is None or not page.has_view_permission(self.request):
            return ""
        address = reverse(
            f"{self.site.name}:{model._meta.app_label}_{model._meta.model_name}_changelist"
        )
        return f"{address}?{urlencode(query)}" if query else address


def front_page(site: AdminSite, request: HttpRequest) -> FrontPage:
    """The figures as this person may see them, at this moment by the database's clock."""
    now = database_now()
    scope = tickets_of(request)
    links = Links(site, request)
    groups = _by_tier(scope, now)
    escalated, dead, held = _counts(
        Escalation.objects.filter(ticket__in=scope, opened_at__gte=now - timedelta(days=1)),
        Message.objects.filter(state=MessageState.DEAD, clearance=""),
        Quarantine.objects.filter(ticket__in=scope, since__isnull=False),
    )
    return FrontPage(
        at=now,
        reads_tickets=may(request, "see_internal"),
        tiers=[_tier(group, links) for group in groups],
        pressing=_pressing(groups, escalated, links),
        engine=_engine(scope, dead, held, links, now),
        waiting=_waiting(scope, now),
    )


def _by_tier(scope: TicketQuerySet, now: datetime) -> list[Mapping[str, Any]]:
    """Open tickets of each tier: how many, late, due within the hour, untouched."""
    due = Q(next_due_at__gt=now, next_due_at__lte=now + timedelta(hours=1))
    rows = scope.open().order_by(F("team__tier__rank").asc(nulls_last=True), "team__tier__name")
    return list(
        rows.values("team__tier", "team__tier__name", "team__tier__rank").annotate(
            open=Count("pk"),
            late=Count("pk", filter=Q(next_due_at__lte=now)),
            due=Count("pk", filter=due),
            untouched=Count("pk", filter=UNTOUCHED),
        )
    )


def _counts(*wanted: QuerySet[Any]) -> list[int]:
    """How many rows each query has, in one statement."""
    parts = [
        rows.order_by().annotate(part=Value(number)).values("part").annotate(rows=Count("pk"))
        for number, rows in enumerate(wanted)
    ]
    found = {row["part"]: row["rows"] for row in parts[0].union(*parts[1:], all=True)}
    return [found.get(number, 0) for number in range(len(wanted))]


def _tier(group: Mapping[str, Any], links: Links) -> Figure:
    tier = group["team__tier"]
    narrowed = {"team__tier__id__exact": str(tier)} if tier else {"status__exact": "new"}
    return Figure(
        label=group["team__tier__name"] or "No team yet",
        value=str(group["open"]),
        link=links(Ticket, progress="open", **narrowed),
        alarming=group["late"] > 0,
        hint=f"{group['late']} past a deadline" if group["late"] else "",
    )


def _pressing(groups: Sequence[Mapping[str, Any]], escalated: int, links: Links) -> list[Figure]:
    late, due, untouched = (sum(g[name] for g in groups) for name in ("late", "due", "untouched"))
    return [
        Figure("Past a deadline", str(late), links(Ticket, due="late"), alarming=late > 0),
        Figure("Due in the next hour", str(due), links(Ticket, due="hour")),
        Figure("Untouched", str(untouched), links(Ticket, progress="untouched")),
        Figure("Escalations in 24 hours", str(escalated), links(Escalation, opened="day")),
    ]


def _engine(
    scope: TicketQuerySet, dead: int, held: int, links: Links, now: datetime
) -> list[Figure]:
    swept = last_sweep_at()
    sweep_age = now - swept if swept else None
    due = Run.objects.filter(state=Run.State.ACTIVE, next_at__lte=now, ticket__in=scope)
    oldest = due.exclude(ticket__quarantine__since__isnull=False).aggregate(at=Min("next_at"))["at"]
    behind = now - oldest if oldest else timedelta(0)
    return [
        Figure(
            "Last sweep",
            f"{duration(max(sweep_age.total_seconds(), 0))} ago" if sweep_age else "never",
            alarming=sweep_age is None or sweep_age > LATE_SWEEP,
            hint="" if sweep_age and sweep_age <= LATE_SWEEP else "the engine stands still",
        ),
        Figure(
            "Oldest due step",
            f"{duration(behind.total_seconds())} late" if oldest else "none",
            links(Run, state__exact="active"),
            alarming=behind > LATE_STEP,
        ),
        Figure("Dead letters", str(dead), links(Message, state__exact="dead"), alarming=dead > 0),
        Figure("Quarantined", str(held), links(Quarantine, since__isempty="0"), alarming=held > 0),
    ]


def _waiting(scope: TicketQuerySet, now: datetime) -> list[Waiting]:
    """The open tickets that have waited longest for anybody of their present team."""
    rows = scope.filter(UNTOUCHED).select_related("team").order_by("entered_at", "id")
    return [
        Waiting(
            key=ticket.key,
            subject=ticket.subject,
            priority=ticket.priority,
            team=ticket.team.name if ticket.team else "no team",
            since=duration((now - (ticket.entered_at or ticket.opened_at)).total_seconds()),
            link=reverse("web:ticket", args=[ticket.key]),
        )
        for ticket in rows[:SHOWN_UNTOUCHED]
    ]
