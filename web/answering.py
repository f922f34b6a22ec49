"""Acts that come back from a message: a pressed button, a reply by text, a key on the phone."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.links import LinkClaim, make_token, person_of, read_link, use_link
from notifications.models import Message
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid, Refused
from tickets.assignment import acknowledge, take
from tickets.models import Ticket
from web.retold import retold

AT_ONCE: Final = timedelta(minutes=1)
"""So close together a page and a move are of one step."""
ACTS: Final = {"acknowledge": acknowledge, "take": take}
DONE: Final = {
    "acknowledge": gettext_lazy("Acknowledged: %(key)s. Paging has stopped."),
    "take": gettext_lazy("%(key)s is yours."),
}
VEILED: Final = {
    "acknowledge": gettext_lazy("Acknowledged. Paging for it stops."),
    "take": gettext_lazy("It is yours."),
}


def in_words_of(person: Person | None) -> AbstractContextManager[None]:
    """While it lasts, words are in this person's language; in the site's where nobody is known."""
    return translation.override(person.language if person else settings.LANGUAGE_CODE)


def unknown() -> str:
    """What whoever answers nothing that is known here is told."""
    return _("Tierline does not know what this answers. Please open the ticket.")


def act_by_token(
    token: str,
    act: str,
    *,
    via: str,
    presser: Person | None = None,
    clock: TimeSource = database_now,
) -> str:
    """Do what a button says, as the person whom its message was for; what to answer them.

    `presser` is who the product says pressed it: nobody presses another's button. The answer is in
    the language of whoever is known; a refusal is an answer too.
    """
    with in_words_of(presser or person_of(token)):
        try:
            return _act(token, act, via=via, presser=presser, clock=clock)
        except Refused as refused:
            return retold(refused.detail)
        except Ticket.DoesNotExist:
            return unknown()


def _act(token: str, act: str, *, via: str, presser: Person | None, clock: TimeSource) -> str:
    if act not in ACTS:
        raise Invalid("unknown_act", _("This button does nothing here."))
    claim = read_link(token, clock)
    if presser is not None and presser.pk != claim.person_id:
        raise Invalid("not_yours", _("This page was meant for somebody else."))
    person, ticket = meant_by(claim)
    require_current(claim, ticket)
    with transaction.atomic():
        use_link(token, clock)
        ACTS[act](ticket=ticket, actor=person, clock=clock, via=via)
    # The message did not say which case it is about, and what answers it does not either.
    return str(VEILED[act] if ticket.restricted else DONE[act]) % {"key": ticket.key}


def require_current(claim: LinkClaim, ticket: Ticket) -> None:
    """Raise Conflict for a page about an earlier stay of the ticket.

    Whoever has it now was paged anew, and an answer to what is over must not stop that.
    """
    if ticket.entered_at is not None and claim.told_at < ticket.entered_at - AT_ONCE:
        words = _("The ticket has moved on since this page. Please open it.")
        raise Conflict("page_over", words)


def act_by_reply(found: Message, *, clock: TimeSource = database_now) -> str:
    """Acknowledge what a text message answers, and what to say back."""
    token = make_token(found, clock=clock)
    return act_by_token(token, "acknowledge", via="sms", clock=clock)


def meant_by(claim: LinkClaim) -> tuple[Person, Ticket]:
    """The person and the ticket that a link names, as far as that person may see it.

    Raises Ticket.DoesNotExist.
    """
    person = Person.objects.get(pk=claim.person_id)
    kind, _colon, number = claim.topic.partition(":")
    pk = int(number) if kind == "ticket" and number.isdigit() else 0
    seen = Ticket.objects.visible_to(person).select_related("team__tier", "acknowledged_by")
    return person, seen.get(pk=pk)
