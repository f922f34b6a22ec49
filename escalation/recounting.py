"""Says anew when climbs come next once the hours have changed by which their delays count, or the
rosters for whose shifts their steps wait.

Clocks are left alone: they move to new hours on request only. A delay counts by the hours in force;
so the tickets concerned are noted in the transaction of the change, and the engine looks at them in
batches. No event tells of it, because nothing happens to the tickets; the audit tells of the hours.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from escalation import gates, runs
from escalation.models import Clock, PolicyStep, Recount, Run
from escalation.reactions import load_around
from escalation.scene import FRESH_S
from escalation.steps import WALL, calendar_basis
from notifications import live
from roles.instants import TimeSource, database_now
from roles.ledger import update_rows
from roles.models import Calendar, Team
from tickets import timeline
from tickets.models import Ticket

SETTLED: Final = timedelta(seconds=FRESH_S + 1)
"""So long a batch may still go by the hours that it has read: afterwards all is looked at again."""
LOOKS: Final = ("next_at", "next_step", "postponed")
NOTE: Final = """
INSERT INTO escalation_recount (ticket_id)
SELECT ticket_id FROM ({}) AS found (ticket_id) ORDER BY ticket_id
ON CONFLICT (ticket_id) DO UPDATE SET look_at = NULL
"""


def on_calendar_saved(
    sender: Any, *, instance: Calendar, created: bool, update_fields: Any = None, **_: Any
) -> None:
    """Receive that a calendar may have other hours, inside the transaction of the change."""
    if not created and (update_fields is None or "current" in update_fields):
        named = PolicyStep.objects.filter(basis=calendar_basis(instance.slug))
        by_name = Q(revision__in=named.values("revision"))
        _note(_by_team(ticket__team__calendar=instance.pk) | by_name)


def on_team_saved(
    sender: Any, *, instance: Team, created: bool, update_fields: Any = None, **_: Any
) -> None:
    """Receive that a team may work by another calendar, inside the transaction of the change."""
    if not created and (update_fields is None or "calendar" in update_fields):
        _note(_by_team(ticket__team=instance.pk))


def on_roster_changed(sender: Any, **_: Any) -> None:
    """Receive that others may be on call, inside the transaction of the change.

    What waits for somebody's shift or hours is judged anew, wherever the roster is of.
    """
    waits = Q(gates__hold_for_shift=True) | Q(gates__zone=gates.RESPONDER)
    steps = PolicyStep.objects.filter(waits)
    _note(Q(revision__in=steps.values("revision")) & ~Q(postponed={}))


def _by_team(**teams: Any) -> Q:
    """The climbs of these teams' tickets in which anything goes by the team's hours."""
    counting = Q(delay_s__isnull=False) & ~Q(basis=WALL)
    steps = PolicyStep.objects.filter(counting | Q(gates__zone=gates.TEAM))
    return Q(revision__in=steps.values("revision"), **teams)


def _note(concerned: Q) -> None:
    rows = Run.objects.filter(concerned, state=Run.State.ACTIVE).order_by()
    text, given = rows.values("ticket").distinct().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(NOTE.format(text), given)


# ---- In the engine's pass ----------------------------------------------------------------------


def waiting(now: datetime) -> QuerySet[Recount]:
    """The notes of tickets whose climbs are to be looked at now."""
    return Recount.objects.filter(Q(look_at=None) | Q(look_at__lte=now))


def to_recount(*, limit: int, now: datetime, leave_out: Any = ()) -> list[int]:
    """The ids of the tickets to look at now, but for those to leave out."""
    rows = waiting(now).exclude(pk__in=leave_out)
    rows = rows.order_by(F("look_at").asc(nulls_first=True), "pk")
    return list(rows.values_list("pk", flat=True)[:limit])


@transaction.atomic
def recount(*, ticket_ids: Collection[int], clock: TimeSource = database_now) -> int:
    """Let the climbs of these tickets say when they come next, by the hours now in force.

    Returns how many tickets that changed anything for.
    """
    rows = Ticket.objects.filter(pk__in=ticket_ids).order_by("id")
    tickets = {row.pk: row for row in rows.select_for_update(no_key=True, of=("self",))}
    notes = Recount.objects.filter(pk__in=tickets).order_by("pk").select_for_update()
    again = [note.pk for note in notes if note.look_at is None]
    changed = _look_anew(tickets)
    Recount.objects.filter(pk__in=tickets.keys() - set(again)).delete()
    Recount.objects.filter(pk__in=again).update(look_at=clock() + SETTLED)
    live.publish({ticket.topic for ticket in changed})
    return len(changed)


def _look_anew(tickets: dict[int, Ticket]) -> Sequence[Ticket]:
    """Set when each climb of these locked tickets comes next; those for which that is news."""
    active = Run.objects.filter(ticket__in=tickets, state=Run.State.ACTIVE).order_by("id")
    climbs = list(active.select_related("revision").select_for_update(of=("self",), no_key=True))
    load_around(list(tickets.values()))
    clocks: dict[int, list[Clock]] = {pk: [] for pk in tickets}
    for row in Clock.objects.filter(ticket__in=tickets):
        clocks[row.ticket_id].append(row)
    looks: dict[int, list[datetime | None]] = {pk: [] for pk in tickets}
    moved = []
    for run in climbs:
        if run.postponed:
            runs.judge_anew(run)
    for prospect in runs.prospects(climbs, tickets, clocks):
        run, was = prospect.run, (prospect.run.next_at, prospect.run.next_step_id)
        run.next_at, run.next_step_id = runs.next_look(prospect), runs.next_step(prospect)
        looks[run.ticket_id].append(run.next_at)
        if run.postponed or was != (run.next_at, run.next_step_id):
            moved.append(run)
    update_rows(Run, moved, LOOKS)
    indexed = [ticket for pk, ticket in tickets.items() if runs.index_of(ticket, looks[pk])]
    timeline.save_tickets([(ticket, ("next_step_at",)) for ticket in indexed])
    return [tickets[pk] for pk in sorted({run.ticket_id for run in moved})]
