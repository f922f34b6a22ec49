"""Who works in which team and who holds which duty, as rows that many lookups share."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from roles.models import DutyAssignment, Membership, Person, Team


class Staff:
    """Who works where and holds which duty; it does not change from one batch to the next.

    Each part is read when it is first asked for. `people` are those whom anybody has asked for.
    """

    def __init__(
        self,
        teams: Mapping[int, Team] | None = None,
        members: Mapping[int, list[int]] | None = None,
        holders: Mapping[str, list[int]] | None = None,
    ) -> None:
        """`teams` by id, each with its tier and calendar, and the others, if they are known."""
        if teams is not None:
            self.teams = teams
        if members is not None:
            self.members = members
        if holders is not None:
            self.holders = holders
        self.people: dict[int, Person] = {}

    @cached_property
    def teams(self) -> Mapping[int, Team]:
        return {team.pk: team for team in Team.objects.select_related("tier", "calendar")}

    @cached_property
    def members(self) -> Mapping[int, list[int]]:
        rows = Membership.objects.order_by("team", "person")
        return grouped(rows.values_list("team_id", "person_id"))

    @cached_property
    def holders(self) -> Mapping[str, list[int]]:
        rows = DutyAssignment.objects.order_by("duty", "person")
        return grouped(rows.values_list("duty__slug", "person_id"))

    @cached_property
    def insiders(self) -> frozenset[int]:
        """Everybody who works here by a membership, a duty or as a team's head."""
        groups = (*self.members.values(), *self.holders.values())
        heads = {pk for team in self.teams.values() for pk in (team.lead_id, team.manager_id) if pk}
        return frozenset(pk for group in groups for pk in group) | heads


def grouped(rows: Iterable[tuple[Any, int]]) -> dict[Any, list[int]]:
    """The second of each pair by the first, in the order in which they came."""
    found: dict[Any, list[int]] = {}
    for key, person_id in rows:
        found.setdefault(key, []).append(person_id)
    return found
