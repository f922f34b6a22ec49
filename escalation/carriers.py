"""What steps do to a ticket beside telling, moving and raising: one carrier for each such action.

Each works on the ticket that the batch holds locked, announces nothing (the batch synchronises
itself afterwards), and answers in words. A refusal of the act is a fact to be told, not a fault.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from escalation.models import Vendor
from escalation.vendors import engaging, told_to_vendor
from notifications.outbox import enqueue
from roles.instants import TimeSource, fixed
from roles.refusals import Conflict, Invalid
from tickets import timeline
from tickets.acting import Act, begin, unchanged_if_refused
from tickets.alike import Repeat
from tickets.incidents import propose_within
from tickets.models import EventKind, Ticket
from tickets.repeats import Gathering
from tickets.restriction import restrict_within

Carrier = Callable[[Act, Mapping[str, Any], str], str]
Carry = Callable[..., str]


def carry(ticket: Ticket, action: Mapping[str, Any], *, reason: str, clock: TimeSource) -> str:
    """Do what the action says to a locked ticket; returns what was done, in words.

    Beside "do" and "to" the action says what repeats have in "same" and how far back they are
    looked for, "window_s"; "gathering", if any, and "beside" come from the batch, see `gather`.

    Raises Refused when the ticket's state does not allow it; then nothing has changed, neither in
    the database nor in the ticket at hand.
    """
    # A repeat is refused before anything is written, so that it needs no savepoint of its own.
    is_whole = action["do"] == "open_problem"
    with unchanged_if_refused(ticket), nullcontext() if is_whole else transaction.atomic():
        act = begin(ticket, actor=None, clock=clock, announce=False)
        return CARRIERS[action["do"]](act, action, reason)


def gather(
    wanted: Iterable[tuple[Ticket, Mapping[str, Any]]], *, beside: Collection[Ticket], now: datetime
) -> Gathering:
    """What these actions of a batch have in common: repeats are put under their problems together.

    `beside` are the tickets that the batch has at hand and writes itself. What somebody
    else is opening a problem for is left to him. The caller ends it with `record()`.
    """
    repeats = [
        repeat_of(ticket, {**action, "beside": beside})
        for ticket, action in wanted
        if action["do"] == "open_problem"
    ]
    return Gathering(repeats, clock=fixed(now), announce=False, waits=False)


def repeat_of(ticket: Ticket, action: Mapping[str, Any]) -> Repeat:
    """The ticket as one that repeats others, by what the action says."""
    window_s = action.get("window_s", 0)
    return Repeat(ticket, action["same"], window_s=window_s, beside=action["beside"])


def _engage_vendor(act: Act, action: Mapping[str, Any], reason: str) -> str:
    vendor = Vendor.objects.filter(slug=action["to"]).first()
    if vendor is None:
        raise Invalid("no_vendor", f"There is no vendor {action['to']}.")
    engagement, write = engaging(act, vendor, reason=reason)
    timeline.record_many([write], at=act.now, announce=act.announce)
    enqueue(told_to_vendor(act.ticket, write.events[0], engagement), now=act.now)
    return f"Engaged {vendor}"


def _open_problem(act: Act, action: Mapping[str, Any], reason: str) -> str:
    repeat, batch = repeat_of(act.ticket, action), action["gathering"]
    gathering: Gathering = batch or Gathering([repeat], clock=fixed(act.now), announce=False)
    joined = gathering.join(repeat)
    if batch is None:
        gathering.record()
    if not joined.is_linked_now:
        raise Conflict("linked", f"{act.ticket.key} is under a problem already.")
    # Not by its key: the problem may become restricted, and this sentence stays.
    others = f", with {joined.fellows} that it repeats" if joined.fellows else ""
    which = "a new" if joined.is_new else "the open"
    return f"Put under {which} problem, which is linked to it{others}"


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
    "engage_vendor": _engage_vendor,
    "open_problem": _open_problem,
    "propose_major": _propose_major,
    "restrict": _restrict,
    "unacknowledge": _unacknowledge,
}
"""By action, who carries it out."""
