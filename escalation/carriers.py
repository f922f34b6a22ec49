"""What steps do to a ticket beside telling, moving and raising: one carrier for each such action.

Each works on the ticket that the batch holds locked, announces nothing (the batch synchronises
itself afterwards), and answers in words. A refusal of the act is a fact to be told, not a fault.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import transaction

from roles.instants import TimeSource, fixed
from roles.refusals import Conflict
from tickets.acting import Act, begin
from tickets.incidents import propose_within
from tickets.models import EventKind, Ticket
from tickets.restriction import restrict_within

Carrier = Callable[[Act, Mapping[str, Any], str], str]
Carry = Callable[..., str]


def carry(ticket: Ticket, action: Mapping[str, Any], *, reason: str, clock: TimeSource) -> str:
    """Do what the action says to a locked ticket; returns what was done, in words.

    Raises Refused when the ticket's state does not allow it; then nothing has changed.
    """
    with transaction.atomic():
        act = begin(ticket, actor=None, clock=clock, announce=False)
        return CARRIERS[action["do"]](act, action, reason)


def _unacknowledge(act: Act, action: Mapping[str, Any], reason: str) -> str:
    ticket = act.ticket
    if not ticket.is_acknowledged:
        raise Conflict("not_acknowledged", f"{ticket.key} is not acknowledged.")
    whose = ticket.acknowledged_by
    ticket.acknowledged_at, ticket.acknowledged_by = None, None
    act.record(EventKind.UNACKNOWLEDGED, facts={"because": reason})
    return f"The acknowledgement of {whose} has lapsed"


def _propose_major(act: Act, action: Mapping[str, Any], reason: str) -> str:
    propose_within(act, reason=reason)
    return "Proposed as a major incident"


def _restrict(act: Act, action: Mapping[str, Any], reason: str) -> str:
    restrict_within(act, reason=reason, clock=fixed(act.now))
    return "Put into the security lane"


CARRIERS: Final[Mapping[str, Carrier]] = {
    "propose_major": _propose_major,
    "restrict": _restrict,
    "unacknowledge": _unacknowledge,
}
"""By action, who carries it out."""
