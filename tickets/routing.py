"""Which team of which rung works on what: the reading of the route table."""

from django.db.models import Q

from roles.models import Team
from roles.refusals import Invalid
from tickets.models import Category, Kind, Route, Service

SECURITY_LANE = "security"


def best_routes(*, service_id: int | None, category_id: int | None) -> list[Route]:
    """The winning route of each tier or lane that has one, lowest rung first, lanes last.

    The most specific row wins: service and category, then service, then category, then neither.
    """
    rows = (
        Route.objects.filter(is_active=True, team__is_active=True)
        .filter(Q(service=None) | Q(service=service_id))
        .filter(Q(category=None) | Q(category=category_id))
        .select_related("team", "tier")
    )
    best: dict[int, Route] = {}
    for route in rows:
        held = best.get(route.tier_id)
        if held is None or _weight(route) > _weight(held):
            best[route.tier_id] = route
    return sorted(best.values(), key=lambda route: (route.tier.rank is None, route.tier.rank or 0))


def _weight(route: Route) -> int:
    return 2 * (route.service_id is not None) + (route.category_id is not None)


def first_team(
    *, service: Service | None, category: Category | None, kind: str, desk: Team | None = None
) -> Team:
    """The team in whose queue a new ticket is born; the service desk when no route says other.

    Raises Invalid when the site has no team for it.
    """
    routes = best_routes(
        service_id=service.pk if service else None, category_id=category.pk if category else None
    )
    if kind == Kind.SECURITY:
        for route in routes:
            if route.tier.slug == SECURITY_LANE:
                return route.team
    for route in routes:
        if route.takes_new and not route.tier.is_vendor:
            return route.team
    return desk or service_desk()


def service_desk() -> Team:
    """The team that takes what nobody else does. Raises Invalid when none is marked as such."""
    desk = Team.objects.filter(is_service_desk=True, is_active=True).first()
    if desk is None:
        raise Invalid(
            "no_service_desk", "No team is marked as the service desk; an administrator can do so."
        )
    return desk
