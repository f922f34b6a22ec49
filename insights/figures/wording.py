"""Values of figures in words: shares, times, counts and means, as pages and mails show them."""

from typing import Final

from django.utils.formats import number_format

from escalation.explain import duration
from insights.figures.figure import COUNT, SHARE, TIME, Figure

DASH: Final = "\u2013"
MINUS: Final = "\u2212"


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


def drawn(figure: Figure, value: float | None) -> float:
    """The value as a chart draws it: shares in percent, times in hours."""
    if value is None:
        return 0.0
    if figure.unit == SHARE:
        return round(value * 100, 1)
    return round(value / 3600, 2) if figure.unit == TIME else round(value, 2)


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
