"""Who is meant by a step's target, now: people on call, leads, duties, and who was left out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from roles import oncall
from roles.models import DutyAssignment, Membership, Person, Team
from tickets.models import Clearance, Ticket, Watcher

FALLBACK = ("duty:incident-manager", "duty:administrator")
"""Whom to tell when a step's own targets come to nobody, in this order."""
SECURITY_LANE = "security"

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


@dataclass(frozen=True, slots=True)
class Reached:
    """One person whom a target came to, and as what."""

    person_id: int
    name: str
    role: str


@dataclass(slots=True)
class Found:
    """Whom a step's targets came to, and why some came to nobody."""

    people: list[Reached] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        return [person.person_id for person in self.people]


class Staff:
    """Who works where and holds which duty; it does not change from one batch to the next."""

    def __init__(self) -> None:
        self.teams = {team.pk: team for team in Team.objects.select_related("tier", "calendar")}
        self.members: dict[int, list[int]] = {}
        for team_id, person_id in Membership.objects.order_by("team", "person").values_list(
            "team_id", "person_id"
        ):
            self.members.setdefault(team_id, []).append(person_id)
        self.holders: dict[str, list[int]] = {}
        for slug, person_id in DutyAssignment.objects.order_by("duty", "person").values_list(
            "duty__slug", "person_id"
        ):
            self.holders.setdefault(slug, []).append(person_id)


class People:
    """Looks up the people around many tickets with a fixed number of queries."""

    def __init__(self, tickets: Sequence[Ticket], at: datetime, staff: Staff | None = None) -> None:
        """`staff` is what a caller with many batches has read already."""
        staff = staff or Staff()
        self.at = at
        self.teams, self.members, self.holders = staff.teams, staff.members, staff.holders
        self.by_slug = {team.slug: team for team in self.teams.values()}
        self.on_call = oncall.on_call(list(self.teams), at)
        self.cleared = _pairs(Clearance, [item.pk for item in tickets if item.restricted])
        self.watching = _pairs(Watcher, [item.pk for item in tickets])
        self.people = self._load(tickets)
        groups = (*self.members.values(), *self.holders.values(), *self.on_call.values())
        heads = {pk for team in self.teams.values() for pk in (team.lead_id, team.manager_id) if pk}
        # Who works here: everybody else is told in words meant for requesters.
        self.insiders = frozenset(pk for group in groups for pk in group) | heads

    def _load(self, tickets: Sequence[Ticket]) -> dict[int, Person]:
        wanted: set[int | None] = set()
        for ticket in tickets:
            wanted |= {ticket.assignee_id, ticket.owner_id, ticket.requester_id}
        for group in (self.on_call, self.members, self.holders, self.watching):
            for ids in group.values():
                wanted |= set(ids)
        for team in self.teams.values():
            wanted |= {team.lead_id, team.manager_id}
        return {person.pk: person for person in Person.objects.filter(pk__in=wanted - {None})}

    def find(
        self,
        ticket: Ticket,
        tokens: Iterable[str],
        *,
        team: Team | None = None,
        even_uncleared: bool = False,
    ) -> Found:
        """The people whom the targets come to for this ticket, each once, in order.

        "The team" is the one that has the ticket, or `team` when it is about to receive it.
        """
        found = Found()
        for token in tokens:
            ids, role = self._ids(ticket, token, team)
            if not ids:
                found.left_out.append(f"{role}: nobody")
            for person_id in ids:
                self._add(found, ticket, person_id, role, even_uncleared=even_uncleared)
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
            return self._duty(argument), f"duty {argument}"
        if name == "person":
            ids = [item.pk for item in Person.objects.filter(username=argument)]
            self.people |= {item.pk: item for item in Person.objects.filter(pk__in=ids)}
            return ids, "named in the policy"
        if argument:
            team = self.by_slug.get(argument)
        else:
            team = team or self.teams.get(ticket.team_id or 0)
        role = WORDS.get(name, name).format(team=team.name if team else argument or "no team")
        return self._around(ticket, name, team), role

    def _duty(self, slug: str) -> list[int]:
        """Those holders who are on call anywhere now, else all of them."""
        holders = self.holders.get(slug, [])
        active = [pk for pk in holders if pk in self.people and self.people[pk].is_active]
        now = {pk for ids in self.on_call.values() for pk in ids}
        return [pk for pk in active if pk in now] or active

    def _around(self, ticket: Ticket, name: str, team: Team | None) -> list[int]:
        single = {
            "assignee": ticket.assignee_id,
            "owner": ticket.owner_id,
            "requester": ticket.requester_id,
            "lead": team.lead_id if team else None,
            "manager": team.manager_id if team else None,
        }
        if name in single:
            person_id = single[name]
            return [person_id] if person_id else []
        if name == "watchers":
            return self.watching.get(ticket.pk, [])
        if team is None:
            return []
        return {"on_call": self.on_call, "team": self.members}.get(name, {}).get(team.pk, [])


def _pairs(
    model: type[Clearance] | type[Watcher], ticket_ids: Sequence[int]
) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    if ticket_ids:
        rows = model._default_manager.filter(ticket__in=ticket_ids).order_by("id")
        for ticket_id, person_id in rows.values_list("ticket_id", "person_id"):
            found.setdefault(ticket_id, []).append(person_id)
    return found


def check_token(token: str) -> str:
    """What is wrong with a target's spelling; empty when it is right."""
    name, _, argument = token.partition(":")
    if name in ("duty", "person"):
        return "" if argument else f"{name}: needs a name, such as {name}:incident-manager"
    if name not in WORDS:
        return f"{token} is no target; choose from {', '.join(sorted(WORDS))}, duty:, person:"
    return ""
