"""Says of open tickets how likely they end badly: at opening, after every event, and hourly.

What it finds stands in `Estimate`, for people, and in `TicketFact`, for steps of policies: it acts
through a policy's step on risk and through nothing else. Restricted tickets have no estimate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.query import QuerySet

from escalation import reactions
from escalation.models import Clock, ClockKind, PolicyStep, Run, TicketFact
from insights.risk.backlog import Backlog, estimable
from insights.risk.cases import Opening
from insights.risk.learning import Judge, chance_of, restored_judge
from insights.risk.memory import Memory, recalled
from insights.risk.models import Estimate, RiskModel
from insights.risk.own import opening_of, told_of
from insights.risk.progress import NAMES, figures_of, row_of
from insights.risk.reasons import Reason, reasons_of, stored_reasons
from insights.risk.trees import Forest, restored
from roles.instants import TimeSource, database_now
from tickets.models import Ticket

BATCH: Final = 200
STALE: Final = timedelta(hours=1)
"""Time passes without an event, too: so old an estimate is made anew."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """One version, ready to be asked."""

    model: RiskModel
    memory: Memory
    judge: Judge
    progress: Forest | None
    backlog: Backlog = field(default_factory=Backlog)


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
        estimate(ids, model=model, clock=clock)
        done += len(ids)
        if len(ids) < BATCH:
            break
    return done


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


def estimate(
    ticket_ids: Sequence[int],
    *,
    model: RiskModel | None = None,
    clock: TimeSource = database_now,
) -> list[Estimate]:
    """Estimate these tickets by `model`, or by the version that is used; [] while none is.

    Steps of policies that go by risk are looked at anew in the same transaction, of tickets whose
    risk has changed. As many statements for any number of tickets.
    """
    model = model or current_model()
    if model is None:
        return []
    oracle, now = oracle_of(model.pk), clock()
    tickets = _read(ticket_ids)
    said = say(oracle, tickets, now)
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
    risks = {row.ticket_id: round(100 * row.probability) for row in rows}
    moved = [ticket.pk for ticket in tickets if ticket.stored_risk != risks[ticket.pk]]
    with transaction.atomic():
        _store(rows, risks)
        _wake(moved, clock)
    return rows


def _read(ticket_ids: Sequence[int]) -> list[Any]:
    """What an estimate reads of each ticket, its target, its team's tier and its risk so far."""
    targets = Clock.objects.filter(ticket=OuterRef("pk"), kind=ClockKind.RESOLUTION)
    rows = estimable().filter(pk__in=ticket_ids).only(*STATE, *AROUND).order_by("pk")
    return list(
        rows.annotate(
            target_s=Subquery(targets.order_by("-cycle").values("target_s")[:1]),
            tier_rank=F("team__tier__rank"),
            stored_risk=F("estimate__risk"),
        )
    )


def _store(rows: Sequence[Estimate], risks: Mapping[int, int]) -> None:
    if not rows:
        return
    Estimate.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["ticket"],
        update_fields=["model", "probability", "at_opening", "reasons", "seq", "at"],
    )
    facts = [
        TicketFact(ticket_id=row.ticket_id, risk=risks[row.ticket_id], at=row.at) for row in rows
    ]
    TicketFact.objects.bulk_create(
        facts, update_conflicts=True, unique_fields=["ticket"], update_fields=["risk", "at"]
    )


def _wake(ticket_ids: Sequence[int], clock: TimeSource) -> None:
    """Let the policies of those tickets look that have a step on risk."""
    if not ticket_ids:
        return
    asking = Run.objects.filter(
        ticket__in=ticket_ids,
        state=Run.State.ACTIVE,
        revision__steps__trigger=PolicyStep.Trigger.RISK,
    )
    concerned = sorted(set(asking.values_list("ticket_id", flat=True)))
    if concerned:
        reactions.heal(concerned, clock=clock)


# ---- What is said --------------------------------------------------------------------------------


def say(oracle: Oracle, tickets: Sequence[Any], now: datetime) -> dict[int, Said]:
    """What an oracle says of these tickets at this moment, by ticket id; two queries at most.

    `tickets` are read by `_read`: they know their target and the rank of their team's tier.
    """
    told = told_of([ticket.pk for ticket in tickets], only_birth=True)
    memory = oracle.memory.under(oracle.backlog.at(now))
    found = {}
    for ticket in tickets:
        opening = opening_of(ticket, told[ticket.pk])
        # What is told in the instant of opening is no news yet.
        is_under_way = ticket.last_event_at is not None and ticket.last_event_at > ticket.opened_at
        figures = _figures(ticket, now) if is_under_way else None
        found[ticket.pk] = _said(oracle, opening, figures, memory)
    return found


def _figures(ticket: Any, now: datetime) -> dict[str, float]:
    return figures_of(
        {name: getattr(ticket, name) for name in STATE},
        age_s=(now - ticket.opened_at).total_seconds(),
        target_s=ticket.target_s,
        rank=ticket.tier_rank,
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
AROUND: Final = (
    "key",
    "kind",
    "source",
    "asset",
    "requester_id",
    "team_id",
    "opened_at",
    "last_event_at",
    "last_seq",
)
"""Beside how it stands, what is read of a ticket; its words are not."""


def _said(
    oracle: Oracle, opening: Opening, figures: dict[str, float] | None, memory: Memory
) -> Said:
    opinion = oracle.judge.opinion(memory.features(opening))
    at_opening = probability = chance_of(opinion.log_odds)
    later: dict[str, float] = {}
    if oracle.progress is not None and figures is not None:
        after = row_of(figures, log_odds=opinion.log_odds, span=opinion.span)
        log_odds, moved = oracle.progress.explain(after)
        probability = chance_of(log_odds)
        later = {NAMES[place]: weight for place, weight in moved.items()}
    return Said(probability, at_opening, reasons_of(opinion.weights, opening, memory, later))


def open_estimates(tickets: QuerySet[Ticket]) -> QuerySet[Estimate, Any]:
    """The estimates of these tickets that are open, the likeliest first."""
    rows = Estimate.objects.filter(ticket__in=tickets.values("pk"), ticket__restricted=False)
    return rows.filter(ticket__in=estimable().values("pk")).order_by("-probability", "ticket")
