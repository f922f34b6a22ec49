"""How fast the machine was meanwhile, without which the times of two runs do not compare."""

import time
from pathlib import Path
from typing import Final

STAT: Final = Path("/proc/stat")
ROUNDS: Final = 200_000


def _ticks() -> tuple[int, int]:
    """Ticks of all processors: those that the host withheld, and all wanted (proc(5))."""
    if not STAT.exists():
        return 0, 0
    counted = list(map(int, STAT.read_text().split("\n", 1)[0].split()[1:9]))
    return counted[7], sum(counted) - counted[3] - counted[4]


_began = _ticks()


def pace() -> dict[str, float]:
    """What to print beside figures.

    `stolen_share`: of the time that programs wanted since this module was imported, what the host
    gave to others. `fixed_work_ms`: processor time of always the same small piece of Python now,
    the middle of nine; it grows where a neighbour shares a core.
    """
    stolen, wanted = (now - then for now, then in zip(_ticks(), _began, strict=True))
    taken = sorted(_fixed_work() for _ in range(9))
    return {
        "stolen_share": round(stolen / wanted, 3) if wanted else 0.0,
        "fixed_work_ms": round(taken[4], 2),
    }


def _fixed_work() -> float:
    began, total = time.process_time(), 0
    for number in range(ROUNDS):
        total += number
    return (time.process_time() - began) * 1000
