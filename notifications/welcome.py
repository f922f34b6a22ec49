"""Invites people: an account, and a letter with a link that is good for one day and one use."""

from django.db import transaction

from notifications import phrases
from notifications.links import make_link, read_link, use_link
from notifications.models import Message
from notifications.outbox import Letter, enqueue
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.newcomers import add_person, choose_password
from roles.people import require
from roles.refusals import Conflict

WELCOME = "welcome"
BODY = f"{phrases.WELCOME_ACCOUNT}\n\n{phrases.WELCOME_BODY}"


@transaction.atomic
def invite_person(
    *,
    actor: Person,
    name: str,
    email: str,
    zone: str = "UTC",
    clock: TimeSource = database_now,
) -> tuple[Person, str]:
    """The newcomer, and the sign-in link that is also on its way by mail.

    Raises Forbidden, Invalid and Conflict as `add_person` does.
    """
    person = add_person(actor=actor, name=name, email=email, zone=zone, clock=clock)
    return person, _send(person, actor, clock)


@transaction.atomic
def invite_again(*, actor: Person, person: Person, clock: TimeSource = database_now) -> str:
    """A fresh link for somebody who has not signed in yet; raises Forbidden and Conflict."""
    require(actor, "admin")
    if person.has_usable_password():
        raise Conflict("has_password", f"{person} has a password already.")
    Message.objects.filter(recipient=person, kind=WELCOME, acted_at=None).update(acted_at=clock())
    return _send(person, actor, clock)


def _send(person: Person, actor: Person, clock: TimeSource) -> str:
    number = Message.objects.filter(recipient=person, kind=WELCOME).count() + 1
    letter = Letter(
        topic=f"person:{person.pk}",
        cause=f"welcome:{person.pk}:{number}",
        recipient_id=person.pk,
        kind=WELCOME,
        subject=phrases.WELCOME,
        body=BODY.format(actor=actor, username=person.username),
        urgency="low",
        data={"links": {WELCOME: phrases.WELCOME_LINK}},
    )
    (message,) = enqueue([letter], now=clock())
    return make_link(message, WELCOME, clock=clock)


def guest_of(token: str, clock: TimeSource = database_now) -> Person:
    """Who may choose a password by this link. Raises Invalid, and Conflict once it was used."""
    claim = read_link(token, clock, action=WELCOME)
    if claim.used:
        raise Conflict("link_used", "This link has been used already.")
    return Person.objects.get(pk=claim.person_id)


@transaction.atomic
def accept(*, token: str, password: str, clock: TimeSource = database_now) -> Person:
    """The guest with the chosen password; the link is spent. Raises Invalid and Conflict."""
    claim = use_link(token, clock, action=WELCOME)
    person = Person.objects.get(pk=claim.person_id)
    return choose_password(person=person, password=password, clock=clock)
