"""What the people around a ticket are told, in words that a requester understands."""

from collections.abc import Iterable

from notifications.outbox import Letter
from roles.models import Person
from tickets.models import Ticket, TimelineEvent, Watcher

SUBJECTS = {
    "received": "We have received your request",
    "escalated": "Your request has been passed to {team}",
    "waiting": "We need your answer",
    "replied": "There is an answer to your request",
    "resolved": "Your request has been resolved",
    "reopened": "Your request has been reopened",
    "closed": "Your request has been closed",
    "answered": "The requester has answered",
    "assigned": "A ticket has been assigned to you",
    "woken": "The wake-up time has come",
}


def letter(
    ticket: Ticket,
    event: TimelineEvent,
    *,
    kind: str,
    recipient_id: int,
    body: str,
    team_name: str = "",
) -> Letter:
    """One letter about one event; a restricted ticket's tells nothing but that there is news."""
    subject = SUBJECTS[kind].format(team=team_name)
    if ticket.restricted:
        subject, body = "There is news on a case", "Please sign in to read it."
        head = f"[{ticket.key}] {subject}"
    else:
        head = f"[{ticket.key}] {subject}: {ticket.subject}"
    return Letter(
        topic=ticket.topic,
        cause=event.cause,
        recipient_id=recipient_id,
        kind=kind,
        subject=head,
        body=body,
        priority=ticket.priority,
        clearance=ticket.topic if ticket.restricted else "",
        data={"url": f"/tickets/{ticket.key}", "ticket": ticket.key},
    )


def to_requester(
    ticket: Ticket, event: TimelineEvent, *, kind: str, body: str, team_name: str = ""
) -> list[Letter]:
    """A letter to the requester: none to a service account, none about one's own act."""
    requester = ticket.requester
    if requester.kind == Person.Kind.SERVICE:
        return []
    if event.actor_id == requester.pk and kind not in ("received", "resolved"):
        return []
    return [
        letter(
            ticket,
            event,
            kind=kind,
            recipient_id=requester.pk,
            body=body,
            team_name=team_name,
        )
    ]


def to_people(
    ticket: Ticket, event: TimelineEvent, *, kind: str, body: str, person_ids: Iterable[int | None]
) -> list[Letter]:
    """The same letter to several people, the actor left out."""
    ids = {person_id for person_id in person_ids if person_id and person_id != event.actor_id}
    return [
        letter(ticket, event, kind=kind, recipient_id=person_id, body=body)
        for person_id in sorted(ids)
    ]


def watcher_ids(ticket: Ticket) -> list[int]:
    """Who watches the ticket."""
    return list(Watcher.objects.filter(ticket=ticket.pk).values_list("person_id", flat=True))
