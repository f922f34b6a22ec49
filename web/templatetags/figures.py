"""Marks of the pages of figures."""

from datetime import timedelta

from django import template

from escalation.explain import duration
from insights.figures.figure import TIME, Figure
from insights.figures.models import Point
from insights.figures.naming import SORTS, Names
from roles.oncall import Gap
from web.figures.asking import Asked

register = template.Library()
DASH = "\u2013"


@register.simple_tag
def period_link(asked: Asked, days: int) -> str:
    """The same question for the last so many days."""
    since = asked.today - timedelta(days=days - 1)
    return asked.with_words(since=since.isoformat(), until=asked.today.isoformat())


@register.simple_tag
def sort_name(tag: str) -> str:
    """What a sort of facts is called; a dash for none."""
    return str(SORTS.get(tag, tag)) if tag else DASH


@register.simple_tag
def measured(figure: Figure, fact: Point) -> str:
    """What was measured of one fact, where that is more than that it happened."""
    if figure.unit == TIME:
        return duration(getattr(fact, figure.shown.value))
    if figure.shown.value == "total" and not figure.inverse and fact.total != 1:
        return str(fact.total)
    return DASH


@register.filter
def gap_team(gap: Gap, names: Names) -> str:
    """The team of a gap in the schedules."""
    found = names.teams.get(gap.team_id)
    return found.name if found else ""
