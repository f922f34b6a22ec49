"""Tickets that sound like this one: by their words, newest first among equals, seen ones only."""

import re
from typing import Final

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import F

from roles.models import Person
from tickets.models import Ticket

SHOWN: Final = 6
LOOKED_AT: Final = 4000
"""So many of the newest tickets are compared: the cost stays the same however many there are."""
WORD: Final = re.compile(r"\w{3,}")
MOST_WORDS: Final = 12


def similar_to(ticket: Ticket, person: Person) -> list[Ticket]:
    """Up to six seen tickets whose subject shares words with this one's, the closest first."""
    words = list(dict.fromkeys(WORD.findall(ticket.subject.lower())))[:MOST_WORDS]
    if not words:
        return []
    query = SearchQuery(" | ".join(words), search_type="raw", config="simple")
    newest = Ticket.objects.visible_to(person).exclude(pk=ticket.pk).order_by("-pk")
    ids = newest.values("pk")[:LOOKED_AT]
    vector = SearchVector("subject", config="simple")
    found = Ticket.objects.filter(pk__in=ids).annotate(nearness=SearchRank(vector, query))
    found = found.filter(nearness__gt=0).order_by(F("nearness").desc(), "-pk")
    return list(found.select_related("team__tier")[:SHOWN])
