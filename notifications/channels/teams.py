"""Microsoft Teams: a workflow's webhook shows a card with links; an outgoing webhook asks us back.

Buttons that act without a page would need a bot of the site's own in Microsoft's cloud; ours are
signed links to a page that asks, as in mail.
"""

import base64
import binascii
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import escape
from typing import Any, Final

from django.conf import settings

from notifications import outbound
from notifications.channels.http import Caller, judge
from notifications.channels.message import Limits, OutgoingMessage, SendResult
from notifications.channels.words import button, one_line, several_lines, without

CARD: Final = "application/vnd.microsoft.card.adaptive"
WINDOW: Final = timedelta(minutes=5)
_MARKS: Final = "\\*_[]()~`#"


class TeamsChannel:
    """Posts a card to the address of a workflow ("when a webhook request is received")."""

    limits = Limits(length=6000, per_second=1.0, buttons=3)

    def __init__(self) -> None:
        self._caller = Caller(per_second=self.limits.per_second)

    @property
    def is_ready(self) -> bool:
        return True

    def clean(self, address: str) -> str:
        text = address.strip()
        try:
            outbound.place_of(text)
        except outbound.Unsafe as problem:
            raise ValueError(f"The address of a Teams workflow. {problem}") from None
        return text

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        said = {
            "type": "message",
            "attachments": [
                {"contentType": CARD, "contentUrl": None, "content": card(message, self.limits)}
            ],
        }
        return judge(self._caller.post_json(address, message, said, deadline_s))

    def rest(self) -> None:
        """Nothing is kept: each message has a connection of its own."""


def card(message: OutgoingMessage, limits: Limits) -> dict[str, Any]:
    """The message as an adaptive card; its buttons are signed links, which ask before acting."""
    labels = [button(what, message.language) for what in ("acknowledge", "take", "open")]
    links = zip(labels, (message.ack_url, message.take_url, message.open_url), strict=True)
    words = [
        {"text": _literal(one_line(message.subject, 300)), "weight": "Bolder", "size": "Medium"},
        {"text": _literal(several_lines(message.body, limits.length))},
    ]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "wrap": True, **word} for word in words if word["text"]],
        "actions": [
            {"type": "Action.OpenUrl", "title": title, "url": url} for title, url in links if url
        ],
    }


def _literal(text: str) -> str:
    return without(text, _MARKS)


def literal(text: str) -> str:
    """The words as a message shows them, which knows some HTML too; a card knows none."""
    return escape(without(text, _MARKS), quote=False)


def is_genuine(body: bytes, authorization: str) -> bool:
    """Whether the site's own outgoing webhook sent this body ("Authorization: HMAC …")."""
    kind, _, given = authorization.partition(" ")
    try:
        secret = base64.b64decode(settings.TEAMS_WEBHOOK_SECRET, validate=True)
    except (binascii.Error, ValueError):
        return False
    if not secret or kind.upper() != "HMAC":
        return False
    made = base64.b64encode(hmac.new(secret, body, sha256).digest())
    return hmac.compare_digest(made, given.strip().encode())


def is_fresh(said_at: str, now: datetime) -> bool:
    """Whether what was signed was said within five minutes of now, as its own time tells."""
    try:
        at = datetime.fromisoformat(said_at)
    except ValueError:
        return False
    return abs(now - (at if at.tzinfo else at.replace(tzinfo=UTC))) <= WINDOW
