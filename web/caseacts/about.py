"""The acts that say what a ticket is about, and who answers for it."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from tickets import owning, triage
from web.acts import Act, Situation
from web.caseacts.doing import does
from web.forms import about as forms


def _open(at: Situation) -> bool:
    return at.ticket.is_open


ABOUT_ACTS: Final = (
    Act(
        "owner",
        _("Name the owner…"),
        "flag",
        ("name_owner",),
        _open,
        does(owning.name_owner),
        _("Named. The work stays where it is."),
        form=forms.OwnerForm,
    ),
    Act(
        "classify",
        _("Say what it is about…"),
        "tag",
        ("triage",),
        _open,
        does(triage.classify),
        _("Service and category are set."),
        form=forms.ClassifyForm,
    ),
)
