"""Writes the places of the house: tiers and lanes, teams, and what duties say of themselves."""

from typing import Any

from roles.instants import TimeSource, database_now
from roles.models import Duty, Person, Team, Tier
from roles.people import require
from roles.refusals import Invalid
from roles.rows import put_row


def set_tier(
    *,
    slug: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> Tier:
    """The tier or lane of that slug, made or changed; `values` are fields of Tier.

    Raises Forbidden, and Invalid by field.
    """
    require(actor, "admin")
    return put_row(Tier, {"slug": slug}, values, reason=reason, actor=actor, clock=clock)


def set_duty(
    *,
    slug: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> Duty:
    """The duty of that slug, made or changed; `values` are its name and its texts.

    Raises Forbidden, and Invalid by field.
    """
    require(actor, "admin")
    return put_row(Duty, {"slug": slug}, values, reason=reason, actor=actor, clock=clock)


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
