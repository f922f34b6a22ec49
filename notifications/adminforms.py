"""Forms of the administrators' pages on messages: chosen instead of typed, secrets only written."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.html import format_html

from notifications.accounts import TEAMS_ACCOUNT
from notifications.addresses import SECRET, shown_address
from notifications.channels.registry import CHANNELS, NAMES
from notifications.hooks import event_types, message_kinds
from notifications.models import ContactMethod, Hook, MessageText
from notifications.sealed import is_sealed
from notifications.texts import PLACES, unknown_places
from notifications.webhooks import CHANNEL as WEBHOOK

KEPT = "Leads to {where}. The rest is not shown; leave this empty to keep it."
ADDRESS_HELP = (
    "A mail address, a number with its country such as +49…, a Slack member ID, @name in"
    " Mattermost, the address of a Teams workflow, or what Apprise knows, such as ntfy://…"
)


class MethodForm(forms.ModelForm):
    """Where somebody is reached; an address that is itself a right is written, never shown."""

    channel = forms.ChoiceField(help_text="How messages come there.")
    address = forms.CharField(
        max_length=1000,
        required=False,
        help_text=ADDRESS_HELP,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    class Meta:
        model = ContactMethod
        fields = ("person", "channel", "address", "verified_at", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "channel" not in self.fields:  # it is only shown to auditors
            return
        names = {slug: name for slug, name in NAMES.items() if slug != WEBHOOK}
        names[TEAMS_ACCOUNT] = "Account in Microsoft Teams"
        self.fields["channel"].choices = list(names.items())  # type: ignore[attr-defined]
        held = self.instance
        if held.pk and held.channel in SECRET:
            self.initial["address"] = ""
            where = shown_address(held.channel, held.address)
            self.fields["address"].help_text = KEPT.format(where=where)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        channel, address = given.get("channel", ""), given.get("address", "").strip()
        held = self.instance
        if not address and held.pk and channel == held.channel and channel in SECRET:
            given["address"] = held.address
        elif not address:
            self.add_error("address", "Say where.")
        elif channel in CHANNELS:
            self._keep_clean(given, channel, address)
        return given

    def _keep_clean(self, given: dict[str, Any], channel: str, address: str) -> None:
        try:
            given["address"] = CHANNELS[channel].clean(address)
        except ValueError as problem:
            self.add_error("address", str(problem))


class MessageTextForm(forms.ModelForm):
    """Words with named places; nothing in them is run."""

    kind = forms.ChoiceField(label="Tells of", help_text="Of which messages these are the words.")
    channel = forms.ChoiceField(
        required=False, help_text="One channel's own words go before those for all."
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES, help_text="Of its readers.")

    class Meta:
        model = MessageText
        fields = ("kind", "channel", "language", "subject", "body", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" not in self.fields:  # it is only shown to auditors
            return
        known = dict(message_kinds)
        if self.instance.kind:
            known.setdefault(self.instance.kind, self.instance.kind)
        kinds = sorted((words, kind) for kind, words in known.items())
        self.fields["kind"].choices = [(kind, words) for words, kind in kinds]  # type: ignore[attr-defined]
        self.fields["channel"].choices = [("", "All channels"), *NAMES.items()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name in ("subject", "body"):
            unknown = unknown_places(given.get(name, ""))
            if unknown:
                known = ", ".join(f"{{{place}}}" for place in PLACES)
                self.add_error(name, f"{{{unknown[0]}}} means nothing; there are {known}.")
        return given


class HookForm(forms.ModelForm):
    """Another system; its address is written, and only where it leads is shown again."""

    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Where it is called, by HTTPS. It is kept sealed, and not shown again.",
        widget=forms.TextInput(attrs={"class": "vTextField", "inputmode": "url"}),
    )

    class Meta:
        model = Hook
        fields = ("name", "slug", "url", "is_active", "events", "filters", "shape")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = self.instance
        if "url" in self.fields and held.pk:
            self.initial["url"] = ""
            self.fields["url"].required = is_sealed(held.url)
            where = shown_address(WEBHOOK, held.url)
            self.fields["url"].help_text = KEPT.format(where=where)
        if "events" in self.fields:
            self.fields["events"].widget = forms.TextInput(attrs={"class": "vLargeTextField"})
            self.fields["events"].help_text = format_html(
                "Types of events, with commas between them, or ticket.* for all; empty: only"
                " policies call it.<details><summary>All types</summary>{}</details>",
                ", ".join(sorted(event_types)),
            )

    def clean_url(self) -> str:
        """The address that was typed, else the one that is kept."""
        typed: str = self.cleaned_data["url"]
        return typed or self.instance.url
