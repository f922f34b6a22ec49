"""What the pages of contact lists ask."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.models import Person, Team
from tickets.contactlists import kept_teams, may_keep
from tickets.models import ContactList, Scenario, Service
from web.forms.acts import words
from web.forms.base import PageForm
from web.forms.people import PersonField
from web.wording import worded_choices

FROM_SEVERITY = [
    (3, _("every major incident")),
    (2, _("severity 1 and 2")),
    (1, _("severity 1 only")),
]


class ListForm(PageForm):
    """What a list is for, whose it is, and when it counts."""

    name = forms.CharField(label=_("Name"), max_length=120)
    scenario = forms.ChoiceField(
        label=_("For"),
        choices=worded_choices(Scenario.choices),
        help_text=_("People on a list for outages hear of every update; the others are shown."),
    )
    team = forms.ModelChoiceField(
        label=_("Whose"),
        queryset=Team.objects.none(),
        required=False,
        empty_label=_("everybody's"),
    )
    services = forms.ModelMultipleChoiceField(
        label=_("Services"),
        queryset=Service.objects.filter(is_active=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all of them."),
    )
    severity = forms.TypedChoiceField(
        label=_("Hears of"), choices=FROM_SEVERITY, coerce=int, initial=3
    )
    advice = words(_("When to call, and what for"), required=False, rows=2)

    def __init__(self, *args: Any, person: Person, listed: ContactList | None = None, **more: Any):
        if listed is not None:
            own = ("name", "scenario", "team", "severity", "advice")
            held = {name: getattr(listed, name) for name in own}
            more.setdefault("initial", {**held, "services": listed.services.all()})
        super().__init__(*args, **more)
        choice: Any = self.fields["team"]
        choice.queryset = kept_teams(person)
        if not may_keep(person, None):
            choice.required, choice.empty_label = True, _("Choose…")


class ContactForm(PageForm):
    """Somebody for the list."""

    person = PersonField(label=_("Who?"), error_messages={"required": _("Name somebody.")})
    part = forms.CharField(
        label=_("As"), max_length=120, required=False, help_text=_("Such as shop owner.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Person.objects.filter(is_active=True, kind=Person.Kind.PERSON)
        self.fields["person"].offer(people)  # type: ignore[attr-defined]
