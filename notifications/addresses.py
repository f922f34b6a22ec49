"""Where messages go: the address of each recipient on its channel, as it stands at send time."""

from collections.abc import Sequence

from django.db.models import F

from notifications.models import ContactMethod, Hook, Message
from notifications.webhooks import CHANNEL as WEBHOOK


def addresses_of(messages: Sequence[Message]) -> dict[int, str]:
    """Return the address for each message by its id, "" where there is none; one query for all.

    Hooks take one more: their address stands with them and nowhere else.
    A verified address goes before an unverified one, and an older one before a newer; on e-mail
    the person's own address serves when no contact method does.
    """
    methods = ContactMethod.objects.filter(
        person__in={message.recipient_id for message in messages}, is_active=True
    ).order_by(F("verified_at").asc(nulls_last=True), "id")
    chosen: dict[tuple[int, str], str] = _hook_addresses(messages)
    for person_id, channel, address in methods.values_list("person_id", "channel", "address"):
        if channel != WEBHOOK:
            chosen.setdefault((person_id, channel), address)
    return {
        message.pk: chosen.get((message.recipient_id, message.channel)) or _own_address(message)
        for message in messages
    }


def _hook_addresses(messages: Sequence[Message]) -> dict[tuple[int, str], str]:
    called = {message.recipient_id for message in messages if message.channel == WEBHOOK}
    rows = Hook.objects.filter(account__in=called, is_active=True) if called else ()
    return {(hook.account_id, WEBHOOK): hook.url for hook in rows}


def _own_address(message: Message) -> str:
    return message.recipient.email if message.channel == "email" else ""
