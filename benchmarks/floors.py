"""What PostgreSQL itself needs for an escalation: three rows, and all the rows that we write.

Both claim by a partial index with skip-locked, one transaction a batch, in the product's own
tables with their constraints, triggers and indexes. The second claims as the engine does, by its
index over runs, in batches of the engine's size.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction

BATCH = 100
INDEX = """
CREATE INDEX bench_due ON tickets_ticket (next_step_at) WHERE next_step_at IS NOT NULL
"""
FLOOR3 = """
WITH due AS MATERIALIZED (
    SELECT id, key, last_seq, requester_id FROM tickets_ticket
    WHERE next_step_at <= %(at)s AND id >= %(first)s
    ORDER BY next_step_at LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED
), ticket AS (
    UPDATE tickets_ticket t SET next_step_at = NULL, last_seq = due.last_seq + 1,
        last_event_at = clock_timestamp()
    FROM due WHERE t.id = due.id RETURNING t.id
), event AS (
    INSERT INTO tickets_timelineevent (ticket_id, seq, at, kind, is_public, canonical, hash)
    SELECT id, last_seq + 1, clock_timestamp(), 'fired', false, %(text)s, %(hash)s FROM due
), message AS (
    INSERT INTO notifications_message (key, topic, cause, recipient_id, channel, rung, kind,
        urgency, priority, subject, body, data, clearance, state, next_attempt_at, attempts,
        lease_epoch, created_at, finished_reason)
    SELECT gen_random_uuid()::text, 'ticket:' || id, 'floor:' || id, requester_id, 'email', 0,
        'page', 'high', 1, %(text)s, '', '{}', '', 'queued', clock_timestamp(), 0, 0,
        clock_timestamp(), ''
    FROM due
)
SELECT count(*) FROM ticket
"""
WRITTEN = {
    "tickets_ticket": "id",
    "tickets_timelineevent": "ticket_id",
    "escalation_firing": "ticket_id",
    "escalation_escalation": "ticket_id",
    "escalation_run": "ticket_id",
    "escalation_clock": "ticket_id",
}
"""The tables that a step writes, and the column that says for which ticket."""


def floor3(first_id: int, at: datetime) -> tuple[float, int]:
    """Seconds, and how many tickets, for a ticket, an event and a message each."""
    with connection.cursor() as cursor:
        cursor.execute(INDEX)
        cursor.execute("ANALYZE tickets_ticket")
        values = {"first": first_id, "at": at, "batch": BATCH, "text": "x" * 380, "hash": "0" * 64}
        begun = time.perf_counter()
        done = 0
        while True:
            cursor.execute(FLOOR3, values)
            count = cursor.fetchone()[0]
            if not count:
                return time.perf_counter() - begun, done
            done += count


# ---- The same rows -------------------------------------------------------------------------------


def last_ids() -> dict[str, int]:
    """The highest id of each table now; what is above it later is new."""
    names = [*WRITTEN, "notifications_message"]
    with connection.cursor() as cursor:
        found = {}
        for name in names:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {name}")
            found[name] = cursor.fetchone()[0]
        return found


def new_rows(before: Mapping[str, int]) -> int:
    """How many rows there are above these ids."""
    with connection.cursor() as cursor:
        total = 0
        for name, last in before.items():
            cursor.execute(f"SELECT count(*) FROM {name} WHERE id > %s", [last])
            total += cursor.fetchone()[0]
        return total


def export(ticket_ids: Sequence[int], folder: str) -> None:
    """Write the rows of these tickets, as ours has left them, to files of the server."""
    low, high = min(ticket_ids), max(ticket_ids)
    topics = f"topic = ANY(SELECT 'ticket:' || g FROM generate_series({low}, {high}) g)"
    events = f"SELECT id FROM tickets_timelineevent WHERE ticket_id BETWEEN {low} AND {high}"
    with connection.cursor() as cursor:
        for name, column in WRITTEN.items():
            where = f"{column} BETWEEN {low} AND {high}"
            cursor.execute(f"COPY (SELECT * FROM {name} WHERE {where}) TO '{folder}/{name}'")
        cursor.execute(
            f"COPY (SELECT * FROM notifications_message WHERE {topics})"
            f" TO '{folder}/notifications_message'"
        )
        cursor.execute(
            f"COPY (SELECT * FROM tickets_eventbody WHERE event_id IN ({events}))"
            f" TO '{folder}/tickets_eventbody'"
        )


def load(folder: str, before: Mapping[str, int]) -> str:
    """Load the exported rows beside the tables; the statement that writes them for a batch."""
    with connection.cursor() as cursor:
        for name in (*WRITTEN, "notifications_message", "tickets_eventbody"):
            cursor.execute(f"CREATE UNLOGGED TABLE after_{name} (LIKE {name})")
            cursor.execute(f"COPY after_{name} FROM '{folder}/{name}'")
        cursor.execute(
            "ALTER TABLE after_notifications_message ADD ticket_id bigint;"
            "UPDATE after_notifications_message SET ticket_id = split_part(topic, ':', 2)::bigint;"
            "ALTER TABLE after_tickets_eventbody ADD ticket_id bigint;"
            "UPDATE after_tickets_eventbody b SET ticket_id = e.ticket_id"
            " FROM after_tickets_timelineevent e WHERE e.id = b.event_id"
        )
        parts = []
        for name, column in WRITTEN.items():
            parts += _parts(cursor, name, column, before[name])
        parts += _parts(
            cursor, "notifications_message", "ticket_id", before["notifications_message"]
        )
        parts += _parts(
            cursor, "tickets_eventbody", "ticket_id", before["tickets_timelineevent"], "event_id"
        )
        cursor.execute("ANALYZE")
    return (
        "WITH due AS MATERIALIZED (SELECT t.id FROM escalation_run r"
        " JOIN tickets_ticket t ON t.id = r.ticket_id WHERE r.state = 'active' AND r.is_main"
        " AND r.next_at IS NOT NULL AND r.next_at <= %(at)s AND t.id >= %(first)s"
        " ORDER BY r.next_at LIMIT %(batch)s FOR NO KEY UPDATE OF t, r SKIP LOCKED), "
        + ", ".join(parts)
        + " SELECT count(*) FROM due"
    )


def _parts(cursor, name: str, column: str, above: int, key: str = "id") -> list[str]:
    """The pieces of the statement that insert the new rows and update the changed ones."""
    cursor.execute(f"CREATE INDEX ON after_{name} ({column})")
    cursor.execute(f"SELECT * FROM {name} LIMIT 0")
    columns = [item.name for item in cursor.description]
    parts = []
    cursor.execute(f"SELECT count(*) FROM after_{name} WHERE {key} > %s", [above])
    if cursor.fetchone()[0]:
        listed = ", ".join(columns)
        given = ", ".join(f"a.{item}" for item in columns)
        parts.append(
            f"new_{name} AS (INSERT INTO {name} ({listed}) SELECT {given} FROM after_{name} a"
            f" JOIN due ON a.{column} = due.id WHERE a.{key} > {above})"
        )
    differing = [item for item in columns if item != key]
    tests = ", ".join(f"bool_or(t.{item} IS DISTINCT FROM a.{item})" for item in differing)
    cursor.execute(f"SELECT {tests} FROM after_{name} a JOIN {name} t USING ({key})")
    row = cursor.fetchone()
    changed = [item for item, has in zip(differing, row, strict=True) if has]
    if changed:
        new = ", ".join(f"{item} = a.{item}" for item in changed)
        touched = " OR ".join(f"t.{item} IS DISTINCT FROM a.{item}" for item in changed)
        parts.append(
            f"old_{name} AS (UPDATE {name} t SET {new} FROM after_{name} a JOIN due"
            f" ON a.{column} = due.id WHERE t.{key} = a.{key} AND ({touched}))"
        )
    return parts


def floor_same(statement: str, first_id: int, batch: int, *, at: datetime) -> tuple[float, int]:
    """Seconds, and how many tickets, for the very rows that ours writes, hashes ready."""
    done = 0
    begun = time.perf_counter()
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, {"first": first_id, "batch": batch, "at": at})
            count = cursor.fetchone()[0]
        if not count:
            return time.perf_counter() - begun, done
        done += count
