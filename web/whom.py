"""To whom a coming step speaks, in the words of its policy: cheap enough for every row of a list.

The people behind the words are found when the step is due; the ticket's own page names them.
"""

from collections.abc import Callable, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from escalation.outlook import Coming
from escalation.routes import Routes
from roles.models import Team
from tickets.models import Ticket

REACHING = ("page", "notify", "involve")
GOALS = {
    "on_call": _("on call, %(team)s"),
    "team": _("everybody, %(team)s"),
    "lead": _("lead, %(team)s"),
    "manager": _("manager, %(team)s"),
    "assignee": _("assignee"),
    "owner": _("owner"),
    "requester": _("requester"),
    "watchers": _("watchers"),
}


class Whom:
    """Knows teams, and by `routes` where they pass tickets on to.

    Teams that were read for a reader bring along what the duties are called.
    """

    def __init__(self, teams: Sequence[Team], routes: Callable[[], Routes]) -> None:
        self._teams = teams
        self._routes = routes
        told = getattr(teams[0], "duties", ()) if teams else ()  # the same on every team
        self._duties = {duty["slug"]: duty["name"] for duty in told}
        self._known: dict[tuple[int | None, ...], str] = {}

    def of(self, ticket: Ticket, coming: Coming) -> str:
        """Whom the step would reach, such as "on call, Service Desk"; "" when it tells nobody."""
        asked = (coming.step.id, ticket.team_id, ticket.service_id, ticket.category_id)
        if asked not in self._known:
            self._known[asked] = self._find(ticket, coming)
        return self._known[asked]

    def _find(self, ticket: Ticket, coming: Coming) -> str:
        team = ticket.team
        found: list[str] = []
        for action in coming.step.actions:
            if action["do"] == "move":
                team = self._team(ticket, str(action.get("to", ""))) or team
                found.append(str(team) if team else "")
            elif action["do"] in REACHING:
                found += [self._words(goal, team) for goal in _goals(action)]
        return ", ".join(dict.fromkeys(filter(None, found)))

    def _team(self, ticket: Ticket, goal: str) -> Team | None:
        if goal == "next_tier":
            recommended = self._routes().next_tier(ticket)
            return recommended.team if recommended else None
        slug = goal.partition(":")[2]
        return next((team for team in self._teams if team.slug == slug), None)

    def _words(self, goal: str, team: Team | None) -> str:
        kind, _colon, name = goal.partition(":")
        if kind == "duty":
            return str(self._duties.get(name) or name.replace("-", " ").capitalize())
        if kind == "person":
            return name
        if name:
            team = self._team(None, goal) or team  # type: ignore[arg-type]
        return _in_words(kind, str(team) if team else "")


def _goals(action: Mapping[str, object]) -> Sequence[str]:
    goals = action.get("to") or []
    return [str(goal) for goal in goals] if isinstance(goals, list) else [str(goals)]


def _in_words(kind: str, team: str) -> str:
    words = GOALS.get(kind)
    return str(words) % {"team": team} if words else kind
