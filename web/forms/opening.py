"""What is asked when a ticket is opened."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.models import Person
from tickets.models import Category, Kind, Service, Source
from web.forms.acts import words
from web.forms.base import PageForm
from web.wording import worded_choices

OPEN_KINDS = [
    (Kind.INCIDENT.value, _("Something is broken")),
    (Kind.REQUEST.value, _("I need something")),
    (Kind.SECURITY.value, _("It concerns security")),
]
AGENT_KINDS = [
    (Kind.PROBLEM.value, _("Several tickets have one cause")),
    (Kind.CHANGE.value, _("Something is to be changed")),
]
"""What only people of the service open."""


class OpeningForm(PageForm):
    """A new ticket; agents also say for whom, and how it reached them."""

    kind = forms.ChoiceField(label=_("What is it?"), choices=OPEN_KINDS, widget=forms.RadioSelect)
    subject = forms.CharField(
        label=_("In one sentence"),
        max_length=250,
        widget=forms.TextInput(attrs={"placeholder": _("Cannot print on the second floor")}),
        error_messages={"required": _("Say in one sentence what it is about.")},
    )
    description = words(
        _("What happened, and what have you tried?"),
        required=False,
        rows=6,
        help_text=_("When it began, who is affected, and the exact words of any error help most."),
    )
    service = forms.ModelChoiceField(
        label=_("Service"),
        queryset=Service.objects.none(),
        required=False,
        empty_label=_("I do not know"),
    )
    category = forms.ModelChoiceField(
        label=_("Category"),
        queryset=Category.objects.none(),
        required=False,
        empty_label=_("I do not know"),
    )
    impact = forms.TypedChoiceField(
        label=_("Who is affected?"),
        coerce=int,
        initial=3,
        choices=[
            (3, _("One person")),
            (2, _("A group or department")),
            (1, _("Everybody, or customers")),
        ],
    )
    urgency = forms.TypedChoiceField(
        label=_("Can work go on?"),
        coerce=int,
        initial=3,
        choices=[
            (3, _("Yes, with a nuisance")),
            (2, _("Only partly")),
            (1, _("No, work has stopped")),
        ],
    )
    requester = forms.CharField(
        label=_("For whom?"),
        required=False,
        max_length=254,
        help_text=_("User name or e-mail address; empty for yourself."),
    )
    source = forms.ChoiceField(
        label=_("How did it reach you?"), choices=worded_choices(Source.choices)
    )
    asset = forms.CharField(label=_("Device or asset"), required=False, max_length=200)

    def __init__(self, *args: Any, by_agent: bool, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"kind": Kind.INCIDENT.value, "source": Source.PHONE.value})
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = Service.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["category"].queryset = Category.objects.filter(is_active=True)  # type: ignore[attr-defined]
        if by_agent:
            self.fields["kind"].choices = OPEN_KINDS + AGENT_KINDS  # type: ignore[attr-defined]
        else:
            del self.fields["requester"], self.fields["source"]

    def clean_requester(self) -> Person | None:
        """The person of that user name or address. Raises ValidationError when there is none."""
        given = self.cleaned_data["requester"].strip()
        if not given:
            return None
        people = Person.objects.filter(is_active=True)
        found = people.filter(username__iexact=given) | people.filter(email__iexact=given)
        person = found.first() if "\x00" not in given else None
        if person is None:
            raise forms.ValidationError(_("Nobody active has this user name or address."))
        return person
