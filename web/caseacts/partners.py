"""The acts on vendors, problems and changes."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from escalation import vendors
from roles.models import Person
from tickets import changes, problems
from tickets.models import Change, Kind, Ticket
from web.acts import Act, Fits, Situation
from web.caseacts.doing import does, resolved_words
from web.forms import cases as forms
from web.forms.acts import ReasonForm

VENDOR: Final = _("Vendor")
PROBLEM: Final = _("Problem")
CHANGE: Final = _("Change")
PLANNABLE: Final = ("", *(state for state in Change.State if state not in forms.ENDINGS))


def _resolve_problem(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> str:
    outcome = problems.resolve_problem(ticket=ticket, actor=person, **data)
    left = {each.key: gettext("left to its team") for each in outcome.left}
    return resolved_words(len(outcome.resolved), left)


def _engaged(*, answered: bool = True) -> Fits:
    states = ("engaged", "responded") if answered else ("engaged",)
    return lambda at: at.standing.engagement in states


def _problem(at: Situation) -> bool:
    return at.ticket.is_open and at.ticket.kind == Kind.PROBLEM


def _change(*states: str) -> Fits:
    return lambda at: (
        at.ticket.is_open and at.ticket.kind == Kind.CHANGE and at.standing.change in states
    )


PARTNER_ACTS: Final = (
    Act(
        "engage-vendor",
        _("Engage a vendor…"),
        "handshake",
        ("engage_vendor",),
        lambda at: at.ticket.is_open and not at.standing.engagement,
        does(vendors.engage),
        _("Engaged. The vendor's clocks run."),
        form=forms.EngageForm,
        group=VENDOR,
    ),
    Act(
        "vendor-answered",
        _("The vendor has answered…"),
        "phone-incoming",
        ("engage_vendor",),
        _engaged(answered=False),
        does(vendors.respond),
        _("Noted. Its response clock has stopped."),
        form=forms.AnsweredForm,
        group=VENDOR,
    ),
    Act(
        "vendor-delivered",
        _("The vendor has delivered…"),
        "package-check",
        ("engage_vendor",),
        _engaged(),
        does(vendors.deliver),
        _("Noted. If the ticket waited for it, work goes on."),
        form=forms.DeliveredForm,
        group=VENDOR,
    ),
    Act(
        "release-vendor",
        _("Release the vendor…"),
        "user-x",
        ("engage_vendor",),
        _engaged(),
        does(vendors.release_vendor),
        _("Released. Its clocks have stopped."),
        form=ReasonForm,
        group=VENDOR,
    ),
    Act(
        "diagnose",
        _("Note cause and workaround…"),
        "stethoscope",
        ("diagnose",),
        _problem,
        does(problems.diagnose),
        _("Noted."),
        form=forms.DiagnosisForm,
        group=PROBLEM,
        room="problem",
    ),
    Act(
        "publish-workaround",
        _("Pass the workaround on…"),
        "send",
        ("diagnose",),
        lambda at: _problem(at) and at.standing.has_workaround,
        does(problems.publish_workaround),
        _("Passed on to its open tickets."),
        form=forms.PassOnForm,
        group=PROBLEM,
        room="problem",
    ),
    Act(
        "resolve-problem",
        _("Resolve the problem…"),
        "circle-check-big",
        ("resolve",),
        _problem,
        _resolve_problem,
        _("Resolved."),
        form=forms.SolutionForm,
        group=PROBLEM,
        room="problem",
    ),
    Act(
        "plan-change",
        _("Write the plan…"),
        "clipboard-list",
        ("plan_change",),
        _change(*PLANNABLE),
        does(changes.plan_change),
        _("Saved as a draft."),
        form=forms.PlanForm,
        group=CHANGE,
        room="change",
    ),
    Act(
        "submit-change",
        _("Ask for approval"),
        "send",
        ("plan_change",),
        _change(Change.State.DRAFT),
        does(changes.submit_change),
        _("The change managers have been told."),
        group=CHANGE,
        room="change",
    ),
    Act(
        "approve-change",
        _("Approve the change…"),
        "clipboard-check",
        ("approve_change",),
        _change(Change.State.SUBMITTED),
        does(changes.approve_change),
        _("Approved."),
        form=forms.ApproveForm,
        group=CHANGE,
        room="change",
    ),
    Act(
        "reject-change",
        _("Reject the change…"),
        "clipboard-x",
        ("approve_change",),
        _change(Change.State.SUBMITTED),
        does(changes.reject_change),
        _("Rejected. What waited for it goes on."),
        form=ReasonForm,
        group=CHANGE,
        room="change",
    ),
    Act(
        "end-change",
        _("Say how it ended…"),
        "flag-triangle-right",
        ("plan_change",),
        _change(Change.State.APPROVED),
        does(changes.end_change),
        _("Noted. What waited for it goes on."),
        form=forms.EndForm,
        group=CHANGE,
        room="change",
    ),
)
