"""What the queue knows of its readers: roles, teams, views of their own; of many at once too."""

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateTimeField, F, Func, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from roles.instants import database_now
from roles.models import Duty, Membership, Person, Team
from roles.people import read_roles, roles_of
from roles.written import Written, any_of
from tickets.models import Clearance, SavedView
from web.tabs import Reader


@dataclass(frozen=True)
class Known:
    """What is known of a person for a while, and when that was read.

    `has_cases` says whether the person is cleared for any restricted ticket.
    """

    roles: frozenset[str]
    teams: list[Team]
    saved: list[SavedView]
    has_cases: bool
    read_at: datetime
    ticks: float

    @cached_property
    def team_ids(self) -> tuple[int, ...]:
        """The person's own teams."""
        return tuple(team.pk for team in self.teams if team.is_mine)  # type: ignore[attr-defined]

    def reader(self, person: Person, *, is_live: bool) -> Reader:
        """The reader at this moment; one who asks live has the moment in common with others."""
        person._roles = self.roles  # type: ignore[attr-defined]
        now = self.read_at + timedelta(seconds=time.monotonic() - self.ticks)
        return Reader(person, self.teams, is_agent(person), _shared_moment(now) if is_live else now)


def is_agent(person: Person) -> bool:
    """Whether this person reads the whole service's work, not only what they asked for."""
    return bool(roles_of(person) - {"requester", "administrator"})


def know(person: Person) -> Known:
    """What is to be known of one person."""
    return know_many([person])[person.pk]


def know_many(people: Sequence[Person]) -> dict[int, Known]:
    """What is to be known of each of them, by three queries for all together."""
    read_roles(people)
    ids = [person.pk for person in people]
    teams: list[Any] = TEAMS.all(people=ids)
    mine = {pk: {team.pk for team in teams if pk in team.members} for pk in ids}
    cleared = set(teams[0].cleared) if teams else set(ids)
    now: datetime = teams[0].clock if teams else database_now()
    shown = {team.pk: (_marked(team, False), _marked(team, True)) for team in teams}
    saved = _saved([person for person in people if is_agent(person)], mine)
    ticks = time.monotonic()
    return {
        person.pk: Known(
            roles=roles_of(person),
            teams=[shown[team.pk][team.pk in mine[person.pk]] for team in teams],
            saved=saved.get(person.pk, []),
            has_cases=person.pk in cleared,
            read_at=now,
            ticks=ticks,
        )
        for person in people
    }


def _teams(people: list[int]) -> QuerySet[Team]:
    """The active teams with their tiers and which of these people are in each, in one query.

    It also brings, the same on every team, who of them is cleared for any restricted ticket, what
    the duties are called, and the moment.
    """
    clock = Func(function="clock_timestamp", output_field=DateTimeField())
    theirs = any_of("person", people)
    members = Membership.objects.filter(theirs, team=OuterRef("pk")).order_by()
    cleared = Clearance.objects.filter(theirs).order_by().values("person").distinct()
    duties = Duty.objects.order_by().values(found=JSONObject(slug="slug", name="name"))
    teams = Team.objects.filter(is_active=True).select_related("tier", "calendar")
    return teams.annotate(
        members=ArraySubquery(members.values("person")),
        cleared=ArraySubquery(cleared),
        duties=ArraySubquery(duties),
        clock=clock,
    ).order_by(F("tier__rank").asc(nulls_last=True), "name")


TEAMS: Final = Written(_teams, people=list[int])


def _marked(team: Team, is_mine: bool) -> Team:
    own = copy.copy(team)
    own.is_mine = is_mine  # type: ignore[attr-defined]
    return own


def _saved(people: Sequence[Person], mine: Mapping[int, set[int]]) -> dict[int, list[SavedView]]:
    """Each one's own views, then those that colleagues share with a team of theirs."""
    if not people:
        return {}
    ids = [person.pk for person in people]
    teams = set().union(*(mine[pk] for pk in ids))
    views = SAVED.rows(people=ids, teams=sorted(teams))
    found = {}
    for pk in ids:
        own = [view for view in views if view.owner_id == pk]
        shared = [view for view in views if view.owner_id != pk and view.team_id in mine[pk]]
        found[pk] = own + [view for view in shared if view.owner.is_active]
    return found


SAVED: Final = Written(
    lambda people, teams: (
        SavedView.objects.filter(
            Q(any_of("owner", people)) | Q(any_of("team", teams), owner__is_active=True)
        )
        .select_related("owner", "team")
        .order_by("name")
    ),
    people=list[int],
    teams=list[int],
)


def _shared_moment(now: datetime) -> datetime:
    """A moment that pages asking within the same two seconds have in common."""
    return now.replace(second=now.second // 2 * 2, microsecond=0)
