"""The words kept ready for telling stakeholders how a major incident goes."""

from collections.abc import Mapping
from typing import Final

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from tickets.models import Phase, Ticket, UpdateText

SHIPPED: Final[Mapping[str, str]] = {
    Phase.INVESTIGATING: gettext_noop(
        "We know that {service} is disturbed since {since} and are looking for the cause."
        " The next word comes in {next} minutes."
    ),
    Phase.IDENTIFIED: gettext_noop(
        "We have found the cause of the disturbance of {service} and are working on a remedy."
        " The next word comes in {next} minutes."
    ),
    Phase.WORKING: gettext_noop(
        "We are still working on the disturbance of {service}. There is nothing new to tell yet."
        " The next word comes in {next} minutes."
    ),
    Phase.FIXING: gettext_noop(
        "A remedy for the disturbance of {service} is being put in place."
        " The next word comes in {next} minutes."
    ),
    Phase.WATCHING: gettext_noop(
        "{service} works again. We are watching whether it holds."
        " The next word comes in {next} minutes."
    ),
}
PLACES: Final = ("service", "key", "since", "next")
"""What is filled in; whatever else stands in braces stays as it is."""


def words_for(phase: str, ticket: Ticket, *, language: str, since: str, next_in_min: int) -> str:
    """The words for a phase in a language: the site's own for the service, for all, or ours.

    `since` is a time as its reader writes it. An unknown phase has no words.
    """
    if phase not in Phase.values:
        return ""
    own = UpdateText.objects.filter(
        Q(service=ticket.service_id) | Q(service=None), phase=phase, language=language
    )
    # The service's own before those for all.
    found = own.order_by("service").values_list("text", flat=True).first()
    if found is None:
        with translation.override(language):
            found = gettext(SHIPPED[phase])
    values = {
        "service": ticket.service.name if ticket.service else ticket.key,
        "key": ticket.key,
        "since": since,
        "next": str(next_in_min),
    }
    for name in PLACES:
        found = found.replace(f"{{{name}}}", values[name])
    return found
