"""Values of figures in words: shares, times, counts and means, as pages and mails show them."""

from collections.abc import Iterable
from typing import Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from escalation.explain import duration
from insights.figures.figure import COUNT, SHARE, TIME, Figure

DASH: Final = "\u2013"
MINUS: Final = "\u2212"
MINUTE_S: Final = 60
HOUR_S: Final = 3600


def said(figure: Figure, value: float | None) -> str:
    """The value as people read it; a dash where there is none."""
    if value is None:
        return DASH
    if figure.unit == SHARE:
        return f"{number_format(round(value * 100, 1), 1)} %"
    if figure.unit == TIME:
        return duration(value)
    if figure.unit == COUNT:
        return str(number_format(round(value), force_grouping=True))
    return str(number_format(round(value, 2), 2))


def nothing_of(figure: Figure) -> str:
    """What is said where nothing was counted: none is a number, a share of nothing is not."""
    if figure.unit == COUNT:
        return _("None in this period.")
    return _("Not measured, because %(why)s.") % {"why": figure.lacking}


def drawn(figure: Figure, value: float, *, unit_s: int = HOUR_S) -> float:
    """The value as a chart draws it: shares in percent, times in units of so many seconds."""
    if figure.unit == SHARE:
        return round(value * 100, 1)
    return round(value / unit_s, 2) if figure.unit == TIME else round(value, 2)


def unit_of_times(values: Iterable[float | None]) -> int:
    """The unit in which a chart draws these times, in seconds: hours, or minutes for short ones."""
    return HOUR_S if max(filter(None, values), default=0) >= 2 * HOUR_S else MINUTE_S


def change(figure: Figure, value: float | None, before: float | None) -> tuple[str, str]:
    """By how much it differs from the period before, and whether that is better, worse, or even."""
    if value is None or before is None:
        return "", ""
    more = value - before
    sign = "+" if more > 0 else MINUS
    by = abs(more)
    words = number_format(round(by * 100, 1), 1) if figure.unit == SHARE else said(figure, by)
    if said(figure, value) == said(figure, before):
        return "", "even"
    is_good = (more > 0) == (figure.better == "more")
    return f"{sign}{words}", ("better" if is_good else "worse") if figure.better else "plain"
