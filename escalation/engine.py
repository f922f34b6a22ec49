"""The engine: what is due by the database's clock is found, decided and written, exactly once.

Any number of workers may call `tick()`, whenever they like: rows are claimed with skip-locked, a
unique key makes a second firing impossible, and everything about a firing commits together.
"""

import gc
import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil
from typing import Final

from django.db import NotSupportedError, transaction

from escalation import quarantine, runs
from escalation.advancing import carry_out_all
from escalation.breaches import note_late
from escalation.firing import Deed, Executor
from escalation.glance import Found, beat, count_due, due_runs, glance
from escalation.holding import release_lapsed
from escalation.lanes import LANES, in_lanes
from escalation.majors import to_keep
from escalation.models import Clock, Escalation, Firing, Heartbeat, Run
from escalation.reactions import heal, reschedule, synchronise, synchronise_scene
from escalation.recounting import recount, to_recount
from escalation.scene import Configuration, Scene, look, shared_configuration
from escalation.sleeping import tell_sleepers
from escalation.writing import write
from notifications.faults import crash_here
from notifications.models import Message
from notifications.spreading import knowing_ways
from roles import ledger
from roles.instances import read_rows, relate
from roles.instants import TimeSource, database_now
from roles.written import Written, any_of
from tickets import clearance, stragglers, upkeep
from tickets.models import Ticket, TimelineEvent

log = logging.getLogger(__name__)

SWEEP: Final = "sweep"
BATCH: Final = 500
"""How many tickets are locked at once; agents wait for them meanwhile."""
LARGEST: Final = 1.4
"""By how much a batch may be larger, so that it need not be followed by a small one."""
URGENCY: Final = ("ticket__priority", "next_at", "pk")
"""In which order what is due is carried out."""


WHOLE: Final = Written(
    lambda tickets, now: (
        Run.objects.filter(any_of("ticket", tickets), state=Run.State.ACTIVE, next_at__lte=now)
        .select_related("ticket")
        .order_by(*URGENCY)
    ),
    tickets=list[int],
    now=datetime,
)
"""The due runs of the tickets that were claimed, with these."""


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one look came to; `more` says that another one should follow at once."""

    fired: int = 0
    skipped: int = 0
    breached: int = 0
    more: bool = False


def tick(
    *,
    limit: int = BATCH,
    clock: TimeSource = database_now,
    configuration: Callable[[], Configuration] = Configuration,
) -> TickReport:
    """Do what the calendar says, note passed deadlines, carry out due steps; a batch of each."""
    found = glance(clock())
    _keep_up(limit, clock, found.work)
    breached = note_late(limit, clock) if found.is_late else 0
    deeds = _climb_safely(limit, clock, configuration)
    return _report(deeds, breached=breached, more=bool(deeds) or breached >= limit)


def _climb_safely(
    limit: int,
    clock: TimeSource,
    configuration: Callable[[], Configuration] = Configuration,
    due_by: datetime | None = None,
) -> list[Deed]:
    """Carry out a batch; where one ticket spoils it, all of it one by one."""
    climb_on = partial(climb, limit=limit, clock=clock, configuration=configuration, due_by=due_by)
    try:
        try:
            deeds = climb_on()
        except NotSupportedError:  # What was prepared is out of date since a migration, and gone.
            deeds = climb_on()
        if deeds:
            crash_here("after_commit")
    except Exception:
        log.exception("A batch of due steps failed; its tickets are now tried one by one.")
        deeds = quarantine.one_by_one(due_run_ids(limit=limit, now=clock()), climb, clock=clock)
    return deeds


def _report(deeds: Sequence[Deed], *, breached: int, more: bool) -> TickReport:
    fired = sum(deed.firing.outcome != Firing.Outcome.SKIPPED for deed in deeds)
    return TickReport(fired=fired, skipped=len(deeds) - fired, breached=breached, more=more)


_CHORES = (
    ("wake", upkeep.to_wake, upkeep.wake),
    ("free", upkeep.to_free, upkeep.free_waiting),
    ("close", upkeep.to_close, upkeep.close_settled),
    ("lapse", clearance.to_lapse, clearance.lapse),
    ("hold", to_keep, heal),
    ("let go", to_keep, heal),
    ("recount", to_recount, recount),
    ("gather", stragglers.to_gather, stragglers.gather_late),
)
"""What the calendar says: its name in a glance, which tickets are due, and what is done to them."""


def _keep_up(limit: int, clock: TimeSource, work: Collection[str]) -> bool:
    """Wake and close what the calendar says; a ticket that fails there is tried alone, and counted.

    Trouble there must not hold up an escalation. Returns whether there was any such ticket.
    """
    was_any = False
    for due, chore in dict.fromkeys((due, chore) for name, due, chore in _CHORES if name in work):
        ids: list[int] = []
        try:
            now = clock()
            ids = due(limit=limit, now=now, leave_out=quarantine.held_tickets(now))
            was_any |= bool(ids)
            if ids:
                chore(ticket_ids=ids, clock=clock)
        except Exception:
            log.exception("%s failed; its tickets are now tried one by one.", chore.__name__)
            quarantine.ticket_by_ticket(ids, chore, clock=clock)
    return was_any


def due_run_ids(*, limit: int, now: datetime) -> list[int]:
    """The runs with a step due, most urgent first; quarantined tickets are left out."""
    return list(due_runs(now).order_by(*URGENCY).values_list("pk", flat=True)[:limit])


@contextmanager
def undisturbed() -> Iterator[None]:
    """No search for garbage meanwhile: Python would look through all rows of a batch, in vain."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@undisturbed()
@transaction.atomic
def climb(
    *,
    limit: int = BATCH,
    clock: TimeSource = database_now,
    run_ids: Sequence[int] | None = None,
    configuration: Callable[[], Configuration] = Configuration,
    is_gathered: bool = True,
    due_by: datetime | None = None,
) -> list[Deed]:
    """Carry out what is due for one batch of runs, in one transaction; returns the deeds.

    All is read first, then decided, then written with one statement; with `is_gathered` off, each
    kind of row is written by itself, as single acts do it. `due_by` is a moment that the clock has
    shown already, by which to look for what is due. Raises ledger.Stale when a run has been
    evaluated by somebody else since it was read.
    """
    claimed = _claim(run_ids, limit, due_by or clock())
    crash_here("after_claim")
    if not claimed:
        return []
    # The time to decide by is the database's alone, read after the locks: nothing fires early, even
    # when a ticket's last event lies ahead because a clock was set back. Events are dated on.
    now = clock()
    scene = look(claimed, configuration(), now)
    release_lapsed(claimed, now)
    executor = Executor(scene.people, scene.configuration.routes, now)
    epochs = {run.id: run.epoch for run in claimed}
    prospects = runs.foresee(claimed, scene.tickets, scene.views, scene.steps, scene.done)
    scene.foreseen = {item.run.id: (item, runs.basis_of(item.run)) for item in prospects}
    deeds = carry_out_all(prospects, executor, now)
    if is_gathered:
        scene.follow(deeds)
        with ledger.keeping() as book, knowing_ways(scene.listeners(deeds)):
            passed_on = sum(deed.to_team is not None for deed in deeds)
            book.expect(
                {
                    Firing: len(deeds) + passed_on,
                    TimelineEvent: 4 * len(deeds),
                    Escalation: len(deeds),
                },
                nameless=(Message, Clock, Escalation.to_people.through),
            )
            book.fence(Run, "epoch", epochs)
            write(deeds, claimed, now, scene.clocks, notes=executor.notes)
            scene.hear(book)
            _note_done(scene, deeds)
            synchronise_scene(scene, now)
            tell_sleepers(book, scene.asleep, scene.in_force)
            deeds += _tell_at_once(scene)
    else:
        write(deeds, claimed, now, notes=executor.notes)
        stirred = {deed.ticket.id for deed in deeds if not deed.only_tells}
        synchronise(list(scene.tickets.values()), now, news=stirred)
    crash_here("before_commit")
    return deeds


def _tell_at_once(scene: Scene) -> list[Deed]:
    """Carry out what the batch itself has made due, such as the page of a team that has just got a
    ticket, as long as it only tells people: the next batch would read all of it again.
    """
    ripe, now = scene.ripe(), scene.people.at
    if not ripe:
        return []
    executor = Executor(scene.people, scene.configuration.routes, now)
    deeds = carry_out_all(ripe, executor, now)
    write(deeds, [item.run for item in ripe], now, scene.clocks, notes=executor.notes)
    _note_done(scene, deeds)
    reschedule(scene, ripe)
    return deeds


def _note_done(scene: Scene, deeds: Sequence[Deed]) -> None:
    for deed in deeds:
        scene.done[deed.firing.run_id] |= deed.outcomes


def _claim(run_ids: Sequence[int] | None, limit: int, now: datetime) -> list[Run]:
    """The due runs of tickets that this locks; what another worker has at hand is left out.

    Either these runs, though their tickets had trouble before, or the most urgent ones. Tickets
    alone are locked, for whoever writes a run holds its ticket: with the lock of one run on a
    ticket whose other run somebody else has at hand, both would wait for each other. All that is
    due of a ticket is claimed with it, for one step may be the end of another.
    """
    ready = Run.objects.filter(state=Run.State.ACTIVE, next_at__lte=now)
    wanted = due_runs(now) if run_ids is None else ready.filter(pk__in=run_ids)
    # Ids alone are sorted: whole rows of all that is due after an outage would go through files.
    bare = wanted.select_related("ticket").only("pk", "ticket__id").order_by(*URGENCY)
    picked = bare.select_for_update(skip_locked=True, no_key=True, of=("ticket",))
    claimed: list[Run] = []
    # Asked again with the lock: a run may have been carried out between the look and the lock.
    while not claimed and (ids := [run.ticket_id for run in read_rows(picked[:limit])]):
        claimed = WHOLE.rows(tickets=sorted(set(ids)), now=now)
    one_each: dict[int, Ticket] = {}
    for run in claimed:
        relate(run, "ticket", one_each.setdefault(run.ticket_id, run.ticket))
    return claimed


# ---- The whole pass, as a worker runs it -------------------------------------------------------


def run_sweep(
    *,
    clock: TimeSource = database_now,
    most_s: float = 20.0,
    batch: int = BATCH,
    is_forked: bool | None = None,
) -> int:
    """Tick until nothing is due, for `most_s` seconds at most; returns how many steps fired.

    Leaves a heartbeat with the lateness that it found, for the watchers of the engine. Must not
    run within a transaction: where more than a batch is due, a second one is carried out beside it;
    `is_forked` is for `in_lanes`.
    """
    started = time.monotonic()
    now = clock()
    found = glance(now)
    until = started + most_s
    fired = _work(found, clock, until, batch, now=now, is_forked=is_forked) if found.is_any else 0
    beat(SWEEP, at=clock() if found.is_any else now, oldest_due_s=found.oldest_due_s(now))
    return fired


def _work(
    found: Found,
    clock: TimeSource,
    until: float,
    batch: int,
    *,
    now: datetime,
    is_forked: bool | None,
) -> int:
    """Do what a glance has found, and what comes of it at once; returns how many steps fired."""
    more = _keep_up(batch, clock, found.work) or found.is_late or found.oldest_due_at is not None
    late = found.is_late
    while late and time.monotonic() < until:
        late = note_late(batch, clock) >= batch
    if not more:
        return 0
    configuration = shared_configuration()
    # What has just been done may have made more due than the glance has seen.
    by = clock() if found.work else now
    due = 0 if found.oldest_due_at is None else count_due(LANES * _largest(batch), by)
    if due <= batch:
        return _climb_on(clock, until, batch, configuration, due_by=by)
    configuration().read_all()  # Once for both; each lane is as a worker of its own.
    size = _size(due, batch)
    climb_on = partial(_climb_on, clock, until, size, configuration, due_by=by)
    return in_lanes(climb_on, is_forked=is_forked)


def _largest(batch: int) -> int:
    return round(LARGEST * batch)


def _size(due: int, batch: int) -> int:
    """How many runs a lane takes at once: its even share if that is one batch, though a large one.

    A ticket often has more than one run that is due, so that the tickets are fewer.
    """
    share = ceil(due / LANES)
    return share if share < _largest(batch) else batch


def _climb_on(
    clock: TimeSource,
    until: float,
    batch: int,
    configuration: Callable[[], Configuration],
    is_to_go_on: Callable[[], bool] = lambda: True,
    *,
    due_by: datetime,
) -> int:
    """Carry out batch after batch until nothing is due; returns how many steps fired.

    `due_by` is the moment by which the first batch looks for what is due.
    """
    fired = 0
    while time.monotonic() < until and is_to_go_on():
        deeds = _climb_safely(batch, clock, configuration, due_by)
        fired += sum(deed.firing.outcome != Firing.Outcome.SKIPPED for deed in deeds)
        if not deeds:
            break
        # What these have made due is due by the moment at which they were decided on.
        due_by = deeds[-1].firing.fired_at
    return fired


def last_sweep_at() -> datetime | None:
    """When a sweep last finished, by the database's clock."""
    return Heartbeat.objects.filter(name=SWEEP).values_list("at", flat=True).first()
