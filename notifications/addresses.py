"""Where messages go: the address of each recipient on its channel, as it stands at send time."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

import orjson

from notifications.accounts import TEAMS_ACCOUNT
from notifications.models import SECRET_CHANNELS, ContactMethod, Hook, Message
from notifications.sealed import is_sealed

WEBHOOK: Final = "webhook"
SECRET: Final = frozenset({*SECRET_CHANNELS, WEBHOOK})
ENDING: Final = 4
LOST: Final = "sealed under a key that this site no longer has"


def addresses_of(messages: Sequence[Message]) -> dict[int, str]:
    """Return the address for each message by its id, "" where there is none; one query for all.

    Hooks take one more: their address stands with them and nowhere else.
    Only verified addresses are used, an older one before a newer; on e-mail the person's own
    address serves when no contact method does. A message that names its contact method goes
    there and nowhere else, verified or not: that is how a code reaches an address. One that the
    site's key does not open is none.
    """
    methods = ContactMethod.objects.filter(
        person__in={message.recipient_id for message in messages}, is_active=True
    )
    chosen: dict[tuple[int, str], str] = _hook_addresses(messages)
    named: dict[int, str] = {}
    for method in methods.order_by("verified_at", "id"):
        if is_sealed(method.address):
            continue
        named[method.pk] = method.address
        if method.channel != WEBHOOK and method.verified_at is not None:
            chosen.setdefault((method.person_id, method.channel), method.address)
    return {
        message.pk: named.get(message.data["method"], "")
        if "method" in message.data
        else chosen.get((message.recipient_id, message.channel)) or _own_address(message)
        for message in messages
    }


def usable_channels(person_ids: Iterable[int]) -> dict[int, set[str]]:
    """The channels on which each person has a verified address, their own mail apart; one query."""
    found: dict[int, set[str]] = {person_id: set() for person_id in person_ids}
    methods = ContactMethod.objects.filter(
        person__in=found, is_active=True, verified_at__isnull=False
    )
    for person_id, channel in methods.values_list("person_id", "channel"):
        found[person_id].add(channel)
    return found


def shown_address(channel: str, address: str) -> str:
    """The address as it may be shown and kept in records.

    Of one that is itself the right to write there (a chat's webhook, a browser's subscription, an
    address of Apprise with its password) only where it leads, and how it ends.
    """
    if channel == TEAMS_ACCOUNT:
        return f"…{address[-8:]}"  # a long number that nobody knows by heart
    if is_sealed(address):
        return LOST
    if channel not in SECRET:
        return address
    url = address
    if channel == "push":
        try:
            url = str(orjson.loads(address)["endpoint"])
        except (ValueError, KeyError, TypeError):
            return ""
    host = urlsplit(url).netloc.rpartition("@")[2]
    return f"{host} …{url[-ENDING:]}" if len(url) > len(host) + 3 * ENDING else host


def _hook_addresses(messages: Sequence[Message]) -> dict[tuple[int, str], str]:
    called = {message.recipient_id for message in messages if message.channel == WEBHOOK}
    rows = Hook.objects.filter(account__in=called, is_active=True) if called else ()
    return {(hook.account_id, WEBHOOK): hook.url for hook in rows if not is_sealed(hook.url)}


def _own_address(message: Message) -> str:
    return message.recipient.email if message.channel == "email" else ""
