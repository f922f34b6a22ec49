"""Which team of which rung works on what: the reading of the route table."""

from copy import copy
from dataclasses import dataclass
from typing import Final

from roles.editions import Kept
from roles.models import Team
from roles.refusals import Invalid
from tickets.models import Category, Kind, Route, Service

SECURITY_LANE = "security"


@dataclass(frozen=True, slots=True)
class Table:
    """All routes in force by id, and the service desk, if a team is marked as such."""

    routes: tuple[Route, ...]
    desk: Team | None


def _read() -> Table:
    rows = Route.objects.filter(is_active=True, team__is_active=True)
    near = rows.select_related("team__calendar", "team__tier", "tier").order_by("pk")
    desks = Team.objects.filter(is_service_desk=True, is_active=True)
    return Table(tuple(near), desks.select_related("calendar", "tier").first())


TABLE: Final = Kept(_read)


def best_routes(*, service_id: int | None, category_id: int | None) -> list[Route]:
    """The winning route of each tier or lane that has one, lowest rung first, lanes last.

    The most specific row wins: service and category, then service, then category, then neither.
    """
    return _best(TABLE.latest(), service_id, category_id)


def _best(table: Table, service_id: int | None, category_id: int | None) -> list[Route]:
    best: dict[int, Route] = {}
    for route in table.routes:
        if route.service_id not in (None, service_id):
            continue
        if route.category_id not in (None, category_id):
            continue
        held = best.get(route.tier_id)
        if held is None or _weight(route) > _weight(held):
            best[route.tier_id] = route
    return sorted(best.values(), key=lambda route: (route.tier.rank is None, route.tier.rank or 0))


def _weight(route: Route) -> int:
    return 2 * (route.service_id is not None) + (route.category_id is not None)


def first_teams(
    *, service: Service | None, category: Category | None, kind: str
) -> tuple[Team, Team]:
    """The service desk, and the team in whose queue a new ticket is born: the desk's, if no other.

    Raises Invalid when no team is marked as the service desk.
    """
    table = TABLE.latest()
    if table.desk is None:
        raise Invalid(
            "no_service_desk", "No team is marked as the service desk; an administrator can do so."
        )
    routes = _best(table, service.pk if service else None, category.pk if category else None)
    # Copies: whoever reads a team's lead from one keeps what he has read of that person with it.
    return copy(table.desk), copy(_first(routes, kind) or table.desk)


def _first(routes: list[Route], kind: str) -> Team | None:
    if kind == Kind.SECURITY:
        for route in routes:
            if route.tier.slug == SECURITY_LANE:
                return route.team
    for route in routes:
        if route.takes_new and not route.tier.is_vendor:
            return route.team
    return None
