"""Signed addresses and Message-IDs, by which an answer proves which message it answers.

Each carries 128 bits of HMAC over the message and its recipient: who guesses a number, or knows a
key, can still not speak in anybody's name.
"""

import hmac
import re
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac

from notifications.models import Message

SALT: Final = "notifications.replies"
MAC: Final = r"[a-z2-7]{26}"
TAG: Final = re.compile(rf"r([1-9][0-9]{{0,17}})-({MAC})")
"""What stands behind the plus sign of a reply address; small letters survive every mail server."""
IDENT: Final = re.compile(rf"<?([0-9a-f-]{{36}})\.({MAC})@([^<>@\s]+)>?")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a mail says that it answers: the message, where that is proven; else only the claim."""

    message: Message | None
    is_made: bool


def reply_address(message: Message) -> str:
    """Where an answer to this message goes, "" where the site takes none.

    None is asked for on a restricted case: what is said there must not pass by mail.
    """
    base: str = settings.MAIL_REPLY_ADDRESS
    if not base or message.clearance:
        return ""
    local, _, domain = base.rpartition("@")
    return f"{local}+r{message.pk}-{_mac(_of(message))}@{domain}"


def message_id(key: str) -> str:
    """The Message-ID of the mail that carries the message with this key."""
    return f"<{key}.{_mac(key)}@{_host()}>"


def claimed(addresses: Iterable[str], ids: Iterable[str]) -> Claim:
    """What a mail to these addresses, that refers to these Message-IDs, answers.

    The address goes before the ids, the last id before those that stand ahead of it.
    """
    is_made = False
    for address in addresses:
        tag = TAG.fullmatch(address.rpartition("@")[0].rpartition("+")[2].lower())
        if tag is not None:
            is_made = True
            message = _known(Message.objects.filter(pk=int(tag[1])).first())
            if message is not None and _is_genuine(_of(message), tag[2]):
                return Claim(message, True)
    for ident in reversed(list(ids)):
        found = IDENT.fullmatch(ident.strip().lower())
        if found is not None and found[3] == _host():
            is_made = True
            if _is_genuine(found[1], found[2]):
                message = _known(Message.objects.filter(key=found[1]).first())
                if message is not None:
                    return Claim(message, True)
    return Claim(None, is_made)


def _known(message: Message | None) -> Message | None:
    return message if message is not None and message.channel == "email" else None


def _of(message: Message) -> str:
    return f"{message.pk}:{message.recipient_id}"


def _host() -> str:
    return (urlsplit(settings.PUBLIC_URL).hostname or "localhost").lower()


def _mac(value: str, secret: str | None = None) -> str:
    digest = salted_hmac(SALT, value, secret=secret, algorithm="sha256").digest()[:16]
    return b32encode(digest).decode().rstrip("=").lower()


def _is_genuine(value: str, mac: str) -> bool:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(hmac.compare_digest(_mac(value, secret), mac) for secret in secrets)
