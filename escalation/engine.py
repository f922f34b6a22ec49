"""The engine: what is due by the database's clock is found, decided and written, exactly once.

Any number of workers may call `tick()`, whenever they like: rows are claimed with skip-locked, a
unique key makes a second firing impossible, and everything about a firing commits together.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Min

from escalation import quarantine, runs
from escalation.advancing import carry_out_all
from escalation.breaches import note_late
from escalation.firing import Deed, Executor
from escalation.models import Clock, Firing, Heartbeat, Run
from escalation.reactions import load_around, synchronise
from escalation.writing import write
from notifications.faults import crash_here
from roles.instants import TimeSource, database_now
from tickets import upkeep
from tickets.models import Ticket

log = logging.getLogger(__name__)

SWEEP: Final = "sweep"
BATCH: Final = 200
"""How many tickets are locked at once; agents wait for them meanwhile."""


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one look came to; `more` says that another one should follow at once."""

    fired: int = 0
    skipped: int = 0
    breached: int = 0
    more: bool = False


def tick(*, limit: int = BATCH, clock: TimeSource = database_now) -> TickReport:
    """Do what the calendar says, note passed deadlines, carry out due steps; a batch of each."""
    _keep_up(limit, clock)
    breached = note_late(limit, clock)
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
    """Wake and close what the calendar says; a ticket that fails there is tried alone, and counted.

    Trouble there must not hold up an escalation.
    """
    chores = ((upkeep.to_wake, upkeep.wake), (upkeep.to_close, upkeep.close_settled))
    for due, chore in chores:
        ids: list[int] = []
        try:
            now = clock()
            ids = due(limit=limit, now=now, leave_out=quarantine.held_tickets(now))
            if ids:
                chore(ticket_ids=ids, clock=clock)
        except Exception:
            log.exception("%s failed; its tickets are now tried one by one.", chore.__name__)
            quarantine.ticket_by_ticket(ids, chore, clock=clock)


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
    *, limit: int = BATCH, clock: TimeSource = database_now, run_ids: Sequence[int] | None = None
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
    deeds = carry_out_all(runs.prospects(claimed, tickets, clocks), executor, now)
    write(deeds, claimed, now)
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
