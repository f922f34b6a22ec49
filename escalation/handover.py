"""Passing work on: escalate, accept, hand back, involve; each escalation is a record of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from escalation import authority, contracts
from escalation.contracts import needs_between, present_record
from escalation.letters import agent_letter
from escalation.models import Escalation
from escalation.passing import ALIVE, Passing, pass_on
from escalation.routes import Routes
from escalation.targets import People
from notifications.outbox import enqueue, withdraw
from roles.calendars import work_calendar
from roles.instants import TimeSource, database_now
from roles.ledger import reading_past, update_rows
from roles.models import Membership, Person, Team
from roles.refusals import Conflict, Forbidden, Invalid
from roles.worktime import ALWAYS
from tickets import states, timeline
from tickets.access import PAGES, may
from tickets.acting import acting, begin, fitting, required
from tickets.assignment import Move, move_many
from tickets.models import EventKind, Ticket, TimelineEvent
from tickets.swarming import begin_involvement

ASKED_OF_RECEIVERS: Final = {"handover": "Right tier? Complete? One press"}
"""A receiver's word on the hand-over, by a link in the mail that tells of it."""
ASKED_OF_SENDERS: Final = {"handover": "Did they help? One press"}
"""A sender's word, in the mail that tells how it ended: handed back, or solved."""


def escalate(
    *,
    ticket: Ticket,
    actor: Person,
    reason_code: str,
    reason: str,
    to_team: Team | None = None,
    tried: str = "",
    impact: str = "",
    answers: Mapping[str, str] | None = None,
    urgent: bool = False,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Escalation:
    """Pass the ticket to another team; without one, to the next tier that its route names.

    The receiving team's people on call are told, and the requester. At the top of the ladder the
    work stays, and the incident manager on call is paged. `answers` are what the receiver's
    contract asks for, by slug; a P1 or P2 that is `urgent` goes without them and owes them. Raises
    Invalid, by field, for what the contract requires and nobody gave; Conflict when nobody can be
    called at the top; Forbidden for somebody who may not pass on this ticket.
    """
    if reason_code not in Escalation.Reason.values:
        raise Invalid("unknown_reason", "Choose a reason.", {"reason_code": "Choose one."})
    with transaction.atomic():
        locked = timeline.lock(ticket.pk)
        if not (may(actor, "escalate", locked) or may(actor, "push_any", locked)):
            raise Forbidden("not_allowed", f"You may not escalate {locked.key}.")
        call = authority.Call(
            actor=actor,
            via=via,
            reason_code=reason_code,
            reason=required(reason, "reason"),
            tried=fitting(tried.strip(), "tried", 20_000),
            impact=fitting(impact.strip(), "impact", 20_000),
        )
        goal = to_team or _next_team(locked)
        if goal is None:
            return authority.call_at_the_top(locked, call, clock)
        passing, lines = _manual(locked, goal, call, answers or {}, urgent=urgent)
        ((record, event),) = pass_on([passing], clock=clock)
        _tell_receiver(passing, event, lines)
        return record


def _manual(
    ticket: Ticket,
    goal: Team,
    call: authority.Call,
    answers: Mapping[str, str],
    *,
    urgent: bool,
) -> tuple[Passing, list[str]]:
    """What a person passes on, with the contract's answers, also as lines for the receiver."""
    needs = needs_between(ticket.team_id, goal)
    standing = {"tried": call.tried, "impact": call.impact}
    asked = {need.slug for need in needs}
    given = {slug: text for slug, text in standing.items() if slug in asked} | dict(answers)
    told = contracts.clean_answers(needs, given)
    may_owe = urgent and ticket.priority in contracts.URGENT
    passing = Passing(
        ticket=ticket,
        to_team=goal,
        actor=call.actor,
        via=call.via,
        reason_code=call.reason_code,
        reason=call.reason,
        tried=call.tried,
        impact=call.impact,
        answers=told,
        owed=contracts.settle(needs, told, may_owe=may_owe),
    )
    return passing, contracts.answer_lines(needs, told)


def _tell_receiver(passing: Passing, event: TimelineEvent, answers: Sequence[str]) -> None:
    """Tell those on call in the receiving team, else its lead and people, else the fallback."""
    ticket = passing.ticket
    people = People([ticket], event.at)
    found = people.find(ticket, ["on_call"])
    if not found.people:
        found = people.find(ticket, ["lead", "team"])
    is_alarm = not found.people
    if is_alarm:
        found = people.fallback(ticket)
    enqueue(
        [
            agent_letter(
                ticket,
                cause=event.cause,
                recipient_id=person_id,
                kind="notify",
                subject=f"Escalated to {passing.to_team.name}",
                body="\n".join([passing.reason, *answers]),
                is_alarm=is_alarm,
                links=ASKED_OF_RECEIVERS,
            )
            for person_id in found.ids
            if is_alarm or passing.actor is None or person_id != passing.actor.pk
        ],
        now=event.at,
    )


def _next_team(ticket: Ticket) -> Team | None:
    found = Routes().next_tier(ticket)
    return found.team if found else None


def accept(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Say that the receiving team takes the hand-over; meets its acceptance target."""
    with acting(ticket, actor=actor, action="accept", clock=clock, via=via) as act:
        record = present_record(act.ticket)
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
        record = present_record(act.ticket)
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
                links=ASKED_OF_SENDERS,
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


def involve(
    *,
    ticket: Ticket,
    actor: Person | None,
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
        begin_involvement(act, found.ids, team_name=team.name if team else "")
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
    working = {states.IN_PROGRESS} | states.PENDING
    taken = {item.pk: item for item in tickets if item.status in working}
    if taken:
        # A hand-over that is not even written down has just put its ticket into a queue.
        with reading_past(Escalation):
            rows = Escalation.objects.filter(
                ticket__in=taken, type=Escalation.Type.FUNCTIONAL, state=Escalation.State.OPEN
            )
            accepted = [row for row in rows if row.entry == taken[row.ticket_id].entry]
        for record in accepted:
            record.state = Escalation.State.ACCEPTED
            record.accepted_at, record.accepted_by_id = at, taken[record.ticket_id].assignee_id
        update_rows(Escalation, accepted, ("state", "accepted_at", "accepted_by"))
    over = {item.pk: item for item in tickets if not item.is_open}
    if over:
        alive = Escalation.objects.filter(Q(state__in=ALIVE), ticket__in=list(over))
        ended = list(alive.select_related("to_team", "sender"))
        alive.update(state=Escalation.State.COMPLETED, ended_at=at)
        _tell_senders([(over[record.ticket_id], record) for record in ended], at)


def _tell_senders(ended: Sequence[tuple[Ticket, Escalation]], at: datetime) -> None:
    """Tell whoever passed on what is solved now how it was solved: so they learn, and may thank."""
    enqueue(
        [
            agent_letter(
                ticket,
                cause=f"escalation:{record.pk}",
                recipient_id=record.sender.pk,
                kind="outcome",
                subject=f"Solved by {record.to_team}",
                body=ticket.resolution,
                links=ASKED_OF_SENDERS,
            )
            for ticket, record in ended
            if ticket.status == states.RESOLVED
            and record.type == Escalation.Type.FUNCTIONAL
            and record.sender is not None
            and record.sender.is_active
            and record.sender.pk != ticket.assignee_id
        ],
        now=at,
    )
