"""To whom a ticket can go from here, who is on call there, and so who will be told."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from escalation.routes import next_teams
from roles.models import Person, Team
from roles.oncall import on_call
from tickets.models import Ticket


@dataclass(frozen=True)
class Destination:
    """One team, who is on call there now, and why it is recommended (empty when it is not)."""

    team: Team
    people: list[str]
    reason: str = ""

    @property
    def who(self) -> str:
        """The people on call, or that there is nobody."""
        return ", ".join(self.people) if self.people else "nobody on call now"


def destinations(ticket: Ticket, now: datetime) -> list[Destination]:
    """Every active team but the present one, the recommended one first, then up the ladder."""
    teams = list(
        Team.objects.filter(is_active=True)
        .exclude(pk=ticket.team_id)
        .select_related("tier")
        .order_by(F("tier__rank").asc(nulls_last=True), "name")
    )
    best = next_teams([ticket])[ticket.pk]
    serving = on_call([team.pk for team in teams], now)
    ids = {person_id for people in serving.values() for person_id in people}
    names = dict(Person.objects.filter(pk__in=ids).values_list("pk", "name"))
    found = [
        Destination(
            team,
            [names[person_id] for person_id in serving.get(team.pk, [])],
            best.reason if best is not None and best.team.pk == team.pk else "",
        )
        for team in teams
    ]
    return sorted(found, key=lambda each: not each.reason)
