"""Puts tickets under their problem that could not be had when their repeat was put there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from roles.instants import TimeSource, database_now, fixed
from tickets.alike import joinable
from tickets.models import Straggler, Ticket
from tickets.repeats import Gathering


def waiting() -> QuerySet[Straggler]:
    """The notes of tickets that were left behind."""
    return Straggler.objects.all()


def to_gather(*, limit: int, now: datetime, leave_out: Any = ()) -> list[int]:
    """The ids of the tickets to put under their problems, but for those to leave out."""
    rows = waiting().exclude(pk__in=leave_out).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:limit])


@transaction.atomic
def gather_late(*, ticket_ids: Sequence[int], clock: TimeSource = database_now) -> int:
    """Put these tickets under the problems noted for them, as long as both are open to it.

    Returns how many came there. One that somebody writes to is left for the next time.
    """
    rows = Ticket.objects.filter(pk__in=ticket_ids).order_by("pk")
    locked = {row.pk for row in rows.select_for_update(skip_locked=True, no_key=True, of=("self",))}
    notes = {note.pk: note for note in Straggler.objects.filter(pk__in=locked)}
    problems = (
        Ticket.objects.open()
        .filter(restricted=False)
        .in_bulk([note.problem_id for note in notes.values()])
    )
    children: dict[int, list[Ticket]] = {}
    for ticket in joinable(notes).order_by("pk"):
        children.setdefault(notes[ticket.pk].problem_id, []).append(ticket)
    gathering = Gathering([], clock=fixed(clock()))
    for problem_id in children.keys() & problems.keys():
        gathering.bring(problems[problem_id], children[problem_id])
    gathering.record()
    Straggler.objects.filter(pk__in=notes).delete()
    return sum(len(found) for pk, found in children.items() if pk in problems)
