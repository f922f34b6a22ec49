"""Writes what policies, targets and vendors are known by: name, place in the order, on or off."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from escalation.models import Policy, Target, Vendor, VendorContact
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Invalid
from roles.rows import set_row

set_policy = partial(set_row, Policy, right="manage_policies")
"""The policy of that slug, made or changed; what it does is drafted and published."""
set_target = partial(set_row, Target, right="manage_policies")
"""The target of that slug, made or changed; its wording is published."""
set_vendor = partial(set_row, Vendor, right="manage_policies")
"""The vendor of that slug, made or changed."""


def set_contacts(
    *,
    vendor: Vendor,
    contacts: Sequence[Mapping[str, Any]],
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Vendor:
    """The vendor with exactly these contacts. Raises Forbidden, and Invalid for one out of reach.

    Must run in a transaction.
    """
    require(actor, "manage_policies")
    rows = [VendorContact(vendor=vendor, **given) for given in contacts]
    if not all(row.email or row.phone for row in rows):
        problem = "Each contact needs an e-mail address or a phone number."
        raise Invalid("out_of_reach", problem, {"contacts": problem})
    before = [_told(row) for row in vendor.contacts.all()]
    after = [_told(row) for row in sorted(rows, key=lambda row: row.level)]
    if before == after:
        return vendor
    vendor.contacts.all().delete()
    VendorContact.objects.bulk_create(rows)
    changes = {"contacts": [before, after]}
    audit.record(
        actor=actor,
        action="vendor.contacts_set",
        subject=vendor,
        changes=changes,
        reason=reason,
        clock=clock,
    )
    return vendor


def _told(row: VendorContact) -> list[Any]:
    return [row.level, row.role, row.name, row.email, row.phone]
