"""Keeps clock rows equal to the replay of the timeline, for any number of tickets at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from escalation.clock import Cycle, Fact, TargetSpec, read, replay
from escalation.models import Clock, ClockKind, Target, TargetRevision
from roles.calendars import work_calendar
from tickets.models import EventKind, Ticket, TimelineEvent
from tickets.timeline import Entry, instant_text, update_rows

CLOCK_EVENTS = (
    EventKind.OPENED,
    EventKind.MOVED,
    EventKind.TAKEN,
    EventKind.ASSIGNED,
    EventKind.RELEASED,
    EventKind.COMMENTED,
    EventKind.PENDED,
    EventKind.RESUMED,
    EventKind.RESOLVED,
    EventKind.REOPENED,
    EventKind.CLOSED,
    EventKind.CANCELLED,
    EventKind.TARGETED,
    EventKind.ESCALATED,
    EventKind.ACCEPTED,
    EventKind.HANDED_BACK,
)
"""The only events that a clock can follow from; all others are never read for it."""

WRITTEN = (
    "team",
    "target",
    "calendar",
    "state",
    "ended_as",
    "target_s",
    "started_at",
    "pauses",
    "stopped_at",
    "due_at",
    "elapsed_s",
    "breached_at",
    "as_of",
    "noted_breach",
)

Choice = dict[str, tuple[int, int] | None]


class Targets:
    """The targets in force and every revision that a ticket may still hang on."""

    def __init__(self) -> None:
        active = Target.objects.filter(is_active=True, current__isnull=False)
        rows = active.select_related("current__calendar").order_by("position", "id")
        self.ordered: list[TargetRevision] = [row.current for row in rows if row.current]
        self._known = {row.pk: _spec(row) for row in self.ordered}

    def spec(self, revision_id: int) -> TargetSpec:
        """A revision's arithmetic; old revisions are read when first asked for."""
        if revision_id not in self._known:
            self._known[revision_id] = _spec(TargetRevision.objects.get(pk=revision_id))
        return self._known[revision_id]

    def preload(self, revision_ids: Iterable[int]) -> None:
        """Read many revisions at once."""
        missing = set(revision_ids) - set(self._known)
        if missing:
            for row in TargetRevision.objects.filter(pk__in=missing):
                self._known[row.pk] = _spec(row)

    def choose(self, match: Mapping[str, Any], team_calendar_id: int | None) -> Choice:
        """The first matching target of each kind of clock, with the calendar that it counts by."""
        choice: Choice = dict.fromkeys(ClockKind.values)
        for row in self.ordered:
            if choice[row.clock] is not None or not _matches(row, match):
                continue
            calendar_id = row.calendar.current_id if row.calendar else team_calendar_id
            if calendar_id is not None:
                choice[row.clock] = (row.pk, calendar_id)
        return choice


def _spec(row: TargetRevision) -> TargetSpec:
    return TargetSpec(seconds=row.seconds, pauses=frozenset(row.pauses))


def _matches(row: TargetRevision, match: Mapping[str, Any]) -> bool:
    wanted = {
        "priority": row.priority,
        "kind": row.kind or None,
        "service": row.service_id,
        "organisation": row.organisation_id,
        "team": row.team_id,
    }
    return all(value is None or match[name] == value for name, value in wanted.items())


def match_facts(ticket: Ticket) -> dict[str, Any]:
    """The facts of a ticket that decide on its targets; only their change chooses anew."""
    return {
        "priority": ticket.priority,
        "kind": ticket.kind,
        "service": ticket.service_id,
        "organisation": ticket.organisation_id,
        "team": ticket.team_id,
        "entry": ticket.entry,
    }


def targeting(
    ticket: Ticket, targets: Targets, last_match: Mapping[str, Any] | None
) -> list[Entry]:
    """The event that sets the ticket's targets, if the facts that decide on them have changed."""
    match = match_facts(ticket)
    if not ticket.is_open or ticket.team is None or match == last_match:
        return []
    choice = targets.choose(match, ticket.team.calendar.current_id)
    return [Entry(kind=EventKind.TARGETED, facts={"match": match, "targets": choice})]


def last_matches(ticket_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """The facts under which each ticket's targets were last chosen, by ticket id."""
    rows = (
        TimelineEvent.objects.filter(ticket__in=ticket_ids, kind=EventKind.TARGETED)
        .order_by("ticket_id", "-seq")
        .distinct("ticket_id")
    )
    return {row.ticket_id: row.facts["match"] for row in rows}


def fact_of(event: TimelineEvent) -> Fact:
    """An event as the replay sees it."""
    facts = event.facts
    targets = facts.get("targets") if event.kind == EventKind.TARGETED else None
    return Fact(
        at=event.at,
        kind=event.kind,
        changed=facts.get("set", {}),
        is_public=event.is_public,
        by_agent=facts.get("by") == "agent",
        targets=targets
        and {kind: (chosen[0], chosen[1]) if chosen else None for kind, chosen in targets.items()},
    )


def timelines(ticket_ids: Sequence[int]) -> dict[int, list[Fact]]:
    """What each ticket's clocks follow from, in order, by ticket id."""
    found: dict[int, list[Fact]] = {ticket_id: [] for ticket_id in ticket_ids}
    rows = TimelineEvent.objects.filter(ticket__in=ticket_ids, kind__in=CLOCK_EVENTS)
    for event in rows.order_by("ticket_id", "seq").iterator():
        found[event.ticket_id].append(fact_of(event))
    return found


def keep_clocks(
    tickets: Sequence[Ticket], targets: Targets, at: datetime
) -> dict[int, list[Clock]]:
    """Make the clock rows of locked tickets what their timelines say, as of `at`.

    Returns all clock rows by ticket id. Idempotent: running it again writes nothing new.
    """
    ids = [ticket.pk for ticket in tickets]
    stored = {
        (row.ticket_id, row.kind, row.cycle): row
        for row in Clock.objects.filter(ticket__in=ids).select_for_update(no_key=True)
    }
    told = timelines(ids)
    targets.preload(aimed_at(told))
    fresh: list[Clock] = []
    changed: list[Clock] = []
    rows: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in ids}
    for ticket_id in ids:
        for cycle in replay(told[ticket_id], targets.spec):
            row = stored.get((ticket_id, cycle.kind, cycle.number))
            if row is None:
                row = Clock(ticket_id=ticket_id, kind=cycle.kind, cycle=cycle.number)
                fresh.append(fill(row, cycle, targets, at))
            elif row.state in (Clock.State.RUNNING, Clock.State.PAUSED) or _differs(row, cycle):
                changed.append(fill(row, cycle, targets, at))
            rows[ticket_id].append(row)
    Clock.objects.bulk_create(fresh, batch_size=5000)
    update_rows(Clock, changed, WRITTEN)
    return rows


def clocks_of(
    told: Mapping[int, Sequence[Fact]], targets: Targets, at: datetime
) -> dict[int, list[Clock]]:
    """Every clock row that these timelines call for, unsaved, read at `at`, by ticket id."""
    targets.preload(aimed_at(told))
    return {
        ticket_id: [
            fill(
                Clock(ticket_id=ticket_id, kind=cycle.kind, cycle=cycle.number), cycle, targets, at
            )
            for cycle in replay(facts, targets.spec)
        ]
        for ticket_id, facts in told.items()
    }


def aimed_at(told: Mapping[int, Sequence[Fact]]) -> set[int]:
    """The target revisions that these timelines name."""
    return {
        chosen[0]
        for facts in told.values()
        for fact in facts
        for chosen in (fact.targets or {}).values()
        if chosen
    }


def fill(row: Clock, cycle: Cycle, targets: Targets, at: datetime) -> Clock:
    """The row as the cycle says, read at `at`."""
    target = targets.spec(cycle.target_id)
    reading = read(cycle, target, work_calendar(cycle.calendar_id), at)
    row.team_id = cycle.team_id
    row.target_id, row.calendar_id = cycle.target_id, cycle.calendar_id
    row.state, row.ended_as = cycle.state, cycle.ended_as
    row.target_s = target.seconds
    row.started_at, row.stopped_at = cycle.started_at, cycle.stopped_at
    row.pauses = stored_pauses(cycle)
    row.due_at, row.elapsed_s = reading.due_at, reading.elapsed_s
    row.breached_at = reading.breached_at
    row.as_of = at
    if row.breached_at is None:
        row.noted_breach = False
    return row


def stored_pauses(cycle: Cycle) -> list[list[str | None]]:
    """The pauses as the row keeps them: pairs of ISO instants, the last one perhaps open."""
    return [
        [instant_text(since), instant_text(until) if until else None]
        for since, until in cycle.pauses
    ]


def cycle_of(row: Clock) -> Cycle:
    """The cycle that a stored row stands for."""
    return Cycle(
        kind=row.kind,
        number=row.cycle,
        team_id=row.team_id,
        target_id=row.target_id,
        calendar_id=row.calendar_id,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
        ended_as=row.ended_as,
        pauses=tuple(
            (datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None)
            for since, until in row.pauses
        ),
    )


def _differs(row: Clock, cycle: Cycle) -> bool:
    return cycle_of(row) != cycle


def index_of(ticket: Ticket, clocks: Iterable[Clock]) -> bool:
    """Set the ticket's deadline columns from its clocks; whether that changed anything."""
    live = [row.due_at for row in clocks if row.state == Clock.State.RUNNING and row.due_at]
    next_due_at = min(live) if live and ticket.is_open else None
    late = [row.breached_at for row in clocks if row.breached_at]
    breached_at = min(late) if late else None
    if (ticket.next_due_at, ticket.breached_at) == (next_due_at, breached_at):
        return False
    ticket.next_due_at, ticket.breached_at = next_due_at, breached_at
    return True
