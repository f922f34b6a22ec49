"""Signed, single-use links in messages, bound to one message and so to one person and cause."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing

from notifications.models import Message
from roles.instants import TimeSource, database_now
from roles.refusals import Conflict, Invalid

LINK_PATH = "/m/"
MAX_AGE_S = 24 * 3600

_SALT = "notifications.links"


@dataclass(frozen=True, kw_only=True)
class LinkClaim:
    """What a genuine link says: who may do what, and to which message's topic and cause."""

    message_id: int
    person_id: int
    cause: str
    topic: str
    action: str
    used: bool


def make_link(message: Message, action: str = "ack", *, clock: TimeSource = database_now) -> str:
    """Return the full address of a link that is good for 24 hours from now."""
    claim = {"m": message.pk, "p": message.recipient_id, "a": action, "t": clock().timestamp()}
    token = signing.dumps(claim, salt=_SALT)
    return f"{settings.PUBLIC_URL.rstrip('/')}{LINK_PATH}{token}/"


def read_link(token: str, clock: TimeSource = database_now) -> LinkClaim:
    """Return what the link says, changing nothing, so that a mail scanner may follow it.

    Raises Invalid when the link is forged, broken, older than 24 hours, or its person has left.
    """
    message, action = _find(token, clock())
    return _claim(message, action)


def use_link(token: str, clock: TimeSource = database_now) -> LinkClaim:
    """Spend the link and return what it allows; call it in the transaction of the act.

    Raises Invalid as read_link() does, and Conflict when the link has been used.
    """
    now = clock()
    message, action = _find(token, now)
    spent = Message.objects.filter(pk=message.pk, acted_at__isnull=True).update(acted_at=now)
    if not spent:
        raise Conflict("link_used", "This link has been used already.")
    return _claim(message, action)


def _find(token: str, now: datetime) -> tuple[Message, str]:
    try:
        said = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        raise Invalid("link_invalid", "This link is not valid.") from None
    if now - _made_at(said, now) > timedelta(seconds=MAX_AGE_S):
        raise Invalid("link_expired", "This link is more than 24 hours old.")
    message = (
        Message.objects.select_related("recipient")
        .filter(pk=said["m"], recipient=said["p"], recipient__is_active=True)
        .first()
    )
    if message is None:
        raise Invalid("link_invalid", "This link is not valid.")
    return message, said["a"]


def _made_at(said: Mapping[str, float], now: datetime) -> datetime:
    return datetime.fromtimestamp(said["t"], tz=now.tzinfo)


def _claim(message: Message, action: str) -> LinkClaim:
    return LinkClaim(
        message_id=message.pk,
        person_id=message.recipient_id,
        cause=message.cause,
        topic=message.topic,
        action=action,
        used=message.acted_at is not None,
    )
