"""What the people around a ticket are told, in words that a requester understands."""

from collections.abc import Iterable

from django.utils.translation import gettext_noop

from notifications.outbox import Letter
from notifications.shipped import ship
from roles.models import Person
from tickets.models import Ticket, TimelineEvent, Watcher

SUBJECTS = {
    "received": gettext_noop("We have received your request"),
    "escalated": gettext_noop("Your request has been passed to {team}"),
    "waiting": gettext_noop("We need your answer"),
    "replied": gettext_noop("There is an answer to your request"),
    "resolved": gettext_noop("Your request has been resolved"),
    "reopened": gettext_noop("Your request has been reopened"),
    "closed": gettext_noop("Your request has been closed"),
    "answered": gettext_noop("The requester has answered"),
    "assigned": gettext_noop("A ticket has been assigned to you"),
    "woken": gettext_noop("The wake-up time has come"),
    "merged": gettext_noop("Your request has been joined with another one"),
    "attached": gettext_noop("Your request belongs to a major incident"),
    "major_proposed": gettext_noop("A major incident has been proposed; please decide"),
    "major_rejected": gettext_noop("Your proposal of a major incident was turned down"),
    "major_declared": gettext_noop("This is a major incident now"),
    "major_role": gettext_noop("You have a role in a major incident"),
    "major_updated": gettext_noop("News of a major incident"),
    "major_due": gettext_noop("Stakeholders wait for word; it is due in a few minutes"),
    "major_late": gettext_noop("Stakeholders wait for word; it is late"),
    "major_demoted": gettext_noop("This is not a major incident any more"),
    "major_resolved": gettext_noop("A major incident is over"),
    "cleared": gettext_noop("You have been cleared for a case"),
    "lifting": gettext_noop("Somebody wants to lift a restriction; please look"),
    "resumed": gettext_noop("Work can go on"),
    "approval_wanted": gettext_noop("A change waits for your approval"),
    "change_approved": gettext_noop("The change is approved"),
    "change_rejected": gettext_noop("The change is rejected"),
    "change_ended": gettext_noop("The change has ended"),
    "workaround": gettext_noop("There is a workaround"),
    "mentioned": gettext_noop("You have been named in a ticket"),
    "invited": gettext_noop("You have been added to a request"),
    "chased": gettext_noop("The requester asks where it stands"),
    "owned": gettext_noop("You answer for a ticket now"),
}

SENTENCES = (
    gettext_noop("There is news on a case"),
    gettext_noop("Please sign in to read it."),
    gettext_noop("Your request has the key {key}. {team} will look at it."),
    gettext_noop("{team} now works on your request. You need not do anything."),
    gettext_noop("It is led by an incident manager now; you will hear from us regularly."),
    gettext_noop("We work on it as a part of {key} and keep you informed."),
    gettext_noop("Say how it goes; “still working on it” counts as word given."),
    gettext_noop("You are its incident manager."),
    gettext_noop("You are its communication coordinator."),
    gettext_noop("You are its technical lead."),
    gettext_noop("You are its scribe."),
)
"""What stands in the letters of this floor as a line of its own."""
ship(SUBJECTS.values())
ship(SENTENCES)

OFFERS: dict[str, dict[str, object]] = {
    "resolved": {"links": {"rate": "How was it? One press"}},
}
"""Signed links that a kind of letter carries beside "Open", by action."""
ship([gettext_noop("How was it? One press")])


def letter(
    ticket: Ticket,
    event: TimelineEvent,
    *,
    kind: str,
    recipient_id: int,
    body: str,
    team_name: str = "",
    urgency: str = "low",
    may_leave: bool = False,
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
        urgency=urgency,
        priority=ticket.priority,
        clearance=ticket.topic if ticket.restricted else "",
        data={
            "url": f"/tickets/{ticket.key}",
            "ticket": ticket.key,
            **OFFERS.get(kind, {}),
            **({"leave": True} if may_leave else {}),
        },
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
    ticket: Ticket,
    event: TimelineEvent,
    *,
    kind: str,
    body: str,
    person_ids: Iterable[int | None],
    urgency: str = "low",
    may_leave: bool = False,
) -> list[Letter]:
    """The same letter to several people, the actor left out.

    With `may_leave` those are people who only watch: their mail offers to end that in one press.
    """
    ids = {person_id for person_id in person_ids if person_id and person_id != event.actor_id}
    return [
        letter(
            ticket,
            event,
            kind=kind,
            recipient_id=person_id,
            body=body,
            urgency=urgency,
            may_leave=may_leave,
        )
        for person_id in sorted(ids)
    ]


def watcher_ids(ticket: Ticket) -> list[int]:
    """Who watches the ticket."""
    return list(Watcher.objects.filter(ticket=ticket.pk).values_list("person_id", flat=True))
