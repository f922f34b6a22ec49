"""The set-based road of every hand-over: many tickets to other teams, each with its record."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, cast

from escalation.clock import RUNNING
from escalation.contracts import Contracts
from escalation.models import Clock, Escalation
from roles.instances import new_row, relate
from roles.instants import TimeSource
from roles.ledger import insert_rows, reading_past
from roles.models import Person, Team
from roles.values import changed, named_value
from roles.written import any_of
from tickets import timeline
from tickets.assignment import Move, move_many
from tickets.models import EventKind, Ticket, TimelineEvent

ALIVE = (Escalation.State.OPEN, Escalation.State.ACCEPTED)


@named_value
class Passing:
    """One ticket to be passed on: by whom or by which firing, and why."""

    ticket: Ticket
    to_team: Team
    reason_code: str
    reason: str = ""
    tried: str = ""
    impact: str = ""
    trigger: str = "manual"
    actor: Person | None = None
    via: str = "engine"
    firing_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    owed: Sequence[Mapping[str, str]] = ()


def clock_reading(
    ticket_ids: Sequence[int], present: Mapping[int, Sequence[Clock]] | None = None
) -> dict[int, dict[str, Any]]:
    """What each ticket's live clocks show, for keeping with a record, by ticket id.

    `present` are the tickets' clocks in the order of their cycles, where the caller has them.
    """
    found: dict[int, dict[str, Any]] = {ticket_id: {} for ticket_id in ticket_ids}
    if present is None:
        rows = list(Clock.objects.filter(ticket__in=ticket_ids).order_by("kind", "cycle"))
    else:
        rows = [row for ticket_id in found for row in present[ticket_id]]
    for row in rows:
        if row.stopped_at is not None:
            continue
        found[row.ticket_id][row.kind] = {
            "state": row.state,
            "cycle": row.cycle,
            "target_s": row.target_s,
            "due_at": timeline.instant_text(row.due_at) if row.due_at else None,
            "breached_at": timeline.instant_text(row.breached_at) if row.breached_at else None,
            "running": row.state == RUNNING,
        }
    return found


def pass_on(
    passings: Sequence[Passing],
    *,
    clock: TimeSource,
    announce: bool = True,
    present: Mapping[int, Sequence[Clock]] | None = None,
) -> list[tuple[Escalation, TimelineEvent]]:
    """Escalate many locked tickets to other teams, with a bounded number of statements.

    The escalation that brought a ticket to its present team is completed, a new one opened. What a
    receiver's contract requires and nobody was there to give, because a policy moves the ticket,
    is owed. `present` are the tickets' clocks, where the caller has read them.
    """
    if not passings:
        return []
    ids = [passing.ticket.id for passing in passings]
    readings = clock_reading(ids, present)
    passings = _with_debts(passings)
    records = [_record_of(passing, readings[passing.ticket.id]) for passing in passings]
    events = move_many([_move_of(passing) for passing in passings], clock=clock, announce=announce)
    moments = {event.ticket_id: event.at for event in events}
    at = max(moments.values())
    _end_alive(ids, Escalation.State.COMPLETED, at)
    for record in records:
        record.opened_at = moments[record.ticket_id]
        record.owed_at = record.opened_at if record.owed else None
    insert_rows(Escalation, records)
    return list(zip(records, events, strict=True))


def _with_debts(passings: Sequence[Passing]) -> list[Passing]:
    unmanned = [passing for passing in passings if passing.actor is None]
    if not unmanned:
        return list(passings)
    asked = Contracts(passing.to_team.pk for passing in unmanned)
    return [
        passing
        if passing.actor is not None
        else changed(
            passing,
            owed=[
                need.plain
                for need in asked.needs(passing.ticket.team_id, passing.to_team.pk)
                if need.required
            ],
        )
        for passing in passings
    ]


def _record_of(passing: Passing, reading: dict[str, Any]) -> Escalation:
    ticket = passing.ticket
    record = new_row(
        Escalation,
        ticket_id=ticket.id,
        type=Escalation.Type.FUNCTIONAL,
        from_team_id=cast(int, ticket.team_id),
        to_team_id=passing.to_team.id,
        trigger=passing.trigger,
        firing_id=passing.firing_id,
        actor_id=passing.actor.id if passing.actor else None,
        entry=ticket.entry + 1,
        from_entry=ticket.entry_origin,
        reason_code=passing.reason_code,
        reason=passing.reason,
        tried=passing.tried,
        impact=passing.impact,
        answers=dict(passing.answers),
        owed=list(passing.owed),
        sender_id=ticket.assignee_id,
        clock_reading=reading,
    )
    relate(record, "ticket", ticket)
    relate(record, "to_team", passing.to_team)
    return record


def _move_of(passing: Passing) -> Move:
    return Move(
        ticket=passing.ticket,
        to_team=passing.to_team,
        kind=EventKind.ESCALATED,
        actor=passing.actor,
        via=passing.via,
        body=passing.reason,
        facts={"reason_code": passing.reason_code, "trigger": passing.trigger, **passing.facts},
    )


def _end_alive(ticket_ids: Sequence[int], state: str, at: datetime) -> None:
    alive = Escalation.objects.filter(
        any_of("ticket", ticket_ids), type=Escalation.Type.FUNCTIONAL, state__in=ALIVE
    )
    # What waits to be written are calls for authority, and hand-overs of other tickets.
    with reading_past(Escalation):
        alive.update(state=state, ended_at=at)
