"""Whom to escalate to: the next rung of a ticket's route that has a team."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roles.models import Team
from tickets.models import Route, Ticket


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The team that a ticket should go to next, and the reason in words."""

    team: Team
    reason: str


class Routes:
    """The whole route table, read once for many tickets."""

    def __init__(self) -> None:
        rows = Route.objects.filter(is_active=True, team__is_active=True, tier__is_vendor=False)
        self.rows = list(
            rows.exclude(tier__rank=None).select_related("team__tier", "team__calendar", "tier")
        )
        climbable = Team.objects.filter(is_active=True, tier__is_vendor=False)
        self.by_rank: dict[int, list[Team]] = {}
        for team in climbable.select_related("tier", "calendar"):
            if team.tier.rank is not None:
                self.by_rank.setdefault(team.tier.rank, []).append(team)

    def next_tier(self, ticket: Ticket) -> Recommendation | None:
        """The next rung's team; None at the top, and from a lane, which stands beside the ladder.

        An explicit route for the service or category wins, then the owner of the service if it
        sits on that rung, then the rung's default route or only team. Never the vendor's rung.
        """
        rank = ticket.team.tier.rank if ticket.team else None
        if rank is None:
            return None
        for higher in sorted(known for known in self.by_rank if known > rank):
            found = self._on_rung(ticket, higher)
            if found is not None:
                return found
        return None

    def _on_rung(self, ticket: Ticket, rank: int) -> Recommendation | None:
        fitting = [row for row in self.rows if row.tier.rank == rank and _fits(row, ticket)]
        explicit = [row for row in fitting if row.service_id or row.category_id]
        if explicit:
            best = max(explicit, key=_weight)
            return Recommendation(best.team, f"route for {best.service or best.category}")
        owner = ticket.service.owner_team if ticket.service else None
        if owner is not None and owner.is_active and owner.tier.rank == rank:
            return Recommendation(owner, f"owns {ticket.service}")
        if fitting:
            return Recommendation(fitting[0].team, f"default of {fitting[0].tier}")
        teams = self.by_rank[rank]
        if len(teams) == 1:
            return Recommendation(teams[0], f"only team on {teams[0].tier}")
        return None


def _fits(row: Route, ticket: Ticket) -> bool:
    return row.service_id in (None, ticket.service_id) and row.category_id in (
        None,
        ticket.category_id,
    )


def _weight(row: Route) -> int:
    return 2 * (row.service_id is not None) + (row.category_id is not None)


def next_teams(tickets: Sequence[Ticket]) -> Mapping[int, Recommendation | None]:
    """The next rung of each ticket, by ticket id."""
    routes = Routes()
    return {ticket.pk: routes.next_tier(ticket) for ticket in tickets}
