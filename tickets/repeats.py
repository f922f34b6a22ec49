"""Gathers repeats under one problem: the open one of the same service, requester or asset."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.db import connection, transaction

from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from tickets import timeline
from tickets.access import require
from tickets.acting import begin
from tickets.alike import (
    CAUSED_BY,
    MOST_FELLOWS,
    Repeat,
    about_if_any,
    about_of,
    fellows_of,
    known_problems,
    problems_of,
)
from tickets.models import EventKind, Problem, Straggler, Ticket, TicketLink
from tickets.opening import open_problems

ACCOUNT: Final = "problem-management"
GATHERS: Final = "Gathers tickets that repeat each other; they are linked to it as its effects."
"""Which tickets these are is told by the links alone: one of them may become restricted."""
LOCK_ALL: Final = """
SELECT pg_advisory_xact_lock(number) IS NOT NULL FROM unnest(%s::bigint[]) AS number
"""
TRY_ALL: Final = "SELECT pg_try_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number"


@dataclass(frozen=True)
class Joined:
    """The problem that a ticket belongs to now, whether it is new, and whether the link is.

    `fellows` counts the tickets that it repeats and that were put there with it.
    """

    place: "_Heap"
    is_new: bool = False
    is_linked_now: bool = True
    fellows: int = 0

    @property
    def problem(self) -> Ticket:
        """The problem; a new one is there once all is recorded."""
        return self.place.opened


def open_or_join_problem(
    *,
    ticket: Ticket,
    same: str = "service",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Joined:
    """Put a ticket under the open problem of the same service, requester or asset.

    One is opened where there is none, owned by the team that owns the service. Doing it again, or
    twice at once, comes to the same problem and one link. Raises Invalid when the ticket has no
    such service or asset, or is restricted: a problem would tell of it.
    """
    with transaction.atomic():
        locked = timeline.lock(ticket.pk)
        require(actor, "link", locked)
        repeat = Repeat(locked, same)
        gathering = Gathering([repeat], actor=actor, clock=clock, via=via)
        joined = gathering.join(repeat)
        gathering.record()
    if joined.is_linked_now:
        joined.problem.refresh_from_db()
    return joined


class Gathering:
    """Puts tickets that the caller has locked under their problems, many with few statements.

    A problem that two writers might both open is guarded by a lock of its own, taken here for all
    repeats at once in one order. A batch passes `waits=False`: what another has the lock of is then
    `is_elsewhere` and cannot be joined yet. No ticket is ever waited for: one that
    cannot be had is noted, and follows with `stragglers.gather_late`.
    `record()` ends it: until then no event tells of what was joined. A sweep that synchronises its
    tickets by itself passes `announce=False`; fellows and problems are announced all the same.
    """

    def __init__(
        self,
        repeats: Sequence[Repeat],
        *,
        actor: Person | None = None,
        clock: TimeSource,
        via: str = "engine",
        announce: bool = True,
        waits: bool = True,
    ) -> None:
        self._actor, self._clock, self._via, self._announce = actor, clock, via, announce
        self._waits = waits
        self._heaps: dict[str, _Heap] = {}
        self._held: dict[int, _Heap] = {}
        self._joined: list[Ticket] = []
        self._read(repeats)

    def is_elsewhere(self, repeat: Repeat) -> bool:
        """Whether somebody else is about to open the problem that this would come under."""
        about = about_if_any(repeat)
        return bool(about) and repeat.ticket.pk not in self._held and about not in self._heaps

    def join(self, repeat: Repeat) -> Joined:
        """Put this one under its problem, and what it repeats with it.

        Raises Invalid when it has nothing in common with others, or is restricted.
        """
        about, ticket = about_of(repeat), repeat.ticket
        if ticket.pk not in self._held and about not in self._heaps:
            self._read([repeat])
        held = self._held.get(ticket.pk)
        if held is not None:
            return Joined(held, is_linked_now=False)
        heap = self._heaps[about]
        is_new = heap.problem is None and not heap.joined
        before = (each for each in heap.early if repeat.is_after(each.pk, each.opened_at))
        fellows = [each for each in before if each.pk not in self._held][:MOST_FELLOWS]
        self._joined.append(ticket)
        heap.joined.append(repeat)
        heap.fellows += fellows
        heap.children += [ticket, *fellows]
        self._held |= dict.fromkeys((each.pk for each in (ticket, *fellows)), heap)
        return Joined(heap, is_new=is_new, fellows=len(fellows))

    def bring(self, problem: Ticket, children: Sequence[Ticket]) -> None:
        """Put locked tickets that had to be left behind under a problem, which is not new."""
        heap = _Heap(problem, children=list(children), fellows=list(children))
        self._heaps[f"problem:{problem.pk}"] = heap
        self._held |= dict.fromkeys((each.pk for each in children), heap)

    def record(self) -> None:
        """Open the problems that there are not; write the links, and tell of them on both sides."""
        heaps = [heap for heap in self._heaps.values() if heap.children]
        _open_all([heap for heap in heaps if heap.problem is None], self._clock)
        TicketLink.objects.bulk_create(
            TicketLink(source=child, target=heap.problem, relation=CAUSED_BY)
            for heap in heaps
            for child in heap.children
        )
        late = [note for heap in heaps for note in heap.stragglers(self._held)]
        Straggler.objects.bulk_create(late, ignore_conflicts=True)
        own = [self._told(each, [self._held[each.pk].opened], "out") for each in self._joined]
        self._write(own, announce=self._announce)
        told = [self._told(each, [heap.opened], "out") for heap in heaps for each in heap.fellows]
        # A problem that somebody writes to is not waited for: its list of children tells it too.
        free = Ticket.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        present = free.in_bulk([heap.problem.pk for heap in heaps if heap.problem])
        for heap in heaps:
            if heap.problem and heap.problem.pk in present:
                told.append(self._told(present[heap.problem.pk], heap.children, "in"))
                heap.problem = present[heap.problem.pk]
            heap.children, heap.fellows, heap.joined = [], [], []
        self._write(told, announce=True)
        self._joined = []

    def _read(self, repeats: Sequence[Repeat]) -> None:
        marked: dict[str, list[Repeat]] = {}
        known = problems_of([each.ticket.pk for each in repeats])
        self._held |= {pk: _Heap(problem) for pk, problem in known.items()}
        for each in repeats:
            about = about_if_any(each)
            if about and each.ticket.pk not in self._held:
                marked.setdefault(about, []).append(each)
        found = known_problems(marked)
        missing = sorted(marked.keys() - found.keys())
        ours = set(missing) & self._lock(missing)
        # Somebody may have opened one before we had its lock.
        found |= known_problems({about: marked[about] for about in ours})
        ready = {about: alike for about, alike in marked.items() if about in {*found, *ours}}
        near = fellows_of(ready)
        for about in ready:
            self._heaps[about] = _Heap(found.get(about), *near.get(about, ()))

    def _lock(self, missing: Sequence[str]) -> set[str]:
        """Those of which the problem may be opened now: nobody else is about to."""
        if not missing or Person.objects.filter(username=ACCOUNT).exists():
            return _lock_all(missing, waits=self._waits)
        # The very first needs the account too: who makes it is not waited for by a batch either.
        ours = _lock_all([ACCOUNT, *missing], waits=self._waits)
        return ours if ACCOUNT in ours else set()

    def _told(self, ticket: Ticket, others: Sequence[Ticket], direction: str) -> timeline.Write:
        """One event on the ticket for each of the others."""
        act = begin(ticket, actor=self._actor, clock=self._clock, via=self._via)
        writes = [
            act.write(
                EventKind.LINKED,
                facts={"relation": CAUSED_BY, "other": other.key, "direction": direction},
            )
            for other in others
        ]
        entries = [entry for write in writes for entry in write.entries]
        return timeline.Write(ticket=ticket, entries=entries, fields=writes[0].fields)

    def _write(self, writes: Sequence[timeline.Write], *, announce: bool) -> None:
        if writes:
            timeline.record_many(writes, at=self._clock(), announce=announce)


@dataclass
class _Heap:
    """The problem of one service, person or asset, once there is one, and who may come under it.

    `early` are open tickets that came in before some repeat, locked, in the order of their ids;
    `late` are others, which could not be had now.
    """

    problem: Ticket | None
    early: Sequence[Ticket] = ()
    late: Mapping[int, datetime] = field(default_factory=dict)
    joined: list[Repeat] = field(default_factory=list)
    children: list[Ticket] = field(default_factory=list)
    fellows: list[Ticket] = field(default_factory=list)

    @property
    def opened(self) -> Ticket:
        """The problem, which there must be by now."""
        assert self.problem is not None
        return self.problem

    def stragglers(self, held: Collection[int]) -> list[Straggler]:
        """Notes of those of the late that belong here and are `held` by no problem yet."""
        return [
            Straggler(ticket_id=pk, problem=self.problem)
            for pk, opened_at in self.late.items()
            if pk not in held and any(each.is_after(pk, opened_at) for each in self.joined)
        ]


def _lock_all(abouts: Sequence[str], *, waits: bool) -> set[str]:
    """Let one writer at a time open the problems of these, in this order; returns those of ours."""
    if not abouts:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(LOCK_ALL if waits else TRY_ALL, [[lock_number(about) for about in abouts]])
        taken = cursor.fetchall()
    return {about for about, (is_ours,) in zip(abouts, taken, strict=True) if is_ours}


def lock_number(about: str) -> int:
    """By what number PostgreSQL knows the lock of this service, person or asset."""
    return int.from_bytes(sha256(f"problem {about}".encode()).digest()[:8], signed=True)


def _open_all(heaps: Sequence[_Heap], clock: TimeSource) -> None:
    """Open the problems of these, and keep what each gathers."""
    if not heaps:
        return
    account = _account()
    firsts = [heap.joined[0] for heap in heaps]
    problems = open_problems([_wanted(first, account) for first in firsts], clock=clock)
    for heap, problem in zip(heaps, problems, strict=True):
        heap.problem = problem
    Problem.objects.bulk_create(
        Problem(ticket=problem, about=about_of(first))
        for first, problem in zip(firsts, problems, strict=True)
    )


def _wanted(first: Repeat, account: Person) -> dict[str, Any]:
    """The problem as its first repeat makes it."""
    ticket, same = first.ticket, first.same
    subject = {
        "service": f"Repeats at {ticket.service}",
        "requester": f"Repeats from {ticket.requester}",
        "asset": f"Repeats on {ticket.asset}",
    }[same]
    return {
        "subject": subject[:250],
        "description": GATHERS,
        "requester": account,
        "impact": ticket.impact,
        "urgency": ticket.urgency,
        "service": ticket.service,
        "category": ticket.category,
        "asset": ticket.asset if same == "asset" else "",
        "team": _owner(ticket),
    }


def _owner(ticket: Ticket) -> Team | None:
    """The team that owns the service; None leaves it to the routes."""
    team = ticket.service.owner_team if ticket.service else None
    return team if team is not None and team.is_active and not team.tier.is_vendor else None


def _account() -> Person:
    """The account in whose name gathered problems are opened."""
    account, created = Person.objects.get_or_create(
        username=ACCOUNT, defaults={"name": "Problem management", "kind": Person.Kind.SERVICE}
    )
    if created:
        account.set_unusable_password()
        account.save(update_fields=["password"])
    return account
