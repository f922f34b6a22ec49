"""The one receiver of ticket events: it looks at the tickets and makes clocks and runs right.

It synchronises rather than reacts: it does not ask what happened, only what holds, and so running
it again (after a fault, after an upgrade) heals whatever was left behind.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction

from escalation import handover, hearsay, keeping, newborn, onward, runs, signs, sla, vendors
from escalation.clock import PER_ENTRY, Fact
from escalation.models import Clock, Run
from escalation.scene import Scene
from escalation.steps import ClockView, Key, Step
from roles.instants import TimeSource, database_now
from roles.ledger import insert_rows, update_rows
from tickets import timeline
from tickets.models import Ticket

AROUND = (
    "team__calendar",
    "team__tier",
    "requester",
    "service__owner_team__tier",
    "category",
    "organisation",
)


def load_around(tickets: Sequence[Ticket]) -> None:
    """Fill in what decisions read of the rows around these tickets: one query for all of them.

    A relation that was changed in memory and not saved yet stays as it is.
    """
    direct = {path.partition("__")[0] for path in AROUND}
    rows = Ticket.objects.filter(pk__in=[ticket.id for ticket in tickets])
    stored = rows.select_related(*AROUND).in_bulk()
    for ticket in tickets:
        shadow = stored[ticket.id]
        for name in direct:
            if getattr(shadow, f"{name}_id") == getattr(ticket, f"{name}_id"):
                setattr(ticket, name, getattr(shadow, name))


def on_recorded(
    sender: Any, *, tickets: Sequence[Ticket], at: datetime, is_hearsay: bool = False, **_: Any
) -> None:
    """Receive the signal of the timeline, inside the transaction of the change."""
    ids = [ticket.id for ticket in tickets]
    if not is_hearsay or hearsay.is_heard(ids, at):
        synchronise(tickets, at, news=ids)


def synchronise(tickets: Sequence[Ticket], at: datetime, *, news: Collection[int] = ()) -> None:
    """Make targets, clocks, runs and index columns of locked tickets fit what they are now.

    Of tickets with `news`, by id, what waits for somebody's hours or shift is judged anew. The
    instances are the ones that the caller goes on with: their heads and index columns are
    brought up to date in memory too. A bounded number of statements for any number of tickets.
    """
    born = newborn.told(tickets)
    if born is not None:
        _begin(tickets, born, at)
        return
    load_around(tickets)
    vendors.follow_tickets(tickets, at)
    ids = [ticket.id for ticket in tickets]
    in_force = Run.objects.filter(ticket__in=ids, state__in=keeping.IN_FORCE)
    active = in_force.select_related("policy", "revision").order_by("id")
    kept = keeping.keep_runs(tickets, active.select_for_update(of=("self",), no_key=True), at)
    kept.ask_again(news)
    targets, told = sla.Targets(), sla.timelines(ids)
    _record(tickets, targets, told, kept, at)
    handover.follow_tickets(tickets, at)
    clocks = sla.keep_clocks(tickets, targets, at, told)
    steps = runs.steps_of(run.revision_id for run in (*kept.fresh, *kept.changed))
    views = {pk: runs.clock_views(rows) for pk, rows in clocks.items()}
    _schedule(tickets, kept, clocks, Plan(steps, views), at)


def _begin(tickets: Sequence[Ticket], told: dict[int, list[Fact]], at: datetime) -> None:
    """The same for tickets that have just been opened: nothing of theirs has to be read."""
    setup = newborn.SETUP.latest()
    kept = keeping.keep_runs(tickets, (), at, setup.around(at))
    _record(tickets, setup.targets, told, kept, at)
    clocks = sla.keep_clocks(tickets, setup.targets, at, told, present=dict.fromkeys(told, ()))
    views = {pk: runs.clock_views(rows) for pk, rows in clocks.items()}
    _schedule(tickets, kept, clocks, Plan(setup.steps, views, done={}), at)


def synchronise_scene(scene: Scene, at: datetime) -> None:
    """The same for the tickets of a batch, from what has been read of them already.

    A ticket of which nothing but a message was told has the clocks that it had: they follow from
    its timeline alone.
    """
    tickets = list(scene.tickets.values())
    vendor_teams = scene.configuration.vendor_teams
    engaged = vendors.follow_tickets(scene.restless, at, vendor_teams=vendor_teams)
    scene.told.update(sla.timelines(engaged))
    kept = keeping.keep_runs(tickets, scene.in_force, at, scene.around)
    kept.ask_again({ticket.id for ticket in scene.restless})
    targets = scene.configuration.targets
    aimed = {
        ticket.id: onward.aim(ticket, scene.aims[ticket.id], targets)
        for ticket in scene.restless
        if ticket.id in scene.aims and ticket.id not in scene.told
    }
    _record(tickets, targets, scene.told, kept, at, aimed=aimed)
    handover.follow_tickets(scene.restless, at)
    moved = [ticket for ticket in scene.restless if ticket.id in aimed]
    others = [ticket for ticket in scene.restless if ticket.id not in aimed]
    carried = onward.carry(moved, aimed, scene.clocks, targets, at)
    also = (carried.fresh, carried.changed)
    fresh = (
        sla.keep_clocks(others, targets, at, scene.told, present=scene.clocks, also=also)
        | carried.rows
    )
    views = {**scene.views, **_views_anew(scene, fresh, carried.rows)}
    foreseen = {
        pk: known for pk, known in scene.foreseen.items() if known[0].run.ticket_id not in fresh
    }
    scene.clocks |= fresh
    plan = Plan(scene.steps, views, scene.done, scene.beside, foreseen)
    scene.ahead = {item.run.id: item for item in _schedule(tickets, kept, scene.clocks, plan, at)}


def _views_anew(
    scene: Scene, fresh: Mapping[int, Sequence[Clock]], carried: Collection[int]
) -> dict[int, Mapping[str, ClockView]]:
    """Clocks that have changed as steps see them; a move changes the teams' own alone."""
    alike: dict[Any, Any] = {}
    return {
        pk: {
            **scene.views[pk],
            **runs.clock_views((row for row in rows if row.kind in PER_ENTRY), alike),
        }
        if pk in carried
        else runs.clock_views(rows)
        for pk, rows in fresh.items()
    }


def reschedule(scene: Scene, carried_out: Iterable[runs.Prospect]) -> None:
    """Say when these runs look next, of whose tickets nothing but messages was told since."""
    again = []
    for before in carried_out:
        run = before.run
        done = scene.done[run.id]
        rest = runs.remaining(scene.foreseen[run.id], done) or runs.prospect_of(
            run, run.ticket, before.steps, before.clocks, done
        )
        run.next_at, run.next_step_id = runs.next_look(rest), runs.next_step(rest)
        scene.ahead[run.id] = rest
        again.append(run)
    update_rows(Run, again, ("next_at", "next_step"))
    looks = {run.ticket_id: [scene.beside.get(run.ticket_id)] for run in again}
    for item in scene.ahead.values():
        if item.run.ticket_id in looks:
            looks[item.run.ticket_id].append(item.run.next_at)
    indexed = [
        scene.tickets[pk] for pk, found in looks.items() if runs.index_of(scene.tickets[pk], found)
    ]
    timeline.save_tickets([(ticket, ("next_step_at",)) for ticket in indexed])


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next look of a run follows from, beside its ticket and its clocks.

    `beside` is when runs that nobody looks at now come next, by ticket; `foreseen` what runs of
    unchanged tickets had to do before, by run.
    """

    steps: Mapping[int, Sequence[Step]]
    views: Mapping[int, Mapping[str, ClockView]]
    done: Mapping[int, Mapping[Key, str]] | None = None
    beside: Mapping[int, datetime] = field(default_factory=dict)
    foreseen: Mapping[int, tuple[runs.Prospect, tuple[Any, ...]]] = field(default_factory=dict)


def _record(
    tickets: Sequence[Ticket],
    targets: sla.Targets,
    told: dict[int, list[Fact]],
    kept: keeping.Kept,
    at: datetime,
    *,
    aimed: Mapping[int, timeline.Entry] = MappingProxyType({}),
) -> None:
    """Tell of new targets (`aimed`, or by what was `told`), and of what became of runs."""
    writes = []
    for ticket in tickets:
        entries = list(kept.entries.get(ticket.id, []))
        if ticket.id in aimed:
            entries = [aimed[ticket.id], *entries]
        elif ticket.id in told:
            past = told[ticket.id]
            entries = [*sla.targeting(ticket, targets, sla.last_match(past), past), *entries]
        if entries:
            writes.append(timeline.Write(ticket=ticket, entries=entries))
    if writes:
        timeline.record_many(writes, at=at, announce=False)
        sla.add_told(told, [write for write in writes if write.ticket.id in told])


def _schedule(
    tickets: Sequence[Ticket],
    kept: keeping.Kept,
    clocks: Mapping[int, Sequence[Clock]],
    plan: Plan,
    at: datetime,
) -> list[runs.Prospect]:
    """Say when each run looks next, save what changed, and return what each has still to do."""
    # The ended ones first: a ticket has one main run at a time, and the database insists on it.
    over = [run for run in kept.changed if run.state != Run.State.ACTIVE]
    update_rows(Run, over, keeping.WRITTEN)
    insert_rows(Run, kept.fresh)
    kept.note(kept.fresh)
    alive = [run for run in (*kept.fresh, *kept.changed) if run.state == Run.State.ACTIVE]
    by_id = {ticket.id: ticket for ticket in tickets}
    next_ats: dict[int, list[datetime | None]] = {}
    steps = plan.steps
    if any(run.revision_id not in steps for run in kept.fresh):
        steps = runs.steps_of(run.revision_id for run in alive)
    signs.look(alive, by_id, steps, at)
    done = runs.done_by(alive) if plan.done is None else plan.done
    found = _prospects(alive, by_id, plan, steps, done)
    for prospect in found:
        run = prospect.run
        run.next_at = runs.next_look(prospect)
        run.next_step_id = runs.next_step(prospect)
        next_ats.setdefault(run.ticket_id, []).append(run.next_at)
    update_rows(Run, *kept.differing(alive))
    indexed = []
    for ticket in tickets:
        moved_due = sla.index_of(ticket, clocks[ticket.id])
        looks = [*next_ats.get(ticket.id, ()), plan.beside.get(ticket.id)]
        moved_step = runs.index_of(ticket, looks)
        if moved_due or moved_step:
            indexed.append((ticket, ("next_due_at", "next_step_at", "breached_at")))
    timeline.save_tickets(indexed)
    return found


def _prospects(
    alive: Sequence[Run],
    by_id: Mapping[int, Ticket],
    plan: Plan,
    steps: Mapping[int, Sequence[Step]],
    done: Mapping[int, Mapping[Key, str]],
) -> list[runs.Prospect]:
    """What each run has still to do: the rest of what was foreseen, or all of it anew."""
    found, anew = [], []
    for run in alive:
        known = plan.foreseen.get(run.id)
        rest = runs.remaining(known, done[run.id]) if known else None
        if rest is None:
            anew.append(run)
        else:
            found.append(rest)
    return found + runs.foresee(anew, by_id, plan.views, steps, done)


def heal(ticket_ids: Iterable[int], *, clock: TimeSource = database_now) -> int:
    """Synchronise tickets from the outside, each batch in a transaction; how many there were."""
    with transaction.atomic():
        rows = Ticket.objects.filter(pk__in=list(ticket_ids)).order_by("id")
        tickets = list(rows.select_for_update(no_key=True, of=("self",)))
        if tickets:
            now = max(clock(), *(ticket.last_event_at or ticket.opened_at for ticket in tickets))
            synchronise(tickets, now)
        return len(tickets)
