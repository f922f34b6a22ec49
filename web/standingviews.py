"""Puts the standing views into SQL once for all readers, who differ in a few values only."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from roles.access import allows
from roles.models import Team
from roles.people import any_agent, roles_of
from roles.written import Written
from tickets.models import Ticket, TicketQuerySet
from web.sorting import Sort, first_of, ordered
from web.tabs import BREACH_AHEAD, OF_TEAMS, Reader, by_team, tickets_in, visible

BY_TIME: Final = frozenset({"breach"})
ANY_TIME: Final = datetime(1, 2, 3, tzinfo=UTC)
JOINED: Final = ("requester", "assignee", "owner", "service")
"""What is read with the tickets; teams are known already, and a dozen joins take long to plan."""


def is_usual(reader: Reader) -> bool:
    """Whether these views ask the same of the database for this reader as for nearly all agents.

    So it is for whoever may see every ticket but cases.
    """
    return reader.is_agent and allows(roles_of(reader.person), "view", frozenset())


def kinds_of(slugs: Sequence[str], teams: int) -> dict[str, Any]:
    """The values in which readers of these views differ, who are in so many teams."""
    kinds: dict[str, Any] = {"person": int}
    if not BY_TIME.isdisjoint(slugs):
        kinds["soon"] = datetime
    if not OF_TEAMS.isdisjoint(slugs):
        kinds |= {f"team {number}": int for number in range(teams)}
    return kinds


def values_of(reader: Reader) -> dict[str, Any]:
    """These values for one reader, all that there are."""
    values: dict[str, Any] = {"person": reader.person.pk, "soon": reader.now + BREACH_AHEAD}
    return values | {f"team {number}": pk for number, pk in enumerate(reader.team_ids)}


def reader_of(values: Mapping[str, Any]) -> Reader:
    """Somebody for whom these are the values."""
    teams = [Team(pk=value) for name, value in values.items() if name.startswith("team ")]
    for team in teams:
        team.is_mine = True  # type: ignore[attr-defined]
    now = values["soon"] - BREACH_AHEAD if "soon" in values else ANY_TIME
    return Reader(any_agent(values["person"]), teams, True, now)


def scope_of(reader: Reader, *, but_cases: bool) -> TicketQuerySet:
    """What the reader may see; `but_cases` leaves out what only the cleared see."""
    seen = visible(reader.person)
    # A clearance may be newer than what is known of the reader, and what is shared is for all.
    return seen.filter(restricted=False) if but_cases else seen


def with_around(tickets: TicketQuerySet) -> TicketQuerySet:
    """The tickets with all that a row shows of those around them, without what none shows."""
    return tickets.select_related(*JOINED).defer("description", "resolution")


def first_rows(slug: str, sort: Sort, reader: Reader, *, but_cases: bool) -> list[Ticket]:
    """The first page of a view, and one more, for somebody who `is_usual`."""
    teams = len(reader.team_ids) if slug in OF_TEAMS else 0
    return _first(slug, sort, teams, but_cases).rows(**values_of(reader))


@lru_cache(maxsize=500)
def _first(slug: str, sort: Sort, teams: int, but_cases: bool) -> Written[Ticket]:
    def make(**values: Any) -> TicketQuerySet:
        reader = reader_of(values)
        scope = scope_of(reader, but_cases=but_cases)
        parts = [tickets_in(scope, slug, each) for each in by_team(slug, reader)]
        return ordered(with_around(first_of(parts, sort)), sort)

    return Written(make, **kinds_of([slug], teams))
