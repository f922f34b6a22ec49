"""Why an estimate is what it is: what raised it most, as facts to be put into words; pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from insights.risk.cases import Opening
from insights.risk.memory import LOADED, NOTHING, Memory, keys_of

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
    what, _, of = name.partition(":")
    of = "+".join(each for each in of.split("+") if opening.facts.get(each)) or of
    if name in PLAIN:
        return PLAIN[name], ""
    if name in LEVELS:
        return "level", name
    return ("past" if what in ("rate", "span", "seen") else what), of


def _reason(code: str, of: str, opening: Opening, memory: Memory) -> Reason | None:
    if code == "past":
        return _past(of, opening, memory)
    if code in ("open", "lately") and of in LOADED:
        seen = memory.seen.get((of, opening.facts.get(of, "")), NOTHING)
        number = seen.open_now if code == "open" else round(seen.arrivals(opening.at_s))
        return Reason(code, of, number=number) if number > 0 else None
    return Reason(code, of)


def _past(of: str, opening: Opening, memory: Memory) -> Reason | None:
    key = next((key for key in keys_of(opening.facts) if key[0] == of), None)
    seen = memory.seen.get(key, NOTHING) if key else NOTHING
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
        {name: value for name, value in asdict(reason).items() if value not in (None, "")}
        for reason in reasons
    ]
