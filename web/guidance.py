"""Who does what: a tier, team or duty with everything one asks before passing work on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, F, Prefetch, Q, QuerySet

from escalation.authority import AT_THE_TOP
from escalation.contracts import Contracts, Need
from escalation.edges import EdgeFigures, measure_edges
from escalation.models import ClockKind, HandoverContract
from escalation.routes import Routes
from escalation.sla import Targets
from roles.calendars import work_calendar
from roles.models import Duty, DutyAssignment, Membership, Person, Team, Tier
from roles.serving import Serving, serving_in
from roles.worktime import local_instant
from tickets import states
from tickets.knowledge import readable
from tickets.models import Article, Feedback, Route, Service, Ticket
from tickets.priority import LABELS as PRIORITIES
from web.wording import worded

SHOWN: Final = 8
"""Open tickets that a team's page lists; the queue has the rest."""
COUNTED: Final = 500
LATELY: Final = timedelta(days=90)
SHOWN_WORDS: Final = 4
PROMISES: Final = (ClockKind.ACCEPTANCE, ClockKind.TIME_IN_TEAM)


@dataclass(frozen=True, slots=True)
class Rung:
    """A tier or lane with its teams and who serves them now."""

    tier: Tier
    teams: tuple[Serving, ...]


def rungs(now: datetime) -> list[Rung]:
    """The ladder from below, then the lanes. Seven queries."""
    tiers = list(Tier.objects.order_by(F("rank").asc(nulls_last=True), "name"))
    teams = list(_teams().order_by("name"))
    by_tier: dict[int, list[Serving]] = {}
    for serving in serving_in(teams, now):
        by_tier.setdefault(serving.team.tier_id, []).append(serving)
    return [Rung(tier, tuple(by_tier.get(tier.pk, ()))) for tier in tiers]


def _teams() -> QuerySet[Team]:
    return Team.objects.filter(is_active=True).select_related("tier", "lead", "manager", "schedule")


def duties() -> QuerySet[Duty]:
    """Every duty with the active people who hold it."""
    holders = DutyAssignment.objects.filter(person__is_active=True).select_related("person")
    return Duty.objects.prefetch_related(Prefetch("assignments", holders.order_by("id")))


# ---- Where work goes from here -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """One way up: to which team, for what (empty: whatever nothing else is said for)."""

    team: Team
    about: str = ""
    needs: tuple[Need, ...] = ()


def ways_up(team: Team) -> list[Way]:
    """Where the team's tickets go next, the special cases first; [] at the top and in lanes.

    As `escalation.routes` decides: an explicit route, else the service's owner on that rung, else
    the rung's default or only team. Five queries.
    """
    routes = Routes()
    rank = next((known for known in sorted(routes.by_rank) if _is_above(known, team.tier)), None)
    if rank is None:
        return []
    found: list[tuple[Team, str]] = []
    rows = [row for row in routes.rows if row.tier.rank == rank]
    explicit = [row for row in rows if row.service_id or row.category_id]
    found += [(row.team, _about(row)) for row in explicit]
    routed = {row.service_id for row in explicit if not row.category_id}
    owners = Service.objects.filter(is_active=True, owner_team__in=routes.by_rank[rank])
    for service in owners.exclude(pk__in=[pk for pk in routed if pk]).order_by("name"):
        found.append((routes.teams[service.owner_team_id or 0], service.name))
    plain = [row.team for row in rows if not (row.service_id or row.category_id)]
    if plain or len(routes.by_rank[rank]) == 1:
        found.append(((plain or routes.by_rank[rank])[0], ""))
    contracts = Contracts([to.pk for to, _ in found])
    merged: dict[int, list[str]] = {}
    teams = {to.pk: to for to, _ in found}
    for to, about in found:
        merged.setdefault(to.pk, []).append(about)
    return [
        Way(teams[pk], _joined(abouts), tuple(contracts.needs(team.pk, pk)))
        for pk, abouts in merged.items()
    ]


def _is_above(rank: int, tier: Tier) -> bool:
    return tier.rank is not None and rank > tier.rank


def _about(row: Route) -> str:
    return " / ".join(str(part) for part in (row.service, row.category) if part)


def _joined(abouts: Sequence[str]) -> str:
    """What a team is for; the one that takes everything else needs no list."""
    return "" if "" in abouts else ", ".join(dict.fromkeys(abouts))


# ---- What a team promises, and how it fares ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promise:
    """How long a team may take with an ordinary incident of one priority, in working seconds."""

    priority: int
    word: str
    seconds: Mapping[str, int]


def promises_of(team: Team) -> list[Promise]:
    """The team's own targets by priority; [] when it has none. One query."""
    targets = Targets()
    found = []
    for priority, word in PRIORITIES.items():
        match = {
            "priority": priority,
            "kind": "incident",
            "service": None,
            "organisation": None,
            "team": team.pk,
            "vendor": None,
        }
        chosen = targets.choose(match, team.calendar.current_id)
        revisions: dict[str, int] = {
            kind: targets.spec(chosen[kind][0]).seconds for kind in PROMISES if kind in chosen
        }
        if revisions:
            found.append(Promise(priority, worded(word), revisions))
    return found


# ---- A team's page -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a team, and as what."""

    person: Person
    role: str


@dataclass(frozen=True, slots=True)
class OpenDay:
    """A local day and the hours in which the team works; none on a day off."""

    start: datetime
    spans: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True)
class TeamPage:
    """Everything that a team's page says."""

    team: Team
    serving: Serving
    members: Sequence[Member]
    asks: Sequence[HandoverContract]
    ways: Sequence[Way]
    promises: Sequence[Promise]
    edges: Sequence[EdgeFigures]
    services: Sequence[Service]
    week: Sequence[OpenDay]
    open_count: int
    open_rows: Sequence[Ticket]
    runbooks: Sequence[Article] = ()
    feedback: "Marks | None" = None
    top: Duty | None = None

    @property
    def is_capped(self) -> bool:
        """Whether there are more open tickets than are counted."""
        return self.open_count > COUNTED

    @property
    def guidance(self) -> dict[str, str]:
        """In the team's own words, else in its tier's."""
        names = ("responsibilities", "hands_over", "escalates_to")
        return {name: getattr(self.team, name) or getattr(self.team.tier, name) for name in names}


def team_page(team: Team, reader: Person, now: datetime, zone: ZoneInfo) -> TeamPage:
    """The page of a team as far as the reader may know; a bounded number of queries."""
    seen = Ticket.objects.visible_to(reader).filter(team=team, status__in=states.OPEN)
    ordered = seen.order_by(F("next_due_at").asc(nulls_last=True), "pk")
    contracts = HandoverContract.objects.filter(to_team=team, is_active=True)
    ways = ways_up(team)
    return TeamPage(
        team=team,
        serving=serving_in([team], now)[0],
        members=members_of(team),
        asks=list(contracts.select_related("from_team").prefetch_related("needs")),
        ways=ways,
        promises=promises_of(team),
        edges=measure_edges(until=now, to_team_id=team.pk),
        services=list(team.owned_services.filter(is_active=True)),
        week=open_week(team, now, zone),
        open_count=seen.order_by().values("pk")[: COUNTED + 1].count(),
        open_rows=list(ordered.select_related("assignee")[:SHOWN]),
        runbooks=runbooks_of(team, reader),
        feedback=marks_of(team, reader, now),
        top=None if ways else Duty.objects.filter(slug=AT_THE_TOP.partition(":")[2]).first(),
    )


def runbooks_of(team: Team, reader: Person) -> list[Article]:
    """The checklists in force for services that the team owns. One query."""
    found = readable(reader).filter(services__owner_team=team, current__items__len__gt=0)
    return list(found.select_related("current").order_by("title", "pk").distinct()[:SHOWN])


@dataclass(frozen=True, slots=True)
class Marks:
    """What requesters said of a team's tickets lately: how often, how well, and in what words."""

    number: int
    mean: float
    good: int
    words: Sequence[Feedback]

    @property
    def good_percent(self) -> int:
        """The share of those who were content: the two best marks."""
        return round(100 * self.good / self.number)


def marks_of(team: Team, reader: Person, now: datetime) -> Marks | None:
    """The marks of the last 90 days; None while there is none. Two queries.

    Only of tickets that the reader may see.
    """
    seen = Ticket.objects.visible_to(reader).filter(team=team)
    rows = Feedback.objects.filter(ticket__in=seen, given_at__gte=now - LATELY)
    figures = rows.aggregate(
        number=Count("pk"), mean=Avg("score"), good=Count("pk", filter=Q(score__gte=4))
    )
    if not figures["number"]:
        return None
    words = rows.exclude(comment="").select_related("ticket", "person").order_by("-given_at")
    return Marks(**figures, words=list(words[:SHOWN_WORDS]))


def members_of(team: Team) -> list[Member]:
    """Its heads first, then everybody by name; nobody twice, nobody who has left. One query."""
    roles = {str(value): worded(label) for value, label in Membership.Role.choices}
    named = [(team.lead, roles["lead"]), (team.manager, roles["manager"])]
    found = {each.pk: Member(each, role) for each, role in named if each and each.is_active}
    rows = Membership.objects.filter(team=team, person__is_active=True).select_related("person")
    for row in rows.order_by("person__name", "person_id"):
        found.setdefault(row.person_id, Member(row.person, roles[row.role]))
    order = list(roles.values())
    return sorted(found.values(), key=lambda each: -order.index(each.role))


def open_week(team: Team, now: datetime, zone: ZoneInfo) -> list[OpenDay]:
    """The next seven local days of the zone with the hours in which the team works."""
    if team.calendar.current_id is None:
        return []
    calendar = work_calendar(team.calendar.current_id)
    today = now.astimezone(zone).date()
    found = []
    for number in range(7):
        edges = [
            local_instant(zone, datetime.combine(today + timedelta(days=day), time.min))
            for day in (number, number + 1)
        ]
        spans = calendar.openings(edges[0].astimezone(UTC), edges[1].astimezone(UTC))
        found.append(OpenDay(edges[0], tuple(spans)))
    return found
