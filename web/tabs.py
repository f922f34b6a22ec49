"""The standing views of the queue: which there are for whom, and what stands in each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from escalation.models import Escalation
from roles.models import Person, Team
from roles.people import roles_of
from tickets import states
from tickets.finding import AmongThese
from tickets.models import Ticket, TicketQuerySet, Watcher

BREACH_AHEAD = timedelta(minutes=30)
OF_TEAMS = frozenset({"team", "escalated"})
LEADING = frozenset({"incident_manager", "manager", "communication_coordinator", "executive"})
"""Who looks at what is grave before what is theirs."""


@dataclass(frozen=True)
class View:
    """One tab: its name in the URL and on the page, and what to say when nothing is in it."""

    slug: str
    label: str | Promise
    nothing: str | Promise
    nothing_more: str | Promise = ""
    needs_team: bool = False


MINE = View(
    "mine",
    _("My work"),
    _("Nothing is waiting for you."),
    _("Take the next one from your team."),
)
TEAM = View(
    "team",
    _("My team waiting"),
    _("Nobody waits for your team."),
    _("Every ticket has somebody."),
    needs_team=True,
)
BREACH = View(
    "breach",
    _("About to breach"),
    _("No deadline in the next half hour."),
    _("Well done, all."),
)
ESCALATED = View(
    "escalated",
    _("Escalated to us"),
    _("Nothing has been escalated to your teams."),
    needs_team=True,
)
UNASSIGNED = View("unassigned", _("Unassigned"), _("Every open ticket has somebody."))
MAJOR = View("major", _("Majors"), _("No major incident is going on."), _("Long may it last."))
WATCHED = View(
    "watched",
    _("Watching"),
    _("You watch no open ticket."),
    _("Watch a ticket to be told of its news; it stands here until it is solved."),
)
ALL = View("all", _("All open"), _("No ticket is open."), _("A calm day."))
AGENT_VIEWS = (MINE, TEAM, BREACH, ESCALATED, UNASSIGNED, MAJOR, WATCHED, ALL)
LEADING_VIEWS = (MAJOR, BREACH, MINE, TEAM, ESCALATED, UNASSIGNED, WATCHED, ALL)
REQUESTER_VIEWS = (
    View(
        "mine",
        _("My open requests"),
        _("You have no open request."),
        _("Open one when you need help."),
    ),
    View("done", _("Solved"), _("None of your requests has been solved yet.")),
)


@dataclass(frozen=True)
class Reader:
    """Who looks at the queue, when, and among which teams; `team_ids` are the person's own."""

    person: Person
    teams: Sequence[Team]
    is_agent: bool
    now: datetime

    @property
    def team_ids(self) -> list[int]:
        return [team.pk for team in self.teams if getattr(team, "is_mine", False)]


def views_for(reader: Reader) -> Sequence[View]:
    """The views of somebody's role, the most pressing first."""
    if not reader.is_agent:
        return REQUESTER_VIEWS
    views = LEADING_VIEWS if roles_of(reader.person) & LEADING else AGENT_VIEWS
    has_team = bool(reader.team_ids)
    return [view for view in views if has_team or not view.needs_team]


def tickets_in(scope: TicketQuerySet, slug: str, reader: Reader) -> TicketQuerySet:
    """What stands in the view of that name, out of what the reader may see."""
    open_ones = scope.filter(status__in=sorted(states.OPEN))
    if not reader.is_agent:
        solved = [states.RESOLVED, states.CLOSED]
        return scope.filter(status__in=solved) if slug == "done" else open_ones
    if slug == "mine":
        return open_ones.filter(assignee=reader.person.pk)
    if slug == "team":
        return open_ones.filter(team__in=reader.team_ids, status=states.WAITING)
    if slug == "breach":
        return open_ones.filter(next_due_at__lte=reader.now + BREACH_AHEAD)
    if slug == "escalated":
        passed = Escalation.objects.filter(
            ticket=OuterRef("pk"),
            to_team=OuterRef("team"),
            entry=OuterRef("entry"),
            to_team__in=reader.team_ids,
            state__in=[Escalation.State.ACCEPTED, Escalation.State.OPEN],
        )
        return open_ones.filter(Exists(passed), team__in=reader.team_ids)
    if slug == "unassigned":
        return open_ones.filter(assignee=None)
    if slug == "major":
        return open_ones.filter(is_major=True)
    if slug == "watched":
        watched = Watcher.objects.filter(person=reader.person.pk).order_by()
        return open_ones.filter(AmongThese("pk", ArraySubquery(watched.values("ticket"))))
    return open_ones


def by_team(slug: str, reader: Reader) -> list[Reader]:
    """The reader once for each team of theirs, for a view of teams; else the reader alone.

    What stands in such a view is what stands in it for these together, none of it twice. An index
    leads to one team's tickets in their order; asked for several teams at once, the database walks
    through the tickets of all teams until it has met enough of these.
    """
    if slug not in OF_TEAMS or not reader.team_ids:
        return [reader]
    mine = [team for team in reader.teams if getattr(team, "is_mine", False)]
    return [replace(reader, teams=[team]) for team in mine]


def is_known(slug: str, views: Sequence[View]) -> bool:
    """Whether one of the views has this name."""
    return any(view.slug == slug for view in views)


def visible(person: Person) -> TicketQuerySet:
    """What this person may know of."""
    return Ticket.objects.visible_to(person)
