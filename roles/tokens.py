"""Issues, checks and revokes API tokens; the secret is shown once and only its digest kept."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from roles import audit
from roles.instants import CLOCK, TimeSource, database_now
from roles.models import ApiToken, Person
from roles.models.tokens import Scope
from roles.people import require
from roles.refusals import Invalid
from roles.rows import end_row
from roles.written import Written

PLAIN = re.compile(r"tl_([a-z0-9]{10})_([A-Za-z0-9]{43})")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SECRET_LETTERS = LETTERS + LETTERS[:26].upper()
TOUCH_EVERY = timedelta(minutes=1)
NO_DIGEST = "0" * 64
BY_PREFIX = Written(
    lambda prefix: (
        ApiToken.objects.select_related("person__organisation")
        .filter(prefix=prefix)
        .annotate(read_at=CLOCK)
    ),
    prefix=str,
)


@transaction.atomic
def issue(
    *,
    person: Person,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> tuple[ApiToken, str]:
    """The new token and its plain text `tl_<prefix>_<secret>`, which is never shown again.

    People issue tokens for themselves; for a program's account it takes an administrator, who
    would else read under another person's name what only that person may know. Raises Forbidden,
    and Invalid with the fields `person`, `name`, `scopes` or `expires_at`.
    """
    if actor is None or actor.pk != person.pk:
        require(actor, "admin")
    if actor is not None and actor.pk != person.pk and person.kind != Person.Kind.SERVICE:
        sentence = "People make their own tokens; choose the account of a program."
        raise Invalid("not_theirs", "This token cannot be issued.", {"person": sentence})
    wanted = sorted(set(scopes))
    now = clock()
    _check(person, name, wanted, expires_at, now)
    prefix, secret = _letters(LETTERS, 10), _letters(SECRET_LETTERS, 43)
    plain = f"tl_{prefix}_{secret}"
    token = ApiToken.objects.create(
        person=person,
        name=name.strip(),
        prefix=prefix,
        digest=_digest(plain),
        scopes=wanted,
        created_at=now,
        expires_at=expires_at,
    )
    changes = {"person": person.username, "scopes": wanted, "expires_at": expires_at}
    audit.record(actor=actor, action="token.issued", subject=token, changes=changes, clock=clock)
    return token, plain


def authenticate(plain: str, clock: TimeSource = database_now) -> ApiToken | None:
    """The token with its person, or None when it is unknown, expired, revoked or orphaned.

    Takes the same time for a wrong secret as for an unknown prefix. Notes the use at most once
    a minute.
    """
    shape = PLAIN.fullmatch(plain)
    token = _by_prefix(shape[1]) if shape else None
    matches = hmac.compare_digest(token.digest if token else NO_DIGEST, _digest(plain))
    if token is None or not matches or not token.person.is_active:
        return None
    now: datetime = token.read_at if clock is database_now else clock()
    if token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= now):
        return None
    _touch(token, now)
    return token


@transaction.atomic
def revoke(
    *,
    token: ApiToken,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> ApiToken:
    """The token, useless from now on. Raises Forbidden, and Conflict when it was so already."""
    return end_row(token, word="token", reason=reason, actor=actor, clock=clock)


def _by_prefix(prefix: str) -> Any:
    """The token with its person, and the time of reading in `read_at`."""
    return BY_PREFIX.first(prefix=prefix)


def _touch(token: ApiToken, now: datetime) -> None:
    """Note the use; the condition lets only one of many requests of a minute write."""
    if token.last_used_at is not None and token.last_used_at > now - TOUCH_EVERY:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - TOUCH_EVERY)
    if ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now):
        token.last_used_at = now


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def _letters(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))


def _check(
    person: Person, name: str, scopes: list[str], expires_at: datetime | None, now: datetime
) -> None:
    problems: dict[str, str] = {}
    if not person.is_active:
        problems["person"] = f"{person} is not active."
    if not name.strip() or len(name) > 200:
        problems["name"] = "Say in 1 to 200 characters where the token is used."
    if unknown := [scope for scope in scopes if scope not in Scope.values]:
        known = ", ".join(Scope.values)
        problems["scopes"] = f"Unknown: {', '.join(unknown)}. Known scopes: {known}."
    elif not scopes:
        problems["scopes"] = "Name at least one scope."
    if expires_at is not None and expires_at.tzinfo is None:
        problems["expires_at"] = "Give the time with its zone."
    elif expires_at is not None and expires_at <= now:
        problems["expires_at"] = "That time has passed already."
    if problems:
        raise Invalid("bad_token", "This token cannot be issued.", problems)
