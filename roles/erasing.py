"""Erases a person: who it was goes, what happened stays, told of a pseudonym from then on.

The rows of a person stand in many tables, and history refers to most of them. The account keeps
its number; its name, addresses and ways in are gone. Other floors register what they hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from roles import audit
from roles.calendarlinks import revoke_link
from roles.instants import TimeSource, database_now
from roles.models import (
    ApiToken,
    CalendarLink,
    DutyAssignment,
    Membership,
    Person,
    Team,
)
from roles.people import forget_roles, require
from roles.refusals import Conflict, Invalid
from roles.tokens import revoke

REASON_MAX = 500


@dataclass(frozen=True)
class Part:
    """What one floor holds of a person: how it is called, and the function that erases it.

    The function takes the person as they were, `words` (whether what they wrote goes too) and
    `now`, and returns how many rows it touched.
    """

    label: str
    erase: Callable[..., int]


@dataclass(frozen=True)
class Erased:
    """What an erasure touched, by the label of each part; parts that held nothing are left out."""

    person: Person
    touched: dict[str, int]


PARTS: list[Part] = []


def register_part(label: str, erase: Callable[..., int]) -> None:
    """Have what a floor holds of people erased with them."""
    PARTS.append(Part(label, erase))


class _Undone(Exception):
    """Takes back an erasure that was only looked at."""


def preview_erasure(
    *, person: Person, words: bool, actor: Person | None, clock: TimeSource = database_now
) -> dict[str, int]:
    """What erasing would touch, by part; nothing of it stays. Raises Forbidden and Conflict."""
    touched: dict[str, int] = {}
    try:
        with transaction.atomic():
            found = erase_person(
                person=person, words=words, reason="looked at", actor=actor, clock=clock
            )
            touched = found.touched
            raise _Undone
    except _Undone:
        person.refresh_from_db()
        return touched


@transaction.atomic
def erase_person(
    *,
    person: Person,
    words: bool = False,
    reason: str,
    actor: Person | None,
    clock: TimeSource = database_now,
) -> Erased:
    """Replace who somebody was by a pseudonym, everywhere it may be; it cannot be taken back.

    `words` takes along what they wrote on tickets. Raises Forbidden, Invalid without a reason,
    Conflict for an account that is still switched on or serves, and for one erased already.
    """
    require(actor, "admin")
    if not reason.strip():
        raise Invalid("reason", "Say why.", {"reason": "Say why: it is kept in the audit."})
    locked = Person.objects.select_for_update().get(pk=person.pk)
    _check(locked)
    now = clock()
    touched = {part.label: part.erase(person=locked, words=words, now=now) for part in PARTS}
    touched["tokens and calendar links"] = _end_keys(locked, actor, clock)
    _become_nobody(locked)
    audit.record(
        actor=actor,
        action="person.erased",
        subject=locked,
        changes={"words": words},
        reason=reason.strip()[:REASON_MAX],
        clock=clock,
    )
    person.__dict__.update(locked.__dict__)
    forget_roles(person)
    return Erased(locked, {label: count for label, count in touched.items() if count})


def pseudonym_of(person: Person) -> str:
    """The user name that stands for somebody who was erased."""
    return f"erased-{person.pk}"


def _check(person: Person) -> None:
    if is_erased(person):
        raise Conflict("erased", "This person has been erased already.")
    if person.is_active:
        raise Conflict("active", "Switch the account off first: whoever works here is not erased.")
    if any(rows.exists() for rows in _places(person)):
        raise Conflict(
            "serves", "Take the person out of teams and duties first: somebody else must serve."
        )


def _places(person: Person) -> list[QuerySet[Any]]:
    return [
        Membership.objects.filter(person=person),
        DutyAssignment.objects.filter(person=person),
        Team.objects.filter(Q(lead=person) | Q(manager=person)),
    ]


def _end_keys(person: Person, actor: Person | None, clock: TimeSource) -> int:
    tokens = ApiToken.objects.filter(person=person, revoked_at__isnull=True)
    links = CalendarLink.objects.filter(person=person, revoked_at__isnull=True)
    ended = 0
    for token in tokens:
        revoke(token=token, actor=actor, clock=clock)
        ended += 1
    for link in links:
        revoke_link(link=link, actor=actor, clock=clock)
        ended += 1
    return ended


def _become_nobody(person: Person) -> None:
    person.username, person.name = pseudonym_of(person), f"Erased person {person.pk}"
    person.email = person.phone = ""
    person.organisation = None
    person.is_vip = person.is_staff = person.is_superuser = False
    person.last_login = None
    person.set_unusable_password()
    person.save(
        update_fields=[
            *("username", "name", "email", "phone", "organisation", "is_vip", "is_staff"),
            *("is_superuser", "last_login", "password"),
        ]
    )


def is_erased(person: Person) -> bool:
    """Whether only a pseudonym is left."""
    return person.username == pseudonym_of(person)
