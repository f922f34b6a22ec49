"""The words of a decision, pure: a step, a run, a clock, and a step that is due, as rules see them.

Nothing here reads a database or a watch; `runs.py` fills these in from rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from roles.values import value
from roles.worktime import Pause

CLOCK_PERCENT: Final = "clock_percent"
CLOCK_REMAINING: Final = "clock_remaining"
UNACKNOWLEDGED: Final = "unacknowledged"
SILENT: Final = "silent"
IN_STATUS: Final = "in_status"
SINCE_START: Final = "since_start"
REOPENED: Final = "reopened"
HANDED_OVER: Final = "handed_over"
CHASED: Final = "chased"
PING_PONG: Final = "ping_pong"
REPEATED: Final = "repeated"
FLAPPING: Final = "flapping"
RISK: Final = "risk"
MANUAL: Final = "manual"

ON_CLOCKS: Final = frozenset({CLOCK_PERCENT, CLOCK_REMAINING})
COUNTING: Final = frozenset({REOPENED, HANDED_OVER, CHASED, PING_PONG, REPEATED, FLAPPING})
ON_FACTS: Final = COUNTING | {RISK}
"""Triggers that hold or do not hold; when one first held is kept on the run."""

STANDING_LOOP: Final = 0
"""The loop of steps that judge a clock, a status or a fact: they stand outside the rounds."""
CALLED_LOOP: Final = 2_000_000_000
"""The loop of steps called by hand that are no rung; their entry is the number of that event."""
LEFT_LOOP: Final = 2_000_000_001
"""Under it stands which team entry a step has moved its ticket out of; no firing has it."""
ONCE: Final = 1
"""The entry of a step that is judged once in a run."""

TELLING: Final = frozenset({"notify", "page", "involve"})
"""What steps do that tells people, and leaves the ticket itself as it is."""

EMPTY: Final = "empty"
FIRED: Final = "fired"
URGENT: Final = frozenset({1, 2})

AUTO: Final = "auto"
WALL: Final = "wall"
TEAM: Final = "team"
CALENDAR: Final = "calendar:"
"""What a delay counts by; of the last, the calendar's slug follows."""

Key = tuple[int, int, int]
"""(loop, step, entry): what makes a firing of a run the only one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a published revision.

    `remaining_s`, `delay_s` and `window_s` are seconds; `conditions` are like a policy's; `gates`
    say at which hours and priorities the step may go. Its delay counts by `basis`; `hours` are
    those of the calendar which that names. It `moves` the ticket when one of its actions
    puts it into another queue, `restricts` it when one puts it into the security lane, and
    `only_tells` when all of them do no more than that.
    """

    id: int
    position: int
    name: str
    trigger: str
    clock: str = ""
    percent: int = 0
    remaining_s: int = 0
    status: str = ""
    delay_s: int = 0
    count: int = 0
    window_s: int = 0
    same: str = ""
    basis: str = AUTO
    hours: Any = field(default=None, compare=False)
    conditions: tuple[Mapping[str, Any], ...] = ()
    gates: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[Mapping[str, Any], ...] = ()
    moves: bool = field(init=False, compare=False, default=False)
    restricts: bool = field(init=False, compare=False, default=False)
    only_tells: bool = field(init=False, compare=False, default=False)

    def __post_init__(self) -> None:
        verbs = {action["do"] for action in self.actions}
        object.__setattr__(self, "moves", "move" in verbs)
        object.__setattr__(self, "restricts", "restrict" in verbs)
        object.__setattr__(self, "only_tells", verbs <= TELLING)


def calendar_basis(slug: str) -> str:
    """The basis of a delay that counts by the hours of the calendar with this slug."""
    return CALENDAR + slug


@value
class ClockView:
    """A clock cycle as far as steps care: when it will have run for so many seconds.

    `beside` are other cycles of the same kind that run at the same time: notices to several
    authorities. Steps judge each of them. `due_at` is the deadline as the clock was last read; None
    while it stands still.
    """

    cycle: int
    target_s: int
    is_live: bool
    crossing: Callable[[float], datetime | None]
    beside: tuple["ClockView", ...] = ()
    due_at: datetime | None = None

    def of(self, cycle: int) -> "ClockView":
        """The one with that number, among those that run at the same time; else this one."""
        return next((view for view in self.beside if view.cycle == cycle), self)


@value
class RunView:
    """One run as the decision sees it.

    `done` maps (loop, step, entry) to the outcome of what has fired or been skipped already; of a
    step that has moved the ticket also (LEFT_LOOP, step, the team entry that it was moved out of).
    `base_position` is where this loop begins: earlier steps are behind, and delays count from it.
    `lead_s` is what this loop waits before its first step; `round` counts how often the ladder has
    begun, which other loops (after a lapsed acknowledgement, a called step) leave alone.
    `heard_at` is when our side last did anything, `heard_entry` the number of that event.
    `reached` maps a fact step to the (entry, moment) at which its fact came to hold.
    `postponed` maps a key to the moment to which a firing has been put off.
    A run `is_held` until `held_until`, or until it is let go if that is None.
    `facts` are those of the ticket that conditions of steps may ask for.
    """

    loop: int
    entry: int
    entry_origin: int
    waiting_since: datetime
    frozen: tuple[Pause, ...]
    is_acknowledged: bool
    status: str
    status_since: datetime
    status_entry: int
    priority: int
    repeat_limit: int
    repeat_after_s: int
    base_position: int = 0
    done: Mapping[Key, str] = field(default_factory=dict)
    round: int = 1
    lead_s: int = 0
    started_at: datetime | None = None
    heard_at: datetime | None = None
    heard_entry: int = 0
    reached: Mapping[int, tuple[int, datetime]] = field(default_factory=dict)
    postponed: Mapping[Key, datetime] = field(default_factory=dict)
    is_held: bool = False
    held_until: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@value
class Due:
    """One step and the moment at which it may go; `at` may lie ahead.

    `since` is when its rule holds, which is earlier than `at` when a gate or a hold puts it off;
    None says they are the same. `skip_because` says what keeps it from going at that moment.
    """

    step: Step
    at: datetime
    loop: int
    entry: int
    since: datetime | None = None
    skip_because: str = ""

    @property
    def threshold_at(self) -> datetime:
        """When the rule of the step holds, whatever puts the step off."""
        return self.since or self.at

    @property
    def key(self) -> Key:
        return (self.loop, self.step.id, self.entry)


@value
class Decision:
    """What to do now: fire these in order, record those as skipped; what comes next, and when.

    `behind` are to be recorded as skipped too if the step that fires really moves the ticket.
    """

    fire: tuple[Due, ...]
    skip: tuple[tuple[Due, str], ...]
    ahead: tuple[Due, ...]
    behind: tuple[Due, ...] = ()

    @property
    def next_at(self) -> datetime | None:
        return self.ahead[0].at if self.ahead else None

    @property
    def only_tells(self) -> bool:
        """Whether what fires leaves the ticket as it is."""
        return all(due.step.only_tells for due in self.fire)
