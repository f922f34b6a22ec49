"""Folds what monitors say into tickets: alerts open one, join one, or are noted as clear."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final

from django.db import connection, transaction
from django.db.models import F

from roles.instants import TimeSource, database_now, fixed
from tickets import states, timeline
from tickets.acting import begin
from tickets.incoming import (
    FIRING,
    LEVEL_UNKNOWN,
    LEVELS,
    RESOLVED,
    STRAGGLER,
    IncomingAlert,
    Outcome,
    describe,
    details_of,
    fitted,
    is_of_earlier,
    is_plain_repeat,
    says_the_same,
    severity_of,
)
from tickets.lifecycle import reopen, resolve
from tickets.models import Alert, AlertSource, EventKind, Kind, Source, Ticket
from tickets.opening import believable, open_ticket
from tickets.priority import priority_of
from tickets.triage import raise_priority_many

__all__ = ["IncomingAlert", "Outcome", "ingest"]

VIA: Final = "monitor"
TURNS: Final = 512
TOLD_MAX: Final = 20


@dataclass
class News:
    """What one ticket has to be told after a batch."""

    fired: list[Alert] = field(default_factory=list)
    changed: list[Alert] = field(default_factory=list)
    cleared: list[Alert] = field(default_factory=list)
    is_new: bool = False


def ingest(
    *, source: AlertSource, alerts: Sequence[IncomingAlert], clock: TimeSource = database_now
) -> list[Outcome]:
    """Take in alerts of one source, in order and in one transaction; one outcome for each.

    A repeat raises a count; a new alert joins the open ticket of its group or opens one; the last
    clear alert resolves a ticket that nobody has taken. Raises Refused when the site can open no
    ticket, and then keeps nothing, so that the monitor sends it again.
    """
    wanted = [fitted(alert) for alert in alerts]
    if not wanted:
        return []
    with transaction.atomic():
        _take_turns(source, wanted)
        batch = _read(source, wanted, clock)
        outcomes = [batch.take_in(alert) for alert in wanted]
        batch.write()
        return outcomes


def _take_turns(source: AlertSource, alerts: Sequence[IncomingAlert]) -> None:
    """Let no other request work on the same alerts or groups until this transaction ends.

    There is no row to lock before the first alert of a key. Every request asks for its turns in
    one ascending order, so two can wait for each other only one way round.
    """
    names = {f"d{alert.dedup_key}" for alert in alerts} | {
        f"g{alert.group_key}" for alert in alerts
    }
    buckets = {zlib.crc32(name.encode()) % TURNS for name in names}
    turns = sorted(_turn(f"alerts {source.pk} {bucket}") for bucket in buckets)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(turn) FROM unnest(%s::bigint[]) turn", [turns])


def _turn(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def _read(source: AlertSource, alerts: Sequence[IncomingAlert], clock: TimeSource) -> "Batch":
    """What is known of these alerts and their groups, with every ticket concerned locked."""
    keys = {alert.dedup_key for alert in alerts}
    rows = Alert.objects.filter(source=source, dedup_key__in=keys)
    newest = rows.order_by("dedup_key", "-id").distinct("dedup_key")
    known: dict[str, Alert] = {
        row.dedup_key: row
        for row in newest.annotate(ticket_status=F("ticket__status"), ticket_key=F("ticket__key"))
    }
    busy = [alert for alert in alerts if not is_plain_repeat(known.get(alert.dedup_key), alert)]
    groups = Alert.objects.filter(
        source=source,
        group_key__in={alert.group_key for alert in busy if alert.state == FIRING},
        ticket__status__in=states.OPEN,
    )
    newest_of_group = groups.order_by("group_key", "-id").distinct("group_key")
    by_group = dict(newest_of_group.values_list("group_key", "ticket_id"))
    ids = {known[alert.dedup_key].ticket_id for alert in busy if alert.dedup_key in known}
    tickets = Ticket.objects.filter(pk__in=ids | set(by_group.values())).order_by("pk")
    locked = {ticket.pk: ticket for ticket in tickets.select_for_update(no_key=True, of=("self",))}
    return Batch(source=source, now=clock(), known=known, by_group=by_group, tickets=locked)


@dataclass(kw_only=True)
class Batch:
    """One request's alerts on their way into locked tickets; rows are written at its end."""

    source: AlertSource
    now: datetime
    known: dict[str, Alert]
    by_group: dict[str, int]
    tickets: dict[int, Ticket]
    fresh: list[Alert] = field(default_factory=list)
    touched: dict[int, Alert] = field(default_factory=dict)
    news: dict[int, News] = field(default_factory=dict)

    @property
    def clock(self) -> TimeSource:
        return fixed(self.now)

    def take_in(self, alert: IncomingAlert) -> Outcome:
        """Decide on one alert, in the light of all before it."""
        row = self.known.get(alert.dedup_key)
        if alert.state != FIRING:
            return self._clear(alert, row)
        if row is None:
            return self._begin(alert)
        if row.state == FIRING:
            return self._repeat(alert, row)
        late = row.last_seen_at > self.now - STRAGGLER
        if late and alert.starts_at is not None and alert.starts_at <= row.started_at:
            reason = "it had ended before it arrived"
            return Outcome(alert.dedup_key, "ignored", self._key_of(row), reason)
        return self._begin(alert)

    # ---- firing ----

    def _begin(self, alert: IncomingAlert) -> Outcome:
        ticket = self.tickets.get(self.by_group.get(alert.group_key, 0))
        result = "joined"
        if ticket is None or not ticket.is_open:
            ticket, result = self._open(alert), "opened"
        row = Alert(
            source=self.source,
            dedup_key=alert.dedup_key,
            group_key=alert.group_key,
            ticket=ticket,
            summary=alert.summary,
            details=details_of(alert),
            started_at=alert.starts_at or self.now,
            first_seen_at=self.now,
            last_seen_at=self.now,
        )
        self.known[alert.dedup_key] = row
        self.fresh.append(row)
        self._news(ticket.pk).fired.append(row)
        return Outcome(alert.dedup_key, result, ticket.key)

    def _open(self, alert: IncomingAlert) -> Ticket:
        level = LEVELS.get(alert.severity, LEVEL_UNKNOWN)
        ticket = open_ticket(
            subject=alert.summary,
            description=describe(alert, self.source),
            requester=self.source.requester,
            actor=None,
            kind=Kind.INCIDENT,
            impact=level,
            urgency=level,
            service=self.source.service,
            team=self.source.team,
            source=Source.MONITOR,
            began_at=believable(alert.starts_at, self.now),
            detected_at=self.now,
            clock=self.clock,
            via=VIA,
        )
        self.tickets[ticket.pk] = ticket
        self.by_group[alert.group_key] = ticket.pk
        self._news(ticket.pk).is_new = True
        return ticket

    def _repeat(self, alert: IncomingAlert, row: Alert) -> Outcome:
        row.count += 1
        row.last_seen_at = self.now
        self._touch(row)
        ticket, key = self.tickets.get(row.ticket_id), self._key_of(row)
        if ticket is not None and not ticket.is_open:
            return self._insist(alert, row, ticket)
        if alert.starts_at is not None:
            row.started_at = max(row.started_at, alert.starts_at)
        if says_the_same(row, alert):
            return Outcome(alert.dedup_key, "repeated", key)
        row.summary, row.details = alert.summary, details_of(alert)
        self._news(row.ticket_id).changed.append(row)
        return Outcome(alert.dedup_key, "changed", key)

    def _insist(self, alert: IncomingAlert, row: Alert, ticket: Ticket) -> Outcome:
        """A ticket was ended while its alert goes on: that is not solved."""
        if ticket.status_since > self.now - STRAGGLER:
            return Outcome(alert.dedup_key, "repeated", ticket.key, "its ticket has just ended")
        if ticket.status == states.RESOLVED:
            reason = f"The alert still fires: {alert.summary}"
            self.tickets[ticket.pk] = reopen(
                ticket=ticket, actor=None, reason=reason, clock=self.clock, via=VIA
            )
            return Outcome(alert.dedup_key, "reopened", ticket.key)
        row.state, row.ended_at = RESOLVED, max(self.now, row.started_at)
        return self._begin(alert)

    # ---- resolved ----

    def _clear(self, alert: IncomingAlert, row: Alert | None) -> Outcome:
        if row is None:
            return Outcome(alert.dedup_key, "ignored", reason="nobody has heard of it firing")
        key = self._key_of(row)
        if row.state == RESOLVED:
            return Outcome(alert.dedup_key, "ignored", key, "it was clear already")
        if is_of_earlier(alert, row):
            return Outcome(alert.dedup_key, "ignored", key, "it has begun again since")
        row.state = RESOLVED
        row.ended_at = max(alert.ends_at or self.now, row.started_at)
        row.last_seen_at = self.now
        self._touch(row)
        self._news(row.ticket_id).cleared.append(row)
        return Outcome(alert.dedup_key, "cleared", key)

    # ---- what is left to write ----

    def _key_of(self, row: Alert) -> str:
        ticket = self.tickets.get(row.ticket_id)
        return ticket.key if ticket is not None else row.ticket_key  # type: ignore[attr-defined]

    def _touch(self, row: Alert) -> None:
        if row.pk is not None:
            self.touched[row.pk] = row

    def _news(self, ticket_id: int) -> News:
        return self.news.setdefault(ticket_id, News())

    def write(self) -> None:
        """Store the alerts, and tell the tickets what has changed."""
        changing = {row.pk for news in self.news.values() for row in news.changed + news.cleared}
        plain = [row for row in self.touched.values() if row.pk not in changing]
        # An ended row must be written before a fresh one of its key is, by the unique constraint.
        timeline.update_rows(
            Alert, plain, ("count", "last_seen_at", "started_at", "state", "ended_at")
        )
        moved = [row for row in self.touched.values() if row.pk in changing]
        timeline.update_rows(
            Alert,
            moved,
            ("count", "last_seen_at", "started_at", "state", "ended_at", "summary", "details"),
        )
        Alert.objects.bulk_create(self.fresh)
        for ticket_id in sorted(self.news):
            self._tell(self.tickets[ticket_id], self.news[ticket_id])

    def _tell(self, ticket: Ticket, news: News) -> None:
        if news.fired:
            self._note(ticket, FIRING, news.fired, is_first=news.is_new)
        if news.changed:
            self._note(ticket, "changed", news.changed)
        if ticket.is_open:
            self._raise(ticket, news)
        if news.cleared:
            self._all_clear(ticket, news)

    def _note(
        self,
        ticket: Ticket,
        state: str,
        rows: Sequence[Alert],
        *,
        is_first: bool = False,
        more: str = "",
    ) -> None:
        """One internal event for however many alerts; opening has synchronised a new ticket."""
        summary = rows[0].summary
        if len(rows) > 1:
            summary += f" and {len(rows) - 1} more"
        facts = {
            "state": state,
            "summary": summary,
            "source": self.source.slug,
            "count": len(rows),
            "alerts": [row.pk for row in rows[:TOLD_MAX]],
        }
        lines = [row.summary for row in rows[:TOLD_MAX]] if len(rows) > 1 else []
        act = begin(ticket, actor=None, clock=self.clock, via=VIA)
        body = "\n".join([*lines, *([more] if more else [])])
        write = act.write(EventKind.ALERTED, facts=facts, body=body)
        timeline.record_many([write], at=act.now, announce=not is_first)

    def _raise(self, ticket: Ticket, news: News) -> None:
        """A graver alert makes the ticket as urgent as it would have been on its own."""
        rows = news.fired + news.changed
        levels = [LEVELS.get(severity_of(row), LEVEL_UNKNOWN) for row in rows]
        if not levels:
            return
        gravest = min(levels)
        priority = priority_of(gravest, gravest, override=None, floor=None)
        if priority < ticket.priority and ticket.priority_override is None:
            reason = f"an alert is {severity_of(rows[levels.index(gravest)])}"
            raise_priority_many([(ticket, priority, reason)], clock=self.clock)

    def _all_clear(self, ticket: Ticket, news: News) -> None:
        """Resolve a ticket that nobody has taken; whoever has it decides otherwise."""
        firing = Alert.objects.filter(ticket=ticket.pk, state=FIRING).count()
        if firing or not ticket.is_open:
            more = f"{firing} of its alerts still firing." if firing else ""
            self._note(ticket, RESOLVED, news.cleared, more=more)
        elif ticket.assignee_id is not None or ticket.is_acknowledged:
            more = "All of its alerts are clear. Whoever has the ticket resolves it."
            self._note(ticket, RESOLVED, news.cleared, more=more)
        else:
            self._note(ticket, RESOLVED, news.cleared)
            text = "All alerts are clear, and nobody had taken the ticket."
            resolve(ticket=ticket, actor=None, code="monitor", text=text, clock=self.clock, via=VIA)
