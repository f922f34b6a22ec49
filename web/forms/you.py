"""What people choose for themselves."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from web.forms.base import PageForm
from web.look import THEMES


def zones() -> list[tuple[str, str]]:
    """Every zone with a place in its name, and UTC."""
    named = sorted(name for name in available_timezones() if "/" in name and "Etc/" not in name)
    return [(name, name.replace("_", " ")) for name in ("UTC", *named)]


class YouForm(PageForm):
    """Time zone, language and theme."""

    zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zones,
        help_text=_("All times on the pages are in this zone, and your quiet hours too."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    theme = forms.ChoiceField(
        label=_("Theme on this screen"),
        choices=[(name, label) for name, _icon, label in THEMES],
        widget=forms.RadioSelect,
    )
