"""Whose account in a chat is whose: proved by a code that this person writes there.

The code names the person and the minute under 128 bits of HMAC. It is good for a quarter of an hour
and once: whoever reads it in the chat afterwards cannot use it.
"""

import hmac
import re
from base64 import b32encode
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from notifications.models import ContactMethod
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid

TEAMS_ACCOUNT: Final = "teams_account"
"""Kept like an address and proved like one, but nothing is sent there: it tells who speaks."""
GOOD_FOR: Final = timedelta(minutes=15)
_SALT: Final = "notifications.accounts"
_CODE: Final = re.compile(r"([1-9][0-9]{0,17})-([0-9]{10})-([a-z2-7]{26})")


def connect_code(*, person: Person, channel: str, clock: TimeSource = database_now) -> str:
    """What the person writes in that chat within a quarter of an hour."""
    made_s = int(clock().timestamp())
    return f"{person.pk}-{made_s:010d}-{_mac(channel, person.pk, made_s)}"


def connect(*, channel: str, address: str, code: str, clock: TimeSource = database_now) -> Person:
    """The person whose account this is from now on, in the place of any before.

    `address` is the account as the product itself has named it. Raises Invalid for a code that is
    none, too old or used, and Conflict for an account that is another person's.
    """
    found = _CODE.fullmatch(code.strip().lower())
    if found is None:
        raise _bad()
    person_id, made_s = int(found[1]), int(found[2])
    made_at, now = datetime.fromtimestamp(made_s, UTC), clock()
    is_genuine = any(
        hmac.compare_digest(_mac(channel, person_id, made_s, secret), found[3])
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )
    if not is_genuine or not made_at - timedelta(minutes=1) <= now <= made_at + GOOD_FOR:
        raise _bad()
    with transaction.atomic():
        return _keep(person_id, channel, address, made_at, clock)


def _keep(
    person_id: int, channel: str, address: str, made_at: datetime, clock: TimeSource
) -> Person:
    locked = Person.objects.select_for_update(of=("self",)).filter(pk=person_id, is_active=True)
    person = locked.first()
    held = ContactMethod.objects.filter(channel=channel)
    if person is None or held.filter(person=person, verified_at__gte=made_at).exists():
        raise _bad()
    if held.filter(address=address, verified_at__isnull=False).exclude(person=person).exists():
        raise Conflict("taken", "This account is somebody else's in Tierline.")
    held.filter(person=person).delete()
    ContactMethod.objects.create(
        person=person, channel=channel, address=address, verified_at=clock()
    )
    audit.record(
        actor=person,
        action="contact_method.proved",
        subject=person,
        changes={"channel": channel, "address": address},
        clock=clock,
    )
    return person


def _bad() -> Invalid:
    return Invalid("bad_code", "This code is not good any more: see “How you are told”.")


def _mac(channel: str, person_id: int, made_s: int, secret: str | None = None) -> str:
    said = f"{channel}:{person_id}:{made_s}"
    digest = salted_hmac(_SALT, said, secret=secret, algorithm="sha256").digest()[:16]
    return b32encode(digest).decode().rstrip("=").lower()
