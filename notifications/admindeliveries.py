"""The delivery log of a webhook as the admin shows it, and sending once more from there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.http import HttpRequest

from notifications.models import Hook, Message, MessageState
from notifications.subscriptions import RESENDABLE, deliveries, ping, resend
from roles.admin import acting
from roles.refusals import Refused

LOG_SHOWN: Final = 100


@dataclass(frozen=True)
class Row:
    """One delivery, what its last try came to, and whether it may go out once more."""

    message: Message
    said: str
    next_at: datetime | None
    may_go: bool


def deliveries_of(hook: Hook) -> list[Row]:
    """The last deliveries, newest first; two statements however many there are."""
    return [_row(message) for message in deliveries(hook)[:LOG_SHOWN]]


def _row(message: Message) -> Row:
    last = max(message.tries.all(), key=lambda each: each.number, default=None)
    said = (last.detail or last.get_outcome_display()).rstrip(".") if last is not None else ""
    waits = message.state == MessageState.QUEUED and last is not None
    return Row(
        message=message,
        said=f"{said}." if said else "",
        next_at=message.next_attempt_at if waits else None,
        may_go=message.state in RESENDABLE,
    )


def send_once_more(request: HttpRequest, hook: Hook) -> None:
    """Send the delivery that the form names, or a ping if it names none; a refusal is shown."""
    key = request.POST.get("key", "").replace("\x00", "")
    try:
        if key:
            sent = resend(hook=hook, key=key, actor=acting(request))
            messages.success(request, f"{sent.subject} is on its way again.")
        else:
            ping(hook=hook, actor=acting(request))
            messages.success(request, "A ping is on its way.")
    except Refused as refused:
        messages.error(request, refused.detail)
