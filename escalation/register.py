"""Writes what policies, targets and vendors are known by: name, place in the order, on or off."""

from typing import Any

from escalation.models import Policy, Target, Vendor
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.rows import put_row


def set_policy(
    *,
    slug: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> Policy:
    """The policy of that slug, made or changed; what it does is drafted and published.

    Raises Forbidden, and Invalid by field.
    """
    require(actor, "manage_policies")
    return put_row(Policy, {"slug": slug}, values, reason=reason, actor=actor, clock=clock)


def set_target(
    *,
    slug: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> Target:
    """The target of that slug, made or changed; its wording is published.

    Raises Forbidden, and Invalid by field.
    """
    require(actor, "manage_policies")
    return put_row(Target, {"slug": slug}, values, reason=reason, actor=actor, clock=clock)


def set_vendor(
    *,
    slug: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> Vendor:
    """The vendor of that slug, made or changed. Raises Forbidden, and Invalid by field."""
    require(actor, "manage_policies")
    return put_row(Vendor, {"slug": slug}, values, reason=reason, actor=actor, clock=clock)
