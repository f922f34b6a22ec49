"""Texts kept ready: which ones somebody may use on a ticket, filled in for it."""

from collections.abc import Sequence

from django.db.models import Q

from roles.models import Membership, Person
from tickets.models import CannedText, Ticket

MOST = 50


def canned_texts(person: Person, ticket: Ticket, words: str = "") -> Sequence[CannedText]:
    """The texts of everybody, of the ticket's team and of the person's own teams, by name."""
    teams = Membership.objects.filter(person=person.pk).values("team")
    mine = Q(team=None) | Q(team=ticket.team_id) | Q(team__in=teams)
    found = CannedText.objects.filter(mine, is_active=True).select_related("team")
    for word in words.split()[:5]:
        found = found.filter(Q(name__icontains=word) | Q(text__icontains=word))
    return list(found[:MOST])


def filled(text: str, *, person: Person, ticket: Ticket) -> str:
    """The text with its placeholders filled; what is no placeholder stays as it is."""
    for name, value in {
        "{requester}": str(ticket.requester),
        "{key}": ticket.key,
        "{team}": ticket.team.name if ticket.team else "",
        "{agent}": str(person),
    }.items():
        text = text.replace(name, value)
    return text
