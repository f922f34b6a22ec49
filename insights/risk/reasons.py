"""Why an estimate is what it is: what raised it most, as facts to be put into words; pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final

from insights.risk.cases import Opening
from insights.risk.memory import LOADED, Memory

SHOWN: Final = 3
LEAST: Final = 0.05
"""What raises the odds by less is no reason."""
LEAST_KNOWN: Final = 3
"""A rate over fewer tickets is no reason either."""
PLAIN: Final = {"hour:sin": "hour", "hour:cos": "hour", "weekday": "day", "weekend": "day"}
LEVELS: Final = ("priority", "impact", "urgency")


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: `code` says of which sort, `of` which fact; the figures are for the sentence.

    `share` of `count` earlier tickets with the same value ended badly; `hours` is how long such
    tickets take as a rule; `number` is what was counted. None where a sort has no such figure.
    """

    code: str
    of: str = ""
    share: float | None = None
    count: int | None = None
    hours: float | None = None
    number: int | None = None


SAID: Final = tuple(each.name for each in fields(Reason))


def reasons_of(
    weights: Mapping[str, float], opening: Opening, memory: Memory, later: Mapping[str, float]
) -> list[Reason]:
    """What raised the odds most, the strongest first; at most three.

    `weights` by the names of the memory's features, `later` by the figures of what has happened
    since.
    """
    gathered: dict[tuple[str, str], float] = {}
    for name, weight in weights.items():
        about = _about(name, opening)
        gathered[about] = gathered.get(about, 0.0) + weight
    for name, weight in later.items():
        if name not in ("opening", "span"):
            gathered["since", name] = gathered.get(("since", name), 0.0) + weight
    ranked = sorted(gathered.items(), key=lambda pair: (-pair[1], pair[0]))
    found = [
        reason
        for (code, of), weight in ranked
        if weight >= LEAST and (reason := _reason(code, of, opening, memory)) is not None
    ]
    return found[:SHOWN]


def _about(name: str, opening: Opening) -> tuple[str, str]:
    """Of which sort of reason a feature is, and about what.

    Two facts of which only one was told say no more than that one.
    """
    code, whole, parts = _sort_of(name)
    if len(parts) < 2 or all(map(opening.facts.get, parts)):
        return code, whole
    return code, "+".join(each for each in parts if opening.facts.get(each)) or whole


@lru_cache(maxsize=256)
def _sort_of(name: str) -> tuple[str, str, tuple[str, ...]]:
    """The sort of reason that a feature is, the facts that it is about, and each of these."""
    if name in PLAIN:
        return PLAIN[name], "", ()
    if name in LEVELS:
        return "level", name, ()
    what, _, of = name.partition(":")
    return ("past" if what in ("rate", "span", "seen") else what), of, tuple(of.split("+"))


def _reason(code: str, of: str, opening: Opening, memory: Memory) -> Reason | None:
    if code == "past":
        return _past(of, opening, memory)
    if code in ("open", "lately") and of in LOADED:
        open_now, lately = memory.loaded(of, opening)
        number = open_now if code == "open" else round(lately)
        return Reason(code, of, number=number) if number > 0 else None
    return Reason(code, of)


def _past(of: str, opening: Opening, memory: Memory) -> Reason | None:
    told = (opening.facts.get(name, "") for name in of.split("+"))
    seen = memory.known((of, "\x1f".join(told)))
    if seen.judged < LEAST_KNOWN:
        return None
    hours = math.expm1(seen.spans / seen.timed) if seen.timed else None
    return Reason(
        "past",
        of,
        share=round(seen.bad / seen.judged, 3),
        count=round(seen.judged),
        hours=round(hours, 1) if hours is not None else None,
    )


def stored_reasons(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    """The reasons as JSON."""
    return [
        {name: value for name in SAID if (value := getattr(reason, name)) not in (None, "")}
        for reason in reasons
    ]
