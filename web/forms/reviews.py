"""What the forms of reviews ask."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from insights.reviews.models import SECTIONS
from insights.reviews.sampling import ASPECTS
from web.forms.acts import words
from web.forms.base import PageForm
from web.forms.people import PersonField, working_here

LABELS = {
    "summary": _("Summary"),
    "story": _("What happened"),
    "impact": _("Impact"),
    "cause": _("Cause"),
    "went_well": _("What went well"),
    "went_badly": _("What went badly"),
}
ROWS = {"story": 14, "summary": 8}
ASPECT_LABELS = {
    "understood": _("Was the trouble understood?"),
    "told": _("Was the requester kept informed?"),
    "documented": _("Can somebody else learn from it?"),
    "solved": _("Was it solved for good?"),
}


class ReviewForm(PageForm):
    """The sections of a review, and which version they were read from."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    is_behind = False
    """Whether somebody has kept other words since it was read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SECTIONS:
            self.fields[name] = words(LABELS[name], required=False, rows=ROWS.get(name, 4))

    def sections(self) -> dict[str, str]:
        """The texts by the name of their section."""
        return {name: self.cleaned_data[name] for name in SECTIONS}

    def read_anew(self, version: int) -> None:
        """Let what was typed be sent once more, against what stands now; the reader sees both."""
        self.is_behind = str(version) != self.data.get("version")
        self.data = {**{name: self.data.get(name) for name in self.fields}, "version": str(version)}


class ActionForm(PageForm):
    """What is to be done, by whom, by when."""

    text = forms.CharField(
        label=_("What is to be done?"),
        max_length=500,
        error_messages={"required": _("Say what is to be done.")},
    )
    owner = PersonField(
        label=_("Owner"),
        help_text=_("By user name, e-mail address or full name."),
        error_messages={"required": _("Say who does it.")},
    )
    due_on = forms.DateField(
        label=_("By"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Choose a day.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].offer(working_here())  # type: ignore[attr-defined]


class ScoreForm(PageForm):
    """Four marks from 1 to 5, and words."""

    comment = words(_("In your words"), required=False, rows=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        marks = [(str(mark), str(mark)) for mark in range(1, 6)]
        for name in ASPECTS:
            self.fields[name] = forms.TypedChoiceField(
                label=ASPECT_LABELS[name], choices=[("", _("Choose…")), *marks], coerce=int
            )
        self.order_fields([*ASPECTS, "comment"])

    def scores(self) -> dict[str, int]:
        """The marks by aspect."""
        return {name: self.cleaned_data[name] for name in ASPECTS}
