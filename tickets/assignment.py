"""Who has the ticket: taking, assigning, acknowledging, watching, and moving between teams."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

from django.db import transaction

from notifications.outbox import enqueue, post, withdraw
from roles.instants import TimeSource, database_now
from roles.models import Membership, Person, Team
from roles.refusals import Conflict, Forbidden, Invalid
from roles.values import named_value
from tickets import letters, states, timeline
from tickets.access import PAGES, may
from tickets.acting import Act, acting, begin
from tickets.models import Clearance, EventKind, Ticket, TimelineEvent, Watcher


@named_value
class Move:
    """One ticket on its way to a team. `origin` is the entry that it returns to, if it does."""

    ticket: Ticket
    to_team: Team
    kind: str = EventKind.MOVED
    actor: Person | None = None
    via: str = "engine"
    facts: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""
    origin: int | None = None
    tell_requester: bool = True


def take(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Make the actor the assignee and start work; taking acknowledges."""
    with acting(ticket, actor=actor, action="take", clock=clock, via=via) as act:
        _require_open(act.ticket)
        mine = act.ticket.assignee_id == actor.pk and act.ticket.status == states.IN_PROGRESS
        if mine and act.ticket.is_acknowledged:
            return act.ticket
        _give(act, actor)
        _acknowledge(act, actor)
        act.record(EventKind.TAKEN)
        _withdraw_pages([act.ticket], "taken", act.now)
        return act.ticket


def assign(
    *,
    ticket: Ticket,
    actor: Person | None,
    assignee: Person,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Give the ticket to somebody of its present team; being assigned is not acknowledging."""
    with acting(ticket, actor=actor, action="assign", clock=clock, via=via) as act:
        _require_open(act.ticket)
        _require_member(act.ticket, assignee)
        if act.ticket.assignee_id == assignee.pk:
            return act.ticket
        _give(act, assignee)
        event = act.record(EventKind.ASSIGNED)
        told = letters.to_people(
            act.ticket,
            event,
            kind="assigned",
            body=act.ticket.description[:2000],
            person_ids=[assignee.pk],
        )
        enqueue(told, now=act.now)
        return act.ticket


def release(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Put a ticket in progress back into its team's queue; the acknowledgement lapses."""
    with acting(ticket, actor=actor, action="take", clock=clock, via=via) as act:
        act.ticket.queue()
        _lapse(act.ticket)
        act.record(EventKind.RELEASED)
        return act.ticket


def acknowledge(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Say "I have seen it" for the present team entry; stops unacknowledged steps and pages.

    Anybody who was paged may, and the team. Repeating it changes nothing. It meets no target: only
    work does.
    """
    with acting(ticket, actor=actor, action="acknowledge", clock=clock, via=via) as act:
        _require_open(act.ticket)
        if act.ticket.is_acknowledged:
            return act.ticket
        _acknowledge(act, actor)
        act.record(EventKind.ACKNOWLEDGED)
        _withdraw_pages([act.ticket], "acknowledged", act.now)
        return act.ticket


def unacknowledge(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Take the acknowledgement back; pages resume at the same rung in a new loop."""
    with acting(ticket, actor=actor, action="unacknowledge", clock=clock, via=via) as act:
        if not act.ticket.is_acknowledged:
            raise Conflict("not_acknowledged", f"{act.ticket.key} is not acknowledged.")
        _lapse(act.ticket)
        act.record(EventKind.UNACKNOWLEDGED)
        return act.ticket


def watch(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Let the actor be told of news."""
    with acting(ticket, actor=actor, action="watch", clock=clock, via=via) as act:
        _, created = Watcher.objects.get_or_create(
            ticket=act.ticket, person=actor, defaults={"since": act.now}
        )
        if created:
            act.record(EventKind.WATCHED, facts={"added": [actor.pk]})
        return act.ticket


def unwatch(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Stop telling the actor."""
    with acting(ticket, actor=actor, action="watch", clock=clock, via=via) as act:
        gone, _ = Watcher.objects.filter(ticket=act.ticket, person=actor).delete()
        if gone:
            act.record(EventKind.WATCHED, facts={"removed": [actor.pk]})
        return act.ticket


def move(
    *,
    ticket: Ticket,
    actor: Person | None,
    to_team: Team,
    reason: str = "",
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Put the ticket into another team's queue without escalating it (triage, reassignment).

    Members of its team may; an incident manager may from anywhere.
    """
    with transaction.atomic():
        locked = timeline.lock(ticket.id)
        if not (may(actor, "triage", locked) or may(actor, "push_any", locked)):
            raise Forbidden("not_allowed", f"You may not move {locked.key}.")
        wanted = Move(ticket=locked, to_team=to_team, actor=actor, via=via, body=reason)
        move_many([wanted], clock=clock)
        return locked


def move_many(
    moves: Sequence[Move], *, clock: TimeSource, announce: bool = True
) -> list[TimelineEvent]:
    """Move many locked tickets to other teams with a bounded number of statements.

    Returns the event of each move, in order. A pending ticket is resumed first, as its own event.
    The requester is told. Raises Conflict for a ticket that is not open or is there already,
    Invalid for a team that takes no tickets. Must run in the transaction that locked them. A sweep
    that synchronises by itself passes `announce=False`.
    """
    acts = []
    for wanted in moves:
        _require_movable(wanted)
        acts.append(begin(wanted.ticket, actor=wanted.actor, clock=clock, via=wanted.via))
    if not acts:
        return []
    at = max(act.now for act in acts)
    resumed = [_resume(act) for act in acts if act.ticket.status in states.PENDING]
    timeline.record_many(resumed, at=at, announce=False)
    writes = [_enter(act, wanted) for act, wanted in zip(acts, moves, strict=True)]
    timeline.record_many(writes, at=at, announce=announce)
    events = [write.events[0] for write in writes]
    # Nobody can have been paged for a ticket before its first team.
    paged = [act.ticket for act in acts if act.ticket.entry > 1]
    if paged:
        _withdraw_pages(paged, "moved to another team", at)
    told = []
    for wanted, event in zip(moves, events, strict=True):
        if wanted.tell_requester:
            told += _tell_moved(wanted, event)
    post(told, now=at)
    return events


def _resume(act: Act) -> timeline.Write:
    act.ticket.resume()
    return act.write(EventKind.RESUMED)


def _enter(act: Act, wanted: Move) -> timeline.Write:
    ticket = act.ticket
    from_team_id = ticket.team_id
    if ticket.status != states.WAITING:
        ticket.queue()
    ticket.assignee = None
    _lapse(ticket)
    ticket.team = wanted.to_team
    ticket.entry += 1
    ticket.entry_origin = wanted.origin or ticket.entry
    ticket.entered_at = act.now
    if from_team_id is not None:
        ticket.handover_count += 1
    facts = {"team": wanted.to_team.name, **wanted.facts}
    return act.write(wanted.kind, facts=facts, body=wanted.body)


def _tell_moved(wanted: Move, event: TimelineEvent) -> list[letters.Letter]:
    team = wanted.to_team.name
    return letters.to_requester(
        wanted.ticket,
        event,
        kind="escalated",
        team_name=team,
        body=f"{team} now works on your request. You need not do anything.",
    )


def _withdraw_pages(tickets: Sequence[Ticket], reason: str, at: datetime) -> None:
    withdraw(topics=[ticket.topic for ticket in tickets], kinds=PAGES, reason=reason, now=at)


def _require_movable(wanted: Move) -> None:
    _require_open(wanted.ticket)
    if not wanted.to_team.is_active:
        raise Invalid(
            "team_inactive",
            f"{wanted.to_team.name} takes no tickets.",
            {"team": "This team is not active."},
        )
    if wanted.ticket.team_id == wanted.to_team.pk:
        raise Conflict("already_there", f"{wanted.to_team.name} has {wanted.ticket.key} already.")


def _require_open(ticket: Ticket) -> None:
    if not ticket.is_open:
        words = states.LABELS[ticket.status].lower()
        raise Conflict("not_open", f"{ticket.key} is {words}; that cannot be done now.")


def _require_member(ticket: Ticket, person: Person) -> None:
    member = Membership.objects.filter(team=ticket.team_id, person=person.pk).exists()
    if not (member and person.is_active):
        team = ticket.team.name if ticket.team else "any team"
        raise Invalid(
            "not_in_team",
            f"{person} does not work in {team}.",
            {"assignee": "Choose somebody of the team that has the ticket."},
        )
    if ticket.restricted:
        cleared = Clearance.objects.filter(ticket=ticket.id, person=person.pk).exists()
        if not cleared:
            raise Invalid("not_cleared", "That person is not cleared for this case.")


def _give(act: Act, person: Person) -> None:
    if act.ticket.status == states.WAITING:
        act.ticket.begin()
    elif act.ticket.status == states.NEW:
        raise Conflict("not_routed", f"{act.ticket.key} has no team yet.")
    act.ticket.assignee = person


def _acknowledge(act: Act, actor: Person) -> None:
    if not act.ticket.is_acknowledged:
        act.ticket.acknowledged_at, act.ticket.acknowledged_by = act.now, actor


def _lapse(ticket: Ticket) -> None:
    ticket.acknowledged_at, ticket.acknowledged_by = None, None
