"""What requesters are asked, in words that need no knowledge of IT."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.models import Category, Kind, Service
from web.forms.base import PageForm
from web.forms.composer import Files

KINDS = [
    (Kind.INCIDENT.value, _("Something does not work")),
    (Kind.REQUEST.value, _("I need something")),
    (Kind.SECURITY.value, _("Something looks suspicious")),
]
REACHES = [(3, _("Only me")), (2, _("My team or department")), (1, _("Everybody, or customers"))]
HURTS = [
    (3, _("Yes, it is a nuisance")),
    (2, _("Only partly")),
    (1, _("No, I cannot work")),
]


class AskForm(PageForm):
    """A new request; everything but the first question has an answer already."""

    subject = forms.CharField(
        label=_("What do you need help with?"),
        max_length=250,
        widget=forms.TextInput(
            attrs={"placeholder": _("I cannot print on the second floor"), "autocomplete": "off"}
        ),
        error_messages={"required": _("Say in one sentence what it is about.")},
    )
    description = forms.CharField(
        label=_("Tell us more"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("When it began, what you tried, and the exact words on the screen help most."),
    )
    kind = forms.ChoiceField(label=_("What is it?"), choices=KINDS, widget=forms.RadioSelect)
    service = forms.ModelChoiceField(
        label=_("What is it about?"),
        queryset=Service.objects.none(),
        required=False,
        empty_label=_("I am not sure"),
    )
    category = forms.ModelChoiceField(
        label=_("What sort of trouble?"),
        queryset=Category.objects.none(),
        required=False,
        empty_label=_("I am not sure"),
    )
    impact = forms.TypedChoiceField(
        label=_("Who is affected?"), coerce=int, choices=REACHES, widget=forms.RadioSelect
    )
    urgency = forms.TypedChoiceField(
        label=_("Can you go on working?"), coerce=int, choices=HURTS, widget=forms.RadioSelect
    )

    files = Files(  # type: ignore[assignment]
        label=_("Pictures or files"),
        required=False,
        help_text=_("A picture of the screen often says more than words."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        first = {"kind": Kind.INCIDENT.value, "impact": 3, "urgency": 3}
        kwargs["initial"] = {**first, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = Service.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["category"].queryset = Category.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["service"].label_from_instance = _in_words  # type: ignore[attr-defined]


def _in_words(service: Service) -> str:
    """A service's name with what it is: a name alone may mean nothing to who asks."""
    more = " ".join(service.description.split()).rstrip(".")
    return f"{service.name}: {more[:80]}" if more else service.name
