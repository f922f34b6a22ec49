"""What the past says of a ticket at the moment it is opened: rates and spans, in order; pure.

A memory is told of openings, solutions and outcomes in the order in which they became known, and is
asked in between: so what it says of a ticket comes from what was known before, and from nothing
else. Older knowledge weighs less. Little knowledge is drawn towards the whole (smoothing).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from insights.risk.cases import FACTS, Case, Opening

DAY_S: Final = 86_400.0
HALF_LIFE_S: Final = 45 * DAY_S
"""After so long a case weighs half."""
SMOOTHING: Final = 8.0
"""So many average cases are added to what is known of a value."""
PAIRS: Final = (
    ("category", "priority"),
    ("service", "priority"),
    ("team", "priority"),
    ("category", "team"),
    ("subcategory", "team"),
    ("symptom", "category"),
    ("requester", "category"),
    ("opener", "category"),
    ("writer", "category"),
    ("assignee", "team"),
    ("location", "category"),
    ("location", "team"),
)
"""Facts that say more together than each for itself."""
COUNTED: Final = ("category", "subcategory", "symptom", "team", "requester", "opener", "service")
"""Facts of which it also matters how often the value has been seen."""
LOADED: Final = ("team", "category", "service")
"""Facts of which it matters how much is open and how much came in lately."""
NEAR_0: Final = 1e-3

Key = tuple[str, str]
Load = Mapping[Key, tuple[int, float]]
"""Of values of `LOADED` facts, what is open at one moment, and what came in lately, as `freshness`
weighs it."""


def freshness(age_s: float) -> float:
    """By how much something that came in so long ago counts among what comes in lately."""
    return 0.5 ** (age_s / DAY_S)


@dataclass(slots=True)
class Seen:
    """What is known of one value: outcomes, spans (log of hours), and what is open now."""

    judged: float = 0.0
    bad: float = 0.0
    timed: float = 0.0
    spans: float = 0.0
    as_of_s: float = 0.0
    open_now: int = 0
    lately: float = 0.0
    lately_s: float = 0.0

    def fade(self, at_s: float) -> None:
        """Let what was learned weigh less by now."""
        if 0 < self.as_of_s < at_s:
            kept = 0.5 ** ((at_s - self.as_of_s) / HALF_LIFE_S)
            self.judged, self.bad = self.judged * kept, self.bad * kept
            self.timed, self.spans = self.timed * kept, self.spans * kept
        self.as_of_s = max(self.as_of_s, at_s)

    def arrivals(self, at_s: float) -> float:
        """How many came in lately."""
        return self.lately * freshness(at_s - self.lately_s) if self.lately else 0.0


WHOLE: Final[Key] = ("", "")
UNTOLD: Final = frozenset({"", "\x1f"})
"""A fact, or two that go together, of which nothing was said at opening."""


def keys_of(facts: Mapping[str, str]) -> Iterator[Key]:
    """Everything of a ticket that is remembered: its facts, and those that go together."""
    for name in FACTS:
        yield name, facts.get(name, "")
    for one, other in PAIRS:
        yield f"{one}+{other}", f"{facts.get(one, '')}\x1f{facts.get(other, '')}"


class Memory:
    """All that has been learned up to one moment; `is_closed` lets nothing more in.

    What is open and what comes in lately goes on being counted: it is known at any opening.
    """

    def __init__(self) -> None:
        self.seen: dict[Key, Seen] = {WHOLE: Seen()}
        self.is_closed = False
        self.load: Load | None = None

    def under(self, load: Load) -> "Memory":
        """The same memory, at a moment at which so much is open; nothing is copied."""
        loaded = Memory()
        loaded.seen, loaded.is_closed, loaded.load = self.seen, True, load
        return loaded

    def _all(self, facts: Mapping[str, str]) -> Iterator[Seen]:
        yield self.seen[WHOLE]
        for key in keys_of(facts):
            yield self.seen.setdefault(key, Seen())

    def open(self, case: Opening) -> None:
        """A ticket was opened."""
        at_s = case.at_s
        for each in self._all(case.facts):
            each.lately, each.lately_s = each.arrivals(at_s) + 1, at_s
            each.open_now += 1

    def solve(self, case: Case, at_s: float) -> None:
        """A ticket was solved at that moment."""
        span = math.log1p(max(at_s - case.at_s, 0.0) / 3600)
        for each in self._all(case.facts):
            each.open_now -= 1
            if not self.is_closed:
                each.fade(at_s)
                each.timed += 1
                each.spans += span

    def judge(self, case: Case, at_s: float) -> None:
        """How a ticket ended came to be known at that moment."""
        if self.is_closed:
            return
        for each in self._all(case.facts):
            each.fade(at_s)
            each.judged += 1
            each.bad += bool(case.ended_badly)

    def features(self, case: Opening) -> list[float]:
        """What it says of a ticket that is about to be opened, in the order of `NAMES`."""
        whole = self.seen[WHOLE]
        rate = (whole.bad + 1) / (whole.judged + 2)
        span = whole.spans / whole.timed if whole.timed else 0.0
        found: list[float] = []
        usual = logit(rate)
        for key in keys_of(case.facts):
            each = self.known(key)
            found.append(logit(_drawn(each.bad, each.judged, rate)) - usual)
            found.append(_drawn(each.spans, each.timed, span) - span)
        found += [math.log1p(self._of(name, case).judged) for name in COUNTED]
        for name in LOADED:
            found += map(math.log1p, self.loaded(name, case))
        return found + _times(case.opened_at) + _levels(case.facts)

    def loaded(self, name: str, case: Opening) -> tuple[int, float]:
        """Of a fact's value, how many are open, and how many came in lately."""
        key = (name, case.facts.get(name, ""))
        if self.load is None:
            each = self.known(key)
            return max(each.open_now, 0), each.arrivals(case.at_s)
        return self.load.get(key, (0, 0)) if key[1] not in UNTOLD else (0, 0)

    def _of(self, name: str, case: Opening) -> Seen:
        return self.known((name, case.facts.get(name, "")))

    def known(self, key: Key) -> Seen:
        """What is known of a value; of a fact that was not told, nothing."""
        return self.seen.get(key, NOTHING) if key[1] not in UNTOLD else NOTHING


NOTHING: Final = Seen()


def _drawn(total: float, weight: float, towards: float) -> float:
    return (total + SMOOTHING * towards) / (weight + SMOOTHING)


def logit(share: float) -> float:
    """The logarithm of the odds; shares of 0 and 1 are drawn in a little."""
    inside = min(max(share, NEAR_0), 1 - NEAR_0)
    return math.log(inside / (1 - inside))


def _times(at: datetime) -> list[float]:
    turn = (at.hour + at.minute / 60) / 24 * 2 * math.pi
    return [math.sin(turn), math.cos(turn), float(at.weekday()), float(at.weekday() >= 5)]


def _levels(facts: Mapping[str, str]) -> list[float]:
    return [_number(facts.get(name, "")) for name in ("priority", "impact", "urgency")]


def _number(text: str) -> float:
    return float(text) if text.isascii() and text.isdecimal() else 0.0


def _names() -> list[str]:
    keys = [name for name, _ in keys_of({})]
    found = [f"{what}:{key}" for key in keys for what in ("rate", "span")]
    found += [f"seen:{name}" for name in COUNTED]
    found += [f"{what}:{name}" for name in LOADED for what in ("open", "lately")]
    return [*found, "hour:sin", "hour:cos", "weekday", "weekend", "priority", "impact", "urgency"]


NAMES: Final[Sequence[str]] = _names()
"""What each feature is called, such as rate:category."""
PLACES: Final[Mapping[str, int]] = {name: place for place, name in enumerate(NAMES)}


def kept(memory: Memory) -> dict[str, Any]:
    """The memory as plain JSON: counts only, and nothing that was seen less than twice."""
    return {
        "\x1e".join(key): [
            *(round(value, 3) for value in (each.judged, each.bad, each.timed, each.spans)),
            round(each.as_of_s),
        ]
        for key, each in memory.seen.items()
        if key == WHOLE or each.judged >= 1 or each.timed >= 1
    }


def recalled(stored: Mapping[str, Sequence[float]]) -> Memory:
    """A closed memory from what was kept; what is open now must be told anew."""
    memory = Memory()
    for text, (judged, bad, timed, spans, as_of_s) in stored.items():
        name, _, value = text.partition("\x1e")
        memory.seen[name, value] = Seen(judged, bad, timed, spans, as_of_s)
    memory.is_closed = True
    return memory
