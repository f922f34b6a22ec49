"""The rows around played tickets, read once: teams, services, people; and repeats seen so far."""

from bisect import bisect_left
from datetime import datetime, timedelta
from typing import Any

from escalation.steps import Step
from insights.simulation.recorded import Recorded
from roles.models import Organisation, Person, Team
from tickets import states
from tickets.models import Category, Service, Ticket

AROUND = ("team", "service", "category", "organisation", "requester")


class Site:
    """Everything that decisions read of the rows around a ticket, by id."""

    def __init__(self) -> None:
        self.teams = {t.pk: t for t in Team.objects.select_related("tier", "calendar")}
        services = Service.objects.select_related("owner_team__tier", "owner_team__calendar")
        self._rows: dict[str, dict[int, Any]] = {
            "team": self.teams,
            "service": services.in_bulk(),
            "category": Category.objects.in_bulk(),
            "organisation": Organisation.objects.in_bulk(),
            "requester": Person.objects.in_bulk(),
        }
        people = self._rows["requester"].values()
        self.machines = {item.pk for item in people if item.kind == Person.Kind.SERVICE}
        self._opened: dict[tuple[str, Any], list[datetime]] = {}

    def ticket_of(self, case: Recorded) -> Ticket:
        """The ticket as it was before its first event."""
        ticket = Ticket(
            pk=case.ticket_id,
            key=case.key,
            opened_at=case.opened_at,
            status=states.NEW,
            status_since=case.opened_at,
            **case.about,
        )
        self.settle(ticket)
        return ticket

    def settle(self, ticket: Ticket) -> None:
        """Put the rows beside the ids that the ticket has now."""
        cached = ticket._state.fields_cache
        for name in AROUND:
            wanted = getattr(ticket, f"{name}_id")
            held = cached.get(name)
            if (held.pk if held else None) != wanted:
                cached[name] = self._rows[name].get(wanted) if wanted else None

    def remember(self, case: Recorded) -> None:
        """Count this ticket among those by which it, or a later one, may be a repeat."""
        for origin in case.origins.items():
            self._opened.setdefault(origin, []).append(case.opened_at)

    def repeats(self, case: Recorded, step: Step) -> int:
        """How many tickets of the same origin were opened in the step's window up to this one.

        Cases are remembered in the order of their opening, each before it is played.
        """
        if step.same not in case.origins:
            return 0
        opened = self._opened[step.same, case.origins[step.same]]
        return len(opened) - bisect_left(opened, case.opened_at - timedelta(seconds=step.window_s))
