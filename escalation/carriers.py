"""What steps do to a ticket beside telling, moving and raising: one carrier for each such action.

Each works on the ticket that the batch holds locked, announces nothing (the batch synchronises
itself afterwards), and answers in words. A refusal of the act is a fact to be told, not a fault.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import transaction

from roles.instants import TimeSource
from roles.refusals import Conflict
from tickets import timeline
from tickets.acting import Act, begin
from tickets.models import EventKind, Ticket

Carrier = Callable[[Act, Mapping[str, Any], str], str]
Carry = Callable[..., str]


def carry(ticket: Ticket, action: Mapping[str, Any], *, reason: str, clock: TimeSource) -> str:
    """Do what the action says to a locked ticket; returns what was done, in words.

    Raises Refused when the ticket's state does not allow it; then nothing has changed.
    """
    with transaction.atomic():
        act = begin(ticket, actor=None, clock=clock)
        return CARRIERS[action["do"]](act, action, reason)


def _unacknowledge(act: Act, action: Mapping[str, Any], reason: str) -> str:
    ticket = act.ticket
    if not ticket.is_acknowledged:
        raise Conflict("not_acknowledged", f"{ticket.key} is not acknowledged.")
    whose = ticket.acknowledged_by
    ticket.acknowledged_at, ticket.acknowledged_by = None, None
    write = act.write(EventKind.UNACKNOWLEDGED, facts={"because": reason})
    timeline.record_many([write], at=act.now, announce=False)
    return f"The acknowledgement of {whose} has lapsed"


CARRIERS: Final[Mapping[str, Carrier]] = {
    "unacknowledge": _unacknowledge,
}
"""By action, who carries it out."""
