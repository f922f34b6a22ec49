"""Reads that more than one door needs: a timeline as one reader may see it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db.models import Case, CharField, Exists, JSONField, OuterRef, QuerySet, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.db.models.query import ModelIterable

from roles.models import Person
from tickets.models import Clearance, EventKind, Ticket, TimelineEvent

NAMING = (EventKind.LINKED, EventKind.MERGED)
"""Kinds of event that name another ticket, in the fact `other`."""
KEY: Final = re.compile(r"\b[A-Z]{2,8}-\d{3,}\b")
UNNAMED: Final = "another ticket"


def readable_events(events: QuerySet[TimelineEvent], person: Person) -> QuerySet[TimelineEvent]:
    """The events without those that name a case for which the person is not cleared.

    A link made while both tickets were open stays on both timelines for ever; once one of them is
    restricted, the other's must not tell of it. Where other events name it by the way (what one
    waited for, whose workaround it was), they are read without its key: what is stored stays.
    """
    shown = not_naming(events, person.pk)
    shown._iterable_class = _read_by(person)  # type: ignore[attr-defined]
    return shown


def not_naming(events: QuerySet[TimelineEvent], person_id: int) -> QuerySet[TimelineEvent]:
    """The same events, of which `discreetly` still has to take away what they say by the way."""
    facts = KeyTransform("facts", Cast("canonical", JSONField()))
    other = Case(
        When(kind__in=NAMING, then=KeyTextTransform("other", facts)), output_field=CharField()
    )
    cleared = Exists(Clearance.objects.filter(ticket=OuterRef("pk"), person=person_id))
    case = Ticket.objects.filter(key=OuterRef("names"), restricted=True)
    return events.alias(names=other).filter(~Exists(case.exclude(cleared)))


def discreetly(events: list[TimelineEvent], person: Person | None) -> list[TimelineEvent]:
    """These events without the keys of cases closed to the person; one query at the most.

    Without a person they are told outside, where every case is closed.
    """
    hidden = hidden_keys((words for event in events for words in _words(event)), person)
    for event in events if hidden else ():
        event.canonical = without(event.canonical, hidden)
        if (body := event._state.fields_cache.get("body")) is not None:
            body.text = without(body.text, hidden)
    return events


def _read_by(person: Person) -> type[ModelIterable]:
    """How a queryset of events is read by one person: all rows first, then without those keys."""

    class Discreet(ModelIterable):
        def __iter__(self) -> Iterator[Any]:
            yield from discreetly(list(super().__iter__()), person)

    return Discreet


def _words(event: TimelineEvent) -> list[str]:
    body = event._state.fields_cache.get("body")
    return [event.canonical, *([body.text] if body else [])]


def discreet(text: str, person: Person) -> str:
    """A text about a ticket as the person may read it: without the keys of cases closed to them."""
    return without(text, hidden_keys([text], person))


def hidden_keys(texts: Iterable[str], person: Person | None) -> set[str]:
    """The keys in these texts of restricted cases for which the person is not cleared.

    One query; none where no key is named. Nobody is cleared for any.
    """
    named = {key for text in texts for key in KEY.findall(text)}
    if not named:
        return set()
    cases = Ticket.objects.filter(key__in=named, restricted=True)
    if person is not None:
        cleared = Clearance.objects.filter(person=person.pk).values("ticket")
        cases = cases.exclude(pk__in=cleared)
    return set(cases.values_list("key", flat=True))


def without(text: str, keys: set[str]) -> str:
    """The text with other words in the place of these keys."""
    return KEY.sub(lambda found: UNNAMED if found[0] in keys else found[0], text) if keys else text
