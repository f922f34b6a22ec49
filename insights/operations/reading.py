"""One thing that is looked at: what it says, whether that is well, and what to do if it is not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How well a thing is, the gravest first; plain facts are neither well nor ill."""

    BAD = "bad"
    WATCH = "watch"
    GOOD = "good"
    PLAIN = "plain"


GRAVITY = {state: place for place, state in enumerate(State)}


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of the page: a name for programs, a label and words for people.

    `number` is what the words say, for whoever draws it: seconds, bytes or a count, as `slug` ends.
    """

    slug: str
    label: str
    words: str
    state: State = State.PLAIN
    number: float | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Readings of one subject, in the order in which one asks."""

    slug: str
    label: str
    readings: Sequence[Reading]

    @property
    def state(self) -> State:
        """The gravest state of its readings."""
        return gravest(reading.state for reading in self.readings)


def gravest(states: Iterable[State]) -> State:
    """The gravest of these states; PLAIN when there is none."""
    return min(states, key=GRAVITY.__getitem__, default=State.PLAIN)


def judged(is_well: bool, otherwise: State = State.BAD) -> State:
    """GOOD, or the other state."""
    return State.GOOD if is_well else otherwise
