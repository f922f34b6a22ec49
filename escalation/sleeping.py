"""Which climbs beside the one that moved a ticket sleep through the move, and how they follow it.

A move by a policy wakes few of the climbs beside it: what most of them watch for has nothing to do
with the team. Those are neither read nor decided on anew; they are told of the new entry by the
statement that writes the batch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection
from django.db.models import Q

from escalation import gates
from escalation.clock import PER_ENGAGEMENT, REGULATORY, STAKEHOLDER_UPDATE
from escalation.models import Clock, PolicyRevision, Run, StopOn
from escalation.steps import (
    AUTO,
    CHASED,
    FLAPPING,
    HANDED_OVER,
    MANUAL,
    ON_CLOCKS,
    PING_PONG,
    REOPENED,
    REPEATED,
    RISK,
    SILENT,
    SINCE_START,
    TEAM,
    Step,
)
from roles.ledger import Ledger
from roles.written import any_of
from tickets import states
from tickets.models import Ticket

ELSEWHERE: Final = frozenset({*PER_ENGAGEMENT, STAKEHOLDER_UPDATE, REGULATORY})
"""Kinds of clock that no move begins, ends or aims anew."""

UNMOVED: Final = frozenset({REOPENED, CHASED, REPEATED, FLAPPING, RISK, MANUAL, SILENT})
"""Triggers that a move has no part in; nobody is silent who has not acknowledged."""

FOLLOWING: Final = """
UPDATE escalation_run AS old SET entry = new.entry, waiting_since = new.since, frozen = '[]',
    loop = 1, rung = 0, base_position = 0, round = 1, lead_s = 0, was_acknowledged = false
FROM jsonb_to_recordset(%s::jsonb)
    AS new(ticket bigint, entry integer, since timestamptz, sleepers bigint[], awake bigint[])
WHERE old.ticket_id = new.ticket AND old.state = 'active'
    AND old.revision_id = ANY(new.sleepers) AND old.id <> ALL(new.awake)
RETURNING 1
"""
"""What `keeping` does to a climb whose ticket has entered another team, for those that sleep."""


@dataclass(frozen=True, slots=True)
class Sleepers:
    """The revisions whose climbs sleep through a move of these tickets."""

    tickets: Sequence[Ticket]
    revision_ids: frozenset[int]

    @property
    def awake(self) -> Q:
        """The climbs that must be looked at."""
        mine = Q(any_of("ticket", [ticket.id for ticket in self.tickets]))
        return mine & ~Q(revision__in=self.revision_ids)


def may_sleep(ticket: Ticket, clocks: Iterable[Clock]) -> bool:
    """Whether a move changes the team of this ticket, and nothing else that climbs go by."""
    return (
        ticket.status == states.WAITING
        and not ticket.is_acknowledged
        and not any(row.kind in ELSEWHERE and row.stopped_at is None for row in clocks)
    )


def sleepers_of(
    tickets: Iterable[Ticket],
    revisions: Iterable[PolicyRevision],
    steps: Mapping[int, Sequence[Step]],
) -> list[Sleepers]:
    """The tickets, which are about to be moved, by what sleeps through it."""
    listed = list(revisions)
    by_count: dict[int, list[Ticket]] = {}
    for ticket in tickets:
        by_count.setdefault(ticket.handover_count + 1, []).append(ticket)
    return [
        Sleepers(
            tickets=group,
            revision_ids=frozenset(
                revision.pk
                for revision in listed
                if StopOn.MOVED not in revision.stop_on
                and all(_sleeps(step, count) for step in steps.get(revision.pk, ()))
            ),
        )
        for count, group in by_count.items()
    ]


def _sleeps(step: Step, handovers: int) -> bool:
    """Whether the hand-over of this number leaves the step where it was."""
    if step.moves or (step.gates and step.gates.get("zone") != gates.RESPONDER):
        return False
    if step.gates.get("hold_for_shift") or gates.holds_back(step.gates):
        return False  # What waits for the people of one team does not wait for those of another.
    if step.trigger in ON_CLOCKS:
        return step.clock in ELSEWHERE
    if step.trigger == SINCE_START:
        return step.basis not in (AUTO, TEAM)
    if step.trigger == HANDED_OVER:
        return handovers < step.count
    if step.trigger == PING_PONG:
        return handovers < 2
    return step.trigger in UNMOVED


def tell_sleepers(book: Ledger, asleep: Iterable[Sleepers], awake: Iterable[Run]) -> None:
    """Let the sleeping climbs follow their tickets into the teams where these are now."""
    looked_at: dict[int, list[int]] = {}
    for run in awake:
        looked_at.setdefault(run.ticket_id, []).append(run.id)
    rows: list[dict[str, Any]] = [
        {
            "ticket": ticket.id,
            "entry": ticket.entry,
            "since": ticket.entered_at,
            "sleepers": sorted(group.revision_ids),
            "awake": looked_at.get(ticket.id, []),
        }
        for group in asleep
        if group.revision_ids
        for ticket in group.tickets
    ]
    if rows:
        book.add(Run, FOLLOWING, orjson.dumps(rows).decode())


def next_beside(ticket_ids: Sequence[int], looked_at: Sequence[int]) -> dict[int, datetime]:
    """When the climbs of each ticket that nobody looks at come next, by ticket id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ticket_id, min(next_at) FROM escalation_run WHERE ticket_id = ANY(%s)"
            " AND state = 'active' AND next_at IS NOT NULL AND id <> ALL(%s) GROUP BY 1",
            [list(ticket_ids), list(looked_at)],
        )
        return dict(cursor.fetchall())
