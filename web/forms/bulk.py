"""What acts on many tickets at once ask before they are done."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles.models import Membership, Team
from tickets import states
from tickets.lifecycle import RESOLUTION_CODES
from tickets.models import Ticket
from tickets.priority import LABELS as PRIORITIES
from web.forms.acts import CHOOSE, words
from web.forms.base import PageForm
from web.wording import numbered, worded_choices


class BulkForm(PageForm):
    """A form about several tickets; `may` names what the person could be allowed at all."""

    def __init__(
        self, *args: Any, tickets: Sequence[Ticket], may: frozenset[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.tickets = tickets
        self.may = may
        self.prepare()

    def prepare(self) -> None:
        """Fill choices that depend on the tickets."""


class BulkAssignForm(BulkForm):
    """A team, or somebody of the teams that have the tickets."""

    to = forms.ChoiceField(
        label=gettext_lazy("To"), error_messages={"required": gettext_lazy("Choose to whom.")}
    )
    reason = words(gettext_lazy("Why?"), required=False, rows=2)

    def prepare(self) -> None:
        groups: list[Any] = [("", _("Choose…"))]
        if "assign" in self.may:
            mine = {ticket.team_id for ticket in self.tickets}
            rows = Membership.objects.filter(team__in=mine, person__is_active=True)
            people = {
                row.person_id: f"{row.person} · {row.team}"
                for row in rows.select_related("person", "team").order_by("person__name")
            }
            groups.append((_("People"), [(f"person:{pk}", name) for pk, name in people.items()]))
        if {"triage", "push_any"} & self.may:
            teams = Team.objects.filter(is_active=True).order_by("name")
            groups.append((_("Teams"), [(f"team:{team.pk}", team.name) for team in teams]))
        self.fields["to"].choices = groups  # type: ignore[attr-defined]


class BulkPriorityForm(BulkForm):
    """A priority against the matrix."""

    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            *numbered(PRIORITIES, "P"),
            ("", gettext_lazy("As impact and urgency say")),
        ],
    )
    reason = words(
        gettext_lazy("Why?"), rows=2, error_messages={"required": gettext_lazy("Say why.")}
    )


class BulkPendForm(BulkForm):
    """Whom all these wait for, why, and when to look again."""

    status = forms.ChoiceField(
        label=gettext_lazy("Waiting for"),
        choices=[
            (states.PENDING_VENDOR, gettext_lazy("a vendor")),
            (states.PENDING_REQUESTER, gettext_lazy("the requester")),
        ],
    )
    reason = forms.CharField(
        label=gettext_lazy("What for?"),
        max_length=250,
        help_text=gettext_lazy("If you wait for the requesters, this is what each is asked."),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say what you wait for.")},
    )
    wake_at = forms.DateTimeField(
        label=gettext_lazy("Look at it again"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def prepare(self) -> None:
        zone = timezone.get_current_timezone_name()
        self.fields["wake_at"].help_text = _("In your time zone, %(zone)s.") % {"zone": zone}


class BulkResolveForm(BulkForm):
    """What solved all of them."""

    code = forms.ChoiceField(
        label=gettext_lazy("Outcome"),
        choices=CHOOSE + worded_choices(RESOLUTION_CODES.items()),
        error_messages={"required": gettext_lazy("Choose an outcome.")},
    )
    text = words(
        gettext_lazy("What solved it?"),
        help_text=gettext_lazy("Each requester reads this."),
        error_messages={"required": gettext_lazy("Say what solved it.")},
    )
