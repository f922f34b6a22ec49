"""How fast one target is called: never faster than it takes, and rarely while it is down."""

import threading
from collections import deque
from time import monotonic, sleep
from typing import Final

REST_S: Final = 30.0
"""How long a target that did not answer is left alone, so that it holds no lane of others."""


class Breaker:
    """Remembers which targets did not answer; then one message at a time tries them."""

    def __init__(self, rest_s: float = REST_S) -> None:
        self._rest_s = rest_s
        self._lock = threading.Lock()
        self._resting: dict[str, float] = {}

    def wait_s(self, target: str) -> float:
        """Seconds to wait; 0 for the one whose turn it is, who keeps the others away meanwhile."""
        with self._lock:
            until = self._resting.get(target)
            if until is None:
                return 0.0
            left_s = until - monotonic()
            if left_s <= 0:
                self._resting[target] = monotonic() + self._rest_s
            return max(0.0, left_s)

    def hold(self, target: str) -> None:
        """The target did not answer: leave it alone for a while."""
        with self._lock:
            self._resting[target] = monotonic() + self._rest_s

    def heal(self, target: str) -> None:
        """The target answered: it is there."""
        with self._lock:
            self._resting.pop(target, None)


class Pace:
    """Spaces the calls to each target; a short wait is waited out, a long one is the caller's."""

    def __init__(self, per_second: float, patience_s: float = 2.0) -> None:
        self._gap_s = 1.0 / per_second
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}
        self._order: deque[str] = deque(maxlen=10_000)

    def wait_s(self, target: str) -> float:
        """0 after waiting for one's turn; else the seconds after which to ask again."""
        with self._lock:
            now = monotonic()
            wait_s = max(0.0, self._free_at.get(target, 0.0) - now)
            if wait_s > self._patience_s:
                return wait_s
            self._remember(target)
            self._free_at[target] = now + wait_s + self._gap_s
        sleep(wait_s)
        return 0.0

    def _remember(self, target: str) -> None:
        """Forget the oldest target where there are very many: no process grows for ever."""
        if target not in self._free_at:
            if len(self._order) == self._order.maxlen:
                self._free_at.pop(self._order[0], None)
            self._order.append(target)
