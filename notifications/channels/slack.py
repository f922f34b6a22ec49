"""Slack: a direct message of the app with buttons, or an incoming webhook with links."""

import hmac
import re
from hashlib import sha256
from typing import Any, Final

import orjson
from django.conf import settings

from notifications import outbound
from notifications.channels.http import Caller, judge
from notifications.channels.message import Limits, OutgoingMessage, SendResult
from notifications.channels.words import button, one_line, several_lines

MEMBER: Final = re.compile(r"[UW][A-Z0-9]{6,20}")
HOOK: Final = "https://hooks.slack.com/"
PASSING: Final = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error"})
OURS: Final = frozenset({"invalid_auth", "not_authed", "token_revoked", "missing_scope"})
"""Errors that lie with the site's own app: they pass when it is put right."""
WINDOW_S: Final = 300


class SlackChannel:
    """Writes to a member by id, or to a webhook's address."""

    limits = Limits(length=2900, per_second=1.0, buttons=3)

    def __init__(self) -> None:
        self._caller = Caller(per_second=self.limits.per_second)

    @property
    def is_ready(self) -> bool:
        return bool(settings.SLACK_BOT_TOKEN)

    def clean(self, address: str) -> str:
        text = address.strip()
        if MEMBER.fullmatch(text.upper()):
            return text.upper()
        raise ValueError("Your member ID, such as U012AB3CD: in your Slack profile, under More.")

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        by_hook = address.startswith("https://")
        said: dict[str, Any] = {
            "text": escape(one_line(message.subject, 300)),
            "blocks": blocks(message, self.limits.length, acting=not by_hook),
        }
        if by_hook:
            return judge(self._caller.post_json(address, message, said, deadline_s))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {settings.SLACK_BOT_TOKEN}",
        }
        body = orjson.dumps({**said, "channel": address, "unfurl_links": False})
        url = f"{settings.SLACK_URL}/api/chat.postMessage"
        answer = self._caller.post(
            url, body=body, headers=headers, deadline_s=deadline_s, pace_of=address
        )
        return _said(answer)

    def rest(self) -> None:
        """Nothing is kept: each message has a connection of its own."""


def _said(answer: outbound.Answer | SendResult) -> SendResult:
    """Slack answers 200 to nearly everything; the body tells."""
    result = judge(answer)
    if isinstance(answer, SendResult) or not result.ok:
        return result
    try:
        told = orjson.loads(answer.body)
    except ValueError:
        return SendResult(ok=True, detail="HTTP 200, torn")
    if told.get("ok"):
        return SendResult(ok=True, detail="HTTP 200")
    error = str(told.get("error", "unknown"))
    return SendResult(
        ok=False,
        permanent=error not in PASSING | OURS,
        detail=f"Slack: {one_line(error, 100)}",
        retry_after_s=answer.retry_after_s,
    )


def blocks(message: OutgoingMessage, limit: int, *, acting: bool) -> list[dict[str, Any]]:
    """The message as Slack's blocks; `acting` buttons call us back, the others are links."""
    head = f"*{escape(one_line(message.subject, 300))}*"
    text = several_lines(f"{head}\n{escape(message.body)}", limit)
    said: list[dict[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
    buttons: list[dict[str, Any]] = []
    told = message.language
    if message.ack_token and acting:
        buttons += [
            _button(button("acknowledge", told), action_id="acknowledge", value=message.ack_token),
            _button(button("take", told), action_id="take", value=message.ack_token),
        ]
    elif message.ack_url:
        buttons += [
            _button(button("acknowledge", told), action_id="link_ack", url=message.ack_url),
            _button(button("take", told), action_id="link_take", url=message.take_url),
        ]
    if message.open_url:
        buttons.append(_button(button("open", told), action_id="open", url=message.open_url))
    if buttons:
        said.append({"type": "actions", "elements": buttons})
    return said


def _button(label: str, **more: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, **more}


def escape(text: str) -> str:
    """Slack's own three marks, so that no words of a ticket call a whole channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def is_genuine(body: bytes, sent_at: str, signature: str, now: float) -> bool:
    """Whether Slack itself sent this body within five minutes (X-Slack-Signature, v0)."""
    secret = settings.SLACK_SIGNING_SECRET
    if not secret or not sent_at.isdecimal() or abs(now - int(sent_at)) > WINDOW_S:
        return False
    made = hmac.new(secret.encode(), b"v0:" + sent_at.encode() + b":" + body, sha256).hexdigest()
    return hmac.compare_digest(f"v0={made}".encode(), signature.encode())
