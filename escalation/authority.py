"""Calls for authority where there is no higher tier: a manager is paged, and the work stays."""

from dataclasses import dataclass
from typing import Final, cast

from escalation.letters import agent_letter
from escalation.models import Escalation
from escalation.passing import clock_reading
from escalation.targets import People
from notifications.outbox import enqueue
from roles.instants import TimeSource
from roles.models import Person
from roles.refusals import Conflict
from tickets import states
from tickets.acting import begin
from tickets.models import EventKind, Ticket

AT_THE_TOP: Final = "duty:incident-manager"


@dataclass(frozen=True, kw_only=True)
class Call:
    """Who calls for help, and the words that go with it."""

    actor: Person
    via: str
    reason_code: str
    reason: str
    tried: str = ""
    impact: str = ""


def call_at_the_top(ticket: Ticket, call: Call, clock: TimeSource) -> Escalation:
    """Page the incident manager on call about a locked ticket that has no tier above it.

    The ticket stays where it is; he may pull it. Of a restricted case cleared people only, else
    security on call, who is told no fact of it. Raises Conflict when nobody can be called.
    """
    if not ticket.is_open:
        words = states.LABELS[ticket.status].lower()
        raise Conflict("not_open", f"{ticket.key} is {words}; that cannot be done now.")
    act = begin(ticket, actor=call.actor, clock=clock, via=call.via)
    people = People([ticket], act.now)
    found = people.find(ticket, [AT_THE_TOP])
    is_alarm = not found.people
    if is_alarm:
        found = people.fallback(ticket)
    if not found.people:
        raise Conflict(
            "top", f"There is no higher tier for {ticket.key}, and nobody to call; choose a team."
        )
    reading = clock_reading([ticket.pk])[ticket.pk]
    event = act.record(
        EventKind.ESCALATED,
        body=call.reason,
        facts={"reason_code": call.reason_code, "trigger": "manual", "people": found.ids},
    )
    record = Escalation.objects.create(
        ticket=ticket,
        type=Escalation.Type.HIERARCHICAL,
        from_team_id=cast(int, ticket.team_id),
        trigger="manual",
        actor=call.actor,
        entry=ticket.entry,
        from_entry=ticket.entry_origin,
        reason_code=call.reason_code,
        reason=call.reason,
        tried=call.tried,
        impact=call.impact,
        clock_reading=reading,
        opened_at=event.at,
    )
    record.to_people.set(found.ids)
    enqueue(
        [
            agent_letter(
                ticket,
                cause=event.cause,
                recipient_id=person_id,
                kind="page",
                subject=f"{ticket.team} needs you; the work stays there",
                body=call.reason,
                is_alarm=is_alarm,
            )
            for person_id in found.ids
        ],
        now=event.at,
    )
    return record
