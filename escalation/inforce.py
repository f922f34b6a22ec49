"""Which targets and routes hold now, as rows."""

from escalation.models import Target, TargetRevision
from tickets.models import Route


def targets_in_force() -> list[TargetRevision]:
    """The targets in force, each with its calendar, in the order in which they are tried."""
    active = Target.objects.filter(is_active=True, current__isnull=False)
    rows = active.select_related("current__calendar").order_by("position", "id")
    return [row.current for row in rows if row.current]


def routes_in_force() -> list[Route]:
    """The routes up the ladder that hold now, each with what it names."""
    rows = Route.objects.filter(is_active=True, team__is_active=True, tier__is_vendor=False)
    near = ("team__tier", "team__calendar", "tier", "service", "category")
    return list(rows.exclude(tier__rank=None).select_related(*near))
