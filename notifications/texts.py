"""A site's own words for messages: texts with named places, and nothing that could be run."""

import re
from collections.abc import Mapping
from copy import copy
from typing import Final

from django.conf import settings

from notifications.models import Message, MessageText
from notifications.shipped import body_in, subject_in

PLACES: Final = {
    "subject": "what the message says in one line",
    "body": "what it says in full",
    "key": "the ticket's key",
    "person": "who is told",
    "site": "the address of this site",
}
"""What may stand in braces, and what it becomes. A restricted case's own words say nothing."""
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
EXAMPLE: Final = {
    "subject": "[INC-000123] P1 Nobody has answered: The shop is down",
    "body": "Nobody has acknowledged it for five minutes.",
    "key": "INC-000123",
    "person": "Ann Archer",
    "site": "https://desk.example",
}


def unknown_places(text: str) -> list[str]:
    """The names in braces that mean nothing, in order."""
    return [name for name in _PLACE.findall(text) if name not in PLACES]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each known place filled once; what is filled in is not looked into again."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def preview(text: MessageText) -> tuple[str, str]:
    """Subject and body as they would read for an example."""
    return filled(text.subject or "{subject}", EXAMPLE), filled(text.body or "{body}", EXAMPLE)


class Texts:
    """The site's own texts as they stand now; read once, at the first message."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], MessageText] | None = None

    def worded(self, message: Message) -> Message:
        """The message in the site's words for its kind, channel and language, else in ours."""
        own, language = self._of(message), message.recipient.language
        if own is None and language.startswith("en"):
            return message
        said = copy(message)  # the row keeps what was decided
        said.subject = subject_in(language, message.subject)
        said.body = body_in(language, message.body)
        if own is None:
            return said
        values = {
            "subject": said.subject,
            "body": said.body,
            "key": str(message.data.get("ticket", "")),
            "person": str(message.recipient),
            "site": settings.PUBLIC_URL,
        }
        said.subject = filled(own.subject or "{subject}", values)
        said.body = filled(own.body or "{body}", values)
        return said

    def _of(self, message: Message) -> MessageText | None:
        """The most particular one: channel and language before language alone."""
        if self._rows is None:
            rows = MessageText.objects.filter(is_active=True)
            self._rows = {(row.kind, row.channel, row.language): row for row in rows}
        kind, language = message.kind, message.recipient.language
        return self._rows.get((kind, message.channel, language)) or self._rows.get(
            (kind, "", language)
        )
