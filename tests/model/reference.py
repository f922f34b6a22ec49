"""What a ticket's climb should do, said as simply as can be: minute by minute, on ten fingers.

The engine reckons with instants and intervals; this counts minutes one at a time. Where the two
disagree, one of them is wrong. It knows nothing of Django, of the database, or of the engine.
"""

from dataclasses import dataclass, field

TIERS = ("desk", "apps", "platform")
PENDING = "pending"

FIRED, EMPTY, SKIPPED = "fired", "empty", "skipped"


@dataclass(frozen=True)
class Rung:
    """A step for a ticket that nobody acknowledges, and what it does."""

    name: str
    after: int
    pages_on_call: bool = False
    moves: bool = False


@dataclass(frozen=True)
class Ladder:
    """A policy: its rungs in order, and the shares of the clock that it warns at."""

    rungs: tuple[Rung, ...]
    percents: tuple[tuple[str, int], ...] = (("Half", 50), ("Late", 100))

    def slower(self) -> "Ladder":
        """The same rungs, each after twice the time: what an edited policy says."""
        return Ladder(
            tuple(
                Rung(rung.name, rung.after * 2, rung.pages_on_call, rung.moves)
                for rung in self.rungs
            ),
            self.percents,
        )


LADDER = Ladder(
    (
        Rung("Page", 5, pages_on_call=True),
        Rung("Lead", 10),
        Rung("Up", 20, moves=True),
        Rung("Manager", 30),
    )
)


@dataclass
class Climb:
    """One run: where it stands on its ladder, and what it has done."""

    ladder: Ladder
    entry: int
    loop: int = 1
    base: int = 0  # index of the rung where this loop begins
    reached: int = -1  # index of the highest rung judged in this loop
    waited_at: list[int] = field(default_factory=list)  # [n]: the minute n minutes had been waited
    done: dict[tuple[int, str, int], str] = field(default_factory=dict)
    left: set[tuple[str, int]] = field(default_factory=set)  # the entry that a rung has ended
    warned: set[str] = field(default_factory=set)

    def wait_anew(self, minute: int) -> None:
        self.waited_at = [minute]


@dataclass
class Case:
    """One ticket as the reference sees it; `log` is what its steps came to, in order."""

    ladder: Ladder
    minute: int
    target: int = 120
    status: str = "waiting"
    acknowledged: bool = False
    team: int = 0
    entry: int = 1
    origin: int = 1
    log: list[tuple[str, str]] = field(default_factory=list)
    came_from: dict[int, tuple[int, int, bool]] = field(default_factory=dict)
    ran_at: list[int] = field(default_factory=list)
    climb: Climb | None = None
    has_assignee: bool = False

    def __post_init__(self) -> None:
        self.ran_at = [self.minute]
        self._start()

    # ---- what people do ----

    def take(self) -> None:
        if self.status == "waiting":
            self.status = "working"
        self.acknowledged = self.has_assignee = True

    def assign(self) -> None:
        """Being given a ticket starts the work on it and acknowledges nothing."""
        if self.status == "waiting":
            self.status = "working"
        self.has_assignee = True

    def acknowledge(self) -> None:
        self.acknowledged = True

    def unacknowledge(self) -> None:
        """Pages resume at the rung they had reached, in a loop of its own."""
        self.acknowledged = False
        climb = self.climb
        assert climb is not None
        if climb.reached >= 0:
            climb.loop += 1
            climb.base, climb.reached = climb.reached, climb.reached
        climb.wait_anew(self.minute)

    def pend(self) -> None:
        self.status = PENDING

    def resume(self) -> None:
        self.status = "working"

    def move_to(self, team: int) -> None:
        """Escalate by hand, or by a step."""
        self.came_from[self.entry + 1] = (self.team, self.origin, self.has_assignee)
        self.team = team
        self._enter(self.entry + 1)

    def hand_back(self) -> None:
        team, origin, had_assignee = self.came_from[self.entry]
        self.team = team
        self._enter(origin)
        if had_assignee:
            self.status, self.has_assignee = "working", True

    def resolve(self) -> None:
        self.status, self.climb = "resolved", None

    def reopen(self, ladder: Ladder) -> None:
        self.ladder = ladder
        self._enter(self.entry + 1)
        self._start()

    def aim(self, target: int) -> None:
        self.target = target

    @property
    def is_open(self) -> bool:
        return self.status != "resolved"

    @property
    def may_hand_back(self) -> bool:
        return self.is_open and self.entry in self.came_from

    def _enter(self, origin: int) -> None:
        self.entry += 1
        self.origin = origin
        self.status, self.acknowledged, self.has_assignee = "waiting", False, False
        if self.climb is not None:
            self.climb.entry, self.climb.loop = self.entry, 1
            self.climb.base, self.climb.reached = 0, -1
            self.climb.wait_anew(self.minute)

    def _start(self) -> None:
        self.climb = Climb(self.ladder, self.entry)
        self.climb.wait_anew(self.minute)

    # ---- what time does ----

    def pass_minute(self) -> None:
        self.minute += 1
        if self.status in ("waiting", "working"):
            self.ran_at.append(self.minute)
            if self.climb is not None and not self.acknowledged:
                self.climb.waited_at.append(self.minute)

    # ---- what the engine should do when it looks ----

    def sweep(self, *, nobody_on_call: bool) -> None:
        """Carry out what is due, until nothing is."""
        while self.climb is not None and self._look(self.climb, nobody_on_call):
            pass

    def _look(self, climb: Climb, nobody_on_call: bool) -> bool:
        rungs, warnings = self._ripe_rungs(climb), self._ripe_warnings(climb)
        ripe = sorted([*rungs, *warnings])
        last = {
            kind: max((at for at, _, other, _ in ripe if other == kind), default=-1)
            for kind in ("rung", "clock")
        }
        acted = False
        for at, _, kind, name in ripe:
            if at < last[kind]:
                self._note(climb, kind, name, SKIPPED)
                acted = True
        going = [(kind, name) for at, _, kind, name in ripe if at == last[kind]]
        movers = {rung.name for rung in climb.ladder.rungs if rung.moves}
        for name in (name for _, name in going if name in movers):
            self._move_up(climb, name)
            return True  # It goes alone: in the new team everything is judged anew.
        for kind, name in going:
            rung = next((item for item in climb.ladder.rungs if item.name == name), None)
            empty = rung is not None and rung.pages_on_call and nobody_on_call
            self._note(climb, kind, name, EMPTY if empty else FIRED)
        return acted or bool(going)

    def _move_up(self, climb: Climb, name: str) -> None:
        is_top = self.team == len(TIERS) - 1
        self._note(climb, "rung", name, EMPTY if is_top else FIRED)
        if not is_top:
            self.move_to(self.team + 1)

    def _note(self, climb: Climb, kind: str, name: str, outcome: str) -> None:
        self.log.append((name, outcome))
        if kind == "clock":
            climb.warned.add(name)
            return
        index = next(i for i, rung in enumerate(climb.ladder.rungs) if rung.name == name)
        climb.reached = max(climb.reached, index)
        climb.done[climb.loop, name, self.entry] = outcome
        if climb.ladder.rungs[index].moves and outcome == FIRED:
            climb.left.add((name, self.origin))

    def _ripe_rungs(self, climb: Climb) -> list[tuple[int, int, str, str]]:
        if self.acknowledged:
            return []
        found, wait, before = [], 0, None
        for index, rung in enumerate(climb.ladder.rungs):
            if index < climb.base:
                continue
            outcome = climb.done.get((climb.loop, rung.name, self.entry))
            if before is None:
                wait = 0 if climb.loop > 1 or climb.base else rung.after
            elif before[1] != EMPTY:
                wait += rung.after - before[0].after
            before = (rung, outcome)
            moved_before = (rung.name, self.origin) in climb.left
            if outcome is None and not moved_before and wait < len(climb.waited_at):
                found.append((climb.waited_at[wait], index, "rung", rung.name))
        return found

    def _ripe_warnings(self, climb: Climb) -> list[tuple[int, int, str, str]]:
        return [
            (self.ran_at[needed], 100 + share, "clock", name)
            for name, share in climb.ladder.percents
            if name not in climb.warned
            and (needed := self.target * share // 100) < len(self.ran_at)
        ]
