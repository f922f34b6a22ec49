"""The only writer of ticket events: gapless, hash-chained, in the transaction of the change."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.dispatch import Signal

from notifications import live
from roles.instances import new_row
from roles.ledger import insert_rows, update_rows
from roles.values import named_value
from tickets.models import Clearance, EventBody, EventKind, Ticket, TimelineEvent

recorded: Final = Signal()
"""Sent once per write, inside the transaction, with the locked `tickets` and `at`.

`is_hearsay` says that monitors have said something, and no field of a ticket has changed.
"""

HEAD: Final = ("last_seq", "last_hash", "last_event_at")


@named_value
class Entry:
    """What happened: `changed` maps ticket fields to (was, is); `facts` holds the rest.

    `body` is what a person wrote: it is stored apart, hashed with a salt, and may be erased.
    `at` is for history only; a live entry takes the time of the whole write.
    """

    kind: str
    actor_id: int | None = None
    via: str = "engine"
    is_public: bool = False
    changed: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""
    at: datetime | None = None


@dataclass(kw_only=True)
class Write:
    """One locked ticket, what happened to it, and which of its fields changed in memory."""

    ticket: Ticket
    entries: Sequence[Entry]
    fields: Sequence[str] = ()
    events: list[TimelineEvent] = field(default_factory=list)


def body_digest(salt: str, text: str) -> str:
    """The salted SHA-256 of a body, in hex."""
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()


def canonical_text(
    *, ticket_id: int, seq: int, at: datetime, entry: Entry, digest: str | None, previous: str
) -> str:
    """The exact text that is hashed and stored for one event."""
    facts = dict(entry.facts)
    if entry.changed:
        facts["was"] = {name: was for name, (was, _) in entry.changed.items()}
        facts["set"] = {name: now for name, (_, now) in entry.changed.items()}
    document = {
        "v": 1,
        "ticket": ticket_id,
        "seq": seq,
        "at": instant_text(at),
        "kind": entry.kind,
        "actor": entry.actor_id,
        "via": entry.via,
        "public": entry.is_public,
        "facts": facts,
        "body": digest,
        "previous": previous,
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


@lru_cache(maxsize=4096)
def instant_text(at: datetime) -> str:
    """An instant in UTC with microseconds, as it stands in canonical texts and JSON columns."""
    # What the database gives is in UTC already.
    there = at if at.tzinfo is UTC else at.astimezone(UTC)
    return there.isoformat(timespec="microseconds")


def record(
    ticket: Ticket,
    *entries: Entry,
    at: datetime,
    fields: Sequence[str] = (),
    announce: bool = True,
) -> list[TimelineEvent]:
    """Append entries to one locked ticket and save it with the named fields, in one go."""
    write = Write(ticket=ticket, entries=entries, fields=fields)
    record_many([write], at=at, announce=announce)
    return write.events


def record_many(
    writes: Sequence[Write], *, at: datetime, announce: bool = True, hint: bool = True
) -> None:
    """Append entries to many locked tickets with a bounded number of statements.

    The tickets must be locked by the caller's transaction. No event is ever dated before the
    ticket's last one. Open pages are hinted at the change after the commit. Imports pass
    `announce=False` and `hint=False`: they send neither. Raises RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record_many() must run in the transaction of the change.")
    bodies: list[tuple[TimelineEvent, str, str]] = []
    for write in writes:
        for entry in write.entries:
            write.events.append(_append(write.ticket, entry, at, bodies))
    events = [event for write in writes for event in write.events]
    insert_rows(TimelineEvent, events)
    insert_rows(
        EventBody,
        [
            new_row(EventBody, event_id=event.id, salt=salt, text=text)
            for event, salt, text in bodies
        ],
    )
    save_tickets([(write.ticket, [*write.fields, *HEAD]) for write in writes])
    if hint and events:
        live.publish(_concerned(writes))
    if announce and events:
        tickets = list({write.ticket.id: write.ticket for write in writes}.values())
        recorded.send(
            sender=TimelineEvent, tickets=tickets, at=at, is_hearsay=all(map(_is_hearsay, writes))
        )


def _is_hearsay(write: Write) -> bool:
    return not write.fields and all(
        entry.kind == EventKind.ALERTED and not entry.changed for entry in write.entries
    )


def _concerned(writes: Sequence[Write]) -> set[str]:
    """The topics whose pages show these tickets: each ticket, the team it is in or has left.

    And those to whom it is or was open, by name: a page may have been open before it was.
    A restricted ticket is heard of under its own name and theirs only.
    """
    topics = {write.ticket.topic for write in writes} | _by_name(writes)
    for write in writes:
        if not write.ticket.restricted:
            moves = [item.changed["team_id"] for item in write.entries if "team_id" in item.changed]
            left = [was for was, _ in moves]
            topics |= {f"team:{team_id}" for team_id in (write.ticket.team_id, *left) if team_id}
    return topics


def _by_name(writes: Sequence[Write]) -> set[str]:
    """The topics of people and organisations whose own lists these tickets stand in."""
    people: set[int] = set()
    topics: set[str] = set()
    for write in writes:
        for entry in write.entries:
            for named in (entry.facts.get("added"), entry.facts.get("removed")):
                if isinstance(named, list):  # of a link it only says that it is gone
                    people |= {pk for pk in named if isinstance(pk, int)}
        if not write.ticket.restricted:
            people.add(write.ticket.requester_id)
            if write.ticket.organisation_id:
                topics.add(f"organisation:{write.ticket.organisation_id}")
    if cases := [write.ticket.pk for write in writes if write.ticket.restricted]:
        cleared = Clearance.objects.filter(ticket__in=cases)
        people |= set(cleared.values_list("person_id", flat=True))
    return topics | {f"person:{pk}" for pk in people}


def _append(
    ticket: Ticket, entry: Entry, at: datetime, bodies: list[tuple[TimelineEvent, str, str]]
) -> TimelineEvent:
    moment = max(filter(None, (entry.at or at, ticket.last_event_at)))
    seq = ticket.last_seq + 1
    salt = secrets.token_hex(16) if entry.body else ""
    digest = body_digest(salt, entry.body) if entry.body else None
    text = canonical_text(
        ticket_id=ticket.id,
        seq=seq,
        at=moment,
        entry=entry,
        digest=digest,
        previous=ticket.last_hash,
    )
    event = new_row(
        TimelineEvent,
        ticket_id=ticket.id,
        seq=seq,
        at=moment,
        kind=entry.kind,
        actor_id=entry.actor_id,
        is_public=entry.is_public,
        canonical=text,
        hash=hashlib.sha256(text.encode()).hexdigest(),
    )
    if entry.body:
        bodies.append((event, salt, entry.body))
    ticket.last_seq, ticket.last_hash, ticket.last_event_at = seq, event.hash, moment
    return event


def save_tickets(rows: Sequence[tuple[Ticket, Sequence[str]]]) -> None:
    """Write the named fields of each ticket: one statement for each distinct set of fields."""
    groups: dict[frozenset[str], list[Ticket]] = {}
    for ticket, fields in rows:
        groups.setdefault(frozenset(fields), []).append(ticket)
    for names, tickets in groups.items():
        update_rows(Ticket, tickets, sorted(names), stepwise="status")


def lock(ticket_id: int) -> Ticket:
    """The ticket's present row, locked until the transaction ends.

    Raises Ticket.DoesNotExist. Must run in a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("lock() must run in a transaction.")
    return Ticket.objects.select_for_update(no_key=True, of=("self",)).get(pk=ticket_id)


def lock_many(ticket_ids: Iterable[int]) -> dict[int, Ticket]:
    """The tickets' present rows by id, locked in the order of their ids: nobody can deadlock.

    Raises Ticket.DoesNotExist when one is missing. Must run in a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("lock_many() must run in a transaction.")
    wanted = sorted(set(ticket_ids))
    rows = Ticket.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=wanted)
    locked = {ticket.id: ticket for ticket in rows.order_by("pk")}
    if len(locked) < len(wanted):
        raise Ticket.DoesNotExist("A ticket to be locked does not exist.")
    return locked
