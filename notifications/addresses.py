"""Where a message goes: the address of a person on a channel, as it stands at send time."""

from django.db.models import F

from notifications.models import ContactMethod, Message


def address_of(message: Message) -> str:
    """Return the recipient's address on the message's channel, or "" when there is none.

    A verified address goes before an unverified one, and an older one before a newer; on e-mail
    the person's own address serves when no contact method does.
    """
    chosen = (
        ContactMethod.objects.filter(
            person=message.recipient_id, channel=message.channel, is_active=True
        )
        .order_by(F("verified_at").asc(nulls_last=True), "id")
        .values_list("address", flat=True)
        .first()
    )
    if chosen:
        return chosen
    return message.recipient.email if message.channel == "email" else ""
