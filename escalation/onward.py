"""Carries the clocks of a ticket on through a move, by their rows alone where these say enough.

A replay of the timeline would say the very same, and a test shows it over random lives; it is asked
wherever the rows leave anything open.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

import orjson
from django.db import connection

from escalation.clock import (
    FIRST_RESPONSE,
    HANDED_BACK,
    MET,
    MOVED,
    NEXT_UPDATE,
    OVER,
    PER_ENTRY,
    TO_REQUESTER,
    Cycle,
    TargetSpec,
)
from escalation.models import Clock
from escalation.sla import Targets, cycle_of, fill, match_facts
from roles.instances import new_row
from roles.models import Team
from roles.values import changed
from tickets.models import EventKind, Ticket
from tickets.timeline import Entry

Match = Mapping[str, Any]

ANSWERED: Final = frozenset({MET, MOVED, HANDED_BACK})
"""Endings by which nothing is owed any more; one that was cancelled may begin again."""

BESIDE: Final = ("vendor", "engagement", "major", "notice")
"""Facts that decide on targets and stand on the timeline alone; no move changes them."""

LATEST: Final = """
SELECT asked.id, event.canonical FROM unnest(%s) AS asked(id), LATERAL (
    SELECT canonical FROM tickets_timelineevent
    WHERE ticket_id = asked.id AND kind = %s ORDER BY seq DESC LIMIT 1
) AS event
"""


@dataclass(frozen=True, slots=True)
class Entrance:
    """A ticket's way into another team: the entry's number, and the targets that hold there.

    The status is the one that the ticket had before, and keeps.
    """

    entry: int
    team_id: int
    status: str
    choice: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Onward:
    """What a move makes of a ticket's clocks: those that it ends, and those that it begins."""

    ended: Sequence[tuple[Clock, Cycle]]
    begun: Sequence[Cycle]


@dataclass(slots=True)
class Carried:
    """The rows that moves have made and changed, and all that each ticket has now, by ticket id."""

    fresh: list[Clock] = field(default_factory=list)
    changed: list[Clock] = field(default_factory=list)
    rows: dict[int, list[Clock]] = field(default_factory=dict)


def says_enough(rows: Sequence[Clock], into: Entrance, spec: Callable[[int], TargetSpec]) -> bool:
    """Whether these rows, all that the ticket has, tell what a move makes of them.

    They do while what is promised to the requester stays as it is, no clock but the teams' own
    begins or ends, and none stands still.
    """
    live = {row.kind: row for row in rows if row.stopped_at is None}
    if into.status in OVER or any(
        row.kind in PER_ENTRY and row.cycle >= into.entry for row in rows
    ):
        return False
    for kind, row in live.items():
        if row.pauses and row.pauses[-1][1] is None:
            return False
        if kind in PER_ENTRY:
            continue
        if kind not in TO_REQUESTER or into.choice.get(kind) != (row.target_id, row.calendar_id):
            return False
    return all(
        into.status not in spec(target_id).pauses
        if kind in PER_ENTRY
        else kind in live or _owes_nothing(kind, rows, live)
        for kind, (target_id, _) in into.choice.items()
    )


def _owes_nothing(kind: str, rows: Sequence[Clock], live: Mapping[str, Clock]) -> bool:
    """Whether a kind that has a target and does not run has nothing to run for, for certain."""
    if kind == NEXT_UPDATE:  # owed from the first answer on
        return FIRST_RESPONSE in live
    ended = [row for row in rows if row.kind == kind]
    return (
        kind == FIRST_RESPONSE
        and bool(ended)
        and max(ended, key=lambda row: row.cycle).ended_as in ANSWERED
    )


def carry_on(
    rows: Sequence[Clock], into: Entrance, spec: Callable[[int], TargetSpec], at: datetime
) -> Onward:
    """The teams' own clocks ended at `at`, and begun anew where they have targets."""
    return Onward(
        ended=[
            (row, changed(cycle_of(row), stopped_at=at, ended_as=MOVED))
            for row in rows
            if row.kind in PER_ENTRY and row.stopped_at is None
        ],
        begun=[
            Cycle(
                kind=kind,
                number=into.entry,
                team_id=into.team_id,
                target_id=into.choice[kind][0],
                calendar_id=into.choice[kind][1],
                started_at=at,
                target_s=spec(into.choice[kind][0]).seconds,
            )
            for kind in sorted(PER_ENTRY)
            if kind in into.choice
        ],
    )


# ---- For a batch of locked tickets ---------------------------------------------------------------


def last_matches(ticket_ids: Sequence[int]) -> dict[int, Match]:
    """The facts under which each ticket's targets were last chosen, by ticket id; one query."""
    if not ticket_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LATEST, [list(ticket_ids), EventKind.TARGETED])
        return {pk: orjson.loads(text)["facts"]["match"] for pk, text in cursor.fetchall()}


def foreseen(
    moves: Iterable[tuple[Ticket, Team]], clocks: Mapping[int, Sequence[Clock]], targets: Targets
) -> dict[int, Match]:
    """Of tickets that are about to move, those whose clocks follow from their rows.

    By ticket id, with the facts under which their targets were last chosen.
    """
    listed = list(moves)
    found = {}
    last = last_matches([ticket.id for ticket, _ in listed])
    for ticket, team in listed:
        known = last.get(ticket.id)
        if known is not None:
            match = _match(ticket, known) | {"team": team.id, "entry": ticket.entry + 1}
            choice = targets.choose(match, team.calendar.current_id)
            into = Entrance(ticket.entry + 1, team.id, ticket.status, choice)
            if says_enough(clocks[ticket.id], into, targets.spec):
                found[ticket.id] = known
    return found


def aim(ticket: Ticket, last: Match, targets: Targets) -> Entry:
    """The event that sets the targets of a ticket which has just entered another team."""
    match = _match(ticket, last)
    team = cast(Team, ticket.team)
    choice = targets.choose(match, team.calendar.current_id)
    return Entry(kind=EventKind.TARGETED, facts={"match": match, "targets": choice})


def _match(ticket: Ticket, last: Match) -> dict[str, Any]:
    """What decides on the targets now; what only the timeline tells is as it was."""
    return {name: last[name] for name in BESIDE if name in last} | match_facts(ticket)


def carry(
    tickets: Iterable[Ticket],
    aimed: Mapping[int, Entry],
    clocks: Mapping[int, Sequence[Clock]],
    targets: Targets,
    at: datetime,
) -> Carried:
    """The clock rows of tickets that have moved, as of `at`; nothing is saved.

    `aimed` are the events that set their targets, `clocks` their rows before the move.
    """
    done = Carried()
    alike: dict[Any, dict[str, Any]] = {}
    for ticket in tickets:
        team_id, moved_at = cast(int, ticket.team_id), cast(datetime, ticket.entered_at)
        choice = aimed[ticket.id].facts["targets"]
        into = Entrance(ticket.entry, team_id, ticket.status, choice)
        onward = carry_on(clocks[ticket.id], into, targets.spec, moved_at)
        done.changed += [fill(row, cycle, at) for row, cycle in onward.ended]
        begun = [_begun(ticket.id, cycle, at, alike) for cycle in onward.begun]
        done.fresh += begun
        done.rows[ticket.id] = [*clocks[ticket.id], *begun]
    return done


def _begun(ticket_id: int, cycle: Cycle, at: datetime, alike: dict[Any, dict[str, Any]]) -> Clock:
    """The row of a cycle that has just begun; most of a batch differ in their ticket alone."""
    if cycle not in alike:
        row = fill(new_row(Clock, kind=cycle.kind, cycle=cycle.number), cycle, at)
        alike[cycle] = {name: held for name, held in row.__dict__.items() if name != "_state"}
    return new_row(Clock, **alike[cycle] | {"ticket_id": ticket_id, "pauses": []})
