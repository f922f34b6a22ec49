"""Senders of alerts: making one, giving it a key, and knowing it again by that key."""

import hmac
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Q

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.people import require
from roles.refusals import Conflict, Invalid
from tickets.models import AlertSource, Service

PLAIN = re.compile(r"ts_([a-z0-9]{9})_([a-zA-Z0-9]{40})")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SECRET_LETTERS = LETTERS + LETTERS[:26].upper()
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
TOUCH_EVERY = timedelta(minutes=1)
NO_DIGEST = "0" * 64


@transaction.atomic
def create_source(
    *,
    slug: str,
    product: str,
    name: str = "",
    requester: Person | None = None,
    service: Service | None = None,
    team: Team | None = None,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> tuple[AlertSource, str]:
    """The new source and its key, which is never shown again.

    Without a requester it gets a service account of its own, named after it. Raises Forbidden,
    Conflict when the slug is taken, and Invalid with the fields `slug`, `product` or `requester`.
    """
    require(actor, "admin")
    _check(slug, product, requester)
    if AlertSource.objects.filter(slug=slug).exists():
        raise Conflict("slug_taken", f"There is a source named {slug} already.")
    plain = _new_key()
    source = AlertSource.objects.create(
        slug=slug,
        name=name.strip() or slug,
        product=product,
        requester=requester or _service_account(slug, name),
        service=service,
        team=team,
        key_prefix=_prefix(plain),
        key_digest=_digest(plain),
    )
    changes = {"product": product, "requester": source.requester.username}
    audit.record(actor=actor, action="source.created", subject=source, changes=changes, clock=clock)
    return source, plain


@transaction.atomic
def issue_key(
    *, source: AlertSource, actor: Person | None = None, clock: TimeSource = database_now
) -> str:
    """A new key for the source, which is never shown again; the one before ends at once.

    Raises Forbidden.
    """
    require(actor, "admin")
    plain = _new_key()
    locked = AlertSource.objects.select_for_update().get(pk=source.pk)
    locked.key_prefix = source.key_prefix = _prefix(plain)
    locked.key_digest = source.key_digest = _digest(plain)
    locked.save(update_fields=["key_prefix", "key_digest"])
    audit.record(actor=actor, action="source.key_issued", subject=locked, clock=clock)
    return plain


def source_by_key(plain: str, *, product: str) -> AlertSource | None:
    """The active source of this product whose key it is, with its people and places, or None.

    Takes the same time for a wrong secret as for an unknown prefix.
    """
    source = None
    if PLAIN.fullmatch(plain):
        known = AlertSource.objects.select_related("requester__organisation", "service", "team")
        source = known.filter(key_prefix=_prefix(plain)).first()
    matches = hmac.compare_digest(source.key_digest if source else NO_DIGEST, _digest(plain))
    if source is None or not matches or not source.is_active or source.product != product:
        return None
    return source


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


def _new_key() -> str:
    prefix = "".join(secrets.choice(LETTERS) for _ in range(9))
    secret = "".join(secrets.choice(SECRET_LETTERS) for _ in range(40))
    return f"ts_{prefix}_{secret}"


def _prefix(plain: str) -> str:
    return plain[:12]


def _digest(plain: str) -> str:
    return sha256(plain.encode()).hexdigest()
