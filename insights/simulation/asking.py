"""Simulations that people ask for: queued, run by whoever is free, watched, stopped."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from escalation.configuration.applying import apply_text
from escalation.configuration.document import BadFile
from escalation.models import Policy
from escalation.policies import publish_policy
from insights.models import Simulation
from insights.simulation.recorded import count_own, own_history
from insights.simulation.running import simulate
from insights.simulation.world import World, changed_world, present_world
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict, Invalid, Refused

log = logging.getLogger(__name__)

State = Simulation.State
EVERY: Final = 50
"""Cases between two words on how far a simulation has come."""
LOST_AFTER: Final = timedelta(seconds=120)
"""How long a running one may be silent before another worker begins it anew."""
LONGEST: Final = timedelta(days=5 * 366)


class _Stopped(Exception):
    """Somebody has stopped the simulation."""


def ask(
    *,
    since: datetime,
    until: datetime,
    policy: Policy | None = None,
    file: str = "",
    actor: Person | None,
    clock: TimeSource = database_now,
) -> Simulation:
    """Queue a simulation of a policy's draft, or of a file, beside today's policies.

    Raises Forbidden, Invalid for a window or file that will not do, Conflict when the policy has
    no draft that could be published.
    """
    require(actor, "manage_policies")
    check(since=since, until=until, policy=policy, file=file)
    return Simulation.objects.create(
        policy=policy,
        file=file,
        since=since,
        until=until,
        asked_by=actor,
        asked_at=clock(),
        total=count_own(since, until),
    )


def check(
    *,
    since: datetime,
    until: datetime,
    policy: Policy | None = None,
    file: str = "",
    file_name: str = "file",
) -> None:
    """Raises what `ask` would: Invalid, by field, or Conflict; a bad file line by line."""
    if since >= until:
        trouble = {"until": "The window ends before it begins: choose a later moment."}
        raise Invalid("bad_window", "The window ends before it begins.", trouble)
    if until - since > LONGEST:
        trouble = {"since": "The window is too long: choose five years at most."}
        raise Invalid("bad_window", "The window is too long.", trouble)
    if policy is not None and file:
        trouble = {"file": "Play a draft or a file, not both: leave one of them empty."}
        raise Invalid("one_of", "Play a draft or a file, not both.", trouble)
    _changed(policy, file, file_name)


def stop(*, simulation: Simulation, actor: Person | None, clock: TimeSource = database_now) -> bool:
    """End a simulation that waits or runs; whether there was anything to end."""
    require(actor, "manage_policies")
    alive = Simulation.objects.filter(pk=simulation.pk, state__in=[State.QUEUED, State.RUNNING])
    return bool(alive.update(state=State.STOPPED, ended_at=clock()))


def run_waiting(*, clock: TimeSource = database_now) -> int:
    """Run what waits, or was lost by a worker that died; returns how many were run."""
    count = 0
    while (simulation := _claim(clock())) is not None:
        _run(simulation, clock)
        count += 1
    return count


@transaction.atomic
def _claim(now: datetime) -> Simulation | None:
    lost = Q(state=State.RUNNING, heard_at__lt=now - LOST_AFTER)
    waiting = Simulation.objects.filter(Q(state=State.QUEUED) | lost).order_by("pk")
    simulation = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if simulation is not None:
        simulation.state, simulation.heard_at, simulation.done = State.RUNNING, now, 0
        simulation.save(update_fields=["state", "heard_at", "done"])
    return simulation


def _run(simulation: Simulation, clock: TimeSource) -> None:
    def listen(done: int) -> None:
        if done % EVERY:
            return
        mine = Simulation.objects.filter(pk=simulation.pk, state=State.RUNNING)
        if not mine.update(done=done, heard_at=clock()):
            raise _Stopped

    try:
        report = simulate(
            [present_world(), *_changed(simulation.policy, simulation.file)],
            own_history(simulation.since, simulation.until),
            since=simulation.since,
            until=simulation.until,
            history="own",
            progress=listen,
        )
    except _Stopped:
        return
    except Exception as problem:
        log.exception("Simulation %s failed.", simulation.pk)
        _end(simulation, State.FAILED, clock(), trouble=_words(problem))
    else:
        _end(simulation, State.DONE, clock(), report=report, done=simulation.total)


def _changed(policy: Policy | None, file: str, file_name: str = "file") -> list[World]:
    """The world to play beside today's, if one was asked for."""
    try:
        if policy is not None:
            return [changed_world("draft", lambda: publish_policy(policy=policy))]
        if file:
            return [changed_world("draft", lambda: apply_text(text=file, reason="Simulated"))]
    except BadFile as problem:
        lines = problem.lines(file_name)
        raise Invalid("bad_file", "The file has mistakes.", {"file": "\n".join(lines)}) from problem
    return []


def _end(simulation: Simulation, state: str, at: datetime, **fields: object) -> None:
    mine = Simulation.objects.filter(pk=simulation.pk, state=State.RUNNING)
    mine.update(state=state, ended_at=at, heard_at=at, **fields)


def _words(problem: Exception) -> str:
    if isinstance(problem, Refused | Conflict):
        return problem.detail
    return f"{type(problem).__name__}: {problem}"[:2000]
