"""The rows of the queue: each ticket with its next deadline and what happens next by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from escalation.clock import TO_REQUESTER
from escalation.models import Clock, ClockKind, Run
from escalation.rules import Due
from escalation.runs import prospects
from roles.models import Team
from tickets.models import Ticket
from web.countdowns import Countdown, countdown
from web.whom import Whom
from web.wording import worded

ALIVE = (Clock.State.RUNNING, Clock.State.PAUSED)
Clocks = dict[int, list[Clock]]


@dataclass(frozen=True)
class Row:
    """One ticket of the queue with its next deadline and its next escalation."""

    ticket: Ticket
    left: Countdown
    clock: str
    next_step: Due | None
    to_whom: str = ""


def rows_of(
    tickets: Sequence[Ticket], now: datetime, *, for_agent: bool, teams: Sequence[Team] = ()
) -> list[Row]:
    """The tickets as rows: one query for the clocks, and for agents four for the steps.

    The tickets come with what decisions read around them: nothing is asked row by row. People
    who only ask see what was promised to them, not what teams promise each other.
    """
    clocks: Clocks = {ticket.pk: [] for ticket in tickets}
    for clock in Clock.objects.filter(ticket__in=list(clocks)):
        if for_agent or clock.kind in TO_REQUESTER:
            clocks[clock.ticket_id].append(clock)
    steps = _next_steps(tickets, clocks) if for_agent else {}
    whom = Whom(teams)
    rows = []
    for ticket in tickets:
        step = steps.get(ticket.pk)
        to_whom = whom.of(ticket, step) if step else ""
        rows.append(_row(ticket, clocks[ticket.pk], now, step=step, to_whom=to_whom))
    return rows


def _row(
    ticket: Ticket, clocks: Sequence[Clock], now: datetime, *, step: Due | None, to_whom: str
) -> Row:
    alive = sorted((clock for clock in clocks if clock.state in ALIVE), key=_urgency)
    if not alive:
        return Row(ticket, countdown(None, now), "", step, to_whom)
    clock = alive[0]
    paused = clock.state == Clock.State.PAUSED
    left = countdown(clock.due_at, now, target_s=clock.target_s, paused=paused)
    return Row(ticket, left, worded(ClockKind(clock.kind).label), step, to_whom)


def _urgency(clock: Clock) -> tuple[bool, datetime]:
    """Running before paused, then the earlier deadline."""
    never = datetime.max.replace(tzinfo=UTC)
    return clock.state == Clock.State.PAUSED, clock.due_at or never


def _next_steps(tickets: Sequence[Ticket], clocks: Clocks) -> dict[int, Due]:
    """The soonest coming policy step of each ticket; whom it would reach, its own page says."""
    active = Run.objects.filter(ticket__in=list(clocks), state=Run.State.ACTIVE)
    runs = list(active.select_related("policy", "revision"))
    by_id = {ticket.pk: ticket for ticket in tickets}
    found: dict[int, Due] = {}
    for prospect in prospects(runs, by_id, clocks):
        held = found.get(prospect.run.ticket_id)
        if prospect.coming and (held is None or prospect.coming[0].at < held.at):
            found[prospect.run.ticket_id] = prospect.coming[0]
    return found
