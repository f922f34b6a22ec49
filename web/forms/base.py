"""The look of every form: one renderer, one field template, errors tied to their field."""

from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates

from roles.refusals import Refused
from web.retold import retold


class Renderer(DjangoTemplates):
    """Django's own renderer with our field template."""

    form_template_name = "web/forms/form.html"
    field_template_name = "web/forms/field.html"


class PageForm(forms.Form):
    """A form of ours; a refusal of the domain lands on the fields that it names."""

    default_renderer = Renderer
    required_css_class = "is-required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        kwargs.setdefault("use_required_attribute", False)
        super().__init__(*args, **kwargs)

    def show(self, refused: Refused) -> None:
        """Put what the domain refused beside the fields concerned, else above the form."""
        known = {name: text for name, text in refused.fields.items() if name in self.fields}
        for name, text in known.items():
            self.add_error(name, retold(text))
        if not known:
            self.add_error(None, retold(refused.detail))
