"""Whether a message was opened, as far as that can be known: its reader followed its link here.

No pixel tells on anybody. The link names the message, and only its own recipient, signed in, opens
it: neither a mail scanner that follows every link nor whoever it was forwarded to.
"""

from datetime import datetime
from typing import Final

from django.conf import settings

from notifications.models import Message

PARAMETER: Final = "told"


def open_url(message: Message) -> str:
    """Where "Open" leads, "" where the message leads nowhere on this site."""
    path = str(message.data.get("url", ""))
    if not path.startswith("/") or path.startswith("//"):
        return ""
    sign = "&" if "?" in path else "?"
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}{sign}{PARAMETER}={message.pk}"


def note_opened(*, message_id: str, person_id: int, now: datetime) -> bool:
    """Note that this person followed the message's link; whether it was theirs, and the first time.

    `message_id` is as the link has it; what is no number is nothing.
    """
    if not (message_id.isascii() and message_id.isdigit() and len(message_id) < 19):
        return False
    own = Message.objects.filter(pk=int(message_id), recipient=person_id, opened_at=None)
    return bool(own.update(opened_at=now))
