"""Passing work on: escalate, accept, hand back, involve; each escalation is a record of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from django.db import transaction
from django.db.models import F, Q

from escalation.clock import RUNNING
from escalation.letters import agent_letter
from escalation.models import Clock, Escalation
from escalation.routes import Routes
from escalation.targets import People
from notifications.outbox import enqueue, withdraw
from roles.calendars import work_calendar
from roles.instants import TimeSource, database_now
from roles.models import Membership, Person, Team
from roles.refusals import Conflict, Forbidden, Invalid
from roles.worktime import ALWAYS
from tickets import states, timeline
from tickets.access import PAGES, may
from tickets.acting import acting, begin, fitting, required
from tickets.assignment import Move, move_many
from tickets.models import EventKind, Ticket, TimelineEvent, Watcher

ALIVE = (Escalation.State.OPEN, Escalation.State.ACCEPTED)


@dataclass(frozen=True, kw_only=True)
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


def clock_reading(ticket_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What each ticket's live clocks show, for keeping with a record, by ticket id."""
    found: dict[int, dict[str, Any]] = {ticket_id: {} for ticket_id in ticket_ids}
    for row in Clock.objects.filter(ticket__in=ticket_ids, stopped_at__isnull=True):
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
    passings: Sequence[Passing], *, clock: TimeSource, announce: bool = True
) -> list[tuple[Escalation, TimelineEvent]]:
    """Escalate many locked tickets to other teams, with a bounded number of statements.

    The escalation that brought a ticket to its present team is completed, a new one opened.
    """
    if not passings:
        return []
    ids = [passing.ticket.pk for passing in passings]
    readings = clock_reading(ids)
    records = [_record_of(passing, readings[passing.ticket.pk]) for passing in passings]
    events = move_many([_move_of(passing) for passing in passings], clock=clock, announce=announce)
    moments = {event.ticket_id: event.at for event in events}
    at = max(moments.values())
    _end_alive(ids, Escalation.State.COMPLETED, at)
    for record in records:
        record.opened_at = moments[record.ticket_id]
    Escalation.objects.bulk_create(records)
    return list(zip(records, events, strict=True))


def _record_of(passing: Passing, reading: dict[str, Any]) -> Escalation:
    ticket = passing.ticket
    return Escalation(
        ticket=ticket,
        type=Escalation.Type.FUNCTIONAL,
        from_team_id=cast(int, ticket.team_id),
        to_team=passing.to_team,
        trigger=passing.trigger,
        firing_id=passing.firing_id,
        actor=passing.actor,
        entry=ticket.entry + 1,
        from_entry=ticket.entry_origin,
        reason_code=passing.reason_code,
        reason=passing.reason,
        tried=passing.tried,
        impact=passing.impact,
        sender_id=ticket.assignee_id,
        clock_reading=reading,
    )


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
        ticket__in=ticket_ids, type=Escalation.Type.FUNCTIONAL, state__in=ALIVE
    )
    alive.update(state=state, ended_at=at)


def escalate(
    *,
    ticket: Ticket,
    actor: Person,
    reason_code: str,
    reason: str,
    to_team: Team | None = None,
    tried: str = "",
    impact: str = "",
    clock: TimeSource = database_now,
    via: str = "web",
) -> Escalation:
    """Pass the ticket to another team; without one, to the next tier that its route names.

    The receiving team's people on call are told, and the requester. Raises Conflict at the top of
    the ladder, Forbidden for somebody who may not pass on this ticket.
    """
    if reason_code not in Escalation.Reason.values:
        raise Invalid("unknown_reason", "Choose a reason.", {"reason_code": "Choose one."})
    with transaction.atomic():
        locked = timeline.lock(ticket.pk)
        if not (may(actor, "escalate", locked) or may(actor, "push_any", locked)):
            raise Forbidden("not_allowed", f"You may not escalate {locked.key}.")
        passing = Passing(
            ticket=locked,
            to_team=to_team or _next_team(locked),
            actor=actor,
            via=via,
            reason_code=reason_code,
            reason=required(reason, "reason"),
            tried=fitting(tried.strip(), "tried", 20_000),
            impact=fitting(impact.strip(), "impact", 20_000),
        )
        ((record, event),) = pass_on([passing], clock=clock)
        people = People([locked], event.at)
        found = people.find(locked, ["on_call"])
        if not found.people:
            found = people.find(locked, ["lead", "team"])
        is_alarm = not found.people
        if is_alarm:
            found = people.fallback(locked)
        subject = f"Escalated to {passing.to_team.name}"
        enqueue(
            [
                agent_letter(
                    locked,
                    cause=event.cause,
                    recipient_id=person_id,
                    kind="notify",
                    subject=subject,
                    body=passing.reason,
                    is_alarm=is_alarm,
                )
                for person_id in found.ids
                if is_alarm or person_id != actor.pk
            ],
            now=event.at,
        )
        return record


def _next_team(ticket: Ticket) -> Team:
    found = Routes().next_tier(ticket)
    if found is None:
        raise Conflict(
            "top", f"There is no higher tier for {ticket.key}; choose a team or call a manager."
        )
    return found.team


def accept(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Say that the receiving team takes the hand-over; meets its acceptance target."""
    with acting(ticket, actor=actor, action="accept", clock=clock, via=via) as act:
        record = _present(act.ticket)
        if record is None or record.state != Escalation.State.OPEN:
            raise Conflict("nothing_to_accept", f"{act.ticket.key} has no open hand-over.")
        record.state = Escalation.State.ACCEPTED
        record.accepted_at, record.accepted_by = act.now, actor
        record.save(update_fields=["state", "accepted_at", "accepted_by"])
        if not act.ticket.is_acknowledged:
            act.ticket.acknowledged_at, act.ticket.acknowledged_by = act.now, actor
        act.record(EventKind.ACCEPTED, facts={"escalation": record.pk})
        withdraw(topics=[act.ticket.topic], kinds=PAGES, reason="accepted", now=act.now)
        return act.ticket


def hand_back(
    *,
    ticket: Ticket,
    actor: Person,
    reason_code: str,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Return the ticket to the team that escalated it, with a reason code.

    The sender's team gets fresh clocks, and its last assignee the ticket back if its working hours
    run. Raises Conflict when no hand-over brought the ticket here.
    """
    if reason_code not in Escalation.HandBackReason.values:
        raise Invalid("unknown_reason", "Choose a reason.", {"reason_code": "Choose one."})
    with acting(ticket, actor=actor, action="hand_back", clock=clock, via=via) as act:
        record = _present(act.ticket)
        if record is None or record.state not in ALIVE:
            raise Conflict(
                "nothing_to_hand_back", f"No hand-over brought {act.ticket.key} to this team."
            )
        words = required(reason, "reason")
        back = Move(
            ticket=act.ticket,
            to_team=record.from_team,
            kind=EventKind.HANDED_BACK,
            actor=actor,
            via=via,
            body=words,
            origin=record.from_entry,
            facts={"reason_code": reason_code, "escalation": record.pk},
            tell_requester=False,
        )
        (event,) = move_many([back], clock=clock)
        record.state, record.ended_at = Escalation.State.HANDED_BACK, event.at
        record.hand_back_code, record.hand_back_reason = reason_code, words
        record.save(update_fields=["state", "ended_at", "hand_back_code", "hand_back_reason"])
        _return_to_sender(act.ticket, record, event, clock, via)
        return act.ticket


def _return_to_sender(
    ticket: Ticket, record: Escalation, event: TimelineEvent, clock: TimeSource, via: str
) -> None:
    sender = record.sender
    if sender is not None and _may_have_it(ticket, sender, record.from_team, event.at):
        act = begin(ticket, actor=None, clock=clock, via=via)
        ticket.begin()
        ticket.assignee = sender
        act.record(EventKind.ASSIGNED, facts={"because": "handed back to its last assignee"})
        told = [sender.pk]
    else:
        people = People([ticket], event.at)
        told = people.find(ticket, ["on_call"]).ids or people.find(ticket, ["lead"]).ids
    subject = f"Handed back by {record.to_team}"
    enqueue(
        [
            agent_letter(
                ticket,
                cause=event.cause,
                recipient_id=person_id,
                kind="notify",
                subject=subject,
                body=record.hand_back_reason,
            )
            for person_id in told
        ],
        now=event.at,
    )


def _may_have_it(ticket: Ticket, person: Person, team: Team, at: datetime) -> bool:
    """Whether the last assignee still works in the team, at this hour, and may know of it."""
    if not Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists():
        return False
    member = Membership.objects.filter(team=team, person=person, person__is_active=True).exists()
    revision_id = team.calendar.current_id
    calendar = work_calendar(revision_id) if revision_id else ALWAYS
    return member and calendar.is_open(at)


def _present(ticket: Ticket) -> Escalation | None:
    """The hand-over that brought the ticket to its present team entry, locked."""
    rows = Escalation.objects.filter(
        ticket=ticket.pk, entry=ticket.entry, type=Escalation.Type.FUNCTIONAL
    )
    return rows.select_for_update(of=("self",)).first()


def involve(
    *,
    ticket: Ticket,
    actor: Person,
    reason: str,
    team: Team | None = None,
    person: Person | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Pull a person, or a team's people on call, in without moving the ticket (swarming)."""
    if (team is None) == (person is None):
        raise Invalid("one_of", "Name a team or a person.", {"team": "Or a person, not both."})
    with acting(ticket, actor=actor, action="escalate", clock=clock, via=via) as act:
        words = required(reason, "reason")
        if not act.ticket.is_open:
            raise Conflict("not_open", f"{act.ticket.key} is not open any more.")
        tokens = [f"on_call:{team.slug}"] if team else []
        tokens += [f"person:{person.username}"] if person else []
        found = People([act.ticket], act.now).find(act.ticket, tokens)
        if not found.people:
            raise Conflict("nobody", "Nobody can be reached there: " + "; ".join(found.left_out))
        for person_id in found.ids:
            Watcher.objects.get_or_create(
                ticket=act.ticket, person_id=person_id, defaults={"since": act.now}
            )
        event = act.record(
            EventKind.INVOLVED,
            body=words,
            facts={"people": found.ids, "team": team.name if team else None},
        )
        enqueue(
            [
                agent_letter(
                    act.ticket,
                    cause=event.cause,
                    recipient_id=person_id,
                    kind="involved",
                    subject="Your help is wanted",
                    body=words,
                )
                for person_id in found.ids
            ],
            now=act.now,
        )
        return act.ticket


def follow_tickets(tickets: Sequence[Ticket], at: datetime) -> None:
    """Keep the records true: working on a ticket accepts its hand-over, solving completes it."""
    taken = [item.pk for item in tickets if item.status in {states.IN_PROGRESS} | states.PENDING]
    if taken:
        rows = Escalation.objects.filter(
            ticket__in=taken,
            ticket__entry=F("entry"),
            type=Escalation.Type.FUNCTIONAL,
            state=Escalation.State.OPEN,
        )
        assignees = {item.pk: item.assignee_id for item in tickets}
        for record in rows:
            record.state = Escalation.State.ACCEPTED
            record.accepted_at, record.accepted_by_id = at, assignees[record.ticket_id]
            record.save(update_fields=["state", "accepted_at", "accepted_by"])
    over = [item.pk for item in tickets if not item.is_open]
    if over:
        alive = Escalation.objects.filter(Q(state__in=ALIVE), ticket__in=over)
        alive.update(state=Escalation.State.COMPLETED, ended_at=at)
