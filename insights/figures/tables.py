"""A dashboard, or what is behind a figure, as tables of plain values: what files and mails hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from insights.figures import boards
from insights.figures.answers import Split, Told
from insights.figures.figure import COUNT, MEAN, SHARE, TIME, Figure, Words
from insights.figures.models import Point
from insights.figures.naming import SORTS

Cell = str | int | float | date | None
UNITS: Final = {SHARE: "", TIME: "s", COUNT: "", MEAN: ""}
MOST_FACTS: Final = 50_000
"""So many lines a file of facts has at most; it says so where there are more."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its title, its head, and its lines."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    nothing: str = ""
    """What people are told where there is no line."""


def tables_of(told: Told) -> list[Table]:
    """Every table of a dashboard: the figures first, then each split whole.

    Shares from 0 to 1, times in seconds; an empty cell is a figure that is not measured.
    """
    return [_tiles(told), *(_split(split) for split in told.splits)]


def _tiles(told: Told) -> Table:
    head = [_("Figure"), _("Value"), _("In working time"), _("Period before"), _("Of"), _("Means")]
    rows = [
        (
            _named(tile.figure),
            _rounded(tile.figure, tile.value),
            _rounded(tile.figure, tile.working),
            _rounded(tile.figure, tile.before),
            _of(tile.figure, tile.weight),
            str(tile.figure.definition)
            if tile.value is not None
            else _("not measured, because %(why)s") % {"why": tile.figure.lacking},
        )
        for tile in told.tiles
    ]
    return Table(str(told.board.name), head, rows)


def _split(split: Split) -> Table:
    head: list[Words] = [split.panel.words[0], _named(split.figure)]
    if split.second is not None:
        head.append(_named(split.second))
    rows = []
    for row in split.rows:
        label: Cell = row.label
        if split.panel.by == boards.WEEK:
            label = row.week
        second = [_rounded(split.second, row.second)] if split.second is not None else []
        rows.append(
            (label, _rounded(split.figure, row.value), *second, _of(split.figure, row.weight))
        )
    title = f"{split.figure.name}, {split.panel.words[1]}"
    return Table(title, [*map(str, head), _("Of")], rows)


def facts_table(figure: Figure, facts: Iterable[Point]) -> Table:
    """The facts behind a figure, each with its ticket."""
    head = [
        *(_("Ticket"), _("Subject"), _("Day"), _("Priority"), _("Status"), _("Team")),
        *(_("Service"), _("Sort"), _("Measured"), _("In working time")),
    ]
    rows = [
        (
            fact.ticket.key,
            fact.ticket.subject,
            fact.day,
            fact.ticket.priority,
            fact.ticket.status,
            fact.ticket.team.name if fact.ticket.team else None,
            fact.ticket.service.name if fact.ticket.service else None,
            str(SORTS.get(fact.tag, fact.tag)),
            fact.total,
            fact.work if figure.work is not None else None,
        )
        for fact in facts
    ]
    return Table(str(figure.name), head, rows)


def _named(figure: Figure) -> str:
    unit = UNITS[figure.unit]
    return f"{figure.name} ({unit})" if unit else str(figure.name)


def _of(figure: Figure, weight: int) -> int | None:
    """Of how many; None for what is no share or mean of anything."""
    return weight if figure.over is not None else None


def _rounded(figure: Figure, value: float | None) -> float | None:
    if value is None:
        return None
    return round(value) if figure.unit in (COUNT, TIME) else round(value, 4)
