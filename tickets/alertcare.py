"""What happens to alerts by the calendar: those that rest wake, the calm settle, the silent end."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from roles.instants import TimeSource, database_now
from tickets import receipts
from tickets.acting import acting
from tickets.incoming import FIRING, RESOLVED, echo_of
from tickets.ingest import accept
from tickets.judging import with_policy
from tickets.lifecycle import solve
from tickets.models import Alert, AlertSource, Ticket
from tickets.pulses import miss

log = logging.getLogger(__name__)
BATCH: Final = 500
CALM: Final = "All alerts have been clear for a while, and nobody had taken the ticket."
"""Why a ticket is resolved whose alert flapped."""


def look_after(*, clock: TimeSource = database_now) -> int:
    """Do all that the calendar says of alerts and heartbeats; returns how much there was to do.

    Trouble with one of them stops no other.
    """
    done = 0
    chores: tuple[Callable[..., int], ...] = (wake, settle, end_silent, miss, receipts.prune)
    for chore in chores:
        try:
            done += chore(clock=clock)
        except Exception:
            log.exception("%s failed", chore.__name__)
    return done


def wake(*, clock: TimeSource = database_now) -> int:
    """Decide anew on alerts whose maintenance is over and that fire still; returns how many."""
    rows = Alert.objects.filter(held_until__lte=clock(), state=FIRING, ticket=None)
    return _again(rows.order_by("held_until")[:BATCH], FIRING, clock)


def end_silent(*, clock: TimeSource = database_now) -> int:
    """End the alerts that their source's setting takes for clear after so long; how many."""
    now = clock()
    found = 0
    talking = AlertSource.objects.filter(auto_resolve_s__isnull=False)
    for source in with_policy(talking.select_related("requester__organisation", "service", "team")):
        silent_since = now - timedelta(seconds=source.auto_resolve_s or 0)
        rows = Alert.objects.filter(source=source, state=FIRING, last_seen_at__lte=silent_since)
        found += _again(rows.order_by("last_seen_at")[:BATCH], RESOLVED, clock)
    return found


def settle(*, clock: TimeSource = database_now) -> int:
    """Resolve tickets that were kept open for an alert that flapped and is calm now; how many."""
    now = clock()
    rows = Alert.objects.filter(held_until__lte=now, state=RESOLVED)
    ids = list(rows.order_by("held_until").values_list("pk", flat=True)[:BATCH])
    if not ids:
        return 0
    tickets = set(Alert.objects.filter(pk__in=ids).values_list("ticket_id", flat=True))
    count = sum(_resolve_calm(ticket_id, clock) for ticket_id in sorted(tickets - {None}))
    Alert.objects.filter(pk__in=ids, state=RESOLVED, held_until__lte=now).update(held_until=None)
    return count


def _resolve_calm(ticket_id: int, clock: TimeSource) -> bool:
    ticket = Ticket.objects.get(pk=ticket_id)
    with acting(ticket, actor=None, action="resolve", clock=clock, via="monitor") as act:
        firing = Alert.objects.filter(ticket=ticket_id, state=FIRING).exists()
        taken = act.ticket.assignee_id is not None or act.ticket.is_acknowledged
        if firing or taken or not act.ticket.is_open:
            return False
        solve(act, code="monitor", text=CALM)
        return True


def _again(rows: Iterable[Alert], state: str, clock: TimeSource) -> int:
    by_source: dict[int, list[Alert]] = defaultdict(list)
    for row in rows:
        by_source[row.source_id].append(row)
    places = AlertSource.objects.select_related("requester__organisation", "service", "team")
    for source in places.filter(pk__in=by_source):
        alerts = [echo_of(row, state) for row in by_source[source.pk]]
        accept(source=source, alerts=alerts, clock=clock)
    return sum(map(len, by_source.values()))
