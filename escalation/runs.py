"""Climbs: started, kept true to their ticket, stopped; and what each of them will do next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from escalation import rules
from escalation.clock import crossing
from escalation.models import Clock, Firing, Policy, PolicyStep, Run
from escalation.sla import cycle_of
from roles.calendars import work_calendar
from roles.worktime import ALWAYS
from tickets import states
from tickets.models import EventKind, Origin, Ticket
from tickets.timeline import Entry, instant_text

WRITTEN = (
    "state",
    "stopped_at",
    "stop_reason",
    "matched_on",
    "loop",
    "entry",
    "waiting_since",
    "frozen",
    "rung",
    "base_position",
    "was_acknowledged",
    "next_at",
    "epoch",
)


@dataclass(slots=True)
class Kept:
    """What keeping the runs of some tickets true came to; nothing of it is saved yet."""

    fresh: list[Run] = field(default_factory=list)
    changed: list[Run] = field(default_factory=list)
    entries: dict[int, list[Entry]] = field(default_factory=dict)

    def tell(self, ticket: Ticket, kind: str, run: Run, **facts: Any) -> None:
        about = {"policy": run.policy.slug, "revision": run.revision_id, **facts}
        self.entries.setdefault(ticket.pk, []).append(Entry(kind=kind, facts=about))


def policy_facts(ticket: Ticket) -> dict[str, Any]:
    """The facts of a ticket by which a policy matches; only their change matches anew."""
    return {
        "kind": ticket.kind,
        "priority": ticket.priority,
        "impact": ticket.impact,
        "service": ticket.service.slug if ticket.service else None,
        "category": ticket.category.slug if ticket.category else None,
        "organisation": ticket.organisation.slug if ticket.organisation else None,
        "vip": ticket.requester.is_vip,
        "restricted": ticket.restricted,
        "source": ticket.source,
        "tags": sorted(ticket.tags),
    }


def keep_runs(tickets: Sequence[Ticket], active: Iterable[Run], at: datetime) -> Kept:
    """Start, stop, supersede or adjust the runs of locked tickets so that they fit their facts.

    `active` are the locked open runs of these tickets. Idempotent.
    """
    kept = Kept()
    by_ticket: dict[int, list[Run]] = {}
    for run in active:
        by_ticket.setdefault(run.ticket_id, []).append(run)
    published = Policy.objects.filter(is_active=True, current__isnull=False)
    policies = list(published.select_related("current").order_by("position", "id"))
    for ticket in tickets:
        mine = by_ticket.get(ticket.pk, [])
        if not ticket.is_open or ticket.origin == Origin.IMPORTED or ticket.team is None:
            for run in mine:
                reason = states.LABELS[ticket.status].lower()
                _end(kept, ticket, run, state=Run.State.STOPPED, reason=reason, at=at)
        else:
            _fit(kept, ticket, mine, policies, at)
    return kept


def _fit(
    kept: Kept, ticket: Ticket, mine: Sequence[Run], policies: Sequence[Policy], at: datetime
) -> None:
    facts = policy_facts(ticket)
    staying = [run for run in mine if run.matched_on == facts]
    asked_anew = [run for run in mine if run.matched_on != facts]
    fitting = [
        item for item in policies if item.current and rules.matches(item.current.conditions, facts)
    ]
    main = next((item for item in fitting if item.mode == Policy.Mode.MAIN), None)
    heir_of: Run | None = None
    for run in asked_anew:
        wanted = run.policy_id in {item.pk for item in fitting}
        if run.is_main and (main is None or run.policy_id != main.pk):
            wanted = False
        if wanted:
            run.matched_on = facts
            staying.append(run)
        else:
            if run.is_main:
                heir_of = run
            reason = "another policy applies"
            _end(kept, ticket, run, state=Run.State.SUPERSEDED, reason=reason, at=at)
    if staying and not asked_anew:
        fitting = []  # A policy published meanwhile waits until the ticket's facts change.
    held = {run.policy_id for run in staying}
    has_main = any(run.is_main for run in staying)
    for policy in fitting:
        is_main = policy.mode == Policy.Mode.MAIN
        if policy.pk in held or (is_main and (has_main or policy is not main)):
            continue
        _start(kept, ticket, policy, facts, at, heir_of=heir_of if is_main else None)
    for run in staying:
        _adjust(run, ticket, at)
        kept.changed.append(run)


def _start(
    kept: Kept,
    ticket: Ticket,
    policy: Policy,
    facts: Mapping[str, Any],
    at: datetime,
    *,
    heir_of: Run | None,
) -> None:
    """Begin a climb; one that supersedes another takes over its waiting and its pauses."""
    run = Run(
        ticket=ticket,
        policy=policy,
        revision=policy.current,
        is_main=policy.mode == Policy.Mode.MAIN,
        matched_on=dict(facts),
        started_at=at,
        entry=ticket.entry,
        waiting_since=ticket.entered_at or at,
        was_acknowledged=ticket.is_acknowledged,
    )
    if heir_of is not None and heir_of.entry == ticket.entry:
        run.waiting_since, run.frozen = heir_of.waiting_since, heir_of.frozen
    _freeze(run, ticket)
    kept.fresh.append(run)
    kept.tell(ticket, EventKind.RUN_STARTED, run, name=policy.name)


def _end(
    kept: Kept, ticket: Ticket, run: Run, *, state: Run.State, reason: str, at: datetime
) -> None:
    run.state, run.stopped_at, run.stop_reason = state, at, reason
    run.next_at = None
    kept.changed.append(run)
    kept.tell(ticket, EventKind.RUN_STOPPED, run, name=run.policy.name, because=reason)


def _adjust(run: Run, ticket: Ticket, at: datetime) -> None:
    if run.entry != ticket.entry:
        run.entry, run.loop, run.rung, run.base_position = ticket.entry, 1, 0, 0
        run.waiting_since, run.frozen = ticket.entered_at or at, []
    elif run.was_acknowledged and not ticket.is_acknowledged:
        # Pages resume at the rung they had reached, in a loop of its own; where none had been
        # reached yet, the waiting begins anew.
        if run.rung:
            run.loop += 1
            run.base_position = run.rung
        run.waiting_since, run.frozen = at, []
    run.was_acknowledged = ticket.is_acknowledged
    _freeze(run, ticket)


def _freeze(run: Run, ticket: Ticket) -> None:
    """Keep the intervals in which a pending status held the unacknowledged steps."""
    is_frozen = bool(run.frozen) and run.frozen[-1][1] is None
    since = instant_text(max(ticket.status_since, run.waiting_since))
    if ticket.status in states.PENDING and not is_frozen:
        run.frozen = [*run.frozen, [since, None]]
    elif ticket.status not in states.PENDING and is_frozen:
        run.frozen = [*run.frozen[:-1], [run.frozen[-1][0], since]]


# ---- What comes next ---------------------------------------------------------------------------


def steps_of(revision_ids: Iterable[int]) -> dict[int, list[rules.Step]]:
    """The steps of some revisions, in order, by revision id."""
    found: dict[int, list[rules.Step]] = {}
    rows = PolicyStep.objects.filter(revision__in=set(revision_ids))
    for row in rows.order_by("revision_id", "position"):
        found.setdefault(row.revision_id, []).append(step_of(row))
    return found


def step_of(row: PolicyStep) -> rules.Step:
    """A stored step as the decision sees it."""
    return rules.Step(
        id=row.pk,
        position=row.position,
        name=row.name,
        trigger=row.trigger,
        clock=row.clock,
        percent=row.percent or 0,
        status=row.status,
        delay_s=row.delay_s or 0,
        basis=row.basis,
        actions=tuple(row.actions),
    )


@dataclass(frozen=True, slots=True)
class Prospect:
    """One run with its steps still to come, soonest first."""

    run: Run
    view: rules.RunView
    steps: Sequence[rules.Step]
    coming: Sequence[rules.Due]


def prospects(
    runs: Sequence[Run],
    tickets: Mapping[int, Ticket],
    clocks: Mapping[int, Sequence[Clock]],
) -> list[Prospect]:
    """What each active run has still to do; three queries, whatever the number of runs."""
    steps = steps_of(run.revision_id for run in runs)
    done: dict[int, dict[tuple[int, int, int], str]] = {run.pk: {} for run in runs}
    rows = Firing.objects.filter(run__in=list(done)).values_list(
        "run_id", "loop", "step_id", "entry", "outcome"
    )
    for run_id, loop, step_id, entry, outcome in rows:
        done[run_id][loop, step_id, entry] = outcome
    found = []
    for run in runs:
        ticket = tickets[run.ticket_id]
        view = _view(run, ticket, done[run.pk])
        coming = rules.dues(
            view,
            steps.get(run.revision_id, []),
            clock_views(clocks.get(ticket.pk, [])),
            team_calendar(ticket),
        )
        found.append(Prospect(run, view, steps.get(run.revision_id, []), coming))
    return found


def team_calendar(ticket: Ticket) -> Any:
    """The working calendar of the team that has the ticket; wall time without one."""
    revision_id = ticket.team.calendar.current_id if ticket.team else None
    return work_calendar(revision_id) if revision_id else ALWAYS


def clock_views(rows: Iterable[Clock]) -> dict[str, rules.ClockView]:
    """The latest cycle of each kind of clock, as steps see it."""
    views: dict[str, rules.ClockView] = {}
    for row in sorted(rows, key=lambda item: item.cycle):
        cycle, calendar = cycle_of(row), work_calendar(row.calendar_id)
        views[row.kind] = rules.ClockView(
            cycle=row.cycle,
            target_s=row.target_s,
            is_live=row.stopped_at is None,
            crossing=partial(crossing, cycle, calendar),
        )
    return views


def _view(run: Run, ticket: Ticket, done: Mapping[tuple[int, int, int], str]) -> rules.RunView:
    return rules.RunView(
        loop=run.loop,
        entry=ticket.entry,
        entry_origin=ticket.entry_origin,
        waiting_since=run.waiting_since,
        frozen=tuple(
            (datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None)
            for since, until in run.frozen
        ),
        is_acknowledged=ticket.is_acknowledged,
        status=ticket.status,
        status_since=ticket.status_since,
        status_entry=ticket.status_entry,
        priority=ticket.priority,
        repeat_limit=run.revision.repeat_limit,
        repeat_after_s=run.revision.repeat_after_s,
        base_position=run.base_position,
        done=done,
    )


def index_of(ticket: Ticket, next_ats: Iterable[datetime | None]) -> bool:
    """Set the ticket's next-step column from its runs; whether that changed anything."""
    known = [at for at in next_ats if at is not None]
    soonest = min(known) if known else None
    if ticket.next_step_at == soonest:
        return False
    ticket.next_step_at = soonest
    return True
