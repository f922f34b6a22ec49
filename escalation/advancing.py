"""One step of a climb: what is due now is decided, carried out in memory, and the run moved on."""

from collections.abc import Iterable
from datetime import datetime

from escalation.firing import Deed, Executor
from escalation.rules import (
    PASSED_ON,
    UNACKNOWLEDGED,
    Decision,
    Due,
    alone,
    begins_again,
    decide,
    ladder,
)
from escalation.runs import Prospect
from escalation.triggers import further
from roles.values import changed
from tickets.models import Kind


def carry_out_all(prospects: Iterable[Prospect], executor: Executor, now: datetime) -> list[Deed]:
    """Fire and skip what is due for a batch of runs; nothing of it is saved yet.

    Of the runs of one ticket the one that restricts or moves it goes first, of several moves the
    one that came due last: whoever the others would tell may not have it any more, nor be meant to
    know of it, and so they are looked at anew.
    """
    decided = [(prospect, decide(prospect.coming, now)) for prospect in prospects]
    executor.prepare((item, due) for item, decision in decided for due in decision.fire)
    if any(_gathers(*pair) for pair in decided):
        # Their problem may be one of the batch: it is written to, and so looked at anew.
        decided = [
            (prospect, decision)
            for prospect, decision in decided
            if prospect.run.ticket.kind != Kind.PROBLEM
            and not executor.is_elsewhere(prospect, decision.fire)
        ]
    decided = _in_turn(decided)
    deeds = [deed for pair in decided for deed in _carry_out(*pair, executor, now)]
    executor.finish()
    return deeds


def _in_turn(decided: Iterable[tuple[Prospect, Decision]]) -> list[tuple[Prospect, Decision]]:
    """Those that restrict tickets first, then those that move them, of each ticket the latest;
    the others in the order given.
    """
    pairs = [(alone(decision.fire), prospect, decision) for prospect, decision in decided]
    latest: dict[int, datetime] = {}
    for due, prospect, _ in pairs:
        if due is not None:
            pk = prospect.run.ticket_id
            latest[pk] = max(due.threshold_at, latest.get(pk, due.threshold_at))

    def turn(pair: tuple[Due | None, Prospect, Decision]) -> int:
        due, prospect, _ = pair
        if due is None:
            return 3
        if due.step.restricts:
            return 0
        return 1 if due.threshold_at == latest[prospect.run.ticket_id] else 2

    return [(prospect, decision) for _, prospect, decision in sorted(pairs, key=turn)]


def _gathers(prospect: Prospect, decision: Decision) -> bool:
    """Whether a repeat is put under a problem now; problems themselves never are."""
    return prospect.run.ticket.kind != Kind.PROBLEM and any(
        action["do"] == "open_problem" for due in decision.fire for action in due.step.actions
    )


def carry_out(prospect: Prospect, executor: Executor, now: datetime) -> list[Deed]:
    """Fire and skip what is due for one run; nothing of it is saved yet."""
    deeds = _carry_out(prospect, decide(prospect.coming, now), executor, now)
    executor.finish()
    return deeds


def _carry_out(
    prospect: Prospect, decision: Decision, executor: Executor, now: datetime
) -> list[Deed]:
    if executor.has_moved(prospect.run.ticket_id):
        # Another run has just moved the ticket: what is due is looked at anew, but for moves.
        moves = [
            due
            for due in (*decision.fire, *decision.behind)
            if due.step.moves and not due.step.restricts
        ]
        if not moves:
            return []
        deeds = [executor.skip(prospect, due, PASSED_ON) for due in moves]
    else:
        deeds = [executor.skip(prospect, due, reason) for due, reason in decision.skip]
        deeds += [deed for due in decision.fire if (deed := executor.fire(prospect, due))]
        if executor.has_moved(prospect.run.ticket_id):
            deeds += [executor.skip(prospect, due, PASSED_ON) for due in decision.behind]
    prospect.run.epoch += 1
    climb_on(prospect, deeds, now)
    return deeds


def climb_on(prospect: Prospect, deeds: Iterable[Deed], now: datetime) -> None:
    """Move the run on past these deeds; the ladder begins a new round when it is used up.

    The wait before a round counts like the delay of its first step: by the same calendar, and not
    while a pending status freezes the climb.
    """
    run, done, rungs = prospect.run, dict(prospect.view.done), 0
    for deed in deeds:
        done |= deed.outcomes
        if deed.due.step.trigger == UNACKNOWLEDGED:
            rungs += 1
            run.rung = further(prospect.steps, run.rung, deed.due.step.position)
    may_begin = rungs and prospect.view.round <= prospect.view.repeat_limit
    if may_begin and begins_again(changed(prospect.view, done=done), prospect.steps):
        begin_round(prospect, now)


def begin_round(prospect: Prospect, now: datetime) -> None:
    """Let the ladder start over, after the wait that the revision asks for; nothing is saved."""
    run = prospect.run
    run.loop += 1
    run.round += 1
    run.base_position, run.rung = ladder(prospect.steps)[0].position, 0
    run.waiting_since, run.lead_s = now, prospect.view.repeat_after_s
    run.frozen = []
