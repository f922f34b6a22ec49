"""Signed, single-use links in messages, bound to one message and so to one person and cause."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing

from notifications.models import Message
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid

LINK_PATH = "/m/"
MAX_AGE_S = 24 * 3600
AGES_S = {
    "rate": 14 * 24 * 3600,
    "handover": 14 * 24 * 3600,
    "leave": 90 * 24 * 3600,
    "unsubscribe": 90 * 24 * 3600,
    "reset": 2 * 3600,
}
"""How long a link is good for by its action, where that is not a day."""
PATHS = {
    action: action for action in ("rate", "handover", "welcome", "leave", "unsubscribe", "reset")
}
"""What stands behind the token by its action; nothing for an acknowledgement."""

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
    told_at: datetime


def make_link(message: Message, action: str = "ack", *, clock: TimeSource = database_now) -> str:
    """Return the full address of a link that is good from now on for as long as its action says."""
    return link_of(make_token(message, action, clock=clock)) + PATHS.get(action, "")


def link_of(token: str) -> str:
    """The address at which a token to acknowledge is spent; what else it allows stands below it."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{LINK_PATH}{token}/"


def make_token(message: Message, action: str = "ack", *, clock: TimeSource = database_now) -> str:
    """Return the signed right alone, for a button that is pressed elsewhere."""
    claim = {"m": message.pk, "p": message.recipient_id, "a": action, "t": clock().timestamp()}
    return signing.dumps(claim, salt=_SALT)


def read_link(token: str, clock: TimeSource = database_now, *, action: str = "ack") -> LinkClaim:
    """Return what the link says, changing nothing, so that a mail scanner may follow it.

    Raises Invalid when the link is forged, broken, too old or for another action, or its person
    has left.
    """
    message, said = _find(token, clock(), action)
    return _claim(message, said)


def use_link(token: str, clock: TimeSource = database_now, *, action: str = "ack") -> LinkClaim:
    """Spend the link and return what it allows; call it in the transaction of the act.

    Raises Invalid as read_link() does, and Conflict when the link has been used.
    """
    now = clock()
    message, said = _find(token, now, action)
    spent = Message.objects.filter(pk=message.pk, acted_at__isnull=True).update(acted_at=now)
    if not spent:
        raise Conflict("link_used", "This link has been used already.")
    return _claim(message, said)


def person_of(token: str) -> Person | None:
    """Whom a token was made for, however old and used it is; None for one that is not ours.

    It allows nothing: it tells in which language to say what became of the token.
    """
    try:
        said = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return Person.objects.filter(pk=said["p"], is_active=True).first()


def _find(token: str, now: datetime, action: str) -> tuple[Message, str]:
    try:
        said = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        raise Invalid("link_invalid", "This link is not valid.") from None
    if said["a"] != action:
        raise Invalid("link_invalid", "This link is not valid.")
    age_s = AGES_S.get(action, MAX_AGE_S)
    if now - _made_at(said, now) > timedelta(seconds=age_s):
        old = f"{age_s // 3600} hours" if age_s <= MAX_AGE_S else f"{age_s // (24 * 3600)} days"
        raise Invalid("link_expired", f"This link is more than {old} old.")
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
        told_at=message.created_at,
    )
