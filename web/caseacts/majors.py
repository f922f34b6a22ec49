"""The acts on major incidents: proposed, decided, led, ended."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from notifications.channels.slackrooms import is_ready
from roles.models import Person
from tickets import incidents, staffing, warroom
from tickets.models import Major, Ticket
from web.acts import Act, Fits, Situation
from web.caseacts.doing import does, resolved_words
from web.forms import cases as forms
from web.forms.acts import ReasonForm

MAJOR: Final = _("Major incident")


def _name_roles(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> None:
    given = dict(data)
    places = {name: given.pop(name) for name in ("bridge_url", "channel_url")}
    staffing.staff_major(ticket=ticket, actor=person, people=given, **places)


def _resolve(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> str:
    outcome = incidents.resolve_major(ticket=ticket, actor=person, **data)
    return resolved_words(len(outcome.children), outcome.left)


def _filled(filled: warroom.Filled) -> str:
    """Who was asked in, and who has to be called in another way."""
    asked = len(filled.asked)
    told = ngettext("%(count)d person was asked in.", "%(count)d people were asked in.", asked)
    said = told % {"count": asked}
    if filled.missing:
        names = ", ".join(map(str, filled.missing))
        said += " " + gettext("Not reached in Slack: %(names)s.") % {"names": names}
    return said


def _proposable(at: Situation) -> bool:
    ticket = at.ticket
    free = at.standing.major not in (Major.State.PROPOSED, Major.State.ACCEPTED)
    return ticket.is_open and not ticket.restricted and not ticket.is_major and free


def _is(state: str) -> Fits:
    return lambda at: at.ticket.is_open and at.standing.major == state


MAJOR_ACTS: Final = (
    Act(
        "propose-major",
        _("Propose a major incident…"),
        "flag",
        ("propose_major",),
        _proposable,
        does(incidents.propose_major),
        _("Proposed. The incident manager on call has been told."),
        form=forms.ProposalForm,
        group=MAJOR,
    ),
    Act(
        "declare-major",
        _("Declare a major incident…"),
        "siren",
        ("run_major",),
        _proposable,
        does(incidents.declare_major),
        _("Declared. You lead it until somebody else is named."),
        form=forms.ProposalForm,
        group=MAJOR,
        room="major",
    ),
    Act(
        "accept-major",
        _("Accept as major incident…"),
        "siren",
        ("run_major",),
        _is(Major.State.PROPOSED),
        does(incidents.accept_major),
        _("Declared. You lead it until somebody else is named."),
        form=forms.SeverityForm,
        group=MAJOR,
        room="major",
    ),
    Act(
        "reject-major",
        _("Reject as major incident…"),
        "flag-off",
        ("run_major",),
        _is(Major.State.PROPOSED),
        does(incidents.reject_major),
        _("Rejected. The proposer has been told."),
        form=ReasonForm,
        group=MAJOR,
    ),
    Act(
        "update-major",
        _("Update stakeholders…"),
        "megaphone",
        ("update_stakeholders",),
        _is(Major.State.ACCEPTED),
        does(incidents.post_update),
        _("Sent."),
        form=forms.UpdateForm,
        group=MAJOR,
        room="major",
    ),
    Act(
        "staff-major",
        _("Name roles and places…"),
        "users",
        ("run_major",),
        _is(Major.State.ACCEPTED),
        _name_roles,
        _("Named. Whoever is new in a role has been told."),
        form=forms.StaffForm,
        group=MAJOR,
        room="major",
    ),
    Act(
        "open-war-room",
        _("Open a room in Slack…"),
        "messages-square",
        ("run_major",),
        lambda at: _is(Major.State.ACCEPTED)(at) and not at.standing.has_chat and is_ready(),
        lambda ticket, person, data: _filled(warroom.open_room(ticket=ticket, actor=person)),
        _("Opened."),
        warning=_(
            "A channel is made; the people named, those on call and those at work on it are asked"
            " in, and what is known is pinned there."
        ),
        group=MAJOR,
        room="major",
    ),
    Act(
        "fill-war-room",
        _("Ask into the room again…"),
        "user-plus",
        ("run_major",),
        lambda at: _is(Major.State.ACCEPTED)(at) and at.standing.has_chat and is_ready(),
        lambda ticket, person, data: _filled(warroom.fill_room(ticket=ticket, actor=person)),
        _("Asked."),
        warning=_(
            "The people named, those on call and those at work on it by now are asked in, and what"
            " is known by now is pinned."
        ),
        group=MAJOR,
        room="major",
    ),
    Act(
        "decide",
        _("Keep a decision…"),
        "gavel",
        ("comment_internal",),
        _is(Major.State.ACCEPTED),
        does(warroom.decide),
        _("Kept."),
        form=forms.DecisionForm,
        group=MAJOR,
        room="major",
    ),
    Act(
        "attach-child",
        _("Attach a ticket…"),
        "paperclip",
        ("run_major",),
        _is(Major.State.ACCEPTED),
        does(incidents.attach_child, other="child"),
        _("Attached. Its requester hears every update from now on."),
        form=forms.OtherForm,
        group=MAJOR,
        room="major",
    ),
    Act(
        "detach-child",
        _("Detach a ticket…"),
        "unlink",
        ("run_major",),
        _is(Major.State.ACCEPTED),
        does(incidents.detach_child, other="child"),
        _("Detached. It goes its own way again."),
        form=forms.ChildForm,
        group=MAJOR,
        room="major",
    ),
    Act(
        "resolve-major",
        _("Resolve the major incident…"),
        "circle-check-big",
        ("run_major",),
        _is(Major.State.ACCEPTED),
        _resolve,
        _("Resolved."),
        form=forms.SolutionForm,
        group=MAJOR,
        room="major",
    ),
    Act(
        "demote-major",
        _("Demote to an ordinary incident…"),
        "chevrons-down",
        ("run_major",),
        _is(Major.State.ACCEPTED),
        does(incidents.demote_major),
        _("Demoted. It goes on as any other ticket."),
        form=forms.DemotionForm,
        group=MAJOR,
    ),
)
