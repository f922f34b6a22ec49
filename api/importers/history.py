"""Turns incident histories into tickets with complete timelines in the past, and writes them.

The acts of a history go through the same status transitions as live ones, and their events tell
the same facts, so that a replay of an imported ticket is a replay like any other. Nothing is
announced: no run starts and no message is written.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection, transaction

from api.importers.places import NOBODY, Places, external_ref
from api.importers.servicenow import Row
from escalation import sla
from escalation.clock import FIRST_RESPONSE, NEXT_UPDATE, PER_ENTRY
from escalation.models import Clock
from roles.models import Team
from tickets import states, timeline
from tickets.acting import Act, snapshot
from tickets.lifecycle import HOLDS
from tickets.models import EventKind, Kind, Origin, Source, Ticket
from tickets.opening import SERIES, birth_facts
from tickets.priority import priority_of

VIA = "import"
BATCH = 500
CONTACTS = {
    "phone": Source.PHONE,
    "email": Source.EMAIL,
    "self service": Source.PORTAL,
    "self-service": Source.PORTAL,
    "portal": Source.PORTAL,
    "monitoring": Source.MONITOR,
}
SOLVED = frozenset({states.RESOLVED, states.CLOSED})
UNTOLD = frozenset({FIRST_RESPONSE, NEXT_UPDATE})
_way = cache(states.path)


@dataclass(frozen=True, slots=True)
class History:
    """One ticket that is not stored yet, and what happened to it."""

    ticket: Ticket
    entries: Sequence[timeline.Entry]


# ---- Composing ---------------------------------------------------------------------------------


class Composer:
    """Plays the rows of one incident as acts on a ticket in memory, each told as an event."""

    def __init__(
        self, ticket: Ticket, places: Places, targets: sla.Targets, unseen_entry: int
    ) -> None:
        """`unseen_entry` is the entry into a team, if any, whose work the log does not show."""
        self.ticket, self.places, self.targets = ticket, places, targets
        self.entries: list[timeline.Entry] = []
        self._act = Act(
            ticket=ticket, actor=None, now=ticket.opened_at, via=VIA, before=snapshot(ticket)
        )
        self._last_match: Mapping[str, Any] | None = None
        self._unseen_entry = unseen_entry

    def open(self, first: Row) -> None:
        """Open the ticket and put it into the queue of its first group, if the log names one."""
        log = {"location": first.location, "symptom": first.symptom, "contact": first.contact}
        facts = {
            "set": {
                **birth_facts(self.ticket),
                "priority_override": self.ticket.priority_override,
            },
            "log": {"number": first.number, **{k: v for k, v in log.items() if v}},
        }
        actor_id = self.places.people.get(first.opened_by)
        self._tell(EventKind.OPENED, actor_id=actor_id, facts=facts, is_public=True)
        if first.group:
            self._enter(self.places.teams[first.group], first)
            self._aim()

    def play(self, row: Row, status: str, *, is_first: bool = False) -> None:
        """Let the ticket become what this row says; an update that shows nothing is told too."""
        told = len(self.entries) - is_first
        self._go_to(self._moment(row, status))
        if self.ticket.is_open or (self.ticket.status == states.RESOLVED and status in states.OPEN):
            self._work(row, status)
        elif row.group and self.places.teams[row.group].pk != self.ticket.team_id:
            # A solved ticket moves nowhere; what the log says of it is kept as a remark.
            facts = {"update": row.update, "group": row.group}
            self._tell(EventKind.TRIAGED, actor_id=self._actor(row), facts=facts)
        if self.ticket.status == states.RESOLVED and status == states.CLOSED:
            self._close(row)
        if len(self.entries) == told:
            facts = {"update": row.update, "by": "agent"}
            self._tell(EventKind.COMMENTED, actor_id=self._actor(row), facts=facts)

    def _moment(self, row: Row, status: str) -> datetime:
        """When the row happened: a solution at its own time once that is known and has passed."""
        at, solved_at = row.updated_at, row.resolved_at
        if self.ticket.is_open and status in SOLVED and solved_at is not None:
            return min(at, solved_at)
        return at

    def _go_to(self, at: datetime) -> None:
        self._act.now = max(self._act.now, at)

    def _actor(self, row: Row) -> int | None:
        return self.places.people.get(row.updated_by)

    def _tell(
        self,
        kind: str,
        *,
        actor_id: int | None,
        facts: Mapping[str, Any] | None = None,
        is_public: bool = False,
    ) -> None:
        before = self._act.before["status"]
        write = self._act.write(kind, facts=facts, actor_id=actor_id, is_public=is_public)
        self.entries.append(replace(write.entries[0], at=self._act.now))
        if self.ticket.status != before:
            self.ticket.status_entry = len(self.entries)

    # ---- One row ----

    def _work(self, row: Row, status: str) -> None:
        if self.ticket.status == states.RESOLVED:
            self._step(states.WAITING, row)
        self._classify(row)
        self._prioritise(row)
        has_moved = self._change_group(row, status)
        self._aim()
        if self.ticket.team_id is None and status in SOLVED | {states.CANCELLED}:
            # Somebody must have had it; the log does not say who.
            self._enter(self.places.desk, row)
            self._unseen_entry = self.ticket.entry
            self._aim()
        if self.ticket.team_id is None:
            return
        if has_moved and status == states.IN_PROGRESS and not row.assignee:
            return  # The log leaves it "Active", but it lies in a queue: nobody has it.
        for step in _way(self.ticket.status, states.RESOLVED if status in SOLVED else status):
            self._step(step, row)
            self._aim()
        self._reassign(row)

    def _classify(self, row: Row) -> None:
        category_id = self.places.categories.get((row.category, row.subcategory))
        if category_id is not None and category_id != self.ticket.category_id:
            self.ticket.category_id = category_id
            self._tell(EventKind.TRIAGED, actor_id=self._actor(row), facts={"update": row.update})

    def _prioritise(self, row: Row) -> None:
        ticket = self.ticket
        wanted = (row.impact, row.urgency, row.priority)
        if (ticket.impact, ticket.urgency, ticket.priority) == wanted:
            return
        ticket.impact, ticket.urgency, ticket.priority = wanted
        ticket.priority_override = _override(row)
        self._tell(EventKind.PRIORITISED, actor_id=self._actor(row), facts={"update": row.update})

    def _change_group(self, row: Row, status: str) -> bool:
        """Move the ticket to the row's group; whether it left another one for it."""
        if not row.group or self.places.teams[row.group].pk == self.ticket.team_id:
            return False
        had_team = self.ticket.team_id is not None
        self._enter(self.places.teams[row.group], row)
        if status in SOLVED:
            self._unseen_entry = self.ticket.entry
        return had_team

    def _enter(self, team: Team, row: Row) -> None:
        ticket = self.ticket
        if ticket.status in states.PENDING:
            ticket.resume()
            self._tell(EventKind.RESUMED, actor_id=self._actor(row), facts={"update": row.update})
        if ticket.status != states.WAITING:
            ticket.queue()
        if ticket.team_id is not None:
            ticket.handover_count += 1
        self._stand_anew()
        ticket.team = team
        facts = {"team": team.name, "update": row.update}
        self._tell(EventKind.MOVED, actor_id=self._actor(row), facts=facts)

    def _stand_anew(self) -> None:
        """A fresh entry into a queue: nobody has the ticket, nobody has seen it."""
        ticket = self.ticket
        ticket.assignee = None
        ticket.acknowledged_at = ticket.acknowledged_by = None
        ticket.entry += 1
        ticket.entry_origin, ticket.entered_at = ticket.entry, self._act.now

    def _reassign(self, row: Row) -> None:
        assignee_id = self.places.people.get(row.assignee)
        working = self.ticket.status in {states.IN_PROGRESS} | states.PENDING
        if working and assignee_id is not None and assignee_id != self.ticket.assignee_id:
            self.ticket.assignee_id = assignee_id
            self._tell(EventKind.ASSIGNED, actor_id=self._actor(row), facts={"update": row.update})

    def _step(self, status: str, row: Row) -> None:
        """One legal change of status, told as the act that it is live."""
        kind = _STEPS[status](self, row, status)
        facts: dict[str, Any] = {"update": row.update}
        public = kind in PUBLIC or status == states.PENDING_REQUESTER
        if kind == EventKind.RESOLVED:
            facts["by"] = "agent"
        self._tell(kind, actor_id=self._actor(row), facts=facts, is_public=public)

    def _queue(self, row: Row, status: str) -> str:
        if self.ticket.status == states.RESOLVED:
            self.ticket.reopen()
            self._stand_anew()
            return EventKind.REOPENED
        self.ticket.queue()
        self.ticket.acknowledged_at = self.ticket.acknowledged_by = None
        return EventKind.RELEASED

    def _begin(self, row: Row, status: str) -> str:
        ticket = self.ticket
        if ticket.status in states.PENDING:
            ticket.resume()
            return EventKind.RESUMED
        ticket.begin()
        ticket.assignee_id = self.places.people.get(row.assignee)
        ticket.acknowledged_at = self._act.now
        ticket.acknowledged_by_id = ticket.assignee_id or self._actor(row)
        return EventKind.TAKEN

    def _hold(self, row: Row, status: str) -> str:
        getattr(self.ticket, HOLDS[status])()
        self.ticket.pending_reason = row.state
        return EventKind.PENDED

    def _resolve(self, row: Row, status: str) -> str:
        self.ticket.resolve()
        self.ticket.resolved_at = self._act.now
        # Filled in backwards: the code belongs to the solution that stood in the end.
        if row.resolved_at is not None and row.resolved_at <= self._act.now:
            self.ticket.resolution_code = row.closed_code[:40]
        return EventKind.RESOLVED

    def _cancel(self, row: Row, status: str) -> str:
        self.ticket.cancel()
        return EventKind.CANCELLED

    def _close(self, row: Row) -> None:
        self._go_to(row.updated_at)
        self.ticket.close()
        self.ticket.resolution_code = row.closed_code[:40]
        self.ticket.closed_at = self._act.now
        facts = {"update": row.update, "how": "closed", "log": {"made_sla": row.made_sla}}
        self._tell(EventKind.CLOSED, actor_id=self._actor(row), facts=facts)

    def _aim(self) -> None:
        """Set the targets anew where the facts that decide on them have changed.

        The log has no public words, so neither the first nor any next one is measured; nor is the
        stay in a team that it does not show, because the ticket was solved by the very update that
        first names the team.
        """
        for entry in sla.targeting(self.ticket, self.targets, self._last_match):
            self._last_match = entry.facts["match"]
            unseen = UNTOLD | (PER_ENTRY if self.ticket.entry == self._unseen_entry else set())
            chosen = entry.facts["targets"].items()
            facts = {**entry.facts, "targets": {k: v for k, v in chosen if k not in unseen}}
            self.entries.append(replace(entry, facts=facts, via=VIA, at=self._act.now))


PUBLIC = frozenset({EventKind.RESOLVED, EventKind.REOPENED, EventKind.CANCELLED})
_STEPS: Mapping[str, Callable[[Composer, Row, str], str]] = {
    states.WAITING: Composer._queue,
    states.IN_PROGRESS: Composer._begin,
    states.RESOLVED: Composer._resolve,
    states.CANCELLED: Composer._cancel,
    **dict.fromkeys(states.PENDING, Composer._hold),
}


def compose(
    rows: Sequence[Row], ids: tuple[int, str], places: Places, targets: sla.Targets
) -> History:
    """The history of one incident from its rows in order; `ids` are its new key and number."""
    first = rows[0]
    unseen_entry = 1 if first.status in SOLVED else 0
    composer = Composer(_born(rows, ids, places), places, targets, unseen_entry)
    composer.open(first)
    reopened_at = max((i for i, row in enumerate(rows) if row.status in states.OPEN), default=-1)
    status = states.WAITING
    for place, row in enumerate(rows):
        status = row.status or status
        if composer.ticket.status in states.FINAL and status in states.OPEN:
            status = composer.ticket.status
        # Closed is final here; a closing that the other system took back was none.
        early = status == states.CLOSED and place < reopened_at
        composer.play(row, states.RESOLVED if early else status, is_first=place == 0)
    return History(composer.ticket, composer.entries)


def _born(rows: Sequence[Row], ids: tuple[int, str], places: Places) -> Ticket:
    """The ticket as it was opened, with what its first row says."""
    first = rows[0]
    caller = next((row.caller for row in rows if row.caller), NOBODY)
    about = " / ".join(filter(None, (first.category, first.subcategory, first.symptom)))
    return Ticket(
        pk=ids[0],
        key=ids[1],
        kind=Kind.INCIDENT,
        origin=Origin.IMPORTED,
        external_ref=external_ref(first.number, places.system),
        subject=first.subject or about or first.number,
        source=CONTACTS.get(first.contact.lower(), Source.API),
        requester_id=places.people[caller],
        organisation_id=places.organisation.pk,
        owner_team=places.desk,
        category_id=places.categories.get((first.category, first.subcategory)),
        asset=first.asset,
        impact=first.impact,
        urgency=first.urgency,
        priority=first.priority,
        priority_override=_override(first),
        opened_at=first.opened_at,
        status_since=first.opened_at,
    )


def _override(row: Row) -> int | None:
    """The log's priority where it is not the one of our matrix: a person's word, then."""
    ours = priority_of(row.impact, row.urgency, override=None, floor=None)
    return None if row.priority == ours else row.priority


# ---- Writing -----------------------------------------------------------------------------------


def write_histories(
    incidents: Sequence[Sequence[Row]], places: Places, at: datetime
) -> Iterator[tuple[int, int]]:
    """Write those that are not stored yet, 500 in a transaction; clocks are read at `at`.

    Yields (seen, written) after each batch, so that a caller can stop at any point.
    """
    targets = sla.Targets()
    for start in range(0, len(incidents), BATCH):
        batch = incidents[start : start + BATCH]
        wanted = [external_ref(rows[0].number, places.system) for rows in batch]
        stored = Ticket.objects.filter(external_ref__in=wanted)
        known = set(stored.values_list("external_ref", flat=True))
        fresh = [rows for rows, ref in zip(batch, wanted, strict=True) if ref not in known]
        ids = _fresh_ids(len(fresh))
        histories = [
            compose(rows, pair, places, targets) for rows, pair in zip(fresh, ids, strict=True)
        ]
        if histories:
            _write(histories, targets, at)
        yield len(batch), len(histories)


def _fresh_ids(count: int) -> list[tuple[int, str]]:
    """Fresh primary keys and numbers, such as (17, "INC-000017"), in one statement."""
    series = SERIES[Kind.INCIDENT]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('tickets_ticket', 'id')), nextval(%s::regclass)"
            " FROM generate_series(1, %s)",
            [f"tickets_number_{series.lower()}", count],
        )
        return [(pk, f"{series}-{number:06d}") for pk, number in cursor.fetchall()]


@transaction.atomic
def _write(histories: Sequence[History], targets: sla.Targets, at: datetime) -> None:
    tickets = [history.ticket for history in histories]
    Ticket.objects.bulk_create(tickets)
    writes = [timeline.Write(ticket=item.ticket, entries=item.entries) for item in histories]
    timeline.record_many(writes, at=at, announce=False, hint=False)
    told = {
        write.ticket.pk: [
            sla.fact_of(event) for event in write.events if event.kind in sla.CLOCK_EVENTS
        ]
        for write in writes
    }
    clocks = sla.clocks_of(told, targets, at)
    indexed = []
    for ticket in tickets:
        for clock in clocks[ticket.pk]:
            clock.noted_breach = clock.breached_at is not None
        if sla.index_of(ticket, clocks[ticket.pk]):
            indexed.append((ticket, ("next_due_at", "breached_at")))
    Clock.objects.bulk_create([row for rows in clocks.values() for row in rows], batch_size=5000)
    timeline.save_tickets(indexed)
