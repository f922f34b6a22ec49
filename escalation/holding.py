"""Holds climbs still: snoozed until a moment, and let go by hand or when that moment has come.

The clocks of the ticket never stand still for it. Children of a major incident are held too, which
`keeping.py` sees to whenever their links change.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from escalation.keeping import is_over, release
from escalation.models import Run
from roles.instants import TimeSource, database_now
from roles.ledger import update_rows
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import timeline
from tickets.acting import acting, required
from tickets.models import EventKind, Ticket

LONGEST: Final = timedelta(days=30)
HOLD: Final = ("held", "held_until", "held_because")


def snooze(
    *,
    ticket: Ticket,
    actor: Person | None,
    until: datetime,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Hold every climb of the ticket until a moment, 30 days ahead at most; its clocks run on.

    Afterwards only the highest step of each clock that has come due meanwhile fires. Snoozing
    again moves the end. Raises Conflict when nothing climbs, Invalid for a moment out of reach.
    """
    with acting(ticket, actor=actor, action="snooze", clock=clock, via=via) as act:
        words = required(reason, "reason", 250)
        if not act.now < until <= act.now + LONGEST:
            raise Invalid("bad_moment", "Choose a moment within 30 days.", {"until": "Not then."})
        running = [run for run in _running(act.ticket) if run.held != Run.Hold.MAJOR]
        if not running:
            raise Conflict("nothing_climbs", f"No policy of {act.ticket.key} is under way.")
        for run in running:
            run.held, run.held_until, run.held_because = Run.Hold.SNOOZED, until, words
        update_rows(Run, running, HOLD)
        facts = {"until": timeline.instant_text(until), "policies": _names(running)}
        act.record(EventKind.SNOOZED, facts=facts, body=words)
        return act.ticket


def end_snooze(
    *,
    ticket: Ticket,
    actor: Person | None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Let the climbs of a snoozed ticket go on at once. Raises Conflict when it is not snoozed."""
    with acting(ticket, actor=actor, action="snooze", clock=clock, via=via) as act:
        snoozed = [run for run in _running(act.ticket) if run.held == Run.Hold.SNOOZED]
        if not snoozed:
            raise Conflict("not_snoozed", f"{act.ticket.key} is not snoozed.")
        for run in snoozed:
            release(run)
        update_rows(Run, snoozed, HOLD)
        facts = {"policies": _names(snoozed), "because": "ended by hand"}
        act.record(EventKind.RUN_RELEASED, facts=facts)
        return act.ticket


def release_lapsed(claimed: Sequence[Run], now: datetime) -> None:
    """Let go the claimed runs whose snooze has ended, on record, before they are decided on.

    Must run in the transaction that locked them.
    """
    over = [run for run in claimed if is_over(run, now)]
    if not over:
        return
    told: dict[int, timeline.Write] = {}
    for run in over:
        facts = {"policy": run.policy.slug, "name": run.policy.name, "because": release(run)}
        write = told.setdefault(run.ticket_id, timeline.Write(ticket=run.ticket, entries=[]))
        write.entries = [*write.entries, timeline.Entry(kind=EventKind.RUN_RELEASED, facts=facts)]
    timeline.record_many(list(told.values()), at=now, announce=False)
    update_rows(Run, over, HOLD)


def _running(ticket: Ticket) -> list[Run]:
    rows = Run.objects.filter(ticket=ticket.pk, state=Run.State.ACTIVE).order_by("id")
    return list(rows.select_related("policy").select_for_update(of=("self",), no_key=True))


def _names(runs: Sequence[Run]) -> list[str]:
    return [run.policy.name for run in runs]
