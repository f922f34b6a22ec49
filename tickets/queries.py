"""Reads that more than one door needs: a timeline as one reader may see it."""

from django.db.models import Case, CharField, Exists, JSONField, OuterRef, QuerySet, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from roles.models import Person
from tickets.models import Clearance, EventKind, Ticket, TimelineEvent

NAMING = (EventKind.LINKED, EventKind.MERGED)
"""Kinds of event that name another ticket, in the fact `other`."""


def readable_events(events: QuerySet[TimelineEvent], person: Person) -> QuerySet[TimelineEvent]:
    """The events without those that name a case for which the person is not cleared.

    A link made while both tickets were open stays on both timelines for ever; once one of them is
    restricted, the other's must not tell of it.
    """
    facts = KeyTransform("facts", Cast("canonical", JSONField()))
    other = Case(
        When(kind__in=NAMING, then=KeyTextTransform("other", facts)), output_field=CharField()
    )
    cleared = Exists(Clearance.objects.filter(ticket=OuterRef("pk"), person=person.pk))
    case = Ticket.objects.filter(key=OuterRef("names"), restricted=True)
    return events.alias(names=other).filter(~Exists(case.exclude(cleared)))
