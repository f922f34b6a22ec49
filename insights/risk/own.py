"""This site's own tickets as cases to learn from; restricted ones are never among them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from django.db.models import F, QuerySet

from escalation.models import Clock, ClockKind, Escalation
from insights.risk.cases import Case, Moment, Opening
from insights.risk.progress import PER_CASE, figures_of
from roles.models import Team
from tickets import states
from tickets.models import EventKind, Ticket, TicketQuerySet, TimelineEvent

LOOK_BACK: Final = timedelta(days=400)
MOST: Final = 30_000
"""So many of the newest tickets are learned from."""
BATCH: Final = 1000
BIRTH: Final = 3
"""By its third event a ticket is opened and in its first team's queue."""
OVER: Final = frozenset({states.RESOLVED, states.CLOSED})
LOGGED: Final = ("symptom", "location")
"""What an import keeps of another product's opening, beside our own fields."""


@dataclass(slots=True)
class Told:
    """What one ticket's timeline and clocks say, as far as risk is concerned."""

    birth: dict[str, Any] = field(default_factory=dict)
    opener_id: int | None = None
    states: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    target_s: float | None = None
    missed_at: datetime | None = None
    climbed_at: list[datetime] = field(default_factory=list)

    @property
    def bad_at(self) -> datetime | None:
        """When it missed its target or went to the next tier, whichever was first."""
        return min(filter(None, (self.missed_at, *self.climbed_at)), default=None)


def learnable(now: datetime) -> TicketQuerySet:
    """The tickets of the past that may be learned from."""
    found = Ticket.objects.filter(
        restricted=False, merged_into__isnull=True, opened_at__gte=now - LOOK_BACK
    )
    return found.exclude(status=states.CANCELLED)


def own_cases(now: datetime) -> list[Case]:
    """The newest of this site's tickets, in the order of opening, with what was known of each."""
    newest = learnable(now).order_by("-opened_at", "-pk").values_list("pk", flat=True)[:MOST]
    return cases_of(newest)


def cases_of(ticket_ids: Iterable[int]) -> list[Case]:
    """These tickets in the order of opening, with what was known of each."""
    ids = sorted(ticket_ids)
    ranks = tier_ranks()
    found: list[Case] = []
    for start in range(0, len(ids), BATCH):
        rows = Ticket.objects.filter(pk__in=ids[start : start + BATCH])
        found += _cases(rows, ranks)
    return sorted(found, key=lambda case: (case.opened_at, case.key))


def tier_ranks() -> dict[int, int]:
    """The rank of each team's tier on the ladder, by team."""
    rows = Team.objects.filter(tier__rank__isnull=False).values_list("pk", "tier__rank")
    return {team_id: rank for team_id, rank in rows if rank is not None}


def _cases(tickets: QuerySet[Ticket], ranks: Mapping[int, int]) -> Iterator[Case]:
    listed = list(tickets)
    told = told_of([ticket.pk for ticket in listed])
    for ticket in listed:
        yield case_of(ticket, told[ticket.pk], ranks)


def told_of(ticket_ids: Sequence[int], *, only_birth: bool = False) -> dict[int, Told]:
    """What is told of these tickets; three queries. `only_birth` reads their first events: one."""
    found: dict[int, Told] = defaultdict(Told)
    events = TimelineEvent.objects.filter(ticket__in=ticket_ids).order_by("ticket_id", "seq")
    if only_birth:
        events = events.filter(seq__lte=BIRTH)
    columns = ("ticket_id", "seq", "at", "kind", "actor_id", "canonical")
    rows = events.values_list(*columns)
    # A cursor of its own costs more than a few births, and saves much on the whole of many lives.
    for ticket_id, *event, canonical in rows if only_birth else rows.iterator():
        _add(found[ticket_id], event, orjson.loads(canonical)["facts"])
    if not only_birth:
        _add_ends(found, ticket_ids)
    return found


def _add(told: Told, event: Sequence[Any], facts: Mapping[str, Any]) -> None:
    seq, at, kind, actor_id = event
    before = told.states[-1][1] if told.states else {}
    state = {**before, **facts.get("set", {})}
    told.states.append((at, state))
    if kind == EventKind.OPENED:
        told.opener_id = actor_id
        told.birth = {**state, **{name: facts.get("log", {}).get(name, "") for name in LOGGED}}
    elif seq <= BIRTH and told.birth.get("team_id") is None and state.get("team_id") is not None:
        told.birth["team_id"] = state["team_id"]


def _add_ends(found: dict[int, Told], ticket_ids: Sequence[int]) -> None:
    clocks = Clock.objects.filter(ticket__in=ticket_ids, kind=ClockKind.RESOLUTION)
    rows = clocks.order_by("ticket_id", "-cycle")
    for ticket_id, target_s, missed_at in rows.values_list("ticket_id", "target_s", "breached_at"):
        told = found[ticket_id]
        told.target_s = float(target_s)
        told.missed_at = min(filter(None, (told.missed_at, missed_at)), default=None)
    up = Escalation.objects.filter(
        ticket__in=ticket_ids,
        type=Escalation.Type.FUNCTIONAL,
        to_team__tier__rank__gt=F("from_team__tier__rank"),
    )
    for ticket_id, at in up.order_by("opened_at").values_list("ticket_id", "opened_at"):
        found[ticket_id].climbed_at.append(at)


def opening_of(ticket: Ticket, told: Told) -> Opening:
    """The ticket at its opening, as it was told then."""
    return Opening(ticket.key, ticket.opened_at, facts_of(ticket, told))


def facts_of(ticket: Ticket, told: Told) -> dict[str, str]:
    """The facts that were known at opening, by the names that risk is learned by."""
    birth = told.birth
    return {
        "service": _text(birth.get("service_id")),
        "category": _text(birth.get("category_id")),
        "symptom": _text(birth.get("symptom")),
        "location": _text(birth.get("location")),
        "source": ticket.source,
        "kind": _text(birth.get("kind")) or ticket.kind,
        "team": _text(birth.get("team_id")),
        "requester": str(ticket.requester_id),
        "opener": _text(told.opener_id),
        "organisation": _text(birth.get("organisation_id")),
        "asset": ticket.asset,
        "priority": _text(birth.get("priority")),
        "impact": _text(birth.get("impact")),
        "urgency": _text(birth.get("urgency")),
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def case_of(ticket: Ticket, told: Told, ranks: Mapping[int, int]) -> Case:
    """The ticket as a case: bad once it missed its target or climbed, good once it was solved."""
    bad_at = told.bad_at
    over_at = ticket.resolved_at if ticket.status in OVER else None
    known_at = bad_at or over_at
    return Case(
        key=ticket.key,
        opened_at=ticket.opened_at,
        facts=facts_of(ticket, told),
        over_at=over_at,
        ended_badly=bad_at is not None if known_at is not None else None,
        known_at=known_at,
        moments=list(_moments(ticket, told, ranks, over_at)),
    )


def _moments(
    ticket: Ticket, told: Told, ranks: Mapping[int, int], over_at: datetime | None
) -> Iterator[Moment]:
    """How it stood after each of its later events, until it was missed or over."""
    end = min(filter(None, (told.missed_at, over_at)), default=None)
    told_of_it = [(number, *state) for number, state in enumerate(told.states, start=1)]
    since = [each for each in told_of_it if each[1] > ticket.opened_at]
    for events, at, state in since[:PER_CASE]:
        if end is not None and at >= end:
            return
        figures = figures_of(
            state,
            age_s=(at - ticket.opened_at).total_seconds(),
            target_s=told.target_s,
            rank=ranks.get(state.get("team_id") or 0),
            events=events,
        )
        bad = told.missed_at is not None or any(climbed > at for climbed in told.climbed_at)
        known = bad or over_at is not None
        yield Moment(at=at, figures=figures, ended_badly=bad if known else None)
