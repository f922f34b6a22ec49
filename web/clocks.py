"""Shows a ticket's clocks: each with its deadline, its state, its pauses and its calendar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from escalation.billing import late_words
from escalation.clock import read
from escalation.models import Clock, ClockKind
from escalation.sla import cycle_of
from roles.calendars import work_calendar
from roles.models import Team
from roles.written import Written
from tickets.models import Ticket
from web.countdowns import Countdown, countdown, duration_text
from web.wording import inline, worded


@dataclass(frozen=True)
class ClockCard:
    """One cycle of one clock, in words."""

    label: str
    team: str
    left: Countdown
    state: str
    ending: str
    allowed: str
    used: str
    share: int
    calendar: str
    pauses: list[str]
    bill: str
    due_at: datetime | None
    breached_at: datetime | None
    is_over: bool


def cards(ticket: Ticket, now: datetime, teams: Mapping[int, Team]) -> list[ClockCard]:
    """Every clock of the ticket, those that still run first, by deadline.

    One query, and where a clock was missed one more for its bill, two with a vendor in it.
    """
    clocks: list[Any] = sorted(CLOCKS.all(ticket=ticket.pk), key=_order)
    bills = late_words(clocks, now, {pk: team.name for pk, team in teams.items()})
    for clock in clocks:
        clock.team = teams.get(clock.team_id or 0)
    return [_card(clock, now, bills.get(clock.pk, "")) for clock in clocks]


CLOCKS: Final = Written(
    lambda ticket: Clock.objects.filter(ticket=ticket).select_related("calendar__calendar"),
    ticket=int,
)


def next_card(found: Sequence[ClockCard]) -> ClockCard | None:
    """The clock that matters next: the first that still runs, else the first that is paused."""
    alive = [card for card in found if not card.is_over]
    return next((card for card in alive if card.left.tone != "paused"), None) or next(
        iter(alive), None
    )


def _order(clock: Clock) -> tuple[int, datetime]:
    rank = {Clock.State.RUNNING: 0, Clock.State.PAUSED: 1}.get(Clock.State(clock.state), 2)
    return rank, clock.due_at or datetime.max.replace(tzinfo=UTC)


def _card(clock: Clock, now: datetime, bill: str) -> ClockCard:
    paused = clock.state == Clock.State.PAUSED
    is_over = clock.state in (Clock.State.STOPPED, Clock.State.CANCELLED)
    used = clock.elapsed_s if is_over else _elapsed_s(clock, now)
    return ClockCard(
        label=worded(ClockKind(clock.kind).label),
        team=clock.team.name if clock.team else "",
        left=countdown(clock.due_at, now, target_s=clock.target_s, paused=paused),
        state=_state(clock, is_over),
        ending="late" if clock.breached_at else clock.ended_as or "other",
        allowed=duration_text(clock.target_s),
        used=duration_text(used),
        share=min(100, round(100 * used / clock.target_s)),
        calendar=str(clock.calendar.calendar),
        pauses=[_pause(pause) for pause in clock.pauses],
        bill=bill,
        due_at=clock.due_at,
        breached_at=clock.breached_at,
        is_over=is_over,
    )


def _elapsed_s(clock: Clock, now: datetime) -> float:
    """Working seconds used up to now: the row knows them only as of its last write."""
    return read(cycle_of(clock), work_calendar(clock.calendar_id), now).elapsed_s


def _state(clock: Clock, is_over: bool) -> str:
    if not is_over:
        return _("late") if clock.breached_at else inline(clock.get_state_display())
    ended = inline(clock.get_ended_as_display()) or _("ended")
    return _("%(ended)s, late") % {"ended": ended} if clock.breached_at else ended


def _pause(pause: Any) -> str:
    """A stored pause, [from, to or null], in words."""
    start, end = pause[0], pause[1]
    begun = datetime.fromisoformat(start)
    if end is None:
        return _("since %(time)s") % {"time": f"{localtime(begun):%H:%M}"}
    return duration_text((datetime.fromisoformat(end) - begun).total_seconds())
