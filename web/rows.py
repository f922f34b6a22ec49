"""The rows of the queue: each ticket with its next deadline and what happens next by itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from escalation.clock import TO_REQUESTER
from escalation.models import Clock, ClockKind
from escalation.outlook import Coming, coming_steps
from escalation.routes import Routes
from roles.models import Team
from roles.written import Written, any_of
from tickets.models import Ticket
from web.countdowns import Countdown, countdown
from web.whom import Whom
from web.wording import worded

ALIVE = (Clock.State.RUNNING, Clock.State.PAUSED)
NEVER = datetime.max.replace(tzinfo=UTC)
Clocks = dict[int, list[Clock]]


@dataclass(frozen=True)
class Row:
    """One ticket of the queue with its next deadline and its next escalation."""

    ticket: Ticket
    left: Countdown
    clock: str
    next_step: Coming | None
    to_whom: str = ""


@dataclass(frozen=True)
class Stock:
    """Tickets with what their rows are made of, in nobody's words yet."""

    tickets: Sequence[Ticket]
    clocks: Clocks
    steps: Mapping[int, Coming]
    teams: Sequence[Team]
    routes: Callable[[], Routes]


def stock_of(tickets: Sequence[Ticket], *, for_agent: bool, teams: Sequence[Team] = ()) -> Stock:
    """What the rows of these tickets show: one query for the clocks, for agents one for the steps.

    Nothing is asked row by row. People who only ask see what was promised to them, not what teams
    promise each other. Routes are read once, and only if a step asks for the next tier.
    """
    clocks: Clocks = {ticket.pk: [] for ticket in tickets}
    for clock in RUNNING.rows(tickets=list(clocks)):
        if for_agent or clock.kind in TO_REQUESTER:
            clocks[clock.ticket_id].append(clock)
    steps = coming_steps({ticket.pk: ticket for ticket in tickets}) if for_agent else {}
    routes = cache(lambda: Routes({team.pk: team for team in teams}))
    return Stock(tickets, clocks, steps, teams, routes)


RUNNING: Final = Written(
    lambda tickets: Clock.objects.filter(any_of("ticket", tickets), state__in=ALIVE),
    tickets=list[int],
)
"""The clocks of tickets that have not ended."""


def rows_of(stock: Stock, now: datetime) -> list[Row]:
    """The rows at this moment, in the reader's words."""
    whom = Whom(stock.teams, stock.routes)
    rows = []
    for ticket in stock.tickets:
        step = stock.steps.get(ticket.pk)
        to_whom = whom.of(ticket, step) if step else ""
        rows.append(_row(ticket, stock.clocks[ticket.pk], now, step=step, to_whom=to_whom))
    return rows


def _row(
    ticket: Ticket, clocks: Sequence[Clock], now: datetime, *, step: Coming | None, to_whom: str
) -> Row:
    if not clocks:
        return Row(ticket, countdown(None, now), "", step, to_whom)
    clock = min(clocks, key=_urgency)
    paused = clock.state == Clock.State.PAUSED
    left = countdown(clock.due_at, now, target_s=clock.target_s, paused=paused)
    return Row(ticket, left, worded(ClockKind(clock.kind).label), step, to_whom)


def _urgency(clock: Clock) -> tuple[bool, datetime]:
    """Running before paused, then the earlier deadline."""
    return clock.state == Clock.State.PAUSED, clock.due_at or NEVER
