"""What the acts ask that say what a ticket is about, and who answers for it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.models import Category, Service
from web.forms.acts import ActForm, words
from web.forms.people import PersonField, working_here


class OwnerForm(ActForm):
    """Who answers for the ticket until it is solved; nobody leaves it to the owning team."""

    owner = PersonField(
        label=_("Owner"),
        required=False,
        help_text=_("They are told. Empty: the owning team answers for it."),
    )
    reason = words(_("Why?"), rows=2, error_messages={"required": _("Say why.")})

    def prepare(self) -> None:
        """Offer colleagues; whoever owns it stands there."""
        self.fields["owner"].offer(working_here())  # type: ignore[attr-defined]
        self.initial.setdefault("owner", self.ticket.owner)


class ClassifyForm(ActForm):
    """The service and category that the ticket is about; policies and targets may change by it."""

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

    def prepare(self) -> None:
        """Offer what is in use; what it is about now stands there."""
        self.fields["service"].queryset = Service.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["category"].queryset = Category.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.initial.setdefault("service", self.ticket.service_id)
        self.initial.setdefault("category", self.ticket.category_id)
