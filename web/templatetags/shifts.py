"""Stretches of time as calendars show them, in the zone of the page."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from web.templatetags.tierline import exact

register = template.Library()
TO = "\u2013"


@register.simple_tag
def hours(start: datetime, end: datetime) -> str:
    """Two times of one local day; its end is 24:00."""
    opens, closes = timezone.localtime(start), timezone.localtime(end)
    until = "24:00" if closes.date() > opens.date() else date_format(closes, "H:i")
    return f"{date_format(opens, 'H:i')}{TO}{until}"


@register.simple_tag
def stretch(start: datetime, end: datetime) -> SafeString:
    """From when to when, the day said twice only where it changes; exact in the title."""
    opens, closes = timezone.localtime(start), timezone.localtime(end)
    same = opens.date() == closes.date()
    until = date_format(closes, "H:i" if same else gettext("D j M, H:i"))
    return format_html(
        '<span class="stretch" title="{} {} {}">{} {} {}</span>',
        exact(start),
        TO,
        exact(end),
        date_format(opens, gettext("D j M, H:i")),
        TO,
        until,
    )
