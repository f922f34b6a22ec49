"""Plays one recorded ticket under a world of policies, with a clock that goes from due to due.

History stays as it was: what people did they do again, and a ticket goes where it went. What a
policy would have moved or raised is counted, not carried on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from itertools import count
from typing import Any, Final

from escalation import keeping, runs, signs
from escalation.advancing import carry_out_all
from escalation.clock import Cycle, Fact, crossing, read
from escalation.firing import Deed
from escalation.models import Run
from escalation.rules import ClockView, Step
from escalation.sla import Targets
from escalation.steps import CHASED, HANDED_OVER, ON_FACTS, PING_PONG, REOPENED, REPEATED, Key
from escalation.tape import Tape
from insights.simulation.cast import Rehearsal
from insights.simulation.recorded import Recorded, Told, is_ours
from insights.simulation.site import Site
from insights.simulation.world import UNPLAYED, World
from roles.calendars import work_calendar
from tickets import states
from tickets.models import EventKind

MOST_STEPS: Final = 1000
"""How many looks one ticket may take between two events; more is a policy that never rests."""

_TO: Final = {
    states.IN_PROGRESS: {states.WAITING: "begin", **dict.fromkeys(states.PENDING, "resume")},
    states.WAITING: {states.RESOLVED: "reopen", states.NEW: "queue", states.IN_PROGRESS: "queue"},
    states.PENDING_REQUESTER: {states.IN_PROGRESS: "await_requester"},
    states.PENDING_VENDOR: {states.IN_PROGRESS: "await_vendor"},
    states.PENDING_CHANGE: {states.IN_PROGRESS: "await_change"},
    states.RESOLVED: dict.fromkeys(states.OPEN, "resolve"),
    states.CLOSED: {states.RESOLVED: "close"},
    states.CANCELLED: dict.fromkeys(states.OPEN, "cancel"),
}
"""Which transition leads to a status, by the status before."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A target that was really missed: which clock, since when it ran, when it was over."""

    clock: str
    started_at: datetime
    at: datetime
    tier: str


@dataclass(slots=True)
class Outcome:
    """What one ticket came to: what the policies would have done, and what was missed."""

    ticket_id: int
    key: str
    deeds: list[tuple[str, Deed]] = field(default_factory=list)
    """The tier that had the ticket, and what was done; in order of time."""
    breaches: list[Breach] = field(default_factory=list)


class Player:
    """Plays tickets one after the other, in the order in which they were opened."""

    def __init__(
        self, world: World, site: Site, rehearsal: Rehearsal, targets: Targets, until: datetime
    ) -> None:
        self.world, self.site, self.rehearsal = world, site, rehearsal
        self.targets, self.until = targets, until
        self._ids = count(1)

    def play(self, case: Recorded) -> Outcome:
        """Play one ticket from its opening to its last event, or to the end of the time played."""
        return _Play(self, case).whole()

    def next_id(self) -> int:
        return next(self._ids)


class _Play:
    """One ticket on its way through its own past."""

    def __init__(self, player: Player, case: Recorded) -> None:
        self.player, self.case = player, case
        self.ticket = player.site.ticket_of(case)
        self.runs: list[Run] = []
        self.done: dict[int, dict[Key, str]] = {}
        self.tape = Tape()
        self.is_retimed = False
        self.clocks: dict[str, ClockView] = {}
        self.teams: list[int] = []
        self.before: dict[str, int] = {}
        self.heard: tuple[datetime | None, int] = (None, 0)
        self.answered: dict[int, datetime] = {}
        self.taken: dict[int, datetime] = {}
        self.outcome = Outcome(case.ticket_id, case.key)

    def whole(self) -> Outcome:
        events = [event for event in self.case.events if event.at < self.player.until]
        for index, event in enumerate(events):
            self._happen(event)
            later = events[index + 1].at if index + 1 < len(events) else self.player.until
            if later > event.at:
                self._fit(event)
                self._pass(event.at, later)
        self.outcome.breaches = list(self._breaches())
        return self.outcome

    # ---- what happened ----

    def _happen(self, event: Told) -> None:
        ticket, changed = self.ticket, event.changed
        if event.kind in signs.BEGINNINGS:
            self.before = {name: getattr(ticket, name) for name in signs.COUNTERS}
            self.teams = self.teams[-1:]
        status = changed.get("status")
        if status and status != ticket.status:
            self._turn(status)
            ticket.status_since, ticket.status_entry = event.at, event.seq
        for name in changed.keys() - {"status"}:
            setattr(ticket, name, _value(name, changed[name]))
        self.player.site.settle(ticket)
        if "entry" in changed:
            ticket.entered_at = event.at
        if "acknowledged_by_id" in changed:
            ticket.acknowledged_at = event.at if changed["acknowledged_by_id"] else None
        if event.kind == EventKind.TAKEN:
            self.taken[ticket.pk] = event.at
        if changed.get("team_id"):
            self.teams.append(changed["team_id"])
        if event.fact is not None:
            self._time(event.fact)
            if event.fact.is_public and event.fact.by_agent:
                self.answered[ticket.pk] = event.at
        if is_ours(event, ticket.requester_id, self.player.site.machines):
            self.heard = event.at, event.seq

    def _turn(self, status: str) -> None:
        """By the transition that led there; what it sets besides is told by the event itself."""
        way = _TO.get(status, {}).get(self.ticket.status)
        if way is not None:
            getattr(self.ticket, way)()

    def _fit(self, event: Told) -> None:
        """Start, stop and adjust the runs, as the engine does after each event."""
        around = keeping.Around(
            policies=self.player.world.policies,
            in_majors=frozenset(),
            answered=self.answered,
            taken=self.taken,
            at=event.at,
        )
        kept = keeping.fit(self.ticket, self.runs, around)
        for run in kept.fresh:
            run.pk = self.player.next_id()
            self.done[run.pk] = {}
        self.runs = [run for run in (*self.runs, *kept.fresh) if run.state in keeping.IN_FORCE]
        self._look(event.at)
        if self.is_retimed and self.runs:
            self.clocks, self.is_retimed = self._views(), False

    def _look(self, at: datetime) -> None:
        """What steps on facts go by, from this ticket's own past."""
        for run in self.runs:
            run.heard_at, run.heard_entry = self.heard
            for step in self.player.world.steps.get(run.revision_id, ()):
                if step.trigger in ON_FACTS and step.trigger not in UNPLAYED:
                    signs.note(run, step, self._seen(step), at)

    def _seen(self, step: Step) -> int:
        ticket = self.ticket
        if step.trigger == REPEATED:
            return self.player.site.repeats(self.case, step)
        return {
            REOPENED: ticket.reopen_count,
            HANDED_OVER: ticket.handover_count - self.before.get("handover_count", 0),
            CHASED: ticket.chase_count - self.before.get("chase_count", 0),
            PING_PONG: signs.returns_of(self.teams),
        }[step.trigger]

    # ---- what the engine would have done ----

    def _pass(self, since: datetime, until: datetime) -> None:
        """Let time pass up to the next event; the engine acts whenever something is due."""
        coming = [self._coming(run) for run in self.runs if run.state == Run.State.ACTIVE]
        for _ in range(MOST_STEPS):
            looks = [at for at, _ in coming if at is not None]
            moment = max(min(looks, default=until), since)
            if moment >= until:
                return
            self.player.rehearsal.go_to(moment)
            due = [prospect for at, prospect in coming if at is not None and at <= moment]
            for deed in carry_out_all(due, self.player.rehearsal, moment):
                self._keep(deed)
            # History stays as it was, and so the other climbs have before them what they had.
            coming = [
                self._coming(prospect.run) if at is not None and at <= moment else (at, prospect)
                for at, prospect in coming
            ]

    def _coming(self, run: Run) -> tuple[datetime | None, runs.Prospect]:
        prospect = self._prospect(run)
        return runs.next_look(prospect), prospect

    def _prospect(self, run: Run) -> runs.Prospect:
        steps = self.player.world.steps.get(run.revision_id, ())
        return runs.prospect_of(run, self.ticket, steps, self.clocks, self.done[run.pk])

    def _keep(self, deed: Deed) -> None:
        firing = deed.firing
        self.done[firing.run_id] |= deed.outcomes
        team = self.ticket.team
        self.outcome.deeds.append((team.tier.slug if team else "", deed))

    # ---- clocks ----

    def _time(self, fact: Fact) -> None:
        self.tape.play(fact)
        self.is_retimed = True
        named = (chosen[0] for chosen in (fact.targets or {}).values() if chosen)
        self.player.targets.preload(named)

    def _views(self) -> dict[str, ClockView]:
        """The latest cycle of each kind that runs on, with those that run on beside it.

        Steps have no use for those that ended.
        """
        views: dict[str, ClockView] = {}
        for cycle in sorted(self.tape.cycles(), key=lambda item: item.number):
            if cycle.stopped_at is None:
                measured = self.tape.measured(cycle, self.player.targets.spec)
                views[cycle.kind] = self._view(measured, views.get(cycle.kind))
        return views

    def _view(self, cycle: Cycle, earlier: ClockView | None) -> ClockView:
        return ClockView(
            cycle=cycle.number,
            target_s=cycle.target_s,
            is_live=True,
            crossing=cache(partial(crossing, cycle, work_calendar(cycle.calendar_id))),
            beside=(earlier, *earlier.beside) if earlier else (),
        )

    def _breaches(self) -> Iterable[Breach]:
        for bare in self.tape.cycles():
            cycle = self.tape.measured(bare, self.player.targets.spec)
            calendar = work_calendar(cycle.calendar_id)
            at = read(cycle, calendar, self.player.until).breached_at
            if at is not None:
                team = self.player.site.teams.get(cycle.team_id or self.ticket.team_id or 0)
                yield Breach(cycle.kind, cycle.started_at, at, team.tier.slug if team else "")


def _value(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name == "wake_at" and value else value
