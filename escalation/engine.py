"""The engine: what is due by the database's clock is found, decided and written, exactly once.

Any number of workers may call `tick()`, whenever they like: rows are claimed with skip-locked, a
unique key makes a second firing impossible, and everything about a firing commits together.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Min

from escalation import quarantine, runs
from escalation.firing import HIERARCHY, Deed, Executor
from escalation.handover import clock_reading, pass_on
from escalation.models import Clock, Escalation, Firing, Heartbeat, Run
from escalation.reactions import load_around, synchronise
from escalation.rules import UNACKNOWLEDGED, begins_again, decide, ladder
from escalation.runs import Prospect
from notifications.faults import crash_here
from notifications.outbox import enqueue
from roles.instants import TimeSource, database_now, fixed
from tickets import timeline, upkeep
from tickets.models import EventKind, Ticket
from tickets.triage import raise_priority_many

log = logging.getLogger(__name__)

SWEEP: Final = "sweep"
RUN_PROGRESS: Final = ("rung", "loop", "base_position", "waiting_since", "frozen", "epoch")


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one look came to; `more` says that another one should follow at once."""

    fired: int = 0
    skipped: int = 0
    breached: int = 0
    more: bool = False


def tick(*, limit: int = 200, clock: TimeSource = database_now) -> TickReport:
    """Do what the calendar says, note passed deadlines, carry out due steps; a batch of each."""
    _keep_up(limit, clock)
    breached = _note(limit, clock)
    try:
        deeds = climb(limit=limit, clock=clock)
        if deeds:
            crash_here("after_commit")
    except Exception:
        log.exception("A batch of due steps failed; its tickets are now tried one by one.")
        deeds = quarantine.one_by_one(due_run_ids(limit=limit, now=clock()), climb, clock=clock)
    fired = sum(deed.firing.outcome != Firing.Outcome.SKIPPED for deed in deeds)
    return TickReport(
        fired=fired,
        skipped=len(deeds) - fired,
        breached=breached,
        more=bool(deeds) or breached >= limit,
    )


def _keep_up(limit: int, clock: TimeSource) -> None:
    """Wake and close what the calendar says; trouble there must not hold up an escalation."""
    for chore in (upkeep.wake, upkeep.close_settled):
        try:
            chore(limit=limit, clock=clock)
        except Exception:
            log.exception("%s failed; it is tried again at the next look.", chore.__name__)


# ---- Breaches: facts with a time, whatever the policies say ------------------------------------


def _note(limit: int, clock: TimeSource) -> int:
    """Note a batch of breaches; where one ticket spoils it, the others are noted one by one."""
    try:
        return note_breaches(limit=limit, clock=clock)
    except Exception:
        log.exception("A batch of breaches failed; its tickets are now noted one by one.")
    noted = 0
    for ticket_id in _late_tickets(limit, clock()):
        try:
            noted += note_breaches(limit=limit, clock=clock, ticket_id=ticket_id)
        except Exception:
            log.exception("The breach of ticket %s could not be noted.", ticket_id)
    return noted


def _late_tickets(limit: int, now: datetime) -> list[int]:
    late = Clock.objects.filter(state=Clock.State.RUNNING, noted_breach=False, due_at__lte=now)
    return list(late.order_by("due_at").values_list("ticket_id", flat=True)[:limit])


@transaction.atomic
def note_breaches(*, limit: int, clock: TimeSource, ticket_id: int | None = None) -> int:
    """Write down the clocks whose deadline has passed, of one ticket or all; returns how many."""
    now = clock()
    unnoted = Clock.objects.filter(
        state=Clock.State.RUNNING, noted_breach=False, due_at__lte=now
    ).order_by("due_at")
    ids = [ticket_id] if ticket_id else _late_tickets(limit, now)
    if not ids:
        return 0
    rows = Ticket.objects.filter(pk__in=ids).order_by("id")
    tickets = {
        ticket.pk: ticket
        for ticket in rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    }
    late = list(
        unnoted.filter(ticket__in=tickets).order_by("ticket", "kind").select_for_update(no_key=True)
    )
    at = clock()
    writes = [_breach(tickets[ticket_id], late, at) for ticket_id in tickets]
    timeline.record_many([write for write in writes if write.entries], at=at, announce=False)
    timeline.update_rows(Clock, late, ("noted_breach", "breached_at"))
    return len(late)


def _breach(ticket: Ticket, late: Sequence[Clock], at: datetime) -> timeline.Write:
    entries = []
    for row in late:
        if row.ticket_id != ticket.pk or row.due_at is None:
            continue
        row.noted_breach, row.breached_at = True, row.due_at
        ticket.breached_at = min(filter(None, (ticket.breached_at, row.due_at)))
        facts = {
            "clock": row.kind,
            "cycle": row.cycle,
            "due_at": timeline.instant_text(row.due_at),
            "target_s": row.target_s,
            "team": row.team_id,
        }
        entries.append(timeline.Entry(kind=EventKind.BREACHED, facts=facts))
    return timeline.Write(ticket=ticket, entries=entries, fields=("breached_at",))


# ---- Steps -------------------------------------------------------------------------------------


def due_run_ids(*, limit: int, now: datetime) -> list[int]:
    """The runs with a step due, most urgent first; quarantined tickets are left out."""
    ready = Run.objects.filter(state=Run.State.ACTIVE, next_at__lte=now)
    return list(
        ready.exclude(ticket__in=quarantine.held_tickets(now))
        .order_by("ticket__priority", "next_at")
        .values_list("pk", flat=True)[:limit]
    )


@transaction.atomic
def climb(
    *, limit: int = 200, clock: TimeSource = database_now, run_ids: Sequence[int] | None = None
) -> list[Deed]:
    """Carry out what is due for one batch of runs, in one transaction; returns the deeds."""
    ids = due_run_ids(limit=limit, now=clock()) if run_ids is None else run_ids
    claimed = _claim(ids, clock)
    crash_here("after_claim")
    if not claimed:
        return []
    tickets = {run.ticket_id: run.ticket for run in claimed}
    # The time to decide by is the database's alone, read after the locks: nothing fires early, even
    # when a ticket's last event lies ahead because a clock was set back. Events are dated on.
    now = clock()
    clocks: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in tickets}
    for row in Clock.objects.filter(ticket__in=tickets):
        clocks[row.ticket_id].append(row)
    executor = Executor(list(tickets.values()), now)
    deeds: list[Deed] = []
    for prospect in runs.prospects(claimed, tickets, clocks):
        deeds += _carry_out(prospect, executor, now)
    _write(deeds, claimed, now)
    synchronise(list(tickets.values()), now)
    crash_here("before_commit")
    return deeds


def _claim(run_ids: Sequence[int], clock: TimeSource) -> list[Run]:
    """Lock ticket and run of each, leaving out what another worker holds or has done already."""
    ready = Run.objects.filter(pk__in=run_ids, state=Run.State.ACTIVE, next_at__lte=clock())
    locked = ready.select_related("ticket", "policy", "revision").select_for_update(
        skip_locked=True, no_key=True, of=("ticket", "self")
    )
    claimed = list(locked.order_by("ticket__priority", "next_at"))
    one_each: dict[int, Ticket] = {}
    for run in claimed:
        run.ticket = one_each.setdefault(run.ticket_id, run.ticket)
    load_around(list(one_each.values()))
    return claimed


def _carry_out(prospect: Prospect, executor: Executor, now: datetime) -> list[Deed]:
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


def _write(deeds: Sequence[Deed], claimed: Sequence[Run], now: datetime) -> None:
    """Firings, events, moves, records and messages, with a bounded number of statements."""
    Firing.objects.bulk_create([deed.firing for deed in deeds])
    told: dict[int, timeline.Write] = {}
    for deed in deeds:
        write = told.setdefault(deed.ticket.pk, timeline.Write(ticket=deed.ticket, entries=[]))
        write.entries = [*write.entries, deed.entry()]
    timeline.record_many(list(told.values()), at=now, announce=False)
    timeline.update_rows(Run, claimed, RUN_PROGRESS)
    _call_authority(deeds)
    raises = [(deed.ticket, deed.raise_to, deed.lines[0]) for deed in deeds if deed.raise_to]
    raise_priority_many(raises, clock=fixed(now), announce=False)
    passings = [passing for deed in deeds if (passing := deed.passing())]
    pass_on(passings, clock=fixed(now), announce=False)
    enqueue([letter for deed in deeds for letter in deed.letters()], now=now)


def _call_authority(deeds: Sequence[Deed]) -> None:
    calling = [deed for deed in deeds if HIERARCHY in deed.found]
    readings = clock_reading([deed.ticket.pk for deed in calling]) if calling else {}
    pairs = [
        (deed, record)
        for deed in calling
        if (record := deed.hierarchical(readings[deed.ticket.pk]))
    ]
    Escalation.objects.bulk_create([record for _, record in pairs])
    through = Escalation.to_people.through
    through.objects.bulk_create(
        [
            through(escalation_id=record.pk, person_id=person_id)
            for deed, record in pairs
            for person_id in deed.found[HIERARCHY].ids
        ]
    )


# ---- The whole pass, as a worker runs it -------------------------------------------------------


def run_sweep(*, clock: TimeSource = database_now, most_s: float = 20.0) -> int:
    """Tick until nothing is due, for `most_s` seconds at most; returns how many steps fired.

    Leaves a heartbeat with the lateness that it found, for the watchers of the engine.
    """
    started = time.monotonic()
    lateness = oldest_due_s(clock())
    fired = 0
    more = True
    while more and time.monotonic() - started < most_s:
        report = tick(clock=clock)
        fired += report.fired
        more = report.more
    Heartbeat.objects.update_or_create(
        name=SWEEP, defaults={"at": clock(), "oldest_due_s": lateness}
    )
    return fired


def oldest_due_s(now: datetime) -> float:
    """By how many seconds the oldest due step is late; 0 when nothing is due."""
    due = Run.objects.filter(state=Run.State.ACTIVE, next_at__lte=now)
    oldest = due.exclude(ticket__in=quarantine.held_tickets(now)).aggregate(at=Min("next_at"))
    return (now - oldest["at"]).total_seconds() if oldest["at"] else 0.0


def last_sweep_at() -> datetime | None:
    """When a sweep last finished, by the database's clock."""
    return Heartbeat.objects.filter(name=SWEEP).values_list("at", flat=True).first()
