"""What people choose for themselves."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from roles.zones import named_zones
from web.forms.base import PageForm
from web.look import THEMES


class YouForm(PageForm):
    """Time zone, language and theme."""

    zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=named_zones,
        help_text=_("All times on the pages are in this zone, and your quiet hours too."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    theme = forms.ChoiceField(
        label=_("Theme on this screen"),
        choices=[(name, label) for name, _icon, label in THEMES],
        widget=forms.RadioSelect,
    )
