"""What a figure is: its name, what it means, and the one function that makes its value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from insights.figures.sums import Amount

Words = str | Promise
SHARE: Final = "share"
TIME: Final = "time"
COUNT: Final = "count"
MEAN: Final = "mean"
NO_FACTS: Final = _("nothing of the kind happened in this period")


@dataclass(frozen=True, slots=True)
class Part:
    """What is taken of a measure: how often (`n`), or what it adds up to; of one sort, if named."""

    measure: str
    value: str = "n"
    tag: str = ""

    def of(self, amounts: Mapping[tuple[str, str], Amount]) -> int:
        """The sum over all sorts, or of the one that is named."""
        if self.tag:
            return int(getattr(amounts.get((self.measure, self.tag), Amount()), self.value))
        rows = (amount for (measure, _), amount in amounts.items() if measure == self.measure)
        return sum(getattr(amount, self.value) for amount in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. `top` divided by `over`, or `top` alone; `inverse` is one minus that.

    `work` takes the place of `top` for the same in working time. `lacking` says why there is no
    value where there is none.
    """

    slug: str
    name: Words
    definition: Words
    unit: str
    top: Part
    over: Part | None = None
    work: Part | None = None
    inverse: bool = False
    lacking: Words = NO_FACTS
    behind: Part | None = None
    """The facts to look at for what is behind it, where they are not those of `top`."""
    listed: Words = ""
    """Which facts these are, where they are not all that the figure speaks of."""
    better: str = ""
    """What is better: `more`, `less`, or neither."""
    is_present: bool = False
    """Whether it tells of now, whatever the period."""
    is_age: bool = False
    """Whether what is added up are moments, in seconds since 1970, and the value is their age."""

    def of(
        self, amounts: Mapping[tuple[str, str], Amount], now: datetime | None = None
    ) -> float | None:
        """The value of facts added up by measure and sort; None where it is not measured.

        A share from 0 to 1, a time in seconds, a count, or a mean. Only an age depends on `now`.
        """
        value = self._value(self.top, amounts)
        if not self.is_age:
            return value
        return max(0.0, now.timestamp() - value) if now and value is not None else None

    def working(self, amounts: Mapping[tuple[str, str], Amount]) -> float | None:
        """The same in working time; None where that is not measured."""
        return self._value(self.work, amounts) if self.work is not None else None

    def _value(self, part: Part, amounts: Mapping[tuple[str, str], Amount]) -> float | None:
        if self.over is None:
            facts = Part(part.measure, tag=part.tag).of(amounts)
            return float(part.of(amounts)) if facts or self.unit != TIME else None
        whole = self.over.of(amounts)
        if whole <= 0:
            return None
        value = part.of(amounts) / whole
        return 1 - value if self.inverse else value

    def weight(self, amounts: Mapping[tuple[str, str], Amount]) -> int:
        """How many facts stand behind the value."""
        return (self.over or self.top).of(amounts)

    @property
    def measures(self) -> frozenset[str]:
        """The measures that it is made of."""
        parts = (self.top, self.over, self.work)
        return frozenset(part.measure for part in parts if part is not None)

    @property
    def shown(self) -> Part:
        """The facts that one looks at to see what is behind it: the missed, the escalated, …"""
        return self.behind or self.top
