"""Addresses that say themselves that they want nothing any more: closed, and their owner told."""

from typing import Final

from django.db import transaction

from notifications import phrases, subscriptions
from notifications.addresses import shown_address
from notifications.letter import Letter
from notifications.models import ContactMethod, ContactRule, Message
from notifications.outbox import enqueue
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person

REASON_MAX: Final = 300
OWN_PAGE: Final = "/you/told"


def end_target(
    message: Message, address: str, reason: str, *, clock: TimeSource = database_now
) -> None:
    """Close what the message was sent to: a hook's subscription, or an address of its reader."""
    if message.kind == subscriptions.KIND:
        subscriptions.retire(account_id=message.recipient_id, reason=reason, clock=clock)
    else:
        _end_method(message, address, reason, clock)


@transaction.atomic
def _end_method(message: Message, address: str, reason: str, clock: TimeSource) -> None:
    """Use the address no more, nor rules that have no other one left, and tell its owner."""
    Person.objects.select_for_update(of=("self",)).get(pk=message.recipient_id)
    held = ContactMethod.objects.filter(
        person=message.recipient_id, channel=message.channel, is_active=True
    ).select_related("person")
    method = next((each for each in held if each.address == address), None)
    if method is None:
        return
    method.is_active, method.ended_because = False, reason[:REASON_MAX]
    method.save(update_fields=["is_active", "ended_because"])
    forget_rules(method.person_id, method.channel)
    changes = {"channel": method.channel, "address": shown_address(method.channel, address)}
    audit.record(
        actor=None,
        action="contact_method.ended",
        subject=method.person,
        changes=changes,
        reason=method.ended_because,
        clock=clock,
    )
    enqueue([_word_of(method, message)], now=clock())


def forget_rules(person_id: int, channel: str) -> None:
    """Drop a person's rules over a channel for which no proved address is left."""
    others = ContactMethod.objects.filter(
        person=person_id, channel=channel, is_active=True, verified_at__isnull=False
    )
    if channel != "email" and not others.exists():
        ContactRule.objects.filter(ways=person_id, channel=channel).delete()


def _word_of(method: ContactMethod, message: Message) -> Letter:
    return Letter(
        topic=f"person:{method.person_id}",
        cause=f"ended:{method.pk}:{message.pk}",
        recipient_id=method.person_id,
        kind="address_ended",
        subject=phrases.ENDED,
        body=phrases.ENDED_BODY,
        data={"url": OWN_PAGE},
    )
