"""Brings people along: whom a requester lets follow a request."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from notifications.outbox import enqueue
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import roles_of, works_here
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import letters
from tickets.acting import acting
from tickets.models import EventKind, Ticket, Watcher

UNKNOWN = "We know nobody by this name or address. Ask the person to sign in once, or ask us."


def known_person(actor: Person, given: str) -> Person:
    """The active person meant: by full e-mail address, or by name within one's own organisation.

    Raises Invalid when there is none, or more than one of that name.
    """
    words = given.strip()
    if not words or "\x00" in words or len(words) > 254:
        raise Invalid("unknown_person", "Say whom.", {"person": "An e-mail address, please."})
    meant = Q(email__iexact=words)
    if actor.organisation_id is not None:
        mine = Q(organisation=actor.organisation_id)
        meant |= mine & (Q(name__iexact=words) | Q(username__iexact=words))
    people = Person.objects.filter(meant, is_active=True, kind=Person.Kind.PERSON)
    found = list(people.order_by("pk")[:2])
    if len(found) != 1:
        several = "Several people have this name; give the e-mail address."
        raise Invalid("unknown_person", "Whom?", {"person": several if found else UNKNOWN})
    return found[0]


def guests(ticket: Ticket) -> QuerySet[Person]:
    """Who follows the ticket without working here: those whom its requester is shown.

    Which people of the service watch it is a matter of the inside.
    """
    return Person.objects.filter(~works_here(), watched__ticket=ticket.pk)


def invite(
    *,
    ticket: Ticket,
    actor: Person,
    person: Person,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Watcher:
    """Let somebody follow the ticket and answer on it; that person is told.

    Raises Forbidden, Conflict for somebody who follows it already, Invalid on a restricted case.
    """
    with acting(ticket, actor=actor, action="invite", clock=clock, via=via) as act:
        if act.ticket.restricted:
            raise Invalid("restricted", "People are cleared for a case, not added to it.")
        if person.pk == act.ticket.requester_id:
            raise Conflict("is_requester", f"{person} has asked for this.")
        made, is_new = Watcher.objects.get_or_create(
            ticket=act.ticket, person=person, defaults={"since": act.now}
        )
        if not is_new:
            raise Conflict("follows", f"{person} follows it already.")
        event = act.record(EventKind.WATCHED, facts={"added": [person.pk]})
        told = letters.to_people(
            act.ticket, event, kind="invited", body=_words(actor), person_ids=[person.pk]
        )
        enqueue(told, now=act.now)
        return made


def uninvite(
    *,
    ticket: Ticket,
    actor: Person,
    person: Person,
    clock: TimeSource = database_now,
    via: str = "web",
) -> None:
    """Let somebody follow it no longer. Raises Forbidden, Conflict for who does not.

    Whoever only asked for help takes guests off, never people of the service.
    """
    with acting(ticket, actor=actor, action="invite", clock=clock, via=via) as act:
        _require_guests(actor, [person])
        gone, _ = Watcher.objects.filter(ticket=act.ticket, person=person).delete()
        if not gone:
            raise Conflict("follows_not", f"{person} does not follow it.")
        act.record(EventKind.WATCHED, facts={"removed": [person.pk]})


def take_off(
    *,
    ticket: Ticket,
    actor: Person,
    people: Sequence[Person],
    clock: TimeSource = database_now,
    via: str = "web",
) -> None:
    """Let these people follow it no longer, told in one event. Raises Forbidden.

    Raises Conflict where none of them follows it, and Invalid where nobody is named.
    """
    if not people:
        raise Invalid("nobody_named", "Choose somebody.", {"people": "Choose somebody."})
    with acting(ticket, actor=actor, action="invite", clock=clock, via=via) as act:
        _require_guests(actor, people)
        watching = Watcher.objects.filter(ticket=act.ticket, person__in=people)
        gone = sorted(watching.values_list("person_id", flat=True))
        if not gone:
            raise Conflict("follows_not", "None of them follows it any more.")
        watching.delete()
        act.record(EventKind.WATCHED, facts={"removed": gone})


def _require_guests(actor: Person, people: Sequence[Person]) -> None:
    """Raise Forbidden where somebody who does not work here means one who does."""
    if roles_of(actor) - {"requester"}:
        return
    if Person.objects.filter(works_here(), pk__in=[person.pk for person in people]).exists():
        words = "Which people of the service watch a request is for them to say."
        raise Forbidden("not_a_guest", words)


def _words(actor: Person) -> str:
    return f"{actor} lets you follow this request. You can read it and answer on it."
