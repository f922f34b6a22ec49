"""Gathers repeats under one problem: the open one of the same service, requester or asset."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.refusals import Invalid
from tickets import states, timeline
from tickets.access import require
from tickets.acting import begin
from tickets.models import EventKind, Kind, Origin, Problem, Ticket, TicketLink
from tickets.opening import open_ticket

SAME: Final = ("service", "requester", "asset")
ACCOUNT: Final = "problem-management"
CAUSED_BY: Final = TicketLink.Relation.CAUSED_BY
MOST_FELLOWS: Final = 50


@dataclass(frozen=True)
class Repeat:
    """A locked ticket that repeats others, and what it has in common with them.

    Those that came in within `window_s` seconds before it are put under the problem too; but none
    of those `beside`, by id, which the caller has at hand and writes itself.
    """

    ticket: Ticket
    same: str = "service"
    window_s: int = 0
    beside: Collection[int] = ()


@dataclass(frozen=True)
class Joined:
    """The problem that a ticket belongs to now, whether it is new, and whether the link is.

    `fellows` counts the tickets that it repeats and that were put there with it.
    """

    problem: Ticket
    is_new: bool = False
    is_linked_now: bool = True
    fellows: int = 0


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
        return join_problems([Repeat(locked, same)], actor=actor, clock=clock, via=via)[locked.pk]


def join_problems(
    repeats: Sequence[Repeat],
    *,
    actor: Person | None = None,
    clock: TimeSource,
    via: str = "engine",
    announce: bool = True,
) -> dict[int, Joined]:
    """The same for tickets that the caller has locked, by ticket id.

    A sweep that synchronises its tickets by itself passes `announce=False`.
    What two writers might both open is guarded by a lock of its own, taken in one order; no ticket
    is ever waited for here, so that the order of ticket locks does not matter.
    """
    marked = sorted(((_about(each), each) for each in repeats), key=_in_order)
    for about in sorted({about for about, _ in marked}):
        _lock_about(about)
    joining = _Joining(actor=actor, clock=clock, via=via, announce=announce)
    return {each.ticket.pk: joining.join(each, about) for about, each in marked}


def reserve_problems(repeats: Iterable[Repeat]) -> None:
    """Take at once, in one order, the locks that joining these repeats would take one by one.

    For a batch that joins them one after the other: two batches that meet the same services in
    different order would wait for each other for ever. What cannot be joined needs no lock.
    """
    for about in sorted({about for each in repeats if (about := _about_if_any(each))}):
        _lock_about(about)


def _about_if_any(repeat: Repeat) -> str:
    try:
        return _about(repeat)
    except Invalid:
        return ""


def _in_order(marked: tuple[str, Repeat]) -> tuple[str, int]:
    return marked[0], marked[1].ticket.pk


def _about(repeat: Repeat) -> str:
    ticket = repeat.ticket
    if repeat.same not in SAME:
        raise Invalid("unknown_same", "Choose what the repeats have in common.")
    if ticket.restricted:
        raise Invalid("restricted", "A restricted case is not put under an open problem.")
    if ticket.kind == Kind.PROBLEM:
        raise Invalid("is_problem", f"{ticket.key} is a problem itself.")
    value = {
        "service": ticket.service_id,
        "requester": ticket.requester_id,
        "asset": ticket.asset.strip().lower(),
    }[repeat.same]
    if not value:
        raise Invalid("nothing_same", f"{ticket.key} names no {repeat.same}.")
    return f"{repeat.same}:{value}"


def _lock_about(about: str) -> None:
    """Let one writer at a time look for, and open, the problem of this service, person or asset."""
    number = int.from_bytes(sha256(f"problem {about}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


@dataclass(frozen=True, kw_only=True)
class _Joining:
    """Who joins, when and through which door."""

    actor: Person | None
    clock: TimeSource
    via: str
    announce: bool

    def join(self, repeat: Repeat, about: str) -> Joined:
        ticket = repeat.ticket
        links = TicketLink.objects.filter(source=ticket.pk, relation=CAUSED_BY)
        # Linked before it became restricted: to an open ticket it is as if it were not there.
        parents = links.filter(
            target__kind=Kind.PROBLEM, target__status__in=states.OPEN, target__restricted=False
        )
        held = parents.select_related("target").order_by("id").first()
        if held is not None:
            return Joined(held.target, is_linked_now=False)
        found = _open_problems(ticket, about).order_by("id").first()
        problem = found or _open(ticket, about, self.clock)
        fellows = _fellows(repeat)
        for each in (ticket, *fellows):
            TicketLink.objects.create(source=each, target=problem, relation=CAUSED_BY)
            self._tell(each, problem, "out", announce=self.announce or each is not ticket)
        # A problem that somebody writes to is not waited for: its list of children tells it too.
        free = Ticket.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        present = free.filter(pk=problem.pk).first()
        if present is not None:
            for each in (ticket, *fellows):
                self._tell(present, each, "in", announce=True)
        return Joined(present or problem, is_new=found is None, fellows=len(fellows))

    def _tell(self, ticket: Ticket, far: Ticket, direction: str, *, announce: bool) -> None:
        act = begin(ticket, actor=self.actor, clock=self.clock, via=self.via)
        facts = {"relation": CAUSED_BY, "other": far.key, "direction": direction}
        write = act.write(EventKind.LINKED, facts=facts)
        timeline.record_many([write], at=act.now, announce=announce)


def _fellows(repeat: Repeat) -> list[Ticket]:
    """The open tickets of the same origin that came in before this one, now locked.

    Without those under a problem already, and without one that somebody writes to at this moment:
    it is not waited for.
    """
    ticket = repeat.ticket
    if not repeat.window_s:
        return []
    under = TicketLink.objects.filter(
        source=OuterRef("pk"), relation=CAUSED_BY, target__kind=Kind.PROBLEM,
        target__status__in=states.OPEN,
    )  # fmt: skip
    at = ticket.opened_at
    earlier = Q(opened_at__lt=at) | Q(opened_at=at, pk__lt=ticket.pk)
    alike = Ticket.objects.filter(
        ~Exists(under),
        earlier,
        **{repeat.same: getattr(ticket, repeat.same)},
        opened_at__gte=at - timedelta(seconds=repeat.window_s),
        status__in=states.OPEN,
        origin=Origin.LIVE,
        restricted=False,
    ).exclude(Q(pk__in=repeat.beside) | Q(kind=Kind.PROBLEM))
    free = alike.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return list(free.order_by("id")[:MOST_FELLOWS])


def _open_problems(ticket: Ticket, about: str) -> QuerySet[Ticket]:
    """Open problems of the same thing: gathered for it, or opened by hand about it."""
    same = about.partition(":")[0]
    by_hand = Q(problem__isnull=True) | Q(problem__about="")
    alike = {"service": Q(service=ticket.service_id), "asset": Q(asset__iexact=ticket.asset)}
    matches = Q(problem__about=about)
    if same in alike:
        matches |= by_hand & alike[same]
    return Ticket.objects.open().filter(matches, kind=Kind.PROBLEM, restricted=False)


def _open(ticket: Ticket, about: str, clock: TimeSource) -> Ticket:
    same = about.partition(":")[0]
    subject = {
        "service": f"Repeats at {ticket.service}",
        "requester": f"Repeats from {ticket.requester}",
        "asset": f"Repeats on {ticket.asset}",
    }[same]
    problem = open_ticket(
        subject=subject[:250],
        # Which tickets these are is told by the links alone: one of them may become restricted.
        description="Gathers tickets that repeat each other; they are linked to it as its effects.",
        requester=_account(),
        actor=None,
        kind=Kind.PROBLEM,
        impact=ticket.impact,
        urgency=ticket.urgency,
        service=ticket.service,
        category=ticket.category,
        asset=ticket.asset if same == "asset" else "",
        team=_owner(ticket),
        clock=clock,
        via="engine",
    )
    Problem.objects.create(ticket=problem, about=about)
    return problem


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
