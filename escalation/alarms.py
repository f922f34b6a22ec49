"""Alarms to the fallback: when the engine itself, or a message, cannot do its work."""

from datetime import datetime

from escalation.letters import agent_letter
from escalation.targets import People
from notifications.models import Message
from notifications.outbox import enqueue
from tickets.models import Ticket


def raise_alarm(*, cause: str, ticket: Ticket, subject: str, body: str, now: datetime) -> int:
    """Page the fallback about a ticket, once per cause; returns how many people are told.

    Must run in the transaction that establishes the cause.
    """
    found = People([ticket], now).fallback(ticket)
    letters = [
        agent_letter(
            ticket,
            cause=cause,
            recipient_id=person_id,
            kind="alarm",
            subject=subject,
            body=body,
            is_alarm=True,
        )
        for person_id in found.ids
    ]
    return len(enqueue(letters, now=now))


def on_dead_letter(message: Message, now: datetime) -> None:
    """Tell the fallback that a message about a ticket could not be delivered.

    An alarm that dies itself is not answered with another one, and what another system was only
    told of wakes nobody.
    """
    ticket_id = message.topic.removeprefix("ticket:")
    is_news = message.cause.startswith(("alarm:", "feed:"))
    if is_news or not ticket_id.isdecimal():
        return
    ticket = Ticket.objects.filter(pk=int(ticket_id)).first()
    if ticket is not None:
        raise_alarm(
            cause=f"alarm:dead:{message.pk}",
            ticket=ticket,
            subject="A message could not be delivered",
            body=f"To {message.recipient} by {message.channel}: {message.finished_reason}",
            now=now,
        )
