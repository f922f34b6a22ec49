"""Addresses that take in mail: making one, giving it a key, and knowing it again by that key."""

import hmac
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.people import require
from roles.refusals import Conflict, Invalid
from tickets.models import AlertSource, MailSource, Service

SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
PLAIN: Final = re.compile(r"tm_[0-9a-f]{9}_[0-9a-f]{40}")
NO_DIGEST: Final = "0" * 64
TOUCH_EVERY: Final = timedelta(minutes=1)


@transaction.atomic
def create_mail_source(
    *,
    slug: str,
    address: str,
    name: str = "",
    team: Team | None = None,
    service: Service | None = None,
    unknown: str = MailSource.Unknown.HOLD,
    monitor: AlertSource | None = None,
    hourly_limit: int = 60,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> tuple[MailSource, str]:
    """The new address and its key, which is never shown again.

    Raises Forbidden, Conflict when slug or address are taken, Invalid with the fields at fault.
    """
    require(actor, "admin")
    address = address.strip().lower()
    _check(slug, address, unknown)
    plain = _new_key()
    source = MailSource.objects.create(
        slug=slug,
        name=name.strip() or slug,
        address=address,
        team=team,
        service=service,
        unknown=unknown,
        monitor=monitor,
        hourly_limit=hourly_limit,
        key_prefix=plain[:12],
        key_digest=_digest(plain),
    )
    changes = {"address": address, "unknown": unknown}
    audit.record(
        actor=actor, action="mailsource.created", subject=source, changes=changes, clock=clock
    )
    return source, plain


@transaction.atomic
def issue_mail_key(
    *, source: MailSource, actor: Person | None = None, clock: TimeSource = database_now
) -> str:
    """A new key for the address, never shown again; the one before ends at once."""
    require(actor, "admin")
    plain = _new_key()
    locked = MailSource.objects.select_for_update(of=("self",)).get(pk=source.pk)
    locked.key_prefix, locked.key_digest = plain[:12], _digest(plain)
    locked.save(update_fields=["key_prefix", "key_digest"])
    audit.record(actor=actor, action="mailsource.key_issued", subject=locked, clock=clock)
    return plain


def mail_source_by_key(plain: str) -> MailSource | None:
    """The active address whose key it is, or None; in the same time for any wrong key."""
    source = None
    if PLAIN.fullmatch(plain):
        known = MailSource.objects.select_related("team", "service", "monitor")
        source = known.filter(key_prefix=plain[:12]).first()
    matches = hmac.compare_digest(source.key_digest if source else NO_DIGEST, _digest(plain))
    return source if source is not None and matches and source.is_active else None


def note_mail(source: MailSource, now: datetime) -> None:
    """Remember when the address last got something; at most once a minute."""
    if source.last_seen_at is None or source.last_seen_at <= now - TOUCH_EVERY:
        MailSource.objects.filter(pk=source.pk).update(last_seen_at=now)
        source.last_seen_at = now


def _check(slug: str, address: str, unknown: str) -> None:
    problems: dict[str, str] = {}
    if not SLUG.fullmatch(slug):
        problems["slug"] = "Small letters, digits and hyphens, 64 at most."
    try:
        validate_email(address)
    except ValidationError:
        problems["address"] = "This is no e-mail address."
    if unknown not in MailSource.Unknown.values:
        problems["unknown"] = "Choose one of: " + ", ".join(MailSource.Unknown.values)
    if problems:
        raise Invalid("bad_source", "This address cannot be made.", problems)
    if MailSource.objects.filter(slug=slug).exists():
        raise Conflict("slug_taken", f"There is a mail source named {slug} already.")
    if MailSource.objects.filter(address=address).exists():
        raise Conflict("address_taken", f"{address} is taken in already.")


def _new_key() -> str:
    token = secrets.token_hex(25)
    return f"tm_{token[:9]}_{token[9:49]}"


def _digest(plain: str) -> str:
    return sha256(plain.encode()).hexdigest()
