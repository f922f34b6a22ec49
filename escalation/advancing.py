"""One step of a climb: what is due now is decided, carried out in memory, and the run moved on."""

from dataclasses import replace
from datetime import datetime, timedelta

from escalation.firing import Deed, Executor
from escalation.rules import UNACKNOWLEDGED, begins_again, decide, ladder
from escalation.runs import Prospect


def carry_out(prospect: Prospect, executor: Executor, now: datetime) -> list[Deed]:
    """Fire and skip what is due for one run; nothing of it is saved yet."""
    if executor.has_moved(prospect.run.ticket_id):
        return []  # Another run has just moved the ticket: what is due is looked at anew.
    decision = decide(prospect.coming, now)
    deeds = [executor.skip(prospect, due, reason) for due, reason in decision.skip]
    deeds += [executor.fire(prospect, due) for due in decision.fire]
    run, done = prospect.run, dict(prospect.view.done)
    for deed in deeds:
        done[deed.due.loop, deed.due.step.id, deed.due.entry] = deed.firing.outcome
        if deed.due.step.trigger == UNACKNOWLEDGED:
            run.rung = max(run.rung, deed.due.step.position)
    run.epoch += 1
    if deeds and begins_again(replace(prospect.view, done=done), prospect.steps):
        run.loop += 1
        run.base_position, run.rung = ladder(prospect.steps)[0].position, 0
        run.waiting_since = now + timedelta(seconds=prospect.view.repeat_after_s)
        run.frozen = []
    return deeds
