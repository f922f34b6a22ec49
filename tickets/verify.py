"""Checks timelines against themselves: every row, its chain, its words, and the ticket's head.

A row that was changed after it was written is named by ticket and sequence number. What it cannot
see is a chain that was cut off at its end together with the ticket's head: for that a copy of the
head must be kept elsewhere.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import orjson

from tickets.acting import TOLD
from tickets.checking import Checked
from tickets.models import Ticket
from tickets.timeline import body_digest, instant_text

BATCH: Final = 500
HEAD: Final = ("id", "key", "last_seq", "last_hash", "last_event_at")
EVENT: Final = ("id", "seq", "at", "kind", "actor_id", "is_public", "canonical", "hash")
BODY: Final = ("salt", "text")
COLUMNS: Final = (
    *HEAD,
    *TOLD,
    *(f"events__{name}" for name in EVENT),
    *(f"events__body__{name}" for name in BODY),
)
"""Ticket, event and body in one row, so that one statement sees all three at one moment."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold; `seq` is None when it is the ticket's own row."""

    ticket: str
    seq: int | None
    problem: str

    def __str__(self) -> str:
        place = f"#{self.seq}" if self.seq is not None else ""
        return f"{self.ticket}{place}: {self.problem}"


def check_all(first_id: int = 0) -> Iterator[Checked]:
    """Check every ticket's timeline, 500 tickets a statement, in order of their ids."""
    after = first_id - 1
    while ids := list(
        Ticket.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        after = ids[-1]
        yield check(ids)


def check(ticket_ids: Sequence[int]) -> Checked:
    """Check the timelines of these tickets, with one statement."""
    rows = Ticket.objects.filter(pk__in=ticket_ids).order_by("pk", "events__seq", "events__pk")
    found: list[Finding] = []
    events = tickets = 0
    for _, group in groupby(rows.values(*COLUMNS).iterator(chunk_size=5000), itemgetter("id")):
        told = list(group)
        tickets += 1
        if told[0]["events__id"] is None:
            told_events: list[Values] = []
        else:
            told_events = [_event(row) for row in told]
        events += len(told_events)
        found += check_ticket(told[0], told_events)
    return Checked(tickets=tickets, rows=events, findings=found)


def _event(row: Values) -> dict[str, Any]:
    event = {name: row[f"events__{name}"] for name in EVENT}
    return event | {name: row[f"events__body__{name}"] for name in BODY}


def check_ticket(head: Values, events: Iterable[Values]) -> Iterator[Finding]:
    """What is wrong with one ticket's events, given in order, and with its head; pure."""
    key: str = head["key"]
    last: Values | None = None
    state: dict[str, Any] = {}
    is_whole = True
    for event in events:
        seq = event["seq"]
        for missing in range((last["seq"] if last else 0) + 1, seq):
            is_whole = False
            yield Finding(key, missing, "is missing")
        problems, document = _check_row(head["id"], event)
        yield from (Finding(key, seq, problem) for problem in problems)
        follows = last is None or last["seq"] + 1 == seq
        if document is not None and follows:
            remembered = document.get("previous")
            if remembered != (last["hash"] if last else ""):
                # The later row vouches for itself, so the earlier one is not what it was.
                broken = last["seq"] if last and not problems else seq
                yield Finding(key, broken, "is not what the next event was chained to")
        if document is not None:
            state |= _told(document)
        last = event
    yield from _check_head(head, last)
    if is_whole and last is not None and last["seq"] == head["last_seq"]:
        yield from _check_state(head, state)


def _check_row(ticket_id: int, event: Values) -> tuple[list[str], dict[str, Any] | None]:
    """The row's problems, and its canonical text read; None where that cannot be read."""
    text: str = event["canonical"]
    problems = []
    if hashlib.sha256(text.encode()).hexdigest() != event["hash"]:
        problems.append("the text does not have the hash that stands beside it")
    try:
        document: dict[str, Any] = orjson.loads(text)
        written = _written(document)
    except (ValueError, TypeError, KeyError):
        return [*problems, "the text cannot be read"], None
    columns = {
        "ticket": ticket_id,
        "seq": event["seq"],
        "at": instant_text(event["at"]),
        "kind": event["kind"],
        "actor": event["actor_id"],
        "public": event["is_public"],
    }
    problems += [
        f"column {name} says {value!r}, the text {written[name]!r}"
        for name, value in columns.items()
        if written[name] != value
    ]
    return problems + _check_body(document.get("body"), event), document


def _written(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in ("ticket", "seq", "at", "kind", "actor", "public")}


def _check_body(digest: str | None, event: Values) -> list[str]:
    """Whether the words are those that were written; erased ones are no fault."""
    if event["text"] is None:
        return []
    if digest is None:
        return ["has words, though it was written without"]
    if body_digest(event["salt"], event["text"]) != digest:
        return ["the words are not those that were written"]
    return []


def _told(document: Mapping[str, Any]) -> dict[str, Any]:
    facts = document.get("facts")
    told = facts.get("set") if isinstance(facts, dict) else None
    return told if isinstance(told, dict) else {}


def _check_head(head: Values, last: Values | None) -> Iterator[Finding]:
    key: str = head["key"]
    seq, digest, at = (last["seq"], last["hash"], last["at"]) if last else (0, "", None)
    for missing in range(seq + 1, head["last_seq"] + 1):
        yield Finding(key, missing, "is missing")
    if seq > head["last_seq"]:
        yield Finding(key, seq, f"stands behind the ticket's last event, {head['last_seq']}")
    elif seq == head["last_seq"] and digest != head["last_hash"]:
        yield Finding(key, seq, "is not the event that the ticket remembers as its last")
    elif seq == head["last_seq"] and at != head["last_event_at"]:
        yield Finding(key, None, "remembers another time for its last event")


def _check_state(head: Values, state: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the ticket's columns are what its events have last set them to."""
    for name in TOLD:
        present = _plain(head[name])
        if name in state and state[name] != present:
            said = f"column {name} is {present!r}, the timeline says {state[name]!r}"
            yield Finding(head["key"], None, said)


def _plain(value: Any) -> Any:
    return instant_text(value) if hasattr(value, "astimezone") else value
