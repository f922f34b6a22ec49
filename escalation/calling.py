"""Calls a chosen step of a policy by hand: it fires now, and the climb goes on from there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from escalation.advancing import climb_on
from escalation.firing import Deed, Executor
from escalation.models import Clock, Firing, Run
from escalation.reactions import load_around, synchronise
from escalation.routes import Routes
from escalation.runs import Prospect, prospects, steps_of
from escalation.steps import CALLED_LOOP, UNACKNOWLEDGED, Due, Step
from escalation.targets import People
from escalation.writing import write
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import timeline
from tickets.acting import Act, acting, required
from tickets.models import EventKind, Ticket, TimelineEvent


@dataclass(frozen=True, slots=True)
class Choice:
    """A step that may be called, and the run that it belongs to."""

    run: Run
    step: Step


def callable_steps(ticket: Ticket) -> list[Choice]:
    """Every step of every policy under way for the ticket, in order; manual ones among them."""
    rows = Run.objects.filter(ticket=ticket.pk, state=Run.State.ACTIVE)
    running = list(rows.select_related("policy", "revision").order_by("-is_main", "id"))
    steps = steps_of(run.revision_id for run in running)
    return [Choice(run, step) for run in running for step in steps.get(run.revision_id, [])]


def call_step(
    *,
    ticket: Ticket,
    run: Run,
    position: int,
    actor: Person | None,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Firing:
    """Fire a step now, whatever its trigger, its gate or an acknowledgement say.

    A rung of the ladder begins a loop of its own, from which the climb goes on; any other step
    stands alone, and still fires by itself when it is due. Raises Conflict when the run is over,
    Invalid when its revision has no such step.
    """
    with acting(ticket, actor=actor, action="call_step", clock=clock, via=via) as act:
        words = required(reason, "reason", 2000)
        rows = Run.objects.filter(pk=run.pk, ticket=act.ticket.pk, state=Run.State.ACTIVE)
        rows = rows.select_related("policy", "revision")
        locked = rows.select_for_update(of=("self",), no_key=True).first()
        if locked is None:
            raise Conflict(
                "run_over", f"That policy of {act.ticket.key} is not under way any more."
            )
        step = _step_at(locked, position)
        facts = {"policy": locked.policy.slug, "step": position, "name": step.name}
        event = act.write(EventKind.STEP_CALLED, facts=facts, body=words)
        timeline.record_many([event], at=act.now, announce=False)
        deed = _fire(act, locked, step, event.events[0])
        synchronise([act.ticket], act.now)
        return deed.firing


def _step_at(run: Run, position: int) -> Step:
    steps = steps_of([run.revision_id]).get(run.revision_id, [])
    step = next((item for item in steps if item.position == position), None)
    if step is None:
        raise Invalid("no_step", "Choose a step of the policy.", {"position": "There is no such."})
    return step


def _fire(act: Act, run: Run, step: Step, event: TimelineEvent) -> Deed:
    load_around([act.ticket])
    run.ticket = act.ticket
    # What was done by hand asks for no gate and no condition.
    called = replace(step, gates={}, conditions=())
    if step.trigger == UNACKNOWLEDGED:
        run.loop += 1
        run.base_position = run.rung = step.position
        run.waiting_since, run.lead_s, run.frozen = act.now, 0, []
    prospect = _prospect(act.ticket, run)
    if step.trigger == UNACKNOWLEDGED:
        due = Due(called, act.now, run.loop, prospect.view.entry)
    else:
        due = Due(called, act.now, CALLED_LOOP, event.seq)
    executor = Executor(People([act.ticket], act.now), Routes(), act.now)
    deed = executor.fire(prospect, due)
    if deed is None:
        raise Conflict("put_off", f"“{step.name}” waits for somebody; it cannot be called now.")
    who = str(act.actor) if act.actor else "the engine"
    deed.lines.insert(1, f"Called by hand by {who}.")
    run.epoch += 1
    climb_on(prospect, [deed], act.now)
    write([deed], [run], act.now, notes=executor.notes)
    return deed


def _prospect(ticket: Ticket, run: Run) -> Prospect:
    clocks: Sequence[Clock] = list(Clock.objects.filter(ticket=ticket.pk))
    (prospect,) = prospects([run], {ticket.pk: ticket}, {ticket.pk: clocks})
    return prospect
