"""Moves running climbs to the policy's current revision: on request, with a reason, on record.

A step that has fired counts as done under the new revision too, and what the new revision has
below it is recorded as skipped: nothing is repeated and nothing silently left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import transaction

from escalation import rules, runs
from escalation.advancing import begin_round
from escalation.difference import pair_steps
from escalation.firing import Deed, Executor
from escalation.models import Clock, Firing, Policy, PolicyRevision, PolicyStep, Run
from escalation.reactions import load_around
from escalation.routes import Routes
from escalation.runs import Prospect
from escalation.steps import ON_CLOCKS, UNACKNOWLEDGED, Due, Key, Step
from escalation.targets import People
from escalation.touching import climbs_behind
from escalation.triggers import ladder, run_for
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict
from roles.values import changed
from tickets import timeline
from tickets.acting import required
from tickets.models import EventKind, Ticket

PASSED: Final = "the climb was further already when it was moved to this revision"
HANDED_ON: Final = (
    "is_main", "started_at", "matched_on", "loop", "entry", "waiting_since", "frozen", "round",
    "lead_s", "was_acknowledged", "heard_at", "heard_entry", "held", "held_until", "held_because",
)  # fmt: skip
"""What a climb keeps when it goes on under another revision."""
ROUND: Final = (
    "loop", "round", "base_position", "rung", "waiting_since", "lead_s", "frozen",
)  # fmt: skip
"""What changes when its ladder starts over."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How many climbs went on under the current revision, and how many it no longer fits.

    Restricted tickets that the actor is not cleared for are moved too, and counted in neither.
    """

    moved: int
    left: int


@dataclass(frozen=True, slots=True)
class Way:
    """From one revision's steps to another's."""

    old: Sequence[Step]
    new: Sequence[Step]
    pairs: Mapping[int, int]
    ancient: Sequence[Step] = ()
    """Steps of revisions before the old one, which it did not have and the new one may have."""


@transaction.atomic
def move_runs(
    *,
    policy: Policy,
    actor: Person | None,
    reason: str,
    ticket_ids: Iterable[int] | None = None,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Moved:
    """Let running climbs of a policy go on under its current revision; all of them, or some.

    Each ticket's timeline tells it with the reason, and the audit once for all. A climb whose
    ticket the current conditions no longer fit stays where it is. Raises Forbidden, Invalid
    without a reason, Conflict when nothing is published.
    """
    require(actor, "manage_policies")
    words = required(reason, "reason", 2000)
    # Without its key: a climb that begins meanwhile refers to it, and holds a ticket's lock.
    locked = Policy.objects.select_for_update(no_key=True, of=("self",)).get(pk=policy.pk)
    if locked.current is None:
        raise Conflict("not_published", f"“{locked}” has never been published.")
    behind = climbs_behind(locked, locked.current)
    tickets = _lock_tickets(behind.values("ticket"), actor, ticket_ids)
    olds = list(
        behind.filter(ticket__in=tickets)
        .select_related("revision", "policy")
        .order_by("ticket", "id")
        .select_for_update(of=("self",), no_key=True)
    )
    for run in olds:
        run.ticket = tickets[run.ticket_id]
    fitting = [
        run
        for run in olds
        if rules.matches(locked.current.conditions, runs.policy_facts(run.ticket))
    ]
    now = max([clock(), *(run.ticket.last_event_at or run.started_at for run in fitting)])
    _go_on(fitting, locked.current, _Word(actor, via, words), now)
    known = _known(actor)
    counts = Moved(
        moved=sum(known(run.ticket) for run in fitting),
        left=sum(known(run.ticket) for run in olds) - sum(known(run.ticket) for run in fitting),
    )
    audit.record(
        actor=actor,
        action="policy.runs_moved",
        subject=locked,
        changes={
            "revision": locked.current.number,
            "moved": sum(not run.ticket.restricted for run in fitting),
            "left": sum(not run.ticket.restricted for run in olds if run not in fitting),
        },
        reason=words,
        clock=clock,
    )
    return counts


@dataclass(frozen=True, slots=True)
class _Word:
    actor: Person | None
    via: str
    reason: str


def _lock_tickets(
    wanted: Any, actor: Person | None, ticket_ids: Iterable[int] | None
) -> dict[int, Ticket]:
    rows = Ticket.objects.filter(pk__in=wanted)
    if ticket_ids is not None:
        rows = rows.filter(pk__in=list(ticket_ids))
        if actor is not None:  # a case that one may not know of cannot be named either
            rows = rows.filter(pk__in=_nameable(actor))
    locked = rows.order_by("id").select_for_update(of=("self",), no_key=True)
    tickets = {ticket.pk: ticket for ticket in locked}
    load_around(list(tickets.values()))
    return tickets


def _nameable(actor: Person) -> Any:
    ordinary = Ticket.objects.filter(restricted=False)
    return (ordinary | Ticket.objects.filter(clearances__person=actor.pk)).values("pk")


def _known(actor: Person | None) -> Any:
    cleared: set[int] = set()
    if actor is not None:
        cleared = set(actor.clearances.values_list("ticket", flat=True))
    return lambda ticket: actor is None or not ticket.restricted or ticket.pk in cleared


def _go_on(olds: Sequence[Run], current: PolicyRevision, word: _Word, now: datetime) -> None:
    """End each climb and begin its successor, with what it has behind it; then tell it."""
    if not olds:
        return
    done = runs.done_by(olds)
    ways = _ways(olds, current, done)
    heirs = [_heir(run, current, ways[run.revision_id], done[run.pk]) for run in olds]
    for run in olds:
        run.state, run.stopped_at, run.next_at = Run.State.SUPERSEDED, now, None
        run.stop_reason = f"moved to revision {current.number}"
    timeline.update_rows(Run, olds, ("state", "stopped_at", "stop_reason", "next_at"))
    Run.objects.bulk_create(heirs)
    deeds = _passed(olds, heirs, ways, done, now)
    Firing.objects.bulk_create([deed.firing for deed in deeds])
    timeline.update_rows(Run, heirs, ROUND)
    told: dict[int, list[timeline.Entry]] = {}
    for old, heir in zip(olds, heirs, strict=True):
        told.setdefault(old.ticket_id, []).extend(_entries(old, heir, word))
    for deed in deeds:
        told[deed.ticket.pk].append(deed.entry())
    tickets = {run.ticket_id: run.ticket for run in olds}
    writes = [timeline.Write(ticket=tickets[pk], entries=lines) for pk, lines in told.items()]
    timeline.record_many(writes, at=now)


def _ways(
    olds: Sequence[Run], current: PolicyRevision, done: Mapping[int, Mapping[Key, str]]
) -> dict[int, Way]:
    """The way from each revision that a climb is on, by its id."""
    named = {step_id for keys in done.values() for _, step_id, _ in keys}
    before = PolicyStep.objects.filter(pk__in=named).values_list("revision", flat=True)
    wanted = {current.pk, *(run.revision_id for run in olds), *before}
    steps = runs.steps_of(wanted)
    new = steps.get(current.pk, [])
    ways = {}
    for revision_id in {run.revision_id for run in olds}:
        old = steps.get(revision_id, [])
        pairs = pair_steps(old, new)
        ancient = [
            step
            for pk in sorted(steps.keys() - {revision_id, current.pk})
            for step in steps[pk]
            if step.id in named
        ]
        free = {(step.name, step.trigger): step.id for step in new if step.id not in pairs.values()}
        again = {
            step.id: free[step.name, step.trigger]
            for step in ancient
            if (step.name, step.trigger) in free
        }
        ways[revision_id] = Way(old, new, {**again, **pairs}, ancient)
    return ways


def _entries(old: Run, heir: Run, word: _Word) -> list[timeline.Entry]:
    because = f"moved from revision {old.revision.number} to {heir.revision.number}"

    def entry(kind: str, run: Run, body: str) -> timeline.Entry:
        return timeline.Entry(
            kind=kind,
            actor_id=word.actor.pk if word.actor else None,
            via=word.via,
            facts={
                "policy": run.policy.slug,
                "name": run.policy.name,
                "revision": run.revision_id,
                "because": because,
            },
            body=body,
        )

    return [
        entry(EventKind.RUN_STOPPED, old, ""),
        entry(EventKind.RUN_STARTED, heir, word.reason),
    ]


def _heir(run: Run, current: PolicyRevision, way: Way, done: Mapping[Key, str]) -> Run:
    """The climb that goes on where the old one stands, in the words of the new revision."""
    pairs = way.pairs
    heir = Run(ticket=run.ticket, policy=run.policy, revision=current)
    for name in HANDED_ON:
        setattr(heir, name, getattr(run, name))
    heir.epoch = run.epoch + 1
    # Also of steps that are gone: a later revision may have them again.
    heir.carried = [
        [loop, pairs.get(step_id, step_id), entry, outcome]
        for (loop, step_id, entry), outcome in sorted(done.items())
    ]
    heir.reached = {
        str(pairs[int(step_id)]): note
        for step_id, note in run.reached.items()
        if int(step_id) in pairs
    }
    keys = {runs.key_of(text): until for text, until in run.postponed.items()}
    heir.postponed = {
        runs.key_text((loop, pairs[step_id], entry)): until
        for (loop, step_id, entry), until in keys.items()
        if step_id in pairs
    }
    heir.rung, heir.base_position = _place(run.rung, way), _place(run.base_position, way)
    return heir


def _place(position: int, way: Way) -> int:
    """The rung of the new ladder that stands for a position in the old one; 0 stays 0.

    Where the old rung is gone, the first one that waits at least as long; past the end, the last.
    """
    was = next((step for step in ladder(way.old) if step.position == position), None)
    rungs = ladder(way.new)
    if was is None or not rungs:
        return 0
    heir = next((step for step in rungs if step.id == way.pairs.get(was.id)), None)
    after = next((step for step in rungs if step.delay_s >= was.delay_s), rungs[-1])
    return (heir or after).position


def _passed(
    olds: Sequence[Run],
    heirs: Sequence[Run],
    ways: Mapping[int, Way],
    done: Mapping[int, Mapping[Key, str]],
    now: datetime,
) -> list[Deed]:
    """Skips of steps that the new revision has below what has already fired.

    A ladder that is used up under it too starts over at once if the new revision lets it.
    """
    tickets = {run.ticket_id: run.ticket for run in olds}
    clocks: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in tickets}
    for row in Clock.objects.filter(ticket__in=tickets):
        clocks[row.ticket_id].append(row)
    before = {heir.pk: old for old, heir in zip(olds, heirs, strict=True)}
    executor = Executor(People(list(tickets.values()), now), Routes(), now)
    deeds = []
    for prospect in runs.prospects(heirs, tickets, clocks):
        old = before[prospect.run.pk]
        way = ways[old.revision_id]
        by_id = {step.id: step for step in (*way.ancient, *way.old)}
        behind = [
            executor.skip(prospect, replace(due, at=due.threshold_at), PASSED)
            for due in prospect.coming
            if _is_ripe(due, now) and _is_behind(prospect, due, done[old.pk], by_id)
        ]
        passed = {key: outcome for deed in behind for key, outcome in deed.outcomes.items()}
        view = changed(prospect.view, done={**prospect.view.done, **passed})
        if rules.begins_again(view, prospect.steps):
            begin_round(prospect, now)
        deeds += behind
    return deeds


def _is_ripe(due: Due, now: datetime) -> bool:
    """Whether the step is due; a rung also where its gate alone holds it back."""
    return due.at <= now or (due.step.trigger == UNACKNOWLEDGED and due.threshold_at <= now)


def _is_behind(
    prospect: Prospect, due: Due, done: Mapping[Key, str], by_id: Mapping[int, Step]
) -> bool:
    """Whether a higher step that warns of the same thing has been done."""
    height = partial(_height, prospect, due)
    return any(
        (loop, entry) == (due.loop, due.entry)
        and (step := by_id.get(step_id)) is not None
        and rules.group_of(replace(due, step=step)) == rules.group_of(due)
        and height(step) >= height(due.step)
        for loop, step_id, entry in done
    )


def _height(prospect: Prospect, due: Due, step: Step) -> float:
    """How long what both steps wait for lasts until this one is due, in seconds."""
    if step.trigger in ON_CLOCKS:
        return run_for(step, prospect.clocks[step.clock].of(due.entry))
    return step.delay_s
