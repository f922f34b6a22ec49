"""What a site has set up, as the engine goes by it: read once, and again only once it has changed.

Rows alone are kept, and nobody changes them. What is worked out from them, and the people with it,
each pass has for itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from escalation import keeping, runs
from escalation.inforce import routes_in_force, targets_in_force
from escalation.models import Policy, TargetRevision, Vendor
from escalation.staff import Staff
from escalation.steps import Step
from roles.editions import Kept
from roles.instances import relate
from roles.models import Team
from tickets.models import Category, Route, Service


@dataclass(frozen=True)
class Setup:
    """The rows in force: targets in their order, policies, and what is known by id.

    `steps` are those of every policy's revision in force; `members` and `holders` are who works in
    which team and who holds which duty.
    """

    targets: Sequence[TargetRevision]
    policies: Sequence[Policy]
    steps: Mapping[int, Sequence[Step]]
    teams: Mapping[int, Team]
    routes: Sequence[Route]
    services: Mapping[int, Service]
    categories: Mapping[int, Category]
    vendor_teams: frozenset[int]
    members: Mapping[int, list[int]]
    holders: Mapping[str, list[int]]


def _read() -> Setup:
    policies = keeping.published()
    revisions = [policy.current_id for policy in policies if policy.current_id is not None]
    steps: dict[int, list[Step]] = {pk: [] for pk in revisions}
    steps |= runs.steps_of(revisions)
    staff = Staff()
    services = Service.objects.in_bulk()
    for service in services.values():
        owner = staff.teams.get(service.owner_team_id or 0)
        if owner is not None:
            relate(service, "owner_team", owner)
    vendors = Vendor.objects.filter(team__isnull=False, is_active=True)
    return Setup(
        targets=targets_in_force(),
        policies=policies,
        steps=steps,
        teams=staff.teams,
        routes=routes_in_force(),
        services=services,
        categories=Category.objects.in_bulk(),
        vendor_teams=frozenset(vendors.values_list("team_id", flat=True)),
        members=staff.members,
        holders=staff.holders,
    )


SETUP: Final = Kept(_read)
