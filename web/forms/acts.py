"""What each act on a ticket asks before it is done."""

from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from escalation.contracts import URGENT, present_handover
from escalation.models import Escalation
from escalation.routes import Choice, Panel, Question
from insights.similar import similar_to, solvers
from roles.models import Membership, Person, Team
from roles.refusals import Refused
from tickets import states
from tickets.lifecycle import RESOLUTION_CODES
from tickets.models import Ticket, TicketLink
from tickets.priority import LABELS as PRIORITIES
from tickets.priority import LEVELS
from web.forms.base import PageForm
from web.wording import numbered, worded_choices

LEVEL_CHOICES = numbered(LEVELS)
CHOOSE = [("", _("Choose…"))]
ASKED: Final = "need_"
"""What the names of fields begin with that a receiver's contract adds."""
LOOKED_AT: Final = 20
"""So many of the closest similar tickets are asked for their solvers."""
TOP: Final = "top"
"""Stands for nobody above: authority is called, and the work stays."""


def words(label: str, *, required: bool = True, rows: int = 4, **more: Any) -> forms.CharField:
    """A field for several lines of text."""
    return forms.CharField(
        label=label,
        required=required,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": rows}),
        **more,
    )


def seen_ticket(person: Person, key: str) -> Ticket:
    """The ticket of that key, if the person may see it. Raises ValidationError otherwise."""
    found = Ticket.objects.visible_to(person).filter(key=key.strip().upper()).first()
    if found is None:
        raise forms.ValidationError(_("No ticket that you can see has this key."))
    return found


class ActForm(PageForm):
    """A form about one ticket, asked by one person."""

    def __init__(self, *args: Any, ticket: Ticket, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ticket = ticket
        self.person = person
        self.prepare()

    def prepare(self) -> None:
        """Fill choices that depend on the ticket."""


class EscalateForm(ActForm):
    """To whom, why, what was tried, what it means."""

    template_name = "web/acts/escalate_form.html"

    to_team = forms.ChoiceField(
        label=_("To"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a team.")},
    )
    reason_code = forms.ChoiceField(
        label=_("Why"),
        error_messages={"required": _("Choose why.")},
    )
    reason = words(
        _("What do you need from them?"),
        rows=3,
        error_messages={"required": _("Say in a sentence what you need.")},
    )
    tried = words(_("What has been tried?"), required=False, rows=2)
    impact = words(_("Who is affected, and how?"), required=False, rows=2)
    urgent = forms.BooleanField(
        label=_("Pass it on at once; what they ask for follows"), required=False
    )

    def prepare(self) -> None:
        if self.ticket.priority not in URGENT:
            del self.fields["urgent"]
        codes = [pair for pair in Escalation.Reason.choices if pair[0] != "policy"]
        self.fields["reason_code"].choices = CHOOSE + worded_choices(codes)  # type: ignore[attr-defined]
        self.panel: Panel | None = None
        self.chosen: Choice | None = None

    def offer(self, panel: Panel) -> None:
        """Let the person choose; who is recommended is chosen beforehand.

        At the top of the ladder there is nobody above: the incident manager on call is paged.
        """
        self.panel = panel
        offered = ([panel.recommended] if panel.recommended else []) + list(panel.alternatives)
        choices = [(each.team.slug, each.team.name) for each in offered]
        if panel.recommended is None:
            choices.insert(0, (TOP, _("Page the incident manager")))
        self.fields["to_team"].choices = choices  # type: ignore[attr-defined]
        self.initial.setdefault("to_team", choices[0][0])
        slug = self.data.get("to_team") or self.initial["to_team"]
        self.chosen = next((each for each in offered if each.team.slug == slug), None)
        for question in self.chosen.asks if self.chosen else ():
            self._ask(question)

    def _ask(self, question: Question) -> None:
        """A field for something that the receiver's contract asks for."""
        need = question.need
        if need.slug in self.fields:  # asked of everybody; this team insists
            if need.required and not question.answered:
                told = _("%(team)s asks for this.") % {"team": self.chosen.team}  # type: ignore[union-attr]
                self.fields[need.slug].help_text = told
            return
        label = need.name if need.required else _("%(need)s (if you know)") % {"need": need.name}
        told = ""
        if question.answered:
            told = str(_("Told before on this ticket; only if there is news."))
        self.fields[f"{ASKED}{need.slug}"] = words(label, required=False, rows=2, help_text=told)

    @property
    def solvers(self) -> list[tuple[Team, int]]:
        """Which teams solved tickets that sound like this one, and how many."""
        return solvers(similar_to(self.ticket, self.person, most=LOOKED_AT))

    @property
    def asked(self) -> list[forms.BoundField]:
        """The fields that the receiver's contract adds."""
        return [self[name] for name in self.fields if name.startswith(ASKED)]

    def answers(self) -> dict[str, str]:
        """What was answered to the contract, by the slug of the need."""
        return {
            name.removeprefix(ASKED): str(text)
            for name, text in self.cleaned_data.items()
            if name.startswith(ASKED) and text
        }

    def show(self, refused: Refused) -> None:
        """A need that is missing lands on its field, also when another team was chosen before."""
        places = {
            name if name in self.fields else f"{ASKED}{name}": text
            for name, text in refused.fields.items()
        }
        super().show(type(refused)(refused.code, refused.detail, places))


class CompleteForm(ActForm):
    """What the present hand-over still owes its receiver."""

    def prepare(self) -> None:
        record = present_handover(self.ticket)
        for item in record.owed if record else ():
            self.fields[item["slug"]] = words(item["name"], required=False, rows=3)

    def given(self) -> dict[str, Any]:
        """The answers that were filled in, as the domain function takes them."""
        return {"answers": {slug: text for slug, text in self.cleaned_data.items() if text}}


class HandBackForm(ActForm):
    """Why the escalation does not belong here."""

    reason_code = forms.ChoiceField(
        label=_("Why"),
        choices=CHOOSE + worded_choices(Escalation.HandBackReason.choices),
        error_messages={"required": _("Choose why.")},
    )
    reason = words(
        _("What should they know?"),
        rows=3,
        error_messages={"required": _("Say what the sender should know or do.")},
    )


class PendForm(ActForm):
    """Whom the ticket waits for, why, and when to look again."""

    status = forms.ChoiceField(
        label=_("Waiting for"),
        choices=[
            (states.PENDING_REQUESTER, _("the requester")),
            (states.PENDING_VENDOR, _("a vendor")),
            (states.PENDING_CHANGE, _("a change")),
        ],
    )
    reason = forms.CharField(
        label=_("What for?"),
        max_length=250,
        help_text=_("If you wait for the requester, this is what they are asked."),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say what you wait for.")},
    )
    change = forms.CharField(
        label=_("Key of the change"),
        required=False,
        max_length=20,
        help_text=_("If you wait for a change: its end brings the ticket back to work."),
        widget=forms.TextInput(attrs={"placeholder": "CHG-000123", "autocomplete": "off"}),
    )
    wake_at = forms.DateTimeField(
        label=_("Look at it again"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def clean_change(self) -> Ticket | None:
        """The change of that key; one that the person may not see is as unknown as none."""
        key = self.cleaned_data["change"]
        return seen_ticket(self.person, key) if key.strip() else None

    def prepare(self) -> None:
        zone = timezone.get_current_timezone_name()
        self.fields["wake_at"].help_text = _("In your time zone, %(zone)s.") % {"zone": zone}


class ResolveForm(ActForm):
    """What solved it, in a word and in words."""

    code = forms.ChoiceField(
        label=_("Outcome"),
        choices=CHOOSE + worded_choices(RESOLUTION_CODES.items()),
        error_messages={"required": _("Choose an outcome.")},
    )
    text = words(
        _("What solved it?"),
        help_text=_("The requester reads this."),
        error_messages={"required": _("Say what solved it.")},
    )


class ReasonForm(ActForm):
    """One reason in words."""

    reason = forms.CharField(
        label=_("Why?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why.")},
    )


class ChaseForm(ActForm):
    """A requester asking where it stands."""

    text = forms.CharField(
        label=_("Anything that has changed?"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ImpactForm(ActForm):
    """Impact and urgency, from which the priority follows."""

    impact = forms.TypedChoiceField(label=_("Impact"), choices=LEVEL_CHOICES, coerce=int)
    urgency = forms.TypedChoiceField(label=_("Urgency"), choices=LEVEL_CHOICES, coerce=int)
    reason = words(_("Why?"), required=False, rows=2)

    def prepare(self) -> None:
        self.initial.setdefault("impact", self.ticket.impact)
        self.initial.setdefault("urgency", self.ticket.urgency)


class OverrideForm(ActForm):
    """A priority against the matrix, or none to lift it."""

    priority = forms.TypedChoiceField(
        label=_("Priority"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", _("As impact and urgency say")),
            *numbered(PRIORITIES, "P"),
        ],
    )
    reason = words(_("Why?"), rows=2, error_messages={"required": _("Say why.")})

    def prepare(self) -> None:
        self.initial.setdefault("priority", self.ticket.priority_override or "")


class AssignForm(ActForm):
    """Somebody of the team that has the ticket."""

    assignee = forms.ModelChoiceField(
        label=_("To"),
        queryset=Person.objects.none(),
        empty_label=_("Choose…"),
        error_messages={"required": _("Choose somebody.")},
    )

    def prepare(self) -> None:
        members = Membership.objects.filter(team=self.ticket.team_id).values("person")
        people = Person.objects.filter(pk__in=members, is_active=True)
        self.fields["assignee"].queryset = people  # type: ignore[attr-defined]


class LinkForm(ActForm):
    """Another ticket by its key, and how the two belong together."""

    relation = forms.ChoiceField(
        label=_("This ticket is"), choices=worded_choices(TicketLink.Relation.choices)
    )
    other = forms.CharField(
        label=_("Key of the other ticket"),
        max_length=20,
        widget=forms.TextInput(attrs={"placeholder": "INC-000123", "autocomplete": "off"}),
    )

    def clean_other(self) -> Ticket:
        """The ticket of that key; one that the person may not see is as unknown as none."""
        return seen_ticket(self.person, self.cleaned_data["other"])


class MoveForm(ActForm):
    """Another team, without escalating."""

    team = forms.ModelChoiceField(
        label=_("Team"),
        queryset=Team.objects.none(),
        to_field_name="slug",
        empty_label=_("Choose…"),
        error_messages={"required": _("Choose a team.")},
    )
    reason = words(_("Why?"), required=False, rows=2)

    def prepare(self) -> None:
        others = Team.objects.filter(is_active=True).exclude(pk=self.ticket.team_id)
        self.fields["team"].queryset = others  # type: ignore[attr-defined]
