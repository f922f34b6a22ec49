"""Climbs as the decision sees them: each run with its steps, its clocks, and what it does next."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from escalation import rules
from escalation.clock import Cycle, crossing
from escalation.models import Clock, Firing, PolicyStep, Run
from escalation.sla import cycle_of
from escalation.steps import CALENDAR, LEFT_LOOP, Key, calendar_basis
from roles.calendars import work_calendar
from roles.models import Calendar
from roles.values import value
from roles.worktime import ALWAYS, WorkCalendar
from roles.written import Written, any_of
from tickets.models import Ticket

FIRED: Final = Written(
    lambda runs: Firing.objects.filter(any_of("run", runs)).values_list(
        "run_id", "loop", "step_id", "entry", "outcome", "left_entry"
    ),
    runs=list[int],
)


def policy_facts(ticket: Ticket) -> dict[str, Any]:
    """The facts of a ticket by which a policy matches; only their change matches anew."""
    service, category, organisation = ticket.service, ticket.category, ticket.organisation
    return {
        "kind": ticket.kind,
        "priority": ticket.priority,
        "impact": ticket.impact,
        "service": service.slug if service else None,
        "category": category.slug if category else None,
        "organisation": organisation.slug if organisation else None,
        "vip": ticket.requester.is_vip,
        "restricted": ticket.restricted,
        "major": ticket.is_major,
        "source": ticket.source,
        "tags": sorted(ticket.tags),
    }


def step_facts(ticket: Ticket) -> dict[str, Any]:
    """The facts that conditions of steps may ask for: also where the ticket is now."""
    return {
        **policy_facts(ticket),
        "team": ticket.team.slug if ticket.team else None,
        "tier": ticket.team.tier.slug if ticket.team else None,
        "status": ticket.status,
        "acknowledged": ticket.is_acknowledged,
    }


def steps_of(revision_ids: Iterable[int]) -> dict[int, list[rules.Step]]:
    """The steps of some revisions, in order, by revision id."""
    found: dict[int, list[rules.Step]] = {}
    rows = list(
        PolicyStep.objects.filter(revision__in=set(revision_ids)).order_by(
            "revision_id", "position"
        )
    )
    hours = _hours_of({row.basis for row in rows if row.basis.startswith(CALENDAR)})
    for row in rows:
        found.setdefault(row.revision_id, []).append(step_of(row, hours.get(row.basis)))
    return found


def _hours_of(bases: Collection[str]) -> dict[str, WorkCalendar]:
    """The hours now in force of the calendars that delays name; a query only where any does."""
    slugs = [basis.removeprefix(CALENDAR) for basis in bases]
    rows = Calendar.objects.filter(slug__in=slugs, current__isnull=False) if slugs else ()
    return {calendar_basis(row.slug): work_calendar(row.current_id) for row in rows}


def step_of(row: PolicyStep, hours: WorkCalendar | None = None) -> rules.Step:
    """A stored step as the decision sees it; `hours` are those that its delay names."""
    return rules.Step(
        id=row.pk,
        position=row.position,
        name=row.name,
        trigger=row.trigger,
        clock=row.clock,
        percent=row.percent or 0,
        status=row.status,
        remaining_s=row.remaining_s or 0,
        delay_s=row.delay_s or 0,
        count=row.count or 0,
        window_s=row.window_s or 0,
        same=row.same,
        basis=row.basis,
        hours=hours,
        conditions=tuple(row.conditions),
        gates=row.gates,
        actions=tuple(row.actions),
    )


_BASIS = attrgetter(
    "state",
    "loop",
    "entry",
    "waiting_since",
    "frozen",
    "base_position",
    "round",
    "lead_s",
    "started_at",
    "heard_at",
    "heard_entry",
    "reached",
    "postponed",
    "held",
    "held_until",
    "revision_id",
)


@value
class Prospect:
    """One run with its steps still to come, soonest first."""

    run: Run
    view: rules.RunView
    steps: Sequence[rules.Step]
    coming: Sequence[rules.Due]
    clocks: Mapping[str, rules.ClockView] = field(default_factory=dict)


def prospects(
    runs: Sequence[Run],
    tickets: Mapping[int, Ticket],
    clocks: Mapping[int, Sequence[Clock]],
) -> list[Prospect]:
    """What each active run has still to do, by its ticket's clock rows; two queries."""
    views = {ticket_id: clock_views(rows) for ticket_id, rows in clocks.items()}
    steps = steps_of(run.revision_id for run in runs)
    return foresee(runs, tickets, views, steps, done_by(runs))


def foresee(
    runs: Sequence[Run],
    tickets: Mapping[int, Ticket],
    clocks: Mapping[int, Mapping[str, rules.ClockView]],
    steps: Mapping[int, Sequence[rules.Step]],
    done: Mapping[int, Mapping[Key, str]],
) -> list[Prospect]:
    """What each active run has still to do, from what has been read; by ids of tickets and runs."""
    return [
        prospect_of(
            run,
            tickets[run.ticket_id],
            steps.get(run.revision_id, []),
            clocks.get(run.ticket_id, {}),
            done.get(run.id, {}),
        )
        for run in runs
    ]


def prospect_of(
    run: Run,
    ticket: Ticket,
    steps: Sequence[rules.Step],
    clocks: Mapping[str, rules.ClockView],
    done: Mapping[Key, str],
) -> Prospect:
    """What one run has still to do, from what it has done and from its ticket's clocks; pure."""
    # Facts are looked up only where a step asks: they may cost queries for bare tickets.
    facts = step_facts(ticket) if any(step.conditions for step in steps) else {}
    view = _view(run, ticket, done, facts)
    coming = rules.dues(view, steps, clocks, team_calendar(ticket))
    return Prospect(run, view, steps, coming, clocks)


def basis_of(run: Run) -> tuple[Any, ...]:
    """All of a run that its prospect goes by, to be compared."""
    return _BASIS(run)


def remaining(known: tuple[Prospect, tuple[Any, ...]], done: Mapping[Key, str]) -> Prospect | None:
    """What is left of a prospect once some of it is done, if nothing else has changed.

    `known` is the prospect and what it went by. None when it must be looked at anew: the run went
    on otherwise, or what a rung would have waited is not waited for because it came to nobody.
    """
    prospect, basis = known
    if basis_of(prospect.run) != basis:
        return None
    rest = []
    for due in prospect.coming:
        outcome = done.get(due.key)
        if outcome == rules.EMPTY and due.step.trigger == rules.UNACKNOWLEDGED:
            return None
        if outcome is None:
            rest.append(due)
    return Prospect(prospect.run, prospect.view, prospect.steps, rest, prospect.clocks)


def done_by(runs: Sequence[Run]) -> dict[int, dict[Key, str]]:
    """What each run has fired or skipped, by run id: also under a revision it was moved from."""
    done: dict[int, dict[Key, str]] = {
        run.id: {(loop, step_id, entry): outcome for loop, step_id, entry, outcome in run.carried}
        for run in runs
    }
    if not done:
        return done
    for run_id, loop, step_id, entry, outcome, left in FIRED.all(runs=list(done)):
        done[run_id][loop, step_id, entry] = outcome
        if left is not None:
            done[run_id][LEFT_LOOP, step_id, left] = outcome
    return done


def team_calendar(ticket: Ticket) -> Any:
    """The working calendar of the team that has the ticket; wall time without one."""
    revision_id = ticket.team.calendar.current_id if ticket.team else None
    return work_calendar(revision_id) if revision_id else ALWAYS


def clock_views(
    rows: Iterable[Clock], alike: dict[Any, "_Crossings"] | None = None
) -> dict[str, rules.ClockView]:
    """The latest cycle of each kind of clock, as steps see it, with those that run beside it.

    `alike` keeps what has been worked out for cycles that began together, as after one batch.
    """
    views: dict[str, rules.ClockView] = {}
    for row in sorted(rows, key=lambda item: item.cycle):
        earlier = views.get(row.kind)
        known = (earlier, *earlier.beside) if earlier else ()
        views[row.kind] = rules.ClockView(
            cycle=row.cycle,
            target_s=row.target_s,
            is_live=row.stopped_at is None,
            crossing=_crossings(row, alike),
            beside=tuple(view for view in known if view.is_live),
            due_at=row.due_at,
        )
    return views


def _crossings(row: Clock, alike: dict[Any, "_Crossings"] | None) -> "_Crossings":
    if alike is None or row.pauses or row.stopped_at is not None:
        return _Crossings(row)
    cycle = (row.started_at, row.calendar_id)
    if cycle not in alike:
        alike[cycle] = _Crossings(row)
    return alike[cycle]


class _Crossings:
    """When a clock will have run for so long; worked out when asked for, and only once."""

    __slots__ = ("_cycle", "_known")

    def __init__(self, row: Clock) -> None:
        self._cycle: Clock | Cycle = row
        self._known: dict[float, datetime | None] = {}

    def __call__(self, seconds: float) -> datetime | None:
        if isinstance(self._cycle, Clock):
            self._cycle = cycle_of(self._cycle)
        if seconds not in self._known:
            calendar = work_calendar(self._cycle.calendar_id)
            self._known[seconds] = crossing(self._cycle, calendar, seconds)
        return self._known[seconds]


def _view(
    run: Run, ticket: Ticket, done: Mapping[Key, str], facts: Mapping[str, Any]
) -> rules.RunView:
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
        round=run.round,
        lead_s=run.lead_s,
        started_at=run.started_at,
        heard_at=run.heard_at,
        heard_entry=run.heard_entry,
        reached={
            int(step_id): (note["entry"], datetime.fromisoformat(note["at"]))
            for step_id, note in run.reached.items()
        },
        postponed={
            key_of(text): datetime.fromisoformat(until)
            for text, until in run.postponed.items()
            if isinstance(until, str)
        },
        is_held=bool(run.held),
        held_until=run.held_until,
        facts=facts,
    )


def key_text(key: Key) -> str:
    """A firing's key as `Run.postponed` keeps it."""
    return ":".join(map(str, key))


def postpone(run: Run, key: Key, until: str) -> bool:
    """Put a firing off until that moment; whether that is news, and not what it was before."""
    text = key_text(key)
    was = run.postponed.get(text)
    run.postponed = {**run.postponed, text: until}
    return was != [until]


def judge_anew(run: Run) -> None:
    """Let what is put off be judged again: the ticket has changed, and whom a step means with it.

    The moment is kept, so that nothing is told again where it stays the same.
    """
    run.postponed = {
        text: [until] if isinstance(until, str) else until for text, until in run.postponed.items()
    }


def key_of(text: str) -> Key:
    """The key that such a text stands for."""
    loop, step_id, entry = map(int, text.split(":"))
    return loop, step_id, entry


def next_look(prospect: Prospect) -> datetime | None:
    """When the run is to be looked at again; a snoozed one when its snooze ends."""
    if prospect.run.held:
        return prospect.run.held_until
    return prospect.coming[0].at if prospect.coming else None


def next_step(prospect: Prospect) -> int | None:
    """The step that comes at that look; None while the run is held, and when none is left."""
    if prospect.run.held or not prospect.coming:
        return None
    return prospect.coming[0].step.id


def index_of(ticket: Ticket, next_ats: Iterable[datetime | None]) -> bool:
    """Set the ticket's next-step column from its runs; whether that changed anything."""
    known = [at for at in next_ats if at is not None]
    soonest = min(known) if known else None
    if ticket.next_step_at == soonest:
        return False
    ticket.next_step_at = soonest
    return True
