"""What the acts on a ticket's climb and on its company ask."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation.calling import Choice, callable_steps
from escalation.explain import rule_of
from roles.models import Team
from tickets.models import Ticket, TicketLink
from web.forms.acts import CHOOSE, ActForm, seen_ticket, words
from web.forms.people import PersonField, working_here
from web.wording import inline


class InvolveForm(ActForm):
    """A person, or whoever is on call in a team; never both."""

    person = PersonField(  # type: ignore[assignment]
        label=gettext_lazy("A person"),
        required=False,
        help_text=gettext_lazy("By user name, e-mail address or full name."),
    )
    team = forms.ModelChoiceField(
        label=gettext_lazy("Or whoever is on call in"),
        queryset=Team.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label=gettext_lazy("no team"),
    )
    reason = words(
        gettext_lazy("What do you need from them?"),
        rows=3,
        help_text=gettext_lazy("They are told at once, with these words."),
        error_messages={"required": gettext_lazy("Say in a sentence what you need.")},
    )

    def prepare(self) -> None:
        """Offer colleagues and teams."""
        self.fields["person"].offer(working_here())  # type: ignore[attr-defined]
        self.fields["team"].queryset = Team.objects.filter(is_active=True)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        cleaned = super().clean() or {}
        if not self.errors and bool(cleaned.get("person")) == bool(cleaned.get("team")):
            self.add_error("person", _("Name a person or a team."))
        return cleaned


class MergeForm(ActForm):
    """The ticket that goes on, by its key, and why they are one."""

    into = forms.CharField(
        label=gettext_lazy("Key of the ticket that goes on"),
        max_length=20,
        widget=forms.TextInput(attrs={"placeholder": "INC-000123", "autocomplete": "off"}),
    )
    reason = words(
        gettext_lazy("Why are they one?"),
        rows=2,
        error_messages={"required": gettext_lazy("Say why.")},
    )

    def clean_into(self) -> Ticket:
        """The ticket of that key; one that the person may not see is as unknown as none."""
        return seen_ticket(self.person, self.cleaned_data["into"])


class UnlinkForm(ActForm):
    """One of the links that the person can see."""

    link = forms.ChoiceField(label=gettext_lazy("Which link?"))

    def prepare(self) -> None:
        """Offer the links whose other end may be seen."""
        seen = Ticket.objects.visible_to(self.person)
        rows = TicketLink.objects.filter(Q(source=self.ticket.pk) | Q(target=self.ticket.pk))
        rows = rows.filter(source__in=seen, target__in=seen).select_related("source", "target")
        self.rows = {str(row.pk): row for row in rows.order_by("pk")}
        self.fields["link"].choices = [(pk, self._told(row)) for pk, row in self.rows.items()]  # type: ignore[attr-defined]

    def _told(self, row: TicketLink) -> str:
        return f"{row.source.key}: {inline(row.get_relation_display())} {row.target.key}"

    def clean_link(self) -> tuple[Ticket, Ticket, str]:
        """Both ends and the relation, as the link leads."""
        row = self.rows[self.cleaned_data["link"]]
        return row.source, row.target, row.relation


class SnoozeForm(ActForm):
    """Until when the policy is held, and why."""

    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        error_messages={"required": gettext_lazy("Say until when.")},
    )
    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        max_length=250,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say why.")},
    )

    def prepare(self) -> None:
        """Say whose clock is meant."""
        zone = timezone.get_current_timezone_name()
        told = _("In your time zone, %(zone)s; at most 30 days ahead.") % {"zone": zone}
        self.fields["until"].help_text = told


class CallStepForm(ActForm):
    """One of the steps of the policies under way, and why it is wanted now."""

    step = forms.ChoiceField(
        label=gettext_lazy("Which step?"),
        error_messages={"required": gettext_lazy("Choose a step.")},
    )
    reason = words(
        gettext_lazy("Why now?"),
        rows=2,
        help_text=gettext_lazy("Whoever the step reaches is told at once."),
        error_messages={"required": gettext_lazy("Say why.")},
    )

    def prepare(self) -> None:
        """Offer every step of every policy under way."""
        found = callable_steps(self.ticket)
        self.steps = {f"{each.run.pk}:{each.step.position}": each for each in found}
        offered = [(name, self._told(each)) for name, each in self.steps.items()]
        self.fields["step"].choices = CHOOSE + offered  # type: ignore[attr-defined]

    def _told(self, choice: Choice) -> str:
        return f"{choice.run.policy}: {choice.step.name} ({rule_of(choice.step)})"

    def clean_step(self) -> Choice:
        """The step and its run."""
        return self.steps[self.cleaned_data["step"]]
