"""A dashboard on paper: its figures and its tables as PDF, for whoever reads it away from here."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from insights.figures.answers import Split, Told
from insights.figures.figure import Figure
from insights.figures.moment import ABOUT, NAME, lists_of_now, sums_of_now, worded
from insights.figures.present import Present
from insights.figures.wording import change, drawn, nothing_of, said
from insights.paper import Paper

WIDE_COLUMN: Final = 34.0
"""Names and times need more room than numbers, in millimetres."""
MOST_ROWS: Final = 20
"""So many lines has a table on paper; the other files have all."""


def paper_of(told: Told, *, narrowed: Sequence[str] = ()) -> bytes:
    """The dashboard as PDF in the language that is spoken now; `narrowed` says to what it is."""
    name = str(told.board.name)
    paper = Paper(name)
    paper.say(name, size=18, bold=True)
    last = told.question.until - timedelta(days=1)
    since, until = (date_format(day, _("j M Y")) for day in (told.question.since, last))
    period = _("%(since)s to %(until)s") % {"since": since, "until": until}
    paper.say(" · ".join([period, *narrowed]), muted=True)
    paper.say(str(told.board.about), muted=True)
    paper.tiles([_tile(tile.figure, tile.value, tile.before) for tile in told.tiles])
    for split in told.splits:
        _add_split(paper, split)
    return paper.content()


def paper_of_now(present: Present) -> bytes:
    """The page of now as PDF, in the language that is spoken now and by its reader's clock."""
    paper = Paper(str(NAME))
    paper.say(str(NAME), size=18, bold=True)
    paper.say(moment_said(present), muted=True)
    paper.say(str(ABOUT), muted=True)
    paper.tiles([(name, value, "") for name, value in sums_of_now(present)])
    for table in lists_of_now(present):
        paper.head(table.title)
        if table.rows:
            rows = [[worded(cell) for cell in row] for row in table.rows]
            paper.table(table.head, rows, width=WIDE_COLUMN)
        else:
            paper.say(table.nothing, muted=True)
    return paper.content()


def moment_said(present: Present) -> str:
    """The moment at which it was so, by the reader's clock."""
    at = present.now.astimezone(ZoneInfo(present.reader.zone))
    return f"{date_format(at, _('j M Y'))}, {at:%H:%M} ({present.reader.zone})"


def _tile(figure: Figure, value: float | None, before: float | None) -> tuple[str, str, str]:
    if value is None:
        return str(figure.name), _("not measured"), str(figure.lacking)
    by, _tone = change(figure, value, before)
    if not by:
        return str(figure.name), said(figure, value), ""
    words = _("%(by)s from %(before)s") % {"by": by, "before": said(figure, before)}
    return str(figure.name), said(figure, value), words


def _add_split(paper: Paper, split: Split) -> None:
    title = _("%(figure)s by %(split)s") % {
        "figure": split.figure.name,
        "split": split.panel.words[1],
    }
    paper.head(title)
    if not split.rows:
        paper.say(nothing_of(split.figure), muted=True)
        return
    rows = split.rows[:MOST_ROWS]
    drawings = [drawn(split.figure, row.value or 0.0) for row in rows]
    most = max(drawings, default=0.0)
    head = [str(split.panel.words[0]), str(split.figure.name)]
    if split.second is not None:
        head.append(str(split.second.name))
    if split.figure.over is not None:
        head.append(_("Of"))
    cells = []
    for row in rows:
        second = [said(split.second, row.second)] if split.second is not None else []
        weight = [str(row.weight)] if split.figure.over is not None else []
        cells.append([row.label, said(split.figure, row.value), *second, *weight])
    shares = [each / most if most > 0 else 0.0 for each in drawings]
    paper.table(head, cells, shares=shares)
    if more := len(split.rows) - len(rows):
        paper.say(_("%(more)s more lines are in the file.") % {"more": more}, size=8, muted=True)
