"""What a batch of deeds comes to in the database: a bounded number of statements."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from escalation.firing import HIERARCHY, Deed
from escalation.models import Clock, Escalation, Firing, Run
from escalation.passing import clock_reading, pass_on
from notifications.outbox import post
from roles.instants import fixed
from roles.ledger import insert_rows, update_rows
from tickets import timeline
from tickets.triage import raise_priority_many

RUN_PROGRESS: Final = (
    "rung",
    "loop",
    "round",
    "lead_s",
    "base_position",
    "waiting_since",
    "frozen",
    "postponed",
    "epoch",
)


def write(
    deeds: Sequence[Deed],
    claimed: Sequence[Run],
    now: datetime,
    clocks: Mapping[int, Sequence[Clock]] | None = None,
    *,
    notes: Sequence[timeline.Write] = (),
) -> None:
    """Firings, events, moves, records and messages, with a bounded number of statements.

    `clocks` are those of the tickets, where the caller has read them; `notes` are entries of steps
    that were put off.
    """
    insert_rows(Firing, [deed.firing for deed in deeds])
    told: dict[int, timeline.Write] = {}
    for deed in deeds:
        write = told.setdefault(deed.ticket.id, timeline.Write(ticket=deed.ticket, entries=[]))
        write.entries = [*write.entries, deed.entry()]
    for note in notes:
        write = told.setdefault(note.ticket.id, timeline.Write(ticket=note.ticket, entries=[]))
        write.entries = [*write.entries, *note.entries]
    timeline.record_many(list(told.values()), at=now, announce=False)
    update_rows(Run, claimed, RUN_PROGRESS)
    _call_authority(deeds, clocks)
    raises = [(deed.ticket, deed.raise_to, deed.lines[0]) for deed in deeds if deed.raise_to]
    raise_priority_many(raises, clock=fixed(now), announce=False)
    passings = [passing for deed in deeds if (passing := deed.passing())]
    pass_on(passings, clock=fixed(now), announce=False, present=clocks)
    post([letter for deed in deeds for letter in deed.letters()], now=now)


def _call_authority(deeds: Sequence[Deed], clocks: Mapping[int, Sequence[Clock]] | None) -> None:
    """Record who was called in, before any move: each call names the team that it is about."""
    calling = [deed for deed in deeds if HIERARCHY in deed.found]
    readings = clock_reading([deed.ticket.id for deed in calling], clocks) if calling else {}
    pairs = [
        (deed, record)
        for deed in calling
        if (record := deed.hierarchical(readings[deed.ticket.id]))
    ]
    insert_rows(Escalation, [record for _, record in pairs])
    through = Escalation.to_people.through
    insert_rows(
        through,
        [
            through(escalation_id=record.pk, person_id=person_id)
            for deed, record in pairs
            for person_id in deed.found[HIERARCHY].ids
        ],
    )
