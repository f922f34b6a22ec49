"""Senders of alerts: making one, giving it a key, and knowing it again by that key."""

import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from roles import audit
from roles.instants import CLOCK, TimeSource, database_now
from roles.models import Person, Team
from roles.people import require
from roles.refusals import Conflict, Invalid
from roles.written import Written
from tickets.judging import with_policy
from tickets.models import AlertSource, Service

GIVEN = re.compile(r"[A-Za-z0-9_.+/=-]{20,200}")
"""A key that senders hold already, from the product that they were made for."""
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SECRET_LETTERS = LETTERS + LETTERS[:26].upper()
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
TOUCH_EVERY = timedelta(minutes=1)
PREFIX_CHARS = 12
KEY_CHARS_MAX = 200
SIGNING = "tierline.intake.signing"


@transaction.atomic
def create_source(
    *,
    slug: str,
    product: str,
    name: str = "",
    requester: Person | None = None,
    service: Service | None = None,
    team: Team | None = None,
    key: str = "",
    reads_directory: bool = False,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> tuple[AlertSource, str]:
    """The new source and its key, which is never shown again.

    Without a requester it gets a service account of its own, named after it. `key` is one that its
    senders hold already; without, one is made in the form of the product. Raises Forbidden,
    Conflict when the slug or key is taken, and Invalid with the fields `slug`, `product`, `key` or
    `requester`.
    """
    require(actor, "admin")
    _check(slug, product, requester)
    if AlertSource.objects.filter(slug=slug).exists():
        raise Conflict("slug_taken", f"There is a source named {slug} already.")
    plain = _fit_key(key) if key else _new_key(product)
    source = AlertSource.objects.create(
        slug=slug,
        name=name.strip() or slug,
        product=product,
        requester=requester or _service_account(slug, name),
        service=service,
        team=team,
        key_prefix=plain[:PREFIX_CHARS],
        key_digest=_digest(plain),
        reads_directory=reads_directory,
    )
    changes = {"product": product, "requester": source.requester.username}
    audit.record(actor=actor, action="source.created", subject=source, changes=changes, clock=clock)
    return source, plain


@transaction.atomic
def issue_key(
    *,
    source: AlertSource,
    key: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> str:
    """A new key for the source, or the given one; the one before ends at once.

    Raises Forbidden, and Invalid or Conflict for a given key that will not do.
    """
    require(actor, "admin")
    plain = _fit_key(key) if key else _new_key(source.product)
    locked = AlertSource.objects.select_for_update().get(pk=source.pk)
    locked.key_prefix = source.key_prefix = plain[:PREFIX_CHARS]
    locked.key_digest = source.key_digest = _digest(plain)
    locked.save(update_fields=["key_prefix", "key_digest"])
    audit.record(actor=actor, action="source.key_issued", subject=locked, clock=clock)
    return plain


def source_by_key(plain: str, *, product: str) -> AlertSource | None:
    """The active source of this product whose key it is, or None.

    It comes with its people, places, rules and windows, and the time of reading in `read_at`; one
    statement. It is found by the digest of the key, so how long that takes tells nothing of it.
    """
    if not plain or len(plain) > KEY_CHARS_MAX:
        return None
    return BY_DIGEST.first(digest=_digest(plain), product=product)


def _known(digest: str, product: str) -> QuerySet[AlertSource]:
    near = AlertSource.objects.select_related("requester__organisation", "service", "team")
    wanted = near.filter(key_digest=digest, is_active=True, product=product)
    return with_policy(wanted).annotate(read_at=CLOCK)


BY_DIGEST: Final = Written(_known, digest=str, product=str)


def read_at(source: AlertSource | None, clock: TimeSource = database_now) -> datetime:
    """When the source was read by its key, which has just been; for any other, what time it is."""
    return getattr(source, "read_at", None) or clock()


def signing_secret(source: AlertSource) -> str:
    """What a signing sender of this source must know; from the site's own key, kept nowhere."""
    return salted_hmac(SIGNING, f"{source.pk} {source.key_digest}", algorithm="sha256").hexdigest()


def note_use(source: AlertSource, now: datetime) -> None:
    """Remember when the source was last heard of; at most once a minute."""
    if source.last_seen_at is not None and source.last_seen_at > now - TOUCH_EVERY:
        return
    stale = Q(last_seen_at__isnull=True) | Q(last_seen_at__lte=now - TOUCH_EVERY)
    if AlertSource.objects.filter(stale, pk=source.pk).update(last_seen_at=now):
        source.last_seen_at = now


def _check(slug: str, product: str, requester: Person | None) -> None:
    problems: dict[str, str] = {}
    if not SLUG.fullmatch(slug):
        problems["slug"] = "Small letters, digits and hyphens, 64 at most."
    if product not in AlertSource.Product.values:
        problems["product"] = "Known products: " + ", ".join(AlertSource.Product.values)
    if requester is not None and not requester.is_active:
        problems["requester"] = f"{requester} is not active."
    if problems:
        raise Invalid("bad_source", "This source cannot be made.", problems)


def _service_account(slug: str, name: str) -> Person:
    """The account of that name; one is made without a password when there is none yet."""
    account, created = Person.objects.get_or_create(
        username=slug,
        defaults={"name": name.strip() or slug, "kind": Person.Kind.SERVICE},
    )
    if created:
        account.set_unusable_password()
        account.save(update_fields=["password"])
    elif account.kind != Person.Kind.SERVICE or not account.is_active:
        raise Conflict("name_taken", f"{slug} is somebody's account; name a service account.")
    return account


def _new_key(product: str) -> str:
    """In the shape that the product's senders expect: 32 characters, a UUID, or one of ours."""
    if product == AlertSource.Product.PAGERDUTY:
        return secrets.token_hex(16)
    if product == AlertSource.Product.OPSGENIE:
        return str(UUID(bytes=secrets.token_bytes(16), version=4))
    prefix = "".join(secrets.choice(LETTERS) for _ in range(9))
    secret = "".join(secrets.choice(SECRET_LETTERS) for _ in range(40))
    return f"ts_{prefix}_{secret}"


def _fit_key(key: str) -> str:
    """The given key. Raises Invalid when it could be guessed, Conflict when it is another's."""
    if not GIVEN.fullmatch(key):
        words = "20 to 200 letters, digits and . _ + / = -, as your senders hold it."
        raise Invalid("bad_key", "This key will not do.", {"key": words})
    if AlertSource.objects.filter(key_digest=_digest(key)).exists():
        raise Conflict("key_taken", "Another source has this key already.")
    return key


def _digest(plain: str) -> str:
    return sha256(plain.encode(errors="replace")).hexdigest()
