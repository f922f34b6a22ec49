"""What is asked about a ticket's people and files: its watchers, a file to erase."""

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.models import Person
from tickets.attachments import erasable
from tickets.models import Attachment
from web.forms.acts import ActForm, words


class WatchersForm(ActForm):
    """Who is to watch the ticket no longer."""

    people = forms.ModelMultipleChoiceField(
        label=_("Take off the list"),
        queryset=Person.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose somebody.")},
    )

    def prepare(self) -> None:
        """Offer everybody who watches."""
        watching = Person.objects.filter(watched__ticket=self.ticket.pk).order_by("name", "pk")
        self.fields["people"].queryset = watching  # type: ignore[attr-defined]


class EraseForm(ActForm):
    """Which file is to be destroyed, and why."""

    file = forms.ModelChoiceField(
        label=_("File"),
        queryset=Attachment.objects.none(),
        empty_label=_("Choose…"),
        error_messages={"required": _("Choose a file.")},
    )
    reason = words(
        _("Why?"),
        rows=2,
        help_text=_("The timeline keeps this, and the file's name."),
        error_messages={"required": _("Say why.")},
    )

    def prepare(self) -> None:
        """Offer the files that are still there."""
        self.fields["file"].queryset = erasable(self.ticket)  # type: ignore[attr-defined]
