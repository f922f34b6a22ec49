"""Moves open clocks to the targets and calendars now in force: only on request, and on record."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from escalation import sla
from escalation.clock import PER_ENGAGEMENT, Fact
from escalation.models import Clock, Target, TargetRevision
from escalation.reactions import load_around
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Calendar, CalendarRevision, Person
from roles.people import require
from tickets import timeline
from tickets.acting import required
from tickets.models import EventKind, Ticket

BATCH: Final = 500
LIVE: Final = (Clock.State.RUNNING, Clock.State.PAUSED)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which clocks are asked about: those of these targets, and those by these calendars."""

    targets: Collection[int] = ()
    calendars: Collection[int] = ()

    @staticmethod
    def of(targets: Collection[Target] = (), calendars: Collection[Calendar] = ()) -> "Scope":
        return Scope(
            frozenset(target.pk for target in targets),
            frozenset(calendar.pk for calendar in calendars),
        )

    def clocks(self) -> QuerySet[Clock]:
        """The open clocks in scope that hang on a wording or on hours no longer in force."""
        by_team = Q(target__calendar=None) & ~Q(target__clock__in=PER_ENGAGEMENT)
        outdated = (
            ~Q(target=F("target__target__current"))
            | ~Q(calendar=F("calendar__calendar__current"))
            | by_team & ~Q(calendar=F("ticket__team__calendar__current"))
        )
        mine = Q(target__target__in=self.targets) | Q(calendar__calendar__in=self.calendars)
        return Clock.objects.filter(mine & outdated, state__in=LIVE)


@dataclass(frozen=True, slots=True)
class Change:
    """One open clock that a move touches; without a deadline where it stands still or ends."""

    ticket: Ticket
    clock: str
    due_at: datetime | None
    due_then: datetime | None
    ends: bool


def touched_tickets(scope: Scope, reader: Person | None) -> QuerySet[Ticket]:
    """The tickets that `reader` may know of with a clock that a move may touch."""
    rows = _known_to(reader).filter(pk__in=scope.clocks().values("ticket"))
    return rows.order_by("pk")


def _known_to(reader: Person | None) -> QuerySet[Ticket]:
    """Who manages promises knows that a ticket is there without reading it; a secret one not."""
    if reader is None:
        return Ticket.objects.all()
    visible = Ticket.objects.visible_to(reader)
    return Ticket.objects.filter(Q(restricted=False) | Q(pk__in=visible.values("pk")))


def foreseen(scope: Scope, *, reader: Person | None, now: datetime) -> Iterator[Change]:
    """What a move would do to each open clock that `reader` may know of; read in batches."""
    targets = sla.Targets()
    after = 0
    while tickets := list(touched_tickets(scope, reader).filter(pk__gt=after)[:BATCH]):
        after = tickets[-1].pk
        told = sla.timelines([ticket.pk for ticket in tickets])
        anew = _anew(tickets, told, targets, scope)
        then = {
            pk: [*told[pk], Fact(at=now, kind=EventKind.TARGETED, changed={}, targets=choice)]
            for pk, choice in anew.items()
        }
        before = sla.clocks_of({pk: told[pk] for pk in anew}, targets, now)
        after_it = sla.clocks_of(then, targets, now)
        for ticket in tickets:
            if ticket.pk in anew:
                yield from _changes(ticket, before[ticket.pk], after_it[ticket.pk])


def _changes(ticket: Ticket, before: Sequence[Clock], then: Sequence[Clock]) -> Iterator[Change]:
    moved = {(row.kind, row.cycle): row for row in then}
    for row in before:
        becomes = moved[row.kind, row.cycle]
        hangs_on = (row.target_id, row.calendar_id)
        if row.state not in LIVE or (
            becomes.state in LIVE and hangs_on == (becomes.target_id, becomes.calendar_id)
        ):
            continue
        ends = becomes.state not in LIVE
        yield Change(
            ticket=ticket,
            clock=row.kind,
            due_at=row.due_at,
            due_then=None if ends else becomes.due_at,
            ends=ends,
        )


def move_clocks(
    *,
    scope: Scope,
    reason: str,
    actor: Person | None = None,
    clock: TimeSource = database_now,
    via: str = "admin",
) -> int:
    """Move every open clock in scope to what is in force now; how many tickets that touched.

    Each ticket gets one event with the new revisions, its actor and the reason; clocks are then
    computed from their start, with their pauses kept. 500 tickets to a transaction: after an
    interruption the same call goes on where it stopped. Restricted tickets are moved like all
    others and counted for cleared people only. Raises Forbidden, and Invalid without a reason.
    """
    require(actor, "manage_policies")
    because = required(reason, "reason", 2000)
    _audit(scope, because, actor, clock)
    moved = after = 0
    rows = touched_tickets(scope, None)
    while ids := list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:BATCH]):
        after = ids[-1]
        done = _move_batch(ids, scope, Moving(because, actor, clock, via))
        moved += _known_to(actor).filter(pk__in=done).count()
    return moved


@dataclass(frozen=True, slots=True)
class Moving:
    """Who moves clocks, why, by which time, and through which door."""

    because: str
    actor: Person | None
    clock: TimeSource
    via: str


@transaction.atomic
def _move_batch(ids: Sequence[int], scope: Scope, moving: Moving) -> list[int]:
    rows = Ticket.objects.filter(pk__in=ids).order_by("pk")
    tickets = list(rows.select_for_update(no_key=True, of=("self",)))
    told = sla.timelines(ids)
    anew = _anew(tickets, told, sla.Targets(), scope)
    writes = [
        timeline.Write(
            ticket=ticket,
            entries=[_entry(ticket, told[ticket.pk], anew[ticket.pk], moving)],
        )
        for ticket in tickets
        if ticket.pk in anew
    ]
    if writes:
        lasts = (write.ticket.last_event_at for write in writes)
        at = max(moving.clock(), *(last for last in lasts if last))
        timeline.record_many(writes, at=at)
    return list(anew)


def _entry(
    ticket: Ticket, told: Sequence[Fact], choice: sla.Choice, moving: Moving
) -> timeline.Entry:
    facts: dict[str, Any] = {
        "match": sla.match_facts(ticket, told),
        "targets": choice,
        "because": moving.because,
    }
    actor_id = moving.actor.pk if moving.actor else None
    return timeline.Entry(kind=EventKind.TARGETED, actor_id=actor_id, via=moving.via, facts=facts)


def _anew(
    tickets: Sequence[Ticket],
    told: Mapping[int, Sequence[Fact]],
    targets: sla.Targets,
    scope: Scope,
) -> dict[int, sla.Choice]:
    """The choice of targets of each ticket in which what is in scope is chosen anew.

    Tickets for which that changes nothing are left out.
    """
    load_around(tickets)
    wordings = set(
        TargetRevision.objects.filter(target__in=scope.targets).values_list("pk", flat=True)
    )
    hours = set(
        CalendarRevision.objects.filter(calendar__in=scope.calendars).values_list("pk", flat=True)
    )
    found: dict[int, sla.Choice] = {}
    for ticket in tickets:
        present = sla.last_choice(told[ticket.pk])
        asked = {kind for kind, (a, b) in present.items() if a in wordings or b in hours}
        if ticket.team is None or not asked:
            continue
        match = sla.match_facts(ticket, told[ticket.pk])
        fresh = targets.choose(match, ticket.team.calendar.current_id)
        choice = {kind: pair for kind, pair in present.items() if kind not in asked}
        choice |= {kind: fresh[kind] for kind in asked if kind in fresh}
        if choice != present:
            found[ticket.pk] = choice
    return found


def _audit(scope: Scope, because: str, actor: Person | None, clock: TimeSource) -> None:
    """Told without a number: the audit has more readers than a restricted ticket."""
    for model, ids in ((Target, scope.targets), (Calendar, scope.calendars)):
        for subject in model._default_manager.filter(pk__in=ids).select_related("current"):
            number = subject.current.number if subject.current else None
            audit.record(
                actor=actor,
                action=f"{model._meta.model_name}.clocks_moved",
                subject=subject,
                changes={"revision": number, "reason": because},
                clock=clock,
            )
