"""Writes the catalog: services, categories, and the routes that say who works on what."""

from functools import partial
from typing import Any

from roles.instants import TimeSource, database_now
from roles.models import Person, Team, Tier
from roles.people import require
from roles.refusals import Invalid
from roles.rows import put_row, set_row
from tickets.models import Category, Route, Service

set_service = partial(set_row, Service, right="admin")
"""The service of that slug, made or changed; its values are fields of Service."""


def set_category(
    *,
    slug: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> Category:
    """The category of that slug, made or changed. Raises Forbidden, and Invalid by field."""
    require(actor, "admin")
    above, met = values.get("parent"), set()
    while above is not None and above.pk not in met:
        met.add(above.pk)
        if above.slug == slug:
            problem = {"parent": "A category cannot stand under itself."}
            raise Invalid("circle", "These categories would form a circle.", problem)
        above = above.parent
    return put_row(Category, {"slug": slug}, values, reason=reason, actor=actor, clock=clock)


def set_route(
    *,
    service: Service | None,
    category: Category | None,
    tier: Tier,
    team: Team,
    takes_new: bool = False,
    is_active: bool = True,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Route:
    """The one route for that service and category on that tier, leading to the team from now on.

    Raises Forbidden, and Invalid where the team does not sit on the tier.
    """
    require(actor, "admin")
    if is_active and team.tier_id != tier.pk:
        sentence = f"{team} sits on {team.tier}, not on {tier}."
        raise Invalid("wrong_tier", "A route leads to a team of its own tier.", {"team": sentence})
    key = {"service": service, "category": category, "tier": tier}
    values = {"team": team, "takes_new": takes_new, "is_active": is_active}
    return put_row(Route, key, values, reason=reason, actor=actor, clock=clock)
