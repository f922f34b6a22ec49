"""Never silent: every open P1 and P2 has a next step that reaches somebody, or an alarm is raised.

What counts as next: the coming step of any climb, if it does work by itself or reaches somebody of
the service over a channel that works; for a rung that reaches nobody, the rungs after it, because
the engine goes on to them at once. A climb that is snoozed goes on at a known moment, a child of a
major incident is carried by its parent. With no step left, a pending ticket is next at its wake-up
time, and one that somebody has acknowledged at its next deadline, in that person's hands; when
that has passed without an end, it is silent.

The watch is set-based: one statement finds tickets without a step, one groups the coming steps by
what decides whom they reach, and only those few that look empty are judged one by one.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Case, Exists, F, Min, OuterRef, Q, QuerySet, Value, When

from escalation import gaps, owed, quarantine, runs
from escalation.alarms import raise_alarm
from escalation.glance import beat
from escalation.models import Heartbeat, PolicyStep, Quarantine, Run, Silence
from escalation.reactions import heal, load_around
from escalation.routes import Routes
from escalation.steps import UNACKNOWLEDGED, Step
from escalation.targets import People
from notifications.outbox import withdraw
from notifications.reach import unreachable
from roles.instants import TimeSource, database_now
from tickets import alertcare, states
from tickets.models import Origin, Ticket

log = logging.getLogger(__name__)

URGENT: Final = 2
BATCH: Final = 500
"""At most so many tickets are judged one by one in a pass; the next pass takes the others."""
WATCH: Final = "watch"
NOT_BEFORE: Final = timedelta(seconds=20)
TELLING: Final = ("page", "notify", "involve")
HANDS: Final[Mapping[str, str]] = {
    "assignee": "ticket__assignee",
    "owner": "ticket__owner",
    "requester": "ticket__requester",
}
"""Targets that mean another person on each ticket."""


def urgent_tickets() -> QuerySet[Ticket]:
    """The open P1 and P2 that policies look after; quarantined ones have had their alarm."""
    rows = Ticket.objects.filter(
        status__in=sorted(states.OPEN), priority__lte=URGENT, origin=Origin.LIVE
    )
    return rows.exclude(pk__in=Quarantine.objects.filter(since__isnull=False).values("ticket"))


def run_watch(*, clock: TimeSource = database_now) -> int:
    """One pass unless somebody has just done one; returns how many alarms were raised."""
    last = last_watch_at()
    now = clock()
    if last is not None and now - last < NOT_BEFORE:
        return 0
    raised = watch(clock=clock)
    for reminder in (gaps.warn_now_and_then, owed.remind, alertcare.look_after):
        try:
            reminder(clock=clock)
        except Exception:
            log.exception("%s failed; it is tried again at the next watch.", reminder.__module__)
    beat(WATCH, at=clock())
    return raised


def last_watch_at() -> datetime | None:
    """When a watch last finished, by the database's clock."""
    return Heartbeat.objects.filter(name=WATCH).values_list("at", flat=True).first()


def watch(*, clock: TimeSource = database_now) -> int:
    """Raise an alarm for each urgent ticket that has fallen silent, and end what is over."""
    now = clock()
    for held in quarantine.untold():
        quarantine.tell_of(held, now)
    heal(_unknown(), clock=clock)
    silent = set(Silence.objects.filter(ended_at=None).values_list("ticket_id", flat=True))
    looks_empty = [*_without_step(), *_reaching_nobody(now)]
    fresh = [pk for pk in dict.fromkeys(looks_empty) if pk not in silent]
    raised = 0
    for ticket_ids in _batches(sorted(silent)):
        _look_anew(_end_those_over(ticket_ids, clock), clock)
    for ticket_id in fresh[:BATCH]:
        try:
            raised += _alarm(ticket_id, clock)
        except Exception:
            log.exception("The alarm for silent ticket %s could not be raised.", ticket_id)
    return raised


def _batches(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]


# ---- Which tickets look empty ------------------------------------------------------------------


def _unknown() -> list[int]:
    """Tickets whose climb has a next look but not the step noted, as after an upgrade."""
    rows = Run.objects.filter(
        state=Run.State.ACTIVE, held="", next_at__isnull=False, next_step=None
    ).filter(ticket__in=urgent_tickets())
    return list(rows.order_by("ticket").values_list("ticket_id", flat=True)[:BATCH])


def _without_step() -> list[int]:
    """Urgent tickets on which no climb has anything to come."""
    going = Run.objects.filter(ticket=OuterRef("pk"), state=Run.State.ACTIVE).filter(
        Q(next_at__isnull=False) | Q(held=Run.Hold.MAJOR)
    )
    rows = urgent_tickets().filter(~Exists(going))
    return list(rows.order_by("priority", "id").values_list("pk", flat=True)[: 2 * BATCH])


def _reaching_nobody(now: datetime) -> list[int]:
    """Urgent tickets whose coming step seems to reach nobody: one judgement for many tickets.

    Tickets on which the same step means the same people make one group, judged by a sample.
    """
    coming = Run.objects.filter(
        state=Run.State.ACTIVE, held="", next_step__isnull=False, ticket__in=urgent_tickets()
    )
    step_ids = list(coming.order_by().values_list("next_step", flat=True).distinct())
    if not step_ids:
        return []
    ladders = _ladders(step_ids)
    keys = _keys(ladders)
    groups = list(
        coming.order_by().values("next_step", "ticket__team", **keys).annotate(sample=Min("ticket"))
    )
    samples = _load(group["sample"] for group in groups)
    judge = Judge(list(samples.values()), now)
    empty = [
        group
        for group in groups
        if group["sample"] in samples
        and judge.of_steps(samples[group["sample"]], ladders[group["next_step"]])
    ]
    found: list[int] = []
    for group in empty[:50]:
        same = {name: value for name, value in group.items() if name != "sample"}
        members = coming.annotate(**keys).filter(
            **{name: value for name, value in same.items() if value is not None},
            **{f"{name}__isnull": True for name, value in same.items() if value is None},
        )
        found += members.order_by("ticket").values_list("ticket_id", flat=True)[:BATCH]
    return found


def _ladders(step_ids: Sequence[int]) -> dict[int, list[Step]]:
    """Each coming step with the steps that go at once when it reaches nobody."""
    rows = PolicyStep.objects.filter(pk__in=set(step_ids))
    revisions = set(rows.values_list("revision_id", flat=True))
    found = {}
    for steps in runs.steps_of(revisions).values():
        for step in steps:
            if step.id in step_ids:
                found[step.id] = [step, *_after(step, steps)]
    return found


def _after(step: Step, steps: Iterable[Step]) -> list[Step]:
    if step.trigger != UNACKNOWLEDGED:
        return []
    return [
        other
        for other in steps
        if other.trigger == UNACKNOWLEDGED
        and (other.delay_s, other.position) > (step.delay_s, step.position)
    ]


def _keys(ladders: Mapping[int, Sequence[Step]]) -> dict[str, Any]:
    """What beside step and team decides whom a step reaches, as columns to group by."""
    using: dict[str, list[int]] = {name: [] for name in (*HANDS, "watchers", "next_tier")}
    for step_id, steps in ladders.items():
        goals = {goal for step in steps for goal in _goals(step)}
        for name, ids in using.items():
            if name in goals:
                ids.append(step_id)
    keys = {
        f"key_{name}": Case(When(next_step__in=using[name], then=F(path)), default=None)
        for name, path in HANDS.items()
    }
    for name in ("service", "category"):
        keys[f"key_{name}"] = Case(
            When(next_step__in=using["next_tier"], then=F(f"ticket__{name}")), default=None
        )
    keys["key_owner_team"] = Case(
        When(next_step__in=using["owner"], then=F("ticket__owner_team")), default=None
    )
    own = Q(ticket__restricted=True) | Q(next_step__in=using["watchers"])
    keys["key_own"] = Case(When(own, then=F("ticket")), default=Value(0))
    return keys


def _goals(step: Step) -> set[str]:
    goals: set[str] = set()
    for action in step.actions:
        to = action.get("to")
        goals |= {str(goal).partition(":")[0] for goal in (to if isinstance(to, list) else [to])}
    return goals


# ---- Judging -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answer:
    works: bool
    reason: str = ""


class Judge:
    """Says why nothing would happen on a ticket, or nothing; reads people and routes once."""

    def __init__(self, tickets: Sequence[Ticket], now: datetime) -> None:
        self.now = now
        self.people = People(tickets, now)
        self.routes = Routes()
        self._unreachable: dict[int, str] = {}

    def of_ticket(self, ticket: Ticket, climbs: Sequence[Run], ladders: Mapping[int, Any]) -> str:
        """Why the ticket is silent; empty when something is to come."""
        if any(
            run.held and (run.held_until is None or run.held_until > self.now) for run in climbs
        ):
            return ""
        coming = [run.next_step_id for run in climbs if run.next_step_id]
        reasons = [self.of_steps(ticket, ladders[step_id]) for step_id in coming]
        if coming:
            return "" if not all(reasons) else reasons[0]
        if ticket.wake_at is not None and ticket.wake_at > self.now:
            return ""
        return self._in_somebodys_hands(ticket, "No step is left" if climbs else "No policy runs")

    def of_steps(self, ticket: Ticket, ladder: Sequence[Step]) -> str:
        """Why this coming step, and those that follow it at once, come to nobody."""
        reasons = []
        for step in ladder:
            answer = self._of_step(ticket, step)
            if answer.works:
                return ""
            reasons.append(f"“{step.name}” would reach nobody ({answer.reason})")
        return "; ".join(reasons)

    def _of_step(self, ticket: Ticket, step: Step) -> _Answer:
        team, left_out, tells = None, [], False
        for action in step.actions:
            verb, goal = action["do"], action.get("to")
            if verb == "move":
                best = self.routes.next_tier(ticket) if goal == "next_tier" else None
                team = best.team if best else self.people.by_slug.get(str(goal)[5:])
                if team is None:
                    return _Answer(False, "there is no next tier")
                if not team.is_active:
                    return _Answer(False, f"{team} takes none")
                if team.pk != ticket.team_id:
                    return _Answer(True)
                tells = True
                left_out.append(f"{team} has the ticket already")
            if verb in TELLING:
                tells = True
                found = self.people.find(ticket, goal or [])
                left_out += found.left_out
                for item in found.people:
                    why = self._why_not(item.person_id)
                    if not self.people.is_insider(item.person_id):
                        why = why or "does not work here"
                    if not why:
                        return _Answer(True)
                    left_out.append(f"{item.name} ({item.role}): {why}")
        return _Answer(not tells, "; ".join(left_out))

    def _why_not(self, person_id: int) -> str:
        """Why somebody cannot be reached; empty for who can. Each is looked up once."""
        if person_id not in self._unreachable:
            known = {*self.people.people, person_id} - self._unreachable.keys()
            reasons = unreachable(known, self.now)
            self._unreachable |= {pk: reasons.get(pk, "") for pk in known}
        return self._unreachable[person_id]

    def _in_somebodys_hands(self, ticket: Ticket, what: str) -> str:
        """An acknowledged ticket is next at its deadline, if whoever has it can be reached."""
        holder = ticket.assignee_id or ticket.acknowledged_by_id
        if not ticket.is_acknowledged or holder is None:
            return f"{what}, and nobody has acknowledged it."
        if why := self._why_not(holder):
            return f"{what}, and whoever acknowledged it {why}."
        if ticket.next_due_at is None or ticket.next_due_at <= self.now:
            return f"{what}, and no deadline is ahead; whoever acknowledged it is not reminded."
        return ""


def _load(ticket_ids: Iterable[int]) -> dict[int, Ticket]:
    tickets = Ticket.objects.in_bulk(list(set(ticket_ids)))
    load_around(list(tickets.values()))
    return tickets


def reasons_of(ticket_ids: Iterable[int], now: datetime) -> dict[int, str]:
    """Why each of these tickets is silent, as it stands now; "" for one that is not.

    A ticket that is not open, not urgent or not live any more is not silent.
    """
    ids = list(ticket_ids)
    watched = set(urgent_tickets().filter(pk__in=ids).values_list("pk", flat=True))
    tickets = _load(watched)
    if not tickets:
        return dict.fromkeys(ids, "")
    climbs: dict[int, list[Run]] = {pk: [] for pk in tickets}
    for run in Run.objects.filter(ticket__in=tickets, state=Run.State.ACTIVE).order_by("id"):
        climbs[run.ticket_id].append(run)
    step_ids = [run.next_step_id for every in climbs.values() for run in every if run.next_step_id]
    ladders, judge = _ladders(step_ids), Judge(list(tickets.values()), now)
    told = {pk: judge.of_ticket(tickets[pk], climbs[pk], ladders) for pk in tickets}
    return {pk: told.get(pk, "") for pk in ids}


# ---- Writing -----------------------------------------------------------------------------------


@transaction.atomic
def _alarm(ticket_id: int, clock: TimeSource) -> int:
    """Tell the fallback, once for this silence; the ticket is judged again under its lock."""
    rows = Ticket.objects.filter(pk=ticket_id)
    ticket = rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
    if ticket is None or Silence.objects.filter(ticket=ticket, ended_at=None).exists():
        return 0
    now = clock()
    reason = reasons_of([ticket.pk], now)[ticket.pk]
    if not reason:
        return 0
    silence = Silence.objects.create(ticket=ticket, since=now, reason=reason[:500])
    raise_alarm(
        cause=silence.cause,
        ticket=ticket,
        subject="Nothing will happen here by itself",
        body=f"{reason}\n\nSomebody has to take it, or a policy must reach somebody.",
        now=now,
    )
    return 1


@transaction.atomic
def _end_those_over(ticket_ids: Sequence[int], clock: TimeSource) -> list[int]:
    """End the silences whose tickets have a next step again, and take back unsent alarms.

    Returns the ids of those tickets.
    """
    now = clock()
    over = [pk for pk, reason in reasons_of(ticket_ids, now).items() if not reason]
    rows = Silence.objects.filter(ticket__in=over, ended_at=None).select_related("ticket")
    ended = list(rows.select_for_update(of=("self",)))
    if ended:
        Silence.objects.filter(pk__in=[row.pk for row in ended]).update(ended_at=now)
        withdraw(
            topics=[row.ticket.topic for row in ended],
            causes=[row.cause for row in ended],
            reason="something is to come again",
            now=now,
        )
    return [row.ticket_id for row in ended]


@transaction.atomic
def _look_anew(ticket_ids: Sequence[int], clock: TimeSource) -> None:
    """Judge at once what was put off until a shift that was far when nobody could be reached."""
    if not ticket_ids:
        return
    rows = Ticket.objects.filter(pk__in=ticket_ids).order_by("id")
    locked = [ticket.pk for ticket in rows.select_for_update(no_key=True, of=("self",))]
    put_off = Run.objects.filter(ticket__in=locked, state=Run.State.ACTIVE).exclude(postponed={})
    if put_off.update(postponed={}):
        heal(locked, clock=clock)
