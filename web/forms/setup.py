"""What the first run asks, with answers that will do for a start."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from roles.models import Team, Tier
from roles.zones import named_zones
from web.forms.base import PageForm

COUNTRIES = [
    ("", _("None")),
    *(("AT", _("Austria")), ("BE", _("Belgium")), ("CA", _("Canada")), ("CH", _("Switzerland"))),
    *(("CZ", _("Czechia")), ("DE", _("Germany")), ("DK", _("Denmark")), ("ES", _("Spain"))),
    *(("FI", _("Finland")), ("FR", _("France")), ("GB", _("United Kingdom")), ("IE", _("Ireland"))),
    *(("IN", _("India")), ("IT", _("Italy")), ("NL", _("Netherlands")), ("NO", _("Norway"))),
    *(("PL", _("Poland")), ("PT", _("Portugal")), ("SE", _("Sweden")), ("US", _("United States"))),
]
NAMES = {
    "l1": "Service Desk",
    "l2": "Technical Support",
    "l3": "Engineering",
    "incident-management": "Incident Management",
    "security": "Security",
}
PARTS = [
    ("member", _("Works in the team")),
    ("lead", _("Leads the team")),
    ("manager", _("Manages the team")),
    ("incident_manager", _("Leads in a major incident")),
]


class PasswordForm(PageForm):
    """A password, chosen by whoever will use it."""

    password = forms.CharField(
        label=_("Password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least ten characters; three or four words that nobody would guess."),
        error_messages={"required": _("Choose a password.")},
    )


class NewPasswordForm(PasswordForm):
    """Another password in place of the present one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("New password")


class FirstForm(PasswordForm):
    """The first administrator."""

    name = forms.CharField(label=_("Your name"), max_length=200)
    email = forms.EmailField(label=_("Your e-mail address"))
    zone = forms.ChoiceField(
        label=_("Your time zone"), choices=named_zones, initial="Europe/Berlin"
    )
    field_order = ("name", "email", "zone", "password")


class LadderForm(PageForm):
    """Which rungs and lanes there are."""

    choice = forms.ChoiceField(
        label=_("How many rungs?"),
        widget=forms.RadioSelect,
        initial="ladder-small",
        choices=[
            ("ladder-small", _("Few: self-service, a service desk, technical support")),
            ("ladder-full", _("Many: L0 to L4 with engineers and vendors, and every lane")),
        ],
    )


class HoursForm(PageForm):
    """Office hours; round the clock is made beside them."""

    zone = forms.ChoiceField(label=_("Time zone"), choices=named_zones)
    opens = forms.TimeField(
        label=_("From"), initial="09:00", widget=forms.TimeInput(attrs={"type": "time"})
    )
    closes = forms.TimeField(
        label=pgettext_lazy("hour", "To"),
        initial="17:00",
        widget=forms.TimeInput(attrs={"type": "time"}),
    )
    country = forms.ChoiceField(
        label=_("Public holidays of"), choices=COUNTRIES, required=False,
        help_text=_("Monday to Friday. More spans and regions can be had later in the admin."),
    )  # fmt: skip


class TeamsForm(PageForm):
    """A team for each rung and lane; an empty one is left out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = Tier.objects.filter(is_vendor=False).exclude(rank=0)
        for tier in tiers:
            self.fields[f"team_{tier.slug}"] = forms.CharField(
                label=tier.name,
                required=False,
                max_length=80,
                initial=NAMES.get(tier.slug, ""),
            )
        self.fields["hours"] = forms.ChoiceField(
            label=_("They work"),
            choices=[("office", _("in office hours")), ("always", _("round the clock"))],
        )

    def named(self) -> dict[str, str]:
        """The teams with a name, by tier."""
        given = {
            name.removeprefix("team_"): value.strip()
            for name, value in self.cleaned_data.items()
            if name.startswith("team_")
        }
        return {tier: name for tier, name in given.items() if name}


class InviteForm(PageForm):
    """Somebody who works here."""

    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(label=_("E-mail address"))
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.none(), empty_label=None)
    part = forms.ChoiceField(label=_("Part"), choices=PARTS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.filter(is_active=True).order_by("-is_service_desk", "name")
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]


class OnCallForm(PageForm):
    """In which teams people take turns."""

    teams = forms.ModelMultipleChoiceField(
        label=_("Weekly turns among everybody in"),
        queryset=Team.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose a team: a page has to reach somebody.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staffed = Team.objects.filter(is_active=True, memberships__isnull=False).distinct()
        self.fields["teams"].queryset = staffed  # type: ignore[attr-defined]
        self.fields["teams"].initial = list(staffed)


class PolicyForm(PageForm):
    """What happens when time runs out."""

    choice = forms.ChoiceField(
        label=_("What happens when time runs out?"),
        widget=forms.RadioSelect,
        initial="policy-standard",
        choices=[
            ("policy-standard", _("Day and night: urgent tickets page at once and climb")),
            ("policy-office", _("Office hours: only the most urgent page anybody")),
        ],
    )


class TrialForm(PageForm):
    """The first ticket."""

    subject = forms.CharField(
        label=_("In one sentence"), max_length=250, initial=_("Trial: does a page reach us?")
    )
