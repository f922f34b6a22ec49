"""The list of acts on a ticket: what each is called, asks, demands, and which function does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from escalation import contracts, handover
from escalation.models import Escalation
from roles.models import Person
from tickets import assignment, lifecycle, links, states, triage
from tickets.models import Ticket
from web.forms import acts as forms
from web.standing import Standing, standing_of


@dataclass(frozen=True)
class Situation:
    """Who looks at which ticket, and what that person may do there."""

    ticket: Ticket
    person: Person
    allowed: frozenset[str]
    escalation: Escalation | None = None
    standing: Standing = field(default_factory=Standing)

    @property
    def is_watching(self) -> bool:
        """Whether the person watches the ticket, as it was read for that person."""
        return bool(getattr(self.ticket, "is_watching", False))


Fits = Callable[[Situation], bool]
Perform = Callable[[Ticket, Person, Mapping[str, Any]], object]


@dataclass(frozen=True)
class Act:
    """One act; `needs` are actions of the access table, one of which must be allowed.

    `group` is the heading under which a menu lists it; `room` names the page that it leads to.
    """

    slug: str
    label: str | Promise
    icon: str
    needs: tuple[str, ...]
    fits: Fits
    perform: Perform
    done: str | Promise
    form: type[forms.ActForm] | None = None
    key: str = ""
    warning: str | Promise = ""
    main: bool = False
    group: str | Promise = ""
    room: str = ""

    @property
    def asks(self) -> bool:
        """Whether there is something to fill in or to think over before it is done."""
        return self.form is not None or bool(self.warning)

    @property
    def verb(self) -> str:
        """What stands on the button that does it."""
        return str(self.label).rstrip("…")

    def is_offered(self, situation: Situation) -> bool:
        """Whether the act is allowed to this person and makes sense now."""
        return self.is_allowed(situation.allowed) and self.fits(situation)

    def is_allowed(self, allowed: frozenset[str] | set[str]) -> bool:
        """Whether the access table grants it."""
        return any(name in allowed for name in self.needs)


def _open(at: Situation) -> bool:
    return at.ticket.is_open


def _routed(at: Situation) -> bool:
    return at.ticket.is_open and at.ticket.team_id is not None


def _status(*wanted: str) -> Fits:
    return lambda at: at.ticket.status in wanted


def _takeable(at: Situation) -> bool:
    return _routed(at) and at.ticket.assignee_id != at.person.pk


def _release(at: Situation) -> bool:
    ticket = at.ticket
    return ticket.status == states.IN_PROGRESS and ticket.assignee_id == at.person.pk


def _acceptable(at: Situation) -> bool:
    return _open(at) and at.escalation is not None and at.escalation.state == "open"


def _returnable(at: Situation) -> bool:
    return _open(at) and at.escalation is not None and at.escalation.state in ("open", "accepted")


def _plain(function: Callable[..., object]) -> Perform:
    return lambda ticket, person, data: function(ticket=ticket, actor=person)


def _given(function: Callable[..., object]) -> Perform:
    return lambda ticket, person, data: function(ticket=ticket, actor=person, **data)


ACTS = (
    Act(
        "take",
        _("Take"),
        "hand",
        ("take",),
        _takeable,
        _plain(assignment.take),
        _("It is yours."),
        key="t",
        main=True,
    ),
    Act(
        "acknowledge",
        _("Acknowledge"),
        "check",
        ("acknowledge",),
        lambda at: _routed(at) and not at.ticket.is_acknowledged,
        _plain(assignment.acknowledge),
        _("Acknowledged. Paging for it stops."),
        key="a",
        main=True,
    ),
    Act(
        "accept",
        _("Accept escalation"),
        "thumbs-up",
        ("accept",),
        _acceptable,
        _plain(handover.accept),
        _("Escalation accepted."),
        key="y",
        main=True,
    ),
    Act(
        "resume",
        _("Resume"),
        "circle-play",
        ("resume",),
        _status(*states.PENDING),
        _plain(lifecycle.resume),
        _("Work goes on."),
        key="u",
        main=True,
    ),
    Act(
        "escalate",
        _("Escalate"),
        "trending-up",
        ("escalate",),
        _routed,
        _given(handover.escalate),
        _("Escalated."),
        form=forms.EscalateForm,
        key="e",
        main=True,
    ),
    Act(
        "complete-handover",
        _("Give what is owed…"),
        "clipboard-list",
        ("comment_internal",),
        lambda at: _open(at) and at.escalation is not None and bool(at.escalation.owed),
        _given(contracts.complete_handover),
        _("The team has it now."),
        form=forms.CompleteForm,
    ),
    Act(
        "hand-back",
        _("Hand back"),
        "corner-down-left",
        ("hand_back",),
        _returnable,
        _given(handover.hand_back),
        _("Handed back."),
        form=forms.HandBackForm,
        key="b",
        main=True,
    ),
    Act(
        "pend",
        _("Put on hold"),
        "circle-pause",
        ("pend",),
        _status(states.IN_PROGRESS),
        _given(lifecycle.pend),
        _("On hold."),
        form=forms.PendForm,
        key="p",
        main=True,
    ),
    Act(
        "resolve",
        _("Resolve"),
        "circle-check",
        ("resolve",),
        _routed,
        _given(lifecycle.resolve),
        _("Resolved. The requester has been told."),
        form=forms.ResolveForm,
        key="s",
        main=True,
    ),
    Act(
        "confirm",
        _("Confirm it is solved"),
        "badge-check",
        ("confirm",),
        _status(states.RESOLVED),
        _plain(lifecycle.confirm),
        _("Thank you. The ticket is closed."),
        main=True,
    ),
    Act(
        "reopen",
        _("Reopen"),
        "rotate-ccw",
        ("reopen",),
        _status(states.RESOLVED),
        _given(lifecycle.reopen),
        _("Reopened."),
        form=forms.ReasonForm,
        main=True,
    ),
    Act(
        "chase",
        _("Ask where it stands"),
        "megaphone",
        ("chase",),
        _open,
        _given(lifecycle.chase),
        _("The team sees that you asked."),
        form=forms.ChaseForm,
    ),
    Act(
        "assign",
        _("Assign to…"),
        "user-check",
        ("assign",),
        _routed,
        _given(assignment.assign),
        _("Assigned."),
        form=forms.AssignForm,
    ),
    Act(
        "release",
        _("Put back into the queue"),
        "undo-2",
        ("take",),
        _release,
        _plain(assignment.release),
        _("Back in the team's queue."),
    ),
    Act(
        "unacknowledge",
        _("Withdraw acknowledgement"),
        "undo-2",
        ("unacknowledge",),
        lambda at: _open(at) and at.ticket.is_acknowledged,
        _plain(assignment.unacknowledge),
        _("Withdrawn. Paging goes on where it stopped."),
    ),
    Act(
        "move",
        _("Send to another team…"),
        "arrow-right",
        ("triage", "push_any"),
        _open,
        _given(assignment.move),
        _("Sent on."),
        form=forms.MoveForm,
    ),
    Act(
        "impact",
        _("Set impact and urgency…"),
        "arrow-up-down",
        ("set_priority",),
        _open,
        _given(triage.set_urgency_impact),
        _("Impact and urgency are set."),
        form=forms.ImpactForm,
    ),
    Act(
        "priority",
        _("Override priority…"),
        "octagon-alert",
        ("override_priority",),
        _open,
        _given(triage.override_priority),
        _("The priority is set."),
        form=forms.OverrideForm,
    ),
    Act(
        "link",
        _("Link with another ticket…"),
        "link",
        ("link",),
        lambda at: True,
        _given(links.link),
        _("Linked, on both timelines."),
        form=forms.LinkForm,
    ),
    Act(
        "watch",
        _("Watch"),
        "eye",
        ("watch",),
        lambda at: not at.is_watching,
        _plain(assignment.watch),
        _("You will be told of news."),
    ),
    Act(
        "unwatch",
        _("Stop watching"),
        "eye-off",
        ("watch",),
        lambda at: at.is_watching,
        _plain(assignment.unwatch),
        _("You will not be told any more."),
    ),
    Act(
        "close",
        _("Close"),
        "archive",
        ("close",),
        _status(states.RESOLVED),
        _plain(lifecycle.close),
        _("Closed."),
        warning=_("A closed ticket cannot be reopened."),
    ),
    Act(
        "cancel",
        _("Cancel ticket…"),
        "circle-x",
        ("cancel",),
        _open,
        _given(lifecycle.cancel),
        _("Cancelled."),
        form=forms.ReasonForm,
        warning=_("A cancelled ticket cannot be reopened. The requester sees the reason."),
    ),
)


def situation(ticket: Ticket, person: Person, allowed: set[str]) -> Situation:
    """What decides which acts make sense for this person on this ticket now; two queries."""
    escalation = (
        Escalation.objects.filter(
            ticket=ticket.pk, entry=ticket.entry, type=Escalation.Type.FUNCTIONAL
        )
        .select_related("from_team", "to_team", "actor", "sender")
        .first()
    )
    return Situation(
        ticket=ticket,
        person=person,
        allowed=frozenset(allowed),
        escalation=escalation,
        standing=standing_of(ticket),
    )
