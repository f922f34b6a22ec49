"""Makes accounts for newcomers: the very first administrator, and people who are invited."""

import re
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.dispatch import Signal

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict, Forbidden, Invalid

LOCK: Final = 0x6669_7273  # one first administrator, whoever asks at the same time
password_set: Final = Signal()
"""Sent when somebody (`person`) has another password than before, with who chose it (`by`)."""
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_.+-]+")


def is_untouched() -> bool:
    """Whether nobody has an account on this site yet."""
    return not Person.objects.exists()


@transaction.atomic
def make_first_administrator(
    *, name: str, email: str, password: str, zone: str = "UTC", clock: TimeSource = database_now
) -> Person:
    """The administrator of a site on which nobody has an account yet.

    The caller has checked the set-up link. Raises Forbidden on any other site, Invalid with the
    fields name, email or password.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if not is_untouched():
        raise Forbidden("not_empty", "This site has accounts already. Sign in.")
    person = _new(name, email, zone)
    person.is_superuser = person.is_staff = True
    _choose(person, password)
    person.save()
    audit.record(actor=person, action="person.first", subject=person, clock=clock)
    return person


@transaction.atomic
def add_person(
    *,
    actor: Person | None,
    name: str,
    email: str,
    zone: str = "UTC",
    clock: TimeSource = database_now,
) -> Person:
    """An account without a password, for somebody who is invited.

    Raises Forbidden, Invalid with the fields name or email, Conflict for an address that somebody
    has already.
    """
    require(actor, "admin")
    person = _new(name, email, zone)
    person.set_unusable_password()
    person.save()
    audit.record(
        actor=actor,
        action="person.invited",
        subject=person,
        changes={"email": person.email},
        clock=clock,
    )
    return person


@transaction.atomic
def choose_password(*, person: Person, password: str, clock: TimeSource = database_now) -> Person:
    """The person with a password of their own; raises Invalid for a weak one.

    The caller has proved who it is.
    """
    locked = Person.objects.select_for_update().get(pk=person.pk)
    had_one = locked.has_usable_password()
    _choose(locked, password)
    locked.save(update_fields=["password"])
    changes = {"password": ["***", "***"]}
    audit.record(
        actor=locked, action="person.password", subject=locked, changes=changes, clock=clock
    )
    if had_one:
        password_set.send(Person, person=locked, by=locked, clock=clock)
    return locked


def _new(name: str, email: str, zone: str) -> Person:
    """A valid account that has not been saved."""
    name, email = name.strip(), email.strip()
    wrong = {}
    if not name or len(name) > 200 or "\x00" in name:
        wrong["name"] = "As it is shown to other people."
    try:
        validate_email(email)
    except ValidationError:
        wrong["email"] = "This is no e-mail address."
    if wrong:
        raise Invalid("bad_person", "Something is missing.", wrong)
    if Person.objects.filter(email__iexact=email).exists():
        raise Conflict("known", "Somebody has this address already.", {"email": "Known already."})
    normal = Person.objects.normalize_email(email)
    return Person(username=_free_username(email), name=name, email=normal, zone=zone)


def _free_username(email: str) -> str:
    """The part before the @, with a number when somebody has it."""
    wanted = _NOT_PLAIN.sub("-", email.partition("@")[0]).strip("-")[:100] or "person"
    known = {
        username.lower()
        for username in Person.objects.filter(username__istartswith=wanted).values_list(
            "username", flat=True
        )
    }
    numbered = (f"{wanted}{number}" for number in range(2, len(known) + 3))
    return next(name for name in (wanted, *numbered) if name.lower() not in known)


def _choose(person: Person, password: str) -> None:
    try:
        validate_password(password, person)
    except ValidationError as weak:
        raise Invalid(
            "weak", "Choose another password.", {"password": " ".join(weak.messages)}
        ) from None
    person.set_password(password)
