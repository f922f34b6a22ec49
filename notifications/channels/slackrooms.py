"""Rooms in Slack: a channel made for a major incident, its people asked in, its summary pinned."""

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from django.conf import settings

from notifications.channels.http import Caller, judge
from notifications.channels.message import SendResult
from notifications.channels.slack import escape
from notifications.channels.words import one_line, several_lines

DEADLINE_S: Final = 5.0
"""For each call."""
NAME_MAX: Final = 80
SUMMARY_MAX: Final = 2900
_caller = Caller(per_second=20.0)


class RoomRefused(Exception):
    """What Slack said instead of doing it, in one sentence."""


def is_ready() -> bool:
    """Whether the site has an app in Slack."""
    return bool(settings.SLACK_BOT_TOKEN)


def name_of(words: str) -> str:
    """The words as Slack names channels: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:NAME_MAX].strip("-")


def make_channel(name: str) -> str:
    """The ID of a new channel of this name. Raises RoomRefused, for a name that is taken too."""
    said = _call("conversations.create", name=name)
    return str(said["channel"]["id"])


def address_of(channel: str) -> str:
    """Where a browser or the app opens the channel."""
    return f"https://slack.com/app_redirect?{urlencode({'channel': channel})}"


def ask_in(channel: str, members: Iterable[str]) -> list[str]:
    """Ask these members in, by their IDs; those with whom that did not work."""
    left_out = []
    for member in members:
        try:
            _call(
                "conversations.invite", ignoring="already_in_channel", channel=channel, users=member
            )
        except RoomRefused:
            left_out.append(member)
    return left_out


def pin_summary(channel: str, title: str, lines: Iterable[str]) -> None:
    """Write the summary and pin it; words of a ticket call nobody. Raises RoomRefused."""
    head = escape(one_line(title, 200))
    text = "\n".join([f"*{head}*", *(escape(several_lines(line, 1200)) for line in lines if line)])
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text[:SUMMARY_MAX]}}
    said = _call(
        "chat.postMessage",
        channel=channel,
        text=head,
        blocks=orjson.dumps([block]).decode(),
        unfurl_links="false",
    )
    _call("pins.add", ignoring="already_pinned", channel=channel, timestamp=str(said.get("ts", "")))


def _call(method: str, *, ignoring: str = "", **given: str) -> dict[str, Any]:
    """What Slack answers. Raises RoomRefused unless all is well, or for the error ignored."""
    answer = _caller.post(
        f"{settings.SLACK_URL}/api/{method}",
        body=urlencode(given).encode(),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": f"Bearer {settings.SLACK_BOT_TOKEN}",
        },
        deadline_s=DEADLINE_S,
        pace_of=method,
    )
    result = judge(answer)
    if isinstance(answer, SendResult) or not result.ok:
        raise RoomRefused(f"Slack does not answer as it should: {result.detail}.")
    try:
        said: dict[str, Any] = orjson.loads(answer.body)
    except ValueError:
        raise RoomRefused("Slack's answer cannot be read.") from None
    error = str(said.get("error", ""))
    if not said.get("ok") and (not error or error != ignoring):
        raise RoomRefused(f"Slack says: {one_line(error or 'no', 100)}.")
    return said
