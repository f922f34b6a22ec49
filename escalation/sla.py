"""Keeps clock rows equal to the replay of the timeline, for any number of tickets at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from escalation.clock import (
    PER_ENGAGEMENT,
    REGULATORY,
    STAKEHOLDER_UPDATE,
    Cycle,
    Fact,
    TargetSpec,
    read,
)
from escalation.inforce import targets_in_force
from escalation.models import Clock, TargetRevision, Vendor
from escalation.tape import replay
from roles.calendars import round_the_clock, work_calendar
from roles.instances import new_row
from roles.ledger import insert_rows, update_rows
from tickets.models import EventKind, Ticket, TimelineEvent
from tickets.timeline import Entry, Write, instant_text

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
    EventKind.RESTRICTED,
    EventKind.MERGED,
    EventKind.ADOPTED,
    EventKind.CHANGE_ENDED,
    EventKind.VENDOR_ENGAGED,
    EventKind.VENDOR_RESPONDED,
    EventKind.VENDOR_DELIVERED,
    EventKind.VENDOR_RELEASED,
    EventKind.MAJOR_DECLARED,
    EventKind.MAJOR_UPDATED,
    EventKind.MAJOR_DEMOTED,
    EventKind.NOTICE_OWED,
    EventKind.NOTICE_GIVEN,
)
"""The only events that a clock can follow from; all others are never read for it."""

NEEDED = {
    **dict.fromkeys(PER_ENGAGEMENT, "engagement"),
    STAKEHOLDER_UPDATE: "major",
    REGULATORY: "notice",
}
"""The fact without which a kind of clock has nothing to run for, and gets no target."""

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

Choice = dict[str, tuple[int, int]]


class Targets:
    """The targets in force and every revision that a ticket may still hang on."""

    def __init__(self, ordered: Sequence[TargetRevision] | None = None) -> None:
        """`ordered` are those in force, if they are known."""
        self.ordered = targets_in_force() if ordered is None else ordered
        self._known = {row.pk: _spec(row) for row in self.ordered}
        self._vendor_calendars: dict[int | None, int] = {}
        self._chosen: dict[tuple[Any, ...], Choice] = {}

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
        asked = (team_calendar_id, *((k, v) for k, v in match.items() if k != "entry"))
        if asked not in self._chosen:
            self._chosen[asked] = self._choose(match, team_calendar_id)
        return dict(self._chosen[asked])

    def _choose(self, match: Mapping[str, Any], team_calendar_id: int | None) -> Choice:
        choice: Choice = {}
        for row in self.ordered:
            if row.clock in choice or not _matches(row, match):
                continue
            calendar_id = self._calendar_of(row, match, team_calendar_id)
            if calendar_id is not None:
                choice[row.clock] = (row.pk, calendar_id)
        return choice

    def _calendar_of(
        self, row: TargetRevision, match: Mapping[str, Any], team_calendar_id: int | None
    ) -> int | None:
        if row.calendar:
            return row.calendar.current_id
        if row.clock in PER_ENGAGEMENT:
            return self._vendor_calendar(match["vendor"])
        return team_calendar_id

    def _vendor_calendar(self, vendor_id: int | None) -> int:
        """The hours of a vendor's contract; where it names none, every hour counts."""
        if vendor_id not in self._vendor_calendars:
            rows = Vendor.objects.filter(pk=vendor_id or 0)
            current = rows.values_list("calendar__current", flat=True).first()
            self._vendor_calendars[vendor_id] = current or round_the_clock()
        return self._vendor_calendars[vendor_id]


def _spec(row: TargetRevision) -> TargetSpec:
    return TargetSpec(seconds=row.seconds, pauses=frozenset(row.pauses), first_s=row.first_seconds)


def _matches(row: TargetRevision, match: Mapping[str, Any]) -> bool:
    if NEEDED.get(row.clock, "kind") not in match:
        return False
    wanted = {
        "priority": row.priority,
        "kind": row.kind or None,
        "service": row.service_id,
        "organisation": row.organisation_id,
        "team": row.team_id,
        "vendor": row.vendor_id,
    }
    return all(value is None or match.get(name) == value for name, value in wanted.items())


def match_facts(ticket: Ticket, told: Iterable[Fact] = ()) -> dict[str, Any]:
    """The facts of a ticket that decide on its targets; only their change chooses anew.

    What the ticket itself does not know is counted on its timeline: which engagement of which
    vendor was the last, how often it was declared a major incident, how often a notice was owed.
    """
    match: dict[str, Any] = {
        "priority": ticket.priority,
        "kind": ticket.kind,
        "service": ticket.service_id,
        "organisation": ticket.organisation_id,
        "team": ticket.team_id,
        "entry": ticket.entry,
    }
    for fact in told:
        if fact.kind == EventKind.VENDOR_ENGAGED:
            match |= {name: fact.about.get(name) for name in ("vendor", "engagement")}
        elif fact.kind == EventKind.MAJOR_DECLARED:
            match["major"] = match.get("major", 0) + 1
        elif fact.kind == EventKind.NOTICE_OWED:
            match["notice"] = match.get("notice", 0) + 1
    return match


def targeting(
    ticket: Ticket,
    targets: Targets,
    last_match: Mapping[str, Any] | None,
    told: Sequence[Fact] = (),
) -> list[Entry]:
    """The event that sets the ticket's targets, if the facts that decide on them have changed.

    A solved ticket keeps its targets until it is reopened, unless the law begins to want a notice.
    """
    match = match_facts(ticket, told)
    if ticket.team is None or match == last_match:
        return []
    news = match.get("notice", 0) > (last_match or {}).get("notice", 0)
    if not ticket.is_open and not news:
        return []
    choice = targets.choose(match, ticket.team.calendar.current_id)
    return [Entry(kind=EventKind.TARGETED, facts={"match": match, "targets": choice})]


def last_match(told: Iterable[Fact]) -> Mapping[str, Any] | None:
    """The facts under which a ticket's targets were last chosen."""
    found: Mapping[str, Any] | None = None
    for fact in told:
        if fact.targets is not None:
            found = fact.about["match"]
    return found


def last_choice(told: Iterable[Fact]) -> Choice:
    """The targets that were chosen for a ticket last, by kind of clock."""
    found: Choice = {}
    for fact in told:
        if fact.targets is not None:
            found = {kind: chosen for kind, chosen in fact.targets.items() if chosen}
    return found


def fact_of(event: TimelineEvent) -> Fact:
    """An event as the replay sees it."""
    return fact_from(event.at, event.kind, event.facts, is_public=event.is_public)


def fact_from(at: datetime, kind: str, facts: Mapping[str, Any], *, is_public: bool) -> Fact:
    """What an event with these facts, stored or not, is to the replay."""
    targets = facts.get("targets") if kind == EventKind.TARGETED else None
    return Fact(
        at=at,
        kind=kind,
        changed=facts.get("set", {}),
        is_public=is_public,
        by_agent=facts.get("by") == "agent",
        targets=targets
        and {kind: (chosen[0], chosen[1]) if chosen else None for kind, chosen in targets.items()},
        about=facts,
    )


def add_told(told: Mapping[int, list[Fact]], writes: Iterable[Write]) -> None:
    """Go on with timelines that were read before these events were written."""
    for write in writes:
        told[write.ticket.id].extend(
            fact_of(event) for event in write.events if event.kind in CLOCK_EVENTS
        )


def timelines(ticket_ids: Sequence[int]) -> dict[int, list[Fact]]:
    """What each ticket's clocks follow from, in order, by ticket id."""
    found: dict[int, list[Fact]] = {ticket_id: [] for ticket_id in ticket_ids}
    rows = TimelineEvent.objects.filter(ticket__in=ticket_ids, kind__in=CLOCK_EVENTS)
    told = rows.order_by("ticket_id", "seq").values_list(
        "ticket_id", "at", "kind", "is_public", "canonical"
    )
    for ticket_id, at, kind, is_public, canonical in told.iterator():
        facts = orjson.loads(canonical)["facts"]
        found[ticket_id].append(fact_from(at, kind, facts, is_public=is_public))
    return found


def keep_clocks(
    tickets: Sequence[Ticket],
    targets: Targets,
    at: datetime,
    told: Mapping[int, Sequence[Fact]] | None = None,
    *,
    present: Mapping[int, Sequence[Clock]] | None = None,
    also: tuple[Sequence[Clock], Sequence[Clock]] = ((), ()),
) -> dict[int, list[Clock]]:
    """Make the clock rows of locked tickets what their timelines say, as of `at`.

    Returns all clock rows by ticket id. Idempotent; a row that says the same already is left alone.
    `told` are the tickets' timelines and `present` their locked clocks, where the caller has read
    them. `also` are other tickets' new and changed rows, to be written with these.
    """
    ids = [ticket.id for ticket in tickets]
    rows_of: Iterable[Clock]
    if present is None:
        rows_of = Clock.objects.filter(ticket__in=ids).select_for_update(no_key=True)
    else:
        rows_of = [row for ticket_id in ids for row in present[ticket_id]]
    stored = {(row.ticket_id, row.kind, row.cycle): row for row in rows_of}
    told = timelines(ids) if told is None else told
    targets.preload(aimed_at(told))
    fresh, changed = list(also[0]), list(also[1])
    rows: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in ids}
    for ticket_id in ids:
        for cycle in replay(told[ticket_id], targets.spec):
            row = stored.get((ticket_id, cycle.kind, cycle.number))
            if row is None:
                row = new_row(Clock, ticket_id=ticket_id, kind=cycle.kind, cycle=cycle.number)
                fresh.append(fill(row, cycle, at))
            elif not _says(row, cycle):
                changed.append(fill(row, cycle, at))
            rows[ticket_id].append(row)
    insert_rows(Clock, fresh)
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
                new_row(Clock, ticket_id=ticket_id, kind=cycle.kind, cycle=cycle.number), cycle, at
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


def fill(row: Clock, cycle: Cycle, at: datetime) -> Clock:
    """The row as the cycle says, read at `at`."""
    reading = read(cycle, work_calendar(cycle.calendar_id), at)
    row.team_id = cycle.team_id
    row.target_id, row.calendar_id = cycle.target_id, cycle.calendar_id
    row.state, row.ended_as = cycle.state, cycle.ended_as
    row.target_s = cycle.target_s
    row.started_at, row.stopped_at = cycle.started_at, cycle.stopped_at
    row.pauses = stored_pauses(cycle)
    row.due_at, row.elapsed_s = reading.due_at, reading.elapsed_s
    row.breached_at = reading.breached_at
    row.as_of = at
    if row.breached_at is None:
        row.noted_breach = False
    return row


def _says(row: Clock, cycle: Cycle) -> bool:
    """Whether the row stands for this very cycle already."""
    return (
        row.started_at == cycle.started_at
        and row.stopped_at == cycle.stopped_at
        and row.ended_as == cycle.ended_as
        and row.target_s == cycle.target_s
        and row.target_id == cycle.target_id
        and row.calendar_id == cycle.calendar_id
        and row.team_id == cycle.team_id
        and row.pauses == stored_pauses(cycle)
    )


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
        target_s=row.target_s,
        stopped_at=row.stopped_at,
        ended_as=row.ended_as,
        pauses=tuple(
            (datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None)
            for since, until in row.pauses
        ),
    )


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
