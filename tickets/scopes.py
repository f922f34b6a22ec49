"""One ticket as its reader may see it, asked for in statements that are written once."""

from collections.abc import Callable

from django.db.models import QuerySet

from roles.access import allows
from roles.models import Person
from roles.people import any_agent, any_requester, roles_of
from roles.written import Written
from tickets.models import Ticket


class SeenTicket:
    """A query for what a person may see, and what it takes to ask it for one key.

    `make` builds the query from the person; but for ids it may depend on nothing else than what
    `visible_to` goes by. There is one statement for each kind of reader.
    """

    def __init__(self, make: Callable[[Person], QuerySet[Ticket]]) -> None:
        self._of_agents: Written[Ticket] = Written(
            lambda person, key: make(any_agent(person)).filter(key=key), person=int, key=str
        )
        self._of_requesters: Written[Ticket] = Written(
            lambda person, key: make(any_requester(person)).filter(key=key), person=int, key=str
        )
        self._of_members: Written[Ticket] = Written(
            lambda person, key, of: make(any_requester(person, of)).filter(key=key),
            person=int,
            key=str,
            of=int,
        )

    def find(self, person: Person, key: str) -> Ticket | None:
        """The ticket of that key, or None where there is none or the person may not see it."""
        asked = {"person": person.pk, "key": key}
        if allows(roles_of(person), "view", frozenset()):
            return self._of_agents.first(**asked)
        organisation = person.organisation
        if organisation is not None and organisation.may_see_own:
            return self._of_members.first(**asked, of=organisation.pk)
        return self._of_requesters.first(**asked)
