"""Prints copies of lived tickets, on several cores at once, and hands them in."""

import gc
import io
import multiprocessing
import queue
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.process import BaseProcess
from random import Random
from typing import Any, Final

from django.db import connection, connections

from config.scale import handing_in
from config.scale.life import CROWD
from config.scale.moving import URGENT, Past
from config.scale.stamps import INSTANT, KEYLESS, TABLES, Original, Stamp
from notifications.outbox import key_of
from roles.calendars import work_calendar
from roles.models import Person
from tickets import states
from tickets.models import Ticket

CHUNK: Final = 2000
AHEAD: Final = 4
"""So many chunks may wait to be handed in: what keeps memory bounded."""
HOSTS: Final = 100_000

Copy = tuple[int, int]
"""Which stamp is printed, and by how many microseconds all its moments are shifted."""


@dataclass(frozen=True, slots=True)
class Order:
    """Copies to print, and the ids and numbers that are free for them."""

    stamps: Sequence[Stamp]
    copies: Sequence[Copy]
    first_ids: Mapping[str, int]
    first_numbers: Mapping[str, int]
    crowd: Mapping[str | None, Sequence[int]]
    seed: str


@dataclass(frozen=True, slots=True)
class Pages:
    """What COPY reads for some copies, by table."""

    count: int
    texts: Mapping[str, bytes]


# ---- Reading the originals -----------------------------------------------------------------------


def cut_stamps(ticket_ids: Sequence[int]) -> list[Stamp]:
    """A stamp of each of these tickets, in order."""
    rows = {table.name: _rows_of(table.name, table.select, ticket_ids) for table in TABLES}
    event_owner = {row["id"]: row["ticket_id"] for row in rows["tickets_timelineevent"]}
    escalation_owner = {row["id"]: row["ticket_id"] for row in rows["escalation_escalation"]}
    owners: dict[str, Callable[[Any], str | None]] = {
        "tickets_ticket": lambda row: row["id"],
        "tickets_eventbody": lambda row: event_owner[row["event_id"]],
        "escalation_escalation_to_people": lambda row: escalation_owner[row["escalation_id"]],
        "notifications_message": lambda row: row["topic"].removeprefix("ticket:"),
    }
    split: dict[int, dict[str, list[Any]]] = {pk: {} for pk in ticket_ids}
    for name, found in rows.items():
        owner = owners.get(name, lambda row: row["ticket_id"])
        for row in found:
            split[int(owner(row) or 0)].setdefault(name, []).append(row)
    about = {
        row.pk: row
        for row in Ticket.objects.filter(pk__in=ticket_ids).select_related(
            "requester__organisation", "team__calendar"
        )
    }
    return [Stamp(_original(about[pk], split[pk])) for pk in ticket_ids]


def _original(ticket: Ticket, rows: dict[str, list[Any]]) -> Original:
    group = ticket.requester.organisation
    return Original(
        ticket_id=ticket.pk,
        key=ticket.key,
        requester_id=str(ticket.requester_id),
        organisation=group.slug if group else None,
        rows={table.name: rows.get(table.name, []) for table in TABLES},
        past=_past(ticket, rows),
    )


def _past(ticket: Ticket, rows: Mapping[str, Sequence[Any]]) -> Past:
    """What keeps a ticket from being shifted at will: the moments of its clocks and steps.

    A step may wait by any of its calendars; once a ticket is over, nobody asks when they were due.
    """
    clocks = rows.get("escalation_clock", [])
    calendars = {int(row["calendar_id"]) for row in clocks}
    if ticket.priority > URGENT and ticket.team and ticket.team.calendar.current_id:
        calendars.add(ticket.team.calendar.current_id)
    is_over = ticket.status in states.FINAL
    shared = [] if is_over else [*_moments(clocks), *_moments(rows.get("escalation_run", []))]
    moments = []
    for pk in sorted(calendars):
        own = _moments(row for row in clocks if row["calendar_id"] == str(pk))
        moments.append((work_calendar(pk), [*own, *shared]))
    return Past(
        priority=ticket.priority,
        opened_at=ticket.opened_at,
        last_at=ticket.last_event_at or ticket.opened_at,
        is_over=is_over,
        moments=moments,
    )


def _moments(rows: Iterable[Mapping[str, str | None]]) -> list[datetime]:
    """Every instant that stands in these rows."""
    found = set()
    for row in rows:
        for value in filter(None, row.values()):
            for day, hour, fraction, _ in INSTANT.findall(value):
                if day:
                    text = f"{day}T{hour}{(fraction or '.0').ljust(7, '0')}+00:00"
                    found.add(datetime.fromisoformat(text))
    return sorted(found)


def _rows_of(table: str, select: str, ticket_ids: Sequence[int]) -> list[Any]:
    """All rows of a table that belong to these tickets, each column as COPY writes it."""
    with connection.cursor() as cursor:
        columns = handing_in.column_names(table)
        ids = f"ARRAY[{','.join(map(str, map(int, ticket_ids)))}]::bigint[]"
        listed = ", ".join(f'"{name}"' for name in columns)
        order = "event_id" if table in KEYLESS else "id"
        target = io.StringIO()
        cursor.copy_expert(
            f"COPY (SELECT {listed} FROM {table} WHERE {select.replace('%s', ids)}"
            f" ORDER BY {order}) TO STDOUT",
            target,
        )
    lines = target.getvalue().split("\n")[:-1]
    return [
        {
            name: None if cell == "\\N" else cell
            for name, cell in zip(columns, line.split("\t"), strict=True)
        }
        for line in lines
    ]


# ---- Dealing out ---------------------------------------------------------------------------------


def crowd_by_group() -> dict[str | None, list[int]]:
    """Those who only ask, by their customer group."""
    found: dict[str | None, list[int]] = {}
    rows = Person.objects.filter(username__startswith=CROWD).order_by("pk")
    for pk, group in rows.values_list("pk", "organisation__slug"):
        found.setdefault(group, []).append(pk)
    return found


def deal(stamps: Sequence[Stamp], copies: Sequence[Copy], hands: int, seed: str) -> list[Order]:
    """The copies in so many orders of equal length, each with ids of its own."""
    crowd = crowd_by_group()
    size = -(-len(copies) // hands)
    parts = [copies[at : at + size] for at in range(0, len(copies), size)]
    orders = []
    for number, part in enumerate(parts):
        rows: Counter[str] = Counter()
        series: Counter[str] = Counter()
        for pick, times in Counter(pick for pick, _ in part).items():
            series[stamps[pick].series] += times
            for table, count in stamps[pick].counts.items():
                rows[table] += times * count
        orders.append(
            Order(
                stamps=stamps,
                copies=part,
                first_ids={
                    name: _reserve(f"pg_get_serial_sequence('{name}', 'id')", count)
                    for name, count in rows.items()
                    if name not in KEYLESS
                },
                first_numbers={
                    name: _reserve(f"'tickets_number_{name.lower()}'", count)
                    for name, count in series.items()
                },
                crowd=crowd,
                seed=f"{seed}:{number}",
            )
        )
    return orders


def _reserve(sequence: str, count: int) -> int:
    """The first of `count` numbers that the sequence will not give to anybody else."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT nextval({sequence}::regclass)")
        first: int = cursor.fetchone()[0]
        if count > 1:
            cursor.execute(f"SELECT setval({sequence}::regclass, %s)", [first + count - 1])
    return first


# ---- Printing ------------------------------------------------------------------------------------


def print_all(orders: Sequence[Order], told: Callable[[int], None], *, is_fresh: bool) -> None:
    """Carry out all orders, each in a process of its own; `told` hears of progress.

    This process hands in what they print. In a fresh database that is one transaction, into tables
    begun anew; see `handing_in.begin_anew`. Raises RuntimeError when a printer fails.
    """
    context = multiprocessing.get_context("fork")
    pages: multiprocessing.Queue[Pages] = context.Queue(AHEAD)
    connections.close_all()
    hands = [context.Process(target=_print, args=(order, pages), daemon=True) for order in orders]
    for hand in hands:
        hand.start()
    missing = sum(len(order.copies) for order in orders)
    try:
        with handing_in.desk(is_fresh=is_fresh) as hand_in:
            while missing:
                printed = _next(pages, hands)
                hand_in(printed.texts)
                missing -= printed.count
                told(printed.count)
    finally:
        for hand in hands:
            hand.terminate()
            hand.join()


def _next(pages: "multiprocessing.Queue[Pages]", hands: Sequence[BaseProcess]) -> Pages:
    while True:
        try:
            return pages.get(timeout=1)
        except queue.Empty:
            if any(hand.exitcode for hand in hands):
                raise RuntimeError("A printer failed; see above.") from None


def _print(order: Order, pages: "multiprocessing.Queue[Pages]") -> None:
    gc.freeze()
    gc.disable()  # what is printed refers to nothing
    for printed in printing(order):
        pages.put(printed)


def print_order(order: Order) -> None:
    """Carry out one order in this process, in a database in use."""
    with handing_in.desk(is_fresh=False) as hand_in:
        for printed in printing(order):
            hand_in(printed.texts)


def printing(order: Order) -> Iterator[Pages]:
    """The pages of one order, so many copies at a time."""
    texts: dict[str, list[str]] = {table.name: [] for table in TABLES}
    waiting = 0
    for copy in _copies(order, Random(order.seed)):
        for table, text in copy:
            texts[table].append(text)
        waiting += 1
        if waiting == CHUNK:
            yield _bound(waiting, texts)
            waiting = 0
    if waiting:
        yield _bound(waiting, texts)


def _bound(count: int, texts: dict[str, list[str]]) -> Pages:
    """The texts as they are sent; their lists are emptied."""
    pages = Pages(count, {name: "".join(parts).encode() for name, parts in texts.items() if parts})
    for parts in texts.values():
        parts.clear()
    return pages


def _copies(order: Order, rng: Random) -> Iterator[Any]:
    free = dict(order.first_ids)
    numbers = dict(order.first_numbers)
    for pick, shift_us in order.copies:
        stamp = order.stamps[pick]
        yield stamp.print_copy(
            first_ids=free,
            key=f"{stamp.series}-{numbers[stamp.series]:06d}",
            requester=rng.choice(order.crowd[stamp.organisation]),
            host=f"pc-{rng.randrange(HOSTS):05d}",
            shift_us=shift_us,
            key_of=key_of,
        )
        numbers[stamp.series] += 1
        for table, count in stamp.own_ids:
            free[table] += count
