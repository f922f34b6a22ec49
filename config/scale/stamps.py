"""Turns one stored ticket with all its rows into a stamp that prints any number of copies.

A copy has ids, a key, a requester, a machine and a chain of hashes of its own, and all its moments
are shifted by one span, those within texts as well.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any, Final

import orjson

from config.scale.moving import Past
from config.scale.scripts import HOST

INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?\+00(?::00)?(?![\d:])"
    r"|(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC"
)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
OF_DAY: Final = tuple(
    f"{hour:02d}:{minute:02d}:{second:02d}"
    for hour in range(24)
    for minute in range(60)
    for second in range(60)
)
CAUSE: Final = re.compile(r"(firing|event|escalation):(\d+)")
MACHINE_WORD: Final = f"'{HOST.rpartition('-')[2]}'"
"""The number of the machine as a word of its own, among those that are searched."""
CAUSED_BY: Final = {
    "firing": "escalation_firing",
    "event": "tickets_timelineevent",
    "escalation": "escalation_escalation",
}
FACT_IDS: Final = {"firing": "escalation_firing", "escalation": "escalation_escalation"}

Row = Mapping[str, str | None]
Slot = tuple[str, Any]
"""What a gap is filled with: a kind ("id", "at", "said", …) and which one of that kind."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows belong to tickets, and which of its columns hold ids of such rows."""

    name: str
    select: str
    refers: Mapping[str, str] = field(default_factory=dict)
    people: tuple[str, ...] = ()


TABLES: Final = (
    Table("tickets_ticket", "id = ANY(%s)", people=("requester_id",)),
    Table(
        "tickets_timelineevent",
        "ticket_id = ANY(%s)",
        {"ticket_id": "tickets_ticket"},
        ("actor_id",),
    ),
    Table(
        "tickets_eventbody",
        "event_id IN (SELECT id FROM tickets_timelineevent WHERE ticket_id = ANY(%s))",
        {"event_id": "tickets_timelineevent"},
    ),
    Table(
        "tickets_ticketwords",
        "ticket_id = ANY(%s)",
        {"ticket_id": "tickets_ticket", "event_id": "tickets_timelineevent"},
    ),
    Table(
        "tickets_clearance", "ticket_id = ANY(%s)", {"ticket_id": "tickets_ticket"}, ("person_id",)
    ),
    Table("escalation_clock", "ticket_id = ANY(%s)", {"ticket_id": "tickets_ticket"}),
    Table("escalation_run", "ticket_id = ANY(%s)", {"ticket_id": "tickets_ticket"}),
    Table(
        "escalation_firing",
        "ticket_id = ANY(%s)",
        {"ticket_id": "tickets_ticket", "run_id": "escalation_run"},
    ),
    Table(
        "escalation_escalation",
        "ticket_id = ANY(%s)",
        {"ticket_id": "tickets_ticket", "firing_id": "escalation_firing"},
    ),
    Table(
        "escalation_escalation_to_people",
        "escalation_id IN (SELECT id FROM escalation_escalation WHERE ticket_id = ANY(%s))",
        {"escalation_id": "escalation_escalation"},
    ),
    Table(
        "notifications_message",
        "topic = ANY(SELECT 'ticket:' || unnest(%s))",
        people=("recipient_id",),
    ),
)
KEYLESS: Final = frozenset({"tickets_eventbody"})
"""Tables whose key is another table's; they have no sequence."""


@dataclass(frozen=True, slots=True)
class Original:
    """The stored rows of one ticket, by table, as COPY writes them; and who asked for it."""

    ticket_id: int
    key: str
    requester_id: str
    organisation: str | None
    rows: Mapping[str, Sequence[Row]]
    past: Past


class Stamp:
    """One ticket, ready to be printed."""

    def __init__(self, original: Original) -> None:
        self._slots: dict[Slot, int] = {}
        self._original = original
        self.organisation = original.organisation
        self.past = original.past
        self.series = original.key.partition("-")[0]
        self.counts = {name: len(rows) for name, rows in original.rows.items()}
        self.own_ids = [
            (name, count) for name, count in self.counts.items() if count and name not in KEYLESS
        ]
        self._numbers = {
            name: {row["id"]: number for number, row in enumerate(rows)}
            for name, rows in original.rows.items()
            if name not in KEYLESS
        }
        self._pattern = re.compile(
            f"{INSTANT.pattern}|({re.escape(original.key)})|({re.escape(HOST)})"
        )
        self._events = [self._event(row) for row in original.rows["tickets_timelineevent"]]
        self._keys = [self._message_key(row) for row in original.rows["notifications_message"]]
        self._blocks = {
            table.name: self._block(table) for table in TABLES if original.rows.get(table.name)
        }
        self._sort_slots()

    # ---- Cutting ----

    def _slot(self, kind: str, what: Any = None) -> str:
        self._slots.setdefault((kind, what), len(self._slots))
        return f"\x00{self._slots[kind, what]}\x00"

    def _id(self, table: str, value: str) -> str:
        return self._slot("id", (table, self._numbers[table][value]))

    def _text(self, text: str) -> str:
        """The text with gaps for its instants, the ticket's key and the machine."""

        def gap(found: re.Match[str]) -> str:
            day, hour, fraction, said, key, _ = found.groups()
            if key:
                return self._slot("key")
            if said:
                return self._slot("said", datetime.fromisoformat(said).replace(tzinfo=UTC)) + " UTC"
            if day:
                at = datetime.fromisoformat(f"{day}T{hour}{(fraction or '.0').ljust(7, '0')}+00:00")
                return self._slot("at", at)
            return self._slot("host")

        return self._pattern.sub(gap, text)

    def _person(self, value: str) -> str:
        return self._slot("requester") if value == self._original.requester_id else value

    def _event(self, row: Row) -> tuple[str, Callable[[Sequence[Any]], Any], int, int]:
        """The canonical text with gaps, and where the text and its hash are kept."""
        document = orjson.loads(_unescaped(row["canonical"] or ""))
        seq, requester = document["seq"], int(self._original.requester_id)
        marks: dict[str, str] = {}

        def mark(slot: str) -> str:
            token = f"§§{len(marks)}§§"
            marks[f'"{token}"'] = slot
            return token

        document["ticket"] = mark(self._id("tickets_ticket", str(self._original.ticket_id)))
        if seq > 1:
            document["previous"] = mark('"' + self._slot("hash", seq - 1) + '"')
        if document["actor"] == requester:
            document["actor"] = mark(self._slot("requester"))
        facts = document["facts"]
        if facts.get("set", {}).get("requester_id") == requester:
            facts["set"]["requester_id"] = mark(self._slot("requester"))
        for name, table in FACT_IDS.items():
            if str(facts.get(name)) in self._numbers.get(table, {}):
                facts[name] = mark(self._id(table, str(facts[name])))
        text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
        text = self._text(text)
        for token, slot in marks.items():
            text = text.replace(token, slot)
        form, getter = self._form(text)
        self._slot("text", seq)
        self._slot("hash", seq)
        return form, getter, self._slots["text", seq], self._slots["hash", seq]

    def _message_key(self, row: Row) -> tuple[Callable[[Sequence[Any]], Any], tuple[str, ...], int]:
        """How to find a message's cause and recipient, from which its key follows."""
        number = self._numbers["notifications_message"][row["id"]]
        cause = self._cause(row["cause"] or "")
        form, getter = self._form(f"{cause}\x1f{self._person(row['recipient_id'] or '')}")
        self._slot("message key", number)
        rest = (form, row["channel"] or "", row["rung"] or "")
        return getter, rest, self._slots["message key", number]

    def _cause(self, text: str) -> str:
        found = CAUSE.fullmatch(text)
        if found is None:
            return text
        return f"{found[1]}:{self._id(CAUSED_BY[found[1]], found[2])}"

    def _block(self, table: Table) -> tuple[str, Callable[[Sequence[Any]], Any]]:
        lines = [self._line(table, row) for row in self._original.rows[table.name]]
        return self._form("\n".join(lines) + "\n")

    def _line(self, table: Table, row: Row) -> str:
        return "\t".join(
            "\\N" if value is None else self._cell(table, row, name, value)
            for name, value in row.items()
        )

    def _cell(self, table: Table, row: Row, name: str, value: str) -> str:
        if name == "id":
            return self._id(table.name, value)
        if name in table.refers:
            return self._id(table.refers[name], value)
        if name in table.people:
            return self._person(value)
        if table.name == "tickets_timelineevent" and name in ("canonical", "hash"):
            return self._slot("text" if name == "canonical" else "hash", int(row["seq"] or 0))
        if table.name == "tickets_ticket" and name == "last_hash":
            return self._slot("hash", int(row["last_seq"] or 0))
        if table.name == "notifications_message":
            return self._message_cell(row, name, value)
        if table.name == "tickets_ticketwords":
            return value.replace(MACHINE_WORD, f"'{self._slot('machine')}'")
        return self._text(value)

    def _message_cell(self, row: Row, name: str, value: str) -> str:
        if name == "key":
            return self._slot("message key", self._numbers["notifications_message"][row["id"]])
        if name == "cause":
            return self._cause(value)
        topic = f"ticket:{self._original.ticket_id}"
        if name in ("topic", "clearance") and value == topic:
            return "ticket:" + self._id("tickets_ticket", str(self._original.ticket_id))
        return self._text(value)

    def _form(self, text: str) -> tuple[str, Callable[[Sequence[Any]], Any]]:
        """A %-format and what picks its values out of a copy's list."""
        parts = re.split("\x00(\\d+)\x00", text)
        indexes = [int(number) for number in parts[1::2]]
        form = "%s".join(part.replace("%", "%%") for part in parts[::2])
        if not indexes:
            return form, lambda values: ()
        pick = itemgetter(*indexes)
        return form, pick if len(indexes) > 1 else (lambda values: (pick(values),))

    def _sort_slots(self) -> None:
        """Gaps by kind, for filling them quickly."""
        self._ids: dict[str, list[tuple[int, int]]] = {}
        self._plain: list[tuple[int, str]] = []
        self._instants: list[tuple[int, int, int]] = []
        self._said: list[tuple[int, int, int]] = []
        for (kind, what), index in self._slots.items():
            if kind == "id":
                self._ids.setdefault(what[0], []).append((index, what[1]))
            elif kind in ("at", "said"):
                whole, rest = divmod((what - EPOCH) // MICROSECOND, 1_000_000)
                (self._instants if kind == "at" else self._said).append((index, whole, rest))
            elif kind in ("key", "requester", "host", "machine"):
                self._plain.append((index, kind))

    # ---- Printing ----

    def print_copy(
        self,
        *,
        first_ids: Mapping[str, int],
        key: str,
        requester: int,
        host: str,
        shift_us: int,
        key_of: Callable[..., str],
    ) -> Iterable[tuple[str, str]]:
        """The rows of one copy, by table, as COPY reads them.

        `first_ids` are free ids, used up in a row as far as the stamp's `counts` say.
        """
        values: list[Any] = [None] * len(self._slots)
        machine = host.rpartition("-")[2]
        plain = {"key": key, "requester": requester, "host": host, "machine": machine}
        for index, kind in self._plain:
            values[index] = plain[kind]
        for table, places in self._ids.items():
            first = first_ids[table]
            for index, number in places:
                values[index] = first + number
        seconds, rest_us = divmod(shift_us, 1_000_000)
        for index, whole, rest in self._instants:
            carry, micro = divmod(rest + rest_us, 1_000_000)
            values[index] = f"{clock_face(whole + seconds + carry)}.{micro:06d}+00:00"
        for index, whole, rest in self._said:
            carry = (rest + rest_us) // 1_000_000
            values[index] = clock_face(whole + seconds + carry).replace("T", " ")
        for form, pick, text_at, hash_at in self._events:
            text = form % pick(values)
            values[text_at] = text.replace("\\", "\\\\") if "\\" in text else text
            values[hash_at] = hashlib.sha256(text.encode()).hexdigest()
        for pick, (form, channel, rung), index in self._keys:
            cause, recipient = (form % pick(values)).split("\x1f")
            values[index] = key_of(cause, int(recipient), channel, int(rung))
        for name, (form, pick) in self._blocks.items():
            yield name, form % pick(values)


def clock_face(second: int) -> str:
    """A whole second of the epoch as a date and a time."""
    day, rest = divmod(second, len(OF_DAY))
    return _day(day) + OF_DAY[rest]


@cache
def _day(number: int) -> str:
    return (EPOCH + timedelta(days=number)).strftime("%Y-%m-%dT")


def _unescaped(text: str) -> str:
    """A COPY field as the text that it stands for."""
    return re.sub(
        r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r"}.get(found[1], found[1]), text
    )
