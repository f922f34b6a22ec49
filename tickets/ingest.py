"""Folds what monitors say into tickets: alerts open one, join one, or are noted as clear."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b, sha256
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from roles.instants import TimeSource, database_now, fixed
from tickets import states
from tickets.acting import begin
from tickets.lifecycle import reopen, resolve
from tickets.models import Alert, AlertSource, EventKind, Kind, Source, Ticket
from tickets.opening import open_ticket
from tickets.priority import priority_of
from tickets.timeline import update_rows
from tickets.triage import raise_priority_many

FIRING, RESOLVED = Alert.State.FIRING.value, Alert.State.RESOLVED.value
VIA: Final = "monitor"
LEVELS: Final = {"critical": 1, "error": 2, "warning": 2, "info": 3}
LEVEL_UNKNOWN: Final = 3
STRAGGLER: Final = timedelta(minutes=5)
"""How long after a resolution a word from before it may still arrive: a second instance of a
monitor, or a retry, is late by seconds; a monitor that insists for longer means it."""
TURNS: Final = 512
TOLD_MAX: Final = 20


@dataclass(frozen=True, kw_only=True)
class IncomingAlert:
    """One alert as a monitor tells it, in the words of every product."""

    dedup_key: str
    group_key: str
    state: str
    summary: str
    severity: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one alert: opened, joined, repeated, changed, reopened, cleared or ignored."""

    dedup_key: str
    result: str
    ticket_key: str = ""
    reason: str = ""


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
    wanted = [_fitted(alert) for alert in alerts]
    if not wanted:
        return []
    with transaction.atomic():
        _take_turns(source, wanted)
        batch = _read(source, wanted, clock)
        outcomes = [batch.take_in(alert) for alert in wanted]
        batch.write()
        return outcomes


def _fitted(alert: IncomingAlert) -> IncomingAlert:
    """The alert with keys and summary that fit their columns; over-long keys stay distinct."""
    key = _short(alert.dedup_key, 512)
    return IncomingAlert(
        dedup_key=key,
        group_key=_short(alert.group_key, 1000) or key,
        state=alert.state,
        summary=(" ".join(alert.summary.split()) or "Alert")[:250],
        severity=alert.severity.lower()[:50],
        starts_at=alert.starts_at,
        ends_at=alert.ends_at,
        details=alert.details,
        links=alert.links,
    )


def _short(key: str, limit: int) -> str:
    if len(key) <= limit:
        return key
    return f"{key[: limit - 65]}~{sha256(key.encode()).hexdigest()}"


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
    known = {row.dedup_key: row for row in newest.annotate(ticket_status=F("ticket__status"))}
    busy = [alert for alert in alerts if not _is_plain_repeat(known.get(alert.dedup_key), alert)]
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


def _is_plain_repeat(row: Alert | None, alert: IncomingAlert) -> bool:
    """Whether the alert says only what is known already, of a ticket that is being worked on."""
    return (
        row is not None
        and row.state == FIRING == alert.state
        and row.ticket_status in states.OPEN  # type: ignore[attr-defined]
        and (row.summary, row.details.get("severity", "")) == (alert.summary, alert.severity)
        and (alert.starts_at is None or alert.starts_at <= row.started_at)
    )


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
            return Outcome(alert.dedup_key, "ignored", reason="it had ended before it arrived")
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
            details=_details(alert),
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
            description=_description(alert, self.source),
            requester=self.source.requester,
            actor=None,
            kind=Kind.INCIDENT,
            impact=level,
            urgency=level,
            service=self.source.service,
            team=self.source.team,
            source=Source.MONITOR,
            began_at=alert.starts_at,
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
        ticket = self.tickets.get(row.ticket_id)
        if ticket is not None and not ticket.is_open:
            return self._insist(alert, row, ticket)
        if alert.starts_at is not None:
            row.started_at = max(row.started_at, alert.starts_at)
        if (row.summary, row.details.get("severity", "")) == (alert.summary, alert.severity):
            return Outcome(alert.dedup_key, "repeated", ticket.key if ticket else "")
        row.summary, row.details = alert.summary, _details(alert)
        self._news(row.ticket_id).changed.append(row)
        return Outcome(alert.dedup_key, "changed", ticket.key if ticket else "")

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
        ticket = self.tickets.get(row.ticket_id)
        key = ticket.key if ticket else ""
        if row.state == RESOLVED:
            return Outcome(alert.dedup_key, "ignored", key, "it was clear already")
        if _is_of_earlier(alert, row):
            return Outcome(alert.dedup_key, "ignored", key, "it has begun again since")
        row.state = RESOLVED
        row.ended_at = max(alert.ends_at or self.now, row.started_at)
        row.last_seen_at = self.now
        self._touch(row)
        self._news(row.ticket_id).cleared.append(row)
        return Outcome(alert.dedup_key, "cleared", key)

    # ---- what is left to write ----

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
        update_rows(Alert, plain, ("count", "last_seen_at", "started_at", "state", "ended_at"))
        moved = [row for row in self.touched.values() if row.pk in changing]
        update_rows(
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
        act.record(EventKind.ALERTED, facts=facts, body=body)

    def _raise(self, ticket: Ticket, news: News) -> None:
        """A graver alert makes the ticket as urgent as it would have been on its own."""
        rows = news.fired + news.changed
        levels = [LEVELS.get(row.details.get("severity", ""), LEVEL_UNKNOWN) for row in rows]
        if not levels:
            return
        gravest = min(levels)
        priority = priority_of(gravest, gravest, override=None, floor=None)
        if priority < ticket.priority and ticket.priority_override is None:
            reason = f"an alert is {rows[levels.index(gravest)].details['severity']}"
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


def _is_of_earlier(alert: IncomingAlert, row: Alert) -> bool:
    """Whether a resolution speaks of an occurrence that ended before the present one began."""
    return (
        alert.starts_at is not None
        and alert.starts_at < row.started_at
        and (alert.ends_at is None or alert.ends_at <= row.started_at)
    )


def _details(alert: IncomingAlert) -> dict[str, Any]:
    return {**alert.details, "severity": alert.severity, "links": list(alert.links)}


def _description(alert: IncomingAlert, source: AlertSource) -> str:
    """The alert in words that can be read without its monitor."""
    lines = [f"{source.name} reports: {alert.summary}", ""]
    for title in ("annotations", "labels"):
        pairs = alert.details.get(title)
        if isinstance(pairs, Mapping) and pairs:
            lines += [f"{title.capitalize()}:", *(f"  {k}: {v}" for k, v in pairs.items()), ""]
    return "\n".join([*lines, *alert.links]).strip()[:20_000]
