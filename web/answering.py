"""Acts that come back from a message: a pressed button, a reply by text, a key on the phone."""

from django.db import transaction

from notifications.links import LinkClaim, make_token, read_link, use_link
from notifications.models import Message
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Invalid
from tickets.assignment import acknowledge, take
from tickets.models import Ticket

ACTS = {"acknowledge": acknowledge, "take": take}
DONE = {"acknowledge": "Acknowledged: {key}. Paging has stopped.", "take": "{key} is yours."}


def act_by_token(
    token: str,
    act: str,
    *,
    via: str,
    presser: Person | None = None,
    clock: TimeSource = database_now,
) -> str:
    """Do what a button says, as the person whom its message was for; what to answer them.

    `presser` is who the product says pressed it: nobody presses another's button. Raises Invalid
    for a token that is none or an unknown act, Conflict where it was used, Forbidden.
    """
    if act not in ACTS:
        raise Invalid("unknown_act", "This button does nothing here.")
    claim = read_link(token, clock)
    if presser is not None and presser.pk != claim.person_id:
        raise Invalid("not_yours", "This page was meant for somebody else.")
    person, ticket = meant_by(claim)
    with transaction.atomic():
        use_link(token, clock)
        ACTS[act](ticket=ticket, actor=person, clock=clock, via=via)
    return DONE[act].format(key=ticket.key)


def act_by_reply(found: Message, *, clock: TimeSource = database_now) -> str:
    """Acknowledge what a text message answers, and what to say back.

    Raises Conflict where it was acknowledged already, and what the act refuses.
    """
    token = make_token(found, clock=clock)
    return act_by_token(token, "acknowledge", via="sms", clock=clock)


def meant_by(claim: LinkClaim) -> tuple[Person, Ticket]:
    """The person and the ticket that a link names, as far as that person may see it.

    Raises Ticket.DoesNotExist.
    """
    person = Person.objects.get(pk=claim.person_id)
    kind, _, number = claim.topic.partition(":")
    pk = int(number) if kind == "ticket" and number.isdigit() else 0
    seen = Ticket.objects.visible_to(person).select_related("team__tier", "acknowledged_by")
    return person, seen.get(pk=pk)
