"""Holds the policies of a major incident's children, and lets them go when it is over."""

from escalation.models import Run
from escalation.reactions import heal
from roles.instants import TimeSource
from tickets.incidents import children_of_open_majors
from tickets.models import Major, TicketLink


def keep_children(*, limit: int, clock: TimeSource) -> int:
    """Synchronise the children whose policies do not fit their major incident; how many.

    A child is held at once when it is attached. When the major itself begins, ends or comes back,
    its children are not locked along with it: this looks after them, in a transaction of their own.
    """
    children = TicketLink.objects.filter(relation=TicketLink.Relation.CHILD_OF)
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
    found = freed | set(to_hold.values_list("source_id", flat=True)[:limit])
    return heal(found, clock=clock) if found else 0
