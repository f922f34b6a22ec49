"""When stakeholders of major incidents must hear next."""

from collections.abc import Sequence
from datetime import datetime

from escalation.models import Clock, ClockKind
from tickets.models import Major


def next_words_due(majors: Sequence[Major]) -> dict[int, datetime | None]:
    """By ticket id: what was promised, or the target if sooner; None for what is over."""
    alive = [major for major in majors if major.is_under_way]
    clocks = Clock.objects.filter(
        ticket__in=[major.ticket_id for major in alive],
        kind=ClockKind.STAKEHOLDER_UPDATE,
        state=Clock.State.RUNNING,
    )
    due = {ticket_id: at for ticket_id, at in clocks.values_list("ticket_id", "due_at") if at}
    found: dict[int, datetime | None] = {}
    for major in majors:
        both = [due.get(major.ticket_id), major.next_update_at if major.is_under_way else None]
        found[major.ticket_id] = min((at for at in both if at is not None), default=None)
    return found
