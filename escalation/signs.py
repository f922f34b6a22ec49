"""What steps on facts go by: counts, returns, repeats, flapping, risk, and when we were last heard.

Read for many tickets at once, and only for those whose runs have a step that asks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Count, F, Q

from escalation.models import Run, TicketFact
from escalation.steps import (
    CHASED,
    FLAPPING,
    HANDED_OVER,
    ON_FACTS,
    PING_PONG,
    REOPENED,
    REPEATED,
    RISK,
    SILENT,
    Step,
)
from roles.instances import read_rows
from roles.ledger import reading_past, waiting_rows
from roles.models import Person
from roles.written import any_of
from tickets.models import Alert, EventKind, Origin, Ticket, TimelineEvent
from tickets.timeline import instant_text

BY_AGENT: Final = '"by":"agent"'
"""How the canonical text of an event says that somebody of the service wrote it."""

NOT_OURS: Final = (
    EventKind.OPENED,
    EventKind.COMMENTED,
    EventKind.CHASED,
    EventKind.REOPENED,
    EventKind.WATCHED,
    EventKind.SNOOZED,
)
"""Events that do not show somebody at work: the requester's, and a wish to be left alone."""

BEGINNINGS: Final = (EventKind.REOPENED, EventKind.ADOPTED)
"""With these a ticket's climbs begin anew, and what was counted before them is over."""
MOVES: Final = (EventKind.OPENED, EventKind.MOVED, EventKind.ESCALATED, EventKind.HANDED_BACK)
COUNTERS: Final = ("handover_count", "chase_count")
COLUMNS: Final = {"requester": "requester_id", "service": "service_id", "asset": "asset"}

Sought = Sequence[tuple[Run, Step]]
Values = dict[tuple[int, int], int]
"""What each step of each run has seen, by (ticket, step)."""


def look(
    runs: Sequence[Run],
    tickets: Mapping[int, Ticket],
    steps: Mapping[int, Sequence[Step]],
    at: datetime,
) -> None:
    """Bring `heard_at` and `reached` of the runs up to date; nothing is saved.

    What holds is dated `at`, when it was first seen to hold, so that it never lies ahead.
    """
    pairs = [(run, step) for run in runs for step in steps.get(run.revision_id, ())]
    # Silence is counted from an acknowledgement on, which is itself an event and looked at.
    acknowledged = {pk for pk, ticket in tickets.items() if ticket.is_acknowledged}
    _listen(
        [run for run, step in pairs if step.trigger == SILENT and run.ticket_id in acknowledged]
    )
    sought = [(run, step) for run, step in pairs if _is_asked(run, step)]
    values: Values = {}
    for trigger, reading in READINGS.items():
        asking = [(run, step) for run, step in sought if step.trigger == trigger]
        if asking:
            values |= reading(asking, tickets, at)
    for run, step in sought:
        note(run, step, values.get((run.ticket_id, step.id), 0), at)


def _is_asked(run: Run, step: Step) -> bool:
    """Repeats are counted until they are seen once: they do not become fewer in one run."""
    return step.trigger in ON_FACTS and (
        step.trigger != REPEATED or str(step.id) not in run.reached
    )


def note(run: Run, step: Step, seen: int, at: datetime) -> None:
    """Keep that the fact has come to hold, or holds no more, each time anew."""
    held = run.reached.get(str(step.id))
    holds = seen >= (step.percent if step.trigger == RISK else step.count)
    if holds and not (held and held["holds"]):
        entry = held["entry"] + 1 if held else 1
        note = {"entry": entry, "at": instant_text(at), "holds": True, "seen": seen}
    elif held and held["holds"] and not holds:
        note = {**held, "holds": False}
    else:
        return
    run.reached = {**run.reached, str(step.id): note}


def _listen(runs: Sequence[Run]) -> None:
    """Set when one of us last did anything on these runs' tickets."""
    if not runs:
        return
    machines = Person.objects.filter(kind=Person.Kind.SERVICE).values("pk")
    ours = (
        Q(actor_id__isnull=False)
        & ~Q(kind__in=NOT_OURS)
        & ~Q(actor_id=F("ticket__requester_id"))
        & ~Q(actor_id__in=machines)
    )
    said = Q(kind=EventKind.COMMENTED, canonical__contains=BY_AGENT)
    events = TimelineEvent.objects.filter(
        ours | said | Q(kind=EventKind.ACKNOWLEDGED),
        any_of("ticket", sorted({run.ticket_id for run in runs})),
    )
    latest = events.order_by("ticket_id", "-seq").distinct("ticket_id")
    # What the engine itself has waiting to be written is nobody's word.
    is_ours = all(event.actor_id is None for event in waiting_rows(TimelineEvent))
    with reading_past(*((TimelineEvent, Ticket) if is_ours else ())):
        heard = {row[0]: row[1:] for row in latest.values_list("ticket_id", "at", "seq")}
    for run in runs:
        if run.ticket_id in heard:
            run.heard_at, run.heard_entry = heard[run.ticket_id]


def answered(ticket_ids: Iterable[int]) -> dict[int, datetime]:
    """When somebody of the service last wrote to the requester, by ticket id."""
    ids = set(ticket_ids)
    if not ids:
        return {}
    events = TimelineEvent.objects.filter(
        any_of("ticket", sorted(ids)), is_public=True, canonical__contains=BY_AGENT
    )
    latest = events.order_by("ticket_id", "-seq").distinct("ticket_id")
    return dict(latest.values_list("ticket_id", "at"))


def taken(ticket_ids: Iterable[int]) -> dict[int, datetime]:
    """When somebody last took each ticket himself, by ticket id."""
    ids = set(ticket_ids)
    if not ids:
        return {}
    events = TimelineEvent.objects.filter(any_of("ticket", sorted(ids)), kind=EventKind.TAKEN)
    latest = events.order_by("ticket_id", "-seq").distinct("ticket_id")
    return dict(latest.values_list("ticket_id", "at"))


# ---- What has been counted ---------------------------------------------------------------------


def _reopened(sought: Sought, tickets: Mapping[int, Ticket], at: datetime) -> Values:
    """How often each ticket came back from its solution, in all: a climb begins with each time."""
    return {(run.ticket_id, step.id): tickets[run.ticket_id].reopen_count for run, step in sought}


def _column(name: str) -> Callable[[Sought, Mapping[int, Ticket], datetime], Values]:
    """What a column of the ticket counts, without what it counted before the last beginning.

    The past is read only where the whole count would be enough.
    """

    def reading(sought: Sought, tickets: Mapping[int, Ticket], at: datetime) -> Values:
        asked = {
            run.ticket_id
            for run, step in sought
            if getattr(tickets[run.ticket_id], name) >= step.count
        }
        before = {pk: past.counts.get(name, 0) for pk, past in _pasts(asked).items()}
        return {
            (run.ticket_id, step.id): getattr(tickets[run.ticket_id], name)
            - before.get(run.ticket_id, 0)
            for run, step in sought
        }

    return reading


def _returns(sought: Sought, tickets: Mapping[int, Ticket], at: datetime) -> Values:
    """How often each ticket came back to a team that it had left, since its last beginning."""
    pasts = _pasts(
        {run.ticket_id for run, _ in sought if tickets[run.ticket_id].handover_count > 1}
    )
    return {
        (run.ticket_id, step.id): returns_of(pasts[run.ticket_id].teams)
        if run.ticket_id in pasts
        else 0
        for run, step in sought
    }


@dataclass(slots=True)
class _Past:
    """The teams that had a ticket since its last beginning, and its counts at that moment."""

    teams: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def _pasts(ticket_ids: Iterable[int]) -> dict[int, _Past]:
    """What came before and after the last beginning of each ticket's climbs: one query.

    With what an open ledger has not written down yet, which need not be written for that.
    """
    ids = set(ticket_ids)
    pasts = {pk: _Past() for pk in ids}
    if not ids:
        return pasts
    latest: dict[int, dict[str, int]] = {pk: {} for pk in ids}
    kinds = (*MOVES, *BEGINNINGS, EventKind.CHASED)
    events = TimelineEvent.objects.filter(ticket__in=ids, kind__in=kinds)
    with reading_past(TimelineEvent):
        stored = read_rows(events.order_by("ticket_id", "seq"))
    fresh = [
        event
        for event in waiting_rows(TimelineEvent)
        if event.ticket_id in ids and event.kind in kinds
    ]
    for event in (*stored, *fresh):
        past, changed = pasts[event.ticket_id], event.facts.get("set", {})
        if event.kind in BEGINNINGS:
            past.teams = past.teams[-1:]
            past.counts = dict(latest[event.ticket_id])
        if changed.get("team_id") is not None:
            past.teams.append(changed["team_id"])
        latest[event.ticket_id] |= {name: changed[name] for name in COUNTERS if name in changed}
    return pasts


def returns_of(teams: Sequence[int]) -> int:
    """How many of these successive teams had the ticket before and had left it."""
    return sum(
        team in teams[: place - 1] and team != teams[place - 1]
        for place, team in enumerate(teams)
        if place > 1
    )


def _repeats(sought: Sought, tickets: Mapping[int, Ticket], at: datetime) -> Values:
    """The how manieth of its origin each ticket was when it came in, within each step's window.

    Counted back from its own opening, so that it is the same whenever one looks, and a ticket that
    had come in before the others is no repeat of them. Restricted ones count for restricted ones
    only: a count must not tell of them. Counting ends at what the step asks for.
    """
    values: Values = {}
    for (same, window_s, count), pairs in _by_question(sought).items():
        counts = _like([run.ticket_id for run, _ in pairs], COLUMNS[same], window_s, count)
        values |= {(run.ticket_id, step.id): counts.get(run.ticket_id, 0) for run, step in pairs}
    return values


def _by_question(sought: Sought) -> dict[tuple[str, int, int], list[tuple[Run, Step]]]:
    groups: dict[tuple[str, int, int], list[tuple[Run, Step]]] = {}
    for run, step in sought:
        groups.setdefault((step.same, step.window_s, step.count), []).append((run, step))
    return groups


def _like(ids: Sequence[int], column: str, window_s: int, most: int) -> dict[int, int]:
    statement = f"""
        SELECT mine.id, (
            SELECT count(*) FROM (
                SELECT 1 FROM tickets_ticket AS other
                WHERE other.{column} = mine.{column}
                  AND other.opened_at >= mine.opened_at - make_interval(secs => %s)
                  AND (other.opened_at, other.id) <= (mine.opened_at, mine.id)
                  AND other.origin = %s AND other.status <> 'cancelled'
                  AND (mine.restricted OR NOT other.restricted)
                LIMIT %s
            ) AS enough
        )
        FROM tickets_ticket AS mine
        WHERE mine.id = ANY(%s) AND mine.{column}::text <> ''
    """  # noqa: S608 (one of our own three column names)
    with connection.cursor() as cursor:
        cursor.execute(statement, [window_s, Origin.LIVE, most, list(ids)])
        return dict(cursor.fetchall())


def _firings(sought: Sought, tickets: Mapping[int, Ticket], at: datetime) -> Values:
    """How many alert firings were folded into each ticket in each step's window."""
    values: Values = {}
    for window_s in {step.window_s for _, step in sought}:
        pairs = [(run, step) for run, step in sought if step.window_s == window_s]
        since = at - timedelta(seconds=window_s)
        rows = Alert.objects.filter(
            ticket__in=[run.ticket_id for run, _ in pairs], first_seen_at__gt=since
        )
        grouped = rows.order_by().values("ticket").annotate(n=Count("id"))
        counts: dict[int, int] = dict(grouped.values_list("ticket", "n"))
        values |= {(run.ticket_id, step.id): counts.get(run.ticket_id, 0) for run, step in pairs}
    return values


def _risks(sought: Sought, tickets: Mapping[int, Ticket], at: datetime) -> Values:
    rows = TicketFact.objects.filter(ticket__in={run.ticket_id for run, _ in sought})
    risks = dict(rows.values_list("ticket_id", "risk"))
    return {(run.ticket_id, step.id): risks.get(run.ticket_id, 0) for run, step in sought}


READINGS: Final[Mapping[str, Callable[[Sought, Mapping[int, Ticket], datetime], Any]]] = {
    REOPENED: _reopened,
    HANDED_OVER: _column("handover_count"),
    CHASED: _column("chase_count"),
    PING_PONG: _returns,
    REPEATED: _repeats,
    FLAPPING: _firings,
    RISK: _risks,
}
"""By trigger, what reads the value that its steps go by."""
