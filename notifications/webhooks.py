"""Hooks: which other systems may be called, under which name, and the secret that signs for us."""

import re
from base64 import b64encode
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from notifications.addresses import WEBHOOK, shown_address
from notifications.models import Hook
from notifications.outbound import Unsafe, place_of
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict, Invalid

CHANNEL: Final = WEBHOOK
ROTATION: Final = timedelta(hours=24)
"""How long the former secret signs beside the new one."""
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@transaction.atomic
def create_hook(
    *,
    slug: str,
    url: str,
    name: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> tuple[Hook, str]:
    """The new hook and its secret, which is shown only now.

    Raises Forbidden to anybody but administrators, Conflict when the slug or its account's name is
    taken, Invalid with the fields `slug` or `url`.
    """
    require(actor, "admin")
    problems = {} if SLUG.fullmatch(slug) else {"slug": "Small letters, digits and hyphens."}
    problems |= _problems_of(url)
    if problems:
        raise Invalid("bad_hook", "This hook cannot be made.", problems)
    username = f"hook-{slug}"
    if Hook.objects.filter(slug=slug).exists() or Person.objects.filter(username=username).exists():
        raise Conflict("slug_taken", f"There is a hook or an account named {slug} already.")
    account = Person(username=username, name=name.strip() or slug, kind=Person.Kind.SERVICE)
    account.set_unusable_password()
    account.save()
    hook = Hook.objects.create(
        slug=slug, name=account.name, url=url, account=account, nonce=token_hex(16)
    )
    changes = {"slug": slug, "url": leads_to(hook)}
    audit.record(actor=actor, action="hook.created", subject=hook, changes=changes, clock=clock)
    return hook, secret_of(hook)


@transaction.atomic
def change_hook(
    *,
    hook: Hook,
    name: str,
    url: str,
    is_active: bool,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Hook:
    """The hook with another name or address, or switched off or on. Raises Forbidden, Invalid."""
    require(actor, "admin")
    if problems := _problems_of(url):
        raise Invalid("bad_hook", "This hook cannot be saved.", problems)
    locked = Hook.objects.select_for_update().get(pk=hook.pk)
    before, led_to = audit.field_values(locked), leads_to(locked)
    locked.name, locked.url, locked.is_active = name.strip() or locked.slug, url, is_active
    locked.ended_because = "" if is_active else locked.ended_because
    locked.save(update_fields=["name", "url", "is_active", "ended_because"])
    changes = audit.differences(before, audit.field_values(locked))
    if "url" in changes:
        changes["url"] = [led_to, leads_to(locked)]
    if changes:
        audit.record(
            actor=actor, action="hook.changed", subject=locked, changes=changes, clock=clock
        )
    return locked


@transaction.atomic
def issue_secret(
    *, hook: Hook, actor: Person | None = None, clock: TimeSource = database_now
) -> str:
    """A new secret for the hook, shown only now; for a day the one before signs too.

    Raises Forbidden.
    """
    require(actor, "admin")
    locked = Hook.objects.select_for_update().get(pk=hook.pk)
    locked.former_nonce, locked.former_until = locked.nonce, clock() + ROTATION
    locked.nonce = token_hex(16)
    locked.save(update_fields=["nonce", "former_nonce", "former_until"])
    audit.record(actor=actor, action="hook.secret_issued", subject=locked, clock=clock)
    return secret_of(locked)


def secret_of(hook: Hook) -> str:
    """The signing secret, in the form that Standard Webhooks names (whsec_ and base64).

    It is derived from the site's own key and stands in no table: a dump of the database signs
    nothing. Another SECRET_KEY therefore means other secrets for all hooks.
    """
    return _derived(hook.slug, hook.nonce)


def secrets_of(hook: Hook, now: datetime) -> list[str]:
    """The secrets that sign at this moment: the present one, and while rotating the former."""
    found = [secret_of(hook)]
    if hook.former_nonce and hook.former_until and hook.former_until > now:
        found.append(_derived(hook.slug, hook.former_nonce))
    return found


def _derived(slug: str, nonce: str) -> str:
    digest = salted_hmac("tierline.hook", f"{slug}/{nonce}", algorithm="sha256").digest()
    return "whsec_" + b64encode(digest).decode()


def leads_to(hook: Hook) -> str:
    """Where the hook's address leads; all of it may be a right in itself, and is told to nobody."""
    return shown_address(CHANNEL, hook.url)


def hooks_by_slug() -> dict[str, Hook]:
    """Every hook that is switched on, by the name that policies use."""
    return {hook.slug: hook for hook in Hook.objects.filter(is_active=True)}


def _problems_of(url: str) -> dict[str, str]:
    try:
        place_of(url)
    except Unsafe as problem:
        return {"url": str(problem)}
    return {}
