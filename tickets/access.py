"""What a person is to a ticket, and so what they may do with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, JSONObject

from notifications.outbox import told, was_told
from roles.access import ACTIONS, allowed
from roles.models import Membership, Person
from roles.people import roles_of
from roles.refusals import Forbidden
from roles.written import Written
from tickets.models import Clearance, Ticket, Watcher

PAGES = ("page", "notify")
"""Kinds of message that call somebody to a ticket; an acknowledgement makes them pointless."""


def with_ties(tickets: QuerySet[Ticket], person: Person) -> QuerySet[Ticket]:
    """The tickets, each with all that makes this person's relations to it; no further query."""
    mine = {"ticket": OuterRef("pk"), "person": person.pk}
    topic = Concat(Value("ticket:"), Cast(OuterRef("pk"), TextField()))
    places = Membership.objects.filter(person=person.pk).order_by("team")
    return tickets.annotate(
        tied_person=Value(person.pk),
        was_paged=Exists(told(person_id=person.pk, kinds=PAGES).filter(topic=topic)),
        is_watching=Exists(Watcher.objects.filter(**mine)),
        is_cleared=Exists(Clearance.objects.filter(**mine)),
        places=ArraySubquery(places.values(place=JSONObject(team="team_id", role="role"))),
    )


PLACES: Final = Written(
    lambda person: Membership.objects.filter(person=person).order_by().values("team_id", "role"),
    person=int,
)


def tie_to_new(ticket: Ticket, person: Person) -> None:
    """Let a ticket know how this person is tied to it, as `with_ties` would; at most one query.

    The ticket has just been opened in this process: nobody was paged for it, and nobody watches.
    """
    if not ticket.restricted:
        held = PLACES.all(person=person.pk)
        ticket.__dict__ |= {
            "tied_person": person.pk,
            "was_paged": False,
            "is_watching": False,
            "is_cleared": False,
            "places": [{"team": each["team_id"], "role": each["role"]} for each in held],
        }


@dataclass(frozen=True, slots=True)
class Ties:
    """What was read of one person and one ticket to know the relations between them."""

    paged: bool
    watcher: bool
    cleared: bool
    places: Sequence[tuple[int, str]]


def _ties(person: Person, ticket: Ticket) -> Ties:
    read: Any = ticket
    if getattr(read, "tied_person", None) == person.pk:
        places = [(place["team"], place["role"]) for place in read.places]
        return Ties(read.was_paged, read.is_watching, read.is_cleared, places)
    return Ties(
        paged=was_told(topic=ticket.topic, person_id=person.pk, kinds=PAGES),
        watcher=Watcher.objects.filter(ticket=ticket.pk, person=person.pk).exists(),
        cleared=Clearance.objects.filter(ticket=ticket.pk, person=person.pk).exists(),
        places=list(Membership.objects.filter(person=person.pk).values_list("team", "role")),
    )


def relations(person: Person, ticket: Ticket) -> frozenset[str]:
    """The person's relations to the ticket, by the names of the access table."""
    ties = _ties(person, ticket)
    found = {
        "requester": ticket.requester_id == person.pk,
        "assignee": ticket.assignee_id == person.pk,
        "own_organisation": ticket.organisation_id is not None
        and ticket.organisation_id == person.organisation_id
        and person.organisation is not None
        and person.organisation.may_see_own,
        "paged": ties.paged,
        "watcher": ties.watcher,
        "cleared": ties.cleared,
    }
    return frozenset(name for name, holds in found.items() if holds) | _team_relations(
        person, ticket, ties.places
    )


def _team_relations(
    person: Person, ticket: Ticket, places: Sequence[tuple[int, str]]
) -> frozenset[str]:
    found: set[str] = set()
    for team_id, role in places:
        if team_id == ticket.team_id:
            found.add("own_team")
            if role in ("lead", "manager"):
                found.add(f"{role}_of_team")
        if team_id == ticket.owner_team_id:
            found.add("owner_team")
    team = ticket.team
    if team is not None and team.lead_id == person.pk:
        found |= {"own_team", "lead_of_team"}
    if team is not None and team.manager_id == person.pk:
        found |= {"own_team", "manager_of_team"}
    return frozenset(found)


def may(person: Person | None, action: str, ticket: Ticket) -> bool:
    """Whether this person may do this to this ticket; the engine itself (None) may do anything."""
    return person is None or action in _allowed(person, ticket, frozenset({action}))


def allowed_actions(person: Person, ticket: Ticket) -> set[str]:
    """Every action of the access table that this person may do to this ticket."""
    return _allowed(person, ticket, ACTIONS)


def _allowed(person: Person, ticket: Ticket, actions: frozenset[str]) -> set[str]:
    if not person.is_active:
        return set()
    tied = relations(person, ticket)
    if ticket.restricted and "cleared" not in tied:
        return set()
    return set(actions & allowed(roles_of(person), tied))


def require(person: Person | None, action: str, ticket: Ticket) -> None:
    """Raise Forbidden unless this person may do this to this ticket."""
    if not may(person, action, ticket):
        words = action.replace("_", " ")
        raise Forbidden("not_allowed", f"You may not {words} {ticket.key}.")


def is_cleared_for(topic: str, person_id: int) -> bool:
    """Whether a person may read a message about this topic ("ticket:17") at this moment."""
    ticket_id = topic.partition(":")[2]
    if not ticket_id.isdecimal():
        return False
    person = Person.objects.filter(pk=person_id).select_related("organisation").first()
    return person is not None and Ticket.objects.visible_to(person).filter(pk=ticket_id).exists()
