"""Folds what monitors say into tickets: alerts open one, join one, or are noted as clear."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import OperationalError, connection, transaction

from roles.instants import TimeSource, database_now, fixed
from roles.ledger import Ledger, insert_rows, keeping, update_rows
from roles.models import Team
from roles.refusals import Conflict
from tickets import states
from tickets.alertnews import VIA, News, tell
from tickets.folding import fold, take_turns
from tickets.incoming import (
    FIRING,
    RESOLVED,
    STRAGGLER,
    IncomingAlert,
    Outcome,
    describe,
    details_of,
    fitted,
    is_of_earlier,
    is_plain_repeat,
    level_of,
    says_the_same,
)
from tickets.judging import Policy, Verdict, policy_of
from tickets.knownalerts import NEWEST, OF_GROUPS
from tickets.lifecycle import reopen
from tickets.links import survivor_of
from tickets.models import Alert, AlertSource, Service, Source, Ticket, TimelineEvent
from tickets.opening import believable, open_ticket
from tickets.sources import read_at
from tickets.storms import STORM_KEY, count_opened, lock_known, lock_storm

__all__ = ["IncomingAlert", "Outcome", "accept"]

FLAP_WINDOW: Final = timedelta(hours=1)
TRIES: Final = 3
COLLISIONS: Final = ("40P01", "40001")
"""PostgreSQL's words for a deadlock and for a serialization failure."""
STATE: Final = ("count", "last_seen_at", "started_at", "state", "ended_at", "held_until")
WORDS: Final = ("summary", "severity", "details", "ticket", "opened", "suppressed", "group_key")


def accept(
    *, source: AlertSource, alerts: Sequence[IncomingAlert], clock: TimeSource = database_now
) -> list[Outcome]:
    """Take in alerts of one source, in order; one outcome for each, which is stored.

    A plain repeat raises a count, in one statement for all of them. The others go in one
    transaction: a new alert joins the open ticket of its group or opens one, unless a rule or a
    maintenance window has it kept without; the last clear alert resolves a ticket that nobody has
    taken. Raises Refused when the site can open no ticket, and then keeps nothing of these, so
    that the monitor sends all of it again.
    """
    wanted = [fitted(alert) for alert in alerts]
    if not wanted:
        return []
    folded = fold(source, wanted, None if clock is database_now else clock())
    rest = [alert for alert in wanted if alert.dedup_key not in folded]
    decided = iter(_decide_surely(source, rest, clock) if rest else ())
    return [folded.get(alert.dedup_key) or next(decided) for alert in wanted]


def _decide_surely(
    source: AlertSource, alerts: Sequence[IncomingAlert], clock: TimeSource
) -> list[Outcome]:
    """Decide, again when another transaction was in the way and the database ended this one."""
    left = 1 if connection.in_atomic_block else TRIES
    while True:
        left -= 1
        try:
            return _decide(source, alerts, clock)
        except OperationalError as trouble:
            if not left or getattr(trouble.__cause__, "pgcode", None) not in COLLISIONS:
                raise


@transaction.atomic
def _decide(
    source: AlertSource, alerts: Sequence[IncomingAlert], clock: TimeSource
) -> list[Outcome]:
    asked_at = read_at(source, clock)
    policy = policy_of(source, asked_at)
    verdicts = [policy.judge(alert, asked_at) for alert in alerts]
    pairs = [
        (replace(alert, group_key=verdict.group_key), verdict)
        for alert, verdict in zip(alerts, verdicts, strict=True)
    ]
    names = {f"d{alert.dedup_key}" for alert, _ in pairs}
    take_turns(source, names | {f"g{alert.group_key}" for alert, _ in pairs})
    batch = _read(policy, [alert for alert, _ in pairs], clock)
    with keeping() as book:
        outcomes = [batch.take_in(alert, verdict) for alert, verdict in pairs]
        batch.write(book)
    return outcomes


def _read(policy: Policy, alerts: Sequence[IncomingAlert], clock: TimeSource) -> "Batch":
    """What is known of these alerts and their groups, with every ticket concerned locked."""
    keys = sorted({alert.dedup_key for alert in alerts})
    known = {row.dedup_key: row for row in NEWEST.all(source=policy.source.pk, keys=keys)}
    busy = [alert for alert in alerts if not is_plain_repeat(known.get(alert.dedup_key), alert)]
    names = {alert.group_key for alert in busy if alert.state == FIRING}
    groups = sorted(names | {STORM_KEY})
    by_group = dict(OF_GROUPS.all(source=policy.source.pk, groups=groups)) if names else {}
    ids = {known[alert.dedup_key].ticket_id for alert in busy if alert.dedup_key in known}
    ids |= {ticket_id for name, ticket_id in by_group.items() if name != STORM_KEY}
    tickets = lock_known(ids)
    return Batch(policy=policy, now=clock(), known=known, by_group=by_group, tickets=tickets)


@dataclass(kw_only=True)
class Batch:
    """One request's alerts on their way into locked tickets; rows are written at its end."""

    policy: Policy
    now: datetime
    known: dict[str, Alert]
    by_group: dict[str, int]
    tickets: dict[int, Ticket]
    fresh: list[Alert] = field(default_factory=list)
    touched: dict[int, Alert] = field(default_factory=dict)
    reworded: set[int] = field(default_factory=set)
    news: dict[int, News] = field(default_factory=dict)
    opened_lately: int | None = None

    @property
    def source(self) -> AlertSource:
        return self.policy.source

    @property
    def clock(self) -> TimeSource:
        return fixed(self.now)

    def take_in(self, alert: IncomingAlert, verdict: Verdict) -> Outcome:
        """Decide on one alert, in the light of all before it."""
        row = self.known.get(alert.dedup_key)
        if alert.state != FIRING:
            return self._clear(alert, row)
        if row is None:
            return self._begin(alert, verdict, None)
        if row.state == FIRING:
            return self._repeat(alert, verdict, row)
        late = row.last_seen_at > self.now - STRAGGLER
        if late and alert.starts_at is not None and alert.starts_at <= row.started_at:
            return self._outcome(alert, "ignored", row, "it had ended before it arrived")
        return self._begin(alert, verdict, row)

    # ---- firing ----

    def _begin(self, alert: IncomingAlert, verdict: Verdict, before: Alert | None) -> Outcome:
        row = Alert(
            uid=alert.uid or uuid4(),
            source=self.source,
            dedup_key=alert.dedup_key,
            group_key=alert.group_key,
            summary=alert.summary,
            severity=alert.severity,
            details=details_of(alert),
            started_at=alert.starts_at or self.now,
            first_seen_at=self.now,
            last_seen_at=self.now,
        )
        self._count_flaps(row, before)
        self.known[alert.dedup_key] = row
        self.fresh.append(row)
        return self._house(alert, verdict, row, before)

    def _count_flaps(self, row: Alert, before: Alert | None) -> None:
        since = before.flap_since if before is not None else None
        if before is not None and since is not None and since > self.now - FLAP_WINDOW:
            row.flap_count, row.flap_since = min(before.flap_count + 1, 32_000), since
        else:
            row.flap_count, row.flap_since = 1, self.now

    def _flaps(self, row: Alert) -> bool:
        limit, since = self.source.flap_limit, row.flap_since
        lately = since is not None and since > self.now - FLAP_WINDOW
        return bool(limit) and lately and row.flap_count >= limit

    def _house(
        self, alert: IncomingAlert, verdict: Verdict, row: Alert, before: Alert | None
    ) -> Outcome:
        """Give a firing alert without a ticket the one it belongs to, unless it is to have none."""
        row.suppressed, row.held_until = verdict.suppressed, verdict.held_until
        if verdict.suppressed:
            return self._outcome(alert, "suppressed", row, verdict.suppressed)
        ticket, result = self._place(alert, verdict, row, before)
        row.ticket = ticket
        news = self._news(ticket.pk)
        news.fired.append(row)
        news.levels.append((level_of(verdict.severity), verdict.severity))
        return self._outcome(alert, result, row)

    def _place(
        self, alert: IncomingAlert, verdict: Verdict, row: Alert, before: Alert | None
    ) -> tuple[Ticket, str]:
        ticket = self.tickets.get(self.by_group.get(alert.group_key, 0))
        if ticket is not None and ticket.is_open:
            return ticket, "joined"
        last = self.tickets.get(before.ticket_id or 0) if before is not None else None
        if last is not None and self._flaps(row):
            if last.is_open:
                return last, "joined"
            if last.status == states.RESOLVED and last.merged_into_id is None:
                return self._reopen(last, f"The alert flaps: {alert.summary}"), "reopened"
        if self._is_storm():
            return self._into_storm(alert, verdict, row)
        row.opened = True
        ticket = self._open(alert, verdict, alert.summary)
        self.by_group[alert.group_key] = ticket.pk
        return ticket, "opened"

    def _is_storm(self) -> bool:
        limit = self.source.storm_limit
        if limit and self.opened_lately is None:
            self.opened_lately = count_opened(self.source, self.now, limit)
        return bool(limit) and (self.opened_lately or 0) >= limit

    def _into_storm(self, alert: IncomingAlert, verdict: Verdict, row: Alert) -> tuple[Ticket, str]:
        """The one ticket that takes what would be a flood of them."""
        row.group_key = STORM_KEY
        ticket = self.tickets.get(self.by_group.get(STORM_KEY, 0))
        if ticket is None:
            ticket = lock_storm(self.source)
        if ticket is not None and ticket.is_open:
            self.by_group[STORM_KEY] = ticket.pk
            return self.tickets.setdefault(ticket.pk, ticket), "joined"
        row.opened = True
        subject = f"Storm of alerts from {self.source.name}: {alert.summary}"[:250]
        ticket = self._open(alert, verdict, subject)
        self.by_group[STORM_KEY] = ticket.pk
        return ticket, "opened"

    def _open(self, alert: IncomingAlert, verdict: Verdict, subject: str) -> Ticket:
        own = alert.level if verdict.severity == alert.severity else None
        impact, urgency = own or level_of(verdict.severity)
        service, team = self._place_of(verdict)
        ticket = open_ticket(
            subject=subject,
            description=describe(alert, self.source),
            requester=self.source.requester,
            actor=None,
            kind=verdict.kind,
            impact=impact,
            urgency=urgency,
            service=service,
            team=team,
            source=Source.MONITOR,
            restricted=verdict.restricted,
            began_at=believable(alert.starts_at, self.now),
            detected_at=self.now,
            clock=self.clock,
            via=VIA,
        )
        self.tickets[ticket.pk] = ticket
        self._news(ticket.pk).is_new = True
        self.opened_lately = (self.opened_lately or 0) + 1
        return ticket

    def _place_of(self, verdict: Verdict) -> tuple[Service | None, Team | None]:
        """The rule's service and team, else the source's; a rule's service has its own team.

        A team that has since been switched off takes no tickets: the routes choose another then,
        for its monitor could send the alert again for ever.
        """
        service, team = self.source.service, self.source.team
        if verdict.service_id is not None:
            service, team = Service.objects.get(pk=verdict.service_id), None
        if verdict.team_id is not None:
            team = Team.objects.get(pk=verdict.team_id)
        return service, team if team is not None and team.is_active else None

    def _repeat(self, alert: IncomingAlert, verdict: Verdict, row: Alert) -> Outcome:
        if not alert.is_echo:
            row.count += 1
            row.last_seen_at = max(self.now, row.last_seen_at)
        self._touch(row)
        ticket = self.tickets.get(row.ticket_id or 0)
        if row.ticket_id is None:
            self._reword(alert, row)
            return self._house(alert, verdict, row, None)
        if ticket is not None and not ticket.is_open:
            return self._insist(alert, verdict, row, ticket)
        if alert.starts_at is not None:
            row.started_at = max(row.started_at, alert.starts_at)
        if says_the_same(row, alert):
            return self._outcome(alert, "repeated", row)
        self._reword(alert, row)
        news = self._news(row.ticket_id)
        news.changed.append(row)
        news.levels.append((level_of(verdict.severity), verdict.severity))
        return self._outcome(alert, "changed", row)

    def _reword(self, alert: IncomingAlert, row: Alert) -> None:
        row.summary, row.severity, row.details = alert.summary, alert.severity, details_of(alert)
        row.group_key = alert.group_key
        if row.pk is not None:
            self.reworded.add(row.pk)

    def _insist(
        self, alert: IncomingAlert, verdict: Verdict, row: Alert, ticket: Ticket
    ) -> Outcome:
        """A ticket was ended while its alert goes on: that is not solved."""
        survivor = survivor_of(ticket)
        if survivor.pk != ticket.pk and survivor.is_open:
            row.ticket = survivor
            self._reword(alert, row)
            return self._outcome(alert, "repeated", row, "its ticket was merged")
        if ticket.status_since > self.now - STRAGGLER:
            return self._outcome(alert, "repeated", row, "its ticket has just ended")
        if ticket.status == states.RESOLVED and ticket.merged_into_id is None:
            self._reopen(ticket, f"The alert still fires: {alert.summary}")
            return self._outcome(alert, "reopened", row)
        row.state, row.ended_at = RESOLVED, max(self.now, row.started_at)
        return self._begin(alert, verdict, row)

    def _reopen(self, ticket: Ticket, reason: str) -> Ticket:
        found = reopen(ticket=ticket, actor=None, reason=reason, clock=self.clock, via=VIA)
        self.tickets[ticket.pk] = found
        return found

    # ---- resolved ----

    def _clear(self, alert: IncomingAlert, row: Alert | None) -> Outcome:
        if row is None:
            return Outcome(alert.dedup_key, "ignored", reason="nobody has heard of it firing")
        if row.state == RESOLVED:
            return self._outcome(alert, "ignored", row, "it was clear already")
        if is_of_earlier(alert, row):
            return self._outcome(alert, "ignored", row, "it has begun again since")
        row.state = RESOLVED
        row.ended_at = max(alert.ends_at or self.now, row.started_at)
        if not alert.is_echo:
            row.last_seen_at = max(self.now, row.last_seen_at)
        row.held_until = None
        self._touch(row)
        if row.ticket_id is not None:
            news = self._news(row.ticket_id)
            news.cleared.append(row)
            if self._flaps(row) and row.flap_since is not None:
                row.held_until = row.flap_since + FLAP_WINDOW
                news.holds = "It has begun often within an hour, so the ticket stays open."
        return self._outcome(alert, "cleared", row)

    # ---- what is left to write ----

    def _outcome(self, alert: IncomingAlert, result: str, row: Alert, why: str = "") -> Outcome:
        return Outcome(alert.dedup_key, result, self._key_of(row), why, row=row)

    def _key_of(self, row: Alert) -> str:
        """The key of the alert's ticket; a restricted case is named to no sender."""
        ticket = self.tickets.get(row.ticket_id or 0)
        if ticket is not None:
            return "" if ticket.restricted else ticket.key
        return getattr(row, "ticket_key", None) or ""

    def _touch(self, row: Alert) -> None:
        if row.pk is not None:
            self.touched[row.pk] = row

    def _news(self, ticket_id: int) -> News:
        return self.news.setdefault(ticket_id, News())

    def write(self, book: Ledger) -> None:
        """Store the alerts, and tell the tickets what has changed."""
        book.expect({Alert: len(self.fresh), TimelineEvent: len(self.news)})
        plain = [row for row in self.touched.values() if row.pk not in self.reworded]
        # An ended row must be written before a fresh one of its key is, by the unique constraint.
        update_rows(Alert, plain, STATE)
        moved = [row for row in self.touched.values() if row.pk in self.reworded]
        update_rows(Alert, moved, STATE + WORDS)
        insert_rows(Alert, self.fresh)
        for ticket_id in sorted(self.news):
            if ticket_id not in self.tickets:
                raise Conflict("not_locked", "A ticket to be told was not locked.")
            tell(self.tickets[ticket_id], self.news[ticket_id], self.source, self.clock)
