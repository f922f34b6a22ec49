"""Changes: planned, submitted, approved by the change manager, and ended with a result."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from notifications.outbox import enqueue
from roles import oncall
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import letters, timeline, waiting
from tickets.acting import Act, acting, begin, fitting, required
from tickets.models import Change, EventKind, Kind, Ticket, TimelineEvent

MANAGER: Final = "change-manager"
TEXT_MAX: Final = 20_000
RESULT_MAX: Final = 2000
State = Change.State
ENDINGS: Final = {
    State.IMPLEMENTED: "has been implemented",
    State.FAILED: "has failed",
    State.BACKED_OUT: "has been backed out",
}


def plan_change(
    *,
    ticket: Ticket,
    actor: Person,
    plan: str,
    test: str = "",
    back_out: str = "",
    window_from: datetime | None = None,
    window_until: datetime | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Change:
    """Write the change's plan, or write it anew: whatever was submitted or approved lapses.

    Raises Invalid for a ticket of another kind or an impossible window, Conflict once it has ended.
    """
    with acting(ticket, actor=actor, action="plan_change", clock=clock, via=via) as act:
        _require_change(act.ticket)
        _check_window(window_from, window_until)
        change = Change.objects.filter(ticket=act.ticket).first() or Change(ticket=act.ticket)
        was = "" if change._state.adding else change.state
        if change.is_over:
            raise Conflict("ended", f"{act.ticket.key} has ended; plan another change.")
        change.plan = required(plan, "plan", TEXT_MAX)
        change.test = fitting(test.strip(), "test", TEXT_MAX)
        change.back_out = fitting(back_out.strip(), "back_out", TEXT_MAX)
        change.window_from, change.window_until = window_from, window_until
        change.author = actor
        change.state, change.submitted_by = State.DRAFT, None
        change.decided_by = change.decided_at = None
        change.save()
        facts = {"lapsed": was} if was in (State.SUBMITTED, State.APPROVED) else {}
        act.record(EventKind.CHANGE_PLANNED, facts=_facts(change, facts), body=_words(change))
        return change


def submit_change(
    *, ticket: Ticket, actor: Person, clock: TimeSource = database_now, via: str = "web"
) -> Change:
    """Ask for approval: the change managers are told. Plan, test and back-out must be written.

    Raises Invalid with what is missing, Conflict when it is no draft.
    """
    with acting(ticket, actor=actor, action="plan_change", clock=clock, via=via) as act:
        change = _change_of(act.ticket, State.DRAFT)
        missing = [name for name in ("plan", "test", "back_out") if not getattr(change, name)]
        if missing:
            problems = dict.fromkeys(missing, "This is required before it can be approved.")
            raise Invalid("incomplete", "The plan is not whole yet.", problems)
        change.state, change.submitted_by = State.SUBMITTED, actor
        change.save(update_fields=["state", "submitted_by"])
        event = act.record(EventKind.CHANGE_PLANNED, facts=_facts(change))
        told = oncall.duty_on_call(MANAGER, act.now)
        _tell(act, event, "approval_wanted", _words(change), told)
        return change


def approve_change(
    *,
    ticket: Ticket,
    actor: Person,
    reason: str = "",
    clock: TimeSource = database_now,
    via: str = "web",
) -> Change:
    """Approve a submitted change; never one that the actor has written or submitted.

    Raises Forbidden to everybody but other change managers, Conflict when it is not submitted.
    """
    with acting(ticket, actor=actor, action="approve_change", clock=clock, via=via) as act:
        change = _decide(act, actor, State.APPROVED)
        body = fitting(reason.strip(), "reason", RESULT_MAX)
        event = act.record(EventKind.CHANGE_APPROVED, facts=_facts(change), body=body)
        _tell_authors(act, event, change, "change_approved", body)
        return change


def reject_change(
    *,
    ticket: Ticket,
    actor: Person,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Change:
    """Reject a submitted change; what waits for it goes on, its people told why.

    Raises as `approve_change`.
    """
    with transaction.atomic():
        acts = _lock_with_waiting(ticket)
        with acting(ticket, actor=actor, action="approve_change", clock=clock, via=via) as act:
            body = required(reason, "reason", RESULT_MAX)
            change = _decide(act, actor, State.REJECTED)
            event = act.record(EventKind.CHANGE_REJECTED, facts=_facts(change), body=body)
            _tell_authors(act, event, change, "change_rejected", body)
            _go_on(acts, act, "has been rejected", body, clock)
            return change


def end_change(
    *,
    ticket: Ticket,
    actor: Person,
    how: str,
    result: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Change:
    """Say how an approved change ended: implemented, failed or backed_out, with its result.

    Each ticket that waits for it is worked on again, its assignee told how it ended. The change's
    own ticket stays open until it is resolved. Raises Conflict when it is not approved.
    """
    if how not in ENDINGS:
        raise Invalid("unknown_ending", "Say how it ended.", {"how": "Choose one."})
    with transaction.atomic():
        acts = _lock_with_waiting(ticket)
        with acting(ticket, actor=actor, action="plan_change", clock=clock, via=via) as act:
            body = required(result, "result", RESULT_MAX)
            change = _change_of(act.ticket, State.APPROVED)
            change.state, change.ended_at = how, act.now
            change.save(update_fields=["state", "ended_at"])
            event = act.record(EventKind.CHANGE_ENDED, facts=_facts(change), body=body)
            _tell_authors(act, event, change, "change_ended", body)
            _go_on(acts, act, ENDINGS[State(how)], body, clock)
            return change


def _lock_with_waiting(ticket: Ticket) -> list[int]:
    """Lock the change and all that waits for it, in the order of ids; the ids of the waiting.

    Nobody can begin to wait while the change is locked. Who did so between the look and the lock
    makes it start over, its locks given back: a lower id must not be locked after a higher one.
    """
    while True:
        save = transaction.savepoint()
        ids = waiting.waiting_for(ticket)
        timeline.lock_many([ticket.pk, *ids])
        still = waiting.waiting_for(ticket)
        if set(still) <= set(ids):
            return still
        transaction.savepoint_rollback(save)


def _go_on(ids: list[int], act: Act, how: str, body: str, clock: TimeSource) -> None:
    for ticket in timeline.lock_many(ids).values():
        each = begin(ticket, actor=act.actor, clock=clock, via=act.via)
        enqueue(waiting.go_on(each, act.ticket, how, body), now=each.now)


def _require_change(ticket: Ticket) -> None:
    if ticket.kind != Kind.CHANGE:
        raise Invalid("no_change", f"{ticket.key} is no change; open one for it.")
    if not ticket.is_open:
        raise Conflict("not_open", f"{ticket.key} is not open any more.")


def _change_of(ticket: Ticket, state: str) -> Change:
    """The change of this ticket, which must be in this state."""
    _require_change(ticket)
    change = Change.objects.filter(ticket=ticket).first()
    if change is None:
        raise Conflict("not_planned", f"{ticket.key} has no plan yet.")
    if change.state != state:
        words = change.get_state_display().lower()
        raise Conflict("wrong_state", f"{ticket.key} is {words}; that cannot be done now.")
    return change


def _decide(act: Act, actor: Person, state: str) -> Change:
    change = _change_of(act.ticket, State.SUBMITTED)
    wrote = TimelineEvent.objects.filter(
        ticket=act.ticket.pk, kind=EventKind.CHANGE_PLANNED, actor_id=actor.pk
    )
    if actor.pk in (change.author_id, change.submitted_by_id) or wrote.exists():
        raise Forbidden("own_change", "Somebody else must decide on a change that you planned.")
    change.state, change.decided_by, change.decided_at = state, actor, act.now
    change.save(update_fields=["state", "decided_by", "decided_at"])
    return change


def _check_window(window_from: datetime | None, window_until: datetime | None) -> None:
    if (window_from is None) != (window_until is None):
        raise Invalid("half_window", "A window has two ends.", {"window_until": "Both, or none."})
    if window_from and window_until and window_until <= window_from:
        raise Invalid(
            "bad_window", "The window ends before it begins.", {"window_until": "A later time."}
        )


def _facts(change: Change, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    window = [change.window_from, change.window_until]
    told = [timeline.instant_text(at) if at else None for at in window]
    return {"state": change.state, "window": told, **(more or {})}


def _words(change: Change) -> str:
    parts = [("", change.plan), ("Test: ", change.test), ("Back-out: ", change.back_out)]
    return "\n\n".join(f"{head}{text}" for head, text in parts if text)


def _tell_authors(act: Act, event: TimelineEvent, change: Change, kind: str, body: str) -> None:
    people = [change.author_id, change.submitted_by_id, act.ticket.assignee_id]
    _tell(act, event, kind, body, people)


def _tell(
    act: Act, event: TimelineEvent, kind: str, body: str, people: list[int] | list[int | None]
) -> None:
    told = letters.to_people(act.ticket, event, kind=kind, body=body, person_ids=people)
    enqueue(told, now=act.now)
