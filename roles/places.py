"""Writes the places of the house: tiers and lanes, teams, and what duties say of themselves."""

from functools import partial
from typing import Any

from roles.instants import TimeSource, database_now
from roles.models import Duty, Person, Team, Tier
from roles.people import require
from roles.refusals import Invalid
from roles.rows import put_row, set_row

set_tier = partial(set_row, Tier, right="admin")
"""The tier or lane of that slug, made or changed; its values are fields of Tier."""
set_duty = partial(set_row, Duty, right="admin")
"""The duty of that slug, made or changed; its values are its name and its texts."""


def set_team(
    *,
    slug: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> Team:
    """The team of that slug, made or changed; its heads and members have functions of their own.

    Raises Forbidden, and Invalid by field: the service desk cannot be switched off, since new
    tickets would have nowhere to go.
    """
    require(actor, "admin")
    if values.get("is_service_desk") and not values.get("is_active", True):
        sentence = "The service desk takes what nobody else does; make another team that first."
        raise Invalid("desk_needed", "This team is the service desk.", {"is_active": sentence})
    return put_row(Team, {"slug": slug}, values, reason=reason, actor=actor, clock=clock)
