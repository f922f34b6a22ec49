"""How urgent it is and what it is about: impact, urgency, override, and what rules raise."""

from collections.abc import Sequence

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import timeline
from tickets.acting import Act, acting, begin, required
from tickets.models import Category, EventKind, Service, Ticket, TimelineEvent
from tickets.priority import priority_of


def _settle(ticket: Ticket) -> None:
    ticket.priority = priority_of(
        ticket.impact,
        ticket.urgency,
        override=ticket.priority_override,
        floor=ticket.priority_floor,
    )


def _require_open(act: Act) -> None:
    if not act.ticket.is_open:
        raise Conflict("not_open", f"{act.ticket.key} is not open any more.")


def set_urgency_impact(
    *,
    ticket: Ticket,
    actor: Person | None,
    impact: int,
    urgency: int,
    reason: str = "",
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Set impact and urgency, 1 (high) to 3 (low); the priority follows by the matrix."""
    if impact not in (1, 2, 3) or urgency not in (1, 2, 3):
        raise Invalid(
            "unknown_choice",
            "Impact and urgency are 1 (high), 2 or 3 (low).",
            {
                name: "1, 2 or 3."
                for name, value in (("impact", impact), ("urgency", urgency))
                if value not in (1, 2, 3)
            },
        )
    with acting(ticket, actor=actor, action="set_priority", clock=clock, via=via) as act:
        _require_open(act)
        if (act.ticket.impact, act.ticket.urgency) == (impact, urgency):
            return act.ticket
        act.ticket.impact, act.ticket.urgency = impact, urgency
        _settle(act.ticket)
        act.record(EventKind.PRIORITISED, body=reason.strip()[:2000])
        return act.ticket


def override_priority(
    *,
    ticket: Ticket,
    actor: Person | None,
    priority: int | None,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Set a priority against the matrix, or lift it with None; sticks until lifted."""
    if priority is not None and priority not in (1, 2, 3, 4, 5):
        raise Invalid("unknown_choice", "Priority is 1 to 5.", {"priority": "1 to 5."})
    with acting(ticket, actor=actor, action="override_priority", clock=clock, via=via) as act:
        _require_open(act)
        body = required(reason, "reason", 2000)
        act.ticket.priority_override = priority
        _settle(act.ticket)
        act.record(EventKind.PRIORITISED, body=body)
        return act.ticket


def classify(
    *,
    ticket: Ticket,
    actor: Person | None,
    service: Service | None,
    category: Category | None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Say which service and category the ticket is about."""
    with acting(ticket, actor=actor, action="triage", clock=clock, via=via) as act:
        _require_open(act)
        act.ticket.service, act.ticket.category = service, category
        act.record(EventKind.TRIAGED)
        return act.ticket


def raise_priority_many(
    raises: Sequence[tuple[Ticket, int, str]], *, clock: TimeSource, announce: bool = True
) -> list[TimelineEvent]:
    """Raise locked tickets to (at least) a priority, each for a reason; rules never lower one.

    Returns the events of those that changed. Must run in the transaction that locked them.
    """
    writes = []
    for ticket, priority, reason in raises:
        act = begin(ticket, actor=None, clock=clock)
        held = ticket.priority_floor
        ticket.priority_floor = priority if held is None else min(held, priority)
        was = ticket.priority
        _settle(ticket)
        if ticket.priority != was or ticket.priority_floor != held:
            writes.append(act.write(EventKind.PRIORITISED, facts={"because": reason}))
    if writes:
        timeline.record_many(writes, at=clock(), announce=announce)
    return [write.events[0] for write in writes]
