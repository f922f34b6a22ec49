"""New passwords: a link for whoever forgot theirs, and word to whoever has another one now."""

from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from notifications import phrases
from notifications.links import read_link, use_link
from notifications.models import Message
from notifications.outbox import Letter, enqueue
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.newcomers import choose_password
from roles.refusals import Conflict, Invalid

RESET: Final = "reset"
CHANGED: Final = "password"
MAIL: Final = "email"
"""A link goes to nobody but the account's own mailbox, whatever its person's rules say."""
MOST_AN_HOUR: Final = 3


@transaction.atomic
def ask_reset(*, called: str, clock: TimeSource = database_now) -> int:
    """Send a link to everybody of this user name or e-mail address; how many letters that were.

    The caller tells nobody the number: whether somebody has an account is nobody's business.
    Whoever has no password, as programs and those who were only invited, gets none by this.
    """
    named = Q(username__iexact=called) | Q(email__iexact=called)
    meant = Person.objects.filter(named, is_active=True).exclude(email="").order_by("pk")
    people = [each for each in meant.select_for_update() if each.has_usable_password()]
    return sum(_send(person, clock) for person in people)


def _send(person: Person, clock: TimeSource) -> bool:
    now = clock()
    letters = Message.objects.filter(recipient=person, kind=RESET)
    recent = letters.filter(created_at__gt=now - timedelta(hours=1)).count()
    if recent >= MOST_AN_HOUR:
        return False
    letter = Letter(
        topic=f"person:{person.pk}",
        cause=f"reset:{person.pk}:{letters.count() + 1}",
        recipient_id=person.pk,
        kind=RESET,
        channel=MAIL,
        subject=phrases.RESET,
        body=phrases.RESET_BODY.format(username=person.username),
        data={"links": {RESET: phrases.RESET_LINK}},
    )
    enqueue([letter], now=now)
    return True


def owner_of(token: str, clock: TimeSource = database_now) -> Person:
    """Who may choose a new password by this link. Raises Invalid, and Conflict once it was used."""
    claim = read_link(token, clock, action=RESET)
    if claim.used:
        raise Conflict("link_used", "This link has been used already.")
    return Person.objects.get(pk=claim.person_id)


@transaction.atomic
def reset_password(*, token: str, password: str, clock: TimeSource = database_now) -> Person:
    """The person with the new password; the link, and every other one, is spent.

    Raises Invalid for a weak password or a link that is none of ours, Conflict for a spent one.
    """
    claim = use_link(token, clock, action=RESET)
    person = Person.objects.get(pk=claim.person_id)
    return choose_password(person=person, password=password, clock=clock)


@transaction.atomic
def change_password(
    *, actor: Person, current: str, password: str, clock: TimeSource = database_now
) -> Person:
    """One's own password, by whoever knows the present one; raises Invalid by field."""
    locked = Person.objects.select_for_update().get(pk=actor.pk)
    if not locked.check_password(current):
        wrong = "This is not your password."
        raise Invalid("wrong_password", wrong, {"current": wrong})
    return choose_password(person=locked, password=password, clock=clock)


def tell_changed(sender: object, *, person: Person, by: Person, **more: Any) -> None:
    """Tell somebody by mail that they have another password; links for yet another one end."""
    clock: TimeSource = more.get("clock") or database_now
    now = clock()
    Message.objects.filter(recipient=person, kind=RESET, acted_at=None).update(acted_at=now)
    if not person.email:
        return
    number = Message.objects.filter(recipient=person, kind=CHANGED).count() + 1
    body = phrases.CHANGED_BODY
    if by != person:
        body = f"{phrases.CHANGED_BY.format(actor=by)}\n\n{body}"
    letter = Letter(
        topic=f"person:{person.pk}",
        cause=f"password:{person.pk}:{number}",
        recipient_id=person.pk,
        kind=CHANGED,
        channel=MAIL,
        subject=phrases.CHANGED,
        body=body,
    )
    enqueue([letter], now=now)
