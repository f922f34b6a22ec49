"""Who is told how a major incident goes, and its record kept true to its ticket."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from notifications.outbox import Letter, enqueue
from roles.models import DutyAssignment, Membership, Person
from tickets import letters, reminders
from tickets.acting import Act
from tickets.contactlists import to_listed
from tickets.models import Major, Ticket, TicketLink, TimelineEvent, Watcher
from tickets.subscriptions import to_subscribers

EVERYBODY: Final = "everybody"
INSIDE: Final = "inside"
AUDIENCES: Final = {
    EVERYBODY: "Requesters, watchers and everybody at work on it",
    INSIDE: "People of the service only",
}


def children_of(ticket: Ticket) -> list[int]:
    """The ids of the tickets that hang on this one, in order; restricted ones are left alone."""
    rows = TicketLink.objects.filter(
        target=ticket.pk, relation=TicketLink.Relation.CHILD_OF, source__restricted=False
    )
    return list(rows.order_by("source_id").values_list("source_id", flat=True))


def tell(act: Act, event: TimelineEvent, *, kind: str, body: str, audience: str) -> None:
    """Put the word into the outbox for everybody of the audience, each once.

    Those who asked in a child ticket hear of it under their own ticket's key.
    """
    major = Major.objects.filter(ticket=act.ticket.pk).first()
    named = set(major.people.values()) if major else set()
    near = {*letters.watcher_ids(act.ticket), act.ticket.assignee_id, *named} - {None}
    if audience == INSIDE:
        inside = _working_here(pk for pk in near if pk) | named
        told = letters.to_people(act.ticket, event, kind=kind, body=body, person_ids=inside)
    else:
        told = letters.to_requester(act.ticket, event, kind=kind, body=body)
        reached = {letter.recipient_id for letter in told}
        told += letters.to_people(
            act.ticket, event, kind=kind, body=body, person_ids=near - reached
        )
        told += _to_children(act.ticket, event, kind, body)
        reached = {letter.recipient_id for letter in told}
        told += to_subscribers(act.ticket, event, kind=kind, body=body, leave_out=reached)
        reached = {letter.recipient_id for letter in told}
        severity = major.severity if major else Major.Severity.CRITICAL
        told += to_listed(
            act.ticket, event, kind=kind, body=body, severity=severity, leave_out=reached
        )
    enqueue(_once_each(told), now=act.now)


def _to_children(ticket: Ticket, event: TimelineEvent, kind: str, body: str) -> list[Letter]:
    ids = children_of(ticket)
    children = Ticket.objects.filter(pk__in=ids).select_related("requester")
    watching: dict[int, list[int]] = {}
    for child_id, person_id in Watcher.objects.filter(ticket__in=ids).values_list(
        "ticket_id", "person_id"
    ):
        watching.setdefault(child_id, []).append(person_id)
    told: list[Letter] = []
    for child in children.order_by("id"):
        told += letters.to_requester(child, event, kind=kind, body=body)
        told += letters.to_people(
            child, event, kind=kind, body=body, person_ids=watching.get(child.pk, [])
        )
    return told


def _once_each(told: Iterable[Letter]) -> list[Letter]:
    first: dict[int, Letter] = {}
    for letter in told:
        first.setdefault(letter.recipient_id, letter)
    return list(first.values())


def _working_here(person_ids: Iterable[int]) -> set[int]:
    """Those of them who have a place in the service: a team or a duty."""
    ids = list(person_ids)
    people = Person.objects.filter(pk__in=ids, is_active=True)
    members = Membership.objects.filter(person__in=people).values_list("person_id", flat=True)
    holders = DutyAssignment.objects.filter(person__in=people).values_list("person_id", flat=True)
    return set(members) | set(holders)


# ---- The record follows its ticket -------------------------------------------------------------


def end_with_ticket(act: Act, event: TimelineEvent, *, body: str, quietly: bool = False) -> None:
    """The ticket is over: so is the major incident, whatever door it was ended through.

    `quietly`: the status page says so, and nobody is written to.
    """
    if not act.ticket.is_major:
        return
    _set_state(act.ticket, Major.State.ACCEPTED, Major.State.RESOLVED, act.now)
    reminders.forget(act, "The major incident is over.")
    if quietly:
        return
    tell(act, event, kind="major_resolved", body=body, audience=EVERYBODY)


def go_on_with_ticket(act: Act, event: TimelineEvent) -> None:
    """The ticket is open again: so is the major incident, and a first word is due anew."""
    if not act.ticket.is_major:
        return
    _set_state(act.ticket, Major.State.RESOLVED, Major.State.ACCEPTED, None)
    major = Major.objects.filter(ticket=act.ticket.pk, state=Major.State.ACCEPTED).first()
    if major is not None:
        major.next_update_at = act.now + reminders.FIRST_WORD
        major.save(update_fields=["next_update_at"])
        reminders.remind(act, event, major)


def _set_state(ticket: Ticket, was: str, state: str, ended_at: datetime | None) -> None:
    Major.objects.filter(ticket=ticket.pk, state=was).update(
        state=state, ended_at=ended_at, next_update_at=None
    )
