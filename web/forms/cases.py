"""What the acts on majors, restricted cases, vendors, problems and changes ask."""

from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from escalation.models import Vendor
from roles.models import Person
from tickets.clearance import GLASS_HOURS, LONGEST_GLASS_HOURS
from tickets.incidents import LONGEST_SILENCE_MIN
from tickets.lifecycle import RESOLUTION_CODES
from tickets.models import Change, Clearance, Major, Notice, Phase, Problem, Ticket
from tickets.staffing import ROLE_WORDS
from tickets.stakeholders import AUDIENCES, children_of
from web.forms.acts import CHOOSE, ActForm, ReasonForm, seen_ticket, words
from web.forms.base import PageForm
from web.forms.people import PersonField, working_here
from web.wording import worded_choices

LOCAL: Final = "%Y-%m-%dT%H:%M"
ENDINGS: Final = (
    Change.State.IMPLEMENTED,
    Change.State.FAILED,
    Change.State.BACKED_OUT,
)


def local_time(label: str, **more: Any) -> forms.DateTimeField:
    """A moment in the reader's zone; empty is allowed."""
    return forms.DateTimeField(
        label=label,
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL),
        input_formats=[LOCAL, f"{LOCAL}:%S"],
        **more,
    )


def in_your_zone() -> str:
    """Says in which zone the times of a form are meant."""
    return _("In your time zone, %(zone)s.") % {"zone": timezone.get_current_timezone_name()}


# ---- Majors --------------------------------------------------------------------------------------


def _severity() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=_("Severity"), choices=worded_choices(Major.Severity.choices), coerce=int, initial=2
    )


class ProposalForm(ActForm):
    """Why it is a major incident, and how grave."""

    severity = _severity()
    reason = words(
        _("Why is it one?"),
        rows=3,
        help_text=_("Who is affected, what does not work, since when."),
        error_messages={"required": _("Say why.")},
    )


class SeverityForm(ActForm):
    """How grave it is, as the incident manager sees it."""

    severity = _severity()

    def prepare(self) -> None:
        proposed = Major.objects.filter(ticket=self.ticket.pk).first()
        if proposed is not None:
            self.initial.setdefault("severity", proposed.severity)
            said = _("Proposed: %(reason)s") % {"reason": proposed.reason}
            self.fields["severity"].help_text = said


class StaffForm(ActForm):
    """Who has which role, and where people meet."""

    manager = PersonField(label=_("Incident manager"))
    coordinator = PersonField(
        label=_("Communication coordinator"), required=False, help_text=_("Words the updates.")
    )
    technical_lead = PersonField(label=_("Technical lead"), required=False)
    scribe = PersonField(label=_("Scribe"), required=False)
    bridge_url = forms.CharField(
        label=_("Bridge"), required=False, max_length=200, help_text=_("Where people talk: a link.")
    )
    channel_url = forms.CharField(
        label=_("Chat channel"),
        required=False,
        max_length=200,
        help_text=_("Where people write: a link."),
    )

    def prepare(self) -> None:
        major = Major.objects.filter(ticket=self.ticket.pk).first()
        people = working_here()
        for role in ROLE_WORDS:
            self.fields[role].offer(people)  # type: ignore[attr-defined]
            self.initial.setdefault(role, getattr(major, role, None))
        for place in ("bridge_url", "channel_url"):
            self.initial.setdefault(place, getattr(major, place, ""))


class DemotionForm(ReasonForm):
    """Why it is no major incident after all; says who hears of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _(
            "The people of the service who are on it are told why. The status page no longer shows"
            " it; say so in an update first if customers wait for word."
        )


class UpdateForm(ActForm):
    """How it goes, for whom, and when they hear again."""

    text = words(
        _("How does it go?"),
        rows=4,
        help_text=_("“Still working on it” counts as word given."),
        error_messages={"required": _("Say how it goes.")},
    )
    phase = forms.ChoiceField(
        label=_("How far is it?"),
        required=False,
        choices=[("", _("not said")), *worded_choices(Phase.choices)],
    )
    audience = forms.ChoiceField(
        label=_("Who reads it?"), choices=worded_choices(AUDIENCES.items())
    )
    next_in_min = forms.IntegerField(
        label=_("Next update in (minutes)"),
        initial=30,
        min_value=1,
        max_value=LONGEST_SILENCE_MIN,
    )


class DecisionForm(ActForm):
    """What was decided."""

    text = words(
        _("What was decided, and why?"),
        rows=3,
        help_text=_("Those at work read it in the timeline."),
        error_messages={"required": _("Say what was decided.")},
    )


class OtherForm(ActForm):
    """Another ticket by its key."""

    other = forms.CharField(
        label=_("Key of the ticket"),
        max_length=20,
        widget=forms.TextInput(attrs={"placeholder": "INC-000123", "autocomplete": "off"}),
    )

    def clean_other(self) -> Ticket:
        """The ticket of that key; one that the person may not see is as unknown as none."""
        return seen_ticket(self.person, self.cleaned_data["other"])


class ChildForm(ActForm):
    """One of the tickets that hang on this one."""

    other = forms.ModelChoiceField(
        label=_("Ticket"), queryset=Ticket.objects.none(), empty_label=_("Choose…")
    )

    def prepare(self) -> None:
        seen = Ticket.objects.visible_to(self.person).filter(pk__in=children_of(self.ticket))
        self.fields["other"].queryset = seen.order_by("id")  # type: ignore[attr-defined]


class SolutionForm(ActForm):
    """What solved it, and whether for its children too."""

    code = forms.ChoiceField(
        label=_("Outcome"),
        choices=CHOOSE + worded_choices(RESOLUTION_CODES.items()),
        error_messages={"required": _("Choose an outcome.")},
    )
    text = words(
        _("What solved it?"),
        help_text=_("Everybody who asked reads this."),
        error_messages={"required": _("Say what solved it.")},
    )
    with_children = forms.BooleanField(
        label=_("Resolve its open children with the same words"), required=False, initial=True
    )
    quietly = forms.BooleanField(
        label=_("Close quietly"),
        required=False,
        help_text=_("Who asked in a ticket is told; subscribers, lists and watchers are not."),
    )


# ---- Restricted cases ----------------------------------------------------------------------------


class RestrictForm(ReasonForm):
    """Why only few may know of it, and who besides the lane's own people."""

    cleared = PersonField(
        label=_("Who else must know?"),
        required=False,
        help_text=_("You and the security lane's people on call, lead and manager know anyway."),
    )

    def prepare(self) -> None:
        self.fields["cleared"].offer(working_here())  # type: ignore[attr-defined]


class ClearForm(ActForm):
    """One more person who must know, and why."""

    person = PersonField(  # type: ignore[assignment]  # a field of the form, not who asks
        label=_("Who?"), error_messages={"required": _("Name somebody.")}
    )
    reason = words(_("Why?"), rows=2, error_messages={"required": _("Say why.")})

    def prepare(self) -> None:
        knowing = Clearance.objects.filter(ticket=self.ticket.pk).values("person")
        offered = working_here().exclude(pk__in=knowing)
        self.fields["person"].offer(offered)  # type: ignore[attr-defined]


class UnclearForm(ActForm):
    """Somebody who need not know any more, and why."""

    person = forms.ModelChoiceField(  # type: ignore[assignment]
        label=_("Who?"), queryset=Person.objects.none(), empty_label=_("Choose…")
    )
    reason = words(_("Why?"), rows=2, error_messages={"required": _("Say why.")})

    def prepare(self) -> None:
        knowing = Clearance.objects.filter(ticket=self.ticket.pk).values("person")
        known = Person.objects.filter(pk__in=knowing)
        self.fields["person"].queryset = known  # type: ignore[attr-defined]


class GlassForm(PageForm):
    """Opening a case in an emergency, by its key."""

    key = forms.CharField(
        label=_("Key of the case"),
        max_length=20,
        widget=forms.TextInput(attrs={"placeholder": "INC-000123", "autocomplete": "off"}),
    )
    reason = words(_("Why can it not wait?"), rows=3, error_messages={"required": _("Say why.")})
    hours = forms.IntegerField(
        label=_("For how many hours?"),
        initial=GLASS_HOURS,
        min_value=1,
        max_value=LONGEST_GLASS_HOURS,
    )


class OweForm(ActForm):
    """Which authority must be told, and from when its time runs."""

    authority = forms.CharField(label=_("Authority"), max_length=200)
    since = local_time(
        _("When did it become known?"), help_text=_("The time allowed runs from here; empty: now.")
    )
    reason = words(_("Why?"), required=False, rows=2)


class GiveForm(ActForm):
    """Which authority has been told, under which reference."""

    authority = forms.ChoiceField(label=_("Authority"))
    reference = forms.CharField(label=_("Reference"), max_length=200, required=False)

    def prepare(self) -> None:
        owed = Notice.objects.filter(ticket=self.ticket.pk, given_at=None).order_by("id")
        names = owed.values_list("authority", flat=True)
        self.fields["authority"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


# ---- Vendors -------------------------------------------------------------------------------------


class EngageForm(ActForm):
    """Which vendor, what it is asked, and whether the ticket waits for it."""

    vendor = forms.ModelChoiceField(
        label=_("Vendor"),
        queryset=Vendor.objects.filter(is_active=True),
        to_field_name="slug",
        empty_label=_("Choose…"),
        error_messages={"required": _("Choose a vendor.")},
    )
    reason = words(
        _("What do you need from them?"),
        rows=3,
        help_text=_("The vendor reads this; its first contact is written to at once."),
        error_messages={"required": _("Say what you need.")},
    )
    reference = forms.CharField(
        label=_("Their number for it"),
        max_length=120,
        required=False,
        help_text=_("If you have one already."),
    )
    wait = forms.BooleanField(label=_("Put the ticket on hold meanwhile"), required=False)


class AnsweredForm(ActForm):
    """The vendor's number and words."""

    reference = forms.CharField(label=_("Their number for it"), max_length=120, required=False)
    text = words(_("What do they say?"), required=False, rows=3)


class DeliveredForm(ActForm):
    """What the vendor has delivered."""

    result = words(
        _("What have they delivered?"), rows=3, error_messages={"required": _("Say what.")}
    )


# ---- Problems and changes ------------------------------------------------------------------------


class DiagnosisForm(ActForm):
    """What is known of a problem."""

    cause = words(_("Cause"), required=False, rows=3)
    workaround = words(
        _("Workaround"), required=False, rows=3, help_text=_("What helps until it is solved.")
    )
    is_known_error = forms.BooleanField(
        label=_("The cause is understood (known error)"), required=False
    )

    def prepare(self) -> None:
        problem = Problem.objects.filter(ticket=self.ticket.pk).first()
        for name in self.fields:
            self.initial.setdefault(name, getattr(problem, name, None))


class PassOnForm(ActForm):
    """Who hears of the workaround."""

    to_requesters = forms.BooleanField(
        label=_("Tell the requesters of its children too"), required=False
    )


class PlanForm(ActForm):
    """What is done, how one sees that it works, how it is undone, and when."""

    plan = words(
        _("Plan"),
        rows=5,
        help_text=_("What is done, step by step."),
        error_messages={"required": _("Say what is done.")},
    )
    test = words(_("Test"), required=False, rows=3, help_text=_("How one sees that it works."))
    back_out = words(_("Back-out"), required=False, rows=3, help_text=_("How it is undone."))
    window_from = local_time(_("Window from"))
    window_until = local_time(_("until"))

    def prepare(self) -> None:
        change = Change.objects.filter(ticket=self.ticket.pk).first()
        for name in self.fields:
            self.initial.setdefault(name, getattr(change, name, None))
        self.fields["window_until"].help_text = in_your_zone()


class ApproveForm(ActForm):
    """A word with the approval."""

    reason = words(_("Anything to add?"), required=False, rows=2)


class EndForm(ActForm):
    """How the change ended."""

    how = forms.ChoiceField(
        label=_("How did it end?"),
        choices=worded_choices((each.value, each.label) for each in ENDINGS),
    )
    result = words(_("Result"), rows=3, error_messages={"required": _("Say what came of it.")})
