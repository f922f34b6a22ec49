"""Who is meant by a step's target, now: people on call, leads, duties, and who was left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Q

from escalation import gates
from escalation.staff import Staff, grouped
from roles import oncall
from roles.models import Person, Schedule, Team
from roles.values import value
from roles.written import Written, any_of
from tickets.models import Clearance, Ticket, Watcher

FALLBACK = ("duty:incident-manager", "duty:administrator")
"""Whom to tell when a step's own targets come to nobody, in this order."""
SECURITY_LANE = "security"
OF_THE_TICKET = frozenset({"assignee", "owner", "requester", "watchers"})
"""Targets that are other people for each ticket."""

PEOPLE: Final = Written(lambda ids: Person.objects.filter(any_of("pk", ids)), ids=list[int])
ShiftStart = tuple[datetime | None, str]

WORDS = {
    "on_call": "on call in {team}",
    "team": "member of {team}",
    "lead": "lead of {team}",
    "manager": "manager of {team}",
    "assignee": "assignee",
    "owner": "owner",
    "requester": "requester",
    "watchers": "watcher",
}


@value
class Reached:
    """One person whom a target came to, and as what."""

    person_id: int
    name: str
    role: str


@dataclass(slots=True)
class Found:
    """Whom a step's targets came to, and why some came to nobody.

    `opens` says when people who were left out for the hour may be told.
    """

    people: list[Reached] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    opens: list[datetime] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        return [person.person_id for person in self.people]


class People:
    """Looks up the people around many tickets with a bounded number of queries.

    Who is on call is asked of those schedules only that the tickets and the targets touch: what
    other teams' schedules hold costs nothing and troubles nobody.
    """

    def __init__(
        self,
        tickets: Sequence[Ticket],
        at: datetime,
        staff: Staff | None = None,
        watching: dict[int, list[int]] | None = None,
    ) -> None:
        """`staff`, and who watches which ticket, are what the caller has read already."""
        self.staff = staff or Staff()
        self.at = at
        self.teams = self.staff.teams
        self.by_slug = {team.slug: team for team in self.teams.values()}
        self.cleared = _pairs(Clearance, [item.pk for item in tickets if item.restricted])
        self.people = self.staff.people
        self.people |= _loaded(tickets)
        self.tickets = tickets
        self._watching = watching
        self._on_call: dict[int, list[int]] = {}
        self._duties: dict[str, list[int]] = {}
        self._by_name: dict[str, list[int]] = {}
        self._same: dict[tuple[tuple[str, ...], int | None], Found] = {}
        self._around_tickets = {item.team_id for item in tickets if item.team_id}
        self._serving = set[int]()
        self._know(_named(tickets))

    def prepare(self, tokens: Iterable[str], team_ids: Iterable[int]) -> None:
        """Read at once whom these targets, and moves to these teams, lead to."""
        asked = [token.partition(":")[::2] for token in tokens]
        named = {team.pk for _, slug in asked if (team := self.by_slug.get(slug))}
        concerned = {*team_ids, *self._around_tickets, *named}
        self.on_call(concerned)
        near = {pk for team_id in concerned for pk in self._heads(team_id)}
        if any(name == "team" for name, _ in asked):
            near |= {pk for team_id in concerned for pk in self.staff.members.get(team_id, [])}
        self._know(near)

    def _heads(self, team_id: int) -> list[int]:
        team = self.teams[team_id]
        return [pk for pk in (team.lead_id, team.manager_id) if pk]

    def on_call(self, team_ids: Iterable[int]) -> dict[int, list[int]]:
        """Who is on call now in these teams, by team id."""
        wanted = set(team_ids)
        missing = wanted - self._on_call.keys()
        if missing:
            named = oncall.named_for(sorted(missing), self.at)
            heads = [pk for team_id in missing & self.teams.keys() for pk in self._heads(team_id)]
            self._know([*heads, *(pk for found in named.values() for pk in found)])
            absent = self._absent(named)
            for team_id, found in named.items():
                self._on_call[team_id] = oncall.serving(found, absent, self.at)
                self._serving.update(self._on_call[team_id])
        return {team_id: self._on_call[team_id] for team_id in wanted}

    def is_insider(self, person_id: int) -> bool:
        """Whether somebody works here, and so may read what is written for people who do.

        Everybody else is told in words meant for requesters.
        """
        return person_id in self._serving or person_id in self.staff.insiders

    def _absent(self, named: Mapping[int, Sequence[int]]) -> dict[int, datetime]:
        """Since when those named who are switched off, or unknown, are away."""
        people = {pk: self.people.get(pk) for found in named.values() for pk in found}
        return {
            pk: (person.left_at if person else None) or oncall.NEVER_THERE
            for pk, person in people.items()
            if person is None or not person.is_active
        }

    def refresh(self, ticket: Ticket) -> None:
        """Read anew who is cleared for a ticket and watches it."""
        ids = [ticket.pk]
        self.cleared |= {ticket.pk: [], **_pairs(Clearance, ids)}
        self._watching = {**self._watched(), ticket.pk: [], **_pairs(Watcher, ids)}

    def find(
        self,
        ticket: Ticket,
        tokens: Iterable[str],
        *,
        team: Team | None = None,
        even_uncleared: bool = False,
        hours: Mapping[str, Any] | None = None,
    ) -> Found:
        """The people whom the targets come to for this ticket, each once, in order.

        "The team" is the one that has the ticket, or `team` when it is about to receive it. With
        `hours`, a gate by each person's own time, those for whom it is shut are left out. What is
        found may be shared with other tickets of the team: it is not to be changed.
        """
        asked = tuple(tokens)
        if ticket.restricted or even_uncleared or hours or not _is_shared(asked):
            return self._find(ticket, asked, team, hours, even_uncleared=even_uncleared)
        key = (asked, team.pk if team else ticket.team_id)
        if key not in self._same:
            self._same[key] = self._find(ticket, asked, team, None, even_uncleared=False)
        return self._same[key]

    def _find(
        self,
        ticket: Ticket,
        tokens: Sequence[str],
        team: Team | None,
        hours: Mapping[str, Any] | None,
        *,
        even_uncleared: bool,
    ) -> Found:
        found = Found()
        for token in tokens:
            ids, role = self._ids(ticket, token, team)
            self._know(ids)
            if not ids:
                found.left_out.append(f"{role}: nobody")
            for person_id in ids:
                self._add(found, ticket, person_id, role, even_uncleared=even_uncleared)
        if hours:
            self._keep_hours(found, hours)
        return found

    def fallback(self, ticket: Ticket) -> Found:
        """Whom to tell when nobody else can be told.

        Of a restricted case that nobody cleared can be told of: security on call, then the CISO,
        cleared or not, because they can clear somebody. They are told no fact of it.
        """
        tokens: tuple[str, ...] = FALLBACK
        if ticket.restricted:
            lane = [team for team in self.teams.values() if team.tier.slug == SECURITY_LANE]
            tokens = (*(f"on_call:{team.slug}" for team in lane), "duty:ciso")
        for token in tokens:
            found = self.find(ticket, [token], even_uncleared=True)
            if found.people:
                return found
        return Found(left_out=["fallback: nobody"])

    def next_shift(self, ticket: Ticket, tokens: Iterable[str], team: Team | None) -> ShiftStart:
        """When somebody is next on call for these targets, and where; (None, "") if never soon."""
        starts: list[tuple[datetime, str]] = []
        for token in tokens:
            name, _, argument = token.partition(":")
            if name != "on_call":
                continue
            asked = self.by_slug.get(argument) if argument else team
            asked = asked or (None if argument else self.teams.get(ticket.team_id or 0))
            shift = oncall.next_shift(asked, self.at) if asked else None
            starts += [(shift.start, str(asked))] if shift and shift.start > self.at else []
        return min(starts, default=(None, ""))

    def _watched(self) -> dict[int, list[int]]:
        """Who watches which ticket; read when first asked for."""
        if self._watching is None:
            self._watching = _pairs(Watcher, [item.pk for item in self.tickets])
        return self._watching

    def _know(self, person_ids: Iterable[int]) -> None:
        missing = set(person_ids) - self.people.keys()
        if missing:
            self.people |= {row.pk: row for row in PEOPLE.rows(ids=list(missing))}

    def _keep_hours(self, found: Found, hours: Mapping[str, Any]) -> None:
        """Leave out whoever the gate is shut for by the clock where that person lives."""
        inside = []
        for item in found.people:
            zone = self.people[item.person_id].zone
            opening = gates.opening_in(hours, self.at, ZoneInfo(zone))
            if opening == self.at:
                inside.append(item)
                continue
            found.opens += [opening] if opening else []
            local = f"{self.at.astimezone(ZoneInfo(zone)):%H:%M} in {zone}"
            found.left_out.append(f"{item.name} ({item.role}): it is {local}, outside the hours")
        found.people = inside

    def _add(
        self, found: Found, ticket: Ticket, person_id: int, role: str, *, even_uncleared: bool
    ) -> None:
        person = self.people.get(person_id)
        if person is None or person_id in found.ids:
            return
        if not person.is_active:
            found.left_out.append(f"{person} ({role}): account is inactive")
        elif not even_uncleared and not self._is_cleared(ticket, person_id):
            found.left_out.append(f"{person} ({role}): not cleared for this case")
        else:
            found.people.append(Reached(person_id, str(person), role))

    def _is_cleared(self, ticket: Ticket, person_id: int) -> bool:
        return not ticket.restricted or person_id in self.cleared.get(ticket.pk, [])

    def _ids(self, ticket: Ticket, token: str, team: Team | None) -> tuple[list[int], str]:
        name, _, argument = token.partition(":")
        if name == "duty":
            return self._duty(argument), argument.replace("-", " ")
        if name == "person":
            if argument not in self._by_name:
                found = Person.objects.filter(username=argument).values_list("pk", flat=True)
                self._by_name[argument] = list(found)
            return self._by_name[argument], "named in the policy"
        if argument:
            team = self.by_slug.get(argument)
        else:
            team = team or self.teams.get(ticket.team_id or 0)
        role = WORDS.get(name, name).format(team=team.name if team else argument or "no team")
        return self._around(ticket, name, team), role

    def _duty(self, slug: str) -> list[int]:
        """Those holders who are on call anywhere now, else all of them."""
        if slug not in self._duties:
            holders = self.staff.holders.get(slug, [])
            self._know(holders)
            active = [pk for pk in holders if pk in self.people and self.people[pk].is_active]
            serving = self.on_call(self._places(active))
            now = {pk for ids in serving.values() for pk in ids}
            self._duties[slug] = [pk for pk in active if pk in now] or active
        return self._duties[slug]

    def _places(self, person_ids: Sequence[int]) -> Iterable[int]:
        """The teams whose schedules name any of these people."""
        places = Schedule.objects.filter(
            Q(revisions__rotations__members__person__in=person_ids)
            | Q(overrides__person__in=person_ids)
        )
        return places.values_list("team_id", flat=True).distinct()

    def _around(self, ticket: Ticket, name: str, team: Team | None) -> list[int]:
        owning = self.teams.get(ticket.owner_team_id or 0)
        single = {
            "assignee": ticket.assignee_id,
            "owner": ticket.owner_id or (owning.lead_id if owning else None),
            "requester": ticket.requester_id,
            "lead": team.lead_id if team else None,
            "manager": team.manager_id if team else None,
        }
        if name in single:
            person_id = single[name]
            return [person_id] if person_id else []
        if name == "watchers":
            return self._watched().get(ticket.pk, [])
        if team is None:
            return []
        if name == "on_call":
            self.on_call([team.pk, *self._around_tickets])
            return self._on_call[team.pk]
        return self.staff.members.get(team.pk, []) if name == "team" else []


def _loaded(tickets: Iterable[Ticket]) -> dict[int, Person]:
    """The people whom these tickets name and bring along, by id."""
    found = {}
    for ticket in tickets:
        for name in ("assignee", "owner", "requester"):
            person = ticket._state.fields_cache.get(name)
            if isinstance(person, Person):
                found[person.pk] = person
    return found


def _is_shared(tokens: Iterable[str]) -> bool:
    """Whether the targets come to the same people for every open ticket of a team."""
    return not any(token in OF_THE_TICKET for token in tokens)


def _named(tickets: Iterable[Ticket]) -> set[int]:
    """The people that the tickets themselves name."""
    named: set[int | None] = set()
    for ticket in tickets:
        named |= {ticket.assignee_id, ticket.owner_id, ticket.requester_id}
    return {pk for pk in named if pk is not None}


def _pairs(
    model: type[Clearance] | type[Watcher], ticket_ids: Sequence[int]
) -> dict[int, list[int]]:
    if not ticket_ids:
        return {}
    rows = model._default_manager.filter(any_of("ticket", ticket_ids)).order_by("id")
    return grouped(rows.values_list("ticket_id", "person_id"))


def check_token(token: str) -> str:
    """What is wrong with a target's spelling; empty when it is right."""
    name, _, argument = token.partition(":")
    if name in ("duty", "person"):
        return "" if argument else f"{name}: needs a name, such as {name}:incident-manager"
    if name not in WORDS:
        return f"{token} is no target; choose from {', '.join(sorted(WORDS))}, duty:, person:"
    return ""
