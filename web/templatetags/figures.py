"""Marks of the pages of figures."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escalation.explain import duration
from insights.figures.figure import TIME, Figure
from insights.figures.models import Point
from insights.figures.naming import SORTS, Names
from insights.figures.present import TierRisk
from roles.oncall import Gap
from tickets import states
from web.figures.asking import Asked

register = template.Library()
DASH = "\u2013"
IN_QUEUE: Final[Mapping[str, Mapping[str, str]]] = {
    "late": {"q": "due:<0m"},
    "hour": {"q": "due:<1h -due:<0m"},
    "soon": {"q": "due:<4h -due:<1h"},
    "calm": {"q": "-due:<4h"},
    "open": {},
    "waiting": {"status": states.WAITING},
}
"""How the queue is asked for the tickets that the page of now counts."""


@register.simple_tag
def period_link(asked: Asked, days: int) -> str:
    """The same question for the last so many days."""
    since = asked.today - timedelta(days=days - 1)
    return asked.with_words(since=since.isoformat(), until=asked.today.isoformat())


@register.simple_tag
def tier_way(row: TierRisk, part: str) -> SafeString | int:
    """A number of a tier's line on the page of now, leading to its tickets in the queue."""
    number: int = getattr(row, part)
    if not (number and row.slug):
        return number
    asked = {"view": "all", "tier": row.slug, **IN_QUEUE[part]}
    return format_html('<a href="{}?{}">{}</a>', reverse("web:queue"), urlencode(asked), number)


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
