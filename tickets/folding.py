"""Counts what monitors merely repeat, in one statement; and lets nobody else decide meanwhile."""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final

from django.db import connection

from roles.plans import Hole, Plan
from tickets import states
from tickets.incoming import FIRING, IncomingAlert, Outcome
from tickets.models import AlertSource

TURNS: Final = 512
FOLD: Final = Plan(
    """
WITH said AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]::timestamptz[],
        %s::text[]::boolean[]) AS new(dedup_key, summary, severity, starts_at, is_loose)
), hit AS (
    SELECT old.id, ticket.key, ticket.restricted
    FROM said
    JOIN tickets_alert AS old ON old.source_id = %s AND old.dedup_key = said.dedup_key
    JOIN tickets_ticket AS ticket ON ticket.id = old.ticket_id
    WHERE old.state = 'firing'
        AND (said.is_loose OR old.summary = said.summary AND old.severity = said.severity)
        AND said.starts_at <= old.started_at
        AND ticket.status = ANY(%s)
    ORDER BY old.id
    FOR NO KEY UPDATE OF old
)
UPDATE tickets_alert AS old SET count = old.count + 1,
    last_seen_at = greatest(old.last_seen_at,
        coalesce(nullif(%s, '')::timestamptz, clock_timestamp()))
FROM hit WHERE old.id = hit.id
RETURNING old.dedup_key, old.id, hit.key, hit.restricted
""",
    [
        *map(Hole, ("keys", "summaries", "severities", "starts", "loose", "source")),
        sorted(states.OPEN),
        Hole("now"),
    ],
)


def fold(
    source: AlertSource, alerts: Sequence[IncomingAlert], now: datetime | None
) -> dict[str, Outcome]:
    """Count the alerts that say only what is known of a firing one whose ticket is open.

    By key, what became of them; the others are not among them. One statement, which locks alerts
    in one order. Without `now` the database's own time is taken.
    """
    often = Counter(alert.dedup_key for alert in alerts)
    plain = [one for one in alerts if one.state == FIRING and often[one.dedup_key] == 1]
    if not plain:
        return {}
    with connection.cursor() as cursor:
        FOLD.execute(
            cursor,
            {
                "keys": [alert.dedup_key for alert in plain],
                "summaries": [alert.summary for alert in plain],
                "severities": [alert.severity for alert in plain],
                # Of what says nothing of its beginning, none is later.
                "starts": [str(one.starts_at or "-infinity") for one in plain],
                "loose": [str(alert.is_loose) for alert in plain],
                "source": source.pk,
                "now": now.isoformat() if now else "",
            },
        )
        rows = cursor.fetchall()
    return {
        key: Outcome(key, "repeated", "" if restricted else ticket, folded_id=pk)
        for key, pk, ticket, restricted in rows
    }


def take_turns(source: AlertSource, names: Iterable[str]) -> None:
    """Let no other request work on the same alerts or groups until this transaction ends.

    There is no row to lock before the first alert of a key. Every request asks for its turns in
    one ascending order, so two can wait for each other only one way round.
    """
    buckets = {zlib.crc32(name.encode(errors="replace")) % TURNS for name in names}
    turns = sorted(_turn(f"alerts {source.pk} {bucket}") for bucket in buckets)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(turn) FROM unnest(%s::bigint[]) turn", [turns])


def _turn(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
