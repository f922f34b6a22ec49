"""Replays a timeline into the cycles of its clocks: a pure function, and what it says holds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from escalation.clock import (
    ACCEPTANCE,
    CANCELLED,
    FIRST_RESPONSE,
    HANDED_BACK,
    MET,
    MOVED,
    NEXT_UPDATE,
    OVER,
    PER_ENGAGEMENT,
    PER_ENTRY,
    REGULATORY,
    RESOLUTION,
    RESOLVED,
    RESUMED,
    SOLVED,
    STAKEHOLDER_UPDATE,
    VENDOR_RESPONSE,
    Cycle,
    Fact,
    TargetSpec,
)
from roles.worktime import Pause

History = list[tuple[datetime, str]]
"""Each status with the moment since when it has held, in order."""


def replay(facts: Iterable[Fact], target: Callable[[int], TargetSpec]) -> list[Cycle]:
    """Every cycle of every clock of one ticket, from its events in order.

    `target` looks a target revision up by id. An ended cycle is never touched by a later event,
    except that a reopening resumes those that the solution had stopped provisionally, with the
    solved time as a pause.
    """
    tape = Tape()
    for fact in facts:
        tape.play(fact)
    return [tape.measured(cycle, target) for cycle in tape.cycles()]


@dataclass(frozen=True, slots=True)
class _Opening:
    """What a cycle begins from as soon as its kind has a target."""

    at: datetime
    number: int | None = None
    team_id: int | None = None
    is_first: bool = False


class Tape:
    """The clocks while a timeline is being played, each in its slot: its kind, and for a notice
    to an authority which one, since several may be owed at once.

    A cycle needs two things: an opening, which events give, and a target. Where the target depends
    on the very event that opens, only the choice of targets that follows it starts the clock,
    dated back to the opening.
    """

    def __init__(self) -> None:
        self.live: dict[str, Cycle] = {}
        self.ended: list[Cycle] = []
        self.openings: dict[str, _Opening] = {}
        self.choice: dict[str, tuple[int, int]] = {}
        self.history: History = []
        self.state: dict[str, Any] = {}
        self.is_major = False
        self.is_answered = False

    def cycles(self) -> list[Cycle]:
        """Every cycle so far, by kind and number; lengths and pauses come by `measured`."""
        found = [*self.ended, *self.live.values()]
        return sorted(found, key=lambda cycle: (cycle.kind, cycle.number))

    def measured(self, cycle: Cycle, target: Callable[[int], TargetSpec]) -> Cycle:
        """One of the cycles with its target's length, and the pauses that this target honours."""
        return _measured(cycle, target(cycle.target_id), self.history)

    def play(self, fact: Fact) -> None:
        """Go on by the next event."""
        if not self.history and not self.openings:
            self.openings = dict.fromkeys((FIRST_RESPONSE, RESOLUTION), _Opening(fact.at))
        entry, status = self.state.get("entry"), self.state.get("status")
        self.state.update(fact.changed)
        if self.state.get("entry") != entry:
            self._enter(fact)
        if (follow := _FOLLOWED.get(fact.kind)) is not None:
            follow(self, fact)
        if self.state.get("status") != status:
            self.history.append((fact.at, self.state["status"]))
            self._follow_status(fact, self.state["status"])
        if fact.by_agent and fact.is_public:
            self._answer(fact.at)
        if fact.targets is not None:
            self._aim(fact.targets, fact.at)

    @property
    def _is_over(self) -> bool:
        return self.state.get("status") in OVER

    # ---- What events mean ----

    def _enter(self, fact: Fact) -> None:
        """A team's own clocks end where the ticket leaves it, and begin anew in the next one."""
        ending = HANDED_BACK if fact.kind == HANDED_BACK else MOVED
        number, team_id = int(self.state["entry"]), self.state.get("team_id")
        for kind in PER_ENTRY:
            self._end(kind, fact.at, ending)
            self._await(kind, _Opening(fact.at, number=number, team_id=team_id))

    def _accept(self, fact: Fact) -> None:
        self._end(ACCEPTANCE, fact.at, MET)

    def _answer(self, at: datetime) -> None:
        """A public word of ours: it meets what was owed, and the next one is owed from here on."""
        is_first, self.is_answered = not self.is_answered, True
        self._end(FIRST_RESPONSE, at, MET)
        self._end(NEXT_UPDATE, at, MET)
        if not self._is_over:
            self._begin(NEXT_UPDATE, _Opening(at, is_first=is_first))

    def _engage(self, fact: Fact) -> None:
        for kind in PER_ENGAGEMENT:
            self._end(kind, fact.at, CANCELLED)
            self._await(kind, _Opening(fact.at))

    def _hear_vendor(self, fact: Fact) -> None:
        self._end(VENDOR_RESPONSE, fact.at, MET)

    def _receive(self, fact: Fact) -> None:
        for kind in PER_ENGAGEMENT:
            self._end(kind, fact.at, MET)

    def _release_vendor(self, fact: Fact) -> None:
        for kind in PER_ENGAGEMENT:
            self._end(kind, fact.at, CANCELLED)

    def _declare(self, fact: Fact) -> None:
        self.is_major = True
        self._end(STAKEHOLDER_UPDATE, fact.at, CANCELLED)
        if not self._is_over:
            self._await(STAKEHOLDER_UPDATE, _Opening(fact.at, is_first=True))

    def _tell_stakeholders(self, fact: Fact) -> None:
        if STAKEHOLDER_UPDATE in self.openings:
            self._end(STAKEHOLDER_UPDATE, fact.at, MET)
            self._begin(STAKEHOLDER_UPDATE, _Opening(fact.at))

    def _demote(self, fact: Fact) -> None:
        self.is_major = False
        self._end(STAKEHOLDER_UPDATE, fact.at, CANCELLED)

    def _owe_notice(self, fact: Fact) -> None:
        """The law counts from the moment of awareness, which may lie before the event."""
        slot = _slot_of_notice(fact)
        if slot not in self.openings and self.state.get("status") != CANCELLED:
            since = fact.about.get("since")
            aware_at = datetime.fromisoformat(since) if since else fact.at
            self._await(slot, _Opening(min(aware_at, fact.at)))

    def _give_notice(self, fact: Fact) -> None:
        self._end(_slot_of_notice(fact), fact.at, MET)

    def _merge(self, fact: Fact) -> None:
        """A duplicate that ends by merging has met nothing and missed nothing any more."""
        if fact.changed.get("status") in OVER:
            self._drop_all(fact.at)

    # ---- What a status means ----

    def _follow_status(self, fact: Fact, status: str) -> None:
        if status == "in_progress":
            self._end(ACCEPTANCE, fact.at, MET)
        elif status == RESOLVED:
            self._solve(fact)
        elif status == "closed":
            self._drop_all(fact.at)
        elif status == CANCELLED:
            for slot in {*self.live, *self.openings}:
                self._end(slot, fact.at, CANCELLED)
        elif self.history[-2:-1] and self.history[-2][1] in SOLVED:
            self._reopen(fact.at)

    def _solve(self, fact: Fact) -> None:
        """A person's solution is a word too; a machine's leaves the asking unanswered."""
        for kind in (*PER_ENTRY, STAKEHOLDER_UPDATE):
            self._end(kind, fact.at, MET)
        self._end(NEXT_UPDATE, fact.at, MET if fact.by_agent else CANCELLED)
        if fact.by_agent:
            self._end(FIRST_RESPONSE, fact.at, MET)
        self._hold(RESOLUTION, fact.at, MET)
        for kind in RESUMED - {RESOLUTION}:
            self._hold(kind, fact.at, CANCELLED)

    def _reopen(self, at: datetime) -> None:
        for kind, held in list(self.live.items()):
            if held.stopped_at is not None:
                self.live[kind] = replace(held, stopped_at=None, ended_as="")
        if self.is_answered:
            self._await(NEXT_UPDATE, _Opening(at, is_first=True))
        if self.is_major:
            self._await(STAKEHOLDER_UPDATE, _Opening(at, is_first=True))

    def _drop_all(self, at: datetime) -> None:
        """End for good whatever is left; what the law wants is owed even then."""
        for slot in {*self.live, *self.openings}:
            if _kind_of(slot) != REGULATORY:
                self._end(slot, at, CANCELLED)

    # ---- Beginning and ending ----

    def _await(self, slot: str, opening: _Opening) -> None:
        """Begin as soon as the targets have been chosen under the new facts."""
        self.choice.pop(_kind_of(slot), None)
        self.openings[slot] = opening

    def _begin(self, slot: str, opening: _Opening) -> None:
        self.openings[slot] = opening
        self._start(slot)

    def _hold(self, slot: str, at: datetime, ending: str) -> None:
        """Stop provisionally: the cycle stays live, for a reopening to resume."""
        if held := self.live.get(slot):
            self.live[slot] = replace(held, stopped_at=at, ended_as=ending)

    def _end(self, slot: str, at: datetime, ending: str) -> None:
        """End for good; a cycle that was stopped provisionally keeps the end that it had."""
        self.openings.pop(slot, None)
        self._finish(slot, at, ending)

    def _finish(self, slot: str, at: datetime, ending: str) -> None:
        cycle = self.live.pop(slot, None)
        if cycle is None:
            return
        if cycle.stopped_at is None:
            cycle = replace(cycle, stopped_at=at, ended_as=ending)
        self.ended.append(cycle)

    def _aim(self, targets: Mapping[str, tuple[int, int] | None], at: datetime) -> None:
        """Set every target anew; what a solution holds is aimed once it runs again."""
        self.choice = {kind: chosen for kind, chosen in targets.items() if chosen}
        for slot, cycle in list(self.live.items()):
            if cycle.stopped_at is not None:
                continue
            if cycle.kind not in self.choice:
                self._finish(slot, at, CANCELLED)
            else:
                target_id, calendar_id = self.choice[cycle.kind]
                if (cycle.target_id, cycle.calendar_id) != (target_id, calendar_id):
                    self.live[slot] = replace(cycle, target_id=target_id, calendar_id=calendar_id)
        for slot in self.openings:
            self._start(slot)

    def _start(self, slot: str) -> None:
        kind = _kind_of(slot)
        opening, chosen = self.openings.get(slot), self.choice.get(kind)
        if opening is None or chosen is None or slot in self.live:
            return
        if self._is_over and kind != REGULATORY:
            return
        known = (*self.ended, *self.live.values())
        taken = {cycle.number for cycle in known if cycle.kind == kind}
        number = opening.number or max(taken, default=0) + 1
        if number in taken:
            return
        self.live[slot] = Cycle(
            kind=kind,
            number=number,
            team_id=opening.team_id,
            target_id=chosen[0],
            calendar_id=chosen[1],
            started_at=opening.at,
            is_first=opening.is_first,
        )


def _kind_of(slot: str) -> str:
    return slot.partition(" ")[0]


def _slot_of_notice(fact: Fact) -> str:
    notice = fact.about.get("notice")
    return f"{REGULATORY} {notice}" if notice else REGULATORY


_FOLLOWED: Final[Mapping[str, Callable[[Tape, Fact], None]]] = {
    "accepted": Tape._accept,
    "vendor_engaged": Tape._engage,
    "vendor_responded": Tape._hear_vendor,
    "vendor_delivered": Tape._receive,
    "vendor_released": Tape._release_vendor,
    "major_declared": Tape._declare,
    "major_updated": Tape._tell_stakeholders,
    "major_demoted": Tape._demote,
    "notice_owed": Tape._owe_notice,
    "notice_given": Tape._give_notice,
    "merged": Tape._merge,
}


def _measured(cycle: Cycle, target: TargetSpec, history: History) -> Cycle:
    """The cycle with its target's length, and the pauses that this target honours."""
    still = target.pauses | (SOLVED if cycle.kind in RESUMED else frozenset())
    end = cycle.stopped_at
    pauses: list[Pause] = []
    for index, (since, status) in enumerate(history):
        until = history[index + 1][0] if index + 1 < len(history) else None
        if status in still:
            _add_pause(pauses, max(since, cycle.started_at), _earlier(until, end))
    allowed_s = (cycle.is_first and target.first_s) or target.seconds
    return replace(cycle, target_s=allowed_s, pauses=tuple(pauses))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [at for at in (one, other) if at is not None]
    return min(known) if known else None


def _add_pause(pauses: list[Pause], since: datetime, until: datetime | None) -> None:
    if until is not None and until <= since:
        return
    if pauses and pauses[-1][1] == since:
        since = pauses.pop()[0]
    pauses.append((since, until))
