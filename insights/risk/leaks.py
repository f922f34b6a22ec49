"""Refuses what tells of the end before it has come: columns that were filled in backwards; pure.

Two signs, either of which is enough. A column tells of the *future* when what it says of a moment
lies later than that moment. And a column was *filled in backwards* when it never changes within a
case, cases that are over have it from their first row on, and cases that are not over have not:
such a value came with the end and was written over everything before. What tells the end almost
alone is refused as well, whatever it looks like.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from insights.risk.measures import auroc

TOO_GOOD: Final = 0.97
"""Known at opening, nothing tells the end so well: real histories give .6 to .85."""
OFTEN: Final = 0.01
"""A share of cases that is no slip of a clock."""
FILLED: Final = 0.9
EMPTY: Final = 0.1
FEWEST: Final = 20
"""So many cases of a kind must be seen before something is said of them."""


@dataclass(frozen=True, slots=True)
class History:
    """One case as it was recorded: its rows in order, whether it is over, whether badly.

    `ended_badly` is None while nobody knows.
    """

    rows: Sequence[tuple[datetime, Mapping[str, Any]]]
    is_over: bool
    ended_badly: bool | None = None


def refusals(histories: Sequence[History], names: Iterable[str]) -> dict[str, str]:
    """The columns that may not be learned from, each with the reason in a sentence."""
    found = {name: _why(name, histories) for name in names}
    return {name: why for name, why in found.items() if why}


def _why(name: str, histories: Sequence[History]) -> str:
    return (
        _from_the_future(name, histories)
        or _filled_backwards(name, histories)
        or _too_good(name, histories)
    )


def _from_the_future(name: str, histories: Sequence[History]) -> str:
    early = sum(
        any(isinstance(row.get(name), datetime) and row[name] > at for at, row in history.rows)
        for history in histories
    )
    if early >= max(1.0, OFTEN * len(histories)):
        return f"tells of times that had not come yet, in {early} of {len(histories)} cases"
    return ""


def _filled_backwards(name: str, histories: Sequence[History]) -> str:
    changing = sum(len({row.get(name) for _, row in each.rows}) > 1 for each in histories)
    over = [each for each in histories if each.is_over]
    others = [each for each in histories if not each.is_over]
    if changing > OFTEN * len(histories) or min(len(over), len(others)) < FEWEST:
        return ""
    known, unknown = _share_with(name, over), _share_with(name, others)
    if known >= FILLED and unknown <= EMPTY:
        return (
            f"never changes within a case, and {known:.0%} of the cases that are over have it from"
            f" the start, but {unknown:.0%} of the others: it was filled in backwards"
        )
    return ""


def _share_with(name: str, histories: Sequence[History]) -> float:
    return sum(each.rows[0][1].get(name) not in (None, "") for each in histories) / len(histories)


def _too_good(name: str, histories: Sequence[History]) -> str:
    """Whether a value's cases in one half of the past tell the end of those in the other half."""
    known = [
        (each.rows[0][1].get(name), each.ended_badly)
        for each in histories
        if each.ended_badly is not None
    ]
    if len(known) < 2 * FEWEST:
        return ""
    told = max(_told_by_the_other_half(known[::2], known[1::2]), _told_by_size(known))
    if told >= TOO_GOOD:
        return f"alone tells the end of {told:.0%} of pairs: nobody can know that beforehand"
    return ""


def _told_by_size(known: Sequence[tuple[Any, bool | None]]) -> float:
    """How well more of a number, or less of it, tells the end; 0 for what is no number."""
    sizes = [_size(value) for value, _ in known]
    if any(size is None for size in sizes):
        return 0.0
    told = auroc([size or 0.0 for size in sizes], [bool(bad) for _, bad in known])
    return max(told, 1 - told)


def _size(value: Any) -> float | None:
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, int | float) else None


def _told_by_the_other_half(
    known: Sequence[tuple[Any, bool | None]], asked: Sequence[tuple[Any, bool | None]]
) -> float:
    counts: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for value, bad in known:
        counts[value][0] += 1
        counts[value][1] += bool(bad)
    rate = sum(bad for _, bad in counts.values()) / len(known)
    scores = [(counts[value][1] + rate) / (counts[value][0] + 1) for value, _ in asked]
    return auroc(scores, [bool(bad) for _, bad in asked])
