"""Marks of the operations page."""

from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from insights.operations.reading import Reading, State
from web.templatetags.tierline import icon

register = template.Library()
MARKS: Final = {
    State.BAD: ("octagon-alert", _("needs somebody")),
    State.WATCH: ("triangle-alert", _("look at it")),
    State.GOOD: ("circle-check", _("well")),
}


@register.simple_tag
def state_mark(state: State) -> SafeString:
    """A state as a drawing with its word; nothing for a plain fact."""
    if state not in MARKS:
        return SafeString("")
    name, words = MARKS[state]
    return format_html('<span class="mark mark-{}">{}{}</span>', state.value, icon(name, 14), words)


@register.simple_tag
def measure(reading: Reading) -> SafeString:
    """What a reading says; a length of time is marked as such."""
    if reading.number is not None and reading.slug.endswith("_s"):
        length = f"PT{reading.number:.0f}S"
        return format_html('<time datetime="{}">{}</time>', length, reading.words)
    return format_html('<span class="reading-words">{}</span>', reading.words)
