"""Lives through a history in order and says of each ticket what was known when it was opened; pure.

Nobody is told of an outcome before it was known: a ticket's own end, and those of tickets that were
still open, are not among what is said of it.
"""

import heapq
import math
from collections.abc import Iterable
from datetime import datetime

from insights.risk.cases import Case
from insights.risk.memory import Memory

SOLVED, JUDGED = 0, 1


def walk(
    cases: Iterable[Case], memory: Memory, *, learn_until: datetime | None = None
) -> list[list[float]]:
    """The features of each case at its opening; `cases` in the order of opening.

    The memory learns on the way, of nothing that became known after `learn_until`.
    """
    end_s = learn_until.timestamp() if learn_until else math.inf
    coming: list[tuple[float, int, int, Case]] = []
    found = []
    for number, case in enumerate(cases):
        _tell(memory, coming, until_s=case.at_s, end_s=end_s)
        found.append(memory.features(case))
        memory.open(case)
        if case.over_at is not None:
            over_s = max(case.over_at.timestamp(), case.at_s)
            heapq.heappush(coming, (over_s, number, SOLVED, case))
        if case.known_at is not None:
            heapq.heappush(coming, (case.known_at.timestamp(), number, JUDGED, case))
    _tell(memory, coming, until_s=end_s, end_s=end_s)
    return found


def _tell(
    memory: Memory, coming: list[tuple[float, int, int, Case]], *, until_s: float, end_s: float
) -> None:
    """Tell the memory of whatever became known by then, in order."""
    while coming and coming[0][0] <= until_s:
        at_s, _, what, case = heapq.heappop(coming)
        memory.is_closed = memory.is_closed or at_s > end_s
        if what == SOLVED:
            memory.solve(case, at_s)
        else:
            memory.judge(case, at_s)
    memory.is_closed = memory.is_closed or until_s > end_s
