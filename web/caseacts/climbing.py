"""The acts on a ticket's climb and on who works on it: held, called, helped with, joined."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from escalation import calling, handover, holding
from roles.models import Person
from tickets import links, merging, swarming
from tickets.models import Ticket
from web.acts import Act, Situation
from web.caseacts.doing import does
from web.forms import climbing as forms

CLIMB: Final = _("Its policy")
TOGETHER: Final = _("Together with others")


def _open(at: Situation) -> bool:
    return at.ticket.is_open


def _climbing(at: Situation) -> bool:
    return at.ticket.is_open and at.standing.climbs


def _call_step(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> None:
    choice: calling.Choice = data["step"]
    calling.call_step(
        ticket=ticket,
        run=choice.run,
        position=choice.step.position,
        actor=person,
        reason=data["reason"],
    )


def _unlink(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> None:
    source, target, relation = data["link"]
    links.unlink(ticket=source, other=target, relation=relation, actor=person)


CLIMB_ACTS: Final = (
    Act(
        "involve",
        _("Call somebody in…"),
        "user-plus",
        ("escalate",),
        _open,
        does(handover.involve),
        _("They have been told, and watch the ticket now. It stays where it is."),
        form=forms.InvolveForm,
        key="i",
        group=TOGETHER,
    ),
    Act(
        "leave",
        _("Stop helping"),
        "user-minus",
        ("comment_internal",),
        lambda at: at.standing.is_helping,
        does(swarming.leave),
        _("You do not help here any more."),
        group=TOGETHER,
    ),
    Act(
        "merge",
        _("Merge into another ticket…"),
        "merge",
        ("merge",),
        _open,
        does(merging.merge),
        _("Merged. It goes on over there."),
        form=forms.MergeForm,
        key="m",
        warning=_(
            "This ticket closes as a duplicate and cannot be opened again. Its requester and all"
            " who watch it watch the other one from then on."
        ),
        group=TOGETHER,
    ),
    Act(
        "unlink",
        _("Take a link back…"),
        "unlink",
        ("link",),
        lambda at: at.standing.is_linked,
        _unlink,
        _("The link is gone, on both timelines."),
        form=forms.UnlinkForm,
        group=TOGETHER,
    ),
    Act(
        "snooze",
        _("Snooze its policy…"),
        "alarm-clock",
        ("snooze",),
        _climbing,
        does(holding.snooze),
        _("Snoozed. The clocks run on."),
        form=forms.SnoozeForm,
        key="z",
        warning=_("Nobody is paged for it until then. Its clocks run on."),
        group=CLIMB,
    ),
    Act(
        "end-snooze",
        _("End the snooze"),
        "alarm-clock-off",
        ("snooze",),
        lambda at: at.ticket.is_open and at.standing.is_snoozed,
        does(holding.end_snooze),
        _("The policy goes on."),
        group=CLIMB,
    ),
    Act(
        "call-step",
        _("Call a step now…"),
        "mouse-pointer-click",
        ("call_step",),
        _climbing,
        _call_step,
        _("The step has been carried out."),
        form=forms.CallStepForm,
        group=CLIMB,
    ),
)
