"""Keeps for a moment, in this process, what many live pages ask for in the same second.

A hint makes all open pages ask again at once, and most of them ask the same. What was made after
the last hint that this process heard is as true as what could be made now; without a hearing
process nothing is kept. Only live pages are served from here: whoever has just acted and opens a
page is never shown the moment before.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, TypeVar

KEPT_S: Final = 2.0
HELD_S: Final = 30.0
MOST: Final = 4000
"""Several for each page that may be open; fewer, and each would push out what the next asks."""

T = TypeVar("T")


@dataclass
class _Place:
    lock: Lock = field(default_factory=Lock)
    made_at: float = -1.0
    value: Any = None


class Shelf:
    """Values by key; of many who want the same at once, one makes it and the others wait."""

    def __init__(self) -> None:
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._lock = Lock()
        self._heard_at = 0.0
        self._hears = False

    def note_hint(self) -> None:
        """Something has changed: whatever was made before is old."""
        self._heard_at = time.monotonic()

    def note_hearing(self, hears: bool) -> None:
        """Whether hints are heard at all."""
        self._hears = hears

    def take(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of the key, made now unless one made after the last hint is there."""
        if not self._hears:
            return make()
        place = self._place(key)
        with place.lock:
            if not self._is_good(place):
                begun = time.monotonic()
                place.value = make()
                place.made_at = begun
            value: T = place.value
            return value

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of the key, not older than HELD_S: for what no hint tells of."""
        if not self._hears:
            return make()
        place = self._place(key)
        with place.lock:
            if place.made_at < 0 or time.monotonic() - place.made_at > HELD_S:
                place.value, place.made_at = make(), time.monotonic()
            value: T = place.value
            return value

    def _is_good(self, place: _Place) -> bool:
        return place.made_at > self._heard_at and time.monotonic() - place.made_at < KEPT_S

    def _place(self, key: Hashable) -> _Place:
        with self._lock:
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
            while len(self._places) > MOST:
                self._places.popitem(last=False)
            return place


shelf = Shelf()
