"""Finds what a ticket repeats: the open problem of the same thing, and the open tickets like it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value

from roles.refusals import Invalid
from roles.written import any_of
from tickets import states
from tickets.models import Kind, Origin, Ticket, TicketLink

SAME: Final = ("service", "requester", "asset")
CAUSED_BY: Final = TicketLink.Relation.CAUSED_BY
MOST_FELLOWS: Final = 50
MOST_AT_ONCE: Final = 500

Moments = dict[int, datetime]
"""When tickets came in, by their ids."""


@dataclass(frozen=True)
class Repeat:
    """A locked ticket that repeats others, and what it has in common with them.

    Those that came in within `window_s` seconds before it are put under the problem too. Those
    `beside` are at hand with the caller, who writes them himself: they follow later.
    """

    ticket: Ticket
    same: str = "service"
    window_s: int = 0
    beside: Collection[Ticket] = ()

    def is_after(self, ticket_id: int, opened_at: datetime) -> bool:
        """Whether it repeats the ticket of the same thing that came in at that moment."""
        ticket = self.ticket
        since = ticket.opened_at - timedelta(seconds=self.window_s)
        return since <= opened_at and (opened_at, ticket_id) < (ticket.opened_at, ticket.pk)


Marked = Mapping[str, Sequence[Repeat]]
"""Repeats by what they have in common."""


def about_of(repeat: Repeat) -> str:
    """What the ticket repeats, such as service:3.

    Raises Invalid when it has nothing in common with others, or is restricted.
    """
    ticket = repeat.ticket
    if repeat.same not in SAME:
        raise Invalid("unknown_same", "Choose what the repeats have in common.")
    if ticket.restricted:
        raise Invalid("restricted", "A restricted case is not put under an open problem.")
    if ticket.kind == Kind.PROBLEM:
        raise Invalid("is_problem", f"{ticket.key} is a problem itself.")
    if not (held := value_of(ticket, repeat.same)):
        raise Invalid("nothing_same", f"{ticket.key} names no {repeat.same}.")
    return f"{repeat.same}:{held}"


def about_if_any(repeat: Repeat) -> str:
    """The same; empty where it would be refused."""
    try:
        return about_of(repeat)
    except Invalid:
        return ""


def value_of(ticket: Ticket, same: str) -> int | str | None:
    """By what a ticket is compared with others."""
    if same == "asset":
        return ticket.asset.strip().lower()
    return ticket.service_id if same == "service" else ticket.requester_id


def problems_of(ticket_ids: Collection[int]) -> dict[int, Ticket]:
    """The open problem that each ticket is under already, by ticket id."""
    # Linked before it became restricted: to an open ticket it is as if it were not there.
    links = TicketLink.objects.filter(
        source__in=ticket_ids, relation=CAUSED_BY, target__kind=Kind.PROBLEM,
        target__status__in=states.OPEN, target__restricted=False,
    )  # fmt: skip
    found: dict[int, Ticket] = {}
    for link in links.select_related("target").order_by("id"):
        found.setdefault(link.source_id, link.target)
    return found


def known_problems(marked: Marked) -> dict[str, Ticket]:
    """The oldest open problem of each thing: gathered for it, or opened by hand about it.

    One query; what has none is left out.
    """
    if not marked:
        return {}
    problems = Ticket.objects.open().filter(kind=Kind.PROBLEM, restricted=False)
    rows = problems.filter(Q(problem__about__in=list(marked)) | _by_hand(marked))
    found: dict[str, Ticket] = {}
    for problem in rows.select_related("problem").order_by("id"):
        known = getattr(problem, "problem", None)
        abouts = [known.about] if known is not None and known.about else _told_by(problem)
        for about in abouts:
            if about in marked:
                found.setdefault(about, problem)
    return found


def _by_hand(marked: Marked) -> Q:
    """Problems that nobody has gathered for anything, about one of these services or assets."""
    like = Q(pk__in=[])
    for about, (first, *_) in marked.items():
        if about.startswith("service:"):
            like |= Q(service=first.ticket.service_id)
        elif about.startswith("asset:"):
            like |= Q(asset__iexact=first.ticket.asset.strip())
    return Q(like, Q(problem__isnull=True) | Q(problem__about=""))


def _told_by(problem: Ticket) -> Iterable[str]:
    return [f"{same}:{value_of(problem, same)}" for same in ("service", "asset")]


def fellows_of(marked: Marked) -> dict[str, tuple[list[Ticket], Moments]]:
    """Of each thing the open tickets of the same origin that came in before a repeat of it.

    Those that could be locked, and the moments of the others: somebody writes to them just now, or
    the caller has them at hand. Without those under a problem already. Two queries.
    """
    asked = {about: alike for about, alike in marked.items() if any(e.window_s for e in alike)}
    if not asked:
        return {}
    first, *others = (_like(about, alike) for about, alike in asked.items())
    rows = list(first.union(*others, all=True) if others else first)
    free = Ticket.objects.filter(_joinable(), pk__in=[pk for pk, _, _ in rows]).order_by("id")
    locked = free.select_for_update(skip_locked=True, no_key=True, of=("self",))
    ours = {ticket.pk: ticket for ticket in locked}
    found: dict[str, tuple[list[Ticket], Moments]] = {
        about: ([], _at_hand(alike)) for about, alike in asked.items()
    }
    for pk, opened_at, about in sorted(rows):
        early, late = found[about]
        if pk in ours:
            early.append(ours[pk])
        else:
            late[pk] = opened_at
    return found


def _joinable() -> Q:
    """Open tickets of a live origin that may be under a problem, and are under none."""
    under = TicketLink.objects.filter(
        source=OuterRef("pk"), relation=CAUSED_BY, target__kind=Kind.PROBLEM,
        target__status__in=states.OPEN,
    )  # fmt: skip
    may = Q(status__in=states.OPEN, origin=Origin.LIVE, restricted=False)
    return Q(~Exists(under), ~Q(kind=Kind.PROBLEM), may)


def joinable(ticket_ids: Collection[int]) -> QuerySet[Ticket]:
    """Those of these tickets that may be put under a problem."""
    return Ticket.objects.filter(_joinable(), pk__in=ticket_ids)


def _like(about: str, alike: Sequence[Repeat]) -> QuerySet[Ticket, tuple[Any, ...]]:
    """Id, moment and `about` of tickets that some of these repeat, but for those at hand."""
    looking = [each for each in alike if each.window_s]
    same = looking[0].same
    rows = Ticket.objects.filter(
        _joinable(),
        **{f"{same}__in": {getattr(each.ticket, same) for each in looking}},
        opened_at__gte=min(e.ticket.opened_at - timedelta(seconds=e.window_s) for e in looking),
        opened_at__lte=max(each.ticket.opened_at for each in looking),
    )
    own = {each.ticket.pk for each in alike}
    own |= {ticket.pk for each in alike for ticket in each.beside}
    named = rows.filter(~Q(any_of("pk", sorted(own)))).annotate(
        about=Value(about, output_field=CharField())
    )
    most = min(MOST_FELLOWS * len(looking), MOST_AT_ONCE)
    return named.order_by("id").values_list("pk", "opened_at", "about")[:most]


def _at_hand(alike: Sequence[Repeat]) -> Moments:
    """Those beside that may come under a problem with these, by what is known of them."""
    same, held = alike[0].same, value_of(alike[0].ticket, alike[0].same)
    return {
        ticket.pk: ticket.opened_at
        for ticket in {t.pk: t for each in alike for t in each.beside}.values()
        if value_of(ticket, same) == held
        and ticket.kind != Kind.PROBLEM
        and ticket.is_open
        and not ticket.restricted
        and ticket.origin == Origin.LIVE
    }
