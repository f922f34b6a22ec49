"""A dashboard's answer as its page shows it: values in words, charts, tables, and ways behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from insights.figures import boards
from insights.figures.answers import Row, Split, Tile, Told
from insights.figures.figure import SHARE, TIME, Figure, Words
from insights.figures.wording import HOUR_S, change, drawn, nothing_of, said, unit_of_times
from roles.models import Tier
from web.charts import PHONE, WIDTH, both_widths, columns, rows
from web.figures.asking import Asked
from web.figures.sankey import sankey

MOST_ROWS = 12
"""So many lines has a table on the page; its file has all."""
MOST_BARS = 10


@dataclass(frozen=True, slots=True)
class ShownTile:
    """A figure for the whole period, in words."""

    figure: Figure
    value: str
    working: str
    change: str
    tone: str
    before: str
    weight: int
    behind: str

    @property
    def is_measured(self) -> bool:
        """Whether there is a value at all."""
        return self.behind != ""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One line of a table."""

    label: str
    value: str
    second: str
    weight: int
    behind: str
    behind_second: str


@dataclass(frozen=True, slots=True)
class ShownSplit:
    """A chart with the table beside it."""

    number: int
    title: str
    figure: Figure
    second: Figure | None
    head: Words
    chart: SafeString | None
    unit: str
    rows: Sequence[ShownRow]
    more: int
    nothing: str
    """What is said where there is no line."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A whole dashboard."""

    tiles: Sequence[ShownTile]
    splits: Sequence[ShownSplit]


def shown(told: Told, asked: Asked) -> Shown:
    """The answer as the page shows it."""
    tiles = [_tile(tile, asked) for tile in told.tiles]
    splits = [_split(split, asked, number) for number, split in enumerate(told.splits)]
    return Shown(tiles, splits)


def _behind(figure: Figure, asked: Asked, drill: Mapping[str, str] | None = None) -> str:
    address = reverse("web:figure", args=[figure.slug])
    return address + asked.with_words(**dict(drill or {}))


def _tile(tile: Tile, asked: Asked) -> ShownTile:
    figure = tile.figure
    words, tone = change(figure, tile.value, tile.before)
    return ShownTile(
        figure=figure,
        value=said(figure, tile.value),
        working=said(figure, tile.working) if tile.working is not None else "",
        change=words,
        tone=tone,
        before=said(figure, tile.before),
        weight=tile.weight,
        behind=_behind(figure, asked) if tile.value is not None else "",
    )


def _split(split: Split, asked: Asked, number: int) -> ShownSplit:
    head, by = split.panel.words
    title = _("%(figure)s by %(split)s") % {
        "figure": split.figure.name,
        "split": by,
    }
    lines = [_row(row, split, asked) for row in split.rows]
    if split.panel.by == boards.WEEK:
        lines.reverse()
    unit_s = unit_of_times(row.value for row in split.rows)
    times = _("hours") if unit_s == HOUR_S else _("minutes")
    return ShownSplit(
        number=number,
        title=title,
        figure=split.figure,
        second=split.second,
        head=head,
        chart=_chart(split, title, unit_s) if split.rows else None,
        unit={TIME: times, SHARE: _("percent")}.get(split.figure.unit, ""),
        rows=lines[:MOST_ROWS],
        more=max(0, len(lines) - MOST_ROWS),
        nothing=nothing_of(split.figure),
    )


def _row(row: Row, split: Split, asked: Asked) -> ShownRow:
    return ShownRow(
        label=row.label,
        value=said(split.figure, row.value),
        second=said(split.second, row.second) if split.second else "",
        weight=row.weight,
        behind=_behind_row(split.figure, row.value, row, asked),
        behind_second=_behind_row(split.second, row.second, row, asked),
    )


def _behind_row(figure: Figure | None, value: float | None, row: Row, asked: Asked) -> str:
    """The way behind one number of a line; "" where it has none."""
    if figure is None or value is None or not row.drill:
        return ""
    return _behind(figure, asked, row.drill)


def _chart(split: Split, title: str, unit_s: int) -> SafeString:
    if split.panel.chart == "sankey":
        return _flows(split.rows, title)
    found = split.rows[:MOST_BARS] if split.panel.chart == "rows" else split.rows[-53:]
    labels = [row.label for row in found]
    values = [
        None if row.value is None else drawn(split.figure, row.value, unit_s=unit_s)
        for row in found
    ]
    series = {str(split.figure.name): values}
    if split.panel.chart == "columns":
        heights = {WIDTH: 260, PHONE: 170}
        return both_widths(
            lambda width: columns(series, labels, name=title, width=width, height=heights[width])
        )
    return both_widths(lambda width: rows(series, labels, name=title, width=width))


def _flows(found: Sequence[Row], title: str) -> SafeString:
    sums: dict[tuple[str, str], float] = {}
    for row in found:
        sums[row.ends] = sums.get(row.ends, 0) + (row.value or 0)
    order = list(Tier.objects.values_list("name", flat=True))
    return sankey(sums, order, title)
