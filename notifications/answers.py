"""Which message somebody answers, when all that is known is a number, a name and a few words."""

import re
from datetime import datetime, timedelta
from typing import Final

from notifications.models import ContactMethod, Message
from notifications.sending import reply_code
from roles.models import Person

GOOD_FOR: Final = timedelta(hours=24)
YES: Final = frozenset({"ack", "ok", "yes", "ja", "y", "acknowledge"})
_CODE: Final = re.compile(r"(?<!\d)\d{4}(?!\d)")


def person_at(channel: str, address: str) -> Person | None:
    """Whose verified address this is; None where it is nobody's, or of more than one person."""
    methods = ContactMethod.objects.filter(
        channel=channel,
        address=address,
        is_active=True,
        verified_at__isnull=False,
        person__is_active=True,
    )
    found = list(methods.select_related("person")[:2])
    return found[0].person if len(found) == 1 else None


def answered_by_text(person: Person, text: str, now: datetime) -> Message | None:
    """The page that a text message from this person's number answers, or None.

    It names the page by its four digits, or says yes where only one is open.
    """
    sent = Message.objects.filter(
        recipient=person,
        channel="sms",
        data__ack=True,
        sent_at__gt=now - GOOD_FOR,
    ).select_related("recipient")
    latest = list(sent.order_by("-sent_at", "-pk")[:200])
    code = _CODE.search(text)
    if code is not None:
        named = (each for each in latest if reply_code(each) == code.group())
        return next(named, None)
    unanswered = [each for each in latest if each.acted_at is None]
    says_yes = text.strip().lower().rstrip(".!") in YES
    return unanswered[0] if says_yes and len(unanswered) == 1 else None
