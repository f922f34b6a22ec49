"""The acts on restricted cases and on what authorities must be told."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from roles.models import Person
from tickets import clearance, notices, restriction
from tickets.models import Ticket
from web.acts import Act, Fits, Situation
from web.caseacts.doing import does
from web.forms import cases as forms
from web.forms.acts import ReasonForm

CASE: Final = _("Restricted case")


def _restrict(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> None:
    also = [data["cleared"]] if data["cleared"] else []
    restriction.restrict(ticket=ticket, actor=person, reason=data["reason"], cleared=also)


def _restricted(at: Situation) -> bool:
    return at.ticket.restricted


def _lifting(*, under_way: bool) -> Fits:
    return lambda at: at.ticket.restricted and at.standing.is_lifting == under_way


RESTRICTED_ACTS: Final = (
    Act(
        "restrict",
        _("Restrict who may know of it…"),
        "lock",
        ("restrict",),
        lambda at: not at.ticket.restricted and not at.ticket.is_major,
        _restrict,
        _("Restricted. Only cleared people know of it now."),
        form=forms.RestrictForm,
        group=CASE,
        warning=_(
            "It moves to the security lane, and everybody who is not cleared loses sight of it, "
            "its requester and watchers too."
        ),
    ),
    Act(
        "clear",
        _("Clear somebody…"),
        "key-round",
        ("clear",),
        _restricted,
        does(clearance.clear),
        _("Cleared, and told that there is a case."),
        form=forms.ClearForm,
        group=CASE,
        room="case",
    ),
    Act(
        "unclear",
        _("Take a clearance…"),
        "user-minus",
        ("clear",),
        _restricted,
        does(clearance.unclear),
        _("Taken."),
        form=forms.UnclearForm,
        group=CASE,
        room="case",
    ),
    Act(
        "lift",
        _("Propose to lift the restriction…"),
        "lock-open",
        ("unrestrict",),
        _lifting(under_way=False),
        does(restriction.propose_unrestrict),
        _("Proposed. A second person confirms it."),
        form=ReasonForm,
        group=CASE,
        room="case",
    ),
    Act(
        "confirm-lift",
        _("Lift the restriction"),
        "lock-open",
        ("unrestrict",),
        _lifting(under_way=True),
        does(restriction.confirm_unrestrict),
        _("Lifted. Everybody in the service may know of it again."),
        group=CASE,
        warning=_("Everybody in the service will see the ticket and its whole story."),
    ),
    Act(
        "refuse-lift",
        _("Leave it restricted"),
        "lock",
        ("unrestrict",),
        _lifting(under_way=True),
        does(restriction.withdraw_unrestrict),
        _("It stays restricted."),
        group=CASE,
        room="case",
    ),
    Act(
        "owe-notice",
        _("An authority must be told…"),
        "scale",
        ("notify_authority",),
        lambda at: True,
        does(notices.owe_notice),
        _("Noted. Its clock runs."),
        form=forms.OweForm,
        group=CASE,
    ),
    Act(
        "give-notice",
        _("The authority has been told…"),
        "mail-check",
        ("notify_authority",),
        lambda at: at.standing.owes_notice,
        does(notices.give_notice),
        _("Noted."),
        form=forms.GiveForm,
        group=CASE,
    ),
)
