"""How one wants to be told: addresses, rules, quiet hours, and who takes one's pages."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from notifications.models import ContactRule
from roles.models import Person
from web.forms.base import PageForm

LABELS: dict[str, Promise] = {
    "email": _("E-mail"),
    "sms": _("Text message"),
    "voice": _("Call"),
    "push": _("Browser notification"),
    "slack": _("Slack"),
    "mattermost": _("Mattermost"),
    "teams": _("Microsoft Teams"),
    "apprise": _("Other service"),
    "teams_account": _("Account in Microsoft Teams"),
}
NEVER = ""
AFTER_MIN = (0, 1, 2, 3, 5, 10, 15, 20, 30, 60)


def label_of(channel: str) -> str:
    """The channel as people call it."""
    return str(LABELS.get(channel, channel))


def delay_label(delay_s: int) -> str:
    """A delay as a rule says it."""
    if not delay_s:
        return str(_("at once"))
    minutes = delay_s // 60
    words = ngettext("after %(count)d minute", "after %(count)d minutes", minutes)
    return words % {"count": minutes}


class MethodForm(PageForm):
    """One more address."""

    channel = forms.ChoiceField(label=_("How"))
    address = forms.CharField(
        label=_("Address"),
        max_length=1000,
        help_text=_("A number with its country, a mail address, a Slack member ID, @name …"),
    )

    def __init__(self, *args: Any, channels: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(channel, label_of(channel)) for channel in channels]
        self.fields["channel"].choices = choices  # type: ignore[attr-defined]


class CodeForm(PageForm):
    """The code that was sent to an address."""

    code = forms.CharField(
        label=_("Code"),
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class RulesForm(PageForm):
    """For each channel when it is used, or never."""

    def __init__(
        self,
        *args: Any,
        channels: Sequence[str],
        rules: Sequence[ContactRule] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        held = {rule.channel: str(rule.delay_s) for rule in rules} or {"email": "0"}
        delays = [(str(minutes * 60), delay_label(minutes * 60)) for minutes in AFTER_MIN]
        for channel in channels:
            own = held.get(channel, NEVER)
            odd = [(own, delay_label(int(own)))] if own and own not in dict(delays) else []
            self.fields[channel] = forms.ChoiceField(
                label=label_of(channel),
                choices=[(NEVER, _("not")), *delays, *odd],
                required=False,
                initial=own,
            )

    @property
    def rules(self) -> list[tuple[str, int]]:
        """What was chosen: channel and delay in seconds."""
        chosen = self.cleaned_data.items()
        return [(channel, int(delay)) for channel, delay in chosen if delay != NEVER]


class QuietForm(PageForm):
    """Between which hours low news waits."""

    quiet_from = forms.TimeField(
        label=_("From"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        label=_("Until"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )


class AwayForm(PageForm):
    """Until when, and who takes the pages."""

    until = forms.DateTimeField(
        label=_("Until"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    taker = forms.ModelChoiceField(
        label=_("Who takes your pages"), queryset=Person.objects.none(), empty_label=_("Choose …")
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._zone = ZoneInfo(person.zone)
        mates = Person.objects.filter(
            is_active=True,
            kind=Person.Kind.PERSON,
            memberships__team__memberships__person=person.pk,
        )
        self.fields["taker"].queryset = mates.exclude(pk=person.pk).distinct()  # type: ignore[attr-defined]

    def clean_until(self) -> datetime:
        """The time as the reader's zone means it."""
        given: datetime = self.cleaned_data["until"]
        return given.replace(tzinfo=self._zone).astimezone(UTC)
