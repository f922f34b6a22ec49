"""Tells tickets what their alerts have come to: joined, changed, cleared, and how grave."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from roles.instants import TimeSource
from tickets import timeline
from tickets.acting import begin
from tickets.incoming import FIRING, RESOLVED, Level, urgency_of
from tickets.lifecycle import resolve
from tickets.models import Alert, AlertSource, EventKind, Ticket
from tickets.triage import raise_priority_many

VIA: Final = "monitor"
TOLD_MAX: Final = 20
EVENTS_MAX: Final = 300
"""So long a timeline hears of no more joining alerts; they are listed with the ticket."""


@dataclass
class News:
    """What one ticket has to be told after a batch."""

    fired: list[Alert] = field(default_factory=list)
    changed: list[Alert] = field(default_factory=list)
    cleared: list[Alert] = field(default_factory=list)
    levels: list[tuple[Level, str]] = field(default_factory=list)
    is_new: bool = False
    holds: str = ""
    """Why its last clear alert does not resolve it."""


def tell(ticket: Ticket, news: News, source: AlertSource, clock: TimeSource) -> None:
    """Write to one locked ticket what its alerts have come to; resolve it when all is clear."""
    teller = _Teller(ticket, source, clock)
    if news.fired and (news.is_new or ticket.last_seq <= EVENTS_MAX):
        is_last = ticket.last_seq == EVENTS_MAX
        more = "Further alerts are listed with the ticket and not told one by one." * is_last
        teller.note(FIRING, news.fired, is_first=news.is_new, more=more)
    if news.changed:
        teller.note("changed", news.changed)
    if ticket.is_open:
        teller.raise_it(news.levels)
    if news.cleared:
        teller.all_clear(news)


@dataclass(frozen=True)
class _Teller:
    ticket: Ticket
    source: AlertSource
    clock: TimeSource

    def note(
        self, state: str, rows: Sequence[Alert], *, is_first: bool = False, more: str = ""
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
        act = begin(self.ticket, actor=None, clock=self.clock, via=VIA)
        body = "\n".join([*lines, *([more] if more else [])])
        write = act.write(EventKind.ALERTED, facts=facts, body=body)
        timeline.record_many([write], at=act.now, announce=not is_first)

    def raise_it(self, levels: Sequence[tuple[Level, str]]) -> None:
        """A graver alert makes the ticket as urgent as it would have been on its own."""
        if not levels:
            return
        level, severity = min(levels, key=lambda one: urgency_of(one[0]))
        ticket, priority = self.ticket, urgency_of(level)
        if priority < ticket.priority and ticket.priority_override is None:
            reason = f"an alert is {severity}"
            raise_priority_many([(ticket, priority, reason)], clock=self.clock)

    def all_clear(self, news: News) -> None:
        """Resolve a ticket that nobody has taken; whoever has it decides otherwise."""
        ticket = self.ticket
        firing = Alert.objects.filter(ticket=ticket.pk, state=FIRING).count()
        if firing or not ticket.is_open:
            more = f"{firing} of its alerts still firing." if firing else ""
            self.note(RESOLVED, news.cleared, more=more)
        elif ticket.assignee_id is not None or ticket.is_acknowledged:
            more = "All of its alerts are clear. Whoever has the ticket resolves it."
            self.note(RESOLVED, news.cleared, more=more)
        elif news.holds:
            self.note(RESOLVED, news.cleared, more=news.holds)
        else:
            self.note(RESOLVED, news.cleared)
            text = "All alerts are clear, and nobody had taken the ticket."
            resolve(ticket=ticket, actor=None, code="monitor", text=text, clock=self.clock, via=VIA)
