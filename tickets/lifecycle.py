"""A ticket's life after its birth: discussed, put on hold, resolved, reopened, closed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from notifications.outbox import enqueue, withdraw
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import letters, stakeholders, states, waiting
from tickets.access import PAGES, may
from tickets.acting import Act, acting, fitting, required
from tickets.links import survivor_for
from tickets.models import EventKind, Ticket, TimelineEvent

HOLDS = {
    states.PENDING_REQUESTER: "await_requester",
    states.PENDING_VENDOR: "await_vendor",
    states.PENDING_CHANGE: "await_change",
}
LONGEST_SLEEP = timedelta(days=366)
CHASE_PAUSE = timedelta(hours=1)
NO_WORDS = "Nothing else was said."
OVERTAKEN = (*PAGES, "assigned", "waiting", "woken", "involved")
"""Kinds of message that the end of a ticket makes pointless; answers and alarms still go out."""
RESOLUTION_CODES = {
    "fixed": "Fixed",
    "workaround": "Workaround given",
    "answered": "Question answered",
    "not_reproducible": "Could not be reproduced",
    "duplicate": "Duplicate",
    "no_fault": "Works as designed",
    "monitor": "Cleared by itself",
}


def comment(
    *,
    ticket: Ticket,
    actor: Person | None,
    text: str,
    public: bool,
    facts: Mapping[str, Any] | None = None,
    closing: str = "",
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Add a public reply or an internal note.

    `facts` are told in the event too; `closing` are words that only the letters add to a reply.
    The requester's reply resumes a ticket that waits for it and reopens a resolved one. What is
    said on a merged ticket is said on the one that goes on in its place, which comes back.
    """
    action = "comment_public" if public else "comment_internal"
    goes_on = survivor_for(ticket, actor)
    with acting(goes_on, actor=actor, action=action, clock=clock, via=via) as act:
        body = required(text, "text")
        locked = act.ticket
        if locked.status in states.FINAL:
            raise Conflict("final", f"{locked.key} is closed; open a new ticket that follows it.")
        by_requester = actor is not None and actor.pk == locked.requester_id
        event = act.record(
            EventKind.COMMENTED,
            body=body,
            is_public=public,
            facts={
                "by": side_of(actor, locked),
                **({"said_on": ticket.key} if goes_on.pk != ticket.pk else {}),
                **(facts or {}),
            },
        )
        if public:
            words = f"{body}\n\n{closing}" if closing else body
            enqueue(_reply_letters(act, event, words, by_requester), now=act.now)
        if public and by_requester:
            _answer(act)
        return locked


def side_of(actor: Person | None, ticket: Ticket) -> str:
    """Who speaks, as the clocks care: only a human of the service answers a first response."""
    if actor is None:
        return "system"
    if actor.pk == ticket.requester_id:
        return "requester"
    is_human = actor.kind == Person.Kind.PERSON
    return "agent" if is_human and may(actor, "see_internal", ticket) else "other"


def _reply_letters(act: Act, event: TimelineEvent, body: str, by_requester: bool) -> list[Any]:
    if by_requester:
        people = [act.ticket.assignee_id, *letters.watcher_ids(act.ticket)]
        return letters.to_people(act.ticket, event, kind="answered", body=body, person_ids=people)
    told = letters.to_requester(act.ticket, event, kind="replied", body=body)
    reached = [person.recipient_id for person in told]
    watching = [pid for pid in letters.watcher_ids(act.ticket) if pid not in reached]
    return told + letters.to_people(
        act.ticket, event, kind="replied", body=body, person_ids=watching, may_leave=True
    )


def _answer(act: Act) -> None:
    if act.ticket.status == states.PENDING_REQUESTER:
        act.ticket.resume()
        act.record(EventKind.RESUMED, facts={"because": "the requester answered"})
    elif act.ticket.status == states.RESOLVED:
        _reopen(act, "the requester answered")


def pend(
    *,
    ticket: Ticket,
    actor: Person | None,
    status: str,
    reason: str,
    wake_at: datetime | None = None,
    change: Ticket | None = None,
    tell: bool = True,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Put the ticket on hold for the requester, a vendor or a change, with a reason.

    Waiting for a change needs its ticket in `change`: the end of that change resumes this one. To
    wait for a vendor, engaging it says more (`escalation.vendors.engage`), but this will do.
    `tell` is False where a reply of the same act tells the requester.
    """
    if status not in HOLDS:
        raise Invalid("unknown_status", "That is no way to wait.", {"status": "Choose one."})
    for_change = status == states.PENDING_CHANGE
    with transaction.atomic():
        awaited = waiting.lock_with_change(ticket, change) if for_change else None
        with acting(ticket, actor=actor, action="pend", clock=clock, via=via) as act:
            if awaited is not None:
                waiting.require_awaitable(act.ticket, awaited, actor)
            event = _pend(act, status, reason, wake_at, awaited)
            if status == states.PENDING_REQUESTER and tell:
                told = letters.to_requester(act.ticket, event, kind="waiting", body=reason.strip())
                enqueue(told, now=act.now)
            return act.ticket


def _pend(
    act: Act, status: str, reason: str, wake_at: datetime | None, awaited: Ticket | None
) -> TimelineEvent:
    locked = act.ticket
    reason = required(reason, "reason", 250)
    if wake_at is not None and wake_at <= act.now:
        raise Invalid("past", "That time has passed.", {"wake_at": "Choose a later time."})
    if wake_at is not None and wake_at > act.now + LONGEST_SLEEP:
        raise Invalid("far", "That is too far ahead.", {"wake_at": "Within a year, please."})
    getattr(locked, HOLDS[status])()
    locked.pending_reason, locked.wake_at = reason, wake_at
    facts = {"by": side_of(act.actor, locked)}
    if awaited is not None:
        facts["change"] = awaited.key
    event = act.record(
        EventKind.PENDED,
        body=reason,
        is_public=status == states.PENDING_REQUESTER,
        facts=facts,
    )
    if awaited is not None:
        waiting.note_waiting(act, awaited)
    return event


def resume(
    *,
    ticket: Ticket,
    actor: Person | None,
    clock: TimeSource = database_now,
    via: str = "web",
    because: str = "",
) -> Ticket:
    """Go on with a ticket that was on hold."""
    with acting(ticket, actor=actor, action="resume", clock=clock, via=via) as act:
        act.ticket.resume()
        act.record(EventKind.RESUMED, facts={"because": because} if because else {})
        return act.ticket


def resolve(
    *,
    ticket: Ticket,
    actor: Person | None,
    code: str,
    text: str,
    facts: Mapping[str, Any] | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Say what solved it; the requester is told and may reopen. `facts` are told in the event."""
    with acting(ticket, actor=actor, action="resolve", clock=clock, via=via) as act:
        solve(act, code=code, text=text, facts=facts)
        return act.ticket


def solve(
    act: Act,
    *,
    code: str,
    text: str,
    facts: Mapping[str, Any] | None = None,
    quietly: bool = False,
) -> None:
    """Resolve the ticket of an act under way; the requester is told, waiting pages go.

    `quietly` spares the stakeholders of a major incident the word that it is over. Raises Invalid
    for an unknown code or no text.
    """
    if code not in RESOLUTION_CODES:
        raise Invalid("unknown_code", "Choose a resolution code.", {"code": "Choose one."})
    locked, body = act.ticket, required(text, "text")
    locked.resolve()
    locked.resolution_code, locked.resolution = code, body
    locked.resolved_at = act.now
    told = {"by": side_of(act.actor, locked), **(facts or {})}
    told |= {"quietly": True} if quietly else {}
    event = act.record(EventKind.RESOLVED, body=body, is_public=True, facts=told)
    withdraw_all(act, "resolved")
    enqueue(letters.to_requester(locked, event, kind="resolved", body=body), now=act.now)
    stakeholders.end_with_ticket(act, event, body=body, quietly=quietly)


def confirm(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """The requester says that it is solved: the ticket closes."""
    with acting(ticket, actor=actor, action="confirm", clock=clock, via=via) as act:
        return _close(act, "confirmed")


def close(
    *, ticket: Ticket, actor: Person | None, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """Close a resolved ticket for good."""
    with acting(ticket, actor=actor, action="close", clock=clock, via=via) as act:
        return _close(act, "closed")


def _close(act: Act, how: str) -> Ticket:
    act.ticket.close()
    act.ticket.closed_at = act.now
    act.record(EventKind.CLOSED, facts={"how": how})
    return act.ticket


def reopen(
    *,
    ticket: Ticket,
    actor: Person | None,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Bring a resolved ticket back into its team's queue; a new climb starts."""
    with acting(ticket, actor=actor, action="reopen", clock=clock, via=via) as act:
        _reopen(act, required(reason, "reason", 2000))
        return act.ticket


def _reopen(act: Act, reason: str) -> None:
    ticket = act.ticket
    ticket.reopen()
    ticket.acknowledged_at = ticket.acknowledged_by = None
    # A reopened ticket stands in the queue anew: its team's clocks start a fresh cycle.
    ticket.entry += 1
    ticket.entry_origin, ticket.entered_at = ticket.entry, act.now
    event = act.record(EventKind.REOPENED, body=reason, is_public=True)
    told = letters.to_requester(ticket, event, kind="reopened", body=reason)
    enqueue(told, now=act.now)
    stakeholders.go_on_with_ticket(act, event)


def cancel(
    *,
    ticket: Ticket,
    actor: Person | None,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """End a ticket that is not to be worked on, with a reason."""
    with acting(ticket, actor=actor, action="cancel", clock=clock, via=via) as act:
        body = required(reason, "reason", 2000)
        act.ticket.cancel()
        event = act.record(EventKind.CANCELLED, body=body, is_public=True)
        withdraw_all(act, "cancelled")
        stakeholders.end_with_ticket(act, event, body=body)
        return act.ticket


def chase(
    *, ticket: Ticket, actor: Person, text: str, clock: TimeSource = database_now, via: str = "web"
) -> Ticket:
    """The requester asks where it stands: counted, seen by the team, told to who has it.

    Raises Conflict when the ticket is over, or was asked after within the last hour.
    """
    with acting(ticket, actor=actor, action="chase", clock=clock, via=via) as act:
        if not act.ticket.is_open:
            raise Conflict("not_open", f"{act.ticket.key} is not open any more.")
        again_at = chase_again_at(act.ticket)
        if again_at is not None and act.now < again_at:
            raise Conflict("asked_lately", "That was asked within the last hour; the team knows.")
        act.ticket.chase_count += 1
        body = fitting(text, "text", 2000)
        event = act.record(EventKind.CHASED, body=body, is_public=True)
        people = [act.ticket.assignee_id]
        told = letters.to_people(
            act.ticket, event, kind="chased", body=body or NO_WORDS, person_ids=people
        )
        enqueue(told, now=act.now)
        return act.ticket


def chase_again_at(ticket: Ticket) -> datetime | None:
    """From when on it can be asked after again; None when it never was."""
    asked = TimelineEvent.objects.filter(ticket=ticket.pk, kind=EventKind.CHASED)
    last = asked.order_by("-seq").values_list("at", flat=True).first()
    return last + CHASE_PAUSE if last else None


def withdraw_all(act: Act, reason: str) -> None:
    """Take back the queued messages that the end of the ticket makes pointless."""
    withdraw(topics=[act.ticket.topic], kinds=OVERTAKEN, reason=reason, now=act.now)
