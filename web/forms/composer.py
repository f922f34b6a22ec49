"""The composer: a public reply or an internal note, its files, and what happens next."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets import answering, states
from tickets.answering import Answer
from tickets.lifecycle import RESOLUTION_CODES
from tickets.models import Ticket
from web.forms.acts import CHOOSE, ActForm, seen_ticket, words
from web.wording import worded_choices

NOTE: Final = "note"
REPLY: Final = "reply"
MANY_DIGITS: Final = 15


class Files(forms.FileField):
    """Any number of files from one control."""

    widget = type("ManyFiles", (forms.FileInput,), {"allow_multiple_selected": True})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """The files as a list."""
        given = data if isinstance(data, list | tuple) else [data]
        return [super(Files, self).clean(each, initial) for each in given if each]


class ComposerForm(ActForm):
    """What one writes on a ticket; nothing of it is lost when it cannot be sent."""

    mode = forms.ChoiceField(
        choices=[(NOTE, gettext_lazy("Internal note")), (REPLY, gettext_lazy("Public reply"))]
    )
    text = words(
        gettext_lazy("Text"),
        rows=5,
        error_messages={"required": gettext_lazy("Write something first.")},
    )
    then = forms.ChoiceField(
        required=False,
        choices=[
            ("", gettext_lazy("and leave it as it is")),
            (answering.PEND, gettext_lazy("and put it on hold")),
            (answering.RESOLVE, gettext_lazy("and resolve it")),
        ],
    )
    status = forms.ChoiceField(
        label=gettext_lazy("Waiting for"),
        required=False,
        choices=[
            (states.PENDING_REQUESTER, gettext_lazy("the requester")),
            (states.PENDING_VENDOR, gettext_lazy("a vendor")),
            (states.PENDING_CHANGE, gettext_lazy("a change")),
        ],
    )
    reason = forms.CharField(label=gettext_lazy("What for?"), required=False, max_length=250)
    wake_at = forms.DateTimeField(
        label=gettext_lazy("Look at it again"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    change = forms.CharField(label=gettext_lazy("Key of the change"), required=False, max_length=20)
    code = forms.ChoiceField(
        label=gettext_lazy("Outcome"),
        required=False,
        choices=CHOOSE + worded_choices(RESOLUTION_CODES.items()),
    )
    seen = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    files = Files(required=False)  # type: ignore[assignment]

    def clean_change(self) -> Ticket | None:
        """The change of that key; one that the person may not see is as unknown as none."""
        key = self.cleaned_data["change"]
        return seen_ticket(self.person, key) if key.strip() else None

    def clean(self) -> dict[str, Any]:
        """What follows needs its own words: a reason to wait, an outcome to resolve."""
        cleaned = super().clean() or {}
        if cleaned.get("then") == answering.PEND and not cleaned.get("reason"):
            self.add_error("reason", _("Say what you wait for."))
        if cleaned.get("then") == answering.RESOLVE and not cleaned.get("code"):
            self.add_error("code", _("Choose an outcome."))
        return cleaned

    @property
    def attached(self) -> list[int]:
        """The ids of the files that have been uploaded before."""
        given = self.data.getlist("attached") if hasattr(self.data, "getlist") else []
        numbers = (each for each in given if each.isascii() and each.isdigit())
        return [int(each) for each in numbers if len(each) <= MANY_DIGITS]

    @property
    def is_reply(self) -> bool:
        """Whether the public reply is chosen; what is not said is a note, which harms nobody."""
        return bool(self["mode"].value() == REPLY)

    def answer(self, *, files: list[int]) -> Answer:
        """What was asked for, as the domain takes it."""
        given = self.cleaned_data
        return Answer(
            text=given["text"],
            public=given["mode"] == REPLY,
            files=files,
            seen=given["seen"],
            then=given["then"],
            status=given["status"] or states.PENDING_REQUESTER,
            reason=given["reason"],
            wake_at=given["wake_at"],
            change=given["change"],
            code=given["code"],
        )
