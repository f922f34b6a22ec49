"""Lengths of time and sums, as tables show them."""

from collections.abc import Mapping

from django import template

from escalation.explain import duration

register = template.Library()
DASH = "\u2013"


@register.filter
def span(seconds: float | None) -> str:
    """Seconds as "15 min" or "3 h 05 min"; a dash for none."""
    return duration(seconds) if isinstance(seconds, int | float) else DASH


@register.simple_tag
def total(counts: Mapping[str, int]) -> int:
    """The sum of counts by name."""
    return sum(counts.values())
