"""Mattermost: the site's incoming webhook writes to a person, with buttons that call us back."""

import re
from typing import Any, Final

from django.conf import settings

from notifications.channels.http import Caller, judge
from notifications.channels.message import Limits, OutgoingMessage, SendResult
from notifications.channels.words import button, one_line, several_lines, without

NAME: Final = re.compile(r"@[a-z0-9][a-z0-9._-]{0,63}")
ACT_PATH: Final = "/answers/mattermost"


class MattermostChannel:
    """Writes to @name through the webhook that the site was given."""

    limits = Limits(length=4000, per_second=5.0, buttons=3)

    def __init__(self) -> None:
        self._caller = Caller(per_second=self.limits.per_second)

    @property
    def is_ready(self) -> bool:
        return bool(settings.MATTERMOST_HOOK)

    def clean(self, address: str) -> str:
        name = "@" + address.strip().lower().lstrip("@")
        if not NAME.fullmatch(name):
            raise ValueError("Your user name on Mattermost, such as @ann.")
        return name

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        said = {"channel": address, "attachments": [attachment(message, self.limits.length)]}
        answer = self._caller.post_json(settings.MATTERMOST_HOOK, message, said, deadline_s)
        return judge(answer)

    def rest(self) -> None:
        """Nothing is kept: each message has a connection of its own."""


def attachment(message: OutgoingMessage, limit: int) -> dict[str, Any]:
    """The message as one attachment, its markup taken literally and its mentions disarmed."""
    subject = one_line(message.subject, 300)
    acts = []
    if message.ack_token:
        acts = [
            _act(message, act, button(act, message.language)) for act in ("acknowledge", "take")
        ]
    return {
        "fallback": subject,
        "title": subject,
        "title_link": message.open_url,
        "text": _literal(several_lines(message.body, limit)),
        "actions": acts,
    }


def _act(message: OutgoingMessage, slug: str, label: str) -> dict[str, Any]:
    # Mattermost signs no presses: the token in the context is our own signature, and names person
    # and message.
    to = settings.PUBLIC_URL.rstrip("/") + ACT_PATH
    context = {"act": slug, "token": message.ack_token}
    return {"id": slug, "name": label, "integration": {"url": to, "context": context}}


def _literal(text: str) -> str:
    return without(text, "\\`*_{}[]()#+!|~<>").replace("@", "@\u200b")
