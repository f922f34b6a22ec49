"""Who wants to hear of major incidents of which services, and the word to them."""

from collections.abc import Iterable
from dataclasses import replace

from django.db import transaction
from django.db.models import Q

from notifications.outbox import Letter
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import works_here
from roles.refusals import Invalid
from tickets.letters import SUBJECTS
from tickets.models import Service, ServiceSubscriber, Ticket, TimelineEvent

STATUS_PAGE = "/status"
UNSUBSCRIBE = "unsubscribe"
"""The link in their mail by which subscribers hear no more, in one press."""


@transaction.atomic
def subscribe(*, actor: Person, service: Service, clock: TimeSource = database_now) -> None:
    """From now on the actor hears of majors of this service. Raises Invalid for a retired one."""
    if not service.is_active:
        raise Invalid("retired", "This service is not offered any more.")
    _, is_new = ServiceSubscriber.objects.get_or_create(
        service=service, person=actor, defaults={"since": clock()}
    )
    if is_new:
        audit.record(
            actor=actor,
            action="service.subscribed",
            subject=actor,
            changes={"service": service.slug},
            clock=clock,
        )


@transaction.atomic
def unsubscribe(*, actor: Person, service: Service, clock: TimeSource = database_now) -> None:
    """The actor hears no more of majors of this service."""
    gone, _ = ServiceSubscriber.objects.filter(service=service, person=actor).delete()
    if gone:
        audit.record(
            actor=actor,
            action="service.unsubscribed",
            subject=actor,
            changes={"service": service.slug},
            clock=clock,
        )


def subscribed_services(person: Person) -> set[int]:
    """The ids of the services whose majors the person wants to hear of."""
    rows = ServiceSubscriber.objects.filter(person=person.pk)
    return set(rows.values_list("service_id", flat=True))


def to_subscribers(
    ticket: Ticket,
    event: TimelineEvent,
    *,
    kind: str,
    body: str,
    leave_out: Iterable[int],
) -> list[Letter]:
    """The word to everybody who subscribed to the service and is concerned by this ticket."""
    if ticket.service is None or ticket.restricted:
        return []
    rows = ServiceSubscriber.objects.filter(
        concerned(ticket), service=ticket.service_id, person__is_active=True
    ).exclude(person__in=[*leave_out, *([event.actor_id] if event.actor_id else [])])
    ids = rows.order_by("person_id").values_list("person_id", flat=True)
    told = words_to(ids, ticket, event, kind=kind, body=body)
    return [replace(letter, data={**letter.data, "leave": UNSUBSCRIBE}) for letter in told]


def service_of(topic: str) -> Service | None:
    """The service that a letter to subscribers was about; it told them the service's name."""
    kind, _, number = topic.partition(":")
    if kind != "ticket" or not number.isdigit():
        return None
    return Service.objects.filter(tickets=int(number)).first()


def concerned(ticket: Ticket) -> Q:
    """Which rows with a `person` are about somebody whom the status page would show the ticket to.

    That is people of the service, and all whose organisation is the ticket's, or everybody where it
    has none.
    """
    if ticket.organisation_id is None:
        return Q()
    return works_here("person") | Q(person__organisation=ticket.organisation_id)


def words_to(
    person_ids: Iterable[int], ticket: Ticket, event: TimelineEvent, *, kind: str, body: str
) -> list[Letter]:
    """One letter to each: the service's name instead of the ticket's words, and the status page."""
    return [
        Letter(
            topic=ticket.topic,
            cause=event.cause,
            recipient_id=person_id,
            kind=kind,
            subject=f"{ticket.service or ticket.get_kind_display()}: {SUBJECTS[kind]}",
            body=body,
            priority=ticket.priority,
            data={"url": STATUS_PAGE},
        )
        for person_id in person_ids
    ]
