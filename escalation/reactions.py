"""The one receiver of ticket events: it looks at the tickets and makes clocks and runs right.

It synchronises rather than reacts: it does not ask what happened, only what holds, and so running
it again (after a fault, after an upgrade) heals whatever was left behind.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from escalation import handover, keeping, runs, signs, sla
from escalation.models import Clock, Run
from roles.instants import TimeSource, database_now
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
    rows = Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets])
    stored = rows.select_related(*AROUND).in_bulk()
    for ticket in tickets:
        shadow = stored[ticket.pk]
        for name in direct:
            if getattr(shadow, f"{name}_id") == getattr(ticket, f"{name}_id"):
                setattr(ticket, name, getattr(shadow, name))


def on_recorded(sender: Any, *, tickets: Sequence[Ticket], at: datetime, **_: Any) -> None:
    """Receive the signal of the timeline, inside the transaction of the change."""
    synchronise(tickets, at)


def synchronise(tickets: Sequence[Ticket], at: datetime) -> None:
    """Make targets, clocks, runs and index columns of locked tickets fit what they are now.

    The instances are the ones that the caller goes on with: their heads and index columns are
    brought up to date in memory too. A bounded number of statements for any number of tickets.
    """
    load_around(tickets)
    ids = [ticket.pk for ticket in tickets]
    targets = sla.Targets()
    told = sla.timelines(ids)
    in_force = Run.objects.filter(ticket__in=ids, state__in=keeping.IN_FORCE)
    active = in_force.select_related("policy", "revision").order_by("id")
    kept = keeping.keep_runs(tickets, active.select_for_update(of=("self",), no_key=True), at)
    writes = []
    for ticket in tickets:
        entries = [
            *sla.targeting(ticket, targets, sla.last_match(told[ticket.pk]), told[ticket.pk]),
            *kept.entries.get(ticket.pk, []),
        ]
        if entries:
            writes.append(timeline.Write(ticket=ticket, entries=entries))
    if writes:
        timeline.record_many(writes, at=at, announce=False)
        sla.add_told(told, writes)
    handover.follow_tickets(tickets, at)
    clocks = sla.keep_clocks(tickets, targets, at, told)
    _schedule(tickets, kept, clocks, at)


def _schedule(
    tickets: Sequence[Ticket], kept: keeping.Kept, clocks: dict[int, list[Clock]], at: datetime
) -> None:
    """Say when each run looks next, and save what changed."""
    # The ended ones first: a ticket has one main run at a time, and the database insists on it.
    over = [run for run in kept.changed if run.state != Run.State.ACTIVE]
    timeline.update_rows(Run, over, keeping.WRITTEN)
    Run.objects.bulk_create(kept.fresh)
    alive = [run for run in (*kept.fresh, *kept.changed) if run.state == Run.State.ACTIVE]
    by_id = {ticket.pk: ticket for ticket in tickets}
    next_ats: dict[int, list[datetime | None]] = {}
    steps = runs.steps_of(run.revision_id for run in alive)
    signs.look(alive, by_id, steps, at)
    for prospect in runs.prospects(alive, by_id, clocks, steps):
        run = prospect.run
        run.next_at = runs.next_look(prospect)
        run.next_step_id = runs.next_step(prospect)
        next_ats.setdefault(run.ticket_id, []).append(run.next_at)
    timeline.update_rows(Run, alive, keeping.WRITTEN)
    indexed = []
    for ticket in tickets:
        moved_due = sla.index_of(ticket, clocks[ticket.pk])
        moved_step = runs.index_of(ticket, next_ats.get(ticket.pk, []))
        if moved_due or moved_step:
            indexed.append((ticket, ("next_due_at", "next_step_at", "breached_at")))
    timeline.save_tickets(indexed)


def heal(ticket_ids: Iterable[int], *, clock: TimeSource = database_now) -> int:
    """Synchronise tickets from the outside, each batch in a transaction; how many there were."""
    with transaction.atomic():
        rows = Ticket.objects.filter(pk__in=list(ticket_ids)).order_by("id")
        tickets = list(rows.select_for_update(no_key=True, of=("self",)))
        if tickets:
            now = max(clock(), *(ticket.last_event_at or ticket.opened_at for ticket in tickets))
            synchronise(tickets, now)
        return len(tickets)
