"""Says of open tickets how likely they end badly: at opening, after every event, and hourly.

What it finds stands in `Estimate`, for people, and in `TicketFact`, for steps of policies: it acts
through a policy's step on risk and through nothing else. Restricted tickets have no estimate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F, Q
from django.db.models.query import QuerySet

from escalation import reactions
from escalation.models import Clock, ClockKind, PolicyStep, Run, TicketFact
from insights.risk.cases import Opening
from insights.risk.learning import Judge, chance_of, restored_judge
from insights.risk.memory import LOADED, NOTHING, WHOLE, Memory, Seen, recalled
from insights.risk.models import Estimate, RiskModel
from insights.risk.own import opening_of, tier_ranks, told_of
from insights.risk.progress import NAMES, figures_of, row_of
from insights.risk.reasons import Reason, reasons_of, stored_reasons
from insights.risk.trees import Forest, restored
from roles.instants import TimeSource, database_now
from tickets.models import Origin, Ticket

BATCH: Final = 200
STALE: Final = timedelta(hours=1)
"""Time passes without an event, too: so old an estimate is made anew."""
LATELY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Oracle:
    """One version, ready to be asked."""

    model: RiskModel
    memory: Memory
    judge: Judge
    progress: Forest | None


@dataclass(frozen=True, slots=True)
class Said:
    """What an oracle says of one ticket."""

    probability: float
    at_opening: float
    reasons: Sequence[Reason]


def current_model() -> RiskModel | None:
    """The newest version, if it is used; what it learned is not read."""
    newest = RiskModel.objects.defer("learned").order_by("-pk").first()
    return newest if newest is not None and newest.is_used else None


@lru_cache(maxsize=2)
def oracle_of(model_id: int) -> Oracle:
    """The version of that id, ready; made once in a process, for it never changes."""
    model = RiskModel.objects.get(pk=model_id)
    learned = model.learned
    progress = restored(learned["progress"]) if learned["progress"] else None
    return Oracle(model, recalled(learned["memory"]), restored_judge(learned["judge"]), progress)


def estimate_waiting(*, clock: TimeSource = database_now) -> int:
    """Estimate every open ticket of which something new is known; how many there were.

    While no version is used, whatever was estimated before is taken away.
    """
    model = current_model()
    if model is None:
        return forget_estimates(Estimate.objects.all(), clock=clock)
    gone = Estimate.objects.exclude(ticket__in=estimable().values("pk"))
    forget_estimates(gone, clock=clock)
    done = 0
    while ids := list(_waiting(model, clock())[:BATCH]):
        estimate(ids, clock=clock)
        done += len(ids)
        if len(ids) < BATCH:
            break
    return done


def estimable() -> QuerySet[Ticket]:
    """The open tickets that may be estimated."""
    return Ticket.objects.open().filter(restricted=False, origin=Origin.LIVE)


def _waiting(model: RiskModel, now: datetime) -> QuerySet[Ticket, int]:
    old = (
        Q(foresight__isnull=True)
        | Q(foresight__seq__lt=F("last_seq"))
        | Q(foresight__at__lt=now - STALE)
        | ~Q(foresight__model=model.pk)
    )
    return estimable().filter(old).order_by("pk").values_list("pk", flat=True)


def forget_estimates(estimates: QuerySet[Estimate], *, clock: TimeSource = database_now) -> int:
    """Take these estimates away, so that no step goes by them; how many there were."""
    ids = list(estimates.values_list("pk", flat=True))
    if ids:
        with transaction.atomic():
            Estimate.objects.filter(pk__in=ids).delete()
            TicketFact.objects.filter(pk__in=ids).delete()
            _wake(ids, clock)
    return len(ids)


def estimate(ticket_ids: Sequence[int], *, clock: TimeSource = database_now) -> list[Estimate]:
    """Estimate these tickets by the version that is used; [] while none is.

    Steps of policies that go by risk are looked at anew in the same transaction.
    """
    model = current_model()
    if model is None:
        return []
    now = clock()
    tickets = list(estimable().filter(pk__in=ticket_ids).select_related("team").order_by("pk"))
    said = say(oracle_of(model.pk), tickets, now)
    rows = [
        Estimate(
            ticket=ticket,
            model=model,
            probability=said[ticket.pk].probability,
            at_opening=said[ticket.pk].at_opening,
            reasons=stored_reasons(said[ticket.pk].reasons),
            seq=ticket.last_seq,
            at=now,
        )
        for ticket in tickets
    ]
    with transaction.atomic():
        _store(rows)
        _wake([row.ticket_id for row in rows], clock)
    return rows


def _store(rows: Sequence[Estimate]) -> None:
    Estimate.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["ticket"],
        update_fields=["model", "probability", "at_opening", "reasons", "seq", "at"],
    )
    facts = [
        TicketFact(ticket_id=row.ticket_id, risk=round(100 * row.probability), at=row.at)
        for row in rows
    ]
    TicketFact.objects.bulk_create(
        facts, update_conflicts=True, unique_fields=["ticket"], update_fields=["risk", "at"]
    )


def _wake(ticket_ids: Sequence[int], clock: TimeSource) -> None:
    """Let the policies of those tickets look that have a step on risk."""
    asking = Run.objects.filter(
        ticket__in=ticket_ids,
        state=Run.State.ACTIVE,
        revision__steps__trigger=PolicyStep.Trigger.RISK,
    )
    concerned = sorted(set(asking.values_list("ticket_id", flat=True)))
    if concerned:
        reactions.heal(concerned, clock=clock)


# ---- What is said --------------------------------------------------------------------------------


def say(oracle: Oracle, tickets: Sequence[Ticket], now: datetime) -> dict[int, Said]:
    """What an oracle says of these tickets at this moment, by ticket id; six queries."""
    told = told_of([ticket.pk for ticket in tickets], only_birth=True)
    openings = {ticket.pk: opening_of(ticket, told[ticket.pk]) for ticket in tickets}
    memory = with_load(oracle.memory, list(openings.values()), now)
    targets, ranks = _targets(tickets), tier_ranks()
    found = {}
    for ticket in tickets:
        row = memory.features(openings[ticket.pk])
        # What is told in the instant of opening is no news yet.
        is_under_way = ticket.last_event_at is not None and ticket.last_event_at > ticket.opened_at
        figures = _figures(ticket, targets.get(ticket.pk), ranks, now) if is_under_way else None
        found[ticket.pk] = _said(oracle, openings[ticket.pk], row, figures, memory)
    return found


def _figures(
    ticket: Ticket, target_s: float | None, ranks: dict[int, int], now: datetime
) -> dict[str, float]:
    return figures_of(
        {name: getattr(ticket, name) for name in STATE},
        age_s=(now - ticket.opened_at).total_seconds(),
        target_s=target_s,
        rank=ranks.get(ticket.team_id or 0),
        events=ticket.last_seq,
    )


STATE: Final = (
    "status",
    "handover_count",
    "reopen_count",
    "chase_count",
    "priority",
    "acknowledged_by_id",
)


def _said(
    oracle: Oracle,
    opening: Opening,
    row: Sequence[float],
    figures: dict[str, float] | None,
    memory: Memory,
) -> Said:
    opinion = oracle.judge.opinion(row)
    at_opening = probability = chance_of(opinion.log_odds)
    later: dict[str, float] = {}
    if oracle.progress is not None and figures is not None:
        after = row_of(figures, log_odds=opinion.log_odds, span=opinion.span)
        log_odds, moved = oracle.progress.explain(after)
        probability = chance_of(log_odds)
        later = {NAMES[place]: weight for place, weight in moved.items()}
    return Said(probability, at_opening, reasons_of(opinion.weights, opening, memory, later))


def _targets(tickets: Sequence[Ticket]) -> dict[int, float]:
    clocks = Clock.objects.filter(
        ticket__in=[ticket.pk for ticket in tickets], kind=ClockKind.RESOLUTION
    )
    return dict(clocks.order_by("cycle").values_list("ticket_id", "target_s"))


def with_load(memory: Memory, openings: Sequence[Opening], now: datetime) -> Memory:
    """The memory with what is open and came in within a day, of what these openings name."""
    loaded = Memory()
    loaded.is_closed = True
    loaded.seen = {**memory.seen, WHOLE: memory.seen[WHOLE]}
    counts: dict[tuple[str, str], list[int]] = {}
    rows = estimable().order_by().values(*(f"{name}_id" for name in LOADED))
    lately = Count("pk", filter=Q(opened_at__gte=now - LATELY))
    for group in rows.annotate(open_now=Count("pk"), lately=lately):
        for name in LOADED:
            value = group[f"{name}_id"]
            total = counts.setdefault((name, "" if value is None else str(value)), [0, 0])
            total[0] += group["open_now"]
            total[1] += group["lately"]
    wanted = {(name, opening.facts.get(name, "")) for opening in openings for name in LOADED}
    for key in wanted:
        open_now, fresh = counts.get(key, (0, 0))
        loaded.seen[key] = _loaded(memory.seen.get(key, NOTHING), open_now, fresh, now)
    return loaded


def _loaded(known: Seen, open_now: int, fresh: int, now: datetime) -> Seen:
    at_s = now.timestamp()
    return Seen(
        known.judged, known.bad, known.timed, known.spans, known.as_of_s, open_now, fresh, at_s
    )


def open_estimates(tickets: QuerySet[Ticket]) -> QuerySet[Estimate, Any]:
    """The estimates of these tickets that are open, the likeliest first."""
    rows = Estimate.objects.filter(ticket__in=tickets.values("pk"), ticket__restricted=False)
    return rows.filter(ticket__in=estimable().values("pk")).order_by("-probability", "ticket")
