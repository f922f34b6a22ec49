"""Finds children whose policies do not fit their major incident: to be held, or let go."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from escalation.models import Run
from tickets.incidents import children_of_open_majors
from tickets.models import Major, TicketLink


def to_keep(*, limit: int, now: datetime, leave_out: Any = ()) -> list[int]:
    """The ids of the children to synchronise, but for those to leave out.

    A child is held at once when it is attached. When the major itself begins, ends or comes back,
    its children are not locked along with it: they are looked after by this.
    """
    children = TicketLink.objects.filter(relation=TicketLink.Relation.CHILD_OF)
    children = children.exclude(source__in=leave_out)
    to_hold = children.filter(
        source__restricted=False,
        source__runs__state=Run.State.ACTIVE,
        source__runs__held__in=["", Run.Hold.SNOOZED],
        target__major__state=Major.State.ACCEPTED,
    )
    to_free = children.filter(
        source__runs__state=Run.State.ACTIVE,
        source__runs__held=Run.Hold.MAJOR,
        target__major__ended_at__isnull=False,
    )
    freed = set(to_free.values_list("source_id", flat=True)[:limit])
    freed -= children_of_open_majors(freed)
    return sorted(freed | set(to_hold.values_list("source_id", flat=True)[:limit]))


def under_way() -> QuerySet[Major]:
    """The major incidents that may have children to hold."""
    return Major.objects.filter(state=Major.State.ACCEPTED)


def held() -> QuerySet[Run]:
    """The climbs that are held for a major incident, which may be over."""
    return Run.objects.filter(state=Run.State.ACTIVE, held=Run.Hold.MAJOR)
