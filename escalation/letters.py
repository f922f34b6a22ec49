"""What people who work on a ticket are told when it needs them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from escalation.models import Engagement, Firing
from notifications.models import Hook
from notifications.outbox import VEILED, Letter
from notifications.shipped import ship
from notifications.webhooks import CHANNEL as WEBHOOK
from tickets.models import Ticket
from tickets.timeline import instant_text

ship(
    (
        gettext_noop("A restricted case reaches nobody who is cleared"),
        gettext_noop("Please make sure that somebody of IT security looks after the open cases."),
        gettext_noop("A case needs you"),
        gettext_noop("We are giving it more attention"),
        gettext_noop("Right tier? Complete? One press"),
        gettext_noop("Your request takes longer than it should. More people have been told of it."),
    )
)

KINDS = {
    "page": "Somebody on call is paged",
    "notify": "What a step of a policy tells people",
    "outcome": "Whoever passed a ticket on hears how it was solved",
    "involved": "Somebody is asked to help with a ticket",
    "informed": "Somebody outside of the service is told that more people know of it",
    "vendor_engaged": "A vendor is called",
    "vendor": "What a vendor is told after that",
    "notice_due": "A notice to an authority is due",
    "alarm": "The service itself needs somebody",
    "gap": "Nobody will be on call",
    "roster": "A stand-in begins or ends",
}
"""The messages of this floor, for whoever gives the site words of its own."""


def agent_letter(
    ticket: Ticket,
    *,
    cause: str,
    recipient_id: int,
    kind: str,
    subject: str,
    body: str,
    rung: int = 0,
    is_alarm: bool = False,
    links: Mapping[str, str] | None = None,
) -> Letter:
    """A letter to somebody who works on the ticket; a restricted one's tells no facts.

    `links` are labels of signed links that it carries beside "Open", by their action.

    An alarm about a restricted case goes to people who may not be cleared: it has not even its key.
    """
    is_page = kind == "page"
    is_urgent = is_page or is_alarm
    if ticket.restricted and is_alarm:
        return Letter(
            topic=ticket.topic,
            cause=cause,
            recipient_id=recipient_id,
            kind=kind,
            subject="A restricted case reaches nobody who is cleared",
            body="Please make sure that somebody of IT security looks after the open cases.",
            urgency="high",
            priority=1,
            rung=rung,
            data=VEILED,
        )
    if ticket.restricted:
        head, text = f"[{ticket.key}] A case needs you", "Please sign in to read it."
    else:
        head = f"[{ticket.key}] P{ticket.priority} {subject}: {ticket.subject}"
        text = body
    return Letter(
        topic=ticket.topic,
        cause=cause,
        recipient_id=recipient_id,
        kind=kind,
        subject=head,
        body=text,
        urgency="high" if is_urgent else "low",
        priority=ticket.priority,
        rung=rung,
        clearance=ticket.topic if ticket.restricted else "",
        data={
            "ack": is_page,
            "url": f"/tickets/{ticket.key}",
            "ticket": ticket.key,
            **({"links": dict(links)} if links and not ticket.restricted else {}),
        },
    )


def informing_letter(ticket: Ticket, *, cause: str, recipient_id: int) -> Letter:
    """A letter to a requester or another outsider whom a step names: news, and nothing inside."""
    subject = "We are giving it more attention"
    if ticket.restricted:
        head, text = f"[{ticket.key}] There is news on a case", "Please sign in to read it."
    else:
        head = f"[{ticket.key}] {subject}: {ticket.subject}"
        text = "Your request takes longer than it should. More people have been told of it."
    return Letter(
        topic=ticket.topic,
        cause=cause,
        recipient_id=recipient_id,
        kind="informed",
        subject=head,
        body=text,
        priority=ticket.priority,
        clearance=ticket.topic if ticket.restricted else "",
        data={"url": f"/tickets/{ticket.key}", "ticket": ticket.key},
    )


def vendor_letter(ticket: Ticket, engagement: Engagement, cause: str, account_id: int) -> Letter:
    """The call to a vendor: what its contract and its people need, and nothing of ours inside."""
    vendor = engagement.vendor
    lines = [
        engagement.reason,
        "",
        f"Our ticket: {ticket.key}, priority {ticket.priority}",
        *([f"Contract: {vendor.contract}"] if vendor.contract else []),
        *([f"Your reference: {engagement.reference}"] if engagement.reference else []),
        "Please answer with your own reference.",
    ]
    return Letter(
        topic=ticket.topic,
        cause=cause,
        recipient_id=account_id,
        kind="vendor_engaged",
        subject=f"[{ticket.key}] P{ticket.priority} We need you: {ticket.subject}",
        body="\n".join(lines),
        urgency="high" if ticket.priority <= 2 else "low",
        priority=ticket.priority,
    )


def hook_letter(
    ticket: Ticket, firing: Firing, hook: Hook, *, policy: str, step: str, rung: int
) -> Letter | None:
    """The event by which a step calls another system; None for a restricted case.

    Other systems are cleared for no case: there is nothing that they could be told of one.
    """
    if ticket.restricted:
        return None
    facts = {
        "policy": policy,
        "step": step,
        "position": rung,
        "firing": firing.pk,
        "due_at": instant_text(firing.due_at),
    }
    return Letter(
        topic=ticket.topic,
        cause=firing.cause,
        recipient_id=hook.account_id,
        kind=WEBHOOK,
        subject=f"[{ticket.key}] {hook.name}: {step}",
        body=f"{policy}: {step}",
        priority=ticket.priority,
        channel=WEBHOOK,
        rung=rung,
        data={"event": event_of(ticket, "escalation.fired", firing.fired_at, facts)},
    )


def event_of(ticket: Ticket, name: str, at: datetime, facts: dict[str, Any]) -> dict[str, Any]:
    """An event as other systems read it: type, time, and what they may know of the ticket."""
    about = {
        "key": ticket.key,
        "kind": ticket.kind,
        "subject": ticket.subject,
        "priority": ticket.priority,
        "status": ticket.status,
        "team": ticket.team.slug if ticket.team else None,
        "service": ticket.service.slug if ticket.service else None,
        "major": ticket.is_major,
        "path": f"/tickets/{ticket.key}",
    }
    return {"type": name, "timestamp": instant_text(at), "data": {"ticket": about, **facts}}
