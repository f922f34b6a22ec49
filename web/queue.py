"""The queue as a query: its views, its filters, its order by next deadline, its cursor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from escalation.models import Escalation
from roles.models import Membership, Person, Team
from roles.people import roles_of
from tickets import states
from tickets.models import Ticket
from web.rows import Row, rows_of

PAGE_ROWS = 50
COUNT_CAP = 500
BREACH_AHEAD = timedelta(minutes=30)
ANY = "any"


@dataclass(frozen=True)
class View:
    """One tab: its name in the URL and on the page, and what to say when nothing is in it."""

    slug: str
    label: str
    nothing: str
    nothing_more: str = ""


AGENT_VIEWS = (
    View("mine", "My work", "Nothing is waiting for you.", "Take the next one from your team."),
    View("team", "My team waiting", "Nobody waits for your team.", "Every ticket has somebody."),
    View("breach", "About to breach", "No deadline in the next half hour.", "Well done, all."),
    View("escalated", "Escalated to us", "Nothing has been escalated to your teams."),
    View("unassigned", "Unassigned", "Every open ticket has somebody."),
    View("all", "All open", "No ticket is open.", "A calm day."),
)
REQUESTER_VIEWS = (
    View("mine", "My open requests", "You have no open request.", "Open one when you need help."),
    View("done", "Solved", "None of your requests has been solved yet."),
)


@dataclass(frozen=True)
class Filters:
    """What the URL asks for; empty means no wish."""

    view: str = ""
    team: str = ""
    tier: str = ""
    priority: str = ""
    status: str = ""
    q: str = ""
    after: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """The filters in a query string; over-long and NUL-bearing values count as empty."""
        given = {name: query.get(name, "").strip() for name in cls.__dataclass_fields__}
        return cls(**{k: v for k, v in given.items() if len(v) <= 200 and "\x00" not in v})

    @property
    def narrowed(self) -> bool:
        """Whether anything beyond the view is asked for."""
        return any((self.team, self.tier, self.priority, self.status, self.q))


@dataclass(frozen=True)
class Reader:
    """Who looks at the queue, and when."""

    person: Person
    teams: list[int]
    is_agent: bool
    now: datetime


@dataclass
class Page:
    """Everything that the queue shows."""

    view: View
    views: list[tuple[View, str]]
    rows: list[Row]
    after: str
    filters: Filters
    now: datetime
    teams: list[Team] = field(default_factory=list)
    is_agent: bool = True


def is_agent(person: Person) -> bool:
    """Whether this person reads the whole service's work, not only what they asked for."""
    return bool(roles_of(person) - {"requester", "administrator"})


def queue_page(person: Person, filters: Filters, now: datetime) -> Page:
    """The page of the queue that the filters ask for, with live counts for every view."""
    agent = is_agent(person)
    views = AGENT_VIEWS if agent else REQUESTER_VIEWS
    teams = _teams(person)
    mine = [team.pk for team in teams if team.is_mine]  # type: ignore[attr-defined]
    reader = Reader(person, mine, agent, now)
    scope = Ticket.objects.visible_to(person)
    wanted = {view.slug: _view(scope, view.slug, reader) for view in views}
    counts = _counts([wanted[each.slug] for each in views])
    view = _chosen(views, counts, filters)
    chosen = _base(scope, view, wanted[view.slug], filters)
    tickets, after = _slice(_narrow(chosen, filters), filters.after)
    return Page(
        view=view,
        views=list(zip(views, counts, strict=True)),
        rows=rows_of(tickets, now, for_agent=agent),
        after=after,
        filters=filters,
        now=now,
        teams=teams,
        is_agent=agent,
    )


def _chosen(views: Sequence[View], counts: Sequence[str], filters: Filters) -> View:
    """The view asked for; without a wish, the first in which there is something to do."""
    for view in views:
        if view.slug == filters.view:
            return view
    if filters.narrowed:
        return views[-1] if views is AGENT_VIEWS else views[0]
    filled = (view for view, count in zip(views, counts, strict=True) if count != "0")
    return next(filled, views[0])


def _teams(person: Person) -> list[Team]:
    """The active teams with their tiers, each marked when the person is in it: one query."""
    membership = Membership.objects.filter(team=OuterRef("pk"), person=person.pk)
    teams = Team.objects.filter(is_active=True).select_related("tier")
    return list(
        teams.annotate(is_mine=Exists(membership)).order_by(
            F("tier__rank").asc(nulls_last=True), "name"
        )
    )


def _view(scope: QuerySet[Ticket], slug: str, reader: Reader) -> QuerySet[Ticket]:
    open_ones = scope.filter(status__in=states.OPEN)
    if not reader.is_agent:
        solved = [states.RESOLVED, states.CLOSED]
        return scope.filter(status__in=solved) if slug == "done" else open_ones
    if slug == "mine":
        return open_ones.filter(assignee=reader.person.pk)
    if slug == "team":
        return open_ones.filter(team__in=reader.teams, status=states.WAITING)
    if slug == "breach":
        return open_ones.filter(next_due_at__lte=reader.now + BREACH_AHEAD)
    if slug == "escalated":
        passed = Escalation.objects.filter(
            ticket=OuterRef("pk"),
            to_team=OuterRef("team"),
            entry=OuterRef("entry"),
            state__in=[Escalation.State.OPEN, Escalation.State.ACCEPTED],
        )
        return open_ones.filter(Exists(passed), team__in=reader.teams)
    if slug == "unassigned":
        return open_ones.filter(assignee=None)
    return open_ones


def _base(
    scope: QuerySet[Ticket], view: View, chosen: QuerySet[Ticket], filters: Filters
) -> QuerySet[Ticket]:
    """A wish for a status widens "all open" to what is not open; other views stay as they are."""
    if view.slug not in ("all", "done") or filters.status not in states.ALL:
        return chosen
    return scope


def _narrow(tickets: QuerySet[Ticket], filters: Filters) -> QuerySet[Ticket]:
    if filters.team:
        tickets = tickets.filter(team__slug=filters.team)
    if filters.tier:
        tickets = tickets.filter(team__tier__slug=filters.tier)
    if filters.priority in {"1", "2", "3", "4", "5"}:
        tickets = tickets.filter(priority=int(filters.priority))
    if filters.status in states.ALL:
        tickets = tickets.filter(status=filters.status)
    if filters.q:
        matching = Q(key__istartswith=filters.q) | Q(subject__icontains=filters.q)
        tickets = tickets.filter(matching)
    return tickets


def _slice(tickets: QuerySet[Ticket], after: str) -> tuple[list[Ticket], str]:
    """The next rows after the cursor, and the cursor of the page that follows ("" for none)."""
    seen = _read_cursor(after)
    if seen is not None:
        due, pk = seen
        later = Q(next_due_at=None, pk__gt=pk)
        if due is not None:
            later = Q(next_due_at__gt=due) | Q(next_due_at=due, pk__gt=pk) | Q(next_due_at=None)
        tickets = tickets.filter(later)
    ordered = tickets.order_by(F("next_due_at").asc(nulls_last=True), "pk").select_related(
        "requester", "team__tier", "team__calendar", "assignee", "owner", "owner_team"
    )
    found = list(ordered[: PAGE_ROWS + 1])
    rows = found[:PAGE_ROWS]
    return rows, _cursor(rows[-1]) if len(found) > PAGE_ROWS else ""


def _cursor(ticket: Ticket) -> str:
    due = ticket.next_due_at
    return f"{due.astimezone(UTC).strftime('%Y%m%dT%H%M%S.%f') if due else ''}~{ticket.pk}"


def _read_cursor(text: str) -> tuple[datetime | None, int] | None:
    """What a cursor says; None for one that is empty or broken, which means the first page."""
    due, mark, pk = text.partition("~")
    if not mark or not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return None
    if not due:
        return None, int(pk)
    try:
        return datetime.strptime(due, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), int(pk)
    except ValueError:
        return None


def _counts(querysets: Sequence[QuerySet[Ticket]]) -> list[str]:
    """How many rows each query has, all in one statement, none counted beyond the cap."""
    parts: list[str] = []
    params: list[object] = []
    for tickets in querysets:
        capped = tickets.order_by().values("pk")[: COUNT_CAP + 1]
        try:
            sql, given = capped.query.sql_with_params()
        except EmptyResultSet:  # somebody in no team: Django knows that nothing can match
            parts.append("0")
            continue
        parts.append(f"(SELECT count(*) FROM ({sql}) AS capped)")  # noqa: S608 (Django's own SQL)
        params.extend(given)
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(parts), params)
        found = cursor.fetchone()
    return [f"{COUNT_CAP}+" if count > COUNT_CAP else str(count) for count in found]
