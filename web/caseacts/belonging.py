"""The acts on who belongs to a ticket and what was sent with it: watchers, files."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from roles.models import Person
from tickets import attachments, company
from tickets.models import Ticket
from web.acts import Act, Situation
from web.caseacts.doing import does
from web.forms import watching as forms


def _is_watched(at: Situation) -> bool:
    """Whether others watch it; where the page has not read that, the form says so."""
    found = getattr(at.ticket, "watched_by", None)
    return found is None or any(each["id"] != at.person.pk for each in found)


def _has_files(at: Situation) -> bool:
    return at.standing.has_files


def _erase(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> None:
    attachments.erase_file(
        ticket=ticket, actor=person, attachment_id=data["file"].pk, reason=data["reason"]
    )


BELONGING_ACTS: Final = (
    Act(
        "watchers",
        _("Take watchers off…"),
        "eye-off",
        ("invite",),
        _is_watched,
        does(company.take_off),
        _("They are not told of news any more."),
        form=forms.WatchersForm,
    ),
    Act(
        "erase-file",
        _("Erase a file…"),
        "eraser",
        ("erase_file",),
        _has_files,
        _erase,
        _("The file is gone. The timeline says that it was there."),
        form=forms.EraseForm,
        warning=_("An erased file cannot be brought back. Copies that people have made stay."),
    ),
)
