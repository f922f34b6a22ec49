"""Names in a text, such as @anna: who is meant, who of them may know, and telling them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Case, Q, Value, When

from notifications.outbox import enqueue
from roles.models import Membership, Person
from roles.people import works_here
from tickets import letters
from tickets.access import may
from tickets.acting import Act
from tickets.models import Clearance, EventKind, Ticket, TimelineEvent, Watcher

NAMED: Final = re.compile(r"(?<![\w@.+/-])@([A-Za-z0-9_.+-]*[A-Za-z0-9_])")
MOST: Final = 20
OFFERED: Final = 8
WEIGHED: Final = 40
"""How many whose names fit are asked for what they may see, until enough may."""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Who is named and may know of it, and who is named and may not."""

    people: list[Person] = field(default_factory=list)
    left_out: list[Person] = field(default_factory=list)


def mentioned_in(text: str, ticket: Ticket, *, public: bool) -> Mentioned:
    """The people whose user names stand in the text after an @, once each.

    Only those count who may see the ticket, and the note if it is one.
    """
    names = {name.lower() for name in NAMED.findall(text)}
    if not names:
        return Mentioned()
    # By any case: the database knows one person of a name however it is written.
    wanted = Person.objects.none()
    for name in sorted(names)[:MOST]:
        wanted = wanted | Person.objects.filter(username__iexact=name)
    found = Mentioned()
    action = "view" if public else "see_internal"
    people = wanted.filter(is_active=True, kind=Person.Kind.PERSON)
    for person in people.select_related("organisation").order_by("pk"):
        allowed = may(person, action, ticket) and may(person, "view", ticket)
        (found.people if allowed else found.left_out).append(person)
    return found


def mentionable(reader: Person, ticket: Ticket, word: str, *, public: bool) -> list[Person]:
    """Whom the reader may call by a name that begins so: only those whom it would reach.

    By user name, first name or a later one; at most OFFERED, nobody for no letters at all. Those of
    the ticket come first, and of the others only who works here is weighed: among thousands who ask
    for help, hardly anybody may read this.
    """
    if not word:
        return []
    called = Q(username__istartswith=word) | Q(name__istartswith=word)
    called |= Q(name__icontains=f" {word}")
    people = Person.objects.filter(called, is_active=True, kind=Person.Kind.PERSON)
    watching = Watcher.objects.filter(ticket=ticket.pk).values("person")
    tied = Q(pk__in=watching) | Q(pk__in=[ticket.requester_id, ticket.assignee_id or 0])
    cleared = Clearance.objects.filter(ticket=ticket.pk).values("person")
    people = people.filter(Q(pk__in=cleared) if ticket.restricted else tied | works_here())
    near = Q(pk__in=Membership.objects.filter(team=ticket.team_id).values("person"))
    place = Case(When(tied, then=Value(0)), When(near, then=Value(1)), default=Value(2))
    people = people.exclude(pk=reader.pk).select_related("organisation")
    action = "view" if public else "see_internal"
    found: list[Person] = []
    for person in people.order_by(place, "name", "pk")[:WEIGHED]:
        if len(found) == OFFERED:
            break
        if may(person, action, ticket) and may(person, "view", ticket):
            found.append(person)
    return found


def tell_mentioned(act: Act, event: TimelineEvent, people: Sequence[Person], body: str) -> None:
    """Let those named watch the ticket from now on, on record, and tell them why."""
    ids = [person.pk for person in people if person.pk != event.actor_id]
    known = set(letters.watcher_ids(act.ticket)) | {act.ticket.requester_id}
    added = [pk for pk in ids if pk not in known]
    for pk in added:
        Watcher.objects.get_or_create(ticket=act.ticket, person_id=pk, defaults={"since": act.now})
    if added:
        act.record(EventKind.WATCHED, facts={"added": added})
    enqueue(
        letters.to_people(act.ticket, event, kind="mentioned", body=body, person_ids=ids),
        now=act.now,
    )
