"""How an act calls its domain function, and the words for what came of several tickets."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import ngettext

from roles.models import Person
from tickets.models import Ticket


def does(
    function: Callable[..., object], **renamed: str
) -> Callable[[Ticket, Person, Mapping[str, Any]], object]:
    """The domain function, given the form's answers; `renamed` are its names for some of them."""

    def perform(ticket: Ticket, person: Person, data: Mapping[str, Any]) -> None:
        given = {renamed.get(name, name): value for name, value in data.items()}
        function(ticket=ticket, actor=person, **given)

    return perform


def resolved_words(done: int, left: Mapping[str, str]) -> str:
    """What is said after a ticket has been resolved with those that hang on it."""
    told = ngettext(
        "Resolved, and %(done)d ticket with it.", "Resolved, and %(done)d tickets with it.", done
    ) % {"done": done}
    return " ".join([told, *(f"{key}: {why}" for key, why in left.items())])
