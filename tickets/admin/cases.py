"""The acts on majors, cases, duplicates and helpers that the admin offers, each with its form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from roles.models import Person
from tickets import (
    clearance,
    incidents,
    merging,
    notices,
    owning,
    restriction,
    staffing,
    swarming,
)
from tickets.lifecycle import RESOLUTION_CODES
from tickets.models import Major, Ticket
from tickets.stakeholders import AUDIENCES

SHORT = {"max_length": 2000, "widget": forms.Textarea(attrs={"rows": 3, "cols": 80})}


class PersonField(forms.CharField):
    """An active person by user name; None for an empty field."""

    def clean(self, value: Any) -> Any:
        name = super().clean(value)
        if not name:
            return None
        person = Person.objects.filter(username__iexact=name, is_active=True).first()
        if person is None:
            raise forms.ValidationError("Nobody who is active has this user name.")
        return person


class ActForm(forms.Form):
    """What an act asks for; `reader` is who asks, so that no field tells more than they may see."""

    def __init__(self, *args: Any, reader: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reader = reader


class Reason(ActForm):
    reason = forms.CharField(**SHORT)


class Nothing(ActForm):
    """Nothing but the button."""


class Proposal(Reason):
    severity = forms.TypedChoiceField(choices=Major.Severity.choices, coerce=int, initial=2)


class Severity(ActForm):
    severity = forms.TypedChoiceField(choices=Major.Severity.choices, coerce=int, initial=2)


class Roles(ActForm):
    """User names; what is left empty stays as it is."""

    manager = PersonField(required=False, help_text="User name; empty leaves it as it is.")
    coordinator = PersonField(required=False, help_text="Who words the updates.")
    technical_lead = PersonField(required=False)
    scribe = PersonField(required=False)
    bridge_url = forms.CharField(required=False, max_length=200, label="Bridge")
    channel_url = forms.CharField(required=False, max_length=200, label="Chat channel")


class OtherTicket(ActForm):
    other = forms.CharField(max_length=20, label="Key of the other ticket")

    def clean_other(self) -> Ticket:
        key = self.cleaned_data["other"].strip().upper()
        found = Ticket.objects.visible_to(self.reader).filter(key=key).first()
        if found is None:
            raise forms.ValidationError("There is no ticket with this key.")
        return found


class Merging(OtherTicket, Reason):
    field_order = ["other", "reason"]


class Update(ActForm):
    text = forms.CharField(**SHORT)
    audience = forms.ChoiceField(choices=list(AUDIENCES.items()))
    next_in_min = forms.IntegerField(initial=30, label="Next word in minutes")


class Solution(ActForm):
    code = forms.ChoiceField(choices=list(RESOLUTION_CODES.items()))
    text = forms.CharField(**SHORT)
    with_children = forms.BooleanField(required=False, initial=True, label="Its children too")


class Someone(Reason):
    person = PersonField(help_text="User name.")
    field_order = ["person", "reason"]


class Owner(Reason):
    owner = PersonField(
        required=False, help_text="User name; empty leaves it to the owning team alone."
    )
    field_order = ["owner", "reason"]


class Helper(ActForm):
    person = PersonField(help_text="User name of who need not help any more.")


class Owing(ActForm):
    authority = forms.CharField(max_length=200)
    since = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="When it became known, in your own time zone; empty means now.",
    )
    reason = forms.CharField(required=False, **SHORT)


class Given(ActForm):
    authority = forms.CharField(max_length=200)
    reference = forms.CharField(max_length=200, required=False)


class GlassForm(Reason):
    """Opening a case in an emergency, by its key."""

    key = forms.CharField(max_length=20)
    hours = forms.IntegerField(initial=clearance.GLASS_HOURS, label="For how many hours")
    field_order = ["key", "reason", "hours"]


@dataclass(frozen=True)
class CaseAct:
    """One act: how it is called, what the access table calls it, when it makes sense, its form."""

    label: str
    action: str
    fits: Callable[[Ticket], bool]
    form: type[ActForm]
    run: Callable[..., Any]

    def carry_out(self, ticket: Ticket, person: Person, given: Mapping[str, Any]) -> str:
        """Do it; returns what there is to say beyond that it is done. Raises Refused."""
        told = self.run(ticket=ticket, actor=person, via="admin", **given)
        return told if isinstance(told, str) else ""


def major_state(ticket: Ticket) -> str:
    """The state of its record as a major incident; "" when it never was proposed."""
    major = Major.objects.filter(ticket=ticket.pk).first()
    return major.state if major else ""


def _proposable(ticket: Ticket) -> bool:
    return ticket.is_open and not ticket.restricted and not ticket.is_major


def _proposed(ticket: Ticket) -> bool:
    return _proposable(ticket) and major_state(ticket) == Major.State.PROPOSED


def _under_way(ticket: Ticket) -> bool:
    return ticket.is_major and ticket.is_open


def _restricted(ticket: Ticket) -> bool:
    return ticket.restricted


def _is_lifting(ticket: Ticket) -> bool:
    return ticket.liftings.filter(confirmed_at=None).exists()


def _staff(*, ticket: Ticket, actor: Person, via: str, **given: Any) -> None:
    places = {name: given.pop(name) or None for name in ("bridge_url", "channel_url")}
    people = {role: person for role, person in given.items() if person is not None}
    staffing.staff_major(ticket=ticket, actor=actor, people=people, via=via, **places)


def _resolve(*, ticket: Ticket, actor: Person, via: str, **given: Any) -> str:
    outcome = incidents.resolve_major(ticket=ticket, actor=actor, via=via, **given)
    left = "; ".join(f"{key} was left: {why}" for key, why in outcome.left.items())
    return f"{len(outcome.children)} of its children resolved. {left}".strip()


def _merge(*, other: Ticket, **given: Any) -> None:
    merging.merge(into=other, **given)


def _child(act: Callable[..., Any]) -> Callable[..., Any]:
    """The act with the form's other ticket as the child."""

    def run(*, other: Ticket, **given: Any) -> None:
        act(child=other, **given)

    return run


ACTS: Mapping[str, CaseAct] = {
    "propose-major": CaseAct(
        "Propose a major incident",
        "propose_major",
        lambda ticket: _proposable(ticket) and not _proposed(ticket),
        Proposal,
        incidents.propose_major,
    ),
    "accept-major": CaseAct(
        "Accept as major incident", "run_major", _proposed, Severity, incidents.accept_major
    ),
    "reject-major": CaseAct(
        "Reject as major incident", "run_major", _proposed, Reason, incidents.reject_major
    ),
    "declare-major": CaseAct(
        "Declare a major incident",
        "run_major",
        lambda ticket: _proposable(ticket) and not _proposed(ticket),
        Proposal,
        incidents.declare_major,
    ),
    "staff-major": CaseAct("Name roles and places", "run_major", _under_way, Roles, _staff),
    "attach-child": CaseAct(
        "Attach a child",
        "run_major",
        _under_way,
        OtherTicket,
        _child(incidents.attach_child),
    ),
    "detach-child": CaseAct(
        "Detach a child",
        "run_major",
        _under_way,
        OtherTicket,
        _child(incidents.detach_child),
    ),
    "update-major": CaseAct(
        "Update stakeholders", "update_stakeholders", _under_way, Update, incidents.post_update
    ),
    "demote-major": CaseAct("Demote", "run_major", _under_way, Reason, incidents.demote_major),
    "resolve-major": CaseAct("Resolve with children", "run_major", _under_way, Solution, _resolve),
    "merge": CaseAct(
        "Merge into another ticket",
        "merge",
        lambda ticket: ticket.is_open and not ticket.is_major,
        Merging,
        _merge,
    ),
    "restrict": CaseAct(
        "Put into the security lane",
        "restrict",
        lambda ticket: not ticket.restricted and not ticket.is_major,
        Reason,
        restriction.restrict,
    ),
    "clear": CaseAct("Clear somebody", "clear", _restricted, Someone, clearance.clear),
    "unclear": CaseAct("Take a clearance", "clear", _restricted, Someone, clearance.unclear),
    "lift": CaseAct(
        "Propose to lift the restriction",
        "unrestrict",
        lambda ticket: ticket.restricted and not _is_lifting(ticket),
        Reason,
        restriction.propose_unrestrict,
    ),
    "confirm-lift": CaseAct(
        "Lift the restriction, as the second person",
        "unrestrict",
        _is_lifting,
        Nothing,
        restriction.confirm_unrestrict,
    ),
    "refuse-lift": CaseAct(
        "Leave the restriction as it is",
        "unrestrict",
        _is_lifting,
        Nothing,
        restriction.withdraw_unrestrict,
    ),
    "owe-notice": CaseAct(
        "A regulator must be told", "notify_authority", lambda _: True, Owing, notices.owe_notice
    ),
    "give-notice": CaseAct(
        "The regulator has been told",
        "notify_authority",
        lambda ticket: ticket.notices.filter(given_at=None).exists(),
        Given,
        notices.give_notice,
    ),
    "name-owner": CaseAct(
        "Name the owner", "name_owner", lambda ticket: ticket.is_open, Owner, owning.name_owner
    ),
    "end-help": CaseAct(
        "End somebody's help",
        "comment_internal",
        lambda ticket: swarming.involved(ticket).exists(),
        Helper,
        swarming.leave,
    ),
}
